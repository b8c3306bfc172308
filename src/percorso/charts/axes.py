"""Axes: a light grid with round numbers to the left, and names or numbers below, never over each other."""

from __future__ import annotations

from collections.abc import Sequence

from percorso.charts.lettering import text_width
from percorso.charts.scale import Scale
from percorso.charts.svg import line, text
from percorso.charts.theme import GAP, GRID, MUTED, SMALL
from percorso.language.measures import Measure
from percorso.language.words import Words

__all__ = ["every", "grid", "grid_width", "labels_below", "spread"]


def grid_width(scale: Scale, measure: Measure, words: Words) -> float:
    """How much room the numbers of a vertical axis need."""
    return max(text_width(label, SMALL) for label in words.numbers.ticks(scale.ticks, measure)) + GAP


def grid(scale: Scale, measure: Measure, left: float, right: float, words: Words) -> list[str]:
    """Horizontal lines at round values, their numbers to the left; the line at zero is stronger."""
    parts = []
    for value, label in zip(scale.ticks, words.numbers.ticks(scale.ticks, measure), strict=True):
        y = scale.at(value)
        parts.append(line(left, y, right, y, stroke=MUTED if value == 0 else GRID, stroke_width=1))
        parts.append(text(left - 6, y + 4, label, size=SMALL, fill=MUTED, anchor="end"))
    return parts


def every(labels: Sequence[str], room: float, size: float = SMALL) -> int:
    """Each how-many-th label can be shown where each has so much room: 1 where all fit."""
    widest = max((text_width(label, size) + 6 for label in labels), default=0.0)
    return max(1, -int(-widest // max(room, 1e-6)))


def labels_below(places: Sequence[float], labels: Sequence[str], y: float, left: float, right: float) -> list[str]:
    """Labels under their places, as many as fit; those at the ends are moved inside the canvas."""
    parts: list[str] = []
    taken = float("-inf")
    room = (places[-1] - places[0]) / (len(places) - 1) if len(places) > 1 else right - left
    for at in range(0, len(labels), every(labels, room)):
        half = text_width(labels[at], SMALL) / 2
        x = min(max(places[at], left + half), max(right - half, left + half))
        if x - half < taken + 4:
            continue
        taken = x + half
        parts.append(text(x, y, labels[at], size=SMALL, fill=MUTED, anchor="middle"))
    return parts


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places for labels as near as can be to the wanted ones, at least `gap` apart and between low and high.

    Neighbours that are too near share a block around the mean of what they want (pool adjacent violators).
    """
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    blocks: list[tuple[float, int]] = []  # mean of wanted - gap * rank within the block's first, and members
    for rank, at in enumerate(order):
        blocks.append((wanted[at] - gap * rank, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (b, n), (a, m) = blocks.pop(), blocks.pop()
            blocks.append(((a * m + b * n) / (m + n), m + n))
    shifted = [mean for mean, count in blocks for _ in range(count)]
    last = high - gap * (len(wanted) - 1)
    places = [0.0] * len(wanted)
    for rank, at in enumerate(order):
        places[at] = max(low, min(shifted[rank], last)) + gap * rank
    return places
