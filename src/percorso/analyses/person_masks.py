"""Rules of persons on one bucket: the tree of `person_rules` becomes a boolean a person.

What a rule means is defined in docs/reference/segment.md; its plain twin is tests/naive/person_rules.py. The persons
of a rule are found once for each log and as-of time, and kept for the questions that follow.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.conditions import Condition, Leaf
from percorso.analyses.fields import PERSON_NUMBERS
from percorso.analyses.masks import event_mask, number_mask, person_mask, value_mask
from percorso.analyses.person_orders import LiveOrders, live_orders
from percorso.analyses.person_stages import stage_codes
from percorso.analyses.person_tree import (
    ALL_RELATIONSHIPS,
    RELATIONSHIP,
    STAGE,
    AllOf,
    AnyOf,
    Count,
    Edge,
    NotRule,
    Orders,
    Period,
    PersonRule,
    PersonTest,
    Sequence,
    Value,
    rule_tests,
)
from percorso.analyses.relationship import LapseLimits, lapse_limits, relationship_codes
from percorso.errors import SpecError
from percorso.kernels.arrays import I64, U8, Bools
from percorso.kernels.attempt_rows import NO_LIMIT
from percorso.kernels.attempts import latest_attempts
from percorso.kernels.funnel import ordered_levels
from percorso.kernels.person_events import NO_TIME, count_marked, edge_times
from percorso.kernels.select import dense_mask
from percorso.money import exponent
from percorso.store.journey_log import FLAG_BOT, FLAG_FUTURE, FLAG_HEAVY, FLAG_SAME_ORDER, Bucket, JourneyLog

__all__ = ["PersonsPlan", "plan_persons"]

_MIN, _MAX = np.iinfo(np.int64).min, np.iinfo(np.int64).max
_FLAGS = (FLAG_BOT, FLAG_HEAVY, FLAG_FUTURE, FLAG_SAME_ORDER)
_NO_MASK: U8 = np.empty(0, np.uint8)
_NO_TIMES: I64 = np.empty(0, np.int64)
_NO_EXCLUSION: I64 = np.empty(0, np.int64)
_KEPT_RULES = 16
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class PersonsPlan:
    """A rule of persons resolved for one log.

    Parameters
    ----------
    rule : PersonRule
    as_of_us : int
        Later events have not happened.
    limits_time : bool
        False if none of the events that are in by their flags can be later.
    out_flags : int
        Events with any of these flags do not count.
    basis : Basis
    lapse : LapseLimits or None
        None: the rule does not ask for a relationship.
    found : dict of int to bool array
        By ``bucket.index``: the persons found so far, shape (n_persons,).
    """

    rule: PersonRule
    as_of_us: int
    limits_time: bool
    out_flags: int
    basis: Basis
    lapse: LapseLimits | None
    found: dict[int, Bools] = field(compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """What is handed to another process finds its own persons."""
        nothing: dict[int, Bools] = {}
        return PersonsPlan, (
            self.rule, self.as_of_us, self.limits_time, self.out_flags, self.basis, self.lapse, nothing,
        )  # fmt: skip

    def persons(self, bucket: Bucket) -> Bools:
        """Who meets the rule, bool of shape (n_persons,); not writable. Nobody in the bucket of the unidentified."""
        if not bucket.n_persons:
            return np.zeros(0, np.bool_)
        if bucket.index not in self.found:
            mask = _Persons(self, bucket, _kept(self, bucket)).meeting()
            mask.flags.writeable = False
            self.found[bucket.index] = mask
        return self.found[bucket.index]

    def everybody(self, bucket: Bucket) -> Bools:
        """Who is there at all: persons with an event that counts, bool of shape (n_persons,)."""
        return _here(bucket, _kept(self, bucket))


def plan_persons(
    rule: PersonRule, log: JourneyLog, *, as_of_us: int, out_flags: int, basis: Basis | None
) -> PersonsPlan:
    """Resolve a rule for one log.

    Parameters
    ----------
    rule : PersonRule
    log : JourneyLog
    as_of_us : int
    out_flags : int
        As of a `ScopePlan`.
    basis : Basis or None
        None: the workspace is not known; then the rule must not need its currency, days or stages.

    Raises
    ------
    SpecError
        The rule asks for something that is not given.
    """
    tests = tuple(rule_tests(rule))
    asked = {test.leaf.field for test in tests if isinstance(test, PersonTest)}
    needs_basis = bool(asked & {RELATIONSHIP, STAGE}) or any(isinstance(test, Value) for test in tests)
    if basis is None and needs_basis:
        raise SpecError("This rule needs the workspace: its currency, days or stages.", hint="Give its `basis`.")
    basis = Basis() if basis is None else basis
    told = repr(basis) if needs_basis else ""
    found = _found((str(log.folder), log.data_version, rule, as_of_us, out_flags, told))
    if RELATIONSHIP in asked and found.lapse is None:
        found.lapse = lapse_limits(log, basis.timezone, as_of_us)
    return PersonsPlan(rule, as_of_us, as_of_us < log.as_of_us, out_flags, basis, found.lapse, found.persons)


@dataclass(slots=True)
class _Found:
    """What is known of a rule: persons by bucket, one byte a person, and the limits of relationships if it asks."""

    persons: dict[int, Bools] = field(default_factory=dict)
    lapse: LapseLimits | None = None


@lru_cache(maxsize=_KEPT_RULES)
def _found(key: tuple[object, ...]) -> _Found:
    """A place for what is found of each of the latest rules; equal keys get the same place."""
    return _Found()


def _kept(plan: PersonsPlan, bucket: Bucket) -> U8:
    """Which events count: by flags, and none after the as-of time; of no elements if all do."""
    out = sum(flag for flag in _FLAGS if plan.out_flags & flag and bucket.count(flag))
    if not out and not plan.limits_time:
        return _NO_MASK
    events = bucket.events
    return dense_mask(events.values("time"), events.values("flags"), _NO_MASK, out, _MIN, plan.as_of_us + 1)


def _here(bucket: Bucket, keep: U8) -> Bools:
    """Persons with an event that counts."""
    if not len(keep) or not bucket.n_persons:
        return np.ones(bucket.n_persons, np.bool_)
    here: Bools = count_marked(bucket.offsets(), keep, _NO_MASK, _NO_TIMES, 0, 0) > 0
    return here


@dataclass(frozen=True, slots=True)
class _Persons:
    """One bucket, and which of its events count."""

    plan: PersonsPlan
    bucket: Bucket
    keep: U8

    def meeting(self) -> Bools:
        """Persons who are there and meet the rule."""
        return self._rule(self.plan.rule) & _here(self.bucket, self.keep)

    def _rule(self, rule: PersonRule) -> Bools:
        match rule:
            case NotRule(part):
                return ~self._rule(part)
            case AllOf(parts):
                return np.asarray(np.logical_and.reduce([self._rule(part) for part in parts]))
            case AnyOf(parts):
                return np.asarray(np.logical_or.reduce([self._rule(part) for part in parts]))
            case PersonTest(leaf):
                return self._field(leaf)
            case Count():
                return self._count(rule)
            case Edge():
                return self._edge(rule)
            case Sequence():
                return self._sequence(rule)
            case Orders() | Value():
                return self._orders(rule)

    def _field(self, leaf: Leaf) -> Bools:
        plan, bucket = self.plan, self.bucket
        name = leaf.field.removeprefix("person.")
        if leaf.field == RELATIONSHIP:
            assert plan.lapse is not None
            live = live_orders(bucket, plan.out_flags, plan.as_of_us)
            codes = relationship_codes(bucket, live, plan.lapse, as_of_us=plan.as_of_us, keep=self.keep)
            return value_mask(leaf, ALL_RELATIONSHIPS)[codes]
        if leaf.field == STAGE:
            names = (*bucket.events.dictionary("stage"), *(stage.key for stage in plan.basis.stages.stages), "")
            stages = stage_codes(bucket, self.keep, plan.basis, plan.as_of_us, names[:-1])
            return value_mask(leaf, names)[stages]  # -1, no stage, reads the last entry
        mask = number_mask(leaf, self._number(name)) if name in PERSON_NUMBERS else person_mask(leaf, bucket)
        return np.full(bucket.n_persons, mask) if isinstance(mask, bool) else mask

    def _number(self, name: str) -> I64:
        """Events, sessions or orders of each person up to the as-of time."""
        bucket, as_of = self.bucket, self.plan.as_of_us
        if name == "n_events":
            time = bucket.events.values("time")
            return count_marked(bucket.offsets(), _NO_MASK, _NO_MASK, time, _MIN, as_of + 1).astype(np.int64)
        table, begin = ("sessions", "start") if name == "n_sessions" else ("orders", "time")
        rows = bucket.table(table)
        person = rows.values("person")[rows.values(begin) <= as_of]
        return np.bincount(person, minlength=bucket.n_persons).astype(np.int64)

    def _count(self, test: Count) -> Bools:
        time, start, end = self._times(test.period)
        counts = count_marked(self.bucket.offsets(), self._marked(test.condition), self.keep, time, start, end)
        met: Bools = _COMPARE[test.op](counts, test.number)
        return met

    def _edge(self, test: Edge) -> Bools:
        time = self.bucket.events.values("time")
        found = edge_times(self.bucket.offsets(), self._marked(test.condition), self.keep, time, test.last)
        _, start, end = self._times(test.period)
        met: Bools = (found != NO_TIME) & (found >= start) & (found < end)
        return met

    def _sequence(self, test: Sequence) -> Bools:
        keep = self.keep
        times, start, end = self._times(test.period)
        if len(times):
            inside = ((times >= start) & (times < end)).view(np.uint8)
            keep = inside & keep if len(keep) else inside
        masks = [self._marked_all(step).view(np.uint8) for step in test.steps]
        if len(keep):
            masks = [mask & keep for mask in masks]
        within = NO_LIMIT if test.within_us is None else test.within_us
        if int(np.add.reduce(masks).max(initial=0)) > 1:
            return self._matched_sequence(masks, within)
        return self._plain_sequence(masks, within)

    def _plain_sequence(self, masks: list[U8], within: int) -> Bools:
        """No event is two steps: several times faster."""
        bucket, n_steps = self.bucket, len(masks)
        none = n_steps + 2
        codes = np.full(bucket.n_events, none, np.uint8)
        for step, mask in enumerate(masks, 1):
            codes -= mask * np.uint8(none - step)
        time, steps = bucket.events.values("time"), np.arange(256, dtype=np.uint8)
        met: Bools = ordered_levels(time, codes, bucket.offsets(), steps, within, n_steps) == n_steps
        return met

    def _matched_sequence(self, masks: list[U8], within: int) -> Bools:
        """An event that could be two steps serves whichever leads on."""
        bucket, n_steps, n = self.bucket, len(masks), self.bucket.n_persons
        bits = np.zeros(bucket.n_events, np.uint32)
        for position, mask in enumerate(masks):
            bits |= mask.astype(np.uint32) << np.uint32(position)
        person, visited = np.empty(n, np.int32), np.empty(n, np.uint32)
        gaps, n_gaps = np.empty((n_steps, n), np.int64), np.empty(n_steps, np.int64)
        found = latest_attempts(
            bucket.events.values("time"), bits, bucket.offsets(), False, False, within, NO_LIMIT, n_steps, 0,
            _NO_EXCLUSION, _NO_EXCLUSION, False, person, visited, np.empty(n, np.int32), gaps, n_gaps,
        )  # fmt: skip
        met = np.zeros(n, np.bool_)
        met[person[:found][(visited[:found] >> np.uint32(n_steps - 1)) == 1]] = True
        return met

    def _orders(self, test: Orders | Value) -> Bools:
        plan, bucket = self.plan, self.bucket
        live = live_orders(bucket, plan.out_flags, plan.as_of_us)
        if test.condition is not None:
            live = live.only(self._marked_all(test.condition)[live.event])
        _, start, end = self._times(test.period)
        live = live.only((live.time_us >= start) & (live.time_us < end))
        if isinstance(test, Orders):
            met: Bools = _COMPARE[test.op](np.bincount(live.person, minlength=bucket.n_persons), test.number)
            return met
        return self._value(test, live)

    def _value(self, test: Value, live: LiveOrders) -> Bools:
        basis = self.plan.basis
        worth = np.zeros(self.bucket.n_persons, np.int64)
        np.add.at(worth, live.person, live.net_minor(self.bucket, basis, self.plan.as_of_us))
        # Exact: a limit between two amounts is no amount, so compare with the next whole one.
        limit = Decimal(test.amount).scaleb(exponent(basis.currency))
        whole = int(limit)
        if limit == whole:
            met: Bools = _COMPARE[test.op](worth, whole)
            return met
        if test.op in ("=", "!="):
            return np.full(len(worth), test.op == "!=")
        above: Bools = worth > whole
        return above if test.op in (">", ">=") else ~above

    def _marked(self, condition: Condition) -> U8:
        mask = event_mask(condition, self.bucket)
        if isinstance(mask, bool):
            return _NO_MASK if mask else np.zeros(self.bucket.n_events, np.uint8)
        return np.ascontiguousarray(mask).view(np.uint8)

    def _marked_all(self, condition: Condition) -> Bools:
        mask = event_mask(condition, self.bucket)
        return np.full(self.bucket.n_events, mask) if isinstance(mask, bool) else mask

    def _times(self, period: Period | None) -> tuple[I64, int, int]:
        """Times of events, or none where any time will do, and the first instant of the period and the one after it."""
        if period is None:
            return _NO_TIMES, _MIN, _MAX
        as_of = self.plan.as_of_us
        match period.kind:
            case "within":
                limits = as_of - period.span_us, as_of + 1
            case "over":
                limits = _MIN, as_of - period.span_us
            case _:
                limits = (
                    _MIN if period.start_us is None else period.start_us,
                    _MAX if period.end_us is None else period.end_us,
                )
        return self.bucket.events.values("time"), *limits
