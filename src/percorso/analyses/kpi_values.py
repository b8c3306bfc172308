"""From sums to values: each with n, an interval and how it was made, and the difference of two periods.

A person's group is dropped from both periods at once, so persons that are in both are paired by construction. With
θ a KPI as a function of its sums and G groups ::

    total   θ₍g₎ = G/(G − 1) · (T − T_g)
    ratio   θ₍g₎ = (T − T_g) / (N − N_g)
    variance = (G − 1)/G · Σ (θ₍g₎ − mean)²,   interval = θ ± t(0.975, G − 1) · √variance

Kott (2001), as percorso.analyses.jackknife. A difference is θ of the one minus θ of the other, group by group. Of
medians and of curves, which are no functions of sums, it takes the two intervals apart from each other: Zou and Donner
(2008), doi:10.1002/sim.3095.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from percorso.analyses.contact_moves import SIZE_STARTS, breadth_table, no_moves
from percorso.analyses.intervals import bounded_mean, nps_interval, wilson
from percorso.analyses.jackknife import N_GROUPS, half_width, ratio_interval, share_interval
from percorso.analyses.kpi_expected import expected_of
from percorso.analyses.kpi_sums import KpiSums
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.quantiles import median_interval
from percorso.analyses.survival import (
    CENSORED,
    HAPPENED,
    N_KINDS,
    TOO_YOUNG,
    curve_of,
    incidence_of,
    watched_enough,
)
from percorso.analyses.tallies import Tally, merge_tallies
from percorso.kernels.arrays import F64, I64

__all__ = ["Difference", "Estimate", "difference_of", "estimate_of", "spans_of", "sum_of"]

_NOTHING = np.zeros(N_GROUPS, np.int64)

#: An interval no wider than this is nothing but rounding.
_NO_WIDTH = 1e-9


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value; None where there is none, and `reason` says why.

    Parameters
    ----------
    value, low, high : float or None
        In units of the KPI; no interval where the value is counted or there is too little data.
    n : int
    method : str
        counted, Wilson, jackknife, adjusted Wald, order statistics, Kaplan-Meier or Aalen-Johansen.
    reason : str
        Key of ``kpi_missing`` in the language files.
    top : int
        Of totals: the sum itself, exact.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    method: str = ""
    reason: str = ""
    top: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A value minus that of another period, and its interval."""

    value: float
    low: float | None = None
    high: float | None = None


def sum_of(found: KpiSums, name: str, cell: int) -> I64:
    """Sums of a name in a cell by group, int64 of shape (256,); zeros where nothing was added."""
    sums = found.sums.get(name)
    return _NOTHING if sums is None else sums[cell]


def spans_of(found: KpiSums, name: str, cell: int) -> Tally:
    """The tally of a name in a cell."""
    return merge_tallies(part for at, part in found.spans.get(name, ()) if at == cell)


def estimate_of(kpi: Kpi, found: KpiSums, cell: int, divisor: float = 1.0) -> Estimate:
    """The value of a KPI in one cell.

    Parameters
    ----------
    kpi : Kpi
    found : KpiSums
    cell : int
    divisor : float
        What sums are divided by: a currency's minor units become units.
    """
    divisor *= kpi.scale
    match kpi.how:
        case "median" | "p90":
            return _quantile(kpi, spans_of(found, kpi.top, cell), divisor)
        case "converted":
            return _converted(kpi, spans_of(found, kpi.top, cell), int(sum_of(found, kpi.also, cell).sum()))
        case "within":
            return _within(kpi, spans_of(found, kpi.top, cell), int(sum_of(found, kpi.also, cell).sum()))
        case "breadth":
            return _breadth(kpi, spans_of(found, kpi.top, cell), spans_of(found, kpi.bottom, cell))
        case "expected":
            return _expected(kpi, spans_of(found, kpi.top, cell), spans_of(found, kpi.bottom, cell), divisor)
    n = int(sum_of(found, kpi.units, cell).sum())
    if n == 0:
        return Estimate(reason=kpi.missing)
    top = sum_of(found, kpi.top, cell)
    total = int(top.sum())
    if kpi.how == "total":
        return Estimate(total / divisor, n=n, method="counted", top=total)
    bottom = sum_of(found, kpi.bottom, cell)
    of = int(bottom.sum())
    if of == 0:
        return Estimate(n=n, reason=kpi.missing)
    if kpi.how == "share":
        return _with(total / of, wilson(total, of), n, "Wilson")
    if kpi.how == "score":
        return _score(total, int(sum_of(found, kpi.also, cell).sum()), of)
    if kpi.how == "fixed":
        return Estimate(total / of / divisor, n=n, method="counted")
    value = total / of
    if kpi.how == "return" and kpi.also:
        value *= int(sum_of(found, kpi.also, cell).sum()) / n
    return _with(value / divisor, _interval(kpi, _parts(kpi, found, cell), divisor), n, "jackknife")


