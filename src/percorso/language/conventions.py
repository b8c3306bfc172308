"""How English and Italian write numbers and dates: marks, units, names of months.

A table of our own and not Babel: two languages need thirty values; Babel brings thirty megabytes of locale data and
writes per cents and durations otherwise than the field does here ("12,3 %", "3g 4h").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CONVENTIONS", "Conventions"]


@dataclass(frozen=True, slots=True)
class Conventions:
    """One language's way to write numbers and dates."""

    decimal: str
    thousands: str
    scales: tuple[tuple[int, str], ...]  # of compact numbers: size and what stands behind, the largest first
    points: str  # percentage points
    day: str  # the unit of durations; hours, minutes and seconds are international
    to: str  # between the ends of a range with a negative one
    symbol_first: bool  # of currencies
    date: str  # a day in digits, of a `datetime.date`
    months: tuple[str, ...]
    months_short: tuple[str, ...]


_ENGLISH = Conventions(
    decimal=".",
    thousands=",",
    scales=((10**9, "bn"), (10**6, "M"), (10**3, "k")),
    points="points",
    day="d",
    to="to",
    symbol_first=True,
    date="{0.year:04d}-{0.month:02d}-{0.day:02d}",
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    months_short=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_ITALIAN = Conventions(
    decimal=",",
    thousands=".",
    scales=((10**9, "\u00a0mld"), (10**6, "\u00a0M"), (10**3, "\u00a0mila")),
    points="punti",
    day="g",
    to="a",
    symbol_first=False,
    date="{0.day:02d}/{0.month:02d}/{0.year:04d}",
    months=(
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ),
    months_short=("gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"),
)

#: By language.
CONVENTIONS: Mapping[str, Conventions] = MappingProxyType({"en": _ENGLISH, "it": _ITALIAN})
