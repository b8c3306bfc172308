"""Tables of numbers on colour: cohorts by month, and switches from one thing to another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from percorso.charts.chart import Chart, Drawing, Table, finish
from percorso.charts.frame import empty_chart, footing, heading, label_lines
from percorso.charts.lettering import fit, text_width, wrap
from percorso.charts.svg import hatch, rect, text
from percorso.charts.theme import ACCENT, BODY, GAP, HATCH, MUTED, PALE, SMALL, ink_on, ramp
from percorso.errors import SpecError
from percorso.language.measures import COUNT, SHARE, Measure
from percorso.language.words import Words

__all__ = ["HeatRow", "HeatTable", "Switches", "draw_heat", "draw_switches"]

_ROW = 26.0
_MOST_WIDE = 84.0


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A row.

    Parameters
    ----------
    name : str
    values : tuple of float or None
        None: missing, hatched. A row shorter than the table has not got so far yet: blank.
    n : int or None
        How many stand behind the row.
    """

    name: str
    values: tuple[float | None, ...]
    n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatTable(Drawing):
    """A heat table.

    Parameters
    ----------
    rows : tuple of HeatRow
    columns : tuple of str
    measure : Measure
    row_head, column_head : str
        What rows and columns are: "first order in", "months after".
    n_head : str
        What `n` of the rows counts.
    most : float or None
        The value that gets the darkest colour; default the largest one.
    colour : str
    """

    rows: tuple[HeatRow, ...]
    columns: tuple[str, ...]
    measure: Measure = SHARE
    row_head: str = ""
    column_head: str = ""
    n_head: str = ""
    most: float | None = None
    colour: str = ACCENT

    def __post_init__(self) -> None:
        if any(len(row.values) > len(self.columns) for row in self.rows):
            raise SpecError("A row of a heat table has more values than the table has columns.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches(Drawing):
    """Switches: how often one thing followed another.

    Parameters
    ----------
    names : tuple of str
        Of rows (from) and columns (to).
    counts : tuple of tuple of int or None
        From row to column; what stays is on the diagonal, None where it is not counted.
    unit : str
        What is counted.
    """

    names: tuple[str, ...]
    counts: tuple[tuple[int | None, ...], ...]
    unit: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.names) for row in (self.counts, *self.counts)):
            raise SpecError("A table of switches has as many rows and columns as names.")


@dataclass(frozen=True, slots=True)
class _Grid:
    names: float  # width of the rows' names
    many: float  # width of the column of n
    wide: float  # of a cell
    top: float  # where cells begin

    @property
    def left(self) -> float:
        return self.names + self.many + GAP


def draw_heat(heat: HeatTable, words: Words) -> Chart:
    """Draw a heat table."""
    table = _table(heat, words)
    if not heat.rows or not heat.columns:
        return empty_chart(heat, table[0], words)
    parts, y = heading(heat)
    shown = [[words.numbers.brief(value, heat.measure) for value in row.values] for row in heat.rows]
    grid, heads = _grid(heat, shown, y, words)
    parts += heads
    most = heat.most or max((abs(v) for row in heat.rows for v in row.values if v is not None), default=0.0)
    for at, row in enumerate(heat.rows):
        parts += _row(heat, row, shown[at], grid, grid.top + _ROW * at, most, words)
    below, height = footing(heat, grid.top + _ROW * len(heat.rows))
    return finish(heat, [*parts, *below], height, table, words)


def _grid(heat: HeatTable, shown: Sequence[Sequence[str]], y: float, words: Words) -> tuple[_Grid, list[str]]:
    """Measures of the grid, and the heads above it."""
    names = min(
        0.26 * heat.width, max(text_width(name, BODY) for name in (heat.row_head, *(r.name for r in heat.rows)))
    )
    counts = [words.numbers.count(row.n) for row in heat.rows if row.n is not None]
    many = max((text_width(count, SMALL) for count in (*counts, heat.n_head)), default=0.0) + 14 if counts else 0.0
    left = names + many + GAP
    longest = max((text_width(cell, SMALL) for row in shown for cell in row), default=0.0) + 8
    heads = max(min(text_width(name, SMALL), 80.0) for name in heat.columns) + 8
    wide = min((heat.width - left) / len(heat.columns), max(_MOST_WIDE * 0.6, longest, heads, 30.0), 110.0)
    parts = []
    if heat.column_head:
        y += SMALL + 4
        parts.append(text(left, y - 3, heat.column_head, size=SMALL, fill=MUTED))
    lines = [wrap(name, wide - 4, SMALL, 3) for name in heat.columns]
    top = y + max(len(each) for each in lines) * (SMALL + 2) + 6
    for at, each in enumerate(lines):
        first = top - 7 - (len(each) - 1) * (SMALL + 2)
        full = heat.columns[at] if each[-1].endswith("…") else ""
        for rank, content in enumerate(each):
            x = left + wide * (at + 0.5)
            parts.append(
                text(x, first + rank * (SMALL + 2), content, size=SMALL, fill=MUTED, anchor="middle", full=full)
            )
    parts.append(text(0, top - 7, fit(heat.row_head, names, SMALL), size=SMALL, fill=MUTED, full=heat.row_head))
    if counts:
        parts.append(text(names + many - 4, top - 7, heat.n_head, size=SMALL, fill=MUTED, anchor="end"))
    return _Grid(names, many, wide, top), parts


