"""Touchpoints in one bucket: events, contacts, journeys and orders by touchpoint."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.codes import GlobalCodes
from percorso.analyses.contact_counts import OrdersBy, active_in, count_orders_by
from percorso.analyses.contact_plan import ContactPlan, add_at, codes_at, group_at, journey_base, journey_states
from percorso.analyses.contacts import inbound_values
from percorso.analyses.conversion_points import Points, count_points
from percorso.analyses.orders_in import orders_in
from percorso.analyses.outcomes import ABANDONED
from percorso.analyses.select import NO_MASK, ScopePlan, select_events
from percorso.analyses.worth import Missing
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.contact_counts import N_COUNTS, count_contacts
from percorso.kernels.contact_roles import N_ROLES, count_roles, distinct_in_groups
from percorso.kernels.paths import person_of_event
from percorso.kernels.touchpoints import count_events, journey_ends
from percorso.store.journey_log import Bucket

__all__ = [
    "JourneyEnds",
    "Pairs",
    "TouchpointCounts",
    "count_touchpoints",
    "end_cells",
    "ends_of",
    "names_of_events",
    "no_touchpoints",
    "own_orders",
    "pairs_of",
    "present_in",
]

_LATEST = int(np.iinfo(np.int64).max)
_NO_POINTS = Points()


@dataclass(frozen=True, slots=True)
class TouchpointCounts:
    """Counts of cells; arrays of shape (n_cells, ...), int64.

    ``contacts``: as of `count_contacts`; ``directions``, ``places``, ``stages``: events by each; ``measured``,
    ``time_us``: contacts with a known time at the touchpoint, and its sum; ``roles``: ROLES; ``journeys``: by outcome,
    of shape (3,); ``exits``: abandoned journeys that end there; orders, value and orders without value: of its events.
    """

    contacts: I64
    directions: I64
    places: I64
    stages: I64
    measured: I64
    time_us: I64
    roles: I64
    journeys: I64
    exits: I64
    orders: I64
    value: I64
    valueless: I64
    points: Points = _NO_POINTS
    durations: tuple[tuple[int, tuple[I32, I64]], ...] = ()
    missing: tuple[Missing, ...] = ()
    active: int = 0
    first_us: int = _LATEST

    def merge(self, other: TouchpointCounts) -> TouchpointCounts:
        merged: dict[str, Any] = {}
        for part in fields(self):
            one, two = getattr(self, part.name), getattr(other, part.name)
            merged[part.name] = one.merge(two) if part.name == "points" else one + two
        return TouchpointCounts(**{**merged, "first_us": min(self.first_us, other.first_us)})


@dataclass(frozen=True, slots=True)
class Pairs:
    """Each touchpoint of each contact: the event with which it begins there, its cell and person."""

    row: I32
    cell: I32
    person: I32


@dataclass(frozen=True, slots=True)
class JourneyEnds:
    """Journeys of one bucket: state, last event that counts, first cells, and the events that begin and end them."""

    state: U8
    last_row: I32
    base: I32
    first: I32
    last: I32


def no_touchpoints(n_cells: int, n_places: int, n_stages: int) -> TouchpointCounts:
    """Nothing counted yet."""
    contacts, directions, places, stages, roles = (
        np.zeros((n_cells, width), np.int64) for width in (N_COUNTS, 2, n_places, n_stages, N_ROLES)
    )
    measured, time_us, exits, orders, value, valueless = (np.zeros(n_cells, np.int64) for _ in range(6))
    journeys = np.zeros(3, np.int64)
    return TouchpointCounts(
        contacts, directions, places, stages, measured, time_us, roles, journeys, exits, orders, value, valueless
    )


def count_touchpoints(
    plan: ContactPlan, bucket: Bucket, basis: Basis, places: GlobalCodes, stages: GlobalCodes
) -> TouchpointCounts:
    """What one bucket of persons adds."""
    empty = no_touchpoints(plan.n_cells, len(places.values), len(stages.values))
    name, inbound = names_of_events(plan, bucket), _inbound(bucket)
    cell, keep = _cells(plan, bucket, name, plan.scope)
    place, stage = (codes.lut(bucket).take(bucket.events.values(codes.column)) for codes in (places, stages))
    count_events(cell, inbound, place, stage, empty.directions, empty.places, empty.stages)
    pairs = pairs_of(plan, bucket, cell)
    count_contacts(pairs.cell, pairs.person, inbound[pairs.row], empty.contacts)
    timed = _durations(bucket, cell, plan.n_cells)
    ends = ends_of(plan, bucket)
    _count_journeys(plan, bucket, name, ends, empty)
    bought = own_orders(plan, bucket, basis)
    time = bucket.events.values("time")
    first = int(time[pairs.row].min(initial=_LATEST))
    orders, value, valueless = count_orders_by(bought, plan.n_cells)
    return TouchpointCounts(
        empty.contacts,
        empty.directions,
        empty.places,
        empty.stages,
        np.bincount(timed[0], minlength=plan.n_cells).astype(np.int64),
        add_at(plan.n_cells, *timed),
        empty.roles,
        np.bincount(ends.state[ends.first >= 0], minlength=3).astype(np.int64),
        _exits(plan, name, ends),
        orders,
        value,
        valueless,
        count_points(bucket, bought),
        ((bucket.index, timed),),
        bought.orders.worth.missing,
        int(active_in(plan, bucket).sum()) if keep is not None else bucket.n_persons,
        first,
    )


def names_of_events(plan: ContactPlan, bucket: Bucket) -> I32:
    """Global code of every event's touchpoint."""
    names: I32 = plan.names.lut(bucket).take(bucket.events.values(plan.names.column))
    return names


