"""What orders are worth in the workspace's currency: exact, per order, at the rate of the order's day.

Amounts stay minor units of their own currency in the log (definitions, section 8) and are converted when asked:
the day's rate of the workspace's table, else the last one within seven days, rounded half-even per order, then
added up as integers. Without a rate the order counts, its value is missing, and the answer warns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.events.zones import days_of
from percorso.kernels.arrays import I64, Bools
from percorso.language.said import said
from percorso.money import convert, exponent

__all__ = ["Missing", "Worth", "amount", "amounts_column", "missing_rate_warnings", "worth_of"]

_LARGEST = 1 << 62


@dataclass(frozen=True, slots=True)
class Missing:
    """Orders whose value is not known in the workspace's currency: by currency, their number and their days."""

    currency: str
    orders: int
    days: frozenset[int]


@dataclass(frozen=True, slots=True)
class Worth:
    """What some orders are worth.

    Parameters
    ----------
    minor : int64 array, shape (n_orders,)
        Minor units of the workspace's currency; 0 where it is not known.
    known : bool array, shape (n_orders,)
        False: the order has no value, or there is no rate for its day.
    missing : tuple of Missing
        Orders without a rate (those without any value are none of them).
    """

    minor: I64
    known: Bools
    missing: tuple[Missing, ...] = ()


def worth_of(value: I64, currency: Sequence[str], code: np.ndarray, time_us: I64, basis: Basis) -> Worth:
    """Amounts in the workspace's currency.

    Parameters
    ----------
    value : int64, shape (n,)
        Minor units of each amount's own currency.
    currency : sequence of str
        Currencies by code; "" is none: the amount is not known.
    code : integer, shape (n,)
        Code of each amount's currency.
    time_us : int64, shape (n,)
        Whose day's rate counts: that of the order, also for refunds.
    basis : Basis
    """
    minor = np.zeros(len(value), np.int64)
    known = np.zeros(len(value), np.bool_)
    missing: list[Missing] = []
    for position, name in enumerate(currency):
        mine = np.flatnonzero(code == position)
        if not name or not len(mine):
            continue
        if name == basis.currency:
            minor[mine], known[mine] = value[mine], True
            continue
        worth, found, days = _converted(value[mine], days_of(time_us[mine], basis.timezone), name, basis)
        minor[mine], known[mine] = worth, found
        if days:
            missing.append(Missing(name, int((~found).sum()), days))
    return Worth(minor, known, tuple(missing))


def _converted(value: I64, day: I64, currency: str, basis: Basis) -> tuple[I64, Bools, frozenset[int]]:
    """Amounts of one foreign currency, day by day; which have a rate, and the days that have none."""
    worth, found = np.zeros(len(value), np.int64), np.zeros(len(value), np.bool_)
    lacking = set()
    days, at = np.unique(day, return_inverse=True)
    order = np.argsort(at, kind="stable")
    ends = np.cumsum(np.bincount(at, minlength=len(days)))
    for position, one in enumerate(days.tolist()):
        rows = order[ends[position - 1] if position else 0 : ends[position]]
        rate = basis.rates.rate(currency, one)
        if rate is None:
            lacking.add(one)
            continue
        worth[rows], found[rows] = _times(value[rows], rate, currency, one, basis), True
    return worth, found, frozenset(lacking)


def _times(value: I64, rate: Decimal, currency: str, day: int, basis: Basis) -> I64:
    """``round_half_even(value · rate · 10^(e_target − e_currency))``, exact; as `percorso.money.convert`, of many."""
    _, digits, places = rate.as_tuple()
    assert isinstance(places, int)
    factor = int("".join(map(str, digits)))
    shift = places + exponent(basis.currency) - exponent(currency)
    factor *= 10 ** max(shift, 0)
    largest = int(np.abs(value).max(initial=0))
    if largest * factor >= _LARGEST:  # beyond 64 bits: one by one
        each = (convert(int(one), currency, day, basis.rates, basis.currency) for one in value)
        return np.fromiter((one or 0 for one in each), np.int64, len(value))
    product = value * np.int64(factor)
    divisor = np.int64(10 ** max(-shift, 0))
    whole, rest = np.divmod(product, divisor)
    twice = 2 * rest
    up = (twice > divisor) | ((twice == divisor) & (whole & 1 == 1))
    result: I64 = whole + up
    return result


def missing_rate_warnings(missing: Iterable[Missing], basis: Basis) -> tuple[str, ...]:
    """A sentence for each currency that lacks rates; the last one says what to do."""
    orders: dict[str, int] = {}
    days: dict[str, set[int]] = {}
    for one in missing:
        orders[one.currency] = orders.get(one.currency, 0) + one.orders
        days.setdefault(one.currency, set()).update(one.days)
    names = sorted(orders)
    advice = said("warnings.missing_rate_advice")
    return tuple(
        said(
            "warnings.missing_rate",
            n=orders[name],
            currency=name,
            into=basis.currency,
            days=len(days[name]),
            advice=advice if name == names[-1] else "",
        )
        for name in names
    )


def amount(minor: int, currency: str) -> Decimal:
    """Minor units as an exact amount.

    Examples
    --------
    >>> amount(1250, "EUR")
    Decimal('12.50')
    """
    return Decimal(minor).scaleb(-exponent(currency))


def amounts_column(minor: I64 | Sequence[int | None], currency: str, known: Bools | None = None) -> pa.Array:
    """Minor units as exact decimals in units of the currency, null where not known.

    Examples
    --------
    >>> amounts_column([1250, None], "EUR").to_pylist()
    [Decimal('12.50'), None]
    """
    places = exponent(currency)
    values = minor.tolist() if isinstance(minor, np.ndarray) else list(minor)
    if known is not None:
        values = [value if is_known else None for value, is_known in zip(values, known.tolist(), strict=True)]
    scaled = [None if value is None else amount(value, currency) for value in values]
    return pa.array(scaled, pa.decimal128(38, places))
