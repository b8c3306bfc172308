"""Variants: the paths that purchase journeys take most often, and how they convert."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.analyses.plots_paths import path_name, plot_variants
from percorso.language.measures import SHARE
from percorso.reports.document import Piece, ReportTable, Section
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
        words.title("column", "path"),
        words.text("report.journeys_head"),
        words.title("column", "share"),
        words.text("report.conversion_head"),
        words.title("column", "median_s"),
    )
    chart = page.figure(plot_variants(answer, words))
    pieces: list[Piece] = [chart, ReportTable(words.text("report.variants_table"), heads, table)]
    return page.section("variants", title, lead, pieces)
