"""What a question about the lifecycle asks, and what it means for one log."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from percorso.analyses.activity import whole_history
from percorso.analyses.basis import Basis
from percorso.analyses.calendar import Calendar, calendar_of, check_period
from percorso.analyses.purchases import day_calendar
from percorso.analyses.relationship import LapseLimits, lapse_limits
from percorso.analyses.select import ScopePlan, plan_scope
from percorso.analyses.spec import Scope
from percorso.errors import SpecError
from percorso.kernels.arrays import I64
from percorso.store.journey_log import JourneyLog

__all__ = ["LifecyclePlan", "LifecycleSpec", "plan_lifecycle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleSpec:
    """Who is new, comes back, returns after a break, falls silent; and how everybody stands to the brand.

    Parameters
    ----------
    unit : {"day", "week", "month"}
        Length of the intervals, in the scope's time zone.
    scope : Scope
        Its period says which intervals are shown; only inbound events that meet its condition make a person active.
    """

    unit: str = "month"
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        check_period(self.unit)
        if self.scope.by:
            raise SpecError("A lifecycle cannot be broken down.", hint="Ask once for each value, with a condition.")


@dataclass(frozen=True, slots=True)
class LifecyclePlan:
    """A spec resolved for one log.

    Parameters
    ----------
    scope, history : ScopePlan
        With its period, and without.
    days, calendar : Calendar
        Days and intervals from the first event of anybody to the as-of time.
    interval_of_day : int64 array, shape (n_days,)
        Position of the interval of each day.
    first, last : int
        Positions of the first interval that is shown, and after the last one.
    limits : LapseLimits
        As of the as-of time.
    """

    spec: LifecycleSpec
    scope: ScopePlan
    history: ScopePlan
    days: Calendar
    calendar: Calendar
    interval_of_day: I64
    first: int
    last: int
    limits: LapseLimits

    def is_complete(self, interval: int) -> bool:
        """Had it ended by the as-of time?"""
        return self.calendar.has_ended(interval, self.scope.as_of_us)

    def bounds(self) -> I64:
        """First day of each interval that is shown, and the day after the last; int64 of shape (n_shown + 1,)."""
        return np.searchsorted(self.interval_of_day, np.arange(self.first, self.last + 1)).astype(np.int64)


def plan_lifecycle(spec: LifecycleSpec, log: JourneyLog, basis: Basis, *, threads: int | None = None) -> LifecyclePlan:
    """Resolve a spec for one log; the limits of at risk and lost come from everybody's orders."""
    scope, zone = plan_scope(spec.scope, log, basis), spec.scope.timezone
    days = day_calendar(log, zone, scope.as_of_us)
    calendar = calendar_of(spec.unit, zone, int(days.starts[0]), scope.as_of_us)
    of_day = days.of(spec.unit, np.arange(len(days), dtype=np.int64)) - calendar.first
    low = max(scope.start_us, int(calendar.starts[0]))
    high = max(min(scope.end_us - 1, scope.as_of_us), low)
    first, last = calendar.position(np.array([low, high], np.int64)).tolist()
    limits = lapse_limits(log, zone, scope.as_of_us, days=days, threads=threads)
    shown = (min(first, len(calendar)), min(last + 1, len(calendar)))
    return LifecyclePlan(spec, scope, whole_history(scope, log), days, calendar, of_day, *shown, limits)
