"""The emotion curve: how well it went, stage by stage, from what customers answered on scales.

A monotone cubic through the points (Fritsch and Carlson 1980, doi:10.1137/0717021): it bends, and never rises above
or falls below what was measured. Stages without answers are bridged by a dashed line, with few by a hollow point.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from percorso.charts.lettering import text_width
from percorso.charts.svg import circle, line, path, rect, text
from percorso.charts.theme import BACKGROUND, BAD, GOOD, GRID, INK, MUTED, QUIET, lighter
from percorso.maps.view import CurvePoint, MapView

__all__ = ["draw_curve", "monotone_path"]

_TOP, _BOTTOM = 22.0, 24.0
_CURVE = INK


def draw_curve(view: MapView, centres: Sequence[float], y: float, height: float, left: float) -> list[str]:
    """The curve's lane, from `left` across all columns."""
    right = centres[-1] + (centres[1] - centres[0]) / 2 if len(centres) > 1 else centres[0] + 100

    def level(value: float) -> float:
        return y + height - _BOTTOM - value * (height - _TOP - _BOTTOM)

    parts = [line(left, level(v), right, level(v), stroke=GRID, stroke_dasharray="2 4") for v in (0.0, 0.5, 1.0)]
    parts += [_face(left + 12, level(1.0), GOOD, 1), _face(left + 12, level(0.0), BAD, -1)]
    for word, value in zip(view.curve_ends, (1.0, 0.0), strict=True):
        parts.append(text(left + 24, level(value) + 3.5, word, size=10, fill=MUTED))
    known = [(x, point) for x, point in zip(centres, view.curve, strict=True) if point.value is not None]
    band = [(x, p) for x, p in known if p.low is not None and p.high is not None]
    if len(band) > 1:
        parts.append(_band([(x, level(p.low or 0.0), level(p.high or 0.0)) for x, p in band]))
    points = [(x, level(p.value or 0.0)) for x, p in known]
    parts += _segments(points, centres)
    for (x, at), (_, point) in zip(points, known, strict=True):
        parts += _point(x, at, point)
    for x, point in zip(centres, view.curve, strict=True):
        if point.value is None:
            parts.append(text(x, level(0.5) + 3.5, point.note, size=10, fill=MUTED, anchor="middle"))
    return parts


def _segments(points: Sequence[tuple[float, float]], centres: Sequence[float]) -> list[str]:
    """The line: whole between neighbouring stages, dashed across a stage without answers."""
    if len(points) < 2:
        return []
    slopes = _slopes(points)
    step = centres[1] - centres[0]
    return [
        path(
            _piece(points[at], points[at + 1], slopes[at], slopes[at + 1], move=True),
            fill="none",
            stroke=_CURVE,
            stroke_width=2.4,
            stroke_dasharray="" if points[at + 1][0] - points[at][0] < 1.5 * step else "3 5",
            stroke_linecap="round",
        )
        for at in range(len(points) - 1)
    ]


def _point(x: float, at: float, point: CurvePoint) -> list[str]:
    value = point.value or 0.0
    colour = GOOD if value >= 0.7 else BAD if value < 0.5 else MUTED
    wide = text_width(point.label, 13, bold=True)
    note = text_width(point.note, 10)
    below = value > 0.75
    y = at + 21 if below else at - 12
    return [
        circle(x, at, 6, fill=BACKGROUND if point.few else colour, stroke=colour, stroke_width=2.2, title=point.note),
        rect(x - (wide + note) / 2 - 6, y - 12, wide + note + 12, 16, fill=BACKGROUND, fill_opacity=0.85, rx=3),
        text(x - (wide + note) / 2 - 2, y, point.label, size=13, bold=True),
        text(x - (wide + note) / 2 + wide + 2, y, point.note, size=10, fill=MUTED),
    ]


def _face(x: float, y: float, colour: str, mood: int) -> str:
    """A small face, glad (1) or sad (−1)."""
    corner, middle = (1.5, 6.0) if mood > 0 else (4.5, 0.5)
    mouth = f"M{x - 3.5:.1f} {y + corner:.1f}Q{x:.1f} {y + middle:.1f} {x + 3.5:.1f} {y + corner:.1f}"
    head = circle(x, y, 8, fill=lighter(colour, 0.85), stroke=colour, stroke_width=1.2)
    eyes = [circle(x + side * 2.8, y - 2, 1.1, fill=colour) for side in (-1, 1)]
    return head + "".join(eyes) + path(mouth, fill="none", stroke=colour, stroke_width=1.3, stroke_linecap="round")


def _band(points: Sequence[tuple[float, float, float]]) -> str:
    lower = monotone_path([(x, low) for x, low, _ in points])
    upper = monotone_path([(x, high) for x, _, high in reversed(points)], move=False)
    return path(f"{lower}L{upper}Z", fill=lighter(QUIET, 0.35), fill_opacity=0.55, stroke="none")


def monotone_path(points: Sequence[tuple[float, float]], *, move: bool = True) -> str:
    """A monotone cubic through points as commands of an SVG path.

    Examples
    --------
    >>> monotone_path([(0, 0), (3, 3)])
    'M0.0 0.0C1.0 1.0 2.0 2.0 3.0 3.0'
    """
    slopes = _slopes(points)
    pieces = [
        _piece(points[at], points[at + 1], slopes[at], slopes[at + 1], move=False) for at in range(len(points) - 1)
    ]
    return f"{'M' if move else ''}{points[0][0]:.1f} {points[0][1]:.1f}" + "".join(pieces)


def _piece(a: tuple[float, float], b: tuple[float, float], slope_a: float, slope_b: float, *, move: bool) -> str:
    third = (b[0] - a[0]) / 3
    begin = f"M{a[0]:.1f} {a[1]:.1f}" if move else ""
    return (
        f"{begin}C{a[0] + third:.1f} {a[1] + slope_a * third:.1f} {b[0] - third:.1f} {b[1] - slope_b * third:.1f}"
        f" {b[0]:.1f} {b[1]:.1f}"
    )


def _slopes(points: Sequence[tuple[float, float]]) -> list[float]:
    """Slope at each point, so that the curve between two points stays between them."""
    if len(points) < 2:
        return [0.0] * len(points)
    secants = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)]
    slopes = [secants[0], *((one + two) / 2 for one, two in pairwise(secants)), secants[-1]]
    for at, secant in enumerate(secants):
        if secant == 0:
            slopes[at] = slopes[at + 1] = 0.0
            continue
        first, second = slopes[at] / secant, slopes[at + 1] / secant
        slopes[at] = 0.0 if first < 0 else slopes[at]
        slopes[at + 1] = 0.0 if second < 0 else slopes[at + 1]
        length = (max(first, 0.0) ** 2 + max(second, 0.0) ** 2) ** 0.5
        if length > 3:
            slopes[at] = 3 / length * max(first, 0.0) * secant
            slopes[at + 1] = 3 / length * max(second, 0.0) * secant
    return slopes
