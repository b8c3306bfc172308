"""Elements of SVG as text: escaped, in one order, with numbers of at most two decimals, so that equal input gives
equal bytes. No ids, styles, scripts or references: any number of charts can stand in one page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from percorso.charts.theme import BACKGROUND, BODY, INK

__all__ = ["HALO", "Point", "circle", "element", "escape", "group", "hatch", "line", "number", "path", "rect", "text"]

Point = tuple[float, float]

#: White around the letters of a text that stands over lines or colours.
HALO: Mapping[str, Any] = MappingProxyType(
    {
        "stroke": BACKGROUND,
        "stroke_width": 3.0,
        "stroke_opacity": 0.85,
        "paint_order": "stroke",
        "stroke_linejoin": "round",
    }
)

#: What XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def escape(text: str) -> str:
    """The text as content or attribute of XML and HTML."""
    clean = _FORBIDDEN.sub("\ufffd", text)
    for letter, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        clean = clean.replace(letter, name)
    return clean


def number(value: float) -> str:
    """A coordinate: two decimals at most, no zeros at the end, no minus before zero.

    Examples
    --------
    >>> number(1.0), number(2 / 3), number(-0.001)
    ('1', '0.67', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def element(name: str, content: str = "", /, **attributes: str | float) -> str:
    """An element. Underscores in names of attributes are hyphens; empty texts are left out; content is XML already."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
        if value != ""
    )
    return f"<{name}{shown}>{content}</{name}>" if content else f"<{name}{shown}/>"


def _named(title: str) -> str:
    return element("title", escape(title)) if title else ""


def group(parts: Iterable[str], **attributes: str | float) -> str:
    """Elements together."""
    return element("g", "\n".join(parts), **attributes)


def rect(x: float, y: float, width: float, height: float, *, title: str = "", **look: str | float) -> str:
    """A rectangle; never of negative size."""
    return element("rect", _named(title), x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), **look)


def circle(x: float, y: float, radius: float, *, title: str = "", **look: str | float) -> str:
    """A circle."""
    return element("circle", _named(title), cx=x, cy=y, r=radius, **look)


def line(x1: float, y1: float, x2: float, y2: float, **look: str | float) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **look)


def path(d: str, *, title: str = "", **look: str | float) -> str:
    """A path of given commands."""
    return element("path", _named(title), d=d, **look)


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: float = BODY,
    fill: str = INK,
    anchor: str = "",
    bold: bool = False,
    full: str = "",
    **look: str | float,
) -> str:
    """A line of text on its base line; `full` is what a shortened one means, shown when pointed at.

    Nothing to say is no element.
    """
    if not content:
        return ""
    inside = escape(content) + (_named(full) if full and full != content else "")
    weight = "bold" if bold else ""
    return element(
        "text",
        inside,
        x=x,
        y=y,
        font_size=size,
        fill=fill,
        text_anchor="" if anchor == "start" else anchor,
        font_weight=weight,
        **look,
    )


def hatch(x: float, y: float, width: float, height: float, *, step: float = 7.0, **look: Any) -> str:
    """Diagonal lines that fill a rectangle: missing data. Drawn line by line, for a pattern would need an id."""
    parts: list[str] = []
    at = step
    while at < width + height:
        begin: Sequence[float] = (x + min(at, width), y + max(0.0, at - width))
        end: Sequence[float] = (x + max(0.0, at - height), y + min(at, height))
        parts.append(f"M{number(begin[0])} {number(begin[1])}L{number(end[0])} {number(end[1])}")
        at += step
    return path("".join(parts), fill="none", **look)
