"""A journey map in words: what each cell says, in one language, before anything is drawn.

The poster, the page and the table behind it are made of this, so that they can't disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CurvePoint", "LaneView", "Line", "MapView", "StageView", "Tile"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cell.

    Parameters
    ----------
    text : str
    value : str
        To the right of it.
    bar : float, optional
        How much of the line's width is filled, 0 to 1.
    tone : {"", "muted", "strong", "bad", "good"}
        "muted" also for what is not known.
    full : str
        Everything that is known: what is shown when one points at the line, and stands in the table behind.
    """

    text: str
    value: str = ""
    bar: float | None = None
    tone: str = ""
    full: str = ""


@dataclass(frozen=True, slots=True)
class LaneView:
    """One row of the map: its name, what is counted, and a cell a stage."""

    title: str
    note: str
    cells: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class StageView:
    """The head of a column. `onward` is what share goes on to the next stage, "" for the last or where not known."""

    key: str
    name: str
    size: str
    onward: str = ""
    full: str = ""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The emotion curve at a stage, from 0 (as bad as the scale goes) to 1; None where there are no answers.

    ``few``: too few answers to say more than that; the point is drawn hollow.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    label: str = ""
    note: str = ""
    few: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A number beside the title."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class MapView:
    """A journey map, ready to be drawn."""

    brand: str
    title: str
    subtitle: str
    tiles: tuple[Tile, ...]
    stages: tuple[StageView, ...]
    curve: tuple[CurvePoint, ...]
    curve_title: str
    curve_note: str
    curve_ends: tuple[str, str]  # words for the top and the bottom of the scale
    lanes: tuple[LaneView, ...]
    notes: tuple[str, ...]