def _row(
    heat: HeatTable, row: HeatRow, shown: Sequence[str], grid: _Grid, top: float, most: float, words: Words
) -> list[str]:
    middle = top + _ROW / 2
    parts = label_lines(0, middle, row.name, grid.names, lines=1)
    if row.n is not None:
        n = words.numbers.count(row.n)
        parts.append(text(grid.names + grid.many - 4, middle + 4, n, size=SMALL, fill=MUTED, anchor="end"))
    for at, value in enumerate(row.values):
        x = grid.left + grid.wide * at
        title = f"{row.name}, {heat.columns[at]}: {words.numbers.show(value, heat.measure)}"
        if value is None or not math.isfinite(value):
            parts.append(rect(x + 0.5, top + 0.5, grid.wide - 1, _ROW - 1, fill="#ffffff", title=title))
            parts.append(hatch(x + 0.5, top + 0.5, grid.wide - 1, _ROW - 1, stroke=HATCH, stroke_width=1))
            continue
        colour = ramp(abs(value) / most if most else 0.0, heat.colour)
        parts.append(rect(x + 0.5, top + 0.5, grid.wide - 1, _ROW - 1, fill=colour, title=title))
        size = SMALL if text_width(shown[at], SMALL) < grid.wide - 2 else SMALL - 2
        parts.append(
            text(
                x + grid.wide / 2,
                middle + 4,
                fit(shown[at], grid.wide, size),
                size=size,
                fill=ink_on(colour),
                anchor="middle",
            )
        )
    return parts


def _table(heat: HeatTable, words: Words) -> Table:
    with_n = any(row.n is not None for row in heat.rows)
    many = [heat.n_head or words.name("column", "n")] if with_n else []
    heads = (heat.row_head or words.name("column", "name"), *many, *heat.columns)
    rows = []
    for row in heat.rows:
        cells = [words.numbers.show(value, heat.measure) for value in row.values]
        n = ["" if row.n is None else words.numbers.count(row.n)] if with_n else []
        rows.append((row.name, *n, *cells, *[""] * (len(heat.columns) - len(cells))))
    return heads, tuple(rows)


def draw_switches(switches: Switches, words: Words) -> Chart:
    """Draw switches: the darker, the more often; the diagonal, where nothing changes, stays pale."""
    heads = (words.text("charts.from_to"), *switches.names)
    table = (
        heads,
        tuple(
            (name, *("" if count is None else words.numbers.count(count) for count in row))
            for name, row in zip(switches.names, switches.counts, strict=True)
        ),
    )
    if not switches.names:
        return empty_chart(switches, heads, words)
    moved = [
        count
        for at, row in enumerate(switches.counts)
        for to, count in enumerate(row)
        if at != to and count is not None
    ]
    rows = tuple(HeatRow(name, row) for name, row in zip(switches.names, switches.counts, strict=True))
    heat = HeatTable(
        title=switches.title,
        width=switches.width,
        rows=rows,
        columns=switches.names,
        measure=COUNT,
        row_head=words.text("charts.from_to"),
    )
    parts, y = heading(switches)
    shown = [[words.numbers.brief(value, COUNT) for value in row.values] for row in rows]
    grid, above = _grid(heat, shown, y, words)
    parts += above
    for at, row in enumerate(rows):
        top = grid.top + _ROW * at
        off = HeatRow(row.name, tuple(0 if to == at else value for to, value in enumerate(row.values)))
        parts += _row(heat, off, [*shown[at][:at], "", *shown[at][at + 1 :]], grid, top, max(moved, default=0), words)
        parts += _stayed(row.values[at], shown[at][at], grid.left + grid.wide * at, top, grid.wide)
    below, height = footing(switches, grid.top + _ROW * len(rows))
    return finish(switches, [*parts, *below], height, table, words)


def _stayed(count: float | None, shown: str, x: float, top: float, wide: float) -> list[str]:
    parts = [rect(x + 0.5, top + 0.5, wide - 1, _ROW - 1, fill=PALE)]
    if count is not None:
        parts.append(text(x + wide / 2, top + _ROW / 2 + 4, shown, size=SMALL, fill=MUTED, anchor="middle"))
    return parts
