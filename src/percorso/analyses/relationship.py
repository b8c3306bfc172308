"""The relationship of every person as of a time: prospect, new, repeat, ambassador, at risk, lost.

At risk and lost come from the survival curve of the time to the next order (definitions, section 7): see
docs/reference/lifecycle.md. The same for one person at a time: :mod:`percorso.analyses.history`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from percorso.analyses.calendar import Calendar
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.history import AMBASSADOR_US, RELATIONSHIPS
from percorso.analyses.intervals import FEW
from percorso.analyses.person_orders import LiveOrders, live_orders
from percorso.analyses.purchases import Purchases, day_calendar, purchases_of
from percorso.analyses.survival import CENSORED, HAPPENED, N_KINDS, Curve, curve_of
from percorso.analyses.tallies import Tally, merge_tallies, tally
from percorso.engines.buckets import run_buckets
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.store.journey_log import FLAG_BOT, FLAG_FUTURE, FLAG_HEAVY, FLAG_SAME_ORDER, Bucket, JourneyLog

__all__ = [
    "ALL_RELATIONSHIPS",
    "AMBASSADOR",
    "AT_RISK",
    "ENOUGH",
    "LOST",
    "NEVER",
    "NEW",
    "PROSPECT",
    "REPEAT",
    "SEASONS",
    "LapseLimits",
    "knows_lost",
    "lapse_limits",
    "limits_of",
    "limits_of_person",
    "limits_of_purchases",
    "relationship_codes",
]

#: Relationships by code.
ALL_RELATIONSHIPS = (*RELATIONSHIPS, "at_risk", "lost")
PROSPECT, NEW, REPEAT, AMBASSADOR, AT_RISK, LOST = range(6)

#: Seasons by code: months, since what is winter here is summer there.
SEASONS = ("Dec-Feb", "Mar-May", "Jun-Aug", "Sep-Nov")

#: A category, or a season of one, has limits of its own if so many later orders have been seen there.
ENOUGH = 100

#: Days after which nobody is at risk or lost: there is too little data to say.
NEVER = np.iinfo(np.int32).max

_AT_RISK_SHARE, _LOST_SHARE = 0.80, 0.95
_OUT = FLAG_BOT | FLAG_HEAVY | FLAG_FUTURE | FLAG_SAME_ORDER


@dataclass(frozen=True, slots=True)
class LapseLimits:
    """After how many days without an order a customer is at risk, and lost: by category and season of the last order.

    Parameters
    ----------
    days : Calendar
        Of days, up to that of the as-of time.
    categories : GlobalCodes
        Categories of events.
    season : int32 array, shape (n_days,)
        Season of each day.
    at_risk, lost : int32 arrays, shape (n_categories, 4)
        More days than these since the last order; NEVER where there is too little data.
    table : pyarrow.Table
        The same for people: category, season ("" is all), orders, again, at_risk_days, lost_days; first that of all.
    first_day : int
        Position of the first day on which anybody is known to have bought; NEVER if nobody has.
    """

    days: Calendar
    categories: GlobalCodes
    season: I32
    at_risk: I32
    lost: I32
    table: pa.Table
    first_day: int = NEVER

    @property
    def today(self) -> int:
        """Position of the day of the as-of time."""
        return len(self.days) - 1


def lapse_limits(
    log: JourneyLog, timezone: str, as_of_us: int, *, days: Calendar | None = None, threads: int | None = None
) -> LapseLimits:
    """The limits that everybody's orders give, but for robots' and heavy persons'.

    Parameters
    ----------
    log : JourneyLog
    timezone : str
        Whose days tell orders apart.
    as_of_us : int
        Orders after it have not happened.
    days : Calendar, optional
        Default: the days from the first event of anybody to the as-of time.
    threads : int, optional
    """
    calendar = day_calendar(log, timezone, as_of_us) if days is None else days
    categories = global_codes(log, "category")
    season = _seasons(calendar)

    def spans(bucket: Bucket) -> tuple[Tally, int]:
        purchases = purchases_of(live_orders(bucket, _OUT, as_of_us), calendar)
        found = _spans(purchases, _cells(bucket, purchases, categories, season), len(calendar))
        return found, int(purchases.day.min(initial=NEVER))

    parts = run_buckets(log, lambda buckets: _together(map(spans, buckets)), threads=threads)
    every, first_day = _together(parts)
    return _lapse(every, calendar, categories, season, first_day)


def _together(parts: Iterable[tuple[Tally, int]]) -> tuple[Tally, int]:
    """The spans of many parts, and the first day of all."""
    every = list(parts)
    return merge_tallies(spans for spans, _ in every), min((first for _, first in every), default=NEVER)


def knows_lost(lapse: LapseLimits, start_us: int, limit_of: str = "lost_days") -> bool:
    """Do orders reach back far enough before a time that those lost from then on are known?

    Whoever is lost just then last bought one "lost" limit before. Where orders begin later than that, hardly anybody
    can be lost, and the churn of such an interval only tells of the beginning of the data.

    Parameters
    ----------
    lapse : LapseLimits
    start_us : int
        When the interval begins.
    limit_of : {"lost_days", "at_risk_days"}
        The limit, as the table of limits calls it.

    Returns
    -------
    bool
        Some order is known more days before than the limit of all orders says; False where there is no limit.
    """
    limit: int | None = lapse.table.column(limit_of)[0].as_py()
    if limit is None or start_us <= lapse.days.starts[0]:
        return False
    start = int(lapse.days.position(np.array([start_us], np.int64))[0])
    return start - limit > lapse.first_day


def _seasons(days: Calendar) -> I32:
    months = days.of("month", np.arange(len(days), dtype=np.int64)) % 12
    return np.asarray((months + 1) % 12 // 3, np.int32)


def _cells(bucket: Bucket, purchases: Purchases, categories: GlobalCodes, season: I32) -> I32:
    """Category and season of each purchase day, as ``category * 4 + season``."""
    codes = bucket.events.values("category")[purchases.event]
    category = categories.lut(bucket)[codes] if len(codes) else np.zeros(0, np.int32)
    return category * np.int32(len(SEASONS)) + season[purchases.day]


def _spans(purchases: Purchases, cell: I32, n_days: int) -> Tally:
    """Days from each purchase day to the next one of the person, or to today."""
    last = purchases.is_last()
    following = np.append(purchases.day[1:], np.int32(0))
    until = np.where(last, np.int32(n_days - 1), following).astype(np.int64)
    span = until - purchases.day
    kind = np.where(last, CENSORED, HAPPENED)
    return tally((cell.astype(np.int64) * n_days + span) * N_KINDS + kind)


def _lapse(spans: Tally, days: Calendar, categories: GlobalCodes, season: I32, first_day: int) -> LapseLimits:
    n_seasons, width = len(SEASONS), len(days) * N_KINDS
    found: list[tuple[str, str, Tally]] = [("", "", _folded(spans, width))]
    at_risk = np.full((len(categories.values), n_seasons), NEVER, np.int32)
    lost = at_risk.copy()
    _set(at_risk, lost, found[0][2], FEW)
    for code, name in enumerate(categories.values):
        of_category = spans.of(code * n_seasons * width, (code + 1) * n_seasons * width)
        if not name or not _set(at_risk[code], lost[code], _folded(of_category, width), ENOUGH):
            continue
        found.append((name, "", _folded(of_category, width)))
        for at, text in enumerate(SEASONS):
            of_season = of_category.of(at * width, (at + 1) * width)
            if _set(at_risk[code, at : at + 1], lost[code, at : at + 1], of_season, ENOUGH):
                found.append((name, text, of_season))
    return LapseLimits(days, categories, season, at_risk, lost, _table(found), first_day)


def _folded(spans: Tally, width: int) -> Tally:
    """All cells as one."""
    return tally(spans.keys % width, spans.counts)


def _set(at_risk: I32, lost: I32, spans: Tally, enough: int) -> bool:
    """Write the limits of these spans, if there are enough of them."""
    if _again(spans) < enough:
        return False
    limits = limits_of(curve_of(spans))
    if limits is None:
        return False
    at_risk[...], lost[...] = limits
    return True


def _again(spans: Tally) -> int:
    """After how many purchase days another one came."""
    return int(spans.counts[spans.keys % N_KINDS == HAPPENED].sum())


def limits_of(curve: Curve) -> tuple[int, int] | None:
    """The days by which 80 % and 95 % of those who order again have done so.

    The curve is read as far as at least 30 are still watched: the share of those who ever order again is what it has
    reached there.
    """
    solid = np.flatnonzero(curve.at_risk >= FEW)
    if not len(solid) or curve.happened[solid[-1]] <= 0:
        return None
    reached = float(curve.happened[solid[-1]])
    at_risk, lost = (curve.quantile(share * reached) for share in (_AT_RISK_SHARE, _LOST_SHARE))
    return None if at_risk is None or lost is None else (at_risk, lost)


def _table(found: list[tuple[str, str, Tally]]) -> pa.Table:
    rows = []
    for category, season, spans in found:
        limits = limits_of(curve_of(spans)) if _again(spans) >= FEW else None
        at_risk, lost = limits or (None, None)
        rows.append((category, season, spans.total, _again(spans), at_risk, lost))
    columns = list(zip(*rows, strict=True))
    names = ("category", "season", "orders", "again", "at_risk_days", "lost_days")
    types = (pa.string(), pa.string(), pa.int64(), pa.int64(), pa.int64(), pa.int64())
    return pa.table({name: pa.array(column, kind) for name, column, kind in zip(names, columns, types, strict=True)})


def limits_of_purchases(lapse: LapseLimits, bucket: Bucket, purchases: Purchases) -> tuple[I32, I32]:
    """After how many days each purchase day leaves its person at risk, and lost, if no other follows.

    Returns
    -------
    at_risk, lost : int32, shape (n_purchases,)
    """
    cell = _cells(bucket, purchases, lapse.categories, lapse.season)
    if not len(cell):
        return cell, cell
    return lapse.at_risk.reshape(-1)[cell], lapse.lost.reshape(-1)[cell]


def limits_of_person(lapse: LapseLimits, bucket: Bucket, row: int, as_of_us: int) -> tuple[int, int] | None:
    """After how many days without an order one person is at risk, and lost; None without an order."""
    live = live_orders(bucket, 0, as_of_us)
    purchases = purchases_of(live.only(live.person == row), lapse.days)
    at_risk, lost = limits_of_purchases(lapse, bucket, purchases)
    return (int(at_risk[-1]), int(lost[-1])) if len(purchases) else None


def relationship_codes(
    bucket: Bucket, live: LiveOrders, lapse: LapseLimits, *, as_of_us: int, keep: U8 | None = None
) -> U8:
    """Relationship of each person of a bucket: code in ALL_RELATIONSHIPS, uint8 of shape (n_persons,).

    Past the limits of the last order nobody is a new, a repeat customer or an ambassador, but at risk or lost.

    Parameters
    ----------
    bucket : Bucket
    live : LiveOrders
        Which orders make customers, up to the as-of time.
    lapse : LapseLimits
        Limits, as of the same time.
    as_of_us : int
    keep : uint8, shape (n_events,) or (0,), optional
        Which events may hold an advocate signal; of no elements: all.
    """
    purchases = purchases_of(live, lapse.days)
    n_days = np.bincount(purchases.person, minlength=bucket.n_persons)
    code = np.minimum(n_days, REPEAT).astype(np.uint8)
    code[(n_days > 0) & _advocates(bucket, keep, as_of_us)] = AMBASSADOR
    last = np.flatnonzero(purchases.is_last())
    at_risk, lost = (limit[last] for limit in limits_of_purchases(lapse, bucket, purchases))
    since, person = lapse.today - purchases.day[last], purchases.person[last]
    code[person[since > at_risk]] = AT_RISK
    code[person[since > lost]] = LOST
    return code


def _advocates(bucket: Bucket, keep: U8 | None, as_of_us: int) -> Bools:
    """Persons with an advocate signal in the 12 months up to the as-of time."""
    marked = np.zeros(bucket.n_persons, np.bool_)
    names = bucket.events.dictionary("signal")
    if "advocate" not in names:
        return marked
    row: I64 = np.flatnonzero(bucket.events.values("signal") == names.index("advocate"))
    if keep is not None and keep.size:
        row = row[keep[row] != 0]
    time = bucket.events.values("time")[row]
    row = row[(time > as_of_us - AMBASSADOR_US) & (time <= as_of_us)]
    marked[np.searchsorted(bucket.offsets(), row, side="right") - 1] = True
    return marked
