"""Money: amounts as integer minor units of their currency, exact conversion at query time.

Amounts are read exactly (never through a float's binary value) and rounded half-even where a source
gives more decimals than the currency has. Vectorised reading of columns: ``events/amounts.py``.
"""

from __future__ import annotations

import datetime
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Protocol

from percorso.errors import AmountError, nearest_hint
from percorso.settings.codes import CURRENCY_EXPONENTS

__all__ = ["LARGEST_MINOR", "RateTable", "convert", "exponent", "minor_of", "to_minor"]

#: Amounts beyond this many minor units are no money but a wrong column (and would not fit an int64 sum).
LARGEST_MINOR = 10**17
_LARGEST_EXPONENT = 17

#: A rate holds for this many days after its own, where no later one is known (definitions, section 8).
RATE_DAYS = 7

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()

# What may stand around a number: signs and names of currencies, and their codes. Any other letter makes
# the text unreadable, so that a column of article numbers is not taken for prices.
_SIGNS = "US$ AU$ CA$ NZ$ HK$ MX$ A$ C$ R$ S$ $ € £ ¥ ₹ ₽ ₺ ₴ ₩ ₪ ₫ ₦ ₱ ฿ ¢ Kč zł kr Ft lei лв SFr Fr Rs руб TL EURO"
_CURRENCY_NAMES = frozenset(name.casefold() for name in (*_SIGNS.split(), *CURRENCY_EXPONENTS))
_MARKS = " \t\u00a0\u2007\u202f.,+-\u2212()"
_DASHED_DECIMALS = re.compile(r"[.,](?:-{1,2}|\u2013|\u2014)$")  # "5,-" is five, as shops write it
_BLANKS = " \t\u00a0\u2007\u202f'\u2019_"
_BLANK_GROUPS = re.compile(rf"[0-9]{{1,3}}(?:[{_BLANKS}][0-9]{{3}})+(?:[.,][0-9]*)?", re.ASCII)
_NO_BLANKS = str.maketrans("", "", _BLANKS)
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?|\.[0-9]+", re.ASCII)


def exponent(currency: str) -> int:
    """Number of decimals of a currency (ISO 4217).

    Raises
    ------
    AmountError
        There is no such currency.

    Examples
    --------
    >>> exponent("EUR"), exponent("JPY"), exponent("KWD")
    (2, 0, 3)
    """
    try:
        return CURRENCY_EXPONENTS[currency]
    except KeyError:
        raise AmountError("This is not a currency.", hint=nearest_hint(currency[:10], CURRENCY_EXPONENTS)) from None


def to_minor(amount: str | int | float | Decimal, currency: str, *, decimal: str = ".") -> int:
    """The amount in minor units of its currency, exact, rounded half-even.

    Parameters
    ----------
    amount : str, int, float or Decimal
        A text may carry currency signs, thousands separators (points, commas, blanks, apostrophes), a minus
        before or behind, or parentheses for negative amounts. A float counts as its shortest decimal text.
    currency : str
        ISO 4217 code.
    decimal : {".", ","}
        What separates decimals in texts. A text whose separators can only be meant the other way round
        ("1.234,56" under ".") is read that way.

    Raises
    ------
    AmountError
        It cannot be read as an amount.

    Examples
    --------
    >>> to_minor("1.234,56", "EUR", decimal=","), to_minor("(12.50)", "USD"), to_minor("1,000", "JPY")
    (123456, -1250, 1000)
    """
    return minor_of(amount, exponent(currency), decimal=decimal)


def minor_of(amount: str | int | float | Decimal, decimals: int, *, decimal: str = ".") -> int:
    """As :func:`to_minor`, for a currency with that many decimals."""
    if isinstance(amount, bool):
        raise AmountError("true and false are no amounts.")
    number = _decimal_of(amount, decimal) if isinstance(amount, str) else Decimal(str(amount))
    if not number.is_finite():
        raise AmountError("The amount is not a finite number.")
    if number.adjusted() > _LARGEST_EXPONENT:  # before scaling: 1e99 would become a very long integer
        raise AmountError("The amount is larger than any real one.")
    with localcontext(_EXACT):
        minor = int(number.scaleb(decimals).to_integral_value())
    if abs(minor) > LARGEST_MINOR:
        raise AmountError("The amount is larger than any real one.")
    return minor


def _decimal_of(text: str, decimal: str) -> Decimal:
    """The number that an amount's text means. See :func:`to_minor`.

    Raises
    ------
    AmountError
        It is none.
    """
    stripped = text.strip()
    if len(stripped) > 60:
        raise AmountError("The text is too long for an amount.")
    negative, body = _sign(_without_currency(_DASHED_DECIMALS.sub("", stripped)))
    if _BLANK_GROUPS.fullmatch(body):
        body = body.translate(_NO_BLANKS)
    digits = _without_separators(body, decimal)
    if not _PLAIN.fullmatch(digits):
        raise AmountError("The text is not an amount.", hint=f"An amount looks like 1234{decimal}56.")
    value = Decimal(digits)
    return -value if negative else value


