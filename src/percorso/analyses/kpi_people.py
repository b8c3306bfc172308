"""The persons behind a KPI: those that its numerator counts, or whose things it counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.kpi_catalogue import KpiInputs, adding_up, kpi_named
from percorso.analyses.kpi_facts import Facts, Things
from percorso.analyses.kpi_feedback import SURVEYS
from percorso.analyses.kpi_plan import KpiPlan
from percorso.analyses.kpi_sums import Adding
from percorso.analyses.kpis import KpisSpec, asked_periods, plan_with_limits
from percorso.analyses.people import PersonTask
from percorso.errors import NotFound, SpecError, nearest_hint
from percorso.kernels.arrays import I32, I64, Bools
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["kpi_people"]

_LISTED = ("total", "share", "ratio", "cost", "return")


class _Marking(Facts):
    """Facts that mark whom one sum is of, instead of adding anything up."""

    def __init__(self, plan: KpiPlan, bucket: Bucket, name: str, cell: int) -> None:
        super().__init__(plan, bucket, Adding(plan.n_cells))
        self._name, self._cell = name, cell
        self.marked: Bools = np.zeros(bucket.n_persons, np.bool_)

    def _add(self, name: str, things: Things, weight: I64, wanted: Bools) -> None:
        if name != self._name:
            return
        counted = things.cell == self._cell
        for part in (weight != 0, wanted):
            if part.size:
                counted &= part
        self.marked[things.person[counted]] = True

    def add_columns(self, names: tuple[str, ...], cell: I32, person: I32, values: I32) -> None:
        for name, weight in zip(names, values.T, strict=True):
            self.add(name, cell, person, weight)

    def add_persons(self, name: str, cell: I32, person: I32) -> None:
        self.add(name, cell, person)

    def add_spans(
        self, name: str, cell: I32, keys: I64, *, only: Bools | None = None, weights: I64 | None = None
    ) -> None:
        return


def kpi_people(
    spec: KpisSpec, log: JourneyLog, basis: Basis, key: str, *, group: str = "", threads: int | None = None
) -> tuple[PersonTask, int]:
    """The task that marks the persons of a KPI, and the as-of time, µs UTC.

    Parameters
    ----------
    spec : KpisSpec
        Its period and conditions.
    log : JourneyLog
    basis : Basis
    key : str
        Of the KPI.
    group : str
        The break-down's value.
    threads : int, optional

    Raises
    ------
    SpecError
        There is no such KPI, or it is no number of anybody (a median, a bill).
    NotFound
        The break-down has no such value.
    """
    kpi = kpi_named(key)
    if kpi.how not in _LISTED or kpi.needs == "spend" or kpi in SURVEYS or kpi.key in ("persons", "events"):
        raise SpecError(
            f"There is no list of persons behind {key}.",
            hint="Ask for one that counts persons, orders, carts or contacts, such as at_risk or cart_abandonment.",
        )
    period = asked_periods(spec, log)[-1]
    plan = plan_with_limits((kpi,), spec, log, basis, (period,), threads)
    cell = 0
    if plan.by is not None:
        values = plan.by.values
        wanted = "" if group == "(none)" else group
        if wanted not in values:
            raise NotFound(f"Nothing has {spec.scope.by} '{group}'.", hint=nearest_hint(group, values))
        cell = values.index(wanted)
    adds = adding_up((kpi,))
    return _task(plan, kpi.top, cell, adds), plan.scope.as_of_us


def _task(plan: KpiPlan, name: str, cell: int, adds: tuple[Callable[[Facts, KpiInputs], None], ...]) -> PersonTask:
    def task(bucket: Bucket) -> Bools:
        facts = _Marking(plan, bucket, name, cell)
        for add in adds:
            add(facts, KpiInputs())
        return facts.marked

    return task
