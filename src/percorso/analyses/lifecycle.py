"""Lifecycle: who is new, comes back or falls silent; stickiness; relationships and churn.

Defined in docs/reference/lifecycle.md. The plain twin is tests/naive/lifecycle.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, reduce
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.calendar import Calendar, calendar_of
from percorso.analyses.intervals import FEW, wilson
from percorso.analyses.lifecycle_counts import (
    STATES,
    LifecycleCounts,
    count_lifecycle,
    persons_in_relationship,
    persons_in_state,
)
from percorso.analyses.lifecycle_plan import LifecyclePlan, LifecycleSpec, plan_lifecycle
from percorso.analyses.orders_in import order_fields, total_orders
from percorso.analyses.people import PersonTask
from percorso.analyses.relationship import ALL_RELATIONSHIPS, NEVER, knows_lost
from percorso.analyses.result import Result
from percorso.analyses.survival import TOO_YOUNG
from percorso.engines.buckets import sum_buckets
from percorso.errors import NotFound, SpecError, nearest_hint
from percorso.kernels.arrays import I64
from percorso.language.said import said
from percorso.store.journey_log import JourneyLog

__all__ = ["LifecycleSpec", "lifecycle_people", "run_lifecycle"]

#: Why an interval has no churn, beside TOO_YOUNG: it had not ended; too few ordered again to say who is lost.
_NOT_OVER, _NO_LIMITS = "not_over", "no_limits"

_COUNT, _SHARE, _TEXT = pa.int64(), pa.float64(), pa.string()
_INTERVALS = {
    "interval": _TEXT,
    **dict.fromkeys(("active", *STATES), _COUNT),
    "quick_ratio": _SHARE,
    **dict.fromkeys(("customers", "lost"), _COUNT),
    **dict.fromkeys(("churn", "low", "high"), _SHARE),
    "missing": _TEXT,
    "complete": pa.bool_(),
}
_STICKY = {"intervals": _COUNT, "persons": _COUNT, "share": _SHARE, "at_least": _SHARE}
_RATIOS = {"period": _TEXT, "begins": _TEXT, "active": _COUNT, "daily": _SHARE, "ratio": _SHARE}
_RELATIONSHIPS = {"relationship": _TEXT, "persons": _COUNT, "identified": _COUNT, "share": _SHARE}


def run_lifecycle(
    spec: LifecycleSpec, log: JourneyLog, basis: Basis | None = None, *, threads: int | None = None
) -> Result:
    """Answer a question about the lifecycle.

    Returns
    -------
    Result
        Tables ``intervals``, ``stickiness``, ``ratios``, ``relationships`` and ``limits``
        (docs/reference/lifecycle.md has their columns).
    """
    basis = Basis() if basis is None else basis
    plan = plan_lifecycle(spec, log, basis, threads=threads)
    counts = sum_buckets(
        log, lambda bucket: count_lifecycle(plan, bucket), partial(reduce, LifecycleCounts.merge), threads=threads
    )
    ratios = [*_ratio_rows(plan, counts, "week", counts.weekly), *_ratio_rows(plan, counts, "month", counts.monthly)]
    tables = {
        "intervals": _table(_INTERVALS, _interval_rows(plan, counts)),
        "stickiness": _table(_STICKY, _sticky_rows(plan, counts)),
        "ratios": _table(_RATIOS, iter(ratios)),
        "relationships": _table(_RELATIONSHIPS, _relationship_rows(counts)),
        "limits": plan.limits.table,
    }
    fields, warnings = order_fields(*total_orders(plan.scope, log, basis, threads=threads), basis)
    whole = _churn(counts, -1, _why_no_churn(plan, plan.first))
    totals = {"persons": int(counts.relationships[:, 0].sum()), **whole, **_means(ratios), **fields}
    told = (*_warnings(plan, counts, tables["intervals"]), *warnings)
    return Result(tables, spec, log.data_version, plan.scope.as_of_us, totals, told)


def _table(kinds: dict[str, pa.DataType], rows: Iterator[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=pa.schema([pa.field(*one) for one in kinds.items()]))


def _warnings(plan: LifecyclePlan, counts: LifecycleCounts, intervals: pa.Table) -> list[str]:
    told: list[str] = []
    if plan.limits.table.column("at_risk_days")[0].as_py() is None:
        told.append(said("warnings.few_limits", few=FEW))
    young = intervals.column("missing").to_pylist().count(TOO_YOUNG)
    if young:
        days = plan.limits.table.column("lost_days")[0].as_py()
        told.append(said("warnings.young_orders", n=young, of=len(intervals), days=days))
    if not counts.states[:3, plan.first : plan.last].any():
        told.append(said("warnings.nobody_active"))
    return told


def _interval_rows(plan: LifecyclePlan, counts: LifecycleCounts) -> Iterator[dict[str, Any]]:
    for interval in range(plan.first, plan.last):
        new, returning, resurrecting, dormant = (int(count) for count in counts.states[:, interval])
        row = {"interval": plan.calendar.label(interval), "active": new + returning + resurrecting, "new": new}
        row |= {"returning": returning, "resurrecting": resurrecting}
        complete = plan.is_complete(interval)
        if complete:  # who has not come yet may still come
            ratio = (new + resurrecting) / dormant if dormant else None
            row |= {"dormant": dormant, "quick_ratio": ratio}
        missing = _why_no_churn(plan, interval) if complete else _NOT_OVER
        churn = _churn(counts, interval - plan.first, missing) if complete else {}
        yield row | churn | {"complete": complete, "missing": missing}


def _why_no_churn(plan: LifecyclePlan, interval: int) -> str | None:
    """Why nothing is known of those lost from an interval's beginning on; None where it is."""
    if (plan.limits.lost == NEVER).all():
        return _NO_LIMITS
    return None if knows_lost(plan.limits, int(plan.calendar.starts[interval])) else TOO_YOUNG


