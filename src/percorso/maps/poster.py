"""The journey map as a poster: A3 across, one vector picture that a team hangs on the wall.

Stages are columns in their own colours, lanes are rows, the emotion curve runs across. All texts are measured before
they are set; a lane is as high as its fullest cell.
"""

from __future__ import annotations

from collections.abc import Sequence

from percorso.charts.chart import Chart, Drawing, finish
from percorso.charts.lettering import fit, text_width, wrap
from percorso.charts.svg import line, path, rect, text
from percorso.charts.theme import (
    BACKGROUND,
    BAD,
    GOOD,
    GRID,
    INK,
    MUTED,
    PALE,
    QUIET,
    darker,
    ink_on,
    lighter,
    stage_colour,
)
from percorso.language.words import Words
from percorso.maps.curve import draw_curve
from percorso.maps.view import LaneView, Line, MapView, StageView

__all__ = ["A3_HEIGHT", "A3_WIDTH", "draw_poster"]

#: A3 across at 96 pixels an inch.
A3_WIDTH, A3_HEIGHT = 1588, 1123

_MARGIN = 36.0
_LABEL = 132.0  # the column of lane names
_GAP = 6.0  # between columns
_LINE = 15.0
_SIZE = 11.0
_PAD = 7.0
_TONES = {"": INK, "muted": MUTED, "strong": INK, "bad": BAD, "good": GOOD}


def draw_poster(view: MapView, words: Words) -> Chart:
    """The poster of a map; as high as its lanes need, A3 where they fit."""
    parts = _head(view)
    y = 104.0
    parts += _stages(view.stages, y)
    y += 62
    if any(point.value is not None for point in view.curve):
        height = 152.0
        parts += _label(view.curve_title, view.curve_note, y, height)
        parts += draw_curve(view, [_centre(view, at) for at in range(len(view.stages))], y, height, _LABEL + _MARGIN)
        y += height
    for number, lane in enumerate(view.lanes):
        drawn, height = _lane(view, lane, y, shaded=number % 2 == 0)
        parts += drawn
        y += height
    parts.append(line(_MARGIN, y, A3_WIDTH - _MARGIN, y, stroke=QUIET, stroke_width=0.8))
    y += 14
    for note in view.notes:
        for content in wrap(note, A3_WIDTH - 2 * _MARGIN, 10, 3):
            y += 3
            parts.append(text(_MARGIN, y, content, size=10, fill=MUTED))
            y += 10
    drawing = Drawing(title=f"{view.brand}: {view.title}", subtitle=view.subtitle, width=A3_WIDTH)
    ground = rect(0, 0, A3_WIDTH, max(y + 24, A3_HEIGHT), fill=BACKGROUND)
    return finish(drawing, [ground, *parts], max(y + 24, A3_HEIGHT), _table(view), words)


def _column(view: MapView, at: int) -> tuple[float, float]:
    """Left edge and width of a stage's column."""
    n = len(view.stages)
    width = (A3_WIDTH - 2 * _MARGIN - _LABEL - _GAP * (n - 1)) / n
    return _MARGIN + _LABEL + at * (width + _GAP), width


def _centre(view: MapView, at: int) -> float:
    left, width = _column(view, at)
    return left + width / 2


def _head(view: MapView) -> list[str]:
    """Brand, title, of whom and when; the tiles to the right."""
    x = A3_WIDTH - _MARGIN
    parts = []
    for tile in reversed(view.tiles):
        width = max(text_width(tile.value, 22, bold=True), text_width(tile.name, 11), text_width(tile.note, 10)) + 8
        x -= width
        parts.append(text(x, 48, tile.name, size=11, fill=MUTED))
        parts.append(text(x, 72, tile.value, size=22, bold=True))
        if tile.note:
            parts.append(text(x, 87, tile.note, size=10, fill=MUTED))
        x -= 26
    room = x - _MARGIN
    title = fit(view.title, room, 30, bold=True)
    return [
        text(_MARGIN, 40, fit(view.brand, room, 13, bold=True), size=13, bold=True, fill=MUTED),
        text(_MARGIN, 72, title, size=30, bold=True, full=view.title),
        text(_MARGIN, 91, fit(view.subtitle, room, 12), size=12, fill=MUTED, full=view.subtitle),
        *parts,
    ]


