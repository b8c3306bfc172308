"""Which time-out suits purchase journeys: how many later buyers each choice would cut off.

Defined in docs/reference/suggest.md. The plain twin is tests/naive/timeouts.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.contacts import inbound_values
from percorso.analyses.intervals import FEW, wilson
from percorso.analyses.outcomes import journeys_of_kind
from percorso.analyses.people import PersonTask
from percorso.analyses.result import Result
from percorso.analyses.select import NO_MASK, ScopePlan, plan_scope, select_events
from percorso.analyses.spec import Scope
from percorso.engines.buckets import sum_buckets
from percorso.errors import SpecError
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.timeouts import find_roles, try_timeouts
from percorso.language.measures import SHARE, Kind, Measure
from percorso.language.said import Figure, Said, said
from percorso.settings import DAY_US
from percorso.store.journey_log import FLAG_ENGAGED, FLAG_GOAL, FLAG_SAME_ORDER, Bucket, JourneyLog

__all__ = ["CANDIDATES_DAYS", "ENOUGH", "TimeoutsSpec", "run_timeouts", "timeouts_people"]

#: Time-outs that are tried.
CANDIDATES_DAYS = (7, 14, 21, 30, 45, 60, 90, 120, 180)

#: A category is told apart if so many of its journeys converted.
ENOUGH = 100

_COUNT, _SHARE, _TEXT = pa.int64(), pa.float64(), pa.string()
_CUT = {"cut_off": _COUNT, "share": _SHARE, "low": _SHARE, "high": _SHARE}
_TIMEOUTS = {
    "timeout_days": _COUNT,
    **_CUT,
    **dict.fromkeys(("persons", "journeys", "converted", "abandoned", "open"), _COUNT),
    "conversion": _SHARE,
    "recommended": pa.bool_(),
}
_CATEGORIES = {"category": _TEXT, "converted": _COUNT, "timeout_days": _COUNT, **_CUT, "recommended": pa.bool_()}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutsSpec:
    """Candidates for the time-out of purchase journeys.

    Parameters
    ----------
    at_most : float
        The shortest time-out that cuts off no larger share of conversions than this is recommended; 0 to 1.
    scope : Scope
        Only events that are in are looked at.
    """

    at_most: float = 0.05
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        if not 0 < self.at_most < 1:
            raise SpecError("The share that may be cut off lies between 0 and 1.", hint="Write 0.05 for 5 %.")
        if self.scope.by:
            raise SpecError("Time-outs are told by category anyway, and by nothing else.", hint="Leave out the field.")


@dataclass(frozen=True, slots=True)
class TimeoutCounts:
    """Counts of some buckets, as the kernel makes them; `cut` and `converted` by global category.

    Parameters
    ----------
    counts : int64 array, shape (4, n_timeouts)
        Journeys, abandoned, open; persons with a conversion that is cut off.
    cut : int64 array, shape (n_categories, n_timeouts)
    converted : int64 array, shape (n_categories,)
    """

    counts: I64
    cut: I64
    converted: I64

    def merge(self, other: TimeoutCounts) -> TimeoutCounts:
        return TimeoutCounts(self.counts + other.counts, self.cut + other.cut, self.converted + other.converted)


def run_timeouts(
    spec: TimeoutsSpec, log: JourneyLog, basis: Basis | None = None, *, threads: int | None = None
) -> Result:
    """Try each candidate.

    Returns
    -------
    Result
        Tables ``timeouts`` and ``categories`` (docs/reference/suggest.md has their columns); totals
        ``recommended_days``, ``current_days``, ``reason``, ``converted``.
    """
    basis = Basis() if basis is None else basis
    plan = plan_scope(spec.scope, log, basis)
    categories = global_codes(log, "category")
    limits = np.array(CANDIDATES_DAYS, np.int64) * DAY_US
    together = partial(reduce, TimeoutCounts.merge)
    found = sum_buckets(log, lambda bucket: _count(plan, bucket, categories, limits), together, threads=threads)
    cut, converted = found.cut.sum(axis=0), int(found.converted.sum())
    best = _recommended(cut, converted, spec.at_most)
    tables = {
        "timeouts": _table(_TIMEOUTS, _timeout_rows(found, cut, converted, best)),
        "categories": _table(_CATEGORIES, _category_rows(found, categories, spec.at_most)),
    }
    totals = {
        "recommended_days": None if best is None else CANDIDATES_DAYS[best],
        "current_days": basis.journey_timeout_us / DAY_US,
        "reason": _reason(cut, converted, best, spec.at_most, basis.journey_timeout_us),
        "converted": converted,
    }
    told = (said("warnings.few_timeouts", n=converted),) if converted < FEW else ()
    return Result(tables, spec, log.data_version, plan.as_of_us, totals, told)


def _count(plan: ScopePlan, bucket: Bucket, categories: GlobalCodes, limits: I64) -> TimeoutCounts:
    lut, n = categories.lut(bucket), len(categories.values)
    mine = _try(plan, bucket, bucket.events.values("category").astype(np.int32), len(lut), limits)[0]
    cut, converted = np.zeros((n, len(limits)), np.int64), np.zeros(n, np.int64)
    cut[lut], converted[lut] = mine.cut, mine.converted
    return TimeoutCounts(mine.counts, cut, converted)


def _try(plan: ScopePlan, bucket: Bucket, category: I32, n_categories: int, limits: I64) -> tuple[TimeoutCounts, Bools]:
    """Counts of a bucket by its own categories, and the persons whom some time-out cuts off."""
    found = TimeoutCounts(
        np.zeros((4, len(limits)), np.int64),
        np.zeros((n_categories, len(limits)), np.int64),
        np.zeros(n_categories, np.int64),
    )
    marked = np.zeros(bucket.n_persons, np.uint8)
    time, role = bucket.events.values("time"), _roles(plan, bucket)
    try_timeouts(
        bucket.offsets(),
        time,
        role,
        category,
        limits,
        plan.as_of_us,
        found.counts,
        found.cut,
        found.converted,
        marked,
    )
    return found, marked.view(np.bool_)


def _roles(plan: ScopePlan, bucket: Bucket) -> U8:
    """What each event is to a purchase journey; a copy of an order is a sign of intent like any other."""
    events, journeys = bucket.events, bucket.table("journeys")
    selection = select_events(replace(plan, out_flags=plan.out_flags & ~FLAG_SAME_ORDER), bucket).dense()
    intent = np.array([name in ("consider", "convert") for name in events.dictionary("signal")], np.bool_)
    role = np.empty(bucket.n_events, np.uint8)
    find_roles(
        events.values("journey"),
        journeys_of_kind(bucket, "purchase").view(np.uint8),
        journeys.values("goal_event"),
        events.values("direction"),
        inbound_values(bucket).view(np.uint8),
        events.values("signal"),
        intent.view(np.uint8),
        events.values("flags"),
        FLAG_ENGAGED,
        FLAG_GOAL,
        events.values("session"),
        NO_MASK if selection is None else selection,
        role,
    )
    return role


def _recommended(cut: I64, converted: int, at_most: float) -> int | None:
    """Position of the shortest candidate that cuts off no more than this share; the longest if all do."""
    if converted < FEW:
        return None
    good = np.flatnonzero(cut <= at_most * converted)
    return int(good[0]) if len(good) else len(CANDIDATES_DAYS) - 1


def _reason(cut: I64, converted: int, best: int | None, at_most: float, current_us: int) -> Said:
    if best is None:
        return said("warnings.timeout_few")
    days, share = CANDIDATES_DAYS[best], Figure(cut[best] / converted, SHARE)
    limit = _brief(at_most, 100 * at_most, "share")
    if cut[best] > at_most * converted:
        return said("warnings.timeout_even", days=days, share=share, limit=limit)
    now = _brief(current_us / DAY_US, current_us / DAY_US, "number")
    current = said("warnings.timeout_same") if current_us == days * DAY_US else said("warnings.timeout_now", days=now)
    if not best:
        return said("warnings.timeout_shortest", days=days, share=share, current=current)
    before, before_share = CANDIDATES_DAYS[best - 1], Figure(cut[best - 1] / converted, SHARE)
    return said(
        "warnings.timeout_why",
        days=days,
        share=share,
        before=before,
        before_share=before_share,
        limit=limit,
        current=current,
    )


def _brief(value: float, shown: float, kind: Kind) -> Figure:
    """A figure that was set, and so is mostly whole: "5 %", "30"."""
    return Figure(value, Measure(kind, decimals=0 if float(shown).is_integer() else 1))


def _cut(cut: int, converted: int) -> dict[str, Any]:
    low, high = wilson(cut, converted) or (None, None)
    return {"cut_off": cut, "share": cut / converted if converted else None, "low": low, "high": high}


def _timeout_rows(found: TimeoutCounts, cut: I64, converted: int, best: int | None) -> Iterator[dict[str, Any]]:
    for at, days in enumerate(CANDIDATES_DAYS):
        journeys, abandoned, open_, persons = (int(count) for count in found.counts[:, at])
        row = {"timeout_days": days, **_cut(int(cut[at]), converted), "persons": persons, "journeys": journeys}
        row |= {"converted": converted, "abandoned": abandoned, "open": open_}
        yield row | {"conversion": converted / journeys if journeys else None, "recommended": at == best}


def _category_rows(found: TimeoutCounts, categories: GlobalCodes, at_most: float) -> Iterator[dict[str, Any]]:
    for code, name in enumerate(categories.values):
        converted = int(found.converted[code])
        if not name or converted < ENOUGH:
            continue
        best = _recommended(found.cut[code], converted, at_most)
        for at, days in enumerate(CANDIDATES_DAYS):
            row = {"category": name, "converted": converted, "timeout_days": days}
            yield row | _cut(int(found.cut[code, at]), converted) | {"recommended": at == best}


def _table(kinds: dict[str, pa.DataType], rows: Iterator[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=pa.schema([pa.field(*one) for one in kinds.items()]))


def timeouts_people(spec: TimeoutsSpec, log: JourneyLog, days: int, *, basis: Basis | None = None) -> PersonTask:
    """The buyers whom a time-out of so many days would cut off from what they did before."""
    if days < 1:
        raise SpecError("A time-out is one day or more.", hint=f"Tried are {', '.join(map(str, CANDIDATES_DAYS))}.")
    plan, limits = plan_scope(spec.scope, log, basis), np.array([days * DAY_US], np.int64)

    def task(bucket: Bucket) -> Bools:
        return _try(plan, bucket, np.zeros(bucket.n_events, np.int32), 1, limits)[1]

    return task
