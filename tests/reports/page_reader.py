"""A report's page, taken apart: sections, headings, links, and whether its elements are closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "link", "hr", "input"}
#: Elements of pictures that stand closed in themselves.
_HEADINGS = ("h1", "h2", "h3", "h4")


@dataclass
class Element:
    """An element: name, attributes, and its text with all that stands in it."""

    name: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class PageReader(HTMLParser):
    """Reads a page and complains of elements that are closed wrongly."""

    elements: list[Element] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)  # every text that people see, beside the table cells of pictures

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].name != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1].name if self._open else 'nothing'}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data
        if data.strip() and not any(element.name in ("style", "script") for element in self._open):
            self.shown.append(data.strip())

    def named(self, *names: str) -> list[Element]:
        return [element for element in self.elements if element.name in names]

    def headings(self) -> list[tuple[int, str]]:
        return [(int(element.name[1]), element.text.strip()) for element in self.named(*_HEADINGS)]


def read_page(html: str) -> PageReader:
    """The page, read to its end."""
    reader = PageReader()
    reader.feed(html)
    reader.close()
    reader.faults += [f"<{element.name}> is never closed" for element in reader._open]
    return reader
