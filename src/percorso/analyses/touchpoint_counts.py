"""Touchpoints in one bucket: events, contacts, journeys and orders by touchpoint."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.codes import GlobalCodes
from percorso.analyses.contact_counts import OrdersBy, active_in, count_orders_by
from percorso.analyses.contact_plan import ContactPlan, add_at, codes_at, group_at, journey_base, journey_states
from percorso.analyses.contacts import inbound_values
from percorso.analyses.conversion_points import Points, count_points
from percorso.analyses.kept import Kept
from percorso.analyses.orders_in import orders_in
from percorso.analyses.outcomes import old_journeys
from percorso.analyses.select import NO_MASK, select_events
from percorso.analyses.worth import Missing
from percorso.kernels.arrays import I32, I64, U8
from percorso.kernels.contact_counts import N_COUNTS
from percorso.kernels.contact_roles import N_ROLES, distinct_in_groups
from percorso.kernels.kpi_journeys import journey_bounds
from percorso.kernels.kpi_sums import persons_of
from percorso.kernels.paths import person_of_event
from percorso.kernels.touchpoints import count_touches, journey_ends, journey_touches
from percorso.store.journey_log import Bucket

__all__ = [
    "JourneyEnds",
    "Pairs",
    "TouchpointCounts",
    "count_touchpoints",
    "durations_in",
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


def durations_in(plan: ContactPlan, bucket: Bucket) -> tuple[I32, I64]:
    """Cell and µs of each contact whose events at the touchpoint tell a duration: the longest of them."""
    return _durations(plan, bucket, select_events(plan.scope, bucket).dense())


def count_touchpoints(
    plan: ContactPlan,
    bucket: Bucket,
    basis: Basis,
    places: GlobalCodes,
    stages: GlobalCodes,
    durations: Kept[tuple[I32, I64]],
) -> TouchpointCounts:
    """What one bucket of persons adds; its durations are put to `durations`."""
    empty = no_touchpoints(plan.n_cells, len(places.values), len(stages.values))
    keep = select_events(plan.scope, bucket).dense()
    first = _count_events(plan, bucket, places, stages, keep, empty)
    timed = _durations(plan, bucket, keep)
    durations.put(bucket, timed)
    _count_journeys(plan, bucket, empty)
    bought = own_orders(plan, bucket, basis)
    orders, value, valueless = count_orders_by(bought, plan.n_cells)
    return replace(
        empty,
        measured=np.bincount(timed[0], minlength=plan.n_cells).astype(np.int64),
        time_us=add_at(plan.n_cells, *timed),
        orders=orders,
        value=value,
        valueless=valueless,
        points=count_points(bucket, bought),
        missing=bought.orders.worth.missing,
        active=int(active_in(plan, bucket).sum()) if keep is not None else bucket.n_persons,
        first_us=first,
    )


def _count_events(
    plan: ContactPlan,
    bucket: Bucket,
    places: GlobalCodes,
    stages: GlobalCodes,
    keep: U8 | None,
    into: TouchpointCounts,
) -> int:
    """Add events and contacts; the time of the first event with a contact."""
    events, names = bucket.events, plan.names
    return int(
        count_touches(
            bucket.offsets(),
            events.values(names.column),
            names.lut(bucket),
            _groups_of_events(plan, bucket),
            plan.n_names,
            NO_MASK if keep is None else keep,
            events.values("direction"),
            inbound_values(bucket),
            places.lut(bucket).take(events.values(places.column)),
            events.values(stages.column),
            stages.lut(bucket),
            events.values("contact"),
            events.values("time"),
            into.directions,
            into.places,
            into.stages,
            into.contacts,
        )
    )


def _groups_of_events(plan: ContactPlan, bucket: Bucket) -> I32:
    """Group of every event, int32 of shape (n_events,); of no elements without a break-down."""
    if plan.by is None:
        return np.empty(0, np.int32)
    person = np.empty(bucket.n_events, np.int32)
    person_of_event(bucket.offsets(), person)
    return group_at(plan, bucket, np.arange(bucket.n_events, dtype=np.int32), person)


def names_of_events(plan: ContactPlan, bucket: Bucket) -> I32:
    """Global code of every event's touchpoint."""
    names: I32 = plan.names.lut(bucket).take(bucket.events.values(plan.names.column))
    return names


