"""`percorso channels`: what brings contacts, and what they are worth."""

from __future__ import annotations

import typer

from percorso.analyses.channels import ChannelsSpec
from percorso.analyses.spec import Scope
from percorso.cli.contacts import Beside, contact_scope, order_note, write_contacts
from percorso.cli.context import words_of, workspace_of
from percorso.cli.options import asking
from percorso.cli.output import FormatOption, JsonOption, OutputOption, output_of
from percorso.cli.progress import ready_log
from percorso.language.words import Words
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
_BREADTH = ("channels", "journeys", "conversion", "matched_conversion", "difference")


def _beside(words: Words) -> tuple[Beside, ...]:
    return (
        Beside("switches", words.text("terminal.channel_switches"), (), dict.fromkeys(("from", "to"), "channel")),
        Beside("breadth", words.text("terminal.channel_breadth"), _BREADTH),
        Beside("conversion_points", words.text("terminal.conversion_points")),
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
    workspace, target, words = workspace_of(ctx), output_of(chosen, output, as_json), words_of(ctx)
    answer = ask_channels(workspace, ChannelsSpec(scope=scope), log=ready_log(workspace))
    notes = (order_note(answer.totals, words), words.text("terminal.contacts_note"))
    write_contacts(
        answer,
        target,
        title=words.text("terminal.channels"),
        columns=_COLUMNS,
        secondary=(
            "unidentified_orders",
            "frequency",
            "new_persons",
            "cost_per_new",
            "median_s",
            "assist first last",
            "cost",
            "journeys",
        ),
        beside=_beside(words),
        notes=notes,
        words=words,
    )
