"""Cohorts: who buys again, month by month, and how soon."""

from __future__ import annotations

from percorso.analyses.plots_retention import plot_average, plot_cohorts, plot_repeat
from percorso.analyses.plots_telling import rows_of
from percorso.reports.document import Note, Piece, Section
from percorso.reports.page import Page

__all__ = ["make_cohorts"]


def make_cohorts(page: Page) -> Section:
    """Cohorts by month of the first order, their average, and repeat purchase."""
    words = page.words
    answer = page.answer("retention")
    title, lead = words.text("report.cohorts"), words.text("report.cohorts_lead")
    if answer is None or not answer.totals["persons"]:
        return page.section("cohorts", title, lead, [page.missing(words.text("report.cohorts_missing"))], answer)
    pieces: list[Piece] = [page.figure(plot_cohorts(answer, words))]
    if sum(bool(row["size"]) for row in rows_of(answer, "average")) > 1:
        pieces.append(page.figure(plot_average(answer, words), title=words.text("report.average")))
    rates = [row["rate"] for row in rows_of(answer, "repeat") if not row["cohort"]]
    if any(rate is not None for rate in rates):
        pieces.append(page.figure(plot_repeat(answer, words)))
        if None in rates:
            pieces.append(Note(words.text("report.too_young"), "muted"))
    else:
        pieces.append(Note(words.text("report.repeat_missing"), "missing"))
    return page.section("cohorts", title, lead, pieces, answer)
