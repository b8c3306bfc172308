"""Time zones for columns: the offsets that kernels need, local times and days."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from percorso.kernels.times import shift_to_local
from percorso.time import LEAST_US, MOST_US, offset_at_us, zone_of

__all__ = ["days_of", "local_times", "segments_around", "zone_segments"]

_DAY_US = 86_400_000_000
_LAST_YEAR = 9999
_MANY_YEARS = 50
_BEGINNING = np.iinfo(np.int64).min // 2

#: Where each offset of a zone begins, and the offset: int64, shape (n_segments,), microseconds.
Segments = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def segments_around(us: npt.NDArray[np.int64], timezone: str) -> Segments:
    """The offsets that instants or wall-clock times of a zone can have. See :func:`zone_segments`.

    Parameters
    ----------
    us : int64, shape (n_times,)
        At least one.
    timezone : str
    """
    return _segments(timezone, _years_of(us))


def _years_of(us: npt.NDArray[np.int64]) -> list[int]:
    """The years in which times lie and their neighbours, ascending.

    A neighbour, because the offset of a wall-clock time is not known yet. Looking up the changes of a year costs
    a millisecond: where the times lie far apart (a default such as 0001-01-01) the years between are left out.
    """
    first, last = _year_of(int(us.min())), _year_of(int(us.max()))
    years = set(range(first, last + 1))
    if last - first > _MANY_YEARS:
        years = set((us.astype("M8[us]").astype("M8[Y]").astype(np.int64) + 1970).tolist())
    near = {year + step for year in years for step in (-1, 0, 1)}
    return sorted(year for year in near if 1 <= year <= _LAST_YEAR)


def zone_segments(timezone: str, least_us: int, most_us: int) -> Segments:
    """The offsets of a zone, as kernels want them.

    Parameters
    ----------
    timezone : str
    least_us, most_us : int
        The instants that matter.

    Returns
    -------
    begins, offsets : int64, shape (n_segments,)
        From the instant begins[s] on the zone's offset from UTC is offsets[s] microseconds; the first segment
        has no beginning.
    """
    first, last = _year_of(least_us), min(_year_of(most_us), _LAST_YEAR)
    return _segments(timezone, range(min(first, last), last + 1))


def _segments(timezone: str, years: Sequence[int]) -> Segments:
    """The offsets of a zone in some years, ascending; where years are left out, a segment begins with the next."""
    zone = zone_of(timezone)
    segments: list[tuple[int, int]] = []
    before = None
    for year in years:
        if before is None or year > before + 1:
            start_us = max(_new_year_us(year), LEAST_US)
            segments.append((_BEGINNING if before is None else start_us, offset_at_us(start_us, zone)))
        segments += _changes(timezone, year)
        before = year
    return (
        np.array([begin for begin, _ in segments], dtype=np.int64),
        np.array([offset for _, offset in segments], dtype=np.int64),
    )


def _year_of(us: int) -> int:
    bounded = min(max(us, LEAST_US), MOST_US)
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=bounded)).year


def _new_year_us(year: int) -> int:
    if year > _LAST_YEAR:
        return MOST_US
    return (datetime.date(year, 1, 1).toordinal() - datetime.date(1970, 1, 1).toordinal()) * _DAY_US


@lru_cache(maxsize=20_000)
def _changes(timezone: str, year: int) -> tuple[tuple[int, int], ...]:
    """The changes of a zone's offset in one UTC year: (instant, offset from then on), microseconds."""
    return tuple(_find_changes(timezone, max(_new_year_us(year), LEAST_US), _new_year_us(year + 1)))


def _find_changes(timezone: str, begin_us: int, end_us: int) -> Iterator[tuple[int, int]]:
    """Look every half day, then halve down to the second; no zone changes twice in half a day."""
    zone = zone_of(timezone)
    before, offset = begin_us, offset_at_us(begin_us, zone)
    while before < end_us:
        after = min(before + _DAY_US // 2, end_us)
        then = offset_at_us(after, zone)
        if then != offset:
            low, high = before // 1_000_000, after // 1_000_000
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset_at_us(middle * 1_000_000, zone) == offset else (low, middle)
            yield high * 1_000_000, then
        before, offset = after, then


def local_times(us: npt.NDArray[np.int64], timezone: str) -> npt.NDArray[np.int64]:
    """What a clock of the zone shows at each instant: microseconds counted as if they were UTC.

    Parameters
    ----------
    us : int64, shape (n_events,)
        Instants, microseconds since 1970-01-01 UTC.
    timezone : str
    """
    local = np.empty(len(us), dtype=np.int64)
    if len(us):
        shift_to_local(np.ascontiguousarray(us), *segments_around(us, timezone), local)
    return local


def days_of(us: npt.NDArray[np.int64], timezone: str) -> npt.NDArray[np.int64]:
    """The day of each instant in a zone, as days since 1970-01-01.

    Examples
    --------
    >>> days_of(np.array([0, 82_800_000_000]), "Europe/Rome").tolist()
    [0, 1]
    """
    return local_times(us, timezone) // _DAY_US
