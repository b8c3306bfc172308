"""The funnel: from the first look to the order."""

from __future__ import annotations

from percorso.charts.funnel import FunnelStep, Steps, draw_steps
from percorso.reports.document import Figure, Note, Piece, Section
from percorso.reports.page import WIDTH, Page

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
    steps = tuple(
        FunnelStep(
            name=page.name("event", row["step"]),
            count=row["count"],
            share=row["share"],
            low=row["low"],
            high=row["high"],
            from_previous=row["from_previous"] if at else None,
            dropped=row["dropped"],
            median_s=row["median_s"],
        )
        for at, row in enumerate(rows)
    )
    chart = draw_steps(
        Steps(
            width=WIDTH,
            title=words.text("report.funnel_chart", first=steps[0].name, last=steps[-1].name),
            subtitle=f"{page.name('unit', 'persons')} · {page.told_period()}",
            note=page.few(rows[0]["count"]),
            steps=steps,
        ),
        page.words,
    )
    pieces: list[Piece] = [Figure(chart), Note(words.text("report.funnel_note"), "muted")]
    return page.section("funnel", title, lead, pieces, answer)
