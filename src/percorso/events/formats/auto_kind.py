"""What kind of tool wrote a table, and what the source may be called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from percorso.events.formats.auto_columns import Column, Found

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
    """The file's name without its ends and dates, so that next month's file is of the same source.

    Examples
    --------
    >>> source_name("scontrini_2024-03.csv.gz")
    'scontrini'
    """
    stem = PurePath(file_name).name.split(".")[0]
    words = [word for word in re.split(r"[^A-Za-z]+", stem) if word]
    return "-".join(words).lower()[:60] or "file"