def _parts(kpi: Kpi, found: KpiSums, cell: int) -> tuple[I64, ...]:
    """The sums that a KPI is a function of."""
    names = [name for name in (kpi.top, kpi.bottom) if name]
    if kpi.how == "return" and kpi.also:
        names += [kpi.also, kpi.units]
    return tuple(sum_of(found, name, cell) for name in names)


def _interval(kpi: Kpi, parts: tuple[I64, ...], divisor: float) -> tuple[float, float] | None:
    """Interval of a ratio, in units of the KPI."""
    top, bottom = parts[:2]
    if kpi.unit == "share" and (top >= 0).all() and (top <= bottom).all():
        return share_interval(top, bottom)  # a margin can be less than nothing: that is no part of a whole
    interval = _of_known(kpi, parts) if kpi.how in ("cost", "return") else ratio_interval(top, bottom)
    if interval is None:
        return None
    interval = (_at_least_zero(interval[0] / divisor, top), interval[1] / divisor)
    return interval if kpi.ends is None else _on_scale(interval, top, bottom, divisor, kpi.ends)


def _on_scale(
    interval: tuple[float, float], top: I64, bottom: I64, divisor: float, ends: tuple[float, float]
) -> tuple[float, float] | None:
    """The interval of a mean within the ends of its scale; where all groups are alike, that of a bounded mean."""
    least, most = ends
    if interval[1] - interval[0] > _NO_WIDTH:
        return interval[0], min(interval[1], most)
    mean, groups = float(top.sum() / bottom.sum()) / divisor, int((bottom != 0).sum())
    least = min(least, mean)  # a source may have let less through
    found = bounded_mean((mean - least) / (most - least), groups)
    return None if found is None else (least + found[0] * (most - least), least + found[1] * (most - least))


def _of_known(kpi: Kpi, parts: tuple[I64, ...]) -> tuple[float, float] | None:
    """Interval of a ratio of which one part is a bill, and no estimate."""
    top, bottom, *counted = parts
    theta = _thetas(kpi, parts)
    half = half_width(theta)
    if half is None:
        return None
    value = top.sum() / bottom.sum() * (counted[0].sum() / counted[1].sum() if counted else 1)
    return value - half, value + half


def _with(value: float, interval: tuple[float, float] | None, n: int, method: str) -> Estimate:
    low, high = interval or (None, None)
    return Estimate(value, low, high, n, method)


def _at_least_zero(low: float, top: I64) -> float:
    """What is a sum of nothing negative cannot be less than nothing; a margin can."""
    return low if (top < 0).any() else max(low, 0.0)


