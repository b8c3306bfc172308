"""On which days persons bought: two orders of one day are one purchase day, orders that are not live any more are none.

All of a person's history counts, whatever the period that is asked for: somebody who has bought for years is not new
because tracking is. A day is one of the time zone of the question.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.calendar import Calendar, calendar_of
from percorso.analyses.log_facts import first_of_persons_us
from percorso.analyses.person_orders import LiveOrders
from percorso.kernels.arrays import I32, I64, Bools
from percorso.store.journey_log import JourneyLog

__all__ = ["Purchases", "day_calendar", "purchases_of"]


@dataclass(frozen=True, slots=True)
class Purchases:
    """Purchase days of one bucket's persons, by person and day.

    Parameters
    ----------
    person : int32 array, shape (n_purchases,)
        Ascending.
    day : int32 array, shape (n_purchases,)
        Position in the calendar of days; ascending within a person, each once.
    event : int32 array, shape (n_purchases,)
        The event of the day's first order.
    time_us : int64 array, shape (n_purchases,)
        Its time.
    """

    person: I32
    day: I32
    event: I32
    time_us: I64

    def __len__(self) -> int:
        return len(self.person)

    def is_first(self) -> Bools:
        """Is it the person's first purchase day? Shape (n_purchases,)."""
        return np.asarray(np.diff(self.person, prepend=np.int32(-1)) != 0)

    def is_last(self) -> Bools:
        """Is it the person's last purchase day? Shape (n_purchases,)."""
        return np.asarray(np.diff(self.person, append=np.int32(-1)) != 0)


def day_calendar(log: JourneyLog, timezone: str, as_of_us: int) -> Calendar:
    """The days from the first event of anybody to the as-of time."""
    first = first_of_persons_us(log)
    return calendar_of("day", timezone, as_of_us if first is None else min(first, as_of_us), as_of_us)


def purchases_of(live: LiveOrders, days: Calendar) -> Purchases:
    """The purchase days of a bucket, from its live orders.

    Parameters
    ----------
    live : LiveOrders
    days : Calendar
        Of days; orders before its first are out.
    """
    day = days.position(live.time_us)
    person = live.person
    new = (np.diff(person, prepend=np.int32(-1)) != 0) | (np.diff(day, prepend=np.int32(-1)) != 0)
    new &= day >= 0
    return Purchases(person[new], day[new], live.event[new], live.time_us[new])
