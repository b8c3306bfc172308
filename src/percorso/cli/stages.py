"""`percorso stages`: how many customers are at each stage, and where they go from there."""

from __future__ import annotations

import typer

from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec
from percorso.cli.contacts import Beside, write_contacts
from percorso.cli.context import words_of
from percorso.cli.options import answer_of, asking, scope_of
from percorso.cli.output import Output, writing
from percorso.language.words import Words
from percorso.services.stages import ask_stages

__all__ = ["register"]

_COLUMNS = (
    "stage",
    "persons",
    "share",
    "contacts",
    "journeys",
    "median_s",
    "progressed",
    "skipped_ahead",
    "regressed",
    "progression",
    "next_median_s",
    "exits",
    "exit_share",
    "now",
    "orders",
    "value",
)


def _beside(words: Words) -> tuple[Beside, ...]:
    return (
        Beside("moves", words.text("terminal.stage_moves"), (), dict.fromkeys(("from", "to"), "stage")),
        Beside("exits", words.text("terminal.exits")),
    )


def register(app: typer.Typer) -> None:
    """Add `stages` to the command line."""
    app.command("stages")(stages)


@asking(scope_of)
@writing
def stages(ctx: typer.Context, scope: Scope, target: Output) -> None:
    """How many customers are at each stage, for how long, where they go from there, and where they leave.

    Example: percorso stages --by person.country
    """
    words = words_of(ctx)
    write_contacts(
        answer_of(ctx, ask_stages, StagesSpec(scope=scope)),
        target,
        title=words.text("terminal.stages"),
        columns=_COLUMNS,
        secondary=("value orders", "contacts", "exit_share", "next_median_s", "regressed skipped_ahead progressed"),
        beside=_beside(words),
        note=words.text("terminal.progression_note"),
        words=words,
    )
