"""Journeys: how they end, how long they are, how fast they convert.

Defined in docs/reference/journeys.md. The plain twin is tests/naive/journey_lengths.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.breakdown import group_code
from percorso.analyses.intervals import FEW, wilson
from percorso.analyses.journeys_counts import (
    CURVE_HOURS,
    FLAGS,
    LENGTHS,
    MOST_BINS,
    N_OUTCOMES,
    WIDTH,
    JourneyCounts,
    convert_times,
    count_journeys,
    merge_journey_counts,
    outcome_groups,
    span_bin,
)
from percorso.analyses.journeys_plan import JourneysPlan, JourneysSpec, plan_journeys
from percorso.analyses.orders_in import order_fields, total_orders
from percorso.analyses.outcomes import ABANDONED, ALL_OUTCOMES, CONVERTED, OPEN
from percorso.analyses.people import PersonTask
from percorso.analyses.quantiles import find_ranked, median_interval, summary_ranks
from percorso.analyses.result import Result
from percorso.analyses.survival import HAPPENED, N_KINDS, TOO_YOUNG, Curve, incidence_of, watched_enough
from percorso.analyses.tallies import Tally
from percorso.analyses.worth import amounts_column, missing_rate_warnings
from percorso.engines.buckets import sum_buckets
from percorso.errors import SpecError, nearest_hint
from percorso.kernels.arrays import I64, Bools
from percorso.language.said import said
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["JourneysSpec", "journeys_people", "run_journeys"]

_HOUR_US = 3_600_000_000
_COUNT, _SHARE, _TEXT = pa.int64(), pa.float64(), pa.string()
_INTERVAL = {"low": _SHARE, "high": _SHARE}
_OUTCOMES = {"kind": _TEXT, "outcome": _TEXT, "journeys": _COUNT, "share": _SHARE, **_INTERVAL}
_CONVERSION = {
    **dict.fromkeys(("opened", "converted", "abandoned", "open"), _COUNT),
    **dict.fromkeys(("converted_share", "abandoned_share", "open_share", "conversion"), _SHARE),
    **_INTERVAL,
    "missing": _TEXT,
    "reversed": _COUNT,
}
_LENGTHS = {
    "outcome": _TEXT,
    "measure": _TEXT,
    **dict.fromkeys(("n", "median", "median_low", "median_high", "p90"), _COUNT),
    "mean": _SHARE,
}
_TIMES = {"n": _COUNT, **dict.fromkeys(("median_s", "median_low_s", "median_high_s", "p90_s"), _SHARE)}
_FLAGS = {"flag": _TEXT, "journeys": _COUNT, "of": _COUNT, "share": _SHARE, **_INTERVAL}
_CURVE = {"within_s": _COUNT, "at_risk": _COUNT, "conversion": _SHARE, **_INTERVAL}
_HISTOGRAM = {"outcome": _TEXT, "measure": _TEXT, "from": _COUNT, "to": _COUNT, "journeys": _COUNT}

#: Where bars of a chart begin, for counts, and in hours for the time to convert.
_BARS = (0, 1, 2, 3, 4, 5, 6, 11, 21, 51, 101)
_BAR_HOURS = (0, *CURVE_HOURS)
_TIME_TO_CONVERT = "time_to_convert_s"


def run_journeys(
    spec: JourneysSpec, log: JourneyLog, basis: Basis | None = None, *, threads: int | None = None
) -> Result:
    """Answer a question about journeys.

    Returns
    -------
    Result
        Tables ``outcomes``, ``conversion``, ``lengths``, ``times``, ``flags``, ``curve`` and ``histogram``
        (docs/reference/journeys.md has their columns); with a break-down its value stands first in each.
    """
    basis = Basis() if basis is None else basis
    plan = plan_journeys(spec, log, basis)
    counts = sum_buckets(log, lambda bucket: count_journeys(plan, bucket, basis), merge_journey_counts, threads=threads)
    answer = _Answer(plan, counts, _cells(plan, counts))
    tables = {
        "outcomes": answer.table(_OUTCOMES, answer.outcome_rows()),
        "conversion": _with_value(answer.table(_CONVERSION, answer.conversion_rows()), answer, basis),
        "lengths": answer.table(_LENGTHS, answer.length_rows()),
        "times": answer.table(_TIMES, answer.time_rows(_convert_times(answer, log, threads))),
        "flags": answer.table(_FLAGS, answer.flag_rows()),
        "curve": answer.table(_CURVE, answer.curve_rows()),
        "histogram": answer.table(_HISTOGRAM, answer.histogram_rows()),
    }
    fields, warnings = order_fields(*total_orders(plan.scope, log, basis, threads=threads), basis)
    by_outcome = answer.cells.sum(axis=0).tolist()
    totals = {"journeys": sum(by_outcome), **dict(zip(ALL_OUTCOMES, by_outcome, strict=True)), **fields}
    told = warnings or list(missing_rate_warnings(counts.missing, basis))
    young = sum(row["missing"] == TOO_YOUNG for row in tables["conversion"].to_pylist())
    if young:
        told = [said("warnings.young_journeys", n=young, of=tables["conversion"].num_rows), *told]
    if 0 < sum(by_outcome) < FEW:
        told = [said("warnings.few_journeys", n=sum(by_outcome)), *told]
    return Result(tables, spec, log.data_version, plan.scope.as_of_us, totals, tuple(told))


def _cells(plan: JourneysPlan, counts: JourneyCounts) -> I64:
    """Journeys by group and outcome."""
    cells = np.zeros(len(plan.groups) * N_OUTCOMES, np.int64)
    cells[counts.journeys.keys] = counts.journeys.counts
    return cells.reshape(-1, N_OUTCOMES)


def _convert_times(answer: _Answer, log: JourneyLog, threads: int | None) -> I64:
    """Low, median, high, and 90th percentile of the time to convert of each group, µs."""
    converted = answer.cells[:, CONVERTED]
    return find_ranked(
        log, lambda bucket: convert_times(answer.plan, bucket), converted, summary_ranks(converted), threads=threads
    )


def _with_value(table: pa.Table, answer: _Answer, basis: Basis) -> pa.Table:
    """Exact value of what converted, and the mean; of those whose value is known."""
    groups = answer.shown(CONVERTED, ABANDONED, OPEN)
    sums, known = (_dense(part, len(answer.plan.groups)) for part in (answer.counts.value, answer.counts.known))
    value = [int(sums[group]) if known[group] else None for group in groups]
    mean = [round(int(sums[group]) / int(known[group])) if known[group] else None for group in groups]
    table = table.append_column("value", amounts_column(value, basis.currency))
    return table.append_column("average_value", amounts_column(mean, basis.currency))


def _dense(counted: Tally, n: int) -> I64:
    found = np.zeros(n, np.int64)
    found[counted.keys] = counted.counts
    return found


def _wilson(hits: int, n: int) -> dict[str, Any]:
    low, high = wilson(hits, n) or (None, None)
    return {"share": hits / n if n else None, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was counted, and its tables, row by row. `cells`: journeys, int64 of shape (n_groups, N_OUTCOMES)."""

    plan: JourneysPlan
    counts: JourneyCounts
    cells: I64

    def table(self, kinds: dict[str, pa.DataType], rows: Iterator[dict[str, Any]]) -> pa.Table:
        first = {self.plan.spec.by: _TEXT} if self.plan.spec.by else {}
        schema = pa.schema([pa.field(name, kind) for name, kind in {**first, **kinds}.items()])
        return pa.Table.from_pylist(list(rows), schema=schema)

    def shown(self, *outcomes: int) -> list[int]:
        """Groups with a journey of one of the outcomes."""
        found: list[int] = np.flatnonzero(self.cells[:, list(outcomes)].sum(axis=1)).tolist()
        return found

    def head(self, group: int) -> dict[str, Any]:
        return {self.plan.spec.by: self.plan.groups[group]} if self.plan.spec.by else {}

    def outcome_rows(self) -> Iterator[dict[str, Any]]:
        """Shares are of the journeys of the same kind."""
        for group in self.shown(*range(N_OUTCOMES)):
            for kind, codes in (("purchase", (CONVERTED, ABANDONED, OPEN)), ("order", (3, 4, 5))):
                n = int(self.cells[group, list(codes)].sum())
                for code in codes if n else ():
                    journeys = int(self.cells[group, code])
                    row = {"kind": kind, "outcome": ALL_OUTCOMES[code], "journeys": journeys}
                    yield self.head(group) | row | _wilson(journeys, n)

    def conversion_rows(self) -> Iterator[dict[str, Any]]:
        taken_back = _dense(self.counts.reversed, len(self.plan.groups))
        for group in self.shown(CONVERTED, ABANDONED, OPEN):
            counts = {name: int(self.cells[group, code]) for code, name in enumerate(ALL_OUTCOMES[:3])}
            n = sum(counts.values())
            shares = {f"{name}_share": count / n for name, count in counts.items()}
            row = self.head(group) | {"opened": n, **counts, **shares, "reversed": int(taken_back[group])}
            yield row | self._conversion(group, counts, n)

    def _conversion(self, group: int, counts: dict[str, int], n: int) -> dict[str, Any]:
        if not watched_enough(n, self.counts.old.of(group, group + 1).total):
            return {"missing": TOO_YOUNG}
        if not counts["open"]:
            found = _wilson(counts["converted"], n)
            return {"conversion": found["share"], "low": found["low"], "high": found["high"]}
        curve = self._curve(group)
        low, high = curve.interval_by(int(curve.time[-1])) or (None, None)
        return {"conversion": float(curve.happened[-1]), "low": low, "high": high}

    def _curve(self, group: int) -> Curve:
        width = MOST_BINS * N_KINDS
        return incidence_of(self.counts.spans.of(group * width, (group + 1) * width))

    def curve_rows(self) -> Iterator[dict[str, Any]]:
        """Conversion by the time since the first event, as far as enough have been watched for it."""
        for group in self.shown(CONVERTED, ABANDONED, OPEN):
            curve, old = self._curve(group), self._older(group)
            for hours, n_old in zip(CURVE_HOURS, old[1:], strict=True):
                last = int(span_bin(np.array([hours * _HOUR_US - 1]))[0])
                at_risk = int(curve.at_risk[np.searchsorted(curve.time, last + 1)]) if last < curve.time[-1] else 0
                row = self.head(group) | {"within_s": hours * 3600, "at_risk": at_risk}
                if watched_enough(old[0], n_old):
                    low, high = curve.interval_by(last) or (None, None)
                    row |= {"conversion": curve.by(last), "low": low, "high": high}
                yield row

    def _older(self, group: int) -> list[int]:
        """All purchase journeys of a group, and those that opened each of CURVE_HOURS ago or earlier."""
        width = len(CURVE_HOURS) + 1
        ages = _dense(self.counts.ages.of(group * width, (group + 1) * width), width)
        found: list[int] = ages[::-1].cumsum()[::-1].tolist()
        return found

    def length_rows(self) -> Iterator[dict[str, Any]]:
        for group in self.shown(*range(N_OUTCOMES)):
            for code, outcome in enumerate(ALL_OUTCOMES):
                for measure, counted in zip(LENGTHS, self._lengths(group, code), strict=True):
                    if counted.total:
                        row = {"outcome": outcome, "measure": measure, **_summary(counted)}
                        yield self.head(group) | row

    def _lengths(self, group: int, outcome: int) -> list[Tally]:
        cell = group * N_OUTCOMES + outcome
        return [counted.of(cell * WIDTH, (cell + 1) * WIDTH) for counted in self.counts.lengths]

    def time_rows(self, times_us: I64) -> Iterator[dict[str, Any]]:
        for group in self.shown(CONVERTED):
            n = int(self.cells[group, CONVERTED])
            low, median, high, p90 = (time / 1e6 for time in times_us[group].tolist())
            has = median_interval(n) is not None
            row = {"n": n, "median_s": median, "p90_s": p90}
            yield (
                self.head(group) | row | {"median_low_s": low if has else None, "median_high_s": high if has else None}
            )

    def flag_rows(self) -> Iterator[dict[str, Any]]:
        flags = _dense(self.counts.flags, len(self.plan.groups) * len(FLAGS) * 2).reshape(-1, len(FLAGS), 2)
        for group in self.shown(3, 4, 5):
            for at, flag in enumerate(FLAGS):
                journeys, of = (int(count) for count in flags[group, at])
                yield self.head(group) | {"flag": flag, "journeys": journeys, "of": of} | _wilson(journeys, of)

    def histogram_rows(self) -> Iterator[dict[str, Any]]:
        for group in self.shown(*range(N_OUTCOMES)):
            for code, outcome in enumerate(ALL_OUTCOMES):
                for measure, counted in zip(LENGTHS, self._lengths(group, code), strict=True):
                    for row in _bars(counted, _BARS, _BARS):
                        yield self.head(group) | {"outcome": outcome, "measure": measure} | row
            for row in self._time_bars(group):
                yield self.head(group) | {"outcome": "converted", "measure": _TIME_TO_CONVERT} | row

    def _time_bars(self, group: int) -> Iterator[dict[str, Any]]:
        width = MOST_BINS * N_KINDS
        spans = self.counts.spans.of(group * width, (group + 1) * width)
        won = spans.keys % N_KINDS == HAPPENED
        bins = span_bin(np.array(_BAR_HOURS, np.int64) * _HOUR_US)
        edges = tuple(hours * 3600 for hours in _BAR_HOURS)
        return _bars(Tally(spans.keys[won] // N_KINDS, spans.counts[won]), tuple(bins.tolist()), edges)


def _summary(counted: Tally) -> dict[str, Any]:
    n = counted.total
    ends = median_interval(n)
    low, high = (None, None) if ends is None else (counted.ranked(ends[0]), counted.ranked(ends[1]))
    return {
        "n": n,
        "median": counted.ranked(-(-n // 2) - 1),
        "median_low": low,
        "median_high": high,
        "p90": counted.ranked(-(-9 * n // 10) - 1),
        "mean": int((counted.keys * counted.counts).sum()) / n,
    }


def _bars(counted: Tally, edges: tuple[int, ...], shown: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    """Counts between edges, without empty bars at the ends; the last bar has no upper end."""
    at = np.searchsorted(np.array(edges), counted.keys, side="right") - 1
    sums = np.zeros(len(edges), np.int64)
    np.add.at(sums, at, counted.counts)
    filled = np.flatnonzero(sums)
    for bar in range(filled[0], filled[-1] + 1) if len(filled) else ():
        to = shown[bar + 1] if bar + 1 < len(shown) else None
        yield {"from": shown[bar], "to": to, "journeys": int(sums[bar])}


def journeys_people(
    spec: JourneysSpec, log: JourneyLog, outcome: str, *, group: str = "", basis: Basis | None = None
) -> PersonTask:
    """The persons with a journey that ended so.

    Parameters
    ----------
    spec : JourneysSpec
    log : JourneyLog
    outcome : str
        One of ALL_OUTCOMES.
    group : str
        The break-down's value.
    basis : Basis, optional
        Needed by some rules of persons.
    """
    if outcome not in ALL_OUTCOMES:
        raise SpecError(f"'{outcome}' is no outcome.", hint=nearest_hint(outcome, ALL_OUTCOMES))
    plan = plan_journeys(spec, log, basis or Basis())
    wanted = ALL_OUTCOMES.index(outcome)
    code = group_code(plan.by, spec.by, group)

    def task(bucket: Bucket) -> Bools:
        row, found, of = outcome_groups(plan, bucket)
        marked = np.zeros(bucket.n_persons, np.bool_)
        marked[bucket.table("journeys").values("person")[row[(found == wanted) & (of == code)]]] = True
        return marked

    return task
