"""Lines with bands: trends, survival curves in steps, and the smooth curve of experience along a journey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from percorso.charts.axes import grid, grid_width, labels_below, spread
from percorso.charts.chart import Chart, Drawing, Table, finish
from percorso.charts.curve import Shape, band_path, curve_path, runs_of
from percorso.charts.frame import empty_chart, footing, heading
from percorso.charts.lettering import fit, text_width
from percorso.charts.scale import Scale, linear_scale
from percorso.charts.svg import Point, circle, hatch, line, path, text
from percorso.charts.theme import ACCENT, HATCH, INK, MUTED, SERIES, SMALL, darker
from percorso.errors import SpecError
from percorso.language.measures import NUMBER, Measure
from percorso.language.words import Words

__all__ = ["Line", "LinePoint", "Lines", "draw_lines"]

_MOST_DOTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePoint:
    """A point: its place along the axis, its value (None: not known, the line breaks), its interval, how many."""

    x: float
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line through its points, whose places ascend."""

    points: tuple[LinePoint, ...]
    name: str = ""
    colour: str = ""
    dashed: bool = False

    def __post_init__(self) -> None:
        places = [point.x for point in self.points]
        if sorted(set(places)) != places:
            raise SpecError("The points of a line stand in ascending order, each at its own place.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines(Drawing):
    """Lines.

    Parameters
    ----------
    lines : tuple of Line
    measure : Measure
    labels : tuple of (float, str)
        Names of places along the axis: months, stages. Empty: round numbers of `x_measure`.
    x_measure : Measure
        What the places are, where they have no names.
    x_title : str
        What the axis is, behind its last label: "days since the first order".
    shape : {"straight", "smooth", "step"}
    zero : bool
        Whether the axis of values must begin at zero.
    bounds : tuple of float, optional
        Both ends of the axis of values, such as those of a score.
    with_n : bool
        Writes how many stand behind each point of the first line under its label.
    plot_height : int
    target : float or None
    """

    lines: tuple[Line, ...]
    measure: Measure
    labels: tuple[tuple[float, str], ...] = ()
    x_measure: Measure = NUMBER
    x_title: str = ""
    shape: Shape = "straight"
    zero: bool = True
    bounds: tuple[float, float] | None = None
    with_n: bool = False
    plot_height: int = 220
    target: float | None = None


@dataclass(frozen=True, slots=True)
class _Plot:
    left: float
    right: float
    top: float
    bottom: float
    x: Scale
    y: Scale

    def at(self, x: float, value: float) -> Point:
        return self.x.at(x), self.y.at(value)


def draw_lines(lines: Lines, words: Words) -> Chart:
    """Draw lines."""
    table = _table(lines, words)
    if not any(point.value is not None for each in lines.lines for point in each.points):
        return empty_chart(lines, table[0], words)
    parts, y = heading(lines)
    colours = _colours(lines)
    named = _texts_beside(lines, colours, words)
    plot = _plot(lines, y, named, words)
    parts += grid(plot.y, lines.measure, plot.left, plot.right, words)
    for each, colour in zip(lines.lines, colours, strict=True):
        parts += _gaps(each, plot) if len(lines.lines) == 1 else []
        parts += _band(lines, each, colour, plot)
    for each, colour in zip(lines.lines, colours, strict=True):
        parts += _line(lines, each, colour, plot, words)
    parts += _target(lines, plot)
    parts += _names(named, lines.width, plot)
    along, bottom = _along(lines, plot, words)
    below, height = footing(lines, bottom)
    return finish(lines, [*parts, *along, *below], height, table, words)


def _colours(lines: Lines) -> list[str]:
    shipped = (ACCENT,) if len(lines.lines) == 1 else SERIES
    return [each.colour or shipped[at % len(shipped)] for at, each in enumerate(lines.lines)]


def _plot(lines: Lines, top: float, named: Sequence[tuple[str, str, float]], words: Words) -> _Plot:
    points = [point for each in lines.lines for point in each.points]
    bottom = top + lines.plot_height
    values = [value for point in points for value in (point.value, point.low, point.high)]
    if lines.bounds is None:
        y = linear_scale([*values, lines.target], bottom, top + 8, lines.measure, zero=lines.zero)
    else:
        y = linear_scale(lines.bounds, bottom, top + 8, lines.measure, zero=False)
        y = Scale(*lines.bounds, bottom, top + 8, tuple(t for t in y.ticks if lines.bounds[0] <= t <= lines.bounds[1]))
    left = grid_width(y, lines.measure, words)
    beside = max((text_width(name, SMALL, bold=True) for name, _, _ in named), default=0.0)
    right = lines.width - 10 - min(beside, 0.28 * lines.width)
    places = [point.x for point in points] + [place for place, _ in lines.labels]
    inset = 24.0 if lines.labels else 0.0
    low, high = min(places), max(places)
    if lines.labels:
        x = Scale(low, max(high, low + 1e-9), left + inset, right - inset, ())
    else:
        rough = linear_scale(places, left, right, lines.x_measure, zero=low >= 0 and low < 0.3 * high)
        x = Scale(rough.low, max(high, rough.low + 1e-9), left, right, rough.ticks)
    return _Plot(left, right, top, bottom, x, y)


def _known(each: Line, plot: _Plot) -> list[list[LinePoint]]:
    runs = runs_of([point.value is not None for point in each.points])
    return [[each.points[at] for at in run] for run in runs]


def _gaps(each: Line, plot: _Plot) -> list[str]:
    """Where data lack between known points, and before and after them: hatched over the whole height."""
    points = each.points
    parts = []
    for run in runs_of([point.value is None for point in points]):
        ends = []
        for at, beside in ((run[0], run[0] - 1), (run[-1], run[-1] + 1)):
            here = plot.x.at(points[at].x)
            outside = 0 <= beside < len(points)
            ends.append((here + plot.x.at(points[beside].x)) / 2 if outside else here)
        start, end = (ends[0] if run[0] else plot.left), (ends[1] if run[-1] < len(points) - 1 else plot.right)
        parts.append(hatch(start, plot.top + 8, end - start, plot.bottom - plot.top - 8, stroke=HATCH, stroke_width=1))
    return parts


def _band(lines: Lines, each: Line, colour: str, plot: _Plot) -> list[str]:
    parts = []
    with_band = [point.value is not None and point.low is not None and point.high is not None for point in each.points]
    for run in runs_of(with_band):
        points = [each.points[at] for at in run]
        upper = [plot.at(point.x, point.high) for point in points if point.high is not None]
        lower = [plot.at(point.x, point.low) for point in points if point.low is not None]
        if len(run) == 1:
            x = upper[0][0]
            parts.append(line(x, upper[0][1], x, lower[0][1], stroke=colour, stroke_width=6, stroke_opacity=0.22))
        else:
            parts.append(path(band_path(upper, lower, lines.shape), fill=colour, fill_opacity=0.18))
    return parts


def _line(lines: Lines, each: Line, colour: str, plot: _Plot, words: Words) -> list[str]:
    parts = []
    dashes = "6 4" if each.dashed else ""
    for points in _known(each, plot):
        places = [plot.at(point.x, point.value) for point in points if point.value is not None]
        if len(places) > 1:
            parts.append(
                path(
                    curve_path(places, lines.shape),
                    fill="none",
                    stroke=colour,
                    stroke_width=2.25,
                    stroke_linejoin="round",
                    stroke_dasharray=dashes,
                )
            )
        if len(each.points) > _MOST_DOTS and len(places) > 1:
            continue
        if lines.shape == "step" and len(places) > 1:
            continue
        for point, (x, y) in zip(points, places, strict=True):
            parts.append(
                circle(x, y, 3.5, fill=colour, stroke="#ffffff", stroke_width=1, title=_said(lines, each, point, words))
            )
    return parts


def _said(lines: Lines, each: Line, point: LinePoint, words: Words) -> str:
    value = words.numbers.interval(point.value, point.low, point.high, lines.measure)
    many = f", n = {words.numbers.count(point.n)}" if point.n is not None else ""
    return ": ".join(part for part in (each.name, _place_name(lines, point.x, words), value + many) if part)


def _place_name(lines: Lines, x: float, words: Words) -> str:
    named = dict(lines.labels)
    return named[x] if x in named else words.numbers.show(x, lines.x_measure)


def _target(lines: Lines, plot: _Plot) -> list[str]:
    if lines.target is None:
        return []
    y = plot.y.at(lines.target)
    return [line(plot.left, y, plot.right + 4, y, stroke=INK, stroke_width=1.25, stroke_dasharray="5 3")]


def _texts_beside(lines: Lines, colours: Sequence[str], words: Words) -> list[tuple[str, str, float]]:
    """What is written to the right: names of lines where they end, and the target; with colour and value."""
    named = []
    for each, colour in zip(lines.lines, colours, strict=True):
        known = [point.value for point in each.points if point.value is not None]
        if known and each.name and len(lines.lines) > 1:
            named.append((each.name, darker(colour, 0.45), known[-1]))
    if lines.target is not None:
        shown = words.text("charts.target", value=words.numbers.brief(lines.target, lines.measure))
        named.append((shown, INK, lines.target))
    return named


def _names(named: Sequence[tuple[str, str, float]], width: float, plot: _Plot) -> list[str]:
    places = spread([plot.y.at(value) for _, _, value in named], SMALL + 3, plot.top, plot.bottom)
    room = width - plot.right - 8
    return [
        text(plot.right + 8, y + 4, fit(name, room, SMALL, bold=True), size=SMALL, bold=True, fill=colour, full=name)
        for (name, colour, _), y in zip(named, places, strict=True)
    ]


def _along(lines: Lines, plot: _Plot, words: Words) -> tuple[list[str], float]:
    """Labels along the axis, below them how many, and where the chart ends."""
    if lines.labels:
        places = [plot.x.at(place) for place, _ in lines.labels]
        labels: Sequence[str] = [name for _, name in lines.labels]
    else:
        ticks = [tick for tick in plot.x.ticks if plot.x.low <= tick <= plot.x.high]
        places = [plot.x.at(tick) for tick in ticks]
        labels = words.numbers.ticks(ticks, lines.x_measure)
    y = plot.bottom + 16
    parts = [line(place, plot.bottom, place, plot.bottom + 4, stroke=MUTED, stroke_width=1) for place in places]
    parts += labels_below(places, labels, y, 0, lines.width)
    if lines.with_n and lines.lines:
        y += SMALL + 4
        points = lines.lines[0].points
        many = [words.text("charts.n", n=point.n) if point.n is not None else "" for point in points]
        parts += labels_below([plot.x.at(point.x) for point in points], many, y, 0, lines.width)
    if lines.x_title:
        y += SMALL + 5
        parts.append(text(plot.right, y, lines.x_title, size=SMALL, fill=MUTED, anchor="end"))
    return parts, y + 2


def _table(lines: Lines, words: Words) -> Table:
    several = len(lines.lines) > 1
    heads = [words.name("column", "series")] if several else []
    heads += [words.name("column", name) for name in ("name", "value", "interval", "n")]
    rows = [
        (
            *([each.name] if several else []),
            _place_name(lines, point.x, words),
            words.numbers.show(point.value, lines.measure),
            words.numbers.range(point.low, point.high, lines.measure),
            "" if point.n is None else words.numbers.count(point.n),
        )
        for each in lines.lines
        for point in each.points
    ]
    return tuple(heads), tuple(rows)