def _inbound(bucket: Bucket) -> Bools:
    found: Bools = inbound_values(bucket).take(bucket.events.values("direction"))
    return found


def _cells(plan: ContactPlan, bucket: Bucket, name: I32, scope: ScopePlan) -> tuple[I32, U8 | None]:
    """Cell of every event, -1 where it is out; and the mask that says so."""
    keep = select_events(scope, bucket).dense()
    cell = name
    if plan.by is not None:
        person = np.empty(bucket.n_events, np.int32)
        person_of_event(bucket.offsets(), person)
        rows = np.arange(bucket.n_events, dtype=np.int32)
        cell = name + group_at(plan, bucket, rows, person) * np.int32(plan.n_names)
    return cell if keep is None else np.where(keep != 0, cell, np.int32(-1)), keep


def pairs_of(plan: ContactPlan, bucket: Bucket, cell: I32 | None = None) -> Pairs:
    """The different touchpoints of each contact in the period."""
    if cell is None:
        cell, _ = _cells(plan, bucket, names_of_events(plan, bucket), plan.scope)
    contact = bucket.events.values("contact")
    row, _ = distinct_in_groups(contact, cell, NO_MASK, NO_MASK, int(contact.max(initial=-1)) + 1, plan.n_cells)
    person = np.empty(bucket.n_events, np.int32)
    person_of_event(bucket.offsets(), person)
    return Pairs(row, cell[row], person[row])


def _durations(bucket: Bucket, cell: I32, n_cells: int) -> tuple[I32, I64]:
    """Cell and µs of each contact whose events at the touchpoint tell a duration: the longest of them."""
    nothing = np.zeros(0, np.int32), np.zeros(0, np.int64)
    if "details" not in bucket.meta["files"] or "duration_s" not in bucket.table("details").names:
        return nothing
    details = bucket.table("details")
    seconds = details.arrow("duration_s").to_numpy(zero_copy_only=False).astype(np.float64)
    event = details.values("event")
    contact = bucket.events.values("contact")[event].astype(np.int64)
    told = np.flatnonzero(~np.isnan(seconds) & (seconds >= 0) & (contact >= 0) & (cell[event] >= 0))
    if not len(told):
        return nothing
    duration = np.rint(seconds[told] * 1e6).astype(np.int64)
    keys, at = np.unique(contact[told] * n_cells + cell[event[told]], return_inverse=True)
    longest = np.zeros(len(keys), np.int64)
    np.maximum.at(longest, at, duration)
    return (keys % n_cells).astype(np.int32), longest


def ends_of(plan: ContactPlan, bucket: Bucket) -> JourneyEnds:
    """With which inbound events the purchase journeys begin and end that open in the period."""
    state, last_row = journey_states(plan, bucket)
    keep = select_events(plan.whole, bucket).dense()
    first, last = np.empty(len(state), np.int32), np.empty(len(state), np.int32)
    journey_ends(
        bucket.events.values("journey"),
        NO_MASK if keep is None else keep,
        bucket.events.values("direction"),
        inbound_values(bucket),
        state,
        last_row,
        first,
        last,
    )
    return JourneyEnds(state, last_row, journey_base(plan, bucket), first, last)


def present_in(plan: ContactPlan, bucket: Bucket, name: I32 | None = None) -> tuple[I32, I64]:
    """The different touchpoints of each journey: first row of each, and where each journey's begin."""
    keep = select_events(plan.whole, bucket).dense()
    names = names_of_events(plan, bucket) if name is None else name
    n_journeys = len(bucket.table("journeys"))
    mask = NO_MASK if keep is None else keep
    row, offsets = distinct_in_groups(bucket.events.values("journey"), names, mask, NO_MASK, n_journeys, plan.n_names)
    return row, offsets


def end_cells(ends: JourneyEnds, name: I32, row: I32) -> I32:
    """Cells of some events of the journeys; -1 where there is none."""
    return np.where(row >= 0, ends.base + name[row], np.int32(-1)) if len(name) else np.zeros(0, np.int32)


def _count_journeys(plan: ContactPlan, bucket: Bucket, name: I32, ends: JourneyEnds, into: TouchpointCounts) -> None:
    row, offsets = present_in(plan, bucket, name)
    first, last = end_cells(ends, name, ends.first), end_cells(ends, name, ends.last)
    count_roles(offsets, name[row], row, ends.last_row, ends.state, ends.base, first, last, into.roles)


def _exits(plan: ContactPlan, name: I32, ends: JourneyEnds) -> I64:
    abandoned = (ends.state == ABANDONED) & (ends.first >= 0)
    return np.bincount(end_cells(ends, name, ends.last)[abandoned], minlength=plan.n_cells).astype(np.int64)


def own_orders(plan: ContactPlan, bucket: Bucket, basis: Basis) -> OrdersBy:
    """Orders of a bucket by the touchpoint of the order itself; of nobody they are of no group of persons (-1)."""
    orders = orders_in(plan.scope, bucket, basis)
    name = codes_at(plan.names, bucket, orders.event)
    if not bucket.n_persons and plan.by is not None and plan.by.table == "persons":
        return OrdersBy(orders, np.full(len(orders), -1, np.int32))
    cell = name + group_at(plan, bucket, orders.event, orders.person) * np.int32(plan.n_names)
    return OrdersBy(orders, cell.astype(np.int32))
