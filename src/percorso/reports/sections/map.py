"""The journey map, on a page of its own."""

from __future__ import annotations

from percorso.reports.document import Note, Piece, Poster, Section
from percorso.reports.page import Page

__all__ = ["make_map"]


def make_map(page: Page) -> Section:
    """The poster, or why there is none."""
    words = page.words
    answer = page.answer("map")
    title, lead = words.text("report.map"), words.text("report.map_lead")
    if page.poster is None or answer is None:
        return page.section("map", title, lead, [page.missing(words.text("report.map_missing"))], answer)
    pieces: list[Piece] = [Poster(page.poster), Note(words.text("report.map_note"), "muted")]
    return page.section("map", title, lead, pieces, answer)
