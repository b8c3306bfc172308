"""KPIs of what follows an order: contacts with service, answers, deliveries, returns, loyalty."""

from __future__ import annotations

import numpy as np

from percorso.analyses.kpi_business import THOUSAND
from percorso.analyses.kpi_facts import Facts, only_cells
from percorso.analyses.kpi_terms import Kpi
from percorso.events.zones import days_of
from percorso.journeys.detail_tables import SERVICE_EVENTS
from percorso.kernels.arrays import I32, I64, Bools

__all__ = ["DELIVERY", "LOYALTY", "SERVICE", "add_delivery", "add_loyalty", "add_service", "details_at"]

#: Another contact on the same matter within so long repeats the first.
REPEAT_US = 7 * 86_400_000_000

#: Points that expire within so long after the period are about to.
EXPIRING_US = 90 * 86_400_000_000

_SECOND_US = 1_000_000
_ASKS = ("Message Sent", "Chat Started", "Ticket Opened", "Question Asked", "Complaint Submitted")
_ANSWERS = ("Message Received", "Ticket Resolved")

SERVICE: tuple[Kpi, ...] = (
    Kpi(
        "contact_rate",
        "retention",
        "ratio",
        "down",
        "ratio",
        "order_contacts",
        "orders_of_persons_served",
        missing="no_service",
        told_by=SERVICE_EVENTS,
    ),
    Kpi(
        "repeat_contact",
        "retention",
        "share",
        "down",
        "share",
        "contacts_repeated",
        "service_contacts",
        missing="no_service",
    ),
    Kpi("first_answer", "retention", "duration", "down", "median", "first_answer", missing="no_answers"),
    Kpi("first_answer_p90", "retention", "duration", "down", "p90", "first_answer", missing="no_answers"),
    Kpi("resolution", "retention", "duration", "down", "median", "resolution", missing="no_resolutions"),
    Kpi("resolution_p90", "retention", "duration", "down", "p90", "resolution", missing="no_resolutions"),
)

DELIVERY: tuple[Kpi, ...] = (
    Kpi(
        "return_rate",
        "retention",
        "share",
        "down",
        "share",
        "returned",
        "in_hand",
        missing="no_deliveries",
        told_by=("Order Returned",),
    ),
    Kpi("late_delivery", "retention", "share", "down", "share", "late", "promised", missing="no_promises"),
    Kpi("early_delivery", "retention", "share", "up", "share", "early", "promised", missing="no_promises"),
)

LOYALTY: tuple[Kpi, ...] = (
    Kpi(
        "loyalty_order_share",
        "retention",
        "share",
        "up",
        "ratio",
        "orders_member",
        "orders_any",
        n="orders_member",
        missing="no_members",
    ),
    Kpi(
        "loyalty_value_share",
        "retention",
        "share",
        "up",
        "ratio",
        "revenue_member",
        "revenue_any",
        n="orders_member",
        missing="no_members",
    ),
    *(
        Kpi(
            f"points_{name}",
            "retention",
            "count",
            "neither",
            "total",
            f"points_{name}",
            n=f"n_points_{name}",
            missing="no_points",
            scale=THOUSAND,
        )
        for name in ("earned", "redeemed", "expired", "expiring")
    ),
)

_POINT_EVENTS = {"earned": "Points Earned", "redeemed": "Points Redeemed", "expired": "Points Expired"}


def details_at(facts: Facts, rows: I64 | I32) -> tuple[I64, Bools]:
    """Where the details of some events stand, and which have any."""
    event = facts.bucket.table("details").values("event")
    if not len(event):
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)
    at = np.minimum(np.searchsorted(event, rows), len(event) - 1)
    return at, event[at] == rows


def _detail(facts: Facts, rows: I64 | I32, name: str, otherwise: float) -> np.ndarray:
    """A plain detail of some events."""
    at, has = details_at(facts, rows)
    values = facts.bucket.table("details").values(name)
    found: np.ndarray = np.where(has, values[at], otherwise) if len(values) else np.full(len(rows), otherwise)
    return found


