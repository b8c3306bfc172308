"""`percorso touchpoints`: what customers meet, and where they leave."""

from __future__ import annotations

import typer

from percorso.analyses.spec import Scope
from percorso.analyses.touchpoints import TouchpointsSpec
from percorso.cli.contacts import Beside, write_contacts
from percorso.cli.context import words_of
from percorso.cli.options import answer_of, asking, scope_of
from percorso.cli.output import Output, writing
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
    "unidentified_orders",
    "value",
)


def register(app: typer.Typer) -> None:
    """Add `touchpoints` to the command line."""
    app.command("touchpoints")(touchpoints)


@asking(scope_of)
@writing
def touchpoints(ctx: typer.Context, scope: Scope, target: Output) -> None:
    """What customers meet: whom each touchpoint reaches, at which stage, what it leads to, who leaves there.

    Example: percorso touchpoints --where "place in (site, app)"
    """
    words = words_of(ctx)
    write_contacts(
        answer_of(ctx, ask_touchpoints, TouchpointsSpec(scope=scope)),
        target,
        title=words.text("terminal.touchpoints"),
        columns=_COLUMNS,
        secondary=(
            "frequency",
            "value unidentified_orders orders",
            "direction",
            "contacts",
            "exit_share",
            "assist first last",
            "journeys",
            "events",
            "stage",
        ),
        beside=(Beside("conversion_points", words.text("terminal.conversion_points")),),
        note=words.text("terminal.exits_note"),
        words=words,
    )
