"""Numbers, money, durations and dates as people of a language read them.

Blanks inside a number are no-break ones, so that "12,3 %" never falls apart; a negative number has a real minus sign.
Rounded half-even from the value's shortest decimal text, as money is everywhere.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from percorso.language.conventions import CONVENTIONS, Conventions
from percorso.language.measures import Measure

__all__ = ["MISSING", "Numbers"]

#: Stands where a value is not known.
MISSING = "–"

_NBSP = "\u00a0"
_MINUS = "\u2212"
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
_COMPACT_FROM = 10_000
_DIGITS = set("123456789")
#: Units of a duration from the largest: its seconds, and those of the unit below.
_SPANS = ((86_400, 3_600), (3_600, 60), (60, 1))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers and dates in one language.

    Parameters
    ----------
    language : {"en", "it"}

    Examples
    --------
    >>> Numbers("it").decimal(1234.5, 2), Numbers("en").count(1234567)
    ('1.234,50', '1,234,567')
    """

    language: str

    @property
    def _as(self) -> Conventions:
        return CONVENTIONS[self.language]

    def count(self, value: float) -> str:
        """A whole number with its thousands apart."""
        return self.decimal(value, 0)

    def decimal(self, value: float, digits: int) -> str:
        """A number with so many digits behind the decimal mark."""
        exact = Decimal(value) if isinstance(value, int) else Decimal(repr(float(value)))
        whole, _, rest = f"{abs(exact):,.{digits}f}".partition(".")
        text = whole.replace(",", self._as.thousands) + (self._as.decimal + rest if rest else "")
        return _MINUS + text if exact < 0 and text.strip("0.,") else text

    def share(self, ratio: float, digits: int = 1) -> str:
        """A share of one as per cent; one that is not nothing or all never reads so.

        Examples
        --------
        >>> Numbers("it").share(0.1234), Numbers("it").share(0.0001)
        ('12,3\\xa0%', '<\\xa00,1\\xa0%')
        """
        return self._guarded(ratio, digits) + f"{_NBSP}%"

    def _guarded(self, ratio: float, digits: int) -> str:
        least = 10.0**-digits
        if 0 < 100 * ratio < least / 2:
            return f"<{_NBSP}{self.decimal(least, digits)}"
        if 100 - least / 2 < 100 * ratio < 100:
            return f">{_NBSP}{self.decimal(100 - least, digits)}"
        return self.decimal(100 * ratio, digits)

    def money(self, minor: float, currency: str, decimals: int = 2, *, shown: int | None = None) -> str:
        """An amount in minor units of a currency with that many decimals; `shown` of them are written.

        Examples
        --------
        >>> Numbers("it").money(123456, "EUR"), Numbers("en").money(-123456, "EUR")
        ('1.234,56\\xa0€', '−€1,234.56')
        """
        return self._with_currency(self.decimal(minor / 10**decimals, decimals if shown is None else shown), currency)

    def _with_currency(self, number: str, currency: str) -> str:
        symbol = _SYMBOLS.get(currency, currency)
        if not symbol or not self._as.symbol_first:
            return f"{number}{_NBSP}{symbol}" if symbol else number
        sign, number = (_MINUS, number[1:]) if number.startswith(_MINUS) else ("", number)
        return f"{sign}{symbol}{_NBSP if len(symbol) > 1 else ''}{number}"

    def duration(self, seconds: float) -> str:
        """A duration, rounded to its largest two units, as narrow as tables want it and as settings take it.

        Examples
        --------
        >>> Numbers("it").duration(273_600), Numbers("en").duration(90), Numbers("it").duration(1.5)
        ('3g\\xa04h', '1m\\xa030s', '1,5s')
        """
        if seconds < 0:
            return _MINUS + self.duration(-seconds)
        if seconds < 59.5:
            return f"{self._short(seconds)}s"
        names = (self._as.day, "h", "m", "s")
        at, size, below = _largest_unit(seconds)
        rounded = round(seconds / below) * below
        rest = rounded % size // below
        text = f"{self.count(rounded // size)}{names[at]}"
        return f"{text}{_NBSP}{rest}{names[at + 1]}" if rest else text

    def exact(self, value: Decimal | int) -> str:
        """All digits that it has, the thousands apart.

        Examples
        --------
        >>> Numbers("it").exact(Decimal("-1234.50")), Numbers("en").exact(1234567)
        ('-1.234,50', '1,234,567')
        """
        return self._marked(f"{value:,}")

    def rough(self, value: float) -> str:
        """Four digits that count, or all before the decimal mark.

        Examples
        --------
        >>> Numbers("it").rough(0.123456), Numbers("it").rough(12345.6)
        ('0,1235', '12.346')
        """
        return self._marked(f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}")

    def _marked(self, english: str) -> str:
        return english.translate({ord(","): self._as.thousands, ord("."): self._as.decimal})

    def _short(self, value: float) -> str:
        """Up to three digits that count, no zeros at the end."""
        if value == 0 or not math.isfinite(value):
            return "0"
        digits = max(0, 2 - math.floor(math.log10(abs(value))))
        text = self.decimal(value, min(digits, 6))
        return text.rstrip("0").rstrip(self._as.decimal) if self._as.decimal in text else text

    def compact(self, value: float) -> str:
        """A large number in three digits or so, for charts.

        Examples
        --------
        >>> Numbers("it").compact(12_345), Numbers("it").compact(1_200_000), Numbers("en").compact(12_345)
        ('12,3\\xa0mila', '1,2\\xa0M', '12.3k')
        """
        if abs(value) < _COMPACT_FROM:
            return self.count(value) if float(value).is_integer() else self._short(value)
        # 999,999 is a million, not "1,000k".
        size, name = next(scale for scale in self._as.scales if abs(value) / scale[0] >= 0.9995)
        return self._short(value / size) + name

    def show(self, value: float | None, measure: Measure) -> str:
        """A value as a table says it; a dash where there is none."""
        if value is None or not math.isfinite(value):
            return MISSING
        match measure.kind:
            case "share":
                return self.share(value, measure.decimals)
            case "points":
                return f"{self.decimal(100 * value, measure.decimals)}{_NBSP}{self._as.points}"
            case "money":
                return self.money(value, measure.currency, measure.decimals)
            case "duration":
                return self.duration(value)
            case _:
                return self.decimal(value, measure.decimals)

    def brief(self, value: float | None, measure: Measure) -> str:
        """A value as a chart says it: large counts and amounts compact, amounts above a hundred without cents."""
        if value is None or not math.isfinite(value):
            return MISSING
        if measure.kind == "money":
            units = value / 10**measure.decimals
            if abs(units) >= _COMPACT_FROM:
                return self._with_currency(self.compact(units), measure.currency)
            return self.money(value, measure.currency, measure.decimals, shown=0 if abs(units) >= 100 else None)
        if measure.kind in ("count", "number") and abs(value) >= _COMPACT_FROM:
            return self.compact(value)
        return self.show(value, measure)

    def signed(self, value: float | None, measure: Measure) -> str:
        """A difference, with its sign.

        Examples
        --------
        >>> from percorso.language.measures import SHARE
        >>> Numbers("it").signed(0.012, SHARE.difference)
        '+1,2\\xa0punti'
        """
        text = self.brief(value, measure)
        return f"+{text}" if value is not None and value > 0 else text

    def change(self, value: float | None, low: float | None, high: float | None, measure: Measure) -> tuple[str, str]:
        """A difference and its interval as tables say them: whole, and both with as many decimals; "" for no interval.

        Amounts of a thousand and more go without cents, points that would read as none with two decimals.

        Examples
        --------
        >>> from percorso.language.measures import money
        >>> Numbers("en").change(-4_510_000, -6_160_414, -2_859_586, money("EUR"))
        ('−€45,100', '−61,604\\xa0to −28,596')
        """
        (value, low, high), measure = _as_written((value, low, high), measure)
        text = self.show(value, measure)
        signed = f"+{text}" if value is not None and value > 0 else text
        return signed, "" if value is None or low is None or high is None else self.range(low, high, measure)

    def is_clear(self, value: float | None, low: float | None, high: float | None, measure: Measure) -> bool:
        """Does the interval of a difference leave out zero, also as :meth:`change` writes it?

        Examples
        --------
        >>> from percorso.language.measures import POINTS, money
        >>> Numbers("en").is_clear(0.007, 0.001, 0.013, POINTS), Numbers("en").is_clear(9e4, 1, 1e5, money("EUR"))
        (True, False)
        """
        if low is None or high is None or low <= 0 <= high:
            return False
        (_, low, high), measure = _as_written((value, low, high), measure)
        return all(set(self._bare(end, measure)) & _DIGITS for end in (low, high))

    def range(self, low: float | None, high: float | None, measure: Measure) -> str:
        """From low to high, without the unit where it stands behind a number: "11,0–13,8"."""
        ends = tuple(self._bare(value, measure) for value in (low, high))
        return f"{ends[0]}{_NBSP}{self._as.to} {ends[1]}" if _MINUS in "".join(ends) else "–".join(ends)

    def interval(self, value: float | None, low: float | None, high: float | None, measure: Measure) -> str:
        """A value and its interval.

        Examples
        --------
        >>> from percorso.language.measures import SHARE
        >>> Numbers("it").interval(0.123, 0.11, 0.138, SHARE)
        '12,3\\xa0% (11,0–13,8)'
        """
        shown = self.show(value, measure)
        return shown if value is None or low is None or high is None else f"{shown} ({self.range(low, high, measure)})"

    def _bare(self, value: float | None, measure: Measure) -> str:
        if value is None or not math.isfinite(value):
            return MISSING
        match measure.kind:
            case "share" | "points":
                return self.decimal(100 * value, measure.decimals)
            case "money":
                return self.decimal(value / 10**measure.decimals, measure.decimals)
            case _:
                return self.show(value, measure)

    def ticks(self, values: Sequence[float], measure: Measure) -> tuple[str, ...]:
        """The marks of an axis, all with the same unit and the same number of decimals."""
        if measure.kind == "duration":
            return tuple(self.duration(value) if value else "0" for value in values)
        factor = 100.0 if measure.kind in ("share", "points") else 1.0
        if measure.kind == "money":
            factor = 10.0**-measure.decimals
        plain = [value * factor for value in values]
        top = max(map(abs, plain), default=0.0)
        size, name = next((s for s in self._as.scales if top >= max(s[0], _COMPACT_FROM)), (1, ""))
        if factor == 100:
            size, name = 1, f"{_NBSP}%" if measure.kind == "share" else ""
        digits = max((_decimals_of(value / size) for value in plain), default=0)
        texts = [self.decimal(value / size, digits) + (name if value or factor == 100 else "") for value in plain]
        if measure.kind == "money":
            return tuple(self._with_currency(text, measure.currency) for text in texts)
        return tuple(texts)

    def day(self, day: datetime.date, *, short: bool = False) -> str:
        """A day: "3 marzo 2024"; short: "3 mar"."""
        if short:
            return f"{day.day}{_NBSP}{self._as.months_short[day.month - 1]}"
        return f"{day.day}{_NBSP}{self._as.months[day.month - 1]} {day.year}"

    def month(self, day: datetime.date, *, short: bool = False) -> str:
        """A day's month: "marzo 2024"; short: "mar 24"."""
        if short:
            return f"{self._as.months_short[day.month - 1]}{_NBSP}{day.year % 100:02d}"
        return f"{self._as.months[day.month - 1]} {day.year}"

    def date(self, day: datetime.date) -> str:
        """A day in digits: "2024-03-01", in Italian "01/03/2024"."""
        return self._as.date.format(day)

    def moment(self, moment: datetime.datetime) -> str:
        """A day and time, to the minute, as the moment's own zone has it."""
        return f"{self.day(moment.date())}, {moment:%H:%M}"

    def period(self, first: datetime.date, last: datetime.date) -> str:
        """From a day to a day, both included, saying nothing twice: "1–31 marzo 2024"."""
        if first == last:
            return self.day(last)
        if first.year != last.year:
            return f"{self.day(first)} – {self.day(last)}"
        if first.month != last.month:
            return f"{first.day}{_NBSP}{self._as.months[first.month - 1]} – {self.day(last)}"
        return f"{first.day}–{self.day(last)}"


