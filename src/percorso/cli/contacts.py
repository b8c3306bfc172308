"""What `channels`, `places`, `touchpoints` and `stages` have in common: their options, and how people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.cli.options import (
    AsOfOption,
    BotsOption,
    ByOption,
    FromOption,
    HeavyOption,
    PersonaOption,
    PersonsOption,
    TimezoneOption,
    ToOption,
    WhereOption,
    as_of_text,
    scope_of,
)
from percorso.cli.output import Format, Layout, Output, Section, warning_lines, write_answer, write_page
from percorso.cli.texts import amount_text, mean_text, money_of, percent_text, seconds_text
from percorso.language.words import Family, Words
from percorso.services.workspace import Workspace

__all__ = ["Beside", "contact_scope", "order_note", "write_contacts"]

_PERCENT = ("share", "conversion", "switch_rate", "coverage", "share_of_known", "matched_conversion", "difference")
_FORMATS = {
    **dict.fromkeys(_PERCENT, percent_text),
    **dict.fromkeys(("exit_share", "progression", "measured_share", "matched_share"), percent_text),
    **dict.fromkeys(("median_s", "p90_s", "total_s", "next_median_s", "next_p90_s"), seconds_text),
    **dict.fromkeys(("frequency", "per_week"), mean_text),
    **dict.fromkeys(("value", "researched_value", "cost", "cost_per_contact", "cost_per_new"), amount_text),
}
_TITLES = {
    "median_s": "median",
    "p90_s": "p90",
    "total_s": "time",
    "new_persons": "new",
    "matched_conversion": "matched",
    "unidentified_orders": "of nobody",
    "share_of_known": "of known",
    "exit_share": "of exits",
    "next_median_s": "takes",
}
_ROWS_BESIDE = 10


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


def contact_scope(
    workspace: Workspace,
    since: FromOption = "",
    until: ToOption = "",
    timezone: TimezoneOption = "",
    as_of: AsOfOption = "",
    where: WhereOption = "",
    by: ByOption = "",
    include_bots: BotsOption = False,
    include_heavy: HeavyOption = False,
    persona: PersonaOption = "",
    persons: PersonsOption = "",
) -> Scope:
    """The scope that the options ask for; there is nothing else to ask."""
    return scope_of(
        workspace,
        since=since,
        until=until,
        timezone=timezone,
        as_of=as_of,
        where=where,
        by=by,
        include_bots=include_bots,
        include_heavy=include_heavy,
        per="person",
        persona=persona,
        persons=persons,
    )


def write_contacts(
    answer: Result,
    target: Output,
    *,
    title: str,
    columns: Sequence[str],
    secondary: tuple[str, ...],
    beside: Sequence[Beside],
    notes: Sequence[str],
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
    notes : sequence of str
        The first above the main table, the others below it.
    words : Words
    """
    if target.format is not Format.table:
        write_answer(answer, target, words=words)
        return
    as_of = words.text("terminal.as_of", as_of=as_of_text(answer, words))
    below = (*notes[1:], as_of, *warning_lines(answer.warnings, words))
    by = answer.spec.scope.by
    main = _columns(answer.table, ((by,) if by else ()) + tuple(columns))
    sections = [Section(title, main, below, _layout(main, secondary))]
    for one in beside:
        table = answer.tables.get(one.name)
        if table is not None and table.num_rows:
            sections.append(_section(one, table, words))
    write_page(notes[0], sections, target, words)


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


def order_note(totals: Mapping[str, Any], words: Words) -> str:
    """Orders and value of persons, and beside them those of nobody."""
    orders, nobody = totals["orders"], totals["unidentified_orders"]
    told = words.text("counted.orders", n=orders)
    value = money_of(totals["value"], totals["currency"], words)
    if not nobody:
        return words.text("terminal.orders_note", orders=told, value=value)
    beside = amount_text(totals["unidentified_value"], words)
    return words.text("terminal.orders_and_nobody", orders=told, value=value, nobody=nobody, beside=beside)
