"""What `channels`, `places`, `touchpoints` and `stages` have in common: how people read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from percorso.analyses.result import Result
from percorso.cli.options import as_of_text
from percorso.cli.output import Layout, Output, Section, warning_lines, write_told
from percorso.cli.texts import amount_text, mean_text, money_of, percent_text, points_text, seconds_text
from percorso.language.words import Family, Words

__all__ = ["REACH_AND_ROLE", "Beside", "write_contacts"]

_PERCENT = ("share", "conversion", "switch_rate", "coverage", "share_of_known", "matched_conversion")
_FORMATS = {
    **dict.fromkeys(_PERCENT, percent_text),
    **dict.fromkeys(("exit_share", "progression", "measured_share", "matched_share"), percent_text),
    **dict.fromkeys(("median_s", "p90_s", "total_s", "next_median_s", "next_p90_s"), seconds_text),
    **dict.fromkeys(("frequency", "per_week"), mean_text),
    "difference": points_text,
    **dict.fromkeys(("value", "researched_value", "cost", "cost_per_contact", "cost_per_new"), amount_text),
}
_TITLES = {
    "median_s": "median",
    "p90_s": "p90",
    "total_s": "time",
    "new_persons": "new",
    "matched_conversion": "matched",
    "unidentified_orders": "without a customer",
    "share_of_known": "of known",
    "exit_share": "of exits",
    "next_median_s": "takes",
}
_ROWS_BESIDE = 10

#: Columns that people see of a channel or a place: whom it reaches, and what it is in their journeys.
REACH_AND_ROLE = (
    *("contacts", "persons", "share", "new_persons", "frequency", "median_s", "journeys", "conversion"),
    *("first", "last", "assist", "orders", "unidentified_orders", "value"),
)


@dataclass(frozen=True, slots=True)
class Beside:
    """A table beside the main one, as people see it.

    Parameters
    ----------
    name : str
        Of the answer's table.
    title : str
    columns : tuple of str
        Some of its columns; none: all.
    families : mapping of str to str
        As of `Layout`.
    """

    name: str
    title: str
    columns: tuple[str, ...] = ()
    families: Mapping[str, Family] = field(default_factory=dict)


def write_contacts(
    answer: Result,
    target: Output,
    *,
    title: str,
    columns: Sequence[str],
    secondary: tuple[str, ...],
    beside: Sequence[Beside],
    note: str,
    words: Words,
) -> None:
    """Write an answer: for programs all of it, for people the main columns, and the tables beside below.

    Parameters
    ----------
    answer : Result
    target : Output
    title : str
    columns : sequence of str
        Those of the main table that people see.
    secondary : tuple of str
        As of `Layout`.
    beside : sequence of Beside
    note : str
        Below the main table.
    words : Words
    """

    def head(answer: Result, words: Words) -> str:
        return _order_note(answer.totals, words)

    def sections(answer: Result, words: Words) -> Iterator[Section]:
        as_of = words.text("terminal.as_of", as_of=as_of_text(answer, words))
        by = answer.spec.scope.by
        main = _columns(answer.table, ((by,) if by else ()) + tuple(columns))
        amounts = (words.text("terminal.amounts", currency=answer.totals["currency"]),) if "value" in columns else ()
        notes = (note, *amounts, as_of, *warning_lines(answer.warnings, words))
        yield Section(title, main, notes, _layout(main, secondary))
        for one in beside:
            table = answer.tables.get(one.name)
            if table is not None and table.num_rows:
                yield _section(one, table, words)

    write_told(answer, target, head, sections, words)


def _columns(table: pa.Table, names: Sequence[str]) -> pa.Table:
    return table.select([name for name in names if name in table.column_names])


def _section(one: Beside, table: pa.Table, words: Words) -> Section:
    shown = _columns(table, one.columns) if one.columns else table
    more = table.num_rows - _ROWS_BESIDE
    notes = (words.text("terminal.more_rows", n=more),) if more > 0 else ()
    shown = shown.slice(0, _ROWS_BESIDE)
    return Section(one.title, shown, notes, replace(_layout(shown, ()), families=one.families))


def _layout(table: pa.Table, secondary: tuple[str, ...]) -> Layout:
    formats = {name: text for name, text in _FORMATS.items() if name in table.column_names}
    return Layout(formats=formats, titles=_TITLES, secondary=secondary)


def _order_note(totals: Mapping[str, Any], words: Words) -> str:
    """Orders and value of known customers, and beside them those without a customer."""
    orders, nobody = totals["orders"], totals["unidentified_orders"]
    told = words.text("counted.orders", n=orders)
    value = money_of(totals["value"], totals["currency"], words)
    if not nobody:
        return words.text("terminal.orders_note", orders=told, value=value)
    beside = money_of(totals["unidentified_value"], totals["currency"], words)
    return words.text("terminal.orders_and_nobody", orders=told, value=value, nobody=nobody, beside=beside)
