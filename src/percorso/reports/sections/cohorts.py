"""Cohorts: who buys again, month by month, and how soon."""

from __future__ import annotations

from typing import Any

from percorso.analyses.intervals import FEW
from percorso.analyses.result import Result
from percorso.charts.dots import Dot, Dots, draw_dots
from percorso.charts.heat import HeatRow, HeatTable, draw_heat
from percorso.charts.lines import Line, LinePoint, Lines, draw_lines
from percorso.language.measures import SHARE
from percorso.reports.document import Figure, Note, Piece, Section
from percorso.reports.page import WIDTH, Page

__all__ = ["make_cohorts"]


def make_cohorts(page: Page) -> Section:
    """Cohorts by month of the first order, their average, and repeat purchase."""
    words = page.words
    answer = page.answer("retention")
    title, lead = words.text("report.cohorts"), words.text("report.cohorts_lead")
    if answer is None or not answer.totals["persons"]:
        return page.section("cohorts", title, lead, [page.missing(words.text("report.cohorts_missing"))], answer)
    pieces: list[Piece] = [Figure(_heat(page, answer))]
    average = [row for row in answer.tables["average"].to_pylist() if row["k"] and row["size"]]
    if len(average) > 1:
        pieces.append(Figure(_average(page, average)))
    repeat = [row for row in answer.tables["repeat"].to_pylist() if not row["cohort"]]
    if any(row["rate"] is not None for row in repeat):
        pieces.append(Figure(_repeat(page, repeat)))
        if any(row["rate"] is None for row in repeat):
            pieces.append(Note(words.text("report.too_young"), "muted"))
    else:
        pieces.append(Note(words.text("report.repeat_missing"), "missing"))
    return page.section("cohorts", title, lead, pieces, answer)


def _heat(page: Page, answer: Result) -> Any:
    words = page.words
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in answer.tables["cohorts"].to_pylist():
        rows.setdefault(row["cohort"], []).append(row)
    most = max((sum(bool(one["complete"]) for one in each) for each in rows.values()), default=0)
    shown = tuple(
        HeatRow(
            page.period_name(cohort), tuple(one["share"] for one in each[1:most] if one["complete"]), each[0]["size"]
        )
        for cohort, each in rows.items()
    )
    few = sum(each[0]["size"] < FEW for each in rows.values())
    drawn = HeatTable(
        width=WIDTH,
        title=words.text("report.heat"),
        subtitle=words.text("report.heat_subtitle"),
        note=words.text("report.few_cohorts", n=few, few=FEW) if few else "",
        rows=shown,
        columns=tuple(str(k) for k in range(1, max(most, 2))),
        measure=SHARE,
        row_head=words.text("report.first_order_in"),
        column_head=words.text("report.months_after"),
        n_head=words.text("report.customers_head"),
    )
    return draw_heat(drawn, page.words)


def _average(page: Page, rows: list[dict[str, Any]]) -> Any:
    words = page.words
    points = tuple(
        LinePoint(x=float(row["k"]), value=row["share"], low=row["low"], high=row["high"], n=row["size"])
        for row in rows
    )
    drawn = Lines(
        width=WIDTH,
        title=words.text("report.average"),
        subtitle=words.text("report.average_subtitle"),
        lines=(Line(points=points),),
        measure=SHARE,
        labels=tuple((float(row["k"]), str(row["k"])) for row in rows),
        x_title=words.text("report.months_after"),
    )
    return draw_lines(drawn, page.words)


def _repeat(page: Page, rows: list[dict[str, Any]]) -> Any:
    words = page.words
    dots = tuple(
        Dot(
            name=words.text("report.within_days", n=row["within_days"]),
            value=row["rate"],
            low=row["low"],
            high=row["high"],
            n=row["size"],
        )
        for row in rows
    )
    drawn = Dots(
        width=WIDTH,
        title=words.text("report.repeat"),
        subtitle=words.text("report.repeat_subtitle", n=rows[0]["size"]),
        note=page.few(rows[0]["size"]),
        dots=dots,
        measure=SHARE,
        zero=True,
    )
    return draw_dots(drawn, page.words)