def _without_currency(text: str) -> str:
    """The text without the currencies before its first digit and behind its last."""
    digits = [position for position, letter in enumerate(text) if letter in "0123456789"]
    if not digits:
        return ""
    first, end = digits[0], digits[-1] + 1
    return _nameless(text[:first]) + text[first:end] + _nameless(text[end:])


def _nameless(around: str) -> str:
    """Signs and separators of what stands beside a number; a letter of no currency stays, and spoils it."""
    name = around.strip(_MARKS)
    if not name or name.casefold() not in _CURRENCY_NAMES:
        return around
    before, _, behind = around.partition(name)
    # The point of "Rs. 50" is the abbreviation's, that of "$.50" the number's.
    return (before + (behind.removeprefix(".") if name.isalpha() else behind)).strip()


def _sign(text: str) -> tuple[bool, str]:
    """Whether the text is negative, and what remains: "-1", "1-", "(1)", "−1"."""
    if text.startswith("(") and text.endswith(")"):
        return True, text[1:-1].strip()
    for minus in ("-", "\u2212"):
        if text.startswith(minus):
            return True, text[1:].strip()
        if text.endswith(minus):
            return True, text[:-1].strip()
    return False, text.removeprefix("+").strip()


def _without_separators(body: str, decimal: str) -> str:
    """The number with "." before its decimals and no thousands separators; "" where they make no sense."""
    thousands = "," if decimal == "." else "."
    if thousands in body and decimal in body and body.rfind(thousands) > body.rfind(decimal):
        decimal, thousands = thousands, decimal  # "1.234,56" under ".": it can only be meant so
    elif thousands not in body and body.count(decimal) > 1:
        decimal, thousands = thousands, decimal  # "1.234.567" under ".": likewise
    whole, _, rest = body.partition(decimal)
    groups = whole.split(thousands)
    if len(groups) > 1 and not _are_groups(groups):
        # A single separator followed by other than three digits ("12,5" under ".") is a decimal one.
        if len(groups) == 2 and not rest and decimal not in body and len(groups[1]) != 3:
            return ".".join(groups)
        return ""
    return "".join(groups) + (f".{rest}" if decimal in body else "")


def _are_groups(groups: list[str]) -> bool:
    """Are these thousands groups: one to three digits, then three each (Indian lakhs: two each, then three)?"""
    head, middle, last = groups[0], groups[1:-1], groups[-1]
    return (
        1 <= len(head) <= 3
        and len(last) == 3
        and (all(len(group) == 3 for group in middle) or (len(head) <= 2 and all(len(group) == 2 for group in middle)))
    )


class _DatedRate(Protocol):
    @property
    def day(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def rate(self) -> float: ...


@dataclass(frozen=True, slots=True)
class RateTable:
    """Rates into one currency, ordered for look-up: currency -> (epoch days ascending, rates)."""

    by_currency: Mapping[str, tuple[tuple[int, ...], tuple[Decimal, ...]]]

    @staticmethod
    def of(rates: Iterable[_DatedRate]) -> RateTable:
        """The table of the settings' `rates`; of two for one day the last written counts."""
        dated: dict[str, dict[int, Decimal]] = {}
        for entry in rates:
            day = datetime.date.fromisoformat(entry.day).toordinal() - _EPOCH_ORDINAL
            dated.setdefault(entry.currency, {})[day] = Decimal(repr(entry.rate))
        return RateTable(
            {
                currency: (tuple(sorted(days)), tuple(days[day] for day in sorted(days)))
                for currency, days in dated.items()
            }
        )

    def rate(self, currency: str, day: int) -> Decimal | None:
        """The day's rate, else the last one of the 7 days before, else None. `day`: days since 1970-01-01."""
        days, rates = self.by_currency.get(currency, ((), ()))
        position = bisect_right(days, day) - 1
        if position < 0 or day - days[position] > RATE_DAYS:
            return None
        return rates[position]


def convert(amount_minor: int, currency: str, day: int, rates: RateTable, target: str) -> int | None:
    """The amount in minor units of `target`, rounded half-even; None where there is no rate.

    Parameters
    ----------
    amount_minor : int
        In minor units of `currency`.
    currency : str
    day : int
        Days since 1970-01-01 in the workspace's time zone; for a refund, the day of its order.
    rates : RateTable
        Rates into `target`.
    target : str
        The workspace's currency.

    Notes
    -----
    round_half_even(amount · 10^(−e_currency) · rate · 10^(e_target)), in exact decimal arithmetic.

    Examples
    --------
    >>> from percorso.settings import Rate
    >>> convert(1000, "USD", 20455, RateTable.of([Rate("2026-01-02", "USD", 0.92)]), "EUR")
    920
    """
    if currency == target:
        return amount_minor
    rate = rates.rate(currency, day)
    if rate is None:
        return None
    with localcontext(_EXACT):
        worth = Decimal(amount_minor) * rate
        return int(worth.scaleb(exponent(target) - exponent(currency)).to_integral_value())
