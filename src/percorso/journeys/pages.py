"""Pages: cleaned paths, and which touchpoint a page is.

The cleaned path is what the log's `page` column holds; path rules of the workspace and the shipped ones
look at it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from percorso.journeys.signals import (
    AWARE,
    CARE_IF_ORDER,
    CONSIDER,
    CONSIDER_IF_ENGAGED,
    CONVERT,
    CONVERT_IF_CART,
)
from percorso.settings import PathRule

__all__ = ["MAX_PAGE_LENGTH", "PAGE_RULES", "Page", "PageRule", "page_of", "page_touchpoint"]

#: Longer paths are cut; they are broken links and search strings, not pages.
MAX_PAGE_LENGTH = 160

_AUTHORITY = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^/?#]*", re.IGNORECASE)
_TELLING = re.compile(r"[\d.@]")  # a segment without any of these is a word
_ID = re.compile(
    r"\d+"  # 4021
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"  # UUID
    r"|(?=[a-f]*\d)[0-9a-f]{12,}"  # hexadecimal
    r"|[a-z]{1,3}[-_]?\d{3,}"  # p4021, id-4021
    r"|(?=\D*\d\D*\d)(?=[^a-z]*[a-z])[a-z0-9_~]{16,}"  # other keys
)
_TRAILING_ID = re.compile(r"(?<=[-_.,])(?:[a-z]{1,3})?\d{4,}$|(?<=[-_])[0-9a-f]{24,}$")
_INDEX = re.compile(r"(?:index|default)\.(?:html?|php|aspx?|jsp)")
_EXTENSION = re.compile(r"\.(?:html?|php|aspx?|jsp)$")
_LANGUAGES = (
    "bg|ca|cs|da|de|el|en|es|et|eu|fi|fr|ga|gl|hr|hu|is|it|ja|ko|lt|lv|mt|nb|nl|no|pl|pt|ro|ru|sk|sl|sq|sr|sv|tr|uk|zh"
)
_LOCALE = re.compile(rf"^/(?:(?:{_LANGUAGES})(?:[-_][a-z]{{2}})?|[a-z]{{2}}[-_](?:{_LANGUAGES}))(?=/|$)")


@lru_cache(maxsize=65_536)
def _segment(text: str) -> str:
    if not _TELLING.search(text):
        return text
    bare = _EXTENSION.sub("", text) if "." in text else text
    if "@" in text or _ID.fullmatch(bare):
        return "*"
    return _TRAILING_ID.sub("*", bare)


def _raw_path(url: str) -> str:
    """The path as written; that of the fragment where it is one (apps in the browser: ``#/cart``)."""
    if "#" in url:
        url, _, fragment = url.partition("#")
        route = fragment.removeprefix("!")
        if route.startswith("/"):
            return route.partition("?")[0]
    path = url.partition("?")[0]
    if "//" in path and (authority := _AUTHORITY.match(path)):
        return path[authority.end() :]
    return path


def page_of(url: str) -> str:
    """The cleaned path of a URL: what the log's `page` column holds.

    Lower-case, without host, query, fragment (but for a path in it), file extension and trailing slash;
    numbers, UUIDs, keys and e-mail addresses are ``*``.

    Parameters
    ----------
    url : str
        A URL or a path; "" gives "".

    Examples
    --------
    >>> page_of("https://shop.example/Prodotti/sedia-rossa-40213.html?x=1"), page_of("/ordini/10428/")
    ('/prodotti/sedia-rossa-*', '/ordini/*')
    """
    given = url.strip()
    if not given:
        return ""
    path = _raw_path(given)
    if "%" in path:
        path = unquote(path)
    parts = [part for piece in path.lower().split("/") if (part := piece.strip())]
    if parts and _INDEX.fullmatch(parts[-1]):
        parts.pop()
    return ("/" + "/".join(map(_segment, parts)))[:MAX_PAGE_LENGTH]


@dataclass(frozen=True, slots=True)
class PageRule:
    """Pages whose cleaned path, without a leading locale, matches `pattern` (search) are this touchpoint."""

    touchpoint: str
    signal: int
    pattern: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a path says; touchpoint "" where no rule knows it."""

    touchpoint: str
    signal: int = AWARE


def _first(*names: str) -> str:
    """The path begins with one of these segments."""
    return rf"^/(?:{'|'.join(names)})(?:/|$)"


def _any(*names: str) -> str:
    """One of these segments stands anywhere in the path."""
    return rf"/(?:{'|'.join(names)})(?:/|$)"


#: Shipped path rules, English and Italian, in the order in which they are tried.
PAGE_RULES: tuple[PageRule, ...] = (
    PageRule("home page", AWARE, r"^/?$|^/(?:home|homepage)$"),
    PageRule(
        "product page",
        CONSIDER_IF_ENGAGED,
        r"/(?:products?|prodott[oi]|p|pd|dp|items?|articolo)/(?:[^/]+/)*[^/]+$|^/(?:product|prodotto)"
        r"(?:-(?:page|detail|details|screen))?$",
    ),
    PageRule(
        "order confirmation",
        CARE_IF_ORDER,
        r"/(?:thank[-_]?you|grazie|order(?:-|_)(?:received|confirmation|confirmed|complete|completed|success)"
        r"|conferma[-_]ordine|ordine(?:-|_)(?:confermato|completato|ricevuto))(?:/|$)"
        r"|/checkouts?/(?:.*/)?(?:success|confirmation|complete)(?:/|$)",
    ),
    PageRule("payment", CONVERT, _any("payment", "payments", "pagamento") + r"|/checkouts?/(?:.*/)?pay(?:/|$)"),
    PageRule("checkout", CONVERT, _any("checkouts?", "cassa", "onepage") + r"|^/(?:order|ordine)$"),
    PageRule(
        "cart",
        CONVERT_IF_CART,
        _any("cart", "carrello", "shopping-bag", "shopping-cart") + "|" + _first("bag", "basket"),
    ),
    PageRule(
        "wish list",
        CONSIDER_IF_ENGAGED,
        _any("wish-?list", "lista-(?:dei-)?desideri", "preferiti", "favou?rites"),
    ),
    PageRule(
        "order status",
        CARE_IF_ORDER,
        _any("order-?status", "order-?tracking", "track(?:ing)?", "orders?", "my-orders", "ordini", "i-miei-ordini")
        + "|"
        + _any("stato-ordine", "traccia(?:-(?:il-tuo-)?ordine)?"),
    ),
    PageRule("returns", AWARE, _any("returns?", "resi", "reso", "resi-e-rimborsi")),
    PageRule("sign-up", AWARE, _any("register", "registration", "sign-?up", "registrati", "registrazione")),
    PageRule("log-in", AWARE, _any("log-?in", "sign-?in", "accedi", "accesso")),
    PageRule("account", AWARE, _first("(?:my-)?account", "profile?", "profilo", "area-clienti", "customer", "user")),
    PageRule("search", CONSIDER, _first("search", "ricerca", "cerca", "catalogsearch", "find")),
    PageRule(
        "store locator",
        CONSIDER_IF_ENGAGED,
        _first("stores?", "store-?(?:locator|finder)", "negozi", "negozio", "punti-vendita", "trova-(?:un-)?negozio"),
    ),
    PageRule("newsletter sign-up", AWARE, _any("newsletter")),
    PageRule("reviews", CONSIDER_IF_ENGAGED, _any("reviews?", "recensioni")),
    PageRule("blog and guides", CONSIDER_IF_ENGAGED, _first("blogs?", "guides?", "guida", "guide", "magazine")),
    PageRule("blog and guides", CONSIDER_IF_ENGAGED, _first("news", "articles?", "articoli", "consigli", "how-to")),
    PageRule("contact page", AWARE, _first("contacts?", "contact-us", "contatti", "contattaci")),
    PageRule("help", AWARE, _first("help", "faq", "faqs", "support", "assistenza", "aiuto", "customer-service")),
    PageRule("delivery information", AWARE, _first("shipping", "delivery", "spedizioni", "spedizione", "consegna")),
    PageRule(
        "legal page", AWARE, _any("privacy(?:-policy)?", "terms.*", "termini.*", "cookies?(?:-policy)?", "condizioni.*")
    ),
    PageRule("about us", AWARE, _first("about(?:-us)?", "chi-siamo", "la-nostra-storia")),
    PageRule("error", AWARE, _first("error", "errore", "not-found")),
    PageRule(
        "product list",
        CONSIDER_IF_ENGAGED,
        _first("products", "prodotti", "shop", "catalogu?e?", "catalogo", "collections?", "collezion[ei]", "c")
        + "|"
        + _first("categor(?:y|ies|ia|ie)", "(?:product|prodotto)-category", "brands?", "march[ie]", "department")
        + "|"
        + _first("sale", "saldi", "outlet", "offert[ae]", "offers?", "promo(?:zion[ei])?", "novita", "new-arrivals"),
    ),
)

_SHIPPED = tuple((re.compile(rule.pattern), Page(rule.touchpoint, rule.signal)) for rule in PAGE_RULES)
_BY_TOUCHPOINT = {rule.touchpoint: rule.signal for rule in PAGE_RULES}


@lru_cache(maxsize=64)
def _own_rules(rules: tuple[PathRule, ...]) -> tuple[tuple[re.Pattern[str], Page], ...]:
    """The workspace's rules. A touchpoint that the shipped rules know brings its signal along."""
    return tuple(
        (re.compile(rule.pattern, re.IGNORECASE), Page(rule.touchpoint, _BY_TOUCHPOINT.get(rule.touchpoint, AWARE)))
        for rule in rules
    )


@lru_cache(maxsize=262_144)
def page_touchpoint(path: str, rules: tuple[PathRule, ...] = ()) -> Page:
    """The touchpoint that a cleaned path is, by the workspace's rules and then the shipped ones.

    Examples
    --------
    >>> page_touchpoint("/it/prodotti/sedia-rossa-*").touchpoint, page_touchpoint("/carrello").touchpoint
    ('product page', 'cart')
    """
    for pattern, page in _own_rules(rules):
        if pattern.search(path):
            return page
    bare = _LOCALE.sub("", path) or "/"
    return next((page for pattern, page in _SHIPPED if pattern.search(bare)), Page(""))
