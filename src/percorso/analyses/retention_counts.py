"""Cohorts of one bucket, and who of them came back when: integers that add up over buckets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from percorso.analyses.activity import active_in, inbound_keep, matching_keep
from percorso.analyses.breakdown import groups_of
from percorso.analyses.conditions import parse_condition
from percorso.analyses.jackknife import N_GROUPS, person_groups
from percorso.analyses.orders_in import orders_in
from percorso.analyses.person_orders import live_orders
from percorso.analyses.purchases import Purchases, purchases_of
from percorso.analyses.retention_plan import ACTIVITY, MOST_PERIODS, ORDER, WITHIN_DAYS, RetentionPlan
from percorso.analyses.select import ScopePlan, select_events
from percorso.analyses.survival import CENSORED, HAPPENED, N_KINDS
from percorso.analyses.tallies import Tally, merge_tallies, tally, tally_pairs
from percorso.kernels.activity import returned_periods
from percorso.kernels.arrays import I32, I64, U64, Bools
from percorso.store.journey_log import Bucket

__all__ = ["Counted", "count_cohorts", "merge_counted", "persons_in_cohort"]

_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of some buckets.

    Parameters
    ----------
    sizes : Tally
        Persons of each cohort, by ``group * n_periods + cohort``.
    returned : Tally
        Those who came back, by ``(group * n_periods + cohort) * (MOST_PERIODS + 1) + k``.
    spans : Tally
        Days to the second purchase day, by ``((group * n_periods + cohort) * n_days + span) * N_KINDS + kind``; for
        first and later orders only.
    ages : Tally
        Persons by ``(group * n_periods + cohort) * (len(WITHIN_DAYS) + 1) + k``: k of WITHIN_DAYS have passed since
        their first purchase day; for first and later orders only.
    by_person_group : Tally
        For recurring cohorts, of complete cells: ``((group * (MOST_PERIODS + 1) + k) * 256 + person group) * 2``, and
        one more for the sizes.
    n_persons : int
        Different persons in the cohorts.
    """

    sizes: Tally
    returned: Tally
    spans: Tally
    ages: Tally
    by_person_group: Tally
    n_persons: int


def merge_counted(parts: Iterable[Counted]) -> Counted:
    """Partials of many buckets as one."""
    every = list(parts)
    return Counted(
        merge_tallies(part.sizes for part in every),
        merge_tallies(part.returned for part in every),
        merge_tallies(part.spans for part in every),
        merge_tallies(part.ages for part in every),
        merge_tallies(part.by_person_group for part in every),
        sum(part.n_persons for part in every),
    )


@dataclass(frozen=True, slots=True)
class _Times:
    """Starts, or returns, of a bucket's persons, by person and period; every array of shape (n,).

    `key` tells what of one period comes after what: the day of an order where both are orders (two orders of one day
    are one purchase), else the row of the event.
    """

    person: I32
    period: I32
    key: I32
    event: I32

    def only(self, wanted: Bools) -> _Times:
        return _Times(self.person[wanted], self.period[wanted], self.key[wanted], self.event[wanted])


def _purchases(plan: RetentionPlan, bucket: Bucket, scope: ScopePlan) -> Purchases:
    """Purchase days by the orders that `scope` (the plan's `history` or `every`) sees, of all times."""
    live = live_orders(bucket, 0, scope.as_of_us)
    inside = np.zeros(len(bucket.table("orders")), np.bool_)
    inside[orders_in(scope, bucket, plan.basis).row] = True
    return purchases_of(live.only(inside[live.row]), plan.days)


def _order_times(plan: RetentionPlan, bucket: Bucket, scope: ScopePlan) -> tuple[_Times, _Times]:
    """The first and the last purchase day of each person and period."""
    found = _purchases(plan, bucket, scope)
    period = plan.calendar.position(found.time_us)
    new = (np.diff(found.person, prepend=np.int32(-1)) != 0) | (np.diff(period, prepend=np.int32(-1)) != 0)
    key = found.day if plan.spec.start == ORDER and plan.spec.back == ORDER else found.event
    every = _Times(found.person, period, key, found.event)
    return every.only(new), every.only(np.append(new, True)[1:])


def _event_times(plan: RetentionPlan, bucket: Bucket, text: str, scope: ScopePlan) -> tuple[_Times, _Times]:
    """The first and the last event that counts of each person and period."""
    keep = inbound_keep(scope, bucket) if text == ACTIVITY else matching_keep(scope, bucket, parse_condition(text))
    found = active_in(bucket, keep, plan.calendar)
    first = _Times(found.person, found.period, found.first, found.first)
    return first, _Times(found.person, found.period, found.last, found.last)


def _times(plan: RetentionPlan, bucket: Bucket, text: str, scope: ScopePlan) -> tuple[_Times, _Times]:
    return _order_times(plan, bucket, scope) if text == ORDER else _event_times(plan, bucket, text, scope)


