"""The periods of a question about KPIs: the one asked for, the one it is compared with, those of a trend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from percorso.analyses.calendar import Calendar, calendar_of
from percorso.analyses.watched_period import first_event_us
from percorso.errors import SpecError
from percorso.store.journey_log import JourneyLog
from percorso.time import localise, zone_of

__all__ = ["COMPARISONS", "MOST_PERIODS", "Period", "earlier_period", "period_of", "trend_periods"]

#: What a period can be compared with.
COMPARISONS = ("previous", "last-year")

#: More than these in a trend are no picture any more, and take memory.
MOST_PERIODS = 400

_WEEKS_OF_A_YEAR = 364  # days: the same weekdays, so that each week meets its own


@dataclass(frozen=True, slots=True)
class Period:
    """From an instant to before another, µs UTC."""

    start_us: int
    end_us: int

    @property
    def seconds(self) -> int:
        return max(1, (self.end_us - self.start_us) // 1_000_000)


def period_of(
    start_us: int | None, end_us: int | None, last_days: int, log: JourneyLog, zone: str, as_of_us: int
) -> Period:
    """The period asked for, cut at the as-of time: nothing has happened after it.

    Parameters
    ----------
    start_us, end_us : int or None
        None: from the first event on, up to the as-of time.
    last_days : int
        0, or so many days up to that of the as-of time, itself included.
    log : JourneyLog
    zone : str
        Whose days these are.
    as_of_us : int
    """
    if last_days:
        first = _local(as_of_us, zone_of(zone)).date() - timedelta(days=last_days - 1)
        start_us, end_us = _midnight(first, zone_of(zone)), None
    end = as_of_us + 1 if end_us is None else min(end_us, as_of_us + 1)
    start = first_event_us(log, as_of_us) if start_us is None else start_us
    return Period(start, max(start + 1, end))


def earlier_period(compare: str, asked: tuple[int, int], shown: Period, zone_name: str) -> Period:
    """The period that another one is compared with, as long as what is over of it.

    Parameters
    ----------
    compare : {"previous", "last-year"}
        `previous`: so many months before, where the period is made of whole months; else so many days. `last-year`:
        364 days before, so that the weekdays are the same.
    asked : tuple of int
        First instant of the period asked for, and first one after it.
    shown : Period
        The same, cut at the as-of time.
    zone_name : str
    """
    zone = zone_of(zone_name)
    first, end = _local(asked[0], zone), _local(asked[1], zone)
    if compare == "last-year":
        back = timedelta(days=_WEEKS_OF_A_YEAR)
        earlier = Period(_shifted(shown.start_us, back, zone), _shifted(shown.end_us, back, zone))
        if earlier.end_us > shown.start_us:
            raise SpecError("A period longer than a year overlaps with itself a year before.", hint="Ask for less.")
        return earlier
    months = (end.year - first.year) * 12 + end.month - first.month
    if months and _opens_a_month(first) and _opens_a_month(end):
        number = first.year * 12 + first.month - 1 - months
        begin = _midnight(date(number // 12, number % 12 + 1, 1), zone)
        # A month that is not over is compared with as many days of the one before, and no more than that has.
        over = shown.end_us >= asked[1]
        return Period(begin, shown.start_us if over else min(begin + shown.end_us - shown.start_us, shown.start_us))
    back = timedelta(days=max(1, round((asked[1] - asked[0]) / 86_400_000_000)))
    return Period(_shifted(shown.start_us, back, zone), min(_shifted(shown.end_us, back, zone), shown.start_us))


def trend_periods(period: Period, unit: str, zone: str) -> tuple[Calendar, tuple[Period, ...]]:
    """The days, weeks or months of a period; the first and the last one cut where the period is."""
    calendar = calendar_of(unit, zone, period.start_us, period.end_us - 1)
    if len(calendar) > MOST_PERIODS:
        raise SpecError(
            f"There are {len(calendar):,} {unit}s in this period; a trend shows {MOST_PERIODS} at most.",
            hint="Ask for a shorter period, or for weeks or months.",
        )
    starts = np.maximum(calendar.starts[:-1], period.start_us).tolist()
    ends = np.minimum(calendar.starts[1:], period.end_us).tolist()
    return calendar, tuple(Period(*edges) for edges in zip(starts, ends, strict=True))


def _local(time_us: int, zone: ZoneInfo) -> datetime:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
    return moment.astimezone(zone).replace(tzinfo=None)


def _opens_a_month(moment: datetime) -> bool:
    return moment.day == 1 and moment.time() == datetime.min.time()


def _midnight(day: date, zone: ZoneInfo) -> int:
    return _instant(datetime.combine(day, datetime.min.time()), zone)


def _instant(moment: datetime, zone: ZoneInfo) -> int:
    whole = int(moment.replace(tzinfo=UTC, microsecond=0).timestamp())
    return localise(whole * 1_000_000, zone).us + moment.microsecond


def _shifted(time_us: int, back: timedelta, zone: ZoneInfo) -> int:
    """So many days of the clock before."""
    return _instant(_local(time_us, zone) - back, zone)
