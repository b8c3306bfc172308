"""`percorso stages`: how many customers are at each stage, and where they go from there."""

from __future__ import annotations

import typer

from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec
from percorso.cli.contacts import Beside, contact_scope, order_note, write_contacts
from percorso.cli.context import workspace_of
from percorso.cli.options import asking
from percorso.cli.output import FormatOption, JsonOption, OutputOption, output_of
from percorso.cli.progress import ready_log
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
_BESIDE = (Beside("moves", "From stage to stage"), Beside("exits", "Where abandoned journeys end"))


def register(app: typer.Typer) -> None:
    """Add `stages` to the command line."""
    app.command("stages")(stages)


@asking(contact_scope)
def stages(
    ctx: typer.Context,
    scope: Scope,
    chosen: FormatOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """How many customers are at each stage, for how long, where they go from there, and where they leave.

    Example: percorso stages --by person.country
    """
    workspace, target = workspace_of(ctx), output_of(chosen, output, as_json)
    answer = ask_stages(workspace, StagesSpec(scope=scope), log=ready_log(workspace))
    notes = (order_note(answer.totals), "progression: of those who came to it, the share that got further.")
    write_contacts(
        answer,
        target,
        title="Stages",
        columns=_COLUMNS,
        secondary=("value orders", "contacts", "exit_share", "next_median_s", "regressed skipped_ahead progressed"),
        beside=_BESIDE,
        notes=notes,
    )
