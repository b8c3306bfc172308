"""Time that counts: all of it, or only while the shop's service is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from percorso.events.zones import days_of
from percorso.kernels.arrays import I64
from percorso.time import localise, zone_of

__all__ = ["OpeningHours"]

_DAY_S = 86_400
_SECOND_US = 1_000_000
_THURSDAY = 3  # 1970-01-01, where Monday is 0


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When service is open, every week alike; days of no weekday are closed throughout.

    Parameters
    ----------
    timezone : str
    weekdays : tuple of int
        0 is Monday; none: always open.
    open_s, close_s : int
        Seconds of the clock after midnight.
    """

    timezone: str = "UTC"
    weekdays: tuple[int, ...] = ()
    open_s: int = 0
    close_s: int = _DAY_S

    def seconds(self, start_us: I64, end_us: I64) -> I64:
        """Open seconds between two instants each, int64 of shape (n,).

        Examples
        --------
        >>> OpeningHours().seconds(np.array([0]), np.array([90_000_000])).tolist()
        [90]
        """
        if not self.weekdays or not len(start_us):
            every: I64 = np.maximum(end_us - start_us, 0) // _SECOND_US
            return every
        first = int(days_of(start_us, self.timezone).min()) - 1
        last = int(days_of(end_us, self.timezone).max()) + 1
        opens, closes = self._edges(first, last)
        before = np.append(0, np.cumsum(closes - opens))
        until = [self._open_until(time, opens, closes, before) for time in (start_us, end_us)]
        inside: I64 = np.maximum(until[1] - until[0], 0) // _SECOND_US
        return inside

    def _edges(self, first: int, last: int) -> tuple[I64, I64]:
        """Instants at which each open day begins and ends."""
        zone, epoch = zone_of(self.timezone), datetime(1970, 1, 1, tzinfo=UTC)
        days = [day for day in range(first, last + 1) if (day + _THURSDAY) % 7 in self.weekdays]
        edges = [
            [
                localise(int((epoch + timedelta(days=day, seconds=second)).timestamp()) * _SECOND_US, zone).us
                for day in days
            ]
            for second in (self.open_s, self.close_s)
        ]
        return np.array(edges[0], np.int64), np.array(edges[1], np.int64)

    @staticmethod
    def _open_until(time: I64, opens: I64, closes: I64, before: I64) -> I64:
        """Open time from the first edge to each instant, µs."""
        if not len(opens):
            return np.zeros(len(time), np.int64)
        day = np.searchsorted(opens, time, side="right")
        at = np.maximum(day - 1, 0)
        inside = np.minimum(time, closes[at]) - opens[at]
        result: I64 = np.where(day > 0, before[at] + inside, 0)
        return result
