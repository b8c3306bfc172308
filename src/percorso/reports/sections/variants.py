"""Variants: the paths that purchase journeys take most often, and how they convert."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.analyses.plots_paths import path_name, plot_variants
from percorso.language.measures import SHARE
from percorso.reports.document import Note, Piece, ReportTable, Section
from percorso.reports.page import Page

__all__ = ["make_variants"]


def make_variants(page: Page) -> Section:
    """The most common paths of purchase journeys by channel."""
    words = page.words
    numbers = words.numbers
    answer = page.answer("variants")
    title, lead = words.text("report.variants"), words.text("report.variants_lead")
    if answer is None or not answer.table.num_rows:
        return page.section("variants", title, lead, [page.missing(words.text("report.variants_missing"))])
    table = tuple(
        (
            path_name(row["path"], answer.spec.unit, words),
            numbers.count(row["count"]),
            numbers.share(row["share"]),
            numbers.interval(row["conversion"], row["low"], row["high"], SHARE)
            if row["count"] >= FEW
            else words.text("report.too_few"),
            "–" if row["median_s"] is None or len(row["path"]) < 2 else numbers.duration(row["median_s"]),
        )
        for row in answer.table.to_pylist()
    )
    heads = (
        words.name("column", "path"),
        words.text("report.journeys_head"),
        words.name("column", "share"),
        words.text("report.conversion_head"),
        words.name("column", "median_s"),
    )
    chart = page.figure(plot_variants(answer, words))
    pieces: list[Piece] = [chart, ReportTable(words.text("report.variants_table"), heads, table)]
    pieces += _of_which_opened(page, answer.totals["total"])
    return page.section("variants", title, lead, pieces)


def _of_which_opened(page: Page, total: int) -> list[Note]:
    """Why there are more journeys here than began in the period, as the section on their ends counts them."""
    journeys = page.answer("journeys")
    rows = [] if journeys is None else journeys.tables["conversion"].to_pylist()
    opened = rows[0]["opened"] if rows else total
    if opened >= total:
        return []
    return [Note(page.words.text("report.variants_note", n=total, opened=opened), "muted")]
