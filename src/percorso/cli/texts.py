"""Values as people read them, in their language, and as JSON has them.

A table's formatter takes a value and the words of the language: ``percent_text(0.123, Words("it"))``. Without words it
speaks English, as commands do that only say what they have done.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from percorso.language.measures import POINTS
from percorso.language.words import ENGLISH, Words
from percorso.time import time_text

__all__ = [
    "Formatter",
    "MoneyFormatter",
    "amount_text",
    "as_it_is",
    "count_text",
    "counted_lines",
    "day_text",
    "flat_text",
    "labelled",
    "local_text",
    "mean_text",
    "money_of",
    "money_text",
    "percent_text",
    "plain_value",
    "points_text",
    "rough_text",
    "seconds_text",
    "span_text",
    "tenths_text",
    "unit_of",
    "units_of_time",
]

#: A value in a language.
Formatter = Callable[[Any, Words], str]


class MoneyFormatter(Protocol):
    """An amount in minor units, in a language; by default English."""

    def __call__(self, minor: int, words: Words = ENGLISH) -> str: ...


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
#: Terminals have ordinary spaces and hyphens, which can be searched for and copied.
_TYPED = str.maketrans({"\u00a0": " ", "\u2212": "-"})
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


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


def as_it_is(value: Any, words: Words = ENGLISH) -> str:
    """A value in no language: the number of a line, without thousands apart."""
    return str(value)


def count_text(count: int, words: Words = ENGLISH) -> str:
    """A whole number with its thousands apart.

    Examples
    --------
    >>> count_text(1234567), count_text(1234567, Words("it"))
    ('1,234,567', '1.234.567')
    """
    return words.numbers.exact(count)


def unit_of(count: int, unit: str, words: Words) -> str:
    """What so many of a unit are called.

    Examples
    --------
    >>> unit_of(1, "person", Words("en")), unit_of(1200, "person", Words("it"))
    ('person', 'persone')
    """
    return words.name("unit", unit if count == 1 else f"{unit}s")


def labelled(lines: Mapping[str, str]) -> list[str]:
    """Labels and what they say, below each other."""
    width = max(map(len, lines), default=0)
    return [f"  {label:<{width}}  {text}".rstrip() for label, text in lines.items()]


def counted_lines(rows: Sequence[tuple[int, str, str]], words: Words) -> list[str]:
    """Numbers below each other, what they count, and what is to be said of it."""
    told = [(count_text(count, words), name, aside) for count, name, aside in rows]
    wide, wider = (max((len(row[at]) for row in told), default=0) for at in (0, 1))
    return [f"  {count:>{wide}}  {name:<{wider}}  {aside}".rstrip() for count, name, aside in told]


def percent_text(share: float, words: Words = ENGLISH) -> str:
    """A share of one as per cent; digits stand below each other in a column, so 0.01 % is "0.0 %".

    Examples
    --------
    >>> percent_text(0.1234), percent_text(0.1234, Words("it"))
    ('12.3 %', '12,3 %')
    """
    return f"{tenths_text(100 * share, words)} %"


def points_text(difference: float, words: Words = ENGLISH) -> str:
    """A difference of shares, with its sign.

    Examples
    --------
    >>> points_text(-0.161), points_text(0.66, Words("it"))
    ('−16.1 points', '+66,0 punti')
    """
    return words.numbers.signed(difference, POINTS).replace("\u00a0", " ")


def span_text(span_us: float, words: Words = ENGLISH) -> str:
    """A duration in microseconds, rounded to its largest two units.

    Examples
    --------
    >>> span_text(93_780_000_000), span_text(1_500_000), span_text(86_399_000_000)
    ('1d 2h', '1.5s', '1d')
    """
    return seconds_text(span_us / 1_000_000, words)


def seconds_text(seconds: float, words: Words = ENGLISH) -> str:
    """A duration in seconds; see :func:`span_text`."""
    return words.numbers.duration(seconds).translate(_TYPED)


def amount_text(amount: Decimal | float, words: Words = ENGLISH) -> str:
    """An amount of the currency that stands beside it, with all its decimals."""
    return words.numbers.exact(amount) if isinstance(amount, Decimal | int) else mean_text(amount, words)


def mean_text(value: float, words: Words = ENGLISH) -> str:
    """A mean: two decimals."""
    return words.numbers.decimal(value, 2).translate(_TYPED)


def tenths_text(value: float, words: Words = ENGLISH) -> str:
    """One decimal."""
    return words.numbers.decimal(value, 1).translate(_TYPED)


def rough_text(value: float, words: Words = ENGLISH) -> str:
    """Any other number: four digits that count."""
    return words.numbers.rough(value)


def money_of(amount: Decimal | str, currency: str, words: Words = ENGLISH) -> str:
    """An amount with its currency, which Italian writes as a sign.

    Examples
    --------
    >>> money_of(Decimal("1234.50"), "EUR"), money_of(Decimal("1234.50"), "EUR", Words("it"))
    ('1,234.50 EUR', '1.234,50 €')
    """
    number = amount if isinstance(amount, str) else amount_text(amount, words)
    return f"{number} {currency if words.language == 'en' else _SYMBOLS.get(currency, currency)}"


def local_text(time_us: int, zone: ZoneInfo, words: Words = ENGLISH) -> str:
    """µs UTC as the zone's clocks show it, to the minute.

    Examples
    --------
    >>> local_text(0, ZoneInfo("Europe/Rome")), local_text(0, ZoneInfo("Europe/Rome"), Words("it"))
    ('1970-01-01 01:00', '01/01/1970 01:00')
    """
    try:
        local = (_EPOCH + datetime.timedelta(microseconds=time_us)).astimezone(zone)
    except OverflowError:  # the first or the last day of the calendar: UTC has it, the zone has not
        return time_text(time_us)[:16].replace("T", " ")
    return f"{words.numbers.date(local)} {local:%H:%M}"


def day_text(time_us: int, zone: ZoneInfo, words: Words = ENGLISH) -> str:
    """The day of it; see :func:`local_text`."""
    return local_text(time_us, zone, words)[:10]


def money_text(exponent: int) -> MoneyFormatter:
    """Minor units of a currency with that many decimals, as an amount.

    Examples
    --------
    >>> money_text(2)(-123456), money_text(2)(123456, Words("it"))
    ('-1,234.56', '1.234,56')
    """

    def text(minor: int, words: Words = ENGLISH) -> str:
        return amount_text(Decimal(minor).scaleb(-exponent), words)

    return text


def units_of_time(unit: str, words: Words) -> str:
    """Days, weeks or months."""
    match unit:
        case "day":
            return words.text("terminal.days")
        case "week":
            return words.text("terminal.weeks")
        case _:
            return words.text("terminal.months")
