"""`percorso places`: where contacts happen, and how journeys go between them."""

from __future__ import annotations

import typer

from percorso.analyses.places import PlacesSpec
from percorso.analyses.spec import Scope
from percorso.cli.contacts import REACH_AND_ROLE, Beside, write_contacts
from percorso.cli.context import words_of
from percorso.cli.options import answer_of, asking, scope_of
from percorso.cli.output import Output, writing
from percorso.language.words import Words
from percorso.services.places import ask_places

__all__ = ["register"]

_COLUMNS = ("place", *REACH_AND_ROLE)
_BREADTH = ("journeys", "conversion", "matched_conversion", "difference")
_ROPO = ("way", "orders", "known", "researched", "share", "share_of_known", "researched_value")


def _beside(words: Words) -> tuple[Beside, ...]:
    return (
        Beside("switches", words.text("terminal.place_switches"), (), dict.fromkeys(("from", "to"), "place")),
        Beside("breadth", words.text("terminal.place_breadth"), ("places", *_BREADTH)),
        Beside("ropo", words.text("terminal.ropo"), _ROPO),
        Beside("devices", words.text("terminal.device_moves"), (), dict.fromkeys(("from", "to"), "device")),
        Beside("device_breadth", words.text("terminal.device_breadth"), ("devices", *_BREADTH)),
        Beside("conversion_points", words.text("terminal.conversion_points")),
    )


def register(app: typer.Typer) -> None:
    """Add `places` to the command line."""
    app.command("places")(places)


@asking(scope_of)
@writing
def places(ctx: typer.Context, scope: Scope, target: Output) -> None:
    """Where contacts happen: site, app, store, phone; how journeys go between them, and where they end.

    Example: percorso places --where "person.country = IT"
    """
    words = words_of(ctx)
    write_contacts(
        answer_of(ctx, ask_places, PlacesSpec(scope=scope)),
        target,
        title=words.text("terminal.places"),
        columns=_COLUMNS,
        secondary=("frequency", "new_persons", "median_s", "assist first last", "journeys", "share", "contacts"),
        beside=_beside(words),
        note=words.text("terminal.contacts_note"),
        words=words,
    )
