"""Columns over time: one series, several beside each other, or several stacked."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.charts.axes import grid, grid_width, labels_below, spread
from percorso.charts.chart import Chart, Drawing, Table, finish
from percorso.charts.frame import Key, empty_chart, footing, heading, key_line
from percorso.charts.lettering import fit, text_width, wrap
from percorso.charts.scale import Scale, linear_scale
from percorso.charts.svg import HALO, hatch, line, rect, text
from percorso.charts.theme import ACCENT, HATCH, INK, MUTED, SERIES, SMALL, darker
from percorso.errors import SpecError
from percorso.language.measures import COUNT, Measure
from percorso.language.words import Words

__all__ = ["Columns", "Series", "draw_columns"]

_PLOT = 220.0
_MOST_VALUES = 14  # columns that get their value written above
_LEAST_WRAPPED = 56.0  # room in which a name may stand in two lines; narrower columns leave names out


@dataclass(frozen=True, slots=True)
class Series:
    """A series: one value a category, None where it is not known."""

    name: str
    values: tuple[float | None, ...]
    colour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns(Drawing):
    """Columns.

    Parameters
    ----------
    categories : tuple of str
        Months, weeks, or what else stands in order along the axis.
    series : tuple of Series
    measure : Measure
    stacked : bool
        On each other: for parts of a whole. Negative values cannot be stacked.
    target : float or None
        A line across.
    """

    categories: tuple[str, ...]
    series: tuple[Series, ...]
    measure: Measure = COUNT
    stacked: bool = False
    target: float | None = None

    def __post_init__(self) -> None:
        if any(len(series.values) != len(self.categories) for series in self.series):
            raise SpecError("Each series of a chart has one value for each category.")
        if self.stacked and any((value or 0) < 0 for series in self.series for value in series.values):
            raise SpecError("Negative values cannot be stacked.", hint="Set the columns beside each other.")


def draw_columns(columns: Columns, words: Words) -> Chart:
    """Draw columns."""
    table = _table(columns, words)
    if not columns.categories or not columns.series:
        return empty_chart(columns, table[0], words)
    parts, y = heading(columns)
    colours = _colours(columns)
    if len(columns.series) > 1 and not columns.stacked:
        keys = [Key(series.name, colour) for series, colour in zip(columns.series, colours, strict=True)]
        keyed, y = key_line(keys, columns.width, y)
        parts += keyed
    scale = linear_scale([*_tops(columns), columns.target], y + _PLOT, y + 14, columns.measure)
    left = grid_width(scale, columns.measure, words)
    named = _named(columns, colours, scale, words)
    beside = max((text_width(name, SMALL, bold=True) for name, _, _ in named), default=-10.0)
    right = columns.width - min(beside + 10, 0.28 * columns.width)
    parts += grid(scale, columns.measure, left, right, words)
    room = (right - left) / len(columns.categories)
    for at in range(len(columns.categories)):
        parts += _category(columns, colours, at, left + room * at, room, scale, words)
    parts += _target(columns, left, right, scale)
    parts += _values(columns, left, room, scale, words)
    parts += _names(named, right, columns.width, scale)
    middles = [left + room * (at + 0.5) for at in range(len(columns.categories))]
    # Values of negative columns stand below them.
    bottom = y + _PLOT + (SMALL + 3 if scale.low < 0 else 0)
    labels, bottom = _labels(columns, middles, room, bottom)
    below, height = footing(columns, bottom + 18)
    return finish(columns, [*parts, *labels, *below], height, table, words)


def _colours(columns: Columns) -> list[str]:
    shipped = (ACCENT,) if len(columns.series) == 1 else SERIES
    return [series.colour or shipped[at % len(shipped)] for at, series in enumerate(columns.series)]


def _tops(columns: Columns) -> list[float | None]:
    if not columns.stacked:
        return [value for series in columns.series for value in series.values]
    return [sum(series.values[at] or 0.0 for series in columns.series) for at in range(len(columns.categories))]


def _named(columns: Columns, colours: list[str], scale: Scale, words: Words) -> list[tuple[str, str, float]]:
    """What is written beside the last column: names of stacked series, and the target; with colour and height."""
    named = []
    if columns.stacked:
        known = [at for at in range(len(columns.categories)) if any(series.values[at] for series in columns.series)]
        last = known[-1] if known else 0
        base = 0.0
        for series, colour in zip(columns.series, colours, strict=True):
            value = series.values[last] or 0.0
            named.append((series.name, darker(colour, 0.45), scale.at(base + value / 2)))
            base += value
    if columns.target is not None:
        shown = words.text("charts.target", value=words.numbers.brief(columns.target, columns.measure))
        named.append((shown, INK, scale.at(columns.target)))
    return named


def _category(
    columns: Columns, colours: list[str], at: int, x: float, room: float, scale: Scale, words: Words
) -> list[str]:
    parts: list[str] = []
    gap = min(0.3 * room, 16.0)
    n_beside = 1 if columns.stacked else len(columns.series)
    wide = (room - gap) / n_beside
    base = 0.0
    for rank, series in enumerate(columns.series):
        value = series.values[at]
        left = x + gap / 2 + (0 if columns.stacked else rank * wide)
        if value is None:
            if not columns.stacked:
                parts.append(hatch(left, scale.zero - 24, wide, 24, stroke=HATCH, stroke_width=1))
            continue
        ends = sorted((scale.at(base), scale.at(base + value)))
        title = f"{columns.categories[at]}, {series.name}: {words.numbers.show(value, columns.measure)}"
        inner = wide - (1 if n_beside > 1 and wide > 4 else 0)
        parts.append(rect(left, ends[0], inner, ends[1] - ends[0], fill=colours[rank], title=title))
        if columns.stacked:
            parts.append(line(left, ends[0], left + inner, ends[0], stroke="#ffffff", stroke_width=1))
            base += value
    return parts


def _values(columns: Columns, left: float, room: float, scale: Scale, words: Words) -> list[str]:
    """The value above each column, where there is one series and room enough."""
    if len(columns.series) > 1 or len(columns.categories) > _MOST_VALUES:
        return []
    parts = []
    for at, value in enumerate(columns.series[0].values):
        shown = words.numbers.brief(value, columns.measure)
        if value is None or text_width(shown, SMALL) > room - 2:
            continue
        y = scale.at(value) - 4 if value >= 0 else scale.at(value) + SMALL + 1
        parts.append(text(left + room * (at + 0.5), y, shown, size=SMALL, anchor="middle", **HALO))
    return parts


def _target(columns: Columns, left: float, right: float, scale: Scale) -> list[str]:
    if columns.target is None:
        return []
    y = scale.at(columns.target)
    return [line(left, y, right + 4, y, stroke=INK, stroke_width=1.5, stroke_dasharray="5 3")]


def _names(named: list[tuple[str, str, float]], right: float, width: float, scale: Scale) -> list[str]:
    places = spread([place for _, _, place in named], SMALL + 3, scale.end, scale.start)
    room = width - right - 8
    return [
        text(right + 8, place + 4, fit(name, room, SMALL, bold=True), size=SMALL, bold=True, fill=colour, full=name)
        for (name, colour, _), place in zip(named, places, strict=True)
    ]


def _labels(columns: Columns, middles: list[float], room: float, bottom: float) -> tuple[list[str], float]:
    """Names under the columns, and where they end: in two lines where columns are few and names long."""
    lines = [wrap(name, room - 6, SMALL) for name in columns.categories]
    if room < _LEAST_WRAPPED or all(len(each) == 1 and not each[0].endswith("…") for each in lines):
        return labels_below(middles, columns.categories, bottom + 16, 0, columns.width), bottom
    parts = [
        text(middle, bottom + 16 + rank * (SMALL + 2), content, size=SMALL, fill=MUTED, anchor="middle", full=name)
        for middle, each, name in zip(middles, lines, columns.categories, strict=True)
        for rank, content in enumerate(each)
    ]
    return parts, bottom + (SMALL + 2) * (max(map(len, lines)) - 1)


def _table(columns: Columns, words: Words) -> Table:
    heads = (words.name("column", "period"), *(series.name for series in columns.series))
    rows = tuple(
        (name, *(words.numbers.show(series.values[at], columns.measure) for series in columns.series))
        for at, name in enumerate(columns.categories)
    )
    return heads, rows
