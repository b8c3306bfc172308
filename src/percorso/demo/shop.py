"""Legnocorda, an invented Italian shop for musical instruments: what it sells, where, and how people arrive.

Everything here is made up. It is data for :mod:`percorso.demo.sample` and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BOT_AGENTS",
    "CAMPAIGNS",
    "FIRST_NAMES",
    "LAST_NAMES",
    "ORIGINS",
    "PERSONAS",
    "PRODUCTS",
    "SITE",
    "STORES",
    "USER_AGENTS",
    "Campaign",
    "Origin",
    "Persona",
    "Product",
]

SITE = "https://www.legnocorda.example"


@dataclass(frozen=True, slots=True)
class Product:
    """`price_cents` is the price to the customer, tax included; `bulky` goods cost 19.90 to send."""

    sku: str
    name: str
    category: str
    price_cents: int
    bulky: bool = False

    @property
    def path(self) -> str:
        return f"/{self.category.lower()}/{self.sku.lower()}"


PRODUCTS = (
    Product("CH-CL-34", "Chitarra classica 3/4 Alba", "Chitarre", 8900, bulky=True),
    Product("CH-CL-44", "Chitarra classica 4/4 Riviera", "Chitarre", 14900, bulky=True),
    Product("CH-AC-10", "Chitarra acustica Dolomia", "Chitarre", 24900, bulky=True),
    Product("CH-EL-20", "Chitarra elettrica Officina", "Chitarre", 39900, bulky=True),
    Product("BA-EL-05", "Basso elettrico Pianura", "Bassi", 32900, bulky=True),
    Product("TA-61-01", "Tastiera 61 tasti Scuola", "Tastiere", 12900, bulky=True),
    Product("PI-88-02", "Pianoforte digitale 88 tasti Lago", "Tastiere", 54900, bulky=True),
    Product("FL-SO-01", "Flauto dolce soprano", "Fiati", 1490),
    Product("SA-AL-01", "Sassofono contralto Studio", "Fiati", 46900, bulky=True),
    Product("VI-44-01", "Violino 4/4 con custodia", "Archi", 17900),
    Product("UK-SO-01", "Ukulele soprano Onda", "Chitarre", 4900),
    Product("CO-AC-12", "Corde acustica bronzo 12-53", "Corde", 1290),
    Product("CO-EL-10", "Corde elettrica nichel 10-46", "Corde", 890),
    Product("CO-BA-45", "Corde basso 45-105", "Corde", 2690),
    Product("PL-MX-12", "Plettri misti, 12 pezzi", "Accessori", 690),
    Product("AC-CR-01", "Accordatore a pinza", "Accessori", 1590),
    Product("CU-CH-01", "Custodia imbottita chitarra", "Accessori", 3490),
    Product("LE-PI-01", "Leggio pieghevole", "Accessori", 1990),
    Product("CA-JK-03", "Cavo jack 3 metri", "Accessori", 1390),
    Product("AM-15-01", "Amplificatore da studio 15 W", "Amplificatori", 9900, bulky=True),
    Product("PE-OV-01", "Pedale overdrive", "Amplificatori", 7900),
    Product("LI-ME-01", "Metodo per chitarra, volume 1", "Libri", 1590),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What brought a visit. Empty texts: the address carried nothing."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    referrer: str = ""
    click_id: str = ""


ORIGINS = {
    "direct": Origin(),
    "search": Origin(referrer="https://www.google.com/"),
    "brand": Origin("google", "cpc", "brand", "https://www.google.com/", "gclid"),
    "shopping": Origin("google", "cpc", "shopping-chitarre", "https://www.google.com/", "gclid"),
    "social": Origin("instagram", "paid_social", "inizia-a-suonare", "https://l.instagram.com/", "fbclid"),
    "organic-social": Origin(referrer="https://l.facebook.com/"),
    "video": Origin(referrer="https://www.youtube.com/"),
    "newsletter": Origin("newsletter", "email", ""),
    "forum": Origin(referrer="https://forum.chitarristi.example/discussioni/4021"),
    "prices": Origin("trovaprezzi", "cpc", "catalogo", "https://www.trovaprezzi.example/"),
}


@dataclass(frozen=True, slots=True)
class Persona:
    """A kind of customer: how many, what they look for, how they arrive, whether they buy and where."""

    name: str
    share: float
    categories: tuple[str, ...]
    first: tuple[str, ...]
    later: tuple[str, ...]
    visits: tuple[int, int]
    journeys: tuple[int, int]
    buys: float
    in_store: float


PERSONAS = (
    Persona(
        "school parent", 0.25, ("Fiati", "Tastiere", "Chitarre"), ("search", "shopping", "prices"),
        ("direct", "search", "brand"), (1, 3), (1, 1), 0.62, 0.65,
    ),
    Persona(
        "beginner", 0.32, ("Chitarre", "Amplificatori", "Libri"), ("social", "social", "video", "search"),
        ("social", "newsletter", "brand", "video", "direct"), (2, 6), (1, 2), 0.38, 0.3,
    ),
    Persona(
        "gigging musician", 0.18, ("Corde", "Accessori", "Amplificatori", "Bassi"), ("direct", "newsletter"),
        ("direct", "direct", "newsletter"), (1, 2), (2, 4), 0.7, 0.35,
    ),
    Persona(
        "teacher", 0.07, ("Libri", "Corde", "Fiati", "Archi"), ("direct", "organic-social", "forum"),
        ("direct", "newsletter"), (1, 3), (1, 3), 0.6, 0.4,
    ),
    Persona(
        "passer-by", 0.18, ("Accessori", "Chitarre", "Archi"), ("search", "prices", "organic-social", "forum"),
        ("direct", "search"), (1, 3), (1, 1), 0.15, 0.5,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Campaign:
    """A newsletter: the day (ISO) and local hour it went out."""

    name: str
    day: str
    hour: int


CAMPAIGNS = (
    Campaign("ritorno-a-scuola", "2025-09-04", 9),
    Campaign("settimana-delle-corde", "2025-09-25", 18),
    Campaign("liutai-in-negozio", "2025-10-16", 9),
    Campaign("ritorno-a-scuola-2", "2025-10-27", 7),
    Campaign("black-friday", "2025-11-20", 8),
)

STORES = ("Bologna", "Milano", "Torino", "Padova", "Firenze", "Bari")

FIRST_NAMES = (
    "Anna", "Marco", "Giulia", "Luca", "Sara", "Paolo", "Elena", "Davide", "Chiara", "Matteo", "Francesca", "Andrea",
    "Martina", "Simone", "Laura", "Giorgio", "Valentina", "Stefano", "Beatrice", "Nicola", "Silvia", "Pietro",
)  # fmt: skip

LAST_NAMES = (
    "Rossi", "Bianchi", "Ferrari", "Esposito", "Romano", "Colombo", "Ricci", "Marino", "Greco", "Bruno", "Gallo",
    "Conti", "De Luca", "Costa", "Giordano", "Mancini", "Rizzo", "Lombardi", "Moretti", "Barbieri", "Fontana",
)  # fmt: skip

USER_AGENTS = {
    "phone": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.6 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 15; SM-A556B) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/140.0.0.0 Mobile Safari/537.36",
    ),
    "desktop": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/140.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.6 Safari/605.1.15",
        "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    ),
    "tablet": (
        "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.7 Mobile/15E148 Safari/604.1",
    ),
}

BOT_AGENTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "python-requests/2.32.3",
)
