"""From values to places: linear scales whose axes have round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from percorso.language.measures import Measure

__all__ = ["Scale", "linear_scale", "nice_step"]

#: Round steps of durations, in seconds, up to a day.
_SPANS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_DAY_S = 86_400
#: And in days: weeks, months, quarters, years.
_SPANS_D = (1.0, 2.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0, 365.0, 730.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale: values `low` to `high` lie from `start` to `end` of the canvas.

    `ticks` are the round values of its axis.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Where a value lies; one outside lies at the nearer end."""
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)

    @property
    def zero(self) -> float:
        """Where bars begin: at 0, or at the end nearer to it."""
        return self.at(0.0)


def nice_step(span: float, count: int, measure: Measure) -> float:
    """The least round step that cuts a span into at most so many parts.

    Round is 1, 2, 2.5 or 5 times a power of ten; whole for whole things; of durations what clocks and calendars call
    round.

    Examples
    --------
    >>> from percorso.language.measures import COUNT, DURATION
    >>> nice_step(90, 5, COUNT), nice_step(1.5, 5, COUNT), nice_step(7000, 5, DURATION)
    (20.0, 1.0, 1800.0)
    """
    raw = span / max(count, 1)
    if measure.kind == "duration":
        if raw <= _DAY_S:
            return float(next(step for step in _SPANS_S if step >= raw)) if raw >= 0.5 else _power_step(raw)
        days = raw / _DAY_S
        return _DAY_S * next((step for step in _SPANS_D if step >= days), _power_step(days))
    step = _power_step(raw)
    if measure.kind == "count":
        return 5.0 if step == 2.5 else max(1.0, step)
    return step


def _power_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= raw * (1 - 1e-9)), 10 * power)


def linear_scale(
    values: Iterable[float | None],
    start: float,
    end: float,
    measure: Measure,
    *,
    count: int = 5,
    zero: bool = True,
    room: float = 0.0,
) -> Scale:
    """A scale that holds the values between round numbers.

    Parameters
    ----------
    values : iterable of float or None
        None and infinite ones count for nothing.
    start, end : float
        Ends of the axis on the canvas.
    measure : Measure
    count : int
        Ticks wanted, about.
    zero : bool
        Whether 0 must be on it: always for bars.
    room : float
        Part of the span to leave free at the end where labels stand.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-12 * max(abs(low), abs(high), 1e-6):
        low, high = (low, low + (0.1 if measure.kind == "share" else 1.0)) if zero else (low - 0.5, high + 0.5)
    wide = high + room * (high - low)
    step = nice_step(wide - low, count, measure)
    first, last = math.floor(low / step + 1e-9), math.ceil(wide / step - 1e-9)
    last = max(last, first + 1)
    ticks = [tick * step for tick in range(first, last + 1)]
    if measure.kind == "share" and high <= 1 < ticks[-1]:  # no axis of shares says "120 %"
        ticks = [tick for tick in ticks if tick <= 1 + 1e-9]
    return Scale(ticks[0], max(ticks[-1], high), start, end, tuple(round(tick, 12) for tick in ticks))
