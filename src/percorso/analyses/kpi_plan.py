"""KPIs resolved for one log: scope, periods, break-down, and what their parts look names up in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.calendar import Calendar
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.contact_plan import ContactPlan, plan_contacts
from percorso.analyses.opening_hours import OpeningHours
from percorso.analyses.purchases import day_calendar
from percorso.analyses.relationship import LapseLimits
from percorso.analyses.select import ScopePlan, plan_scope
from percorso.analyses.spec import Scope
from percorso.kernels.arrays import I64
from percorso.store.journey_log import JourneyLog

__all__ = ["KpiPlan", "plan_kpis"]


@dataclass(frozen=True, slots=True)
class KpiPlan:
    """KPIs resolved for one log.

    Parameters
    ----------
    scope : ScopePlan
        Without a period: what follows on a cart or an order may come after it.
    starts, ends : int64 array, shape (n_periods,)
        The periods, ascending.
    by : GlobalCodes or None
        Values of the break-down.
    basis : Basis
    places : ContactPlan
        Contacts by place, without a period.
    channels : GlobalCodes
    days : Calendar
        Of days, up to that of the as-of time.
    lapse : LapseLimits or None
        When customers are at risk, and lost; None where no KPI asks.
    log_as_of_us : int
        The log's own as-of time.
    is_compared : bool
        Of the period that another one is compared with.
    hours : OpeningHours
        When service is open; by default always.
    """

    scope: ScopePlan
    starts: I64
    ends: I64
    by: GlobalCodes | None
    basis: Basis
    places: ContactPlan
    channels: GlobalCodes
    days: Calendar
    lapse: LapseLimits | None = None
    log_as_of_us: int = 0
    is_compared: bool = False
    hours: OpeningHours = field(default_factory=OpeningHours)

    @property
    def n_values(self) -> int:
        return 1 if self.by is None else len(self.by.values)

    @property
    def n_cells(self) -> int:
        return len(self.starts) * self.n_values

    @property
    def timezone(self) -> str:
        """Whose days tell orders apart."""
        return self.days.timezone

    @property
    def by_person(self) -> bool:
        return self.by is not None and self.by.table == "persons"


def plan_kpis(scope: Scope, log: JourneyLog, basis: Basis, periods: Sequence[tuple[int, int]]) -> KpiPlan:
    """Resolve a scope for some periods, in any order but apart from each other."""
    whole = replace(scope, start="", end="")
    plan = plan_scope(whole, log, basis)
    ordered = np.array(sorted(periods), np.int64).reshape(-1, 2)
    by = None
    if scope.by.startswith("person."):
        by = global_codes(log, scope.by.removeprefix("person."), table="persons")
    elif scope.by:
        by = global_codes(log, scope.by, with_nobody=True)
    return KpiPlan(
        plan,
        ordered[:, 0].copy(),
        ordered[:, 1].copy(),
        by,
        basis,
        places=replace(
            plan_contacts(replace(whole, by="", where="", persons="", persona=""), log, "place"), scope=plan, whole=plan
        ),
        channels=global_codes(log, "channel", with_nobody=True),
        days=day_calendar(log, scope.timezone, plan.as_of_us),
        log_as_of_us=log.as_of_us,
    )
