"""Durations as people write them ("30m", "7d"), in microseconds inside."""

from __future__ import annotations

import re
from decimal import Decimal

from percorso.errors import SpecError

__all__ = ["duration_text", "parse_duration_us"]

_UNITS_US = {
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_DURATION = re.compile(r"\s*([0-9]{1,13}(?:\.[0-9]{1,6})?)\s*(ms|s|m|h|d|w)\s*", re.ASCII)
_BARE = re.compile(r"\s*[0-9]{1,4}\s*", re.ASCII)
_LONGEST_US = 100 * 366 * _UNITS_US["d"]
_HINT = "Write a number and a unit: 90s, 30m, 2h, 7d, 1w."


def parse_duration_us(text: str) -> int:
    """The duration in microseconds; bare numbers are refused, since nobody knows their unit.

    Parameters
    ----------
    text : str
        A number and one of ms, s, m (minutes), h, d (24 hours), w.

    Raises
    ------
    SpecError
        There is no unit, or it is no duration.

    Examples
    --------
    >>> parse_duration_us("30m"), parse_duration_us("7d")
    (1800000000, 604800000000)
    """
    found = _DURATION.fullmatch(text)
    if not found:
        meant = f"Did you mean '{text.strip()}d'? " if _BARE.fullmatch(text) else ""
        raise SpecError(f"'{text[:40]}' is not a duration.", hint=meant + _HINT)
    duration_us = int(Decimal(found[1]) * _UNITS_US[found[2]])
    if duration_us > _LONGEST_US:
        raise SpecError(f"The duration '{text[:40]}' is longer than 100 years.", hint=_HINT)
    return duration_us


def duration_text(duration_us: int) -> str:
    """The shortest text that `parse_duration_us` reads back; days before weeks, as people count.

    Examples
    --------
    >>> duration_text(1_800_000_000), duration_text(7 * 86_400_000_000)
    ('30m', '7d')
    """
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(duration_us, _UNITS_US[unit])
        if count and not rest:
            # "24h" reads better than "1d" next to other hours, and a session is counted in hours.
            return "24h" if (count, unit) == (1, "d") else f"{count}{unit}"
    return f"{Decimal(duration_us) / 1000}ms" if duration_us else "0s"
