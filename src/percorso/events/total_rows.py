"""Rows that sum up others, such as the last one of a till's export: they are no events."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.columns import as_texts

__all__ = ["TOTAL_DETAIL", "TOTAL_REASON", "are_totals", "begins_like_total", "say_total", "without_totals"]

TOTAL_REASON = "total_row"
TOTAL_DETAIL = "The row is a total of others, not an event."

_BEGINNING = r"(?i)^\s*(?:gran[d]?\s+)?(?:sub[- ]?)?tot(?:ale|ali|als?)?(?:[\s.:/].*)?$"
_BEGINNING_RE = re.compile(_BEGINNING, re.DOTALL)
_WORDS = ("totale", "totali", "totale generale", "total", "totals", "grand total", "subtotale", "subtotal")
_SAID = pa.array([form for word in _WORDS for form in (word, word.upper(), word.capitalize(), word.title())])


def begins_like_total(cell: str) -> bool:
    """Whether the first cell of a row that has something says that the row is a total.

    Examples
    --------
    >>> begins_like_total("Totale generale"), begins_like_total("TOT."), begins_like_total("Total0")
    (True, True, False)
    """
    return _BEGINNING_RE.match(cell) is not None


def are_totals(table: pa.Table) -> pa.BooleanArray:
    """Which rows of a table of texts begin like a total, in the first cell that has something."""
    columns = [as_texts(column) for column in table.columns if pa.types.is_string(column.type)]
    if not columns:
        return pa.repeat(pa.scalar(False), table.num_rows)
    first = pc.coalesce(*columns)
    return pc.match_substring_regex(first, _BEGINNING).fill_null(False)


def without_totals(table: pa.Table) -> pa.Table:
    """The rows that do not begin like a total; all of them where every one does."""
    totals = are_totals(table)
    return table.filter(pc.invert(totals)) if 0 < totals.true_count < table.num_rows else table


def say_total(texts: pa.StringArray) -> pa.BooleanArray:
    """Which texts are nothing but the word for a total: no customer, no order is called so."""
    return pc.is_in(texts, value_set=_SAID)
