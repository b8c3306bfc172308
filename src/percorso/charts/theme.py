"""The look of all charts: colours, sizes, fonts, as named tokens. Nothing else names a colour or a size of text.

Colours keep apart for people who confuse red and green, and in grey, where the series of a chart differ in lightness;
tests/charts/test_theme.py computes both. Good and bad are blue and orange, and always stand with a sign or a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "ACCENT",
    "BACKGROUND",
    "BAD",
    "BODY",
    "FONT_STACK",
    "GAP",
    "GOOD",
    "GRID",
    "HATCH",
    "HEADING",
    "INK",
    "MUTED",
    "PALE",
    "QUIET",
    "SERIES",
    "SMALL",
    "STAGE_COLOURS",
    "WIDTH",
    "darker",
    "ink_on",
    "lighter",
    "ramp",
    "stage_colour",
]

# Text and grey.
INK = "#1d2329"  # text, and marks that must be seen
MUTED = "#5a636c"  # second text: axes, notes; 6:1 on white
QUIET = "#9aa3ab"  # lines that connect, marks of comparison
GRID = "#e3e6e9"  # grid
PALE = "#eef1f3"  # empty bars, backgrounds of tiles
HATCH = "#c6ccd1"  # where data are missing
BACKGROUND = "#ffffff"

# One accent; good and bad.
ACCENT = "#1f5f8b"
GOOD = "#2166ac"
BAD = "#c2540a"

#: The stages' colours, by the stage's place among its model's stages: they hold in every chart and map.
_STAGES = ("#8cb9d9", "#3f958c", "#e3a63b", "#7a67ad", "#8e2450")

#: By key, for all shipped models, whose stages have these places.
STAGE_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "awareness": _STAGES[0],
        "consideration": _STAGES[1],
        "evaluation": _STAGES[1],
        "familiarity": _STAGES[1],
        "conversion": _STAGES[2],
        "purchase": _STAGES[2],
        "decision": _STAGES[2],
        "retention": _STAGES[3],
        "loyalty": _STAGES[3],
        "support": _STAGES[4],
        "advocacy": _STAGES[4],
    }
)

#: Series that are no stages; in this order neighbours differ in lightness.
SERIES = (ACCENT, "#e3a63b", "#a48fd0", "#a3324f", "#8cc4ae", "#707880")

# Metrics of Arial; every system has one of these.
FONT_STACK = "Arial, 'Helvetica Neue', Helvetica, 'Liberation Sans', 'Nimbus Sans', system-ui, sans-serif"
HEADING = 16
BODY = 12
SMALL = 11
GAP = 8  # the unit of space
WIDTH = 720  # of a chart across a page of a report


def stage_colour(key: str, position: int = -1) -> str:
    """The colour of a stage: by its key, else by its place among the stages of its model; grey for none.

    Examples
    --------
    >>> stage_colour("awareness"), stage_colour("our own", 1)
    ('#8cb9d9', '#3f958c')
    """
    if key in STAGE_COLOURS:
        return STAGE_COLOURS[key]
    return _STAGES[position] if 0 <= position < len(_STAGES) else QUIET


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mixed(colour: str, other: str, part: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def lighter(colour: str, part: float = 0.5) -> str:
    """The colour with that part of white."""
    return _mixed(colour, BACKGROUND, part)


def darker(colour: str, part: float = 0.3) -> str:
    """The colour with that part of ink; text in a series' colour is written so."""
    return _mixed(colour, INK, part)


def ramp(part: float, colour: str = ACCENT) -> str:
    """A colour for a value from 0 (nearly white) to 1, evenly darker, and never too dark for ink: heat tables."""
    return _mixed(lighter(colour, 0.95), lighter(colour, 0.33), min(max(part, 0.0), 1.0))


def luminance(colour: str) -> float:
    """Relative luminance from 0 to 1 (WCAG 2.2, definition "relative luminance")."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ink_on(colour: str) -> str:
    """Ink or white, whichever reads better on the colour."""
    under = luminance(colour)
    on_white, on_ink = 1.05 / (under + 0.05), (under + 0.05) / (luminance(INK) + 0.05)
    return BACKGROUND if on_white > on_ink else INK
