"""Retention: of the persons who began in a period, how many come back in each period after it.

Defined in docs/reference/retention.md. The plain twin is tests/naive/retention.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.breakdown import group_code
from percorso.analyses.intervals import FEW, wilson
from percorso.analyses.jackknife import N_GROUPS, share_interval
from percorso.analyses.orders_in import order_fields, total_orders
from percorso.analyses.people import PersonTask
from percorso.analyses.result import Result
from percorso.analyses.retention_counts import Counted, count_cohorts, merge_counted, persons_in_cohort
from percorso.analyses.retention_plan import (
    MOST_PERIODS,
    WITHIN_DAYS,
    RetentionPlan,
    RetentionSpec,
    plan_retention,
)
from percorso.analyses.survival import N_KINDS, TOO_YOUNG, curve_of, watched_enough
from percorso.analyses.tallies import Tally, merge_tallies
from percorso.engines.buckets import sum_buckets
from percorso.errors import NotFound, SpecError, nearest_hint
from percorso.kernels.arrays import I64
from percorso.language.said import Said, said
from percorso.store.journey_log import JourneyLog

__all__ = ["WITHIN_DAYS", "RetentionSpec", "retention_people", "run_retention"]

_COUNT, _SHARE, _TEXT = pa.int64(), pa.float64(), pa.string()
_SHARES = {"share": _SHARE, "low": _SHARE, "high": _SHARE}
_COHORTS = {"cohort": _TEXT, "size": _COUNT, "k": _COUNT, "persons": _COUNT, **_SHARES, "complete": pa.bool_()}
_AVERAGE = {"k": _COUNT, "cohorts": _COUNT, "size": _COUNT, "persons": _COUNT, **_SHARES}
_REPEAT = {
    "cohort": _TEXT,
    **dict.fromkeys(("size", "within_days"), _COUNT),
    **dict.fromkeys(("rate", "low", "high"), _SHARE),
    "missing": _TEXT,
}


def run_retention(
    spec: RetentionSpec, log: JourneyLog, basis: Basis | None = None, *, threads: int | None = None
) -> Result:
    """Answer a retention.

    Returns
    -------
    Result
        Tables ``cohorts`` (cohort, size, k, persons, share, low, high, complete), ``average`` (k, cohorts, size,
        persons, share, low, high) and, for orders, ``repeat`` (cohort, size, within_days, rate, low, high,
        missing); with a break-down its value before them.
    """
    basis = Basis() if basis is None else basis
    plan = plan_retention(spec, log, basis)
    counted = sum_buckets(log, lambda bucket: count_cohorts(plan, bucket), merge_counted, threads=threads)
    tables = {
        "cohorts": _table(plan, _COHORTS, _cohort_rows(plan, counted)),
        "average": _table(plan, _AVERAGE, _average_rows(plan, counted)),
    }
    if spec.is_of_orders:
        tables["repeat"] = _table(plan, _REPEAT, _repeat_rows(plan, counted))
    fields, warnings = order_fields(*total_orders(plan.scope, log, basis, threads=threads), basis)
    totals = {"persons": counted.n_persons, "n_cohorts": len(np.unique(_cohorts_of(plan, counted))), **fields}
    told = (*_warnings(plan, counted), *warnings)
    return Result(tables, spec, log.data_version, plan.scope.as_of_us, totals, told)


def _cohorts_of(plan: RetentionPlan, counted: Counted) -> I64:
    return counted.sizes.keys % len(plan.calendar)


def _warnings(plan: RetentionPlan, counted: Counted) -> list[str]:
    cohorts, few = len(counted.sizes.counts), int((counted.sizes.counts < FEW).sum())
    told: list[str] = [said("warnings.few_cohorts", n=few, of=cohorts, few=FEW)] if few else []
    edges = (plan.scope.start_us, min(plan.scope.end_us, plan.scope.as_of_us + 1))
    inside = [edge for edge in edges if plan.calendar.starts[0] < edge <= plan.scope.as_of_us]
    if any(edge not in plan.calendar.starts for edge in inside):
        told.append(_not_whole(plan.spec.unit))
    return told


def _not_whole(unit: str) -> Said:
    match unit:
        case "day":
            return said("warnings.cohort_not_whole_day")
        case "week":
            return said("warnings.cohort_not_whole_week")
        case _:
            return said("warnings.cohort_not_whole_month")


def _table(plan: RetentionPlan, kinds: dict[str, pa.DataType], rows: Iterator[dict[str, Any]]) -> pa.Table:
    """Rows as a table, the break-down's value first."""
    first = {} if plan.by is None else {plan.spec.scope.by: _TEXT}
    schema = pa.schema([pa.field(name, kind) for name, kind in {**first, **kinds}.items()])
    return pa.Table.from_pylist(list(rows), schema=schema)


def _head(plan: RetentionPlan, group: int) -> dict[str, Any]:
    return {} if plan.by is None else {plan.spec.scope.by: plan.by.values[group]}


def _share(hits: int, n: int) -> dict[str, Any]:
    low, high = wilson(hits, n) or (None, None)
    return {"share": hits / n if n else None, "low": low, "high": high}


def _groups(plan: RetentionPlan, counted: Counted) -> dict[int, dict[int, int]]:
    """Sizes by group and cohort, both ascending."""
    found: dict[int, dict[int, int]] = {}
    for key, size in zip(counted.sizes.keys.tolist(), counted.sizes.counts.tolist(), strict=True):
        group, cohort = divmod(key, len(plan.calendar))
        found.setdefault(group, {})[cohort] = size
    return found


