"""The funnel: from the first look to the order."""

from __future__ import annotations

from percorso.analyses.plots_paths import plot_funnel
from percorso.analyses.plots_telling import name_of
from percorso.reports.document import Note, Piece, Section
from percorso.reports.page import Page

__all__ = ["make_funnel"]


def make_funnel(page: Page) -> Section:
    """How many get from step to step."""
    words = page.words
    title, lead = words.text("report.funnel"), words.text("report.funnel_lead", within=words.text("report.within_week"))
    answer = page.answer("funnel")
    if answer is None:
        return page.section("funnel", title, lead, [page.missing(words.text("report.funnel_missing"))])
    rows = answer.table.to_pylist()
    if not rows or not rows[0]["count"]:
        return page.section("funnel", title, lead, [page.missing(words.text("report.funnel_empty"))], answer)
    first, last = (name_of("event", row["step"], words) for row in (rows[0], rows[-1]))
    drawn = page.figure(plot_funnel(answer, words), title=words.text("report.funnel_chart", first=first, last=last))
    pieces: list[Piece] = [drawn, Note(words.text("report.funnel_note"), "muted")]
    return page.section("funnel", title, lead, pieces, answer)