def _cohorts(plan: RetentionPlan, bucket: Bucket) -> tuple[_Times, U64]:
    """Who is in which cohort that is shown, and when they came back.

    Returns
    -------
    starts : _Times
        Begun in the period; by then for the first time of all, unless cohorts recur. They meet the condition.
    bits : uint64, shape (n_starts,)
        Bit k: the person came back k periods later, or with `on-or-after` then or later.
    """
    begun = plan.history if plan.spec.recurring else plan.every
    first, last = _times(plan, bucket, plan.spec.start, begun)
    if plan.spec.back != plan.spec.start or begun is not plan.history:
        last = _times(plan, bucket, plan.spec.back, plan.history)[1]
    time = bucket.events.values("time")[first.event]
    wanted = (time >= plan.scope.start_us) & (time < plan.scope.end_us)
    if not plan.spec.recurring:
        wanted &= np.diff(first.person, prepend=np.int32(-1)) != 0
    mask = select_events(plan.history, bucket).dense() if begun is not plan.history else None
    if mask is not None:
        wanted &= mask[first.event] != 0
    starts = first.only(wanted)
    bits = np.zeros(len(starts.person), np.uint64)
    returned_periods(starts.person, starts.period, starts.key, last.person, last.period, last.key, bits)
    if plan.spec.mode == "on-or-after":
        for shift in (1, 2, 4, 8, 16, 32):  # a bit sets all below it
            bits |= bits >> np.uint64(shift)
    return starts, bits


def count_cohorts(plan: RetentionPlan, bucket: Bucket) -> Counted:
    """Sizes and returns of one bucket."""
    starts, bits = _cohorts(plan, bucket)
    cohort = _cohort_keys(plan, bucket, starts)
    width = MOST_PERIODS + 1
    back = [np.flatnonzero(bits >> np.uint64(k) & _ONE) for k in range(plan.spec.periods + 1)]
    returned = np.concatenate([cohort[rows] * width + k for k, rows in enumerate(back)])
    spans, ages = _spans(plan, bucket, starts, cohort) if plan.spec.is_of_orders else (Tally(), Tally())
    return Counted(
        sizes=tally(cohort),
        returned=tally(returned),
        spans=spans,
        ages=ages,
        by_person_group=_by_person_group(plan, bucket, starts, cohort, bits) if plan.spec.recurring else Tally(),
        n_persons=int(np.count_nonzero(np.diff(starts.person, prepend=np.int32(-1)))),
    )


def _cohort_keys(plan: RetentionPlan, bucket: Bucket, starts: _Times) -> I64:
    group = groups_of(plan.by, bucket, starts.event, starts.person)
    return group.astype(np.int64) * len(plan.calendar) + starts.period


def _spans(plan: RetentionPlan, bucket: Bucket, starts: _Times, cohort: I64) -> tuple[Tally, Tally]:
    """Days from the first purchase day to the second, or to today; and how many of WITHIN_DAYS have passed since."""
    found = _purchases(plan, bucket, plan.history)
    n_days = len(plan.days)
    # The key of an order is its day; each start is the first of its person, so what comes next is another.
    at = np.searchsorted(
        found.person.astype(np.int64) * n_days + found.day,
        starts.person.astype(np.int64) * n_days + starts.key,
        "right",
    )
    again = np.append(found.person, np.int32(-1))[at] == starts.person
    until = np.full(len(at), n_days - 1, np.int64)
    until[again] = found.day[at[again]]
    kind = np.where(again, HAPPENED, CENSORED)
    spans = tally((cohort * n_days + until - starts.key) * N_KINDS + kind)
    passed = np.searchsorted(WITHIN_DAYS, n_days - 1 - starts.key, side="right")
    return spans, tally_pairs(cohort, passed.astype(np.int32), len(WITHIN_DAYS) + 1)


def _by_person_group(plan: RetentionPlan, bucket: Bucket, starts: _Times, cohort: I64, bits: U64) -> Tally:
    """Returns and sizes of the complete cells, for the interval of the average: one person is in several cohorts."""
    of_person = person_groups(bucket)[starts.person].astype(np.int64)
    group, period = cohort // len(plan.calendar), cohort % len(plan.calendar)
    parts = []
    for k in range(plan.spec.periods + 1):
        complete = np.array([plan.is_complete(position, k) for position in range(len(plan.calendar))], np.bool_)
        inside = complete[period]
        key = ((group * (MOST_PERIODS + 1) + k) * N_GROUPS + of_person) * 2
        parts += [key[inside] + 1, key[inside & ((bits >> np.uint64(k) & _ONE) != 0)]]
    return tally(np.concatenate(parts))


def persons_in_cohort(
    plan: RetentionPlan, bucket: Bucket, group: int, cohort: int, k: int | None, *, stayed: bool
) -> Bools:
    """Persons of a cohort; with k those who came back then, or not. Bool of shape (n_persons,)."""
    starts, bits = _cohorts(plan, bucket)
    chosen = _cohort_keys(plan, bucket, starts) == group * len(plan.calendar) + cohort
    if k is not None:
        chosen &= ((bits >> np.uint64(k) & _ONE) != 0) == stayed
    marked = np.zeros(bucket.n_persons, np.bool_)
    marked[starts.person[chosen]] = True
    return marked
