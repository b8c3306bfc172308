"""Stages in one bucket: events, contacts, journeys, stays and moves of persons, exits and orders by stage."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.codes import GlobalCodes
from percorso.analyses.contact_counts import active_in, count_orders_by
from percorso.analyses.contact_plan import ContactPlan, codes_at, group_at, journey_base, plan_contacts
from percorso.analyses.contacts import inbound_values
from percorso.analyses.kept import Kept
from percorso.analyses.outcomes import ABANDONED
from percorso.analyses.person_stages import stage_codes
from percorso.analyses.select import NO_MASK, select_events
from percorso.analyses.spec import Scope
from percorso.analyses.touchpoint_counts import ends_of, own_orders
from percorso.analyses.worth import Missing
from percorso.kernels.arrays import I32, I64, Bools
from percorso.kernels.contact_roles import distinct_in_groups
from percorso.kernels.flow import group_counts
from percorso.kernels.paths import person_of_event
from percorso.kernels.stages import (
    MOST_STAGES,
    add_stages,
    count_stage_events,
    count_stays,
    neighbours,
    stage_progress,
    stage_stays,
    stages_of_journeys,
    stay_times,
)
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = [
    "START",
    "StageCounts",
    "Stays",
    "count_stages",
    "no_stages",
    "now_cells",
    "plan_stages",
    "stays_of",
    "times_in",
]

#: Where a person's first stay comes from, in numbers of stages.
START = -1


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays of the persons of one bucket, by person and time, each array of shape (n_stays,).

    ``stage``, ``cell``, ``person``; ``before``: the stage before (-1: none); ``stay_us``: how long it lasts (-1: it is
    not over); ``before_us``: how long the one before lasted (-1: there is none); ``inside``: it begins in the period;
    ``further_us``: see `stage_progress`.
    """

    stage: I32
    cell: I32
    person: I32
    before: I32
    stay_us: I64
    before_us: I64
    inside: Bools
    further_us: I64


@dataclass(frozen=True, slots=True)
class StageCounts:
    """Counts of cells, int64; moves of shape (n_cells, n_stages + 1): from each cell's stage, the last from the start.

    A move is counted in the cell to which it leads, by the stage from which it comes.
    """

    events: I64
    persons: I64
    contacts: I64
    journeys: I64
    entered: I64
    further: I64
    stays: I64
    over: I64
    moves: I64
    movers: I64
    exits: I64
    now: I64
    orders: I64
    value: I64
    valueless: I64
    abandoned: int = 0
    active: int = 0
    missing: tuple[Missing, ...] = ()

    def merge(self, other: StageCounts) -> StageCounts:
        names = [part.name for part in fields(self)]
        merged: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in names}
        return StageCounts(**merged)


def plan_stages(scope: Scope, log: JourneyLog, basis: Basis) -> ContactPlan:
    """Resolve a question about stages: names are the model's stages in order, and "" for none as the last."""
    plan = plan_contacts(scope, log, "stage", basis)
    keys = (*(stage.key for stage in basis.stages.stages), "")
    return replace(plan, names=GlobalCodes("events", "stage", keys, other=len(keys) - 1))


def no_stages(plan: ContactPlan, n_touchpoints: int) -> StageCounts:
    """Nothing counted yet."""
    n = plan.n_cells
    none, moves = np.zeros(n, np.int64), np.zeros((n, plan.n_names), np.int64)
    exits = np.zeros((n, n_touchpoints), np.int64)
    return StageCounts(none, none, none, none, none, none, none, none, moves, moves, exits, none, none, none, none)


def times_in(plan: ContactPlan, bucket: Bucket) -> tuple[I32, I64]:
    """All times whose medians are asked for: of stays by cell, of getting further by cell, of moves by pair."""
    return _times(plan, stays_of(plan, bucket))


