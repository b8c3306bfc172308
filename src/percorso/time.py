"""Times: one text to UTC microseconds, under a format and a time zone.

Wall-clock times without a zone are read in a named one. In a DST gap, where the clock never showed the
time, the first valid instant after it counts; in an overlap, where it showed it twice, the first
occurrence. Both are noted. Vectorised, and exactly equal: ``events/times.py``.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from percorso.errors import TimeError

__all__ = [
    "DST_GAP",
    "DST_OVERLAP",
    "UNIX_UNITS_US",
    "ParsedTime",
    "day_of",
    "localise",
    "parse_time",
    "read_iso",
    "time_text",
    "zone_of",
]

DST_GAP = "dst_gap"
DST_OVERLAP = "dst_overlap"

#: Formats that are numbers since 1970-01-01 UTC, and their unit in microseconds.
UNIX_UNITS_US = {"unix_s": 1_000_000, "unix_ms": 1_000, "unix_us": 1}

_EPOCH = datetime.datetime(1970, 1, 1)
_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
#: Years 1 to 9999, less two days so that any zone's offset stays inside.
LEAST_US = (datetime.datetime(1, 1, 3) - _EPOCH) // datetime.timedelta(microseconds=1)
MOST_US = (datetime.datetime(9999, 12, 30) - _EPOCH) // datetime.timedelta(microseconds=1)

_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?: ?(?:([Zz]|UTC|GMT)|([+-])([0-9]{2}):?([0-9]{2})?))?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,12})?(?:[eE][+]?[0-9]{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParsedTime:
    """A time in microseconds since 1970-01-01 UTC, and "", "dst_gap" or "dst_overlap"."""

    us: int
    note: str = ""


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name (IANA).

    Raises
    ------
    TimeError
        There is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TimeError(f"'{name[:60]}' is not a time zone.", hint='A time zone looks like "Europe/Rome".') from error


def parse_time(text: str, *, time_format: str, timezone: str) -> ParsedTime:
    """The instant that a text means.

    Parameters
    ----------
    text : str
        Blanks around it do not count.
    time_format : str
        "iso" (``2024-12-31``, ``2024-12-31T18:05:00.123Z``, a blank for the T, offsets), "unix_s", "unix_ms",
        "unix_us" (decimals allowed, rounded half-even to microseconds), or a pattern of ``strptime`` such as
        ``"%d/%m/%Y %H:%M"``. Digits of ISO times beyond microseconds are cut off.
    timezone : str
        Zone of times that name none.

    Raises
    ------
    TimeError
        The text does not have this format, or is impossible (31 February).

    Examples
    --------
    >>> parse_time("31/12/2024 18:05", time_format="%d/%m/%Y %H:%M", timezone="Europe/Rome").us
    1735664700000000
    >>> parse_time("2025-03-30 02:30", time_format="iso", timezone="Europe/Rome")
    ParsedTime(us=1743296400000000, note='dst_gap')
    """
    stripped = text.strip()
    if not stripped:
        raise TimeError("The time is empty.")
    if time_format in UNIX_UNITS_US:
        return ParsedTime(_read_unix(stripped, time_format))
    read: Callable[[str], tuple[int, int | None]] = read_iso if time_format == "iso" else _pattern_reader(time_format)
    local_us, offset_us = read(stripped)
    if offset_us is None:
        return localise(local_us, zone_of(timezone))
    return ParsedTime(_checked(local_us - offset_us))


def read_iso(text: str) -> tuple[int, int | None]:
    """Wall-clock microseconds (as if UTC) of an ISO time, and its offset from UTC if it names one."""
    found = _ISO.fullmatch(text)
    if not found:
        raise TimeError("The time is not written as ISO 8601.", hint="ISO looks like 2024-12-31T18:05:00Z.")
    year, month, day, hour, minute, second, fraction, utc, sign, off_h, off_m = found.groups()
    try:
        wall = datetime.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError as error:
        raise TimeError("There is no such day or time of day.") from error
    local_us = (wall - _EPOCH) // datetime.timedelta(microseconds=1) + int((fraction or "0").ljust(6, "0")[:6])
    if utc:
        return local_us, 0
    if not sign:
        return local_us, None
    minutes = int(off_h) * 60 + int(off_m or 0)
    if int(off_m or 0) > 59 or minutes > 18 * 60:
        raise TimeError("There is no such offset from UTC.")
    return local_us, (-minutes if sign == "-" else minutes) * 60 * _SECOND_US


def _pattern_reader(pattern: str) -> Callable[[str], tuple[int, int | None]]:
    def read(text: str) -> tuple[int, int | None]:
        try:
            wall = datetime.datetime.strptime(text, pattern)
        except (ValueError, re.error) as error:
            raise TimeError(f"The time is not written as {pattern}, or there is no such day.") from error
        offset = wall.utcoffset()
        local_us = (wall.replace(tzinfo=None) - _EPOCH) // datetime.timedelta(microseconds=1)
        return local_us, None if offset is None else offset // datetime.timedelta(microseconds=1)

    return read


def _read_unix(text: str, time_format: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise TimeError("The time is not a number.", hint=f"The format {time_format} counts from 1970.")
    us = (Decimal(text) * UNIX_UNITS_US[time_format]).to_integral_value(ROUND_HALF_EVEN)
    if not LEAST_US <= us <= MOST_US:
        raise TimeError(
            f"The time is no year of a calendar under {time_format}.", hint='Try "unix_ms" or "unix_us": smaller units.'
        )
    return int(us)


def localise(local_us: int, zone: ZoneInfo) -> ParsedTime:
    """The instant at which a clock of the zone shows this wall-clock time.

    Parameters
    ----------
    local_us : int
        Wall-clock time in microseconds, counted as if it were UTC.
    zone : ZoneInfo
    """
    wall = _EPOCH + datetime.timedelta(microseconds=_checked(local_us))
    first_us = local_us - _offset_us(wall.replace(tzinfo=zone, fold=0))
    second_us = local_us - _offset_us(wall.replace(tzinfo=zone, fold=1))
    if first_us == second_us:
        return ParsedTime(first_us)
    if first_us < second_us:
        return ParsedTime(first_us, DST_OVERLAP)
    # In a gap (PEP 495) fold 0 has the offset of before it and fold 1 that of after: the change lies between.
    return ParsedTime(_change_between(second_us, first_us, zone), DST_GAP)


def _change_between(before_us: int, after_us: int, zone: ZoneInfo) -> int:
    """The instant at which the zone's offset changes; changes fall on whole seconds."""
    low, high = before_us // _SECOND_US, -(-after_us // _SECOND_US)
    old = offset_at_us(low * _SECOND_US, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at_us(middle * _SECOND_US, zone) == old:
            low = middle
        else:
            high = middle
    return high * _SECOND_US


def offset_at_us(us: int, zone: ZoneInfo) -> int:
    """Offset from UTC in the zone at an instant, in microseconds."""
    instant = (_EPOCH + datetime.timedelta(microseconds=us)).replace(tzinfo=datetime.UTC)
    return _offset_us(instant.astimezone(zone))


def _offset_us(aware: datetime.datetime) -> int:
    offset = aware.utcoffset()
    assert offset is not None  # zones of the data base always have one
    return offset // datetime.timedelta(microseconds=1)


def day_of(us: int, timezone: str) -> int:
    """The day of an instant in a zone, as days since 1970-01-01."""
    return (us + offset_at_us(us, zone_of(timezone))) // _DAY_US


def _checked(us: int) -> int:
    if not LEAST_US <= us <= MOST_US:
        raise TimeError("The time lies outside the years 1 to 9999.")
    return us


def time_text(time_us: int) -> str:
    """µs UTC as ISO 8601 with Z.

    Examples
    --------
    >>> time_text(0)
    '1970-01-01T00:00:00Z'
    """
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=time_us)
    return moment.isoformat().replace("+00:00", "Z")
