"""What was drawn: elements of a chart's SVG with their boxes, for tests of structure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from xml.etree import ElementTree

from percorso.charts.chart import Chart
from percorso.charts.lettering import text_width

__all__ = ["Box", "assert_sound", "elements", "overlaps", "text_boxes"]

NAMESPACE = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Box:
    """Where a text stands."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether both cover a common area, by more than half a pixel."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        tall = min(self.bottom, other.bottom) - max(self.top, other.top)
        return wide > 0.5 and tall > 0.5


def elements(chart: Chart, name: str) -> list[ElementTree.Element]:
    """Elements of that name, in the order of painting."""
    return list(ElementTree.fromstring(chart.svg).iter(NAMESPACE + name))


def text_boxes(chart: Chart) -> list[Box]:
    """Boxes of all texts: from the top of a capital to the base line, letters without the slack of measuring."""
    boxes = []
    for element in elements(chart, "text"):
        size, x, y = (float(element.attrib[name]) for name in ("font-size", "x", "y"))
        wide = text_width(element.text or "", size, bold=element.get("font-weight") == "bold") / 1.03
        left = x - {"middle": wide / 2, "end": wide}.get(element.get("text-anchor", ""), 0.0)
        boxes.append(Box(element.text or "", left, y - 0.72 * size, left + wide, y))
    return boxes


def overlaps(chart: Chart) -> list[tuple[str, str]]:
    """Pairs of texts that stand on each other."""
    return [(a.text, b.text) for a, b in combinations(text_boxes(chart), 2) if a.meets(b)]


def numbers_in(chart: Chart) -> Iterator[float]:
    for element in ElementTree.fromstring(chart.svg).iter():
        for name, value in element.attrib.items():
            if name in {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "d"}:
                yield from (float(part) for part in re.findall(r"-?\d+(?:\.\d+)?", value))


def assert_sound(chart: Chart) -> None:
    """Well-formed, finite, nothing that runs or loads, texts inside the canvas and apart from each other."""
    root = ElementTree.fromstring(chart.svg)
    assert root.tag == NAMESPACE + "svg"
    assert root.get("viewBox") == f"0 0 {chart.width:g} {chart.height:g}"
    marks = re.sub(r">[^<]*<", "><", chart.svg).lower()  # texts may say "ordinano"
    assert "nan" not in marks
    assert "inf" not in marks
    names = {element.tag.removeprefix(NAMESPACE) for element in root.iter()}
    assert names <= {"svg", "title", "desc", "g", "rect", "circle", "line", "path", "text"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or "href" in name or name == "id"}
    assert all(abs(number) < 1e5 for number in numbers_in(chart))
    for box in text_boxes(chart):
        assert box.left >= -0.5, box
        assert box.right <= chart.width + 0.5, box
        assert box.top >= -0.5, box
        assert box.bottom <= chart.height + 0.5, box
    assert overlaps(chart) == []
    assert all(len(row) == len(chart.heads) for row in chart.rows)