def _returned(plan: RetentionPlan, counted: Counted) -> dict[tuple[int, int, int], int]:
    """Persons who came back by group, cohort and k."""
    width, n = MOST_PERIODS + 1, len(plan.calendar)
    return {
        (key // width // n, key // width % n, key % width): count
        for key, count in zip(counted.returned.keys.tolist(), counted.returned.counts.tolist(), strict=True)
    }


def _cohort_rows(plan: RetentionPlan, counted: Counted) -> Iterator[dict[str, Any]]:
    returned = _returned(plan, counted)
    for group, sizes in _groups(plan, counted).items():
        for cohort, size in sizes.items():
            for k in range(plan.spec.periods + 1):
                complete = plan.is_complete(cohort, k)
                row = {**_head(plan, group), "cohort": plan.calendar.label(cohort), "size": size, "k": k}
                persons = returned.get((group, cohort, k), 0)
                yield row | {"complete": complete} | ({"persons": persons} | _share(persons, size) if complete else {})


def _average_rows(plan: RetentionPlan, counted: Counted) -> Iterator[dict[str, Any]]:
    """Over the cohorts whose k-th period is complete, weighted by their size."""
    returned = _returned(plan, counted)
    for group, sizes in _groups(plan, counted).items():
        for k in range(plan.spec.periods + 1):
            whole = [cohort for cohort in sizes if plan.is_complete(cohort, k)]
            size = sum(sizes[cohort] for cohort in whole)
            persons = sum(returned.get((group, cohort, k), 0) for cohort in whole)
            row = {**_head(plan, group), "k": k, "cohorts": len(whole), "size": size, "persons": persons}
            row |= _share(persons, size)
            yield row | _jackknife(counted, group, k) if plan.spec.recurring else row


def _jackknife(counted: Counted, group: int, k: int) -> dict[str, Any]:
    """Interval of an average of persons who stand in several cohorts."""
    first = (group * (MOST_PERIODS + 1) + k) * N_GROUPS * 2
    mine = counted.by_person_group.of(first, first + N_GROUPS * 2)
    sums = np.zeros(N_GROUPS * 2, np.int64)
    sums[mine.keys] = mine.counts
    low, high = share_interval(sums[::2], sums[1::2]) or (None, None)
    return {"low": low, "high": high}


def _repeat_rows(plan: RetentionPlan, counted: Counted) -> Iterator[dict[str, Any]]:
    """Kaplan-Meier of all cohorts together (cohort ""), and of each."""
    n, width, steps = len(plan.calendar), len(plan.days) * N_KINDS, len(WITHIN_DAYS) + 1

    def part(counts: Tally, cell: int, wide: int) -> Tally:
        return counts.of(cell * wide, (cell + 1) * wide)

    for group, sizes in _groups(plan, counted).items():
        each = {
            cohort: (part(counted.spans, group * n + cohort, width), part(counted.ages, group * n + cohort, steps))
            for cohort in sizes
        }
        spans, ages = (merge_tallies(pair[at] for pair in each.values()) for at in (0, 1))
        yield from _rates({**_head(plan, group), "cohort": ""}, spans, ages)
        for cohort, pair in each.items():
            yield from _rates({**_head(plan, group), "cohort": plan.calendar.label(cohort)}, *pair)


def _rates(head: dict[str, Any], spans: Tally, ages: Tally) -> Iterator[dict[str, Any]]:
    """Within each of WITHIN_DAYS, as far as enough have been watched for it."""
    curve, n = curve_of(spans), spans.total
    for at, days in enumerate(WITHIN_DAYS):
        row: dict[str, Any] = {**head, "size": n, "within_days": days}
        rate = curve.by(days) if watched_enough(n, int(ages.counts[ages.keys > at].sum())) else None
        if rate is None:
            yield row | {"missing": TOO_YOUNG}
            continue
        low, high = curve.interval_by(days) or (None, None)
        yield row | {"rate": rate, "low": low, "high": high}


def retention_people(
    spec: RetentionSpec,
    log: JourneyLog,
    cohort: str,
    k: int | None = None,
    *,
    stayed: bool = True,
    group: str = "",
    basis: Basis | None = None,
) -> PersonTask:
    """The persons of a cohort; with `k` those who came back then, or with `stayed` False those who did not.

    Parameters
    ----------
    spec : RetentionSpec
    log : JourneyLog
    cohort : str
        As the table shows it: "2024-03", or its first day.
    k : int, optional
    stayed : bool
    group : str
        The break-down's value.
    basis : Basis, optional
        Needed by some rules of persons.
    """
    plan = plan_retention(spec, log, basis or Basis())
    labels = {plan.calendar.label(position): position for position in range(len(plan.calendar))}
    if cohort not in labels:
        raise NotFound(f"There is no cohort '{cohort}'.", hint=nearest_hint(cohort, labels))
    position, code = labels[cohort], group_code(plan.by, spec.scope.by, group)
    if k is not None and not 0 <= k <= spec.periods:
        raise SpecError(f"There is no period {k} after a start here.", hint=f"Choose 0 to {spec.periods}.")
    if k is not None and not plan.is_complete(position, k):
        raise NotFound("That period has not ended: who comes back in it is not known.", hint="Choose an earlier one.")
    return lambda bucket: persons_in_cohort(plan, bucket, code, position, k, stayed=stayed)
