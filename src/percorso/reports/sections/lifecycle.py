"""Lifecycle: who is new, comes back, falls silent; how customers stand to the shop now."""

from __future__ import annotations

from percorso.analyses.plots_lifecycle import plot_relationships, plot_states
from percorso.reports.document import Piece, Section
from percorso.reports.page import Page

__all__ = ["make_lifecycle"]


def make_lifecycle(page: Page) -> Section:
    """Persons by month, and relationships as of now."""
    words = page.words
    answer = page.answer("lifecycle")
    title, lead = words.text("report.lifecycle"), words.text("report.lifecycle_lead")
    if answer is None or not answer.totals["persons"]:
        return page.section("lifecycle", title, lead, [page.missing(words.text("report.lifecycle_missing"))], answer)
    pieces: list[Piece] = []
    if answer.table.num_rows:
        pieces.append(page.figure(plot_states(answer, words), title=words.text("report.states")))
    drawn = plot_relationships(answer, words)
    as_of = words.text("plots.as_of", day=words.numbers.day(page.period.last))
    pieces.append(page.figure(drawn, subtitle=f"{drawn.subtitle} · {as_of}"))
    return page.section("lifecycle", title, lead, pieces, answer)
