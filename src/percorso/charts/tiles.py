"""Tiles: a KPI each, with its interval, what changed and whether that says anything, and its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from percorso.charts.chart import Chart, Drawing, Table, finish
from percorso.charts.frame import empty_chart, footing, heading
from percorso.charts.lettering import fit, text_width, wrap
from percorso.charts.spark import spark_parts
from percorso.charts.svg import rect, text
from percorso.charts.theme import BAD, BODY, GOOD, GRID, INK, MUTED, SMALL
from percorso.language.measures import Measure
from percorso.language.words import Words

__all__ = ["Tile", "Tiles", "draw_tiles"]

_HEIGHT = 128.0
_LOW = 84.0  # where no tile says more than its value and interval
_LEAST_WIDTH = 200.0
_GUTTER = 12.0
_PAD = 12.0
_SIZES = (25, 20, 16, 13)  # of the value, the first that fits
_TREND = 64.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A KPI.

    Parameters
    ----------
    name : str
    value : float or None
    measure : Measure
    low, high : float or None
        95 % interval of the value.
    n : int or None
    difference, difference_low, difference_high : float or None
        From the period compared with; where its interval holds zero nothing is called better or worse.
    better : {"more", "less", ""}
        Which way is good; "" where neither is.
    target : float or None
    trend : tuple of float or None
        The values of the last periods, oldest first.
    note : str
        Why there is no value, where there is none.
    """

    name: str
    value: float | None
    measure: Measure
    low: float | None = None
    high: float | None = None
    n: int | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    better: Literal["more", "less", ""] = "more"
    target: float | None = None
    trend: tuple[float | None, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles(Drawing):
    """Tiles, in rows as wide as the page; `before_name` is the period compared with."""

    tiles: tuple[Tile, ...]
    before_name: str = ""


def draw_tiles(tiles: Tiles, words: Words) -> Chart:
    """Draw tiles."""
    table = _table(tiles, words)
    if not tiles.tiles:
        return empty_chart(tiles, table[0], words)
    parts, y = heading(tiles)
    across = max(1, int((tiles.width + _GUTTER) // (_LEAST_WIDTH + _GUTTER)))
    wide = (tiles.width - _GUTTER * (across - 1)) / across
    high = _HEIGHT if any(map(_says_more, tiles.tiles)) else _LOW
    for at, tile in enumerate(tiles.tiles):
        row, column = divmod(at, across)
        x, top = column * (wide + _GUTTER), y + row * (high + _GUTTER)
        parts.append(rect(x + 0.5, top + 0.5, wide - 1, high - 1, fill="#ffffff", stroke=GRID, rx=4.0))
        parts += _tile(tile, x, top, wide, tiles.before_name, words)
    rows = -(-len(tiles.tiles) // across)
    below, height = footing(tiles, y + rows * (high + _GUTTER) - _GUTTER)
    return finish(tiles, [*parts, *below], height, table, words)


def _says_more(tile: Tile) -> bool:
    """Beside value and interval: what changed, a target, or why there is no value."""
    return tile.difference is not None or tile.target is not None or (tile.value is None and bool(tile.note))


def _tile(tile: Tile, x: float, y: float, wide: float, before: str, words: Words) -> list[str]:
    inside = wide - 2 * _PAD
    known = tile.value is not None
    left = x + _PAD
    shown = words.numbers.brief(tile.value, tile.measure)
    room = inside - (_TREND + 8 if len(tile.trend) > 1 else 0)
    size = next((size for size in _SIZES if text_width(shown, size, bold=True) <= room), _SIZES[-1])
    parts = [
        text(left, y + 22, fit(tile.name, inside, BODY), fill=MUTED, full=tile.name),
        text(
            left,
            y + 52,
            fit(shown, room, size, bold=True),
            size=size,
            bold=True,
            fill=INK if known else MUTED,
            full=shown,
        ),
    ]
    if len(tile.trend) > 1:
        parts += spark_parts(tile.trend, left + inside - _TREND, y + 32, _TREND, 24)
    at = y + 70
    interval = _interval(tile, words)
    if interval:
        parts.append(text(left, at, fit(interval, inside, SMALL), size=SMALL, fill=MUTED, full=interval))
        at += 15
    if tile.value is None and tile.note:
        lines = wrap(tile.note, inside, SMALL, 3)
        return parts + [text(left, at + 15 * i, line, size=SMALL, full=tile.note) for i, line in enumerate(lines)]
    if tile.difference is not None:
        said, colour = _change(tile, before, words)
        for line in wrap(said, inside, SMALL, 2, bold=colour != MUTED):
            parts.append(text(left, at, line, size=SMALL, fill=colour, bold=colour != MUTED, full=said))
            at += 15
    if tile.target is not None:
        said = _target(tile, words)
        parts.append(text(left, max(at, y + 115), fit(said, inside, SMALL), size=SMALL, fill=INK, full=said))
    return parts


def _interval(tile: Tile, words: Words) -> str:
    parts = []
    if tile.low is not None and tile.high is not None:
        parts.append(words.text("charts.from_low", range=words.numbers.range(tile.low, tile.high, tile.measure)))
    if tile.n is not None:
        parts.append(words.text("charts.n", n=tile.n))
    return " · ".join(parts)


def _change(tile: Tile, before: str, words: Words) -> tuple[str, str]:
    """What changed, in words, and in which colour to say it."""
    assert tile.difference is not None
    shown = words.numbers.signed(tile.difference, tile.measure.difference)
    than = words.text("charts.than", before=before) if before else ""
    low, high = tile.difference_low, tile.difference_high
    is_known = low is not None and high is not None
    if is_known and not words.numbers.is_clear(tile.difference, low, high, tile.measure.difference):
        return f"{shown}{than}: {words.text('charts.unclear')}", MUTED
    arrow = "▲" if tile.difference > 0 else "▼" if tile.difference < 0 else "="
    if not tile.better or not tile.difference:
        return f"{arrow} {shown}{than}", MUTED
    is_better = (tile.difference > 0) == (tile.better == "more")
    judged = words.text("charts.better") if is_better else words.text("charts.worse")
    return f"{arrow} {shown}{than}: {judged}", GOOD if is_better else BAD


def _target(tile: Tile, words: Words) -> str:
    said = words.text("charts.target", value=words.numbers.brief(tile.target, tile.measure))
    if tile.value is None or tile.target is None or not tile.better:
        return said
    met = tile.value >= tile.target if tile.better == "more" else tile.value <= tile.target
    return f"{said}: {words.text('charts.met') if met else words.text('charts.missed')}"


def _table(tiles: Tiles, words: Words) -> Table:
    n = words.numbers
    names = ("name", "value", "interval", "n", "difference", "target")
    rows = tuple(
        (
            tile.name,
            n.show(tile.value, tile.measure),
            "" if tile.low is None else n.range(tile.low, tile.high, tile.measure),
            "" if tile.n is None else n.count(tile.n),
            "" if tile.difference is None else n.signed(tile.difference, tile.measure.difference),
            "" if tile.target is None else n.show(tile.target, tile.measure),
        )
        for tile in tiles.tiles
    )
    return tuple(words.name("column", name) for name in names), rows
