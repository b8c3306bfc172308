"""KPIs of conversion: from contact to order, and what stands between."""

from __future__ import annotations

import numpy as np

from percorso.analyses.journeys_counts import LENGTHS, span_bin
from percorso.analyses.kpi_carts import CART_EVENTS, CHECKOUT_EVENTS, add_carts
from percorso.analyses.kpi_facts import Facts, only_cells
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.outcomes import ABANDONED, CONVERTED, NOT_PURCHASE, purchase_outcomes
from percorso.analyses.select import NO_MASK
from percorso.analyses.survival import CENSORED, HAPPENED, N_KINDS, OTHERWISE
from percorso.events.zones import segments_around
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.journey_measures import N_MEASURES, measure_journeys, rows_of_journeys
from percorso.kernels.kpi_sums import periods_of

__all__ = ["KPIS", "ONLINE", "Opened", "add_conversion", "opened_journeys"]

#: Places where orders are made online.
ONLINE = ("site", "app")

_SECOND_US = 1_000_000

KPIS: tuple[Kpi, ...] = (
    Kpi("conversion_rate", "conversion", "share", "up", "converted", "conversion", missing="no_journeys"),
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


class Opened:
    """Purchase journeys of one bucket that open in a period, by the event that opened them, and when that was.

    Attributes
    ----------
    row : int64 array, shape (n,)
        Rows of the table `journeys`.
    person, first, cell : int32 array, shape (n,)
        Whose; the event that opened it.
    state : uint8 array, shape (n,)
        Outcome as of the as-of time.
    start_us : int64 array, shape (n,)
    """

    __slots__ = ("cell", "first", "person", "row", "start_us", "state")

    def __init__(self, facts: Facts) -> None:
        journeys = facts.bucket.table("journeys")
        start, first = journeys.values("start"), journeys.values("first_event")
        state = purchase_outcomes(facts.bucket, facts.as_of_us)
        wanted = (state != NOT_PURCHASE) & (first >= 0) & (start <= facts.as_of_us)
        if facts.keep is not None and len(first):
            wanted &= facts.keep[np.maximum(first, 0)] != 0
        wanted &= periods_of(start, facts.plan.starts, facts.plan.ends) >= 0
        row: I64 = np.flatnonzero(wanted)
        self.row = row
        self.person: I32 = journeys.values("person")[row]
        self.state: U8 = state[row]
        self.start_us: I64 = start[row]
        self.first: I32 = first[row]
        self.cell = facts.cells(self.start_us, self.first, self.person)


def opened_journeys(facts: Facts) -> Opened:
    """The journeys of the bucket, made once."""
    if "opened" not in facts.shared:
        facts.shared["opened"] = Opened(facts)
    found = facts.shared["opened"]
    assert isinstance(found, Opened)
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
    row, state, start = opened.row, opened.state, opened.start_us
    goal = journeys.values("goal_time")[row]
    given_up = journeys.values("intent")[row] + journeys.values("timeout")[row]
    until = np.where(state == CONVERTED, goal, np.where(state == ABANDONED, given_up, facts.as_of_us))
    kind = np.where(state == CONVERTED, HAPPENED, np.where(state == ABANDONED, OTHERWISE, CENSORED))
    facts.add_spans("conversion", opened.cell, span_bin(until - start) * N_KINDS + kind)
    converted = only_cells(opened.cell, state == CONVERTED)
    facts.add_spans("time_to_convert", converted, np.maximum(goal - start, 0) // _SECOND_US)
    bought = np.flatnonzero(state == CONVERTED)
    measures, cell = _measures(facts, row[bought])[row[bought]], converted[bought]
    for name in ("contacts_to_convert", "sessions_to_convert", "active_days_to_convert"):
        facts.add_spans(name, cell, measures[:, LENGTHS.index(name)].astype(np.int64))


def _measures(facts: Facts, row: I64) -> I32:
    """How long some journeys are, as `journeys` measures it, int32 of shape (n_journeys, N_MEASURES); 0 of others."""
    bucket, events = facts.bucket, facts.bucket.events
    n = len(bucket.table("journeys"))
    out = np.zeros((n, N_MEASURES), np.int32)
    if not len(row):
        return out
    chosen, persons = np.zeros(n, np.uint8), np.zeros(bucket.n_persons, np.uint8)
    chosen[row] = 1
    persons[bucket.table("journeys").values("person")[row]] = 1
    rows, offsets = rows_of_journeys(bucket.offsets(), persons, events.values("journey"), chosen)
    if not len(rows):
        return out
    time, contact, session = (events.values(name) for name in ("time", "contact", "session"))
    measure_journeys(
        offsets,
        rows,
        time,
        NO_MASK if facts.keep is None else facts.keep,
        contact,
        session,
        bucket.table("journeys").values("goal_event"),
        facts.as_of_us,
        *segments_around(time[rows], facts.plan.timezone),
        int(contact[rows].max(initial=-1)) + 1,
        int(session[rows].max(initial=-1)) + 1,
        out,
    )
    return out


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