def _churn(counts: LifecycleCounts, at: int, missing: str | None) -> dict[str, Any]:
    """Customers at the beginning and those of them who are lost at the end, where these are known."""
    customers, lost = int(counts.active[at]), int(counts.lost[at])
    if missing is not None:
        return {"customers": customers, "lost": None, "churn": None, "low": None, "high": None}
    low, high = wilson(lost, customers) or (None, None)
    share = lost / customers if customers else None
    return {"customers": customers, "lost": lost, "churn": share, "low": low, "high": high}


def _sticky_rows(plan: LifecyclePlan, counts: LifecycleCounts) -> Iterator[dict[str, Any]]:
    """Over the complete intervals that are shown."""
    total = int(counts.sticky[1:].sum())
    left = total
    complete = sum(plan.is_complete(interval) for interval in range(plan.first, plan.last))
    for times, persons in enumerate(counts.sticky[: complete + 1].tolist()):
        if times and total:
            yield {"intervals": times, "persons": persons, "share": persons / total, "at_least": left / total}
            left -= persons


def _ratio_rows(plan: LifecyclePlan, counts: LifecycleCounts, unit: str, active: I64) -> Iterator[dict[str, Any]]:
    """Complete weeks, or months, that begin in the shown intervals: active persons, and how many of them on a day."""
    larger = calendar_of(unit, plan.days.timezone, int(plan.days.starts[0]), plan.scope.as_of_us)
    begin, end = int(plan.calendar.starts[plan.first]), int(plan.calendar.starts[plan.last])
    for at in range(len(larger)):
        if begin <= larger.starts[at] < end and larger.has_ended(at, plan.scope.as_of_us):
            first, last = (_day_at(plan.days, int(larger.starts[edge])) for edge in (at, at + 1))
            daily, n = float(counts.daily[first:last].mean()), int(active[at])
            row = {"period": unit, "begins": larger.day(at), "active": n, "daily": daily}
            yield row | {"ratio": daily / n if n else None}


def _day_at(days: Calendar, time_us: int) -> int:
    return int(np.searchsorted(days.starts, time_us, side="left"))


def _means(ratios: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean active persons a week and a month, and of how many of them a day, or a week, sees."""
    found: dict[str, Any] = {}
    for unit, name in (("week", "dau_wau"), ("month", "dau_mau")):
        mine = [row for row in ratios if row["period"] == unit]
        active = sum(row["active"] for row in mine)
        found[f"{unit}ly_active"] = active / len(mine) if mine else None
        found[name] = sum(row["daily"] for row in mine) / active if active else None
    weekly, monthly = found["weekly_active"], found["monthly_active"]
    found["wau_mau"] = weekly / monthly if weekly is not None and monthly else None
    return found


def _relationship_rows(counts: LifecycleCounts) -> Iterator[dict[str, Any]]:
    total = int(counts.relationships[:, 0].sum())
    for name, (persons, identified) in zip(ALL_RELATIONSHIPS, counts.relationships.tolist(), strict=True):
        share = persons / total if total else None
        yield {"relationship": name, "persons": persons, "identified": identified, "share": share}


def lifecycle_people(
    spec: LifecycleSpec, log: JourneyLog, what: str, interval: str = "", *, basis: Basis | None = None
) -> PersonTask:
    """The persons in a state in an interval, or with a relationship now.

    Parameters
    ----------
    spec : LifecycleSpec
    log : JourneyLog
    what : str
        "active", one of STATES with an interval; one of ALL_RELATIONSHIPS without. "new" may be both.
    interval : str
        As the table shows it: "2024-03", or its first day.
    basis : Basis, optional
        Needed by some rules of persons.
    """
    known = ("active", *STATES) if interval else ALL_RELATIONSHIPS
    if what not in known:
        hint = nearest_hint(what, known)
        raise SpecError(f"'{what}' is no {'state in an interval' if interval else 'relationship'}.", hint=hint)
    plan = plan_lifecycle(spec, log, basis or Basis())
    if not interval:
        code = ALL_RELATIONSHIPS.index(what)
        return lambda bucket: persons_in_relationship(plan, bucket, code)
    labels = {plan.calendar.label(position): position for position in range(plan.first, plan.last)}
    if interval not in labels:
        raise NotFound(f"There is no interval '{interval}'.", hint=nearest_hint(interval, labels))
    at, state = labels[interval], None if what == "active" else STATES.index(what)
    if what == "dormant" and not plan.is_complete(at):
        raise NotFound("That interval has not ended: who stays away in it is not known.", hint="Choose an earlier one.")
    return lambda bucket: persons_in_state(plan, bucket, state, at)
