"""`percorso places`: where contacts happen, and how journeys go between them."""

from __future__ import annotations

import typer

from percorso.analyses.places import PlacesSpec
from percorso.analyses.spec import Scope
from percorso.cli.contacts import Beside, contact_scope, order_note, write_contacts
from percorso.cli.context import words_of, workspace_of
from percorso.cli.options import asking
from percorso.cli.output import FormatOption, JsonOption, OutputOption, output_of
from percorso.cli.progress import ready_log
from percorso.language.words import Words
from percorso.services.places import ask_places

__all__ = ["register"]

_COLUMNS = (
    "place",
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
)
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


@asking(contact_scope)
def places(
    ctx: typer.Context,
    scope: Scope,
    chosen: FormatOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Where contacts happen: site, app, store, phone; how journeys go between them, and where they end.

    Example: percorso places --where "person.country = IT"
    """
    workspace, target, words = workspace_of(ctx), output_of(chosen, output, as_json), words_of(ctx)
    answer = ask_places(workspace, PlacesSpec(scope=scope), log=ready_log(workspace))
    notes = (order_note(answer.totals, words), words.text("terminal.contacts_note"))
    write_contacts(
        answer,
        target,
        title=words.text("terminal.places"),
        columns=_COLUMNS,
        secondary=("unidentified_orders", "frequency", "new_persons", "median_s", "assist first last", "journeys"),
        beside=_beside(words),
        notes=notes,
        words=words,
    )