def _stages(stages: Sequence[StageView], y: float) -> list[str]:
    """Heads of the columns: arrows in the stages' colours; what share goes on stands on the seam."""
    parts: list[str] = []
    n = len(stages)
    width = (A3_WIDTH - 2 * _MARGIN - _LABEL - _GAP * (n - 1)) / n
    height, nose = 44.0, 14.0
    for at, stage in enumerate(stages):
        x = _MARGIN + _LABEL + at * (width + _GAP)
        colour = stage_colour(stage.key, at)
        notch = nose if at else 0
        ends = x + width + (nose - 4 if at < n - 1 else 0)
        shape = (
            f"M{x:.1f} {y:.1f}H{ends - nose:.1f}L{ends:.1f} {y + height / 2:.1f}L{ends - nose:.1f} {y + height:.1f}"
            f"H{x:.1f}L{x + notch:.1f} {y + height / 2:.1f}Z"
        )
        parts.append(path(shape, fill=colour, title=stage.full))
        ink = ink_on(colour)
        parts.append(text(x + notch + 10, y + 19, stage.name, size=15, bold=True, fill=ink))
        parts.append(text(x + notch + 10, y + 35, fit(stage.size, width - 40, _SIZE), size=_SIZE, fill=ink))
    for at, stage in enumerate(stages[:-1]):
        if stage.onward:
            x = _MARGIN + _LABEL + at * (width + _GAP) + width
            wide = text_width(stage.onward, 10.5, bold=True) + 12
            parts.append(
                rect(x - wide / 2 + 2, y + height - 7, wide, 16, rx=8, fill=BACKGROUND, stroke=QUIET, stroke_width=0.8)
            )
            middle = x + 2, y + height + 4.6
            parts.append(text(*middle, stage.onward, size=10.5, bold=True, anchor="middle", full=stage.full))
    return parts


def _label(title: str, note: str, y: float, height: float) -> list[str]:
    """The name of a lane, and below it what is counted."""
    parts = [line(_MARGIN, y, A3_WIDTH - _MARGIN, y, stroke=GRID)]
    at = y + 17
    for content in wrap(title, _LABEL - 14, 12, 2, bold=True):
        parts.append(text(_MARGIN, at, content, size=12, bold=True, full=title))
        at += 14
    for content in wrap(note, _LABEL - 14, 10, max(1, int((y + height - at) / 11.5) + 1)) if note else ():
        parts.append(text(_MARGIN, at, content, size=10, fill=MUTED, full=note))
        at += 11.5
    return parts


def _lane(view: MapView, lane: LaneView, y: float, *, shaded: bool) -> tuple[list[str], float]:
    """A lane and its height."""
    _, width = _column(view, 0)
    heights = [sum(_height(one, width) for one in cell) for cell in lane.cells]
    label = 17.0 + 14 * len(wrap(lane.title, _LABEL - 14, 12, 2, bold=True))
    label += 11.5 * len(wrap(lane.note, _LABEL - 14, 10, 4)) if lane.note else 0
    height = max(max(heights, default=0.0) + 2 * _PAD, label - 6)
    parts = _label(lane.title, lane.note, y, height)
    for at, cell in enumerate(lane.cells):
        left, _ = _column(view, at)
        colour = stage_colour(view.stages[at].key, at)
        if shaded:
            parts.append(rect(left, y + 0.5, width, height - 0.5, fill=lighter(colour, 0.93)))
        top = y + _PAD
        for one in cell:
            parts += _line(one, left, top, width, colour)
            top += _height(one, width)
    return parts, height


def _height(one: Line, width: float) -> float:
    least = _LINE if one.bar is not None or one.value else _LINE - 2
    return least + (_SIZE + 2) * (len(_wrapped(one, width)) - 1)


def _wrapped(one: Line, width: float) -> tuple[str, ...]:
    """The text of a line: beside a bar it stays in one row, beside a value it leaves room for that."""
    bold = one.tone == "strong"
    room = width - 16
    if one.value:
        room -= text_width(one.value, _SIZE, bold=True) + 8
    if one.bar is not None:
        return (fit(one.text, room, _SIZE, bold=bold),)
    return wrap(one.text, room, _SIZE, 2 if one.value else 3, bold=bold)


def _line(one: Line, left: float, top: float, width: float, colour: str) -> list[str]:
    """One line of a cell: a bar behind its text, its value to the right."""
    ink = INK if one.bar is not None else _TONES[one.tone]
    base = top + _SIZE + 0.5
    parts = []
    if one.bar is not None:
        filled, room = BAD if one.tone == "bad" else colour, width - 10
        parts.append(rect(left + 5, top + 1, room, _LINE - 3, fill=PALE, rx=2, title=one.full))
        share = min(max(one.bar, 0.0), 1.0)
        parts.append(rect(left + 5, top + 1, room * share, _LINE - 3, fill=lighter(filled, 0.45), rx=2))
    for at, content in enumerate(_wrapped(one, width)):
        y, bold = base + at * (_SIZE + 2), one.tone == "strong"
        parts.append(text(left + 8, y, content, size=_SIZE, fill=ink, bold=bold, full=one.full))
    if one.value:
        value_ink = darker(BAD, 0.2) if one.tone == "bad" else MUTED if one.tone == "muted" else INK
        parts.append(text(left + width - 8, base, one.value, size=_SIZE, anchor="end", bold=True, fill=value_ink))
    return parts


def _table(view: MapView) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The map as a table: a row a lane, a column a stage."""
    heads = ("", *(stage.name for stage in view.stages))
    curve = (view.curve_title, *(f"{point.label} {point.note}".strip() for point in view.curve))
    rows = [curve] if any(point.value is not None for point in view.curve) else []
    for lane in view.lanes:
        rows.append((lane.title, *("; ".join(_said(one) for one in cell) for cell in lane.cells)))
    return heads, tuple(rows)


def _said(one: Line) -> str:
    return one.full or f"{one.text} {one.value}".strip()
