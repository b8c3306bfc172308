"""KPIs of purchase journeys: how far they get, how they move between places and channels, and how long they are."""

from __future__ import annotations

import numpy as np

from percorso.analyses.contact_moves import SIZE_STARTS
from percorso.analyses.kpi_conversion import are_old, opened_journeys, walked_journeys
from percorso.analyses.kpi_facts import Facts
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.outcomes import OPEN
from percorso.kernels.arrays import Bools
from percorso.kernels.kpi_journeys import W_STAGES, moves_of, progress_of

__all__ = ["ACROSS", "CONSIDERATION", "MICRO", "STAGES", "add_across", "add_micro", "add_stages"]

#: What customers do on the way, and the events that say so.
MICRO_EVENTS = {
    "newsletter": ("Newsletter Subscribed",),
    "sign_up": ("Signed Up",),
    "download": ("Content Downloaded",),
    "video": ("Video Started",),
    "wish_list": ("Product Added to Wishlist",),
}

CONSIDERATION: tuple[Kpi, ...] = (
    Kpi("consideration_rate", "consideration", "share", "up", "share", "considered", "opened", missing="no_journeys"),
)

MICRO: tuple[Kpi, ...] = tuple(
    kpi
    for name, events in MICRO_EVENTS.items()
    for kpi in (
        Kpi(f"{name}_persons", "consideration", "count", "up", "total", name, missing="no_micro", told_by=events),
        Kpi(
            f"{name}_rate",
            "consideration",
            "share",
            "up",
            "share",
            name,
            "persons",
            missing="no_micro",
            told_by=events,
        ),
    )
)

STAGES: tuple[Kpi, ...] = (
    Kpi("progression_1", "stages", "share", "up", "share", "passed_1", "stood_1", missing="none_stood"),
    Kpi("progression_2", "stages", "share", "up", "share", "passed_2", "stood_2", missing="none_stood"),
    Kpi("progression_3", "stages", "share", "up", "share", "passed_3", "stood_3", missing="none_stood"),
    Kpi(
        "progression_4",
        "stages",
        "share",
        "up",
        "share",
        "advocated",
        "orders_of_persons",
        missing="no_praise",
        told_by=("Product Reviewed", "Referral Sent", "Referral Converted", "Product Shared", "Content Published"),
    ),
)


def _breadth(key: str, places: int, *, matched: bool = False) -> Kpi:
    also = "matched" if matched else ""
    return Kpi(
        key,
        "across",
        "points" if matched else "share",
        "up",
        "breadth",
        "breadth",
        "breadth_old",
        also=also,
        missing="no_match" if matched else "no_closed",
        days=places,
    )


ACROSS: tuple[Kpi, ...] = (
    Kpi("place_switch_rate", "across", "share", "neither", "ratio", "place_switches", "moves", missing="one_contact"),
    Kpi(
        "channel_switch_rate",
        "across",
        "share",
        "neither",
        "ratio",
        "channel_switches",
        "channel_moves",
        missing="one_contact",
    ),
    Kpi("multi_place_share", "across", "share", "neither", "share", "several_places", "placed", missing="no_journeys"),
    Kpi(
        "multi_channel_share",
        "across",
        "share",
        "neither",
        "share",
        "several_channels",
        "channelled",
        missing="no_journeys",
    ),
    _breadth("conversion_one_place", 1),
    _breadth("conversion_two_places", 2),
    _breadth("conversion_three_places", 3),
    _breadth("two_places_gain", 2, matched=True),
    _breadth("three_places_gain", 3, matched=True),
)


#: Column of `walk_journeys` with the number of places, and from how many on they count as one class.
W_PLACES, MOST_PLACES = 2, 3

#: Sums of journeys, as `progress_of` and `moves_of` have them.
_PROGRESS = ("opened", "considered", "stood_1", "passed_1", "stood_2", "passed_2", "stood_3", "passed_3")
_MOVES = (
    *("place_switches", "moves", "placed", "several_places"),
    *("channel_switches", "channel_moves", "channelled", "several_channels"),
)


def add_stages(facts: Facts) -> None:
    """How far the purchase journeys of one bucket get, and praise after orders."""
    if facts.is_of_nobody:
        return
    opened, model = opened_journeys(facts), facts.plan.basis.stages
    stages = np.ascontiguousarray(walked_journeys(facts)[:, W_STAGES])
    values = progress_of(opened.state, stages, model.stage_of("consider"), model.stage_of("convert"))
    facts.add_columns(_PROGRESS, opened.cell, opened.person, values)
    orders = facts.orders
    cell = facts.order_cell
    praised = _praised(facts)[orders.row]
    facts.add("orders_of_persons", cell, orders.person)
    facts.add("advocated", cell, orders.person, only=praised)


def _praised(facts: Facts) -> Bools:
    """Orders that were followed by praise by the as-of time, bool of shape (n_orders,)."""
    orders, events = facts.bucket.table("orders"), facts.bucket.events
    praised: Bools = orders.values("advocated") != 0
    names = events.dictionary("signal")
    if not facts.is_earlier or "advocate" not in names:
        return praised
    rows = np.flatnonzero(events.values("signal") == names.index("advocate"))
    rows = rows[events.values("time")[rows] <= facts.as_of_us]
    by_then = np.zeros(len(facts.bucket.table("journeys")) + 1, np.bool_)
    by_then[events.values("journey")[rows]] = True
    by_then[-1] = False
    found: Bools = praised & by_then[orders.values("journey")]
    return found


def add_micro(facts: Facts) -> None:
    """Persons who subscribed, signed up, downloaded, watched or wished for something."""
    for name, events in MICRO_EVENTS.items():
        rows = facts.rows_of(events)
        if len(rows):
            person = facts.person_of(rows)
            facts.add_persons(name, facts.cells(facts.time_of(rows), rows, person), person)


def add_across(facts: Facts) -> None:
    """Moves of the purchase journeys of one bucket between places and between channels."""
    if facts.is_of_nobody:
        return
    opened, walked = opened_journeys(facts), walked_journeys(facts)
    values, breadth = moves_of(walked, opened.state, np.array(SIZE_STARTS, np.int64))
    facts.add_columns(_MOVES, opened.cell, opened.person, values)
    # How open ones end is not known: they would count as lost.
    closed = (walked[:, 0] > 0) & (opened.state != OPEN)
    facts.add_spans("breadth", opened.cell, breadth, only=closed)
    places = np.minimum(walked[:, W_PLACES], MOST_PLACES).astype(np.int64)
    facts.add_spans("breadth_old", opened.cell, places, only=closed & are_old(facts))
