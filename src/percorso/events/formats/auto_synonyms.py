"""What columns are called, in English and Italian, and which event field that makes them.

Names are compared plain: lower case, without accents, words apart ("IDCliente", "id_cliente" and
"Id cliente" are one name).
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["STATE_NAMES", "SYNONYMS", "is_personal", "plain_name"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

#: Columns that may say what happened, or something else.
STATE_NAMES = (
    *("causale", "tipo movimento", "tipo documento", "tipo", "stato ordine", "stato", "movimento", "tipologia"),
    *("esito", "transaction type", "order status", "status", "type", "financial status", "stato pagamento"),
)

#: Field -> names of columns, most telling first. Fields beginning with "item." are of product lines.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "event": (
        *("event name", "event", "concept name", "evento", "nome evento", "event type", "tipo evento", "action"),
        *("azione", "activity", "attivita", "operazione", "tipo operazione"),
    ),
    # Names so common that only the values decide.
    "state": STATE_NAMES,
    "time": (
        *("timestamp", "event timestamp", "event time", "time timestamp", "datetime", "date time", "data ora"),
        *("data e ora", "occurred at", "created at", "order date", "invoice date", "purchase date", "sale date"),
        *("transaction timestamp", "transaction date", "order purchase timestamp", "data ordine", "data scontrino"),
        *("data vendita", "data acquisto", "data operazione", "data documento", "date", "data", "giorno", "day"),
        *("when", "quando", "time"),
    ),
    "clock": ("time", "ora", "hour", "orario", "order time", "ora scontrino", "ora vendita", "ora ordine"),
    "user_id": (
        *("user id", "customer id", "client code", "id cliente", "codice cliente", "cod cliente", "customer number"),
        *("customer", "cliente", "user", "utente", "id utente", "household id", "case concept name", "member id"),
        *("customer no", "userid", "customerid"),
    ),
    "anonymous_id": (
        *("anonymous id", "visitor id", "user pseudo id", "client id", "cookie id", "visitor", "visitatore", "cookie"),
    ),
    "device_id": ("device id", "id dispositivo"),
    "email": ("email", "e mail", "mail", "email address", "customer email", "indirizzo email", "posta elettronica"),
    "phone": (
        *("phone", "phone number", "telephone", "telefono", "cellulare", "tel", "mobile", "mobile phone", "cell"),
        *("numero di telefono", "numero telefono", "recapito telefonico"),
    ),
    "loyalty_id": (
        *("loyalty id", "loyalty card", "loyalty number", "tessera", "numero tessera", "codice tessera", "n tessera"),
        *("tessera fedelta", "carta fedelta", "fidelity card", "fidelity", "card fedelta", "loyalty"),
    ),
    "card_token": ("card token", "card hash", "token carta"),
    "session_id": ("session id", "ga session id", "session", "visit id", "id sessione", "sessione", "visit", "visita"),
    "order_id": (
        *("order id", "order number", "order no", "numero ordine", "id ordine", "n ordine", "ordine", "order"),
        *("receipt id", "receipt number", "receipt no", "receipt", "numero scontrino", "n scontrino", "scontrino"),
        *("invoice", "invoice no", "invoice number", "numero fattura", "fattura", "transaction id", "basket id"),
        *("id transazione", "transazione", "numero documento", "documento", "order name"),
    ),
    "store": ("store id", "store", "negozio", "punto vendita", "codice negozio", "id negozio", "filiale", "sede"),
    "till": ("till", "cassa", "register", "terminal", "terminale", "numero cassa", "id cassa"),
    "ticket_id": ("ticket id", "ticket", "ticket number", "case id", "numero ticket", "segnalazione"),
    "conversation_id": ("conversation id", "chat id", "conversazione"),
    "value": (
        *("revenue", "order value", "sales value", "net amount", "total", "totale", "amount", "importo", "value"),
        *("valore", "total price", "prezzo totale", "totale ordine", "totale scontrino", "importo totale", "incasso"),
        *("fatturato", "order total", "transaction value", "netto"),
    ),
    "tax": ("tax", "taxes", "vat", "iva", "imposta"),
    "shipping": ("shipping", "shipping cost", "freight", "spedizione", "spese di spedizione", "costo spedizione"),
    "discount": ("discount", "discount amount", "sconto", "sconti", "importo sconto"),
    "currency": ("currency", "currency code", "valuta", "divisa"),
    "coupon": (
        "coupon",
        "coupon code",
        "discount code",
        "promo code",
        "voucher",
        "codice sconto",
        "buono",
        "buono sconto",
    ),
    "item.product_id": (
        *("product id", "sku", "item id", "stock code", "article", "ean", "barcode", "codice articolo"),
        *("codice prodotto", "cod articolo", "id prodotto", "articolo", "codice a barre", "product code"),
    ),
    "item.name": (
        *("product name", "item name", "description", "descrizione", "nome prodotto", "descrizione articolo"),
        *("product", "prodotto", "title"),
    ),
    "item.category": ("category", "product category", "categoria", "reparto", "department", "item category"),
    "item.brand": ("brand", "marca", "item brand"),
    "item.quantity": ("quantity", "qty", "quantita", "qta", "q ta", "pezzi", "units", "pz"),
    "item.price": ("unit price", "price", "prezzo", "prezzo unitario", "unit", "pr unitario", "item price"),
    "channel": ("channel", "canale", "acquisition channel", "marketing channel", "canale di acquisizione"),
    "utm_source": ("utm source",),
    "utm_medium": ("utm medium",),
    "utm_campaign": ("utm campaign", "campaign", "campaign name", "campagna"),
    "utm_term": ("utm term",),
    "utm_content": ("utm content",),
    "url": ("url", "page url", "page location", "pagina", "page", "landing page"),
    "title": ("page title", "titolo pagina"),
    "referrer": ("referrer", "referer", "page referrer"),
    "user_agent": ("user agent",),
    "device": ("device", "device type", "dispositivo", "platform", "piattaforma", "device category"),
    "country": ("country", "paese", "nazione", "country code"),
    "score": ("score", "rating", "review score", "stars", "voto", "stelle", "punteggio", "nps", "valutazione"),
    "text": ("review text", "comment", "commento", "review", "recensione", "testo", "text", "messaggio", "message"),
}

#: Words of columns that say who somebody is and that no analysis needs: left out of the properties.
PERSONAL = frozenset(
    {
        *("surname", "firstname", "lastname", "cognome", "nominativo", "address", "street", "indirizzo", "via"),
        *("birthday", "birth", "nascita", "compleanno", "fiscale", "iban", "ip", "password", "piva"),
    }
)
#: A column of a name is personal beside one of these words, or alone.
_NAMES = frozenset({"name", "nome"})
_OF_PERSONS = frozenset(
    {
        *("customer", "client", "cliente", "first", "last", "full", "user", "utente", "billing", "shipping"),
        *("contact", "contatto", "recipient", "destinatario", "completo"),
    }
)


def is_personal(plain: str) -> bool:
    """Whether a column of this plain name says who somebody is.

    Examples
    --------
    >>> is_personal("nome cliente"), is_personal("product category name"), is_personal("indirizzo")
    (True, False, True)
    """
    words = set(plain.split())
    return bool(PERSONAL & words) or bool(_NAMES & words and (_OF_PERSONS & words or len(words) == 1))


def plain_name(name: str) -> str:
    """The name in lower case, without accents, words apart.

    Examples
    --------
    >>> plain_name("IDCliente"), plain_name("Quantità"), plain_name("case:concept:name"), plain_name("E-Mail")
    ('id cliente', 'quantita', 'case concept name', 'e mail')
    """
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return " ".join(_WORDS.findall(bare)).lower()
