"""KPIs of purchase journeys: how far they get, how they move between places and channels, and how long they are."""

from __future__ import annotations

import numpy as np

from percorso.analyses.codes import GlobalCodes
from percorso.analyses.contact_moves import SIZE_STARTS
from percorso.analyses.contact_plan import ContactsBy
from percorso.analyses.contact_roles import JourneyContacts, journey_contacts, names_at
from percorso.analyses.kpi_conversion import opened_journeys
from percorso.analyses.kpi_facts import Facts
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.outcomes import CONVERTED
from percorso.kernels.arrays import I32, I64, Bools
from percorso.kernels.contact_roles import contact_moves
from percorso.kernels.stages import furthest_stages

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
    Kpi("progression_1", "stages", "share", "up", "share", "passed_1", "stood_1", missing="no_journeys"),
    Kpi("progression_2", "stages", "share", "up", "share", "passed_2", "stood_2", missing="no_journeys"),
    Kpi("progression_3", "stages", "share", "up", "share", "passed_3", "stood_3", missing="no_journeys"),
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


def add_stages(facts: Facts) -> None:
    """How far the purchase journeys of one bucket get, and praise after orders."""
    if facts.is_of_nobody:
        return
    opened, model = opened_journeys(facts), facts.plan.basis.stages
    position = {stage.key: at for at, stage in enumerate(model.stages)}
    events = facts.bucket.events
    reached = _reached(facts, position)[opened.row]
    first = _positions(position, events.dictionary("stage"))[events.values("stage")[opened.first]]
    facts.add("opened", opened.cell, opened.person)
    consider, convert = model.stage_of("consider"), model.stage_of("convert")
    facts.add("considered", opened.cell, opened.person, only=reached >= consider)
    converted = opened.state == CONVERTED
    limits = ((0, reached > 0), (consider, reached > consider), (convert, converted))
    for number, (stage, passed) in enumerate(limits, start=1):
        stood = (first <= stage) & (reached >= stage)
        facts.add(f"stood_{number}", opened.cell, opened.person, only=stood)
        facts.add(f"passed_{number}", opened.cell, opened.person, only=stood & passed)
    orders = facts.orders
    cell = facts.order_cell
    praised = _praised(facts)[orders.row]
    facts.add("orders_of_persons", cell, orders.person)
    facts.add("advocated", cell, orders.person, only=praised)


def _reached(facts: Facts, position: dict[str, int]) -> I32:
    """Position of the furthest stage of each journey by the as-of time, int32 of shape (n_journeys,)."""
    journeys, events = facts.bucket.table("journeys"), facts.bucket.events
    if not facts.is_earlier:
        furthest: I32 = _positions(position, journeys.dictionary("stage_reached"))[journeys.values("stage_reached")]
        return furthest
    return furthest_stages(
        events.values("journey"),
        events.values("stage"),
        _positions(position, events.dictionary("stage")),
        events.values("time"),
        facts.as_of_us,
        len(journeys),
    )


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


def _positions(position: dict[str, int], names: tuple[str, ...]) -> I32:
    return np.array([position.get(name, -1) for name in names], np.int32)


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
    plan = facts.plan
    nothing = np.empty(0, np.int32)
    found = ContactsBy(facts.contacts, nothing, nothing)  # journeys ask for contacts alone
    opened = opened_journeys(facts)
    of = journey_contacts(plan.places, facts.bucket, found, only=opened.row)
    ways = (("place", "moves", "placed", plan.places.names), ("channel", "channel_moves", "channelled", plan.channels))
    for name, moves, several, codes in ways:
        contacts, changes, widths = (
            each[opened.row].astype(np.int64) for each in _moved(of, names_at(codes, facts.bucket, found, of), codes)
        )
        facts.add(f"{name}_switches", opened.cell, opened.person, changes)
        facts.add(moves, opened.cell, opened.person, np.maximum(contacts - 1, 0))
        facts.add(several, opened.cell, opened.person, only=contacts > 0)
        facts.add(f"several_{name}s", opened.cell, opened.person, only=widths > 1)
        if name == "place":
            size = np.searchsorted(SIZE_STARTS, contacts, side="right") - 1
            key = (np.minimum(widths, 3) * len(SIZE_STARTS) + size) * 2 + (opened.state == CONVERTED)
            facts.add_spans("breadth", opened.cell, key, only=contacts > 0)


def _moved(of: JourneyContacts, names: I32, codes: GlobalCodes) -> tuple[I32, I32, I32]:
    """Inbound contacts of each journey, its changes from one to the next, and its different names."""
    n = len(of.state)
    keys: I64 = np.empty(len(of.row), np.int64)
    contacts, changes, widths = (np.zeros(n, np.int32) for _ in range(3))
    contact_moves(
        of.offsets, names, of.inbound, of.row, of.last_row, of.state, len(codes.values), keys, contacts, changes, widths
    )
    return contacts, changes, widths