def count_stages(
    plan: ContactPlan, bucket: Bucket, basis: Basis, touchpoints: GlobalCodes, times: Kept[tuple[I32, I64]]
) -> StageCounts:
    """What one bucket of persons adds; its times are put to `times`."""
    n = plan.n_cells
    events, persons, contacts = _events(plan, bucket)
    stays = stays_of(plan, bucket)
    times.put(bucket, _times(plan, stays))
    entered, further, number, over = (np.zeros(n, np.int64) for _ in range(4))
    count_stays(stays.cell, stays.stay_us, stays.further_us, stays.inside, entered, further, number, over)
    moves, movers = _moves(plan, stays)
    exits, abandoned = _exits(plan, bucket, touchpoints)
    bought = own_orders(plan, bucket, basis)
    return StageCounts(
        events,
        persons,
        contacts,
        _journeys(plan, bucket),
        entered,
        further,
        number,
        over,
        moves,
        movers,
        exits,
        _now(plan, bucket, basis),
        *count_orders_by(bought, n),
        abandoned,
        int(active_in(plan, bucket).sum()),
        bought.orders.worth.missing,
    )


def _events(plan: ContactPlan, bucket: Bucket) -> tuple[I64, I64, I64]:
    """Events, persons and contacts of each cell."""
    n = plan.n_cells
    contact = bucket.events.values("contact")
    n_contacts = int(contact.max(initial=-1)) + 1
    mask = select_events(plan.scope, bucket).dense()
    events, persons, contacts = (np.zeros(n, np.int64) for _ in range(3))
    if plan.by is None and n <= MOST_STAGES:
        code, keep = bucket.events.values("stage"), NO_MASK if mask is None else mask
        seen = np.zeros(n_contacts, np.uint64)
        count_stage_events(bucket.offsets(), code, _known(plan, bucket), keep, contact, seen, events, persons, contacts)
        return events, persons, contacts
    stage, person = _stages_of(plan, bucket), np.empty(bucket.n_events, np.int32)
    person_of_event(bucket.offsets(), person)
    group = _groups(plan, bucket, person)
    cell = stage if group is None else np.where(stage >= 0, stage + group, np.int32(-1))
    cell = cell if mask is None else np.where(mask != 0, cell, np.int32(-1))
    group_counts(cell, person, events, persons)
    row, _ = distinct_in_groups(contact, cell, NO_MASK, NO_MASK, n_contacts, n)
    return events, persons, np.bincount(cell[row], minlength=n)


def _known(plan: ContactPlan, bucket: Bucket) -> I32:
    """Stage of each code of the bucket, -1 for none."""
    lut = plan.names.lut(bucket)
    known: I32 = np.where(lut == plan.n_names - 1, np.int32(-1), lut)
    return known


def _stages_of(plan: ContactPlan, bucket: Bucket) -> I32:
    """Stage of every event, -1 for none."""
    codes: I32 = _known(plan, bucket).take(bucket.events.values("stage"))
    return codes


def _groups(plan: ContactPlan, bucket: Bucket, person: I32) -> I32 | None:
    """First cell of each event's group, int32 of shape (n_events,); None without a break-down."""
    if plan.by is None:
        return None
    rows = np.arange(bucket.n_events, dtype=np.int32)
    first: I32 = group_at(plan, bucket, rows, person) * np.int32(plan.n_names)
    return first


def stays_of(plan: ContactPlan, bucket: Bucket) -> Stays:
    """The stays of the persons of a bucket, all up to the as-of time, whatever the period."""
    events = bucket.events
    mask = select_events(plan.whole, bucket).dense()
    out = [np.empty(bucket.n_events, np.int32) for _ in range(3)]
    n = stage_stays(
        bucket.offsets(),
        events.values("stage"),
        _known(plan, bucket),
        events.values("direction"),
        inbound_values(bucket),
        NO_MASK if mask is None else mask,
        *out,
    )
    person, found, row = (column[:n] for column in out)
    time = events.values("time")[row]
    before, stay, stay_before = np.empty(n, np.int32), np.empty(n, np.int64), np.empty(n, np.int64)
    inside, further = np.empty(n, np.bool_), np.empty(n, np.int64)
    neighbours(person, found, time, plan.scope.start_us, plan.scope.end_us, before, stay, stay_before, inside)
    stage_progress(person, found, time, inside, plan.n_names, further)
    cell = found
    if plan.by is not None:
        cell = found + group_at(plan, bucket, row, person) * np.int32(plan.n_names)
    return Stays(found, cell, person, before, stay, stay_before, inside, further)


