"""Days, weeks and months of a time zone, as instants: 23 and 25 hours where clocks change, and none for a day that a
zone skipped.

A period has a number: days since 1970-01-01, weeks since the Monday 1969-12-29, months since January 1970. Where it
begins, as an instant, is where its first midnight is in the zone (in a gap of the clock, the first instant after it).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np

from percorso.errors import SpecError, nearest_hint
from percorso.kernels.arrays import I32, I64
from percorso.time import LEAST_US, MOST_US, day_of, localise, zone_of

__all__ = ["PERIODS", "Calendar", "calendar_of", "check_period", "period_of_day"]

#: Lengths of periods.
PERIODS = ("day", "week", "month")

_DAY_US = 86_400_000_000
_MARGIN_US = 400 * _DAY_US  # the last period must have an end
_MOST_US = 60 * 366 * _DAY_US  # a default such as 0001-01-01 must not cost a million midnights
_EPOCH = date(1970, 1, 1)
_MONDAY = 3  # 1970-01-01 was a Thursday: so many days after a Monday


def check_period(unit: str) -> None:
    """SpecError unless `unit` is one of PERIODS."""
    if unit not in PERIODS:
        raise SpecError(f"'{unit}' is no period.", hint=nearest_hint(unit, PERIODS))


def period_of_day(day: int, unit: str) -> int:
    """Number of the period in which a day lies, days counted since 1970-01-01.

    Examples
    --------
    >>> period_of_day(3, "week"), period_of_day(4, "week"), period_of_day(31, "month")
    (0, 1, 1)
    """
    if unit == "day":
        return day
    if unit == "week":
        return (day + _MONDAY) // 7
    at = _EPOCH + timedelta(days=day)
    return (at.year - 1970) * 12 + at.month - 1


def _first_day(number: int, unit: str) -> date:
    if unit == "month":
        return date(1970 + number // 12, number % 12 + 1, 1)
    return _EPOCH + timedelta(days=number if unit == "day" else 7 * number - _MONDAY)


@lru_cache(maxsize=64)
def _numbers_of(first: int, n_days: int, unit: str) -> I64:
    """Period of each of some consecutive days; every bucket of a question asks for the same."""
    numbers = np.fromiter((period_of_day(first + position, unit) for position in range(n_days)), np.int64, n_days)
    numbers.flags.writeable = False
    return numbers


@dataclass(frozen=True, slots=True)
class Calendar:
    """Consecutive periods of a zone.

    Parameters
    ----------
    unit : {"day", "week", "month"}
    timezone : str
    first : int
        Number of the first period.
    starts : int64 array, shape (n_periods + 1,)
        Instants at which they begin, µs UTC, and at which the last one ends.
    """

    unit: str
    timezone: str
    first: int
    starts: I64

    def __len__(self) -> int:
        return len(self.starts) - 1

    def position(self, time_us: I64) -> I32:
        """Position of the period of each instant, from 0; -1 before the first, ``len(self)`` after the last."""
        found: I32 = (np.searchsorted(self.starts, time_us, side="right") - 1).astype(np.int32)
        return found

    def day(self, position: int) -> str:
        """The first day of a period, ISO."""
        return _first_day(self.first + position, self.unit).isoformat()

    def label(self, position: int) -> str:
        """What a period is called: "2024-03", else its first day."""
        return self.day(position)[: 7 if self.unit == "month" else 10]

    def has_ended(self, position: int, as_of_us: int) -> bool:
        """Has the period ended, as of a time that is itself included?"""
        return int(self.starts[position + 1]) <= as_of_us + 1

    def of(self, unit: str, days: I64) -> I64:
        """For a calendar of days: number of the larger period in which each of its days lies.

        Parameters
        ----------
        unit : str
        days : int, shape (n,)
            Positions.
        """
        return _numbers_of(self.first, len(self), unit)[days]


@lru_cache(maxsize=64)
def calendar_of(unit: str, timezone: str, first_us: int, last_us: int) -> Calendar:
    """The periods from that of one instant to that of another, both included; at most the last sixty years.

    Examples
    --------
    >>> calendar_of("month", "Europe/Rome", 0, 31 * 86_400_000_000).label(1)
    '1970-02'
    """
    check_period(unit)
    last_us = min(max(last_us, LEAST_US + _MOST_US), MOST_US - _MARGIN_US)
    first_us = min(max(first_us, last_us - _MOST_US), last_us)
    first, last = (period_of_day(day_of(one, timezone), unit) for one in (first_us, last_us))
    zone = zone_of(timezone)
    starts = []
    for number in range(first, last + 2):
        midnight = datetime.combine(_first_day(number, unit), datetime.min.time(), UTC)
        starts.append(localise(int(midnight.timestamp()) * 1_000_000, zone).us)
    return Calendar(unit, timezone, first, np.maximum.accumulate(np.array(starts, np.int64)))