def _cells(plan: ContactPlan, bucket: Bucket) -> I32:
    """Cell of every event, -1 where it is out of the period."""
    keep = select_events(plan.scope, bucket).dense()
    cell = names_of_events(plan, bucket)
    if plan.by is not None:
        cell = cell + _groups_of_events(plan, bucket) * np.int32(plan.n_names)
    return cell if keep is None else np.where(keep != 0, cell, np.int32(-1))


def pairs_of(plan: ContactPlan, bucket: Bucket) -> Pairs:
    """The different touchpoints of each contact in the period."""
    cell = _cells(plan, bucket)
    contact = bucket.events.values("contact")
    row, _ = distinct_in_groups(contact, cell, NO_MASK, NO_MASK, int(contact.max(initial=-1)) + 1, plan.n_cells)
    person = np.empty(bucket.n_events, np.int32)
    person_of_event(bucket.offsets(), person)
    return Pairs(row, cell[row], person[row])


def _durations(plan: ContactPlan, bucket: Bucket, keep: U8 | None) -> tuple[I32, I64]:
    nothing = np.zeros(0, np.int32), np.zeros(0, np.int64)
    if "details" not in bucket.meta["files"] or "duration_s" not in bucket.table("details").names:
        return nothing
    details = bucket.table("details")
    seconds = details.arrow("duration_s").to_numpy(zero_copy_only=False).astype(np.float64)
    event = details.values("event")
    contact = bucket.events.values("contact")[event].astype(np.int64)
    inside = ~np.isnan(seconds) & (seconds >= 0) & (contact >= 0)
    if keep is not None:
        inside &= keep[event] != 0
    told = np.flatnonzero(inside)
    if not len(told):
        return nothing
    duration, n_cells, event = np.rint(seconds[told] * 1e6).astype(np.int64), plan.n_cells, event[told]
    group = group_at(plan, bucket, event, persons_of(event.astype(np.int64), bucket.offsets()))
    cell = codes_at(plan.names, bucket, event) + group * np.int32(plan.n_names)
    keys, at = np.unique(contact[told] * n_cells + cell, return_inverse=True)
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


def _count_journeys(plan: ContactPlan, bucket: Bucket, into: TouchpointCounts) -> None:
    events = bucket.events
    journey = events.values("journey")
    state, last_row = journey_states(plan, bucket)
    keep = select_events(plan.whole, bucket).dense()
    journey_touches(
        *journey_bounds(journey, len(state)),
        journey,
        events.values(plan.names.column),
        plan.names.lut(bucket),
        NO_MASK if keep is None else keep,
        events.values("direction"),
        inbound_values(bucket),
        state,
        old_journeys(bucket, plan.scope.as_of_us),
        last_row,
        journey_base(plan, bucket),
        plan.n_names,
        into.roles,
        into.exits,
        into.journeys,
    )


def own_orders(plan: ContactPlan, bucket: Bucket, basis: Basis) -> OrdersBy:
    """Orders of a bucket by the touchpoint of the order itself; of nobody they are of no group of persons (-1)."""
    orders = orders_in(plan.scope, bucket, basis)
    name = codes_at(plan.names, bucket, orders.event)
    if not bucket.n_persons and plan.by is not None and plan.by.table == "persons":
        return OrdersBy(orders, np.full(len(orders), -1, np.int32))
    cell = name + group_at(plan, bucket, orders.event, orders.person) * np.int32(plan.n_names)
    return OrdersBy(orders, cell.astype(np.int32))
