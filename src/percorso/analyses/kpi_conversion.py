"""KPIs of conversion: from contact to order, and what stands between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.journeys_counts import span_bin
from percorso.analyses.kpi_carts import CART_EVENTS, CHECKOUT_EVENTS, add_carts
from percorso.analyses.kpi_facts import Facts, only_cells
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.outcomes import CONVERTED, old_journeys
from percorso.analyses.select import NO_MASK
from percorso.analyses.survival import CENSORED, HAPPENED, N_KINDS, OTHERWISE
from percorso.events.zones import segments_around
from percorso.kernels.arrays import I32, U8, Bools
from percorso.kernels.kpi_journeys import N_WALKED, W_TO_GOAL, journey_bounds, journey_spans, opened_in, walk_journeys

__all__ = ["KPIS", "ONLINE", "Opened", "add_conversion", "are_old", "opened_journeys", "walked_journeys"]

#: Places where orders are made online.
ONLINE = ("site", "app")

#: How a span ends, by outcome.
_KIND_OF = np.array([CENSORED, HAPPENED, OTHERWISE], np.int64)

KPIS: tuple[Kpi, ...] = (
    Kpi(
        "conversion_rate",
        "conversion",
        "share",
        "up",
        "converted",
        "conversion",
        also="journeys_old",
        missing="no_journeys",
    ),
    Kpi("orders_per_session", "conversion", "ratio", "up", "ratio", "orders_online", "sessions", missing="no_sessions"),
    Kpi("buyers_per_person", "conversion", "share", "up", "share", "buyers", "persons", missing="no_persons"),
    Kpi(
        "average_order_value",
        "conversion",
        "money",
        "up",
        "ratio",
        "revenue_known",
        "orders_known",
        missing="no_orders",
    ),
    Kpi(
        "average_order_value_online",
        "conversion",
        "money",
        "up",
        "ratio",
        "revenue_known_online",
        "orders_known_online",
        missing="no_online_orders",
    ),
    Kpi(
        "average_receipt",
        "conversion",
        "money",
        "up",
        "ratio",
        "revenue_known_store",
        "orders_known_store",
        missing="no_store_orders",
    ),
    Kpi("cart_abandonment", "conversion", "share", "down", "share", "carts_left", "carts", missing="no_carts"),
    Kpi(
        "checkout_abandonment",
        "conversion",
        "share",
        "down",
        "share",
        "checkouts_left",
        "checkouts",
        missing="no_checkouts",
    ),
    Kpi("time_to_convert", "conversion", "duration", "down", "median", "time_to_convert", missing="no_conversions"),
    Kpi("time_to_convert_p90", "conversion", "duration", "down", "p90", "time_to_convert", missing="no_conversions"),
    Kpi(
        "contacts_to_convert",
        "conversion",
        "count",
        "neither",
        "median",
        "contacts_to_convert",
        missing="no_conversions",
    ),
    Kpi(
        "sessions_to_convert",
        "conversion",
        "count",
        "neither",
        "median",
        "sessions_to_convert",
        missing="no_conversions",
    ),
    Kpi(
        "active_days_to_convert",
        "conversion",
        "count",
        "neither",
        "median",
        "active_days_to_convert",
        missing="no_conversions",
    ),
    Kpi(
        "payment_failure",
        "conversion",
        "share",
        "down",
        "share",
        "payments_failed",
        "payments",
        missing="no_payments",
        told_by=("Payment Failed",),
    ),
)


@dataclass(frozen=True, slots=True)
class Opened:
    """Purchase journeys of one bucket that open in a period with an event that is in.

    Parameters
    ----------
    row, person, cell : int32 array, shape (n,)
        Rows of the table `journeys`; whose; where they are counted.
    state : uint8 array, shape (n,)
        Outcome as of the as-of time.
    """

    row: I32
    person: I32
    cell: I32
    state: U8


def _opened(facts: Facts) -> Opened:
    journeys = facts.bucket.table("journeys")
    start, first = journeys.values("start"), journeys.values("first_event")
    row, state = opened_in(
        journeys.values("kind"),
        np.array([name == "purchase" for name in journeys.dictionary("kind")], np.bool_),
        first,
        start,
        journeys.values("goal_time"),
        journeys.values("intent"),
        journeys.values("timeout"),
        NO_MASK if facts.keep is None else facts.keep,
        facts.plan.starts,
        facts.plan.ends,
        facts.as_of_us,
    )
    person = journeys.values("person").take(row)
    return Opened(row, person, facts.cells(start.take(row), first.take(row), person), state)


def opened_journeys(facts: Facts) -> Opened:
    """The journeys of the bucket, made once."""
    return facts.once("opened", lambda: _opened(facts))


def are_old(facts: Facts) -> Bools:
    """Which of them opened their time-out ago or earlier, bool of shape (n,); made once."""
    return facts.once("old", lambda: old_journeys(facts.bucket, facts.as_of_us)[opened_journeys(facts).row])


def walked_journeys(facts: Facts) -> I32:
    """What a walk through the opened journeys tells, int32 of shape (n, N_WALKED); made once."""
    return facts.once("walked", lambda: _walked(facts))


def _walked(facts: Facts) -> I32:
    opened, events, plan = opened_journeys(facts), facts.bucket.events, facts.plan
    journeys = facts.bucket.table("journeys")
    out = np.zeros((len(opened.row), N_WALKED), np.int32)
    if not len(opened.row):
        return out
    journey, contact, session, time, stage = (
        events.values(name) for name in ("journey", "contact", "session", "time", "stage")
    )
    position = {one.key: at for at, one in enumerate(plan.basis.stages.stages)}
    starts = journeys.values("start").take(opened.row)
    of_stage = np.array([position.get(name, -1) for name in events.dictionary("stage")], np.int32)
    inbound, place, channel = facts.whole.once("by number", lambda: _by_number(facts))
    walk_journeys(
        opened.row,
        opened.state,
        *facts.whole.once("bounds", lambda: journey_bounds(journey, len(journeys))),
        journeys.values("goal_event"),
        journey,
        contact,
        session,
        time,
        NO_MASK if facts.keep is None else facts.keep,
        stage,
        of_stage,
        inbound,
        place,
        channel,
        len(plan.places.names.values),
        len(plan.channels.values),
        len(facts.bucket.table("sessions")),
        facts.as_of_us,
        *segments_around(np.append(starts, np.int64(facts.as_of_us)), plan.timezone),
        out,
    )
    return out


def _by_number(facts: Facts) -> tuple[Bools, I32, I32]:
    """By number of contact: did the customer act, and its place and channel (-1: none)."""
    contacts, plan = facts.contacts, facts.plan
    n_numbers = int(contacts.number.max(initial=-1)) + 1
    every = (contacts.inbound, facts.contact_names(plan.places.names), facts.contact_names(plan.channels))
    if facts.keep is None and n_numbers == len(contacts):  # numbered by first event, and all are in
        return every
    inbound, place, channel = (_placed_at(contacts.number, values, n_numbers) for values in every)
    return inbound, place, channel


def _placed_at(number: I32, values: np.ndarray, n_numbers: int) -> np.ndarray:
    """Values of contacts at their numbers; of contacts that are not in, whatever they are, nobody asks."""
    found = np.zeros(n_numbers, values.dtype)
    found[number] = values
    return found


def add_conversion(facts: Facts) -> None:
    """All that the KPIs of conversion need of one bucket."""
    _add_order_values(facts)
    if facts.is_of_nobody:
        return
    _add_journeys(facts)
    add_carts(facts, "carts", CART_EVENTS)
    add_carts(facts, "checkouts", CHECKOUT_EVENTS)
    _add_payments(facts)


def _add_order_values(facts: Facts) -> None:
    orders = facts.orders
    cell = facts.order_cell
    known = only_cells(cell, orders.worth.known)
    value = orders.worth.minor
    for name, mine in (("", None), ("_online", ONLINE), ("_store", ("store",))):
        inside = known if mine is None else only_cells(known, _placed(facts, mine))
        facts.add(f"orders_known{name}", inside, orders.person, row=orders.row)
        facts.add(f"revenue_known{name}", inside, orders.person, value, row=orders.row)
    if not facts.is_of_nobody:
        facts.add_persons("buyers", cell, orders.person)
        facts.add("orders_online", cell, orders.person, only=_placed(facts, ONLINE))


def _placed(facts: Facts, places: tuple[str, ...]) -> Bools:
    """Which orders were made in one of the places."""
    orders = facts.bucket.table("orders")
    of_code = np.array([name in places for name in orders.dictionary("place")], np.bool_)
    codes = orders.values("place")[facts.orders.row]
    found: Bools = of_code[codes] if len(of_code) else np.zeros(len(codes), np.bool_)
    return found


def _add_journeys(facts: Facts) -> None:
    opened, journeys = opened_journeys(facts), facts.bucket.table("journeys")
    span, to_goal = journey_spans(
        opened.row,
        opened.state,
        journeys.values("start"),
        journeys.values("goal_time"),
        journeys.values("intent"),
        journeys.values("timeout"),
        facts.as_of_us,
    )
    facts.add_spans("conversion", opened.cell, span_bin(span) * N_KINDS + _KIND_OF[opened.state])
    facts.add("journeys_old", opened.cell, opened.person, only=are_old(facts))
    bought = np.flatnonzero(opened.state == CONVERTED)
    cell, walked = opened.cell[bought], walked_journeys(facts)[bought].astype(np.int64)
    facts.add_spans("time_to_convert", cell, to_goal[bought])
    for at, name in enumerate(("contacts_to_convert", "sessions_to_convert", "active_days_to_convert"), W_TO_GOAL):
        facts.add_spans(name, cell, np.ascontiguousarray(walked[:, at]))


def _add_payments(facts: Facts) -> None:
    """A payment was attempted where one failed, and where an order was made online."""
    rows = facts.rows_of(("Payment Failed",))
    person = facts.person_of(rows)
    cell = facts.cells(facts.time_of(rows), rows, person)
    facts.add("payments_failed", cell, person)
    orders = facts.orders
    paid = facts.order_cell
    facts.add("payments", paid, orders.person, only=_placed(facts, ONLINE))
    facts.add("payments", cell, person)
