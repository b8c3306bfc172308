"""`percorso places`: where contacts happen, and how journeys go between them."""

from __future__ import annotations

import typer

from percorso.analyses.places import PlacesSpec
from percorso.analyses.spec import Scope
from percorso.cli.contacts import Beside, contact_scope, order_note, write_contacts
from percorso.cli.context import workspace_of
from percorso.cli.options import asking
from percorso.cli.output import FormatOption, JsonOption, OutputOption, output_of
from percorso.cli.progress import ready_log
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
_BESIDE = (
    Beside("switches", "From one place to another"),
    Beside("breadth", "Journeys by the number of their places", ("places", *_BREADTH)),
    Beside(
        "ropo",
        "Research here, buy there",
        ("way", "orders", "known", "researched", "share", "share_of_known", "researched_value"),
    ),
    Beside("devices", "From one device to another"),
    Beside("device_breadth", "Journeys by the number of their devices", ("devices", *_BREADTH)),
    Beside("conversion_points", "Where orders happen"),
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
    workspace, target = workspace_of(ctx), output_of(chosen, output, as_json)
    answer = ask_places(workspace, PlacesSpec(scope=scope), log=ready_log(workspace))
    notes = (order_note(answer.totals), "–: not measured. first, last, assist: purchase journeys.")
    write_contacts(
        answer,
        target,
        title="Places",
        columns=_COLUMNS,
        secondary=("unidentified_orders", "frequency", "new_persons", "median_s", "assist first last"),
        beside=_BESIDE,
        notes=notes,
    )
