"""`percorso channels`: what brings contacts, and what they are worth."""

from __future__ import annotations

import typer

from percorso.analyses.channels import ChannelsSpec
from percorso.analyses.spec import Scope
from percorso.cli.contacts import Beside, contact_scope, order_note, write_contacts
from percorso.cli.context import workspace_of
from percorso.cli.options import asking
from percorso.cli.output import FormatOption, JsonOption, OutputOption, output_of
from percorso.cli.progress import ready_log
from percorso.services.channels import ask_channels

__all__ = ["register"]

_COLUMNS = (
    "channel",
    "contacts",
    "persons",
    "share",
    "new_persons",
    "frequency",
    "median_s",
    "journeys",
    "conversion",
    "first",
    "last",
    "assist",
    "orders",
    "value",
    "unidentified_orders",
    "cost",
    "cost_per_new",
)
_BESIDE = (
    Beside("switches", "From one channel to another"),
    Beside(
        "breadth",
        "Journeys by the number of their channels",
        ("channels", "journeys", "conversion", "matched_conversion", "difference"),
    ),
    Beside("conversion_points", "Where orders happen"),
)


def register(app: typer.Typer) -> None:
    """Add `channels` to the command line."""
    app.command("channels")(channels)


@asking(contact_scope)
def channels(
    ctx: typer.Context,
    scope: Scope,
    chosen: FormatOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """What brings contacts: whom each channel reaches, and what it is in the journeys that buy.

    Example: percorso channels --from 2024-01-01 --to 2024-03-31
    """
    workspace, target = workspace_of(ctx), output_of(chosen, output, as_json)
    answer = ask_channels(workspace, ChannelsSpec(scope=scope), log=ready_log(workspace))
    notes = (order_note(answer.totals), "–: not measured. first, last, assist: purchase journeys.")
    write_contacts(
        answer,
        target,
        title="Channels",
        columns=_COLUMNS,
        secondary=("unidentified_orders", "frequency", "new_persons", "cost_per_new", "median_s", "assist first last"),
        beside=_BESIDE,
        notes=notes,
    )
