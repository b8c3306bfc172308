"""`percorso channels`: what brings contacts, and what they are worth."""

from __future__ import annotations

import typer

from percorso.analyses.channels import ChannelsSpec
from percorso.analyses.spec import Scope
from percorso.cli.contacts import REACH_AND_ROLE, Beside, write_contacts
from percorso.cli.context import words_of
from percorso.cli.options import answer_of, asking, scope_of
from percorso.cli.output import Output, writing
from percorso.language.words import Words
from percorso.services.channels import ask_channels

__all__ = ["register"]

_COLUMNS = ("channel", *REACH_AND_ROLE, "cost", "cost_per_new")
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


@asking(scope_of)
@writing
def channels(ctx: typer.Context, scope: Scope, target: Output) -> None:
    """What brings contacts: whom each channel reaches, and what it is in the journeys that buy.

    Example: percorso channels --from 2024-01-01 --to 2024-03-31
    """
    words = words_of(ctx)
    write_contacts(
        answer_of(ctx, ask_channels, ChannelsSpec(scope=scope)),
        target,
        title=words.text("terminal.channels"),
        columns=_COLUMNS,
        secondary=(
            "frequency",
            "new_persons",
            "cost_per_new",
            "median_s",
            "assist first last",
            "cost",
            "journeys",
            "share",
            "contacts",
        ),
        beside=_beside(words),
        note=words.text("terminal.contacts_note"),
        words=words,
    )
