"""What kind of tool wrote a table, and what the source may be called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from percorso.events.formats.auto_columns import Column, Found
from percorso.events.formats.auto_synonyms import plain_name
from percorso.events.formats.auto_words import speaks_of_email

__all__ = ["EVENT_OF_KIND", "guess_kind", "source_name"]

#: Kind of source -> words of file and column names that tell it; earlier ones win.
_WORDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("survey", frozenset({"survey", "nps", "sondaggio", "csat", "questionario"})),
    ("review", frozenset({"reviews", "recensione", "recensioni", "stars", "stelle"})),
    ("support", frozenset({"ticket", "tickets", "segnalazione", "assistenza", "support"})),
    ("email", frozenset({"newsletter", "mailing", "dem"})),
    ("delivery", frozenset({"tracking", "corriere", "courier", "shipment", "spedizioni", "consegne"})),
    ("pos", frozenset({"pos", "till", "receipt", "receipts", "scontrino", "scontrini", "cassa"})),
)
_WEB_WORDS = frozenset(
    {
        *("home", "main", "catalog", "cart", "page", "product", "checkout", "login", "search", "session"),
        *("carrello", "catalogo", "pagina", "prodotto", "ricerca"),
    }
)
#: Words of file names that say when or how a file was made, not what is in it.
_MONTHS = (
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre "
    "gen feb mar apr mag giu lug ago set sett ott nov dic "
    "january february march april may june july august september october november december "
    "jan jun jul aug sep sept oct dec"
)
_PERIODS = (
    "anno anni mese mesi mensile mensili settimana settimanale giorno giornaliero trimestre semestre "
    "year yearly month monthly week weekly day daily quarter today yesterday oggi ieri"
)
_VERSIONS = (
    "copia copy nuovo nuova nuovi new vecchio vecchia old definitivo definitiva def final finale ultimo ultima latest "
    "aggiornato aggiornata updated corretto corretta bozza draft backup bak ok vers version versione rev prova test tmp"
)
_LINKS = "di del della dei delle dal dalla al alla da fino a of from to until the il lo la i gli le e and per"
_EXPORTS = "export esporta esportazione estrazione estratto download scaricato csv utf xls xlsx excel foglio sheet"
_DROPPED = frozenset(f"{_MONTHS} {_PERIODS} {_VERSIONS} {_LINKS} {_EXPORTS}".split())
#: The one event of a source whose rows name none.
EVENT_OF_KIND = {
    "survey": "Survey Answered",
    "review": "Product Reviewed",
    "support": "Ticket Opened",
    "pos": "Order Completed",
}


def guess_kind(columns: Sequence[Column], found: Mapping[str, Found], file_name: str) -> tuple[str, str]:
    """Kind of the source, and the reason for it."""
    if any(column.plain == "case concept name" for column in columns):
        return "other", "it is an event log: cases, not customers"
    words = {word for column in columns for word in column.plain.split()}
    words |= set(re.findall(r"[a-z]+", PurePath(file_name).name.lower()))
    for kind, signs in _WORDS:
        told = sorted(signs & words)
        if told:
            return kind, f'"{told[0]}" stands in the names'
    if "store" in found and {"order_id", "value"} & set(found):
        return "pos", f'the column "{found["store"].column.name}" tells'
    for field in ("event", "state"):
        told = sorted(speaks_of_email(found[field].column.texts)) if field in found else []
        if told:
            return "email", f'"{told[0]}" and the like are said of e-mails'
    for field in ("session_id", "url", "anonymous_id"):
        if field in found:
            return "web", f'the column "{found[field].column.name}" tells'
    if "event" in found:
        seen = {word for text in found["event"].column.texts for word in re.findall(r"[a-z]+", text.lower())}
        told = sorted(seen & _WEB_WORDS)
        if told:
            return "web", f'events speak of "{told[0]}"'
    if "order_id" in found:
        return "server", f'the column "{found["order_id"].column.name}" tells'
    return "other", "nothing tells what kind of tool wrote it"


def source_name(file_name: str) -> str:
    """The file's name without dates, months, numbers of copies and the like: next month's file is of the same source.

    Customers' numbers hold within a source, so two names for one till would make two persons of one card.

    Examples
    --------
    >>> source_name("scontrini_2024-03.csv.gz"), source_name("Export Scontrini settembre (1) - Copia.csv")
    ('scontrini', 'scontrini')
    >>> source_name("ordini_web_definitivo.csv"), source_name("export_2024.csv")
    ('ordini-web', 'file')
    """
    words = plain_name(PurePath(file_name).name.split(".")[0]).split()
    kept = [word for word in words if not word.isdigit() and len(word) > 1 and word not in _DROPPED]
    return "-".join(kept)[:60].strip("-") or "file"
