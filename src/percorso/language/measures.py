"""What a number measures, so that one place decides how it reads: a share as "12,3 %", a time as "3g 4h"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from percorso.money import exponent

__all__ = ["COUNT", "DURATION", "NUMBER", "POINTS", "SHARE", "Kind", "Measure", "measure_of", "money"]

Kind = Literal["count", "number", "share", "points", "money", "duration"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What the numbers of an axis or a column are.

    Parameters
    ----------
    kind : {"count", "number", "share", "points", "money", "duration"}
        Values are: whole things; any number (mean contacts, a score); a share from 0 to 1; a difference of shares;
        minor units of `currency`; seconds.
    currency : str
        ISO 4217 code, of money.
    decimals : int
        Of money: digits of the currency's minor unit. Else: digits to show behind the decimal mark.
    """

    kind: Kind
    currency: str = ""
    decimals: int = 0

    @property
    def difference(self) -> Measure:
        """What a difference of two such values is: of shares, percentage points."""
        return POINTS if self.kind == "share" else self


COUNT = Measure("count")
NUMBER = Measure("number", decimals=1)
SHARE = Measure("share", decimals=1)
POINTS = Measure("points", decimals=1)
DURATION = Measure("duration")


def money(currency: str, decimals: int = 2) -> Measure:
    """Amounts in minor units of a currency; `decimals` is its ISO 4217 exponent."""
    return Measure("money", currency, decimals)


_BY_UNIT: Mapping[str, Measure] = {
    "count": COUNT,
    "share": SHARE,
    "points": POINTS,
    "duration": DURATION,
    "ratio": Measure("number", decimals=2),
    "score": NUMBER,
}


def measure_of(unit: str, currency: str) -> Measure:
    """What numbers are whose unit an answer names: a KPI's "share", "duration", or "money" of its currency."""
    return money(currency, exponent(currency)) if unit == "money" else _BY_UNIT[unit]
