"""Funnel: how many get from step to step, how fast, and who they are.

Defined in docs/reference/funnel.md. The naive twin of its kernels is tests/naive/funnel.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.durations import N_BINS, count_in_bins, ranked_values
from percorso.analyses.funnel_plan import Attempts, FunnelPlan, attempts_in, plan_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.intervals import FEW, wilson
from percorso.analyses.kept import Kept, n_bytes
from percorso.analyses.log_facts import values_of_persons
from percorso.analyses.orders_in import order_fields, total_orders
from percorso.analyses.people import PersonTask
from percorso.analyses.quantiles import find_quantiles
from percorso.analyses.result import Result
from percorso.analyses.scope_warnings import nearest_said
from percorso.analyses.step_terms import step_values
from percorso.engines.buckets import fold_buckets
from percorso.errors import NotFound, SpecError, nearest_hint
from percorso.kernels.arrays import I32, I64, Bools
from percorso.language.said import Codes, said
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["FunnelPartial", "FunnelSpec", "funnel_people", "run_funnel"]

#: So many times between steps are kept from the counting pass (8 bytes each); others are found again in each pass, so
#: that memory stays bounded.
KEPT_TIMES = 1 << 24

#: Group and time of each time between steps of one bucket, by step.
Times: TypeAlias = tuple[tuple[I32, I64], ...]

#: Columns of the time from the step before.
_TIMES = ("median_s", "p90_s")


@dataclass(frozen=True, slots=True)
class FunnelPartial:
    """What one bucket, or several, add to a funnel.

    Parameters
    ----------
    reached : int64 array, shape (n_groups, n_steps)
        Attempts that did the step.
    ended : int64 array, shape (n_groups, n_steps)
        Attempts for which it was the furthest.
    bins : int64 array, shape (n_steps, N_BINS)
        Times to the step, in bins; of no rows with a break-down.
    timed : int64 array, shape (n_groups, n_steps)
        How many times there are.
    """

    reached: I64
    ended: I64
    bins: I64
    timed: I64

    def merge(self, other: FunnelPartial) -> FunnelPartial:
        return FunnelPartial(
            self.reached + other.reached, self.ended + other.ended, self.bins + other.bins, self.timed + other.timed
        )


def run_funnel(spec: FunnelSpec, log: JourneyLog, basis: Basis | None = None, *, threads: int | None = None) -> Result:
    """Answer a funnel.

    Parameters
    ----------
    spec : FunnelSpec
    log : JourneyLog
    basis : Basis, optional
        With it, and not for `counts_only`, the totals hold orders and value of the scope, whether they came through
        the funnel or not.
    threads : int, optional

    Returns
    -------
    Result
        Table ``steps``: position, step, count, share (of step 1) with its 95 % interval low and high,
        from_previous (share of the required step before), dropped (it was their last), median_s and p90_s from
        the step before (neither for `counts_only`); with a break-down its value before them.
    """
    plan = plan_funnel(spec, log, basis)
    times = Kept(lambda bucket: _times(plan, bucket, attempts_in(plan, bucket)), _n_bytes, 8 * KEPT_TIMES)
    total = fold_buckets(
        log, lambda bucket: _count(plan, bucket, times), FunnelPartial.merge, _empty(plan), threads=threads
    )
    quantiles = None if spec.counts_only else _quantiles(plan, log, total, times, threads)
    answer = _result(spec, plan, log, total, quantiles)
    if basis is None or spec.counts_only:
        return answer
    fields, warnings = order_fields(*total_orders(plan.scope, log, basis, threads=threads), basis)
    return replace(answer, totals={**answer.totals, **fields}, warnings=(*answer.warnings, *warnings))


def funnel_people(
    spec: FunnelSpec,
    log: JourneyLog,
    step: int | str,
    *,
    dropped: bool = False,
    group: str = "",
    basis: Basis | None = None,
) -> PersonTask:
    """The persons behind a step.

    Parameters
    ----------
    spec : FunnelSpec
    log : JourneyLog
    step : int or str
        Its position from 1, or its text.
    dropped : bool
        Only those for whom it was the furthest.
    group : str
        The break-down's value.
    basis : Basis, optional
        As of `run_funnel`.
    """
    position = _position(spec, step)
    plan = plan_funnel(spec, log, basis)
    code = 0
    if plan.by is not None:
        if group not in plan.by.values:
            raise NotFound(f"No attempt has {spec.scope.by} '{group}'.", hint=nearest_hint(group, plan.by.values))
        code = plan.by.values.index(group)

    def marked(bucket: Bucket) -> Bools:
        attempts = attempts_in(plan, bucket)
        bit = attempts.visited >> np.uint32(position - 1)
        chosen = (bit == 1) if dropped else (bit & np.uint32(1)) == 1
        if plan.by is not None:
            chosen &= _groups(plan, bucket, attempts) == code
        return _persons(attempts, chosen, bucket.n_persons)

    return marked


def _position(spec: FunnelSpec, step: int | str) -> int:
    if isinstance(step, str) and not step.isdigit():
        if step not in spec.steps:
            raise NotFound(f"The funnel has no step '{step}'.", hint=nearest_hint(step, spec.steps))
        return spec.steps.index(step) + 1
    if not 1 <= int(step) <= len(spec.steps):
        raise SpecError(f"The funnel has no step {step}.", hint=f"Steps count from 1 to {len(spec.steps)}.")
    return int(step)


def _persons(attempts: Attempts, chosen: Bools, n_persons: int) -> Bools:
    if attempts.unit is None:
        return attempts.units.person_mask(chosen, n_persons)
    of_unit = np.zeros(len(attempts.units), np.bool_)
    of_unit[attempts.unit[chosen]] = True
    return attempts.units.person_mask(of_unit, n_persons)


def _groups(plan: FunnelPlan, bucket: Bucket, attempts: Attempts) -> I32:
    """Global code of the break-down's value of each attempt (of no meaning where `visited` is 0)."""
    assert plan.by is not None
    if plan.by.table == "events":
        local = bucket.events.values(plan.by.column).take(np.maximum(attempts.begin, 0)) if bucket.n_events else None
    else:
        unit = np.arange(len(attempts.visited)) if attempts.unit is None else attempts.unit
        person = unit if attempts.units.persons is None else attempts.units.persons.take(unit)
        local = bucket.persons.values(plan.by.column).take(person)
    if local is None:
        return np.zeros(len(attempts.visited), np.int32)
    return plan.by.lut(bucket).take(local)


