"""The calendar of the demo shop: how busy each day is, when the shops are closed, and times as texts.

Times are whole milliseconds of local (Italian) wall time since the first day's midnight; files that speak UTC get
them through :meth:`Period.utc`.
"""

from __future__ import annotations

import random
from bisect import bisect
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from zoneinfo import ZoneInfo

__all__ = ["DAY", "FIRST_DAY", "HOUR", "MINUTE", "SECOND", "Period"]

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

FIRST_DAY = date(2024, 9, 1)
_ROME = ZoneInfo("Europe/Rome")
#: What is begun may end after the period, and the stories have their days in its first thirteen months: all that is
#: left out of the files, but needs a day.
_SLACK_DAYS = 150
_LEAST_DAYS = 560

#: How busy a month is beside the average one: school in September, presents in December, nobody in August.
_MONTHS = {1: 0.88, 2: 0.84, 3: 0.9, 4: 0.88, 5: 1.2, 6: 1.16, 7: 0.74, 8: 0.55, 9: 1.32, 10: 1.0, 11: 1.2, 12: 1.42}
_WEEKDAYS = (1.02, 0.98, 0.98, 1.0, 1.0, 1.0, 1.02)
_CLOSED = (date(2025, 8, 11), date(2025, 8, 24))
_HOURS = (1, 2, 3, 3, 3, 3, 4, 4, 3, 3, 4, 5, 6, 7, 8, 6, 2)  # of 7 to 23
_HOURS_TO = list(accumulate(_HOURS))
_OPEN_HOURS = (9, 10, 10, 11, 11, 12, 15, 16, 16, 17, 17, 18, 18, 19)

_LAST_SECOND = 86_399
_SECONDS = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86_400)]


