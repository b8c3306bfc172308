"""`percorso touchpoints`: what customers meet, and where they leave."""

from __future__ import annotations

import typer

from percorso.analyses.spec import Scope
from percorso.analyses.touchpoints import TouchpointsSpec
from percorso.cli.contacts import Beside, contact_scope, order_note, write_contacts
from percorso.cli.context import words_of, workspace_of
from percorso.cli.options import asking
from percorso.cli.output import FormatOption, JsonOption, OutputOption, output_of
from percorso.cli.progress import ready_log
from percorso.services.touchpoints import ask_touchpoints

__all__ = ["register"]

_COLUMNS = (
    "touchpoint",
    "place",
    "direction",
    "stage",
    "events",
    "contacts",
    "persons",
    "share",
    "frequency",
    "journeys",
    "conversion",
    "first",
    "last",
    "assist",
    "exits",
    "exit_share",
    "orders",
    "value",
)


def register(app: typer.Typer) -> None:
    """Add `touchpoints` to the command line."""
    app.command("touchpoints")(touchpoints)


@asking(contact_scope)
def touchpoints(
    ctx: typer.Context,
    scope: Scope,
    chosen: FormatOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """What customers meet: whom each touchpoint reaches, at which stage, what it leads to, who leaves there.

    Example: percorso touchpoints --where "place in (site, app)"
    """
    workspace, target, words = workspace_of(ctx), output_of(chosen, output, as_json), words_of(ctx)
    answer = ask_touchpoints(workspace, TouchpointsSpec(scope=scope), log=ready_log(workspace))
    notes = (order_note(answer.totals, words), words.text("terminal.exits_note"))
    write_contacts(
        answer,
        target,
        title=words.text("terminal.touchpoints"),
        columns=_COLUMNS,
        secondary=(
            "frequency",
            "value orders",
            "direction",
            "contacts",
            "exit_share",
            "assist first last",
            "journeys",
            "events",
            "stage",
        ),
        beside=(Beside("conversion_points", words.text("terminal.conversion_points")),),
        notes=notes,
        words=words,
    )