def _count(plan: FunnelPlan, bucket: Bucket, kept: Kept[Times]) -> FunnelPartial:
    n_steps = len(plan.steps)
    attempts = attempts_in(plan, bucket)
    if plan.by is None:
        by_visited = np.bincount(attempts.visited, minlength=2) if len(attempts.visited) else np.zeros(2, np.int64)
        seen = np.flatnonzero(by_visited)
        reached, ended = _add_up(np.zeros(len(seen), np.int64), seen, by_visited[seen], 1, n_steps)
        bins = _empty_bins(plan)
        for row, gaps in zip(bins, attempts.gaps, strict=False):
            row[:] = count_in_bins(gaps)
    else:
        groups = _groups(plan, bucket, attempts)
        pairs, counts = np.unique(groups.astype(np.int64) << 32 | attempts.visited.astype(np.int64), return_counts=True)
        reached, ended = _add_up(pairs >> 32, pairs & 0xFFFFFFFF, counts, len(plan.by.values), n_steps)
        bins = _empty_bins(plan)
    timed = np.zeros_like(reached)
    if not plan.counts_only:
        times = _times(plan, bucket, attempts)
        kept.put(bucket, times)
        for step, (group, values) in enumerate(times):
            timed[:, step] = len(values) if plan.by is None else np.bincount(group, minlength=len(reached))
    return FunnelPartial(reached, ended, bins, timed)


def _n_bytes(times: Times) -> int:
    return sum(map(n_bytes, times))


def _add_up(group: I64, visited: I64, count: I64, n_groups: int, n_steps: int) -> tuple[I64, I64]:
    """Counts of (group, set of steps) as counts of steps reached and of furthest steps, shapes (n_groups, n_steps)."""
    reached = np.zeros((n_groups, n_steps), np.int64)
    ended = np.zeros((n_groups, n_steps), np.int64)
    shifted = visited[:, None] >> np.arange(n_steps)
    np.add.at(reached, group, (shifted & 1) * count[:, None])
    np.add.at(ended, group, (shifted == 1) * count[:, None])
    return reached, ended


def _times(plan: FunnelPlan, bucket: Bucket, attempts: Attempts) -> Times:
    if plan.by is None:
        # Every time is of group 0; copied, because a view would keep the kernel's whole array.
        return tuple((np.empty(0, np.int32), times.copy()) for times in attempts.gaps)
    groups = _groups(plan, bucket, attempts)
    # A time to step s is there for attempts that did s and any step before it.
    did = [
        (attempts.visited >> np.uint32(s) & np.uint32(1) == 1) & (attempts.visited & np.uint32((1 << s) - 1) != 0)
        for s in range(len(plan.steps))
    ]
    return tuple((groups[mask], times.copy()) for mask, times in zip(did, attempts.gaps, strict=True))


def _empty(plan: FunnelPlan) -> FunnelPartial:
    n_groups, n_steps = 1 if plan.by is None else len(plan.by.values), len(plan.steps)
    zero = np.zeros((n_groups, n_steps), np.int64)
    return FunnelPartial(zero, zero, _empty_bins(plan), zero)


def _empty_bins(plan: FunnelPlan) -> I64:
    """One row of bins a step; none where times are not asked for, or by group."""
    n_steps = 0 if plan.by is not None or plan.counts_only else len(plan.steps)
    return np.zeros((n_steps, N_BINS), np.int64)


