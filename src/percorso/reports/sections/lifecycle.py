"""Lifecycle: who is new, comes back, falls silent; how customers stand to the shop now."""

from __future__ import annotations

from typing import Any

from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.columns import Columns, Series, draw_columns
from percorso.language.measures import COUNT
from percorso.reports.document import Figure, Note, Piece, Section
from percorso.reports.page import WIDTH, Page

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
        pieces.append(Figure(_states(page, answer)))
    pieces.append(Figure(_relationships(page, answer)))
    limits = answer.tables["limits"].to_pylist()[0]
    if limits.get("at_risk_days") is None:
        pieces.append(Note(words.text("report.no_limits"), "muted"))
    else:
        days = {"risk": str(limits["at_risk_days"]), "lost": str(limits["lost_days"])}
        pieces.append(Note(words.text("report.limits", **days), "muted"))
    return page.section("lifecycle", title, lead, pieces, answer)


def _states(page: Page, answer: Result) -> Any:
    words = page.words
    rows = answer.table.to_pylist()
    names = {
        "new": words.text("report.state_new"),
        "returning": words.text("report.state_returning"),
        "resurrecting": words.text("report.state_resurrecting"),
    }
    drawn = Columns(
        width=WIDTH,
        title=words.text("report.states"),
        subtitle=f"{page.name('unit', 'persons')} · {page.told_period()}",
        note=page.partial(rows, "interval"),
        categories=tuple(page.period_name(row["interval"]) for row in rows),
        series=tuple(Series(name, tuple(row[key] for row in rows)) for key, name in names.items()),
        measure=COUNT,
        stacked=True,
    )
    return draw_columns(drawn, page.words)


def _relationships(page: Page, answer: Result) -> Any:
    words = page.words
    day = words.numbers.day(page.period.last)
    rows = [row for row in answer.tables["relationships"].to_pylist() if row["persons"]]
    bars = tuple(
        Bar(
            name=page.name("relationship", row["relationship"]),
            value=row["persons"],
            note=page.words.numbers.share(row["share"]),
        )
        for row in rows
    )
    drawn = Bars(
        width=WIDTH,
        title=words.text("report.relationships"),
        subtitle=f"{page.name('unit', 'persons')} · {words.text('plots.as_of', day=day)}",
        note=page.few(answer.totals["persons"]),
        bars=bars,
        measure=COUNT,
        name_head=words.text("report.relationship_head"),
    )
    return draw_bars(drawn, page.words)
