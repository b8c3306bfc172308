"""Legnocorda: an invented Italian shop for musical instruments. What it sells, where, and who its customers are named.

Everything here is made up.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BOT_AGENTS",
    "BY_SKU",
    "FIRST_NAMES",
    "LAST_NAMES",
    "PRODUCTS",
    "REGIONS",
    "SITE",
    "SOUTH",
    "STORES",
    "USER_AGENTS",
    "Product",
    "products",
]

SITE = "https://www.legnocorda.example"
STORES = ("Bologna", "Milano", "Torino", "Padova", "Firenze", "Bari")


@dataclass(frozen=True, slots=True)
class Product:
    """`price` and `cost` in cents, tax included; `bulky` goods cost 29.90 to send, others 5.90.

    `json` is what the tracker says of it, `page` the part of a message that names its page.
    """

    sku: str
    name: str
    category: str
    price: int
    cost: int
    bulky: bool
    json: str
    page: str


def _product(sku: str, name: str, category: str, price: int, *, bulky: bool = False) -> Product:
    path = f"/prodotti/{category.lower()}/{sku.lower()}"
    json = (
        f'"product_id":"{sku}","sku":"{sku}","name":"{name}","category":"{category}",'
        f'"price":{price / 100:.2f},"currency":"EUR"'
    )
    page = f'"title":"{name}","url":"{SITE}{path}"'
    margin = {"Corde": 0.48, "Accessori": 0.52, "Ricambi": 0.5, "Libri": 0.35}.get(category, 0.31)
    return Product(sku, name, category, price, round(price / 1.22 * (1 - margin)), bulky, json, page)


PRODUCTS = (
    _product("CH-CL-34", "Chitarra classica 3/4 Alba", "Chitarre", 8900),
    _product("CH-CL-44", "Chitarra classica 4/4 Riviera", "Chitarre", 14900),
    _product("CH-AC-10", "Chitarra acustica Dolomia", "Chitarre", 24900),
    _product("CH-AC-30", "Chitarra acustica Brenta, tavola in abete", "Chitarre", 44900),
    _product("CH-EL-20", "Chitarra elettrica Officina", "Chitarre", 39900),
    _product("CH-EL-40", "Chitarra elettrica Officina Pro", "Chitarre", 64900),
    _product("CH-KIT-1", "Kit chitarra elettrica e amplificatore", "Chitarre", 22900),
    _product("BA-EL-05", "Basso elettrico Pianura", "Bassi", 32900),
    _product("UK-SO-01", "Ukulele soprano Onda", "Ukulele", 4900),
    _product("TA-61-01", "Tastiera 61 tasti Scuola", "Tastiere", 12900),
    _product("TA-25-01", "Tastiera MIDI 25 tasti", "Tastiere", 7900),
    _product("PI-88-02", "Pianoforte digitale 88 tasti Lago", "Pianoforti", 42900, bulky=True),
    _product("BT-KIT-1", "Batteria acustica Borgo, cinque pezzi", "Batterie", 34900, bulky=True),
    _product("BT-CAJ-1", "Cajon Tarantola", "Batterie", 11900, bulky=True),
    _product("AM-15-01", "Amplificatore da studio 15 W", "Amplificatori", 9900),
    _product("AM-60-01", "Amplificatore valvolare 60 W con cassa", "Amplificatori", 28900, bulky=True),
    _product("AM-BA-10", "Cassa per basso 2x10", "Amplificatori", 23900, bulky=True),
    _product("PE-OV-01", "Pedale overdrive", "Effetti", 7900),
    _product("FL-SO-01", "Flauto dolce soprano", "Fiati", 1490),
    _product("FL-TR-01", "Flauto traverso Studio", "Fiati", 16900),
    _product("ME-32-01", "Melodica 32 tasti", "Fiati", 2990),
    _product("CL-SI-01", "Clarinetto in si bemolle Studio", "Fiati", 18900),
    _product("VI-12-01", "Violino 1/2 con custodia", "Archi", 11900),
    _product("VI-44-01", "Violino 4/4 con custodia", "Archi", 17900),
    _product("CO-AC-12", "Corde acustica bronzo 12-53", "Corde", 1290),
    _product("CO-EL-10", "Corde elettrica nichel 10-46", "Corde", 890),
    _product("CO-EL-3P", "Corde elettrica nichel, tre mute", "Corde", 2290),
    _product("CO-BA-45", "Corde basso 45-105", "Corde", 2690),
    _product("CO-VI-44", "Corde violino 4/4", "Corde", 3490),
    _product("AN-SA-10", "Ance sassofono, dieci pezzi", "Ricambi", 2490),
    _product("RI-ME-06", "Meccaniche autobloccanti, sei pezzi", "Ricambi", 5490),
    _product("RI-PU-01", "Pick-up humbucker", "Ricambi", 6990),
    _product("RI-VA-02", "Valvole finali, coppia", "Ricambi", 4490),
    _product("RI-PE-14", "Pelle per rullante 14 pollici", "Ricambi", 1990),
    _product("PL-MX-12", "Plettri misti, 12 pezzi", "Accessori", 690),
    _product("AC-CR-01", "Accordatore a pinza", "Accessori", 1590),
    _product("CU-CH-01", "Custodia imbottita chitarra", "Accessori", 3490),
    _product("LE-PI-01", "Leggio pieghevole", "Accessori", 1990),
    _product("CA-JK-03", "Cavo jack 3 metri", "Accessori", 1390),
    _product("TR-CH-01", "Tracolla in cotone", "Accessori", 1790),
    _product("BA-5A-03", "Bacchette 5A, tre paia", "Accessori", 2390),
    _product("LI-ME-01", "Metodo per chitarra, volume 1", "Libri", 1590),
    _product("LI-SO-01", "Solfeggio cantato e parlato", "Libri", 1290),
    _product("LI-PI-01", "Primi passi al pianoforte", "Libri", 1490),
)

BY_SKU = {product.sku: product for product in PRODUCTS}


def products(words: str) -> tuple[Product, ...]:
    """Products by their numbers, as often as they are named: "CO-EL-10 CO-EL-10 CO-BA-45" is two to one."""
    return tuple(BY_SKU[sku] for sku in words.split())


#: Regions, roughly as people live in them, and those of the South and the islands.
_INHABITANTS = {
    "Lombardia": 4, "Piemonte": 2, "Veneto": 3, "Emilia-Romagna": 3, "Toscana": 2, "Lazio": 2, "Marche": 1, "Puglia": 2,
    "Campania": 2, "Sicilia": 2, "Calabria": 1, "Sardegna": 1,
}  # fmt: skip
REGIONS = tuple(region for region, weight in _INHABITANTS.items() for _ in range(weight))
SOUTH = frozenset(("Puglia", "Campania", "Sicilia", "Calabria", "Sardegna"))

FIRST_NAMES = (
    "Anna", "Marco", "Giulia", "Luca", "Sara", "Paolo", "Elena", "Davide", "Chiara", "Matteo", "Francesca", "Andrea",
    "Martina", "Simone", "Laura", "Giorgio", "Valentina", "Stefano", "Beatrice", "Nicola", "Silvia", "Pietro",
    "Alice", "Tommaso", "Marta", "Filippo", "Irene", "Riccardo", "Caterina", "Emanuele",
)  # fmt: skip

LAST_NAMES = (
    "Rossi", "Bianchi", "Ferrari", "Esposito", "Romano", "Colombo", "Ricci", "Marino", "Greco", "Bruno", "Gallo",
    "Conti", "De Luca", "Costa", "Giordano", "Mancini", "Rizzo", "Lombardi", "Moretti", "Barbieri", "Fontana",
    "Santoro", "Mariani", "Rinaldi", "Caruso", "Ferrara", "Galli", "Martini", "Leone", "Longo",
)  # fmt: skip

USER_AGENTS = {
    "ios": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.6 Mobile/15E148 Safari/604.1",
    ),
    "android": (
        "Mozilla/5.0 (Linux; Android 15; SM-A556B) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/140.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/139.0.0.0 Mobile Safari/537.36",
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
