"""What stands around every chart: title and subtitle above, the note below, keys, and an empty chart's sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from percorso.charts.chart import Chart, Drawing, finish
from percorso.charts.lettering import text_width, wrap
from percorso.charts.svg import circle, line, rect, text
from percorso.charts.theme import BODY, GAP, GRID, HEADING, INK, MUTED, PALE, SMALL
from percorso.language.words import Words

__all__ = ["Key", "empty_chart", "footing", "heading", "key_line", "label_lines"]


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a key: how a mark looks, and what it is."""

    name: str
    colour: str
    mark: str = "square"  # square, tick, ring, line


def heading(drawing: Drawing) -> tuple[list[str], float]:
    """Title and subtitle, and where the chart may begin."""
    if drawing.bare:
        return [], 4.0
    parts, y = [], 4.0
    for content in wrap(drawing.title, drawing.width, HEADING, 2, bold=True):
        y += HEADING + 3
        parts.append(text(0, y - 4, content, size=HEADING, bold=True, full=drawing.title))
    if drawing.subtitle:
        for content in wrap(drawing.subtitle, drawing.width, BODY, 2):
            y += BODY + 4
            parts.append(text(0, y - 3, content, fill=MUTED, full=drawing.subtitle))
    return parts, y + GAP


def footing(drawing: Drawing, y: float) -> tuple[list[str], float]:
    """The note below a chart that ends at `y`, and the height of the whole."""
    if drawing.bare or not drawing.note:
        return [], y + 4
    parts = []
    y += GAP
    for content in wrap(drawing.note, drawing.width, SMALL, 4):
        y += SMALL + 4
        parts.append(text(0, y - 3, content, size=SMALL, fill=MUTED, full=drawing.note))
    return parts, y + 4


def key_line(keys: Sequence[Key], width: float, y: float) -> tuple[list[str], float]:
    """Keys in a line, or in several where they do not fit, and where the chart may go on."""
    parts, x = [], 0.0
    for key in keys:
        wide = 16 + text_width(key.name, SMALL)
        if x and x + wide > width:
            x, y = 0.0, y + SMALL + 6
        parts += [_mark(key, x, y + SMALL / 2), text(x + 16, y + SMALL - 1, key.name, size=SMALL, fill=MUTED)]
        x += wide + 2 * GAP
    return parts, y + SMALL + GAP + 2 if keys else y


def _mark(key: Key, x: float, y: float) -> str:
    match key.mark:
        case "tick":
            return rect(x + 4, y - 6, 2.5, 12, fill=key.colour)
        case "ring":
            return circle(x + 5, y, 4, fill="none", stroke=key.colour, stroke_width=1.5)
        case "line":
            return line(x, y, x + 11, y, stroke=key.colour, stroke_width=2)
        case _:
            return rect(x, y - 5, 10, 10, fill=key.colour)


def label_lines(
    x: float, middle: float, content: str, width: float, *, anchor: str = "start", size: float = BODY, lines: int = 2
) -> list[str]:
    """A name beside a mark, in up to so many lines around its middle; a shortened one tells its full text."""
    shown = wrap(content, width, size, lines)
    first = middle + size * 0.35 - (len(shown) - 1) * (size + 1) / 2
    return [
        text(x, first + at * (size + 1), each, size=size, anchor=anchor, full=content if each.endswith("…") else "")
        for at, each in enumerate(shown)
    ]


def empty_chart(drawing: Drawing, heads: tuple[str, ...], words: Words) -> Chart:
    """A chart of nothing says so."""
    parts, y = heading(drawing)
    said = words.text("charts.empty")
    height = 56.0
    parts.append(rect(0, y, drawing.width, height, fill=PALE, stroke=GRID))
    parts.append(text(drawing.width / 2, y + height / 2 + 4, said, anchor="middle", fill=INK))
    below, total = footing(drawing, y + height)
    return finish(drawing, [*parts, *below], total, (heads, ()), words, description=said)