def _score(net: int, either: int, n: int) -> Estimate:
    """A net promoter score, of promoters less detractors and of both together."""
    return _with(100 * net / n, nps_interval((either + net) // 2, (either - net) // 2, n), n, "adjusted Wald")


def _quantile(kpi: Kpi, spans: Tally, divisor: float) -> Estimate:
    n = spans.total
    if n == 0:
        return Estimate(reason=kpi.missing)
    if kpi.how == "median":
        ends = median_interval(n)
        interval = None if ends is None else (spans.ranked(ends[0]) / divisor, spans.ranked(ends[1]) / divisor)
        return _with(spans.ranked(-(-n // 2) - 1) / divisor, interval, n, "order statistics")
    return Estimate(spans.ranked(-(-9 * n // 10) - 1) / divisor, n=n, method="order statistics")


def _converted(kpi: Kpi, spans: Tally, n_old: int) -> Estimate:
    n = spans.total
    if n == 0:
        return Estimate(reason=kpi.missing)
    if not watched_enough(n, n_old):
        return Estimate(n=n, reason=TOO_YOUNG)
    kinds = spans.keys % N_KINDS
    if not (kinds == CENSORED).any():
        happened = int(spans.counts[kinds == HAPPENED].sum())
        return _with(happened / n, wilson(happened, n), n, "Wilson")
    curve = incidence_of(spans)
    last = int(curve.time[-1])
    value = float(curve.happened[-1])
    return _with(value, curve.interval_by(last), n, "Aalen-Johansen")


def _breadth(kpi: Kpi, journeys: Tally, old: Tally) -> Estimate:
    """Conversion of journeys by their number of places, as `places` tells it."""
    sizes = np.zeros((4, len(SIZE_STARTS), 2), np.int64)
    sizes.reshape(-1)[journeys.keys] = journeys.counts
    watched = np.array([old.of(at, at + 1).total for at in range(len(sizes))], np.int64)
    rows = breadth_table(replace(no_moves(), sizes=sizes, watched=watched), "places").to_pylist()
    row = rows[kpi.days - 1]
    n = row["journeys"]
    compared = (rows[0], row) if kpi.also else (row,)
    if any(one["conversion_missing"] for one in compared):
        return Estimate(n=n, reason=TOO_YOUNG)
    if kpi.also:
        low, high = row["difference_low"], row["difference_high"]
        value = row["difference"]
        return Estimate(n=n, reason=kpi.missing) if value is None else Estimate(value, low, high, n, "standardised")
    if not n:
        return Estimate(reason=kpi.missing)
    return Estimate(row["conversion"], row["conversion_low"], row["conversion_high"], n, "Wilson")


def _within(kpi: Kpi, spans: Tally, n_old: int) -> Estimate:
    n = spans.total
    if n == 0:
        return Estimate(reason=kpi.missing)
    curve = curve_of(spans)
    value = curve.by(kpi.days) if watched_enough(n, n_old) else None
    if value is None:
        return Estimate(n=n, reason=TOO_YOUNG)
    return _with(value, curve.interval_by(kpi.days), n, "Kaplan-Meier")


def _expected(kpi: Kpi, value: Tally, watched: Tally, divisor: float) -> Estimate:
    found = expected_of(value, watched, kpi.days)
    if found.value is None:
        return Estimate(n=found.n, reason=TOO_YOUNG if found.n else kpi.missing)
    interval = None
    if found.half_width is not None:
        low, high = found.value - found.half_width, found.value + found.half_width
        interval = (max(low, 0.0) / divisor, high / divisor)
    return _with(found.value / divisor, interval, found.n, "jackknife")


def difference_of(
    kpi: Kpi, founds: tuple[KpiSums, KpiSums], cell: int, estimates: tuple[Estimate, Estimate], divisor: float = 1.0
) -> Difference | None:
    """The value in one period minus that in another; None where one of them has none.

    Parameters
    ----------
    kpi : Kpi
    founds : tuple of KpiSums
        Of the one, and of the earlier one.
    cell : int
    estimates : tuple of Estimate
        Their values.
    divisor : float
        As of `estimate_of`.
    """
    now, before = estimates
    if now.value is None or before.value is None:
        return None
    value = now.value - before.value
    if kpi.how in ("median", "p90", "converted", "within", "breadth", "expected"):
        return Difference(value, *_apart(now, before))
    factor = (100.0 if kpi.how == "score" else 1.0) / (divisor * kpi.scale)
    pairs = [_parts(kpi, found, cell) for found in founds]
    half = (
        None if kpi.how == "fixed" else half_width(_thetas(kpi, pairs[0], pairs[1]) - _thetas(kpi, pairs[1], pairs[0]))
    )
    if not half:
        return Difference(value, *_apart(now, before))
    return Difference(value, value - half * factor, value + half * factor)


def _thetas(kpi: Kpi, pair: tuple[I64, ...], other: tuple[I64, ...] = ()) -> F64:
    """The KPI without each group of persons: of totals each of the 256, else each that counts in either period."""
    if kpi.how == "total":
        return _total_without(pair[0])
    top, bottom, *counted = pair
    with np.errstate(divide="ignore", invalid="ignore"):
        if kpi.how == "cost":
            known: F64 = top.sum() / _total_without(bottom)
            return known
        if kpi.how == "return":
            if counted:
                every, valued = counted
                mean = (top.sum() - top) / (valued.sum() - valued)
                worth: F64 = mean * _total_without(every) / bottom.sum()
                return worth
            result: F64 = _total_without(top) / bottom.sum()
            return result
        counts = np.flatnonzero(np.any([part != 0 for part in (*pair, *other)], axis=0))
        ratio: F64 = (top.sum() - top[counts]) / (bottom.sum() - bottom[counts])
        return ratio


def _total_without(sums: I64) -> F64:
    """The total as estimated without each group."""
    result: F64 = (sums.sum() - sums) * (N_GROUPS / (N_GROUPS - 1))
    return result


def _apart(now: Estimate, before: Estimate) -> tuple[float | None, float | None]:
    """Interval of a difference from the two intervals, where nothing is known of persons that are in both."""
    if now.value is None or now.low is None or now.high is None:
        return None, None
    if before.value is None or before.low is None or before.high is None:
        return None, None
    value = now.value - before.value
    down = math.hypot(now.value - now.low, before.high - before.value)
    up = math.hypot(now.high - now.value, before.value - before.low)
    return value - down, value + up
