"""Curves through points: straight, in steps, or smooth without inventing peaks that no point has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from percorso.charts.svg import Point, number

__all__ = ["Shape", "band_path", "curve_path", "curve_pieces", "runs_of"]

Shape = Literal["straight", "smooth", "step"]


def runs_of(present: Sequence[bool]) -> list[range]:
    """The unbroken runs of known points.

    Examples
    --------
    >>> runs_of([True, True, False, True])
    [range(0, 2), range(3, 4)]
    """
    runs: list[range] = []
    start = None
    for at, known in enumerate([*present, False]):
        if known and start is None:
            start = at
        elif not known and start is not None:
            runs.append(range(start, at))
            start = None
    return runs


def curve_path(points: Sequence[Point], shape: Shape, *, begin: str = "M") -> str:
    """Commands of a path through the points, from the first to the last."""
    x, y = points[0]
    start = f"{begin}{number(x)} {number(y)}"
    match shape:
        case "smooth":
            return start + "".join(_smooth(points))
        case "step":
            return start + "".join(f"H{number(x)}V{number(y)}" for x, y in points[1:])
        case _:
            return start + "".join(f"L{number(x)} {number(y)}" for x, y in points[1:])


def curve_pieces(points: Sequence[Point], shape: Literal["straight", "smooth"]) -> list[str]:
    """The same curve in pieces, one from each point to the next, so that each may look its own way."""
    ends = _smooth(points) if shape == "smooth" else [f"L{number(x)} {number(y)}" for x, y in points[1:]]
    return [f"M{number(x)} {number(y)}{end}" for (x, y), end in zip(points, ends, strict=False)]


def band_path(upper: Sequence[Point], lower: Sequence[Point], shape: Shape) -> str:
    """Commands of the area between two curves over the same places."""
    if shape == "step":
        # Backwards a step rises first, so the lower edge is spelt out.
        corners = [lower[0]]
        for (_, y), (x, y_next) in pairwise(lower):
            corners += [(x, y), (x, y_next)]
        return curve_path(upper, shape) + curve_path(corners[::-1], "straight", begin="L") + "Z"
    return curve_path(upper, shape) + curve_path(lower[::-1], shape, begin="L") + "Z"


def _smooth(points: Sequence[Point]) -> list[str]:
    slopes = _slopes(points)
    parts = []
    for at, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        third = (x1 - x0) / 3
        controls = (x0 + third, y0 + third * slopes[at], x1 - third, y1 - third * slopes[at + 1], x1, y1)
        parts.append("C" + " ".join(number(value) for value in controls))
    return parts


def _slopes(points: Sequence[Point]) -> list[float]:
    """Slopes at the points under which cubic pieces are monotone wherever the points are.

    Steffen (1990), "A simple method for monotonic interpolation in one dimension", Astronomy and Astrophysics 239,
    443-450, equation 11: no overshoot, and each slope depends on its two neighbours alone.
    """
    if len(points) < 3:
        return [_secant(points, 0)] * len(points) if len(points) == 2 else [0.0]
    slopes = [_secant(points, 0)]
    for at in range(1, len(points) - 1):
        before, after = _secant(points, at - 1), _secant(points, at)
        h0, h1 = points[at][0] - points[at - 1][0], points[at + 1][0] - points[at][0]
        middle = (before * h1 + after * h0) / (h0 + h1)
        signs = (before > 0) - (before < 0) + (after > 0) - (after < 0)
        slopes.append(signs * min(abs(before), abs(after), 0.5 * abs(middle)))
    return [*slopes, _secant(points, len(points) - 2)]


def _secant(points: Sequence[Point], at: int) -> float:
    (x0, y0), (x1, y1) = points[at], points[at + 1]
    return (y1 - y0) / (x1 - x0) if x1 != x0 else 0.0