def add_service(facts: Facts) -> None:
    """Contacts with service, by the customer, and how soon they were answered."""
    if facts.is_of_nobody:
        return
    orders = facts.orders
    cell = facts.order_cell
    facts.add("orders_of_persons_served", cell, orders.person)
    rows = _service_contacts(facts)
    if len(rows):
        _add_order_contacts(facts, rows, cell)
        _add_repeats(facts, rows)
    _add_answers(facts)


def _service_contacts(facts: Facts) -> I64:
    """First event of each contact with service in which the customer acted, ascending."""
    events = facts.bucket.events
    rows = facts.rows_of(SERVICE_EVENTS)
    inbound = np.array([name == "inbound" for name in events.dictionary("direction")], np.bool_)
    rows = rows[inbound[events.values("direction")[rows]]]
    contact = events.values("contact")[rows].astype(np.int64)
    # An event without a contact is one of its own.
    key = np.where(contact >= 0, contact, -1 - rows)
    _, first = np.unique(key, return_index=True)
    return np.sort(rows[first])


def _add_order_contacts(facts: Facts, rows: I64, cell: I32) -> None:
    """Contacts about each order, by the order's time."""
    order = facts.bucket.events.values("order")[rows]
    place = np.full(len(facts.bucket.table("orders")) + 1, -1, np.int32)
    place[facts.orders.row] = cell
    of_contact = place[order]  # -1, no order, reads the last entry
    facts.add("order_contacts", of_contact, facts.person_of(rows))


def _add_repeats(facts: Facts, rows: I64) -> None:
    """Contacts at least seven days old, and whether another on the same matter came within seven days."""
    person, time, matter = facts.person_of(rows), facts.time_of(rows), _matters(facts, rows)
    order = np.lexsort((rows, matter, person))
    same = (np.diff(person[order]) == 0) & (np.diff(matter[order]) == 0)
    soon = np.append(same & (np.diff(time[order]) <= REPEAT_US), False)
    repeated = np.zeros(len(rows), np.bool_)
    repeated[order] = soon
    cell = only_cells(facts.cells(time, rows, person), time <= facts.as_of_us - REPEAT_US)
    facts.add("service_contacts", cell, person)
    facts.add("contacts_repeated", cell, person, only=repeated)


def _matters(facts: Facts, rows: I64) -> I64:
    """What each contact is about: its order, else its reason, else the one matter that is not said."""
    order = facts.bucket.events.values("order")[rows].astype(np.int64)
    details = facts.bucket.table("details")
    at, has = details_at(facts, rows)
    reason = np.zeros(len(rows), np.int64)
    if has.any():
        said = np.array(
            [0 if not name else code + 1 for code, name in enumerate(details.dictionary("reason"))], np.int64
        )
        reason = np.where(has, said[details.values("reason")[at]], 0)
    return np.where(order >= 0, order, -1 - reason)


def _add_answers(facts: Facts) -> None:
    """From the first question of a conversation to the first answer, and from a case's opening to its last solution."""
    details = facts.bucket.table("details")
    rows = facts.rows_of((*_ASKS, *_ANSWERS, "Ticket Resolved"))
    at, has = details_at(facts, rows)
    if not has.any():
        return
    talk = np.where(has, details.values("talk")[at], -1)
    manual = details.values("automatic")[at] == 0
    inside = np.flatnonzero(talk >= 0)
    rows, talk, manual = rows[inside], talk[inside], manual[inside]
    asks, answers = facts.is_named(rows, *_ASKS), facts.is_named(rows, *_ANSWERS) & manual
    _add_gap(facts, "first_answer", rows, talk, asks, answers, last=False)
    opened, solved = facts.is_named(rows, "Ticket Opened"), facts.is_named(rows, "Ticket Resolved")
    _add_gap(facts, "resolution", rows, talk, opened, solved, last=True)


def _add_gap(facts: Facts, name: str, rows: I64, talk: I32, begins: Bools, ends: Bools, *, last: bool) -> None:
    """Time from the first event that begins to the first, or the last, that ends after it, in each conversation."""
    size = int(talk.max(initial=-1)) + 1
    begin = np.full(size, -1, np.int64)
    start = np.flatnonzero(begins)[::-1]
    begin[talk[start]] = rows[start]  # backwards, so that the first one stays
    end = np.full(size, -1, np.int64)
    after = np.flatnonzero(ends & (begin[talk] >= 0) & (rows > begin[talk]))
    after = after if last else after[::-1]
    end[talk[after]] = rows[after]
    answered = np.flatnonzero(end >= 0)
    asked, solved = begin[answered], end[answered]
    time = facts.time_of(asked)
    cell = facts.cells(time, asked, facts.person_of(asked))
    facts.add_spans(name, cell, facts.plan.hours.seconds(time, facts.time_of(solved)))


