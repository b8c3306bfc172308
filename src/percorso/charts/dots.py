"""Dots with intervals, row by row, and beside them how it was before: for estimates that want comparing."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.charts.chart import Chart, Drawing, Table, finish
from percorso.charts.frame import Key, empty_chart, footing, heading, key_line, label_lines
from percorso.charts.lettering import text_width, wrap
from percorso.charts.scale import Scale, linear_scale
from percorso.charts.svg import circle, line, text
from percorso.charts.theme import ACCENT, BODY, GAP, GRID, INK, MUTED, QUIET, SMALL
from percorso.language.measures import SHARE, Measure
from percorso.language.words import Words, capital

__all__ = ["Dot", "Dots", "draw_dots"]

_ROW = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """An estimate with its interval, and the same of the period to compare with."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    before: float | None = None
    before_low: float | None = None
    before_high: float | None = None
    n: int | None = None
    colour: str = ACCENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots(Drawing):
    """Dots.

    Parameters
    ----------
    dots : tuple of Dot
    measure : Measure
    now_name, before_name : str
        The two periods, for the key.
    zero : bool
        Whether the axis begins at zero: dots, unlike bars, need not.
    name_head : str
        Head of the names in the table behind the chart.
    """

    dots: tuple[Dot, ...]
    measure: Measure = SHARE
    now_name: str = ""
    before_name: str = ""
    zero: bool = False
    name_head: str = ""


def draw_dots(dots: Dots, words: Words) -> Chart:
    """Draw dots."""
    table = _table(dots, words)
    if not dots.dots:
        return empty_chart(dots, table[0], words)
    parts, y = heading(dots)
    if dots.before_name:
        now = capital(dots.now_name or words.text("charts.now"))
        keys, y = key_line([Key(now, ACCENT), Key(capital(dots.before_name), QUIET, "ring")], dots.width, y)
        parts += keys
    names = min(
        0.36 * dots.width,
        max(text_width(line, BODY) for d in dots.dots for line in wrap(d.name, 0.36 * dots.width, BODY)),
    )
    behind = max(text_width(_shown(dots, dot, words), BODY, bold=True) for dot in dots.dots)
    scale = _scale(dots, names + 2 * GAP, dots.width - behind - 2 * GAP)
    bottom = y + _ROW * len(dots.dots)
    parts += _grid(dots, scale, y, bottom, words)
    for at, dot in enumerate(dots.dots):
        parts += _row(dots, dot, y + _ROW * (at + 0.5), names, scale, words)
    below, height = footing(dots, bottom + 18)
    return finish(dots, [*parts, *below], height, table, words)


def _shown(dots: Dots, dot: Dot, words: Words) -> str:
    return words.numbers.brief(dot.value, dots.measure)


def _scale(dots: Dots, left: float, right: float) -> Scale:
    values = [v for d in dots.dots for v in (d.value, d.low, d.high, d.before, d.before_low, d.before_high)]
    return linear_scale(values, left, right, dots.measure, count=5, zero=dots.zero)


def _grid(dots: Dots, scale: Scale, top: float, bottom: float, words: Words) -> list[str]:
    parts = []
    taken = float("-inf")
    for value, label in zip(scale.ticks, words.numbers.ticks(scale.ticks, dots.measure), strict=True):
        x, half = scale.at(value), text_width(label, SMALL) / 2
        parts.append(line(x, top, x, bottom, stroke=MUTED if value == 0 else GRID, stroke_width=1))
        if x - half > taken + 6:
            parts.append(text(x, bottom + 15, label, size=SMALL, fill=MUTED, anchor="middle"))
            taken = x + half
    return parts


def _row(dots: Dots, dot: Dot, middle: float, names: float, scale: Scale, words: Words) -> list[str]:
    parts = label_lines(names, middle, dot.name, names, anchor="end")
    beside = middle + 5 if dot.before is not None else middle
    if dot.before is not None:
        if dot.before_low is not None and dot.before_high is not None:
            ends = scale.at(dot.before_low), scale.at(dot.before_high)
            parts.append(line(ends[0], beside, ends[1], beside, stroke=QUIET, stroke_width=1.5))
        parts.append(circle(scale.at(dot.before), beside, 4, fill="#ffffff", stroke=QUIET, stroke_width=1.75))
    if dot.value is not None:
        above = middle - 4 if dot.before is not None else middle
        if dot.low is not None and dot.high is not None:
            parts.append(line(scale.at(dot.low), above, scale.at(dot.high), above, stroke=dot.colour, stroke_width=2.5))
        title = f"{dot.name}: {words.numbers.interval(dot.value, dot.low, dot.high, dots.measure)}"
        parts.append(circle(scale.at(dot.value), above, 5, fill=dot.colour, title=title))
    shown = _shown(dots, dot, words)
    known = dot.value is not None
    parts.append(text(dots.width, middle + 4, shown, bold=known, anchor="end", fill=INK if known else MUTED))
    return parts


def _table(dots: Dots, words: Words) -> Table:
    show, spanned = words.numbers.show, words.numbers.range
    with_before = any(dot.before is not None for dot in dots.dots)
    heads = [
        dots.name_head or words.name("column", "name"),
        words.name("column", "value"),
        words.name("column", "interval"),
    ]
    heads += (
        [dots.before_name or words.name("column", "before"), words.name("column", "interval")] if with_before else []
    )
    heads.append(words.name("column", "n"))
    rows = []
    for dot in dots.dots:
        row = [dot.name, show(dot.value, dots.measure), spanned(dot.low, dot.high, dots.measure)]
        if with_before:
            row += [show(dot.before, dots.measure), spanned(dot.before_low, dot.before_high, dots.measure)]
        rows.append((*row, "" if dot.n is None else words.numbers.count(dot.n)))
    return tuple(heads), tuple(rows)
