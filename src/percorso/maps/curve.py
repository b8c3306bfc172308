"""The emotion curve: how well it went, stage by stage, from what customers answered on scales.

The line bends through the points and never rises above or falls below what was measured (`charts.curve`). It is whole,
with its band, between neighbouring stages with enough answers; towards a stage with few answers (a hollow point) and
across one without, it is dashed and has no band: there it is drawn to guide the eye, and says no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from percorso.charts.curve import band_path, curve_pieces, runs_of
from percorso.charts.lettering import text_width
from percorso.charts.svg import circle, line, path, rect, text
from percorso.charts.theme import BACKGROUND, BAD, GOOD, GRID, INK, MUTED, QUIET, lighter
from percorso.maps.view import CurvePoint, MapView

__all__ = ["draw_curve"]

_TOP, _BOTTOM = 22.0, 24.0
_CURVE = INK
_CAP = 7.0  # half the width of an error bar's end


def draw_curve(view: MapView, centres: Sequence[float], y: float, height: float, left: float) -> list[str]:
    """The curve's lane, from `left` across all columns."""
    right = centres[-1] + (centres[1] - centres[0]) / 2 if len(centres) > 1 else centres[0] + 100

    def level(value: float) -> float:
        return y + height - _BOTTOM - value * (height - _TOP - _BOTTOM)

    parts = [line(left, level(v), right, level(v), stroke=GRID, stroke_dasharray="2 4") for v in (0.0, 0.5, 1.0)]
    parts += [_face(left + 12, level(1.0), GOOD, 1), _face(left + 12, level(0.0), BAD, -1)]
    for word, value in zip(view.curve_ends, (1.0, 0.0), strict=True):
        parts.append(text(left + 24, level(value) + 3.5, word, size=10, fill=MUTED))
    solid = [point.low is not None and point.high is not None for point in view.curve]
    for run in runs_of(solid):
        limits = [(centres[at], level(view.curve[at].low or 0.0), level(view.curve[at].high or 0.0)) for at in run]
        parts.append(_band(limits))
    known = [at for at, point in enumerate(view.curve) if point.value is not None]
    points = [(centres[at], level(view.curve[at].value or 0.0)) for at in known]
    for at, piece in enumerate(curve_pieces(points, "smooth")):
        first, last = known[at], known[at + 1]
        parts.append(_line(piece, whole=last == first + 1 and solid[first] and solid[last]))
    for at, (x, height_of) in zip(known, points, strict=True):
        parts += _point(x, height_of, view.curve[at])
    for x, point in zip(centres, view.curve, strict=True):
        if point.value is None:
            parts.append(text(x, level(0.5) + 3.5, point.note, size=10, fill=MUTED, anchor="middle"))
    return parts


def _line(piece: str, *, whole: bool) -> str:
    colour, width, dashes = (_CURVE, 2.4, "") if whole else (MUTED, 1.6, "3 5")
    return path(piece, fill="none", stroke=colour, stroke_width=width, stroke_dasharray=dashes, stroke_linecap="round")


def _point(x: float, at: float, point: CurvePoint) -> list[str]:
    value = point.value or 0.0
    colour = GOOD if value >= 0.7 else BAD if value < 0.5 else MUTED
    wide = text_width(point.label, 13, bold=True)
    note = text_width(point.note, 10)
    below = value > 0.75
    y = at + 24 if below else at - 15
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


def _band(limits: Sequence[tuple[float, float, float]]) -> str:
    """The 95 % interval along a run of stages; of a single stage as an error bar."""
    if len(limits) == 1:
        ((x, low, high),) = limits
        ends = "".join(f"M{x - _CAP} {y:.1f}H{x + _CAP}" for y in (low, high))
        return path(f"M{x} {low:.1f}V{high:.1f}{ends}", fill="none", stroke=MUTED, stroke_width=1.2)
    upper, lower = ([(point[0], point[which]) for point in limits] for which in (2, 1))
    return path(band_path(upper, lower, "smooth"), fill=lighter(QUIET, 0.35), fill_opacity=0.55, stroke="none")
