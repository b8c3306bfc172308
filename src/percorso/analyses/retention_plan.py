"""What a question about retention asks, and what it means for one log."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from percorso.analyses.activity import whole_history
from percorso.analyses.basis import Basis
from percorso.analyses.breakdown import plan_breakdown
from percorso.analyses.calendar import Calendar, calendar_of, check_period
from percorso.analyses.codes import GlobalCodes
from percorso.analyses.conditions import parse_condition
from percorso.analyses.purchases import day_calendar
from percorso.analyses.select import ScopePlan, plan_scope
from percorso.analyses.spec import Scope
from percorso.errors import SpecError, nearest_hint
from percorso.store.journey_log import JourneyLog

__all__ = [
    "ACTIVITY",
    "MODES",
    "MOST_PERIODS",
    "ORDER",
    "WITHIN_DAYS",
    "RetentionPlan",
    "RetentionSpec",
    "plan_retention",
]

#: What a start or a return may be, beside a condition on events.
ORDER, ACTIVITY = "order", "activity"

MODES = ("on", "on-or-after")

MOST_PERIODS = 60

#: Days within which another order counts as repeat purchase.
WITHIN_DAYS = (90, 180, 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSpec:
    """Cohorts, and who comes back.

    Parameters
    ----------
    start, back : str
        What puts a person into a cohort, and what counts as coming back: "order" (default), "activity" (an inbound
        event), or a condition on events.
    unit : {"day", "week", "month"}
        Length of the periods, in the scope's time zone.
    mode : {"on", "on-or-after"}
        Came back in period k; or in period k or any later one.
    recurring : bool
        A person is in the cohort of every period with a start, not only of the first.
    periods : int
        How many periods after the start to show, 1 to 60.
    scope : Scope
        Its period says which cohorts are shown.
    """

    start: str = ORDER
    back: str = ORDER
    unit: str = "month"
    mode: str = "on"
    recurring: bool = False
    periods: int = 12
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        check_period(self.unit)
        if self.mode not in MODES:
            raise SpecError(f"'{self.mode}' is no way to count returns.", hint=nearest_hint(self.mode, MODES))
        if not 1 <= self.periods <= MOST_PERIODS:
            raise SpecError(f"One can look at 1 to {MOST_PERIODS} periods, not {self.periods}.")
        for text in (self.start, self.back):
            if not text.strip():
                raise SpecError("A start or return is empty.", hint="Write order, activity, or a condition.")
            if text not in (ORDER, ACTIVITY):
                parse_condition(text)

    @property
    def is_of_orders(self) -> bool:
        """First orders and later ones: then there is a repeat purchase rate."""
        return self.start == ORDER and self.back == ORDER and not self.recurring


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """A spec resolved for one log.

    Parameters
    ----------
    scope : ScopePlan
        With the period, which says which cohorts are shown.
    history : ScopePlan
        Without it.
    every : ScopePlan
        Without the condition either: what somebody's first start is, is decided from these. `history` itself, where
        there is no condition.
    calendar, days : Calendar
        Periods and days from the first event of anybody to the as-of time.
    by : GlobalCodes or None
    """

    spec: RetentionSpec
    basis: Basis
    scope: ScopePlan
    history: ScopePlan
    every: ScopePlan
    calendar: Calendar
    days: Calendar
    by: GlobalCodes | None

    def is_complete(self, cohort: int, k: int) -> bool:
        """Had the k-th period after the cohort's own ended by the as-of time?"""
        return cohort + k < len(self.calendar) and self.calendar.has_ended(cohort + k, self.scope.as_of_us)


def plan_retention(spec: RetentionSpec, log: JourneyLog, basis: Basis) -> RetentionPlan:
    """Resolve a spec for one log."""
    scope = plan_scope(spec.scope, log, basis)
    days = day_calendar(log, spec.scope.timezone, scope.as_of_us)
    calendar = calendar_of(spec.unit, spec.scope.timezone, int(days.starts[0]), scope.as_of_us)
    by = plan_breakdown(spec.scope.by, log)
    history = whole_history(scope, log)
    every = history if history.condition is None else replace(history, condition=None)
    return RetentionPlan(spec, basis, scope, history, every, calendar, days, by)
