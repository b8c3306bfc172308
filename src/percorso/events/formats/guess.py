"""Guesses from a column's values: how its times are written, what separates its decimals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from percorso.events.times import NOTE_MISSING, read_times

__all__ = ["TimeGuess", "are_thousands", "guess_decimal", "guess_time_format", "has_decimal_point"]

_1990_US = 631_152_000_000_000
_2100_US = 4_102_444_800_000_000

_SEPARATORS = ("/", "-", ".")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", ", %H:%M", ", %H:%M:%S", " %H.%M", " %H.%M.%S")
_TWELVE_HOURS = (" %I:%M %p", " %I:%M:%S %p", ", %I:%M %p", ", %I:%M:%S %p")
_DIGITS = re.compile(r"[0-9]+", re.ASCII)

#: "1.234,56" or "12,5": a comma before the last one or two digits, or points before groups of three.
_COMMA_DECIMAL = re.compile(r"[^0-9]*[0-9]{1,3}(?:[. '][0-9]{3})*,[0-9]{1,2}[^0-9]*|[^0-9]*[0-9]+,[0-9]{1,2}[^0-9]*")
_POINT_DECIMAL = re.compile(r"[^0-9]*[0-9]{1,3}(?:[, '][0-9]{3})*\.[0-9]{1,2}[^0-9]*|[^0-9]*[0-9]+\.[0-9]{1,2}[^0-9]*")

#: "1.234", "€ 12.345.678": points before groups of three digits, and nothing behind them.
_POINT_THOUSANDS = re.compile(r"[^0-9.,]*[1-9][0-9]{0,2}(?:\.[0-9]{3})+[^0-9.,]*", re.ASCII)
_WHOLE = re.compile(r"[^0-9.,]*[0-9]+[^0-9.,]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class TimeGuess:
    """A format that most values have, and how sure that is.

    Parameters
    ----------
    format : str
        As a mapping names it: "iso", "unix_ms", "%d/%m/%Y %H:%M", ...
    share_ratio : float
        Values that are times in it, of those that say anything.
    ambiguous : bool
        Day and month could be swapped in every value: day first is assumed.
    """

    format: str
    share_ratio: float
    ambiguous: bool = False


def guess_time_format(values: Sequence[str | None], *, enough_ratio: float = 0.9) -> TimeGuess | None:
    """The format of a column of times; None when fewer than `enough_ratio` of its values are times.

    Day-first formats are tried before month-first ones.

    Examples
    --------
    >>> guess_time_format(["31/12/2024 18:05", "01/02/2024 09:30"]).format
    '%d/%m/%Y %H:%M'
    >>> guess_time_format(["12/31/2024"]).format
    '%m/%d/%Y'
    """
    texts = [value.strip() for value in values if value is not None and value.strip()]
    if not texts:
        return None
    best = TimeGuess("", 0.0)
    for candidate in _candidates(texts):
        share = _share(texts, candidate)
        if share > best.share_ratio:
            best = TimeGuess(candidate, share)
        if share == 1.0:
            break
    if best.share_ratio < enough_ratio:
        return None
    return TimeGuess(best.format, best.share_ratio, _could_be_swapped(texts, best))


def _candidates(texts: Sequence[str]) -> Iterator[str]:
    if all(_DIGITS.fullmatch(text) for text in texts):
        lengths = {len(text) for text in texts}
        by_length = {8: "%Y%m%d", 10: "unix_s", 13: "unix_ms", 14: "%Y%m%d%H%M%S", 16: "unix_us"}
        yield from (by_length[length] for length in sorted(lengths & set(by_length)))
        return
    yield "iso"
    if all(_unix_decimal(text) for text in texts):
        yield "unix_s"
        return
    for separator in _SEPARATORS:
        if not any(separator in text for text in texts):
            continue
        for order in ("dmY", "Ymd", "mdY", "dmy", "mdy"):
            day = separator.join(f"%{letter}" for letter in order)
            yield from (day + clock for clock in _CLOCKS)
            if any(text[-1:] in "mM" for text in texts):
                yield from (day + clock for clock in _TWELVE_HOURS)
    yield from (f"%d{separator}%b{separator}%Y" for separator in (" ", "-", "/"))
    yield from ("%b %d, %Y", "%d %B %Y")


def _unix_decimal(text: str) -> bool:
    whole, point, rest = text.partition(".")
    return bool(point) and len(whole) == 10 and whole.isdigit() and rest.isdigit()


def _share(texts: Sequence[str], time_format: str) -> float:
    """Of the texts, those that are times of a plausible year in the format."""
    times = read_times(pa.array(texts, pa.string()), time_format=time_format, timezone="UTC")
    said = times.notes != NOTE_MISSING
    good = ~times.null & (times.us >= _1990_US) & (times.us < _2100_US)
    return float(good.sum() / max(1, said.sum()))


def _could_be_swapped(texts: Sequence[str], guess: TimeGuess) -> bool:
    swapped = re.sub(r"^%d(.)%m", r"%m\1%d", guess.format)
    if swapped == guess.format:
        return False
    same = all(len(set(_DIGITS.findall(text)[:2])) == 1 for text in texts)
    return not same and _share(texts, swapped) >= guess.share_ratio


def guess_decimal(values: Sequence[str | None]) -> str:
    """What separates the decimals of a column of amounts: "," or, without evidence for it, ".".

    Examples
    --------
    >>> guess_decimal(["1.234,56", "12"]), guess_decimal(["1,234.56"]), guess_decimal(["7"])
    (',', '.', '.')
    """
    texts = [value.strip() for value in values if value]
    commas = np.array([bool(_COMMA_DECIMAL.fullmatch(text)) for text in texts], dtype=np.bool_)
    points = np.array([bool(_POINT_DECIMAL.fullmatch(text)) for text in texts], dtype=np.bool_)
    return "," if commas.sum() > points.sum() else "."


def are_thousands(values: Sequence[str | None]) -> bool:
    """Whether every point stands before exactly three digits: "1.234" is then more likely 1234 than 1.234.

    Cells without digits say nothing; one comma, "0.500" or "12.5" says no.

    Examples
    --------
    >>> are_thousands(["1.234", "850", "n.d."]), are_thousands(["1.234", "12.5"]), are_thousands(["850"])
    (True, False, False)
    """
    texts = [value.strip() for value in values if value and re.search(r"[0-9]", value)]
    pointed = [text for text in texts if not _WHOLE.fullmatch(text)]
    return bool(pointed) and all(_POINT_THOUSANDS.fullmatch(text) for text in pointed)


def has_decimal_point(values: Sequence[str | None]) -> bool:
    """Whether any amount has one or two digits behind a point."""
    return any(_POINT_DECIMAL.fullmatch(value.strip()) for value in values if value)