def _moves(plan: ContactPlan, stays: Stays) -> tuple[I64, I64]:
    """Moves that arrive in the period, and their distinct persons, by cell of arrival and stage of departure."""
    counts, persons = (np.zeros(plan.n_cells * plan.n_names, np.int64) for _ in range(2))
    group_counts(_pairs(plan, stays), stays.person, counts, persons)
    shape = (plan.n_cells, plan.n_names)
    return counts.reshape(shape), persons.reshape(shape)


def _pairs(plan: ContactPlan, stays: Stays) -> I32:
    """Number of each move into a stay, -1 outside the period; from the start counts as from the last stage, none."""
    before = np.where(stays.before == START, np.int32(plan.n_names - 1), stays.before)
    return np.where(stays.inside, stays.cell * np.int32(plan.n_names) + before, np.int32(-1))


def _times(plan: ContactPlan, stays: Stays) -> tuple[I32, I64]:
    n = len(stays.cell)
    group, value = np.empty(3 * n, np.int32), np.empty(3 * n, np.int64)
    n_times = stay_times(
        stays.cell,
        _pairs(plan, stays),
        stays.stay_us,
        stays.before_us,
        stays.further_us,
        stays.inside,
        plan.n_cells,
        group,
        value,
    )
    return group[:n_times].copy(), value[:n_times].copy()


def _journeys(plan: ContactPlan, bucket: Bucket) -> I64:
    """Journeys of both kinds that open in the period, by the stages of their events."""
    journeys, events = bucket.table("journeys"), bucket.events
    mask = select_events(plan.whole, bucket).dense()
    keep = NO_MASK if mask is None else mask
    start = journeys.values("start")
    inside = (start >= plan.scope.start_us) & (start < plan.scope.end_us)
    base = journey_base(plan, bucket)
    if plan.n_names <= MOST_STAGES:
        found, seen = np.zeros(plan.n_cells, np.int64), np.zeros(len(journeys), np.uint64)
        stages_of_journeys(events.values("journey"), events.values("stage"), _known(plan, bucket), keep, seen)
        add_stages(seen, inside, base, plan.n_names, found)
        return found
    stage = _stages_of(plan, bucket)
    row, offsets = distinct_in_groups(events.values("journey"), stage, keep, NO_MASK, len(journeys), plan.n_names)
    count = np.diff(offsets)
    cell = np.repeat(base, count) + stage[row]
    return np.bincount(cell[np.repeat(inside, count)], minlength=plan.n_cells)


def _exits(plan: ContactPlan, bucket: Bucket, touchpoints: GlobalCodes) -> tuple[I64, int]:
    """Abandoned journeys by the cell and the touchpoint of their last inbound event."""
    ends = ends_of(plan, bucket)
    abandoned = (ends.state == ABANDONED) & (ends.first >= 0)
    row = ends.last[abandoned]
    cell = ends.base[abandoned] + codes_at(plan.names, bucket, row)
    name = codes_at(touchpoints, bucket, row)
    n = len(touchpoints.values)
    found = np.bincount(cell * n + name, minlength=plan.n_cells * n).reshape(plan.n_cells, n)
    return found.astype(np.int64), int(abandoned.sum())


def now_cells(plan: ContactPlan, bucket: Bucket, basis: Basis) -> I32:
    """Cell of each person's stage now, int32 of shape (n_persons,); -1: no journey is open."""
    mask = select_events(plan.whole, bucket).dense()
    keep = NO_MASK if mask is None else mask
    stage = stage_codes(bucket, keep, basis, plan.scope.as_of_us, plan.names.values[:-1])
    if plan.by is None:
        return stage
    persons = np.arange(bucket.n_persons, dtype=np.int32)
    first = bucket.persons.values("start").astype(np.int32)
    base = group_at(plan, bucket, first, persons) * np.int32(plan.n_names)
    return np.where(stage >= 0, stage + base, np.int32(-1))


def _now(plan: ContactPlan, bucket: Bucket, basis: Basis) -> I64:
    cell = now_cells(plan, bucket, basis)
    return np.bincount(cell[cell >= 0], minlength=plan.n_cells)
