"""The persons behind a number, as every `percorso people` command and `percorso segment people` write them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from percorso.analyses.journeys import JourneysSpec
from percorso.analyses.result import Result
from percorso.cli.context import command_line, words_of
from percorso.cli.options import answer_of, as_of_text
from percorso.cli.output import Layout, Output, write_answer
from percorso.cli.tables import value_code
from percorso.services.people import Cell, ask_people
from percorso.services.people_over_time import LifecycleCell, TimeoutCell
from percorso.time import zone_of

__all__ = ["CELL", "GroupOption", "tell_people", "write_people"]

#: Heading of the options that say which number.
CELL = "Which number"

GroupOption = Annotated[
    str,
    typer.Option("--group", metavar="VALUE", help="With --by: the value of the break-down.", rich_help_panel=CELL),
]

_LAYOUT = Layout(
    titles={
        "first_time": "first seen",
        "last_time": "last seen",
        "n_events": "events",
        "n_sessions": "sessions",
        "n_orders": "orders",
    },
    secondary=("n_sessions", "kind"),
    ids=("person",),
)


def write_people(ctx: typer.Context, spec: Any, cell: Cell, target: Output) -> None:
    """Ask for the persons of a cell of the answer to `spec`, its group called as tables show it, and write them."""
    if not isinstance(cell, LifecycleCell | TimeoutCell):
        by = spec.by if isinstance(spec, JourneysSpec) else spec.scope.by
        cell = replace(cell, group=value_code(by, cell.group, words_of(ctx)))
    tell_people(ctx, answer_of(ctx, ask_people, spec, cell=cell), target)


def tell_people(ctx: typer.Context, answer: Result, target: Output, *, persons: bool = True) -> None:
    """Write a table of persons; with `persons`, and where the question has a rule of persons, how many meet it."""
    words = words_of(ctx)
    note = words.text(
        "terminal.people_note",
        persons=words.text("counted.persons", n=answer.table.num_rows),
        as_of=as_of_text(answer, words, persons=persons),
        command=f"{command_line(ctx)} customer ID",
    )
    layout = replace(_LAYOUT, zone=zone_of(answer.spec.scope.timezone))
    write_answer(answer, target, layout=layout, notes=(note,), words=words)