def add_delivery(facts: Facts) -> None:
    """Orders that came into the customer's hands: returned, late, early."""
    if facts.is_of_nobody:
        return
    orders, table = facts.orders, facts.bucket.table("orders")
    delivered, promised, returned = (table.values(name)[orders.row] for name in ("delivered", "promised", "returned"))
    in_store = np.array([name == "store" for name in table.dictionary("place")], np.bool_)
    store = in_store[table.values("place")[orders.row]] if len(in_store) else np.zeros(len(orders), np.bool_)
    arrived = np.where(delivered >= 0, delivered, np.where(store, orders.time_us, -1))
    known = (arrived >= 0) & (arrived <= facts.as_of_us)
    cell = only_cells(facts.cells(arrived, orders.event, orders.person), known)
    facts.add("in_hand", cell, orders.person)
    back = (returned >= 0) & (returned <= facts.as_of_us)
    facts.add("returned", cell, orders.person, only=back)
    kept = np.flatnonzero(known & (delivered >= 0) & (promised >= 0))
    of_kept, person = cell[kept], orders.person[kept]
    day, due = (days_of(times[kept], facts.plan.timezone) for times in (delivered, promised))
    facts.add("promised", of_kept, person)
    facts.add("late", of_kept, person, only=day > due)
    facts.add("early", of_kept, person, only=day < due)


def add_loyalty(facts: Facts) -> None:
    """Orders of members, and points."""
    orders = facts.orders
    cell = facts.order_cell
    facts.add("orders_any", cell, orders.person, row=orders.row)
    facts.add("revenue_any", cell, orders.person, orders.worth.minor, row=orders.row)
    if facts.is_of_nobody:
        return
    member = only_cells(cell, (_detail(facts, orders.event, "member", 0) == 1) | _has_joined(facts))
    facts.add("orders_member", member, orders.person)
    facts.add("revenue_member", member, orders.person, orders.worth.minor)
    _add_points(facts)


def _has_joined(facts: Facts) -> Bools:
    """Which orders are of persons who had joined the programme before."""
    rows = facts.rows_of(("Loyalty Joined",))[::-1]
    joined = np.full(facts.bucket.n_persons, facts.bucket.n_events, np.int64)
    joined[facts.person_of(rows)] = rows
    found: Bools = joined[facts.orders.person] <= facts.orders.event
    return found


def _add_points(facts: Facts) -> None:
    for name, event in _POINT_EVENTS.items():
        rows = facts.rows_of((event,))
        if not len(rows):
            continue
        every = facts.person_of(rows)
        facts.add(f"told_points_{name}", facts.cells(facts.time_of(rows), rows, every), every)
        points = _detail(facts, rows, "points", np.nan)
        known = np.flatnonzero(~np.isnan(points))
        rows, weight = rows[known], np.rint(np.abs(points[known]) * THOUSAND).astype(np.int64)
        person, time = facts.person_of(rows), facts.time_of(rows)
        cell = facts.cells(time, rows, person)
        facts.add(f"points_{name}", cell, person, weight)
        facts.add(f"n_points_{name}", cell, person)
        if name == "earned":
            _add_expiring(facts, rows, person, weight)


def _add_expiring(facts: Facts, rows: I64, person: I32, weight: I64) -> None:
    """Points that expire soon after the end of each period, as told when they were earned."""
    expires, time = _detail(facts, rows, "expires", -1).astype(np.int64), facts.time_of(rows)
    for start, end in zip(facts.plan.starts.tolist(), facts.plan.ends.tolist(), strict=True):
        soon = (time < end) & (expires >= end) & (expires < end + EXPIRING_US)
        # Of the whole past: the period's own instant says which cell it is.
        cell = only_cells(facts.cells(np.full(len(rows), start, np.int64), rows, person), soon)
        facts.add("points_expiring", cell, person, weight)
        facts.add("n_points_expiring", cell, person)