def _quantiles(plan: FunnelPlan, log: JourneyLog, total: FunnelPartial, times: Kept[Times], threads: int | None) -> I64:
    """Median and 90th percentile to each step, µs, int64 of shape (n_groups, n_steps, 2); -1 for none."""
    every = [times.get(bucket) for bucket in log.buckets]
    if plan.by is not None or None in every:
        return _grouped_quantiles(plan, log, total, times, threads)
    # Fast where all times are in memory: each step's bins say where to look.
    answers = np.full((1, len(plan.steps), 2), -1, np.int64)
    for step in range(1, len(plan.steps)):
        ranked = ranked_values(total.bins[step], [one[step][1] for one in every if one is not None])
        if ranked is not None:
            answers[0, step] = ranked
    return answers


def _grouped_quantiles(
    plan: FunnelPlan, log: JourneyLog, total: FunnelPartial, times: Kept[Times], threads: int | None
) -> I64:
    n_groups, n_steps = total.timed.shape

    def flat(bucket: Bucket) -> tuple[I32, I64]:
        mine = times(bucket)
        keys = [_keys(groups, len(values), step, n_steps) for step, (groups, values) in enumerate(mine)]
        return np.concatenate(keys), np.concatenate([values for _, values in mine])

    return find_quantiles(log, flat, total.timed.reshape(-1), threads=threads).reshape(n_groups, n_steps, 2)


def _keys(groups: I32, n: int, step: int, n_steps: int) -> I32:
    """Group and step of each time to a step; without a break-down all are of group 0."""
    if len(groups) != n:
        return np.full(n, step, np.int32)
    return (groups * n_steps + step).astype(np.int32)


def _result(spec: FunnelSpec, plan: FunnelPlan, log: JourneyLog, total: FunnelPartial, quantiles: I64 | None) -> Result:
    groups: Iterable[int] = range(1)
    if plan.by is not None:
        groups = [int(g) for g in np.argsort(-total.reached[:, 0], kind="stable") if total.reached[g, 0]]
    rows = [
        {**({spec.scope.by: plan.by.values[g]} if plan.by is not None else {}), **row}
        for g in groups
        for row in _rows(spec, total.reached[g], total.ended[g], None if quantiles is None else quantiles[g])
    ]
    schema = _schema(spec)
    entered, converted = int(total.reached[:, 0].sum()), int(total.reached[:, -1].sum())
    totals = {"unit": spec.count, "entered": entered, "converted": converted}
    table = pa.Table.from_pylist(rows, schema=schema)
    return Result(
        {"steps": table}, spec, log.data_version, plan.scope.as_of_us, totals, _warnings(spec, plan, log, entered)
    )


def _schema(spec: FunnelSpec) -> pa.Schema:
    whole, share = ("position", "count", "dropped"), ("share", "low", "high", "from_previous", *_TIMES)
    order = (
        "position", "step", "count", "share", "low", "high", "from_previous", "dropped", *_TIMES,
    )  # fmt: skip
    kinds = {**dict.fromkeys(whole, pa.int64()), **dict.fromkeys(share, pa.float64()), "step": pa.string()}
    shown = order[: -len(_TIMES)] if spec.counts_only else order
    names = (*((spec.scope.by,) if spec.scope.by else ()), *shown)
    return pa.schema([pa.field(name, kinds.get(name, pa.string())) for name in names])


def _rows(spec: FunnelSpec, reached: I64, ended: I64, quantiles: I64 | None) -> list[dict[str, Any]]:
    rows = []
    entered = previous = int(reached[0])
    for step, name in enumerate(spec.steps):
        count = int(reached[step])
        interval = wilson(count, entered) or (None, None)
        times = () if quantiles is None else (float(time) / 1e6 if time >= 0 else None for time in quantiles[step])
        rows.append(
            {
                "position": step + 1,
                "step": name,
                "count": count,
                "share": count / entered if entered else None,
                "low": interval[0],
                "high": interval[1],
                "from_previous": count / previous if previous else None,
                "dropped": int(ended[step]) if step < len(spec.steps) - 1 else 0,
                **dict(zip(_TIMES, times, strict=False)),
            }
        )
        if name not in spec.optional:
            previous = count
    return rows


def _warnings(spec: FunnelSpec, plan: FunnelPlan, log: JourneyLog, entered: int) -> tuple[str, ...]:
    warnings: list[str] = []
    for field, value in dict.fromkeys(pair for step in plan.steps for pair in step_values(step)):
        table, column = ("persons", field.removeprefix("person.")) if field.startswith("person.") else ("events", field)
        known = values_of_persons(log, column, table=table)
        if value not in known:
            hint = nearest_said(value, (one for one in known if one))
            warnings.append(said("warnings.step_nothing_has", field=field, value=value, hint=hint))
    if 0 < entered < FEW:
        unit = Codes("unit", (spec.count,), 1)
        warnings.append(said("warnings.few_attempts", n=entered, unit=unit, few=FEW))
    return tuple(warnings)