def _as_written(
    values: tuple[float | None, float | None, float | None], measure: Measure
) -> tuple[tuple[float | None, float | None, float | None], Measure]:
    """A difference and the ends of its interval, and the measure by which tables write them."""
    known = [abs(each) for each in values if each is not None and math.isfinite(each)]
    if measure.kind == "money" and max(known, default=0.0) >= 1_000 * 10**measure.decimals:
        value, low, high = (None if each is None else each / 10**measure.decimals for each in values)
        return (value, low, high), replace(measure, decimals=0)
    if measure.kind == "points" and values[0] and abs(values[0]) < 0.005 * 10.0**-measure.decimals:
        return values, replace(measure, decimals=measure.decimals + 1)
    return values, measure


def _largest_unit(seconds: float) -> tuple[int, int, int]:
    """Its position, its seconds, and those of the unit below."""
    # Rounded as the unit below would show it: 59 minutes and 59.9 seconds are an hour.
    at = next((i for i, (size, below) in enumerate(_SPANS) if round(seconds / below) * below >= size), 2)
    return at, *_SPANS[at]


def _decimals_of(value: float) -> int:
    """Digits behind the mark that a tick needs, at most 6."""
    text = f"{value:.6f}".rstrip("0")
    return len(text) - text.index(".") - 1