class Period:
    """The months that are simulated, from :data:`FIRST_DAY` on."""

    def __init__(self, months: int) -> None:
        year, month = divmod(FIRST_DAY.month - 1 + months, 12)
        self.months = months
        self.end_day = date(FIRST_DAY.year + year, month + 1, 1)
        self.n_days = (self.end_day - FIRST_DAY).days
        self.end = self.n_days * DAY
        self.days = [FIRST_DAY + timedelta(days=n) for n in range(max(self.n_days + _SLACK_DAYS, _LEAST_DAYS))]
        self._iso = [day.isoformat() for day in self.days]
        self._italian = [day.strftime("%d/%m/%Y") for day in self.days]
        noon = [datetime(day.year, day.month, day.day, 12, tzinfo=_ROME) for day in self.days]
        self._offset = [int((moment.utcoffset() or timedelta()).total_seconds()) * SECOND for moment in noon]

    # ------------------------------------------------------------------------------------------------- days

    def number(self, day: date) -> int:
        """Number of a day, 0 for the first; it may lie outside the period."""
        return (day - FIRST_DAY).days

    def month_key(self, t: int) -> str:
        """Month of a time, such as "2024-09"."""
        return self._iso[min(t // DAY, self.n_days - 1)][:7]

    @cached_property
    def weights(self) -> list[float]:
        """How busy each day is on the site, 1.0 on an average day of the year."""
        return [_online_weight(day) for day in self.days[: self.n_days]]

    @cached_property
    def _online_to(self) -> list[float]:
        return list(accumulate(self.weights))

    @cached_property
    def _shops_to(self) -> list[float]:
        return list(accumulate(_shop_weight(day) for day in self.days[: self.n_days]))

    @cached_property
    def _school_to(self) -> list[float]:
        return list(accumulate(_school_weight(day) for day in self.days[: self.n_days]))

    @cached_property
    def is_open(self) -> list[bool]:
        """Are the shops and the warehouse at work that day?"""
        return [day.weekday() != 6 and not _CLOSED[0] <= day <= _CLOSED[1] for day in self.days]

    def online_day(self, rng: random.Random) -> int:
        """A day for something on the site."""
        return bisect(self._online_to, rng.random() * self._online_to[-1])

    def shop_day(self, rng: random.Random) -> int:
        """A day on which the shops are open."""
        return bisect(self._shops_to, rng.random() * self._shops_to[-1])

    def school_day(self, rng: random.Random) -> int:
        """A day on which parents buy for school."""
        return bisect(self._school_to, rng.random() * self._school_to[-1])

    @cached_property
    def clock_changes(self) -> list[int]:
        """Local times at which summer time ends."""
        pairs = zip(self._offset, self._offset[1:], strict=False)
        return [number * DAY for number, (before, after) in enumerate(pairs, 1) if after < before]

    @cached_property
    def strings_week(self) -> frozenset[int]:
        """The days around the week of strings, in which it is advertised."""
        return frozenset(number for number, day in enumerate(self.days) if day.month == 2 and 8 <= day.day <= 20)

    def working_time(self, t: int, days: float) -> int:
        """`days` after `t`, or the first working day after that, in working hours."""
        number = (t + int(days * DAY)) // DAY
        while number < len(self.is_open) - 1 and not self.is_open[number]:
            number += 1
        return max(t + HOUR // 2, number * DAY + 9 * HOUR + (t * 7 + number * 1_000_003) % (9 * HOUR))

    # ------------------------------------------------------------------------------------------------ moments

    def moment(self, rng: random.Random, number: int) -> int:
        """A waking moment of a day."""
        u = rng.random() * _HOURS_TO[-1]
        hour = bisect(_HOURS_TO, u)
        return number * DAY + (7 + hour) * HOUR + int(rng.random() * HOUR)

    def opening_moment(self, rng: random.Random, number: int) -> int:
        """A moment at which the shops are open, that day or the next that they are."""
        while number < len(self.is_open) - 1 and not self.is_open[number]:
            number += 1
        return number * DAY + _OPEN_HOURS[int(rng.random() * len(_OPEN_HOURS))] * HOUR + int(rng.random() * HOUR)

    # -------------------------------------------------------------------------------------------------- texts

    def utc(self, t: int) -> str:
        """ISO text in UTC, with milliseconds."""
        day, rest = divmod(t - self._offset[t // DAY], DAY)
        second, ms = divmod(rest, 1000)
        return f"{self._iso[day]}T{_SECONDS[second]}.{ms:03}Z"

    def utc_twice(self, t: int) -> tuple[str, str]:
        """ISO texts in UTC of this moment and of one about a second later; costs little more than one of them."""
        day, rest = divmod(t - self._offset[t // DAY], DAY)
        second, ms = divmod(rest, 1000)
        date = self._iso[day]
        if second == _LAST_SECOND:
            return f"{date}T{_SECONDS[second]}.{ms:03}Z", self.utc(t + 1000)
        return f"{date}T{_SECONDS[second]}.{ms:03}Z", f"{date}T{_SECONDS[second + 1]}.{ms * 7 % 1000:03}Z"

    def iso_local(self, t: int) -> str:
        """As spreadsheets have it: local, to the second."""
        day, rest = divmod(t, DAY)
        return f"{self._iso[day]} {_SECONDS[rest // 1000]}"

    def italian(self, t: int) -> str:
        """31/12/2024 18:05, local."""
        day, rest = divmod(t, DAY)
        return f"{self._italian[day]} {_SECONDS[rest // 1000][:5]}"

    def italian_day(self, t: int) -> str:
        """31/12/2024, local."""
        return self._italian[t // DAY]

    def clock(self, t: int) -> str:
        """18:05, local."""
        return _SECONDS[t % DAY // 1000][:5]

    def epoch_us(self, t: int) -> int:
        """UTC microseconds since 1970."""
        midnight = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
        return int(midnight.timestamp()) * 1_000_000 + (t - self._offset[t // DAY]) * 1_000


def _online_weight(day: date) -> float:
    weight = _MONTHS[day.month] * _WEEKDAYS[day.weekday()]
    if _CLOSED[0] <= day <= _CLOSED[1]:
        return weight * 0.45
    if day.month == 11 and 24 <= day.day <= 30:  # Black Friday is the 28th or 29th
        return weight * (2.6 if day.weekday() == 4 else 1.5)
    if day.month == 12:
        return weight * (1.25 if 5 <= day.day <= 19 else 0.7)
    return weight


def _shop_weight(day: date) -> float:
    if day.weekday() == 6 or _CLOSED[0] <= day <= _CLOSED[1]:
        return 0.0
    return _online_weight(day) * (1.6 if day.weekday() == 5 else 1.0)


def _school_weight(day: date) -> float:
    return _shop_weight(day) * (9.0 if day.month == 9 else 2.0 if day.month == 10 else 0.6)
