"""Variants: the paths that purchase journeys take most often, and how they convert."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.language.measures import COUNT, SHARE
from percorso.reports.document import Figure, Piece, ReportTable, Section
from percorso.reports.page import WIDTH, Page

__all__ = ["make_variants"]


def make_variants(page: Page) -> Section:
    """The most common paths of purchase journeys by channel."""
    words = page.words
    numbers = words.numbers
    answer = page.answer("variants")
    title, lead = words.text("report.variants"), words.text("report.variants_lead")
    if answer is None or not answer.table.num_rows:
        return page.section("variants", title, lead, [page.missing(words.text("report.variants_missing"))])
    rows = answer.table.to_pylist()
    names = [" → ".join(page.name("channel", node) for node in row["path"]) for row in rows]
    bars = tuple(
        Bar(name=name, value=row["count"], note=numbers.share(row["share"]))
        for name, row in zip(names, rows, strict=True)
    )
    left = answer.totals["distinct"] - len(rows)
    said = words.text("report.variants_cover", share=numbers.share(answer.totals["coverage"]), n=answer.totals["total"])
    if left:
        said += " " + words.text("plots.other_paths", n=left)
    chart = draw_bars(
        Bars(
            width=WIDTH,
            title=words.text("plots.variants"),
            subtitle=f"{page.name('unit', 'journeys')} · {page.told_period()}",
            note=page.few(answer.totals["total"]),
            description=said,
            bars=bars,
            measure=COUNT,
            name_head=page.name("column", "path"),
            names_above=True,
        ),
        page.words,
    )
    table = tuple(
        (
            name,
            numbers.count(row["count"]),
            numbers.share(row["share"]),
            numbers.interval(row["conversion"], row["low"], row["high"], SHARE)
            if row["count"] >= FEW
            else words.text("report.too_few"),
            "–" if row["median_s"] is None or len(row["path"]) < 2 else numbers.duration(row["median_s"]),
        )
        for name, row in zip(names, rows, strict=True)
    )
    heads = (
        page.name("column", "path"),
        words.text("report.journeys_head"),
        page.name("column", "share"),
        words.text("report.conversion_head"),
        page.name("column", "median_s"),
    )
    pieces: list[Piece] = [Figure(chart), ReportTable(words.text("report.variants_table"), heads, table)]
    return page.section("variants", title, lead, pieces)
