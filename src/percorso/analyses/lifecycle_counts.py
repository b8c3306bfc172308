"""The lifecycle of one bucket's persons, counted: integers that add up over buckets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.activity import active_in, inbound_keep
from percorso.analyses.lifecycle_plan import LifecyclePlan
from percorso.analyses.person_orders import LiveOrders, live_orders
from percorso.analyses.purchases import purchases_of
from percorso.analyses.relationship import ALL_RELATIONSHIPS, limits_of_purchases, relationship_codes
from percorso.analyses.select import select_events
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.churn import count_churn
from percorso.store.journey_log import Bucket

__all__ = ["STATES", "LifecycleCounts", "count_lifecycle", "persons_in_relationship", "persons_in_state"]

#: What a person can be in an interval, by code; the first three are active.
STATES = ("new", "returning", "resurrecting", "dormant")
NEW, RETURNING, RESURRECTING, DORMANT = range(4)


@dataclass(frozen=True, slots=True)
class LifecycleCounts:
    """Counts of some buckets.

    Parameters
    ----------
    states : int64 array, shape (4, n_intervals)
        Persons by STATES, of all intervals of the calendar.
    daily, weekly, monthly : int64 array, shape (n,)
        Active persons of each day, week and month, from the first day on.
    sticky : int64 array, shape (n_shown + 1,)
        Persons by the number of complete intervals that are shown in which they were active.
    relationships : int64 array, shape (6, 2)
        Persons as of the as-of time: all, and those who are identified.
    active, lost : int64 array, shape (n_shown + 1,)
        Customers as each interval that is shown began, and those of them who are lost when it ended; in the last
        place the same of all shown intervals as one.
    """

    states: I64
    daily: I64
    weekly: I64
    monthly: I64
    sticky: I64
    relationships: I64
    active: I64
    lost: I64

    def merge(self, other: LifecycleCounts) -> LifecycleCounts:
        return LifecycleCounts(
            self.states + other.states,
            self.daily + other.daily,
            self.weekly + other.weekly,
            self.monthly + other.monthly,
            self.sticky + other.sticky,
            self.relationships + other.relationships,
            self.active + other.active,
            self.lost + other.lost,
        )


def count_lifecycle(plan: LifecyclePlan, bucket: Bucket) -> LifecycleCounts:
    """Everything of one bucket."""
    person, day = _active_days(plan, bucket)
    members = _members(plan, bucket)
    active, lost = _churn(plan, bucket, members)
    intervals = _intervals(plan, person, day)
    return LifecycleCounts(
        states=_states(plan, *intervals),
        daily=np.bincount(day, minlength=len(plan.days)).astype(np.int64, copy=False),
        weekly=_distinct(person, _numbers(plan, "week")[day], plan, "week"),
        monthly=_distinct(person, _numbers(plan, "month")[day], plan, "month"),
        sticky=_sticky(plan, *intervals),
        relationships=_relationships(plan, bucket, members),
        active=active,
        lost=lost,
    )


def _active_days(plan: LifecyclePlan, bucket: Bucket) -> tuple[I32, I32]:
    """Person and day of each day on which somebody was active."""
    found = active_in(bucket, inbound_keep(plan.history, bucket), plan.days)
    return found.person, found.period


def _numbers(plan: LifecyclePlan, unit: str) -> I64:
    """Position of the week or month of each day, from 0."""
    numbers = plan.days.of(unit, np.arange(len(plan.days), dtype=np.int64))
    return np.asarray(numbers - numbers[0])


def _is_new_pair(person: I32, period: I64) -> Bools:
    """Pairs ascend: which of them is the first of its kind?"""
    step = (np.diff(person, prepend=np.int32(-1)) != 0) | (np.diff(period, prepend=np.int64(-1)) != 0)
    return np.asarray(step)


def _distinct(person: I32, period: I64, plan: LifecyclePlan, unit: str) -> I64:
    n = int(_numbers(plan, unit)[-1]) + 1
    return np.bincount(period[_is_new_pair(person, period)], minlength=n).astype(np.int64, copy=False)


def _intervals(plan: LifecyclePlan, person: I32, day: I32) -> tuple[I32, I64]:
    """Person and interval of each interval in which somebody was active."""
    interval = plan.interval_of_day[day]
    kept = _is_new_pair(person, interval)
    return person[kept], interval[kept]


def _state_of(person: I32, interval: I64) -> U8:
    """State of each person and interval that is active."""
    same = np.diff(person, prepend=np.int32(-1)) == 0
    since = np.diff(interval, prepend=np.int64(0))
    state = np.where(since == 1, RETURNING, RESURRECTING)
    state[~same] = NEW
    return state.astype(np.uint8)


def _falls_silent(person: I32, interval: I64) -> Bools:
    """Which of the active ones are not active in the interval after it."""
    same = np.diff(person, append=np.int32(-1)) == 0
    return np.asarray(~(same & (np.diff(interval, append=np.int64(0)) == 1)))


def _states(plan: LifecyclePlan, person: I32, interval: I64) -> I64:
    n, state = len(plan.calendar), _state_of(person, interval)
    counts = np.zeros((len(STATES), n), np.int64)
    for code in (NEW, RETURNING, RESURRECTING):
        counts[code] = np.bincount(interval[state == code], minlength=n)
    silent = interval[_falls_silent(person, interval)] + 1
    counts[DORMANT] = np.bincount(silent, minlength=n + 1)[:n]
    return counts


def _sticky(plan: LifecyclePlan, person: I32, interval: I64) -> I64:
    last = plan.last - (plan.last > plan.first and not plan.is_complete(plan.last - 1))
    inside = (interval >= plan.first) & (interval < last)
    times = np.bincount(person[inside])
    return np.bincount(times[times > 0], minlength=plan.last - plan.first + 1).astype(np.int64, copy=False)


def _members(plan: LifecyclePlan, bucket: Bucket) -> Bools:
    """Persons with an event that is in, up to the as-of time; bool of shape (n_persons,)."""
    mask = select_events(plan.history, bucket).dense()
    if mask is None or not bucket.n_persons:
        return np.ones(bucket.n_persons, np.bool_)
    return np.asarray(np.maximum.reduceat(mask, bucket.offsets()[:-1]) != 0)


def _live_of(plan: LifecyclePlan, bucket: Bucket, members: Bools) -> LiveOrders:
    live = live_orders(bucket, 0, plan.history.as_of_us)
    return live.only(members[live.person])


def _churn(plan: LifecyclePlan, bucket: Bucket, members: Bools) -> tuple[I64, I64]:
    purchases = purchases_of(_live_of(plan, bucket, members), plan.days)
    _, limit = limits_of_purchases(plan.limits, bucket, purchases)
    bounds, n = plan.bounds(), plan.last - plan.first
    active, lost = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    today = len(plan.days) - 1
    count_churn(purchases.person, purchases.day, limit, bounds, today, active[:n], lost[:n])
    count_churn(purchases.person, purchases.day, limit, bounds[[0, -1]], today, active[n:], lost[n:])
    return active, lost


def _codes(plan: LifecyclePlan, bucket: Bucket, members: Bools) -> U8:
    return relationship_codes(bucket, _live_of(plan, bucket, members), plan.limits, as_of_us=plan.history.as_of_us)


def _relationships(plan: LifecyclePlan, bucket: Bucket, members: Bools) -> I64:
    code = _codes(plan, bucket, members)
    kinds = np.array([name == "identified" for name in bucket.persons.dictionary("kind")], np.bool_)
    identified = kinds[bucket.persons.values("kind")] if bucket.n_persons else members
    n = len(ALL_RELATIONSHIPS)
    return np.stack([np.bincount(code[one], minlength=n) for one in (members, members & identified)], axis=1)


def persons_in_relationship(plan: LifecyclePlan, bucket: Bucket, relationship: int) -> Bools:
    """Persons with that relationship as of the as-of time, bool of shape (n_persons,)."""
    members = _members(plan, bucket)
    return np.asarray(members & (_codes(plan, bucket, members) == relationship))


def persons_in_state(plan: LifecyclePlan, bucket: Bucket, state: int | None, interval: int) -> Bools:
    """Persons in a state in an interval; None: active ones. Bool of shape (n_persons,)."""
    person, of = _intervals(plan, *_active_days(plan, bucket))
    if state == DORMANT:
        wanted = _falls_silent(person, of) & (of + 1 == interval)
    else:
        wanted = of == interval
        if state is not None:
            wanted &= _state_of(person, of) == state
    marked = np.zeros(bucket.n_persons, np.bool_)
    marked[person[wanted]] = True
    return marked
