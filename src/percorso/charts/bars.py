"""Horizontal bars, each with its value beside it; where known with an interval and a mark to compare with."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.charts.chart import Chart, Drawing, Table, finish
from percorso.charts.frame import Key, empty_chart, footing, heading, key_line, label_lines
from percorso.charts.lettering import fit, text_width, wrap
from percorso.charts.scale import Scale, linear_scale
from percorso.charts.svg import line, rect, text
from percorso.charts.theme import ACCENT, BODY, GAP, INK, MUTED, SMALL, lighter
from percorso.language.measures import COUNT, Measure
from percorso.language.words import Words, capital

__all__ = ["Bar", "Bars", "draw_bars"]

_ROW = 28.0
_THICK = 16.0
_NAMES = 0.32  # of the width, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar.

    Parameters
    ----------
    name : str
    value : float or None
        None: not known, which is not zero.
    low, high : float or None
        Its interval.
    reference : float or None
        What to compare it with: a target, the period before.
    note : str
        Behind the value, muted: "n = 120".
    colour : str
        Default: the accent.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    note: str = ""
    colour: str = ACCENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(Drawing):
    """Bars of one measure.

    Parameters
    ----------
    bars : tuple of Bar
        In the order in which they are shown.
    measure : Measure
    reference_name : str
        What `reference` of the bars is.
    name_head : str
        Head of the names in the table behind the chart.
    names_above : bool
        Names stand above their bars in a line as long as the chart: for paths.
    """

    bars: tuple[Bar, ...]
    measure: Measure = COUNT
    reference_name: str = ""
    name_head: str = ""
    names_above: bool = False


def draw_bars(bars: Bars, words: Words) -> Chart:
    """Draw bars."""
    table = _table(bars, words)
    if not bars.bars:
        return empty_chart(bars, table[0], words)
    parts, y = heading(bars)
    if bars.reference_name and any(bar.reference is not None for bar in bars.bars):
        keys, y = key_line([Key(capital(bars.reference_name), INK, "tick")], bars.width, y)
        parts += keys
    names = (
        0.0
        if bars.names_above
        else min(_NAMES * bars.width, max(_name_width(bar.name, _NAMES * bars.width) for bar in bars.bars))
    )
    scale = _scale(bars, names + GAP if names else 1.0, words)
    bottom = y + _row(bars) * len(bars.bars)
    for at, bar in enumerate(bars.bars):
        parts += _bar(bars, bar, y + _row(bars) * (at + 0.5), names, scale, words)
    if not bars.names_above:
        parts.append(line(scale.zero, y, scale.zero, bottom, stroke=MUTED, stroke_width=1))
    below, height = footing(bars, bottom)
    return finish(bars, [*parts, *below], height, table, words)


def _row(bars: Bars) -> float:
    if bars.names_above:
        return 2 * _THICK + 12
    wrapped = any(len(wrap(bar.name, _NAMES * bars.width, BODY)) > 1 for bar in bars.bars)
    return _ROW + 4 if wrapped else _ROW


def _name_width(name: str, most: float) -> float:
    return max(text_width(each, BODY) for each in wrap(name, most, BODY))


def _value_text(bars: Bars, bar: Bar, words: Words) -> str:
    return words.numbers.brief(bar.value, bars.measure)


def _scale(bars: Bars, left: float, words: Words) -> Scale:
    values = [value for bar in bars.bars for value in (bar.value, bar.low, bar.high, bar.reference)]
    behind = max(
        text_width(_value_text(bars, bar, words), BODY, bold=True) + text_width(f"  {bar.note}", SMALL)
        for bar in bars.bars
    )
    rough = linear_scale(values, left, bars.width - behind - GAP, bars.measure)
    known = [value for value in values if value is not None]
    # No axis is shown, so the longest bar may reach the end.
    low, high = min(0.0, *known, 0.0), max(0.0, *known, 0.0)
    if high <= low:
        low, high = rough.low, rough.high
    return Scale(low, high, rough.start, max(rough.end, left + 20), rough.ticks)


def _bar(bars: Bars, bar: Bar, middle: float, names: float, scale: Scale, words: Words) -> list[str]:
    if bars.names_above:
        parts = [text(0, middle - 6, fit(bar.name, bars.width, BODY), full=bar.name)]
        middle += _THICK / 2 + 2
    else:
        parts = label_lines(names, middle, bar.name, names, anchor="end")
    shown = _value_text(bars, bar, words)
    if bar.value is None:
        x = scale.zero + 6
    else:
        ends = sorted((scale.zero, scale.at(bar.value)))
        title = f"{bar.name}: {words.numbers.interval(bar.value, bar.low, bar.high, bars.measure)}"
        # Under an interval the bar is lighter, so that the interval can be read on it.
        fill = bar.colour if bar.low is None else lighter(bar.colour, 0.4)
        parts.append(rect(ends[0], middle - _THICK / 2, ends[1] - ends[0], _THICK, fill=fill, title=title))
        x = max(scale.at(value) for value in (bar.value, bar.high, bar.reference, 0.0) if value is not None) + 6
    if bar.low is not None and bar.high is not None:
        ends = [scale.at(bar.low), scale.at(bar.high)]
        parts.append(line(ends[0], middle, ends[1], middle, stroke=INK, stroke_width=2))
    if bar.reference is not None:
        at = scale.at(bar.reference)
        parts.append(rect(at - 1.25, middle - _THICK / 2 - 3, 2.5, _THICK + 6, fill=INK))
    known = bar.value is not None
    parts.append(text(x, middle + 4, shown, bold=known, fill=INK if known else MUTED))
    if bar.note:
        beside = x + text_width(shown, BODY, bold=True) + 6
        parts.append(text(beside, middle + 4, bar.note, size=SMALL, fill=MUTED))
    return parts


def _table(bars: Bars, words: Words) -> Table:
    show = words.numbers.show
    with_interval = any(bar.low is not None for bar in bars.bars)
    with_reference = any(bar.reference is not None for bar in bars.bars)
    heads = [bars.name_head or words.name("column", "name"), words.name("column", "value")]
    heads += [words.name("column", "interval")] if with_interval else []
    heads += [bars.reference_name or words.name("column", "reference")] if with_reference else []
    rows = []
    for bar in bars.bars:
        row = [bar.name, show(bar.value, bars.measure)]
        row += [words.numbers.range(bar.low, bar.high, bars.measure)] if with_interval else []
        row += [show(bar.reference, bars.measure)] if with_reference else []
        rows.append(tuple(row))
    return tuple(heads), tuple(rows)
