"""Values as people read them, and as JSON has them."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from percorso.time import time_text

__all__ = [
    "Formatter",
    "count_of",
    "count_text",
    "flat_text",
    "local_text",
    "money_text",
    "percent_text",
    "plain_value",
    "seconds_text",
    "span_text",
]

Formatter = Callable[[Any], str]

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
#: Units of a duration from the largest, each with the one below it, and the seconds of the next one below.
_SPANS = ((86_400, "d", 3_600, "h", 60), (3_600, "h", 60, "m", 1), (60, "m", 1, "s", 1))


def plain_value(value: Any) -> Any:
    """The value as JSON knows it: NaN is null, times are ISO texts, bytes are hexadecimal.

    An exact decimal is a number where a number can hold it to the last digit, else a text.
    """
    if isinstance(value, Mapping):
        return {str(key): plain_value(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() and Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def flat_text(value: Any) -> str:
    """A list or record in one line: paths joined by " > ", anything else as JSON."""
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return " > ".join(value)
    return json.dumps(plain_value(value), ensure_ascii=False)


def count_text(count: int) -> str:
    """A whole number with its thousands apart.

    Examples
    --------
    >>> count_text(1234567)
    '1,234,567'
    """
    return f"{count:,}"


def count_of(count: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> count_of(1, "person"), count_of(1200, "person")
    ('1 person', '1,200 persons')
    """
    return f"{count_text(count)} {noun}{'' if count == 1 else 's'}"


def percent_text(share: float) -> str:
    """A share of one as per cent.

    Examples
    --------
    >>> percent_text(0.1234)
    '12.3 %'
    """
    return f"{100 * share:.1f} %"


def span_text(span_us: float) -> str:
    """A duration in microseconds, rounded to its largest two units.

    Examples
    --------
    >>> span_text(93_780_000_000), span_text(1_500_000), span_text(86_399_000_000)
    ('1d 2h', '1.5s', '1d 0h')
    """
    seconds = span_us / 1_000_000
    if seconds < 60:
        return f"{seconds:.3g}s"
    # Rounded as the unit below would show it: 59 minutes and 59.9 seconds are an hour.
    size, name, smaller, smaller_name = next(
        (unit for unit in _SPANS if round(seconds / unit[4]) * unit[4] >= unit[0]), _SPANS[-1]
    )[:4]
    rounded = round(seconds / smaller) * smaller
    return f"{rounded // size}{name} {rounded % size // smaller}{smaller_name}"


def seconds_text(seconds: float) -> str:
    """A duration in seconds; see :func:`span_text`."""
    return span_text(seconds * 1_000_000)


def local_text(time_us: int, zone: ZoneInfo) -> str:
    """µs UTC as the zone's clocks show it, to the minute.

    Examples
    --------
    >>> local_text(0, ZoneInfo("Europe/Rome"))
    '1970-01-01 01:00'
    """
    try:
        local = (_EPOCH + datetime.timedelta(microseconds=time_us)).astimezone(zone)
    except OverflowError:  # the first or the last day of the calendar: UTC has it, the zone has not
        return time_text(time_us)[:16].replace("T", " ")
    return local.isoformat(sep=" ", timespec="minutes")[:16]


def money_text(exponent: int) -> Formatter:
    """Minor units of a currency with that many decimals, as an amount.

    Examples
    --------
    >>> money_text(2)(-123456)
    '-1,234.56'
    """

    def text(minor: int) -> str:
        whole, rest = divmod(abs(minor), 10**exponent)
        decimals = f".{rest:0{exponent}d}" if exponent else ""
        return f"{'-' if minor < 0 else ''}{whole:,}{decimals}"

    return text
