"""KPIs: the ones that matter as tiles, and all of them by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from percorso.analyses.intervals import FEW
from percorso.analyses.kpis import STAGES
from percorso.analyses.plots_kpis import kpi_change, kpi_measure, kpi_number, kpi_trends, plot_kpi_tiles
from percorso.analyses.plots_telling import partial, period_name, rows_of
from percorso.analyses.result import Result
from percorso.charts.chart import Chart
from percorso.charts.columns import Columns, Series
from percorso.charts.draw import draw
from percorso.charts.spark import Spark
from percorso.language.kpi_words import kpi_label, kpi_name
from percorso.language.measures import Measure
from percorso.reports.document import Figure, Folds, Piece, ReportTable, Section
from percorso.reports.page import Page

__all__ = ["make_kpis"]

Row = Mapping[str, Any]


def make_kpis(page: Page) -> Section:
    """Tiles, revenue by month, and the whole table."""
    words = page.words
    answer = page.answer("kpis")
    title, lead = words.text("report.kpis"), words.text("report.kpis_lead")
    if answer is None:
        return page.section("kpis", title, lead, [page.missing(words.text("report.kpis_missing"))])
    drawn = plot_kpi_tiles(answer, words)
    says = words.text("report.tiles_says") if any(tile.trend for tile in drawn.tiles) else ""
    pieces: list[Piece] = [page.figure(drawn, title=words.text("report.tiles"), description=says)]
    revenue = _revenue(page, answer)
    if revenue is not None:
        pieces.append(revenue)
    pieces.append(_tables(page, answer))
    without = sorted({row["note"] for row in answer.table.to_pylist() if row["value"] is None and row["note"]})
    if without:
        pieces.append(_missing(page, answer))
    return page.section("kpis", title, lead, pieces, answer)


def _revenue(page: Page, answer: Result) -> Figure | None:
    """Revenue by month; a month that is not whole is named."""
    rows = [row for row in rows_of(answer, "trend") if row["kpi"] == "revenue"]
    if len(rows) < 2:
        return None
    words = page.words
    name, measure = kpi_name("revenue", words.language), kpi_measure({"unit": "money"}, answer)
    return page.figure(
        Columns(
            title=words.text("report.by_month", kpi=name),
            note=partial(rows, "period", answer, words),
            categories=tuple(period_name(row["period"], words) for row in rows),
            series=(Series(name, tuple(kpi_number(row, "value", measure) for row in rows)),),
            measure=measure,
        )
    )


def _tables(page: Page, answer: Result) -> Folds:
    """All KPIs that have a value, by stage; with a comparison what changed."""
    known = [row for row in answer.table.to_pylist() if row["value"] is not None]
    trends = kpi_trends(answer)
    mine = {stage: [row for row in known if row["stage"] == stage] for stage in STAGES}
    tables = (_table(page, answer, stage, rows, trends) for stage, rows in mine.items() if rows)
    return Folds(page.words.text("report.all_kpis", few=FEW), tuple(tables))


def _table(
    page: Page, answer: Result, stage: str, rows: Sequence[Row], trends: Mapping[str, tuple[float | None, ...]]
) -> ReportTable:
    words = page.words
    compared = bool(page.compared)
    heads = [
        words.text("report.kpi_head"),
        words.text("report.now_head"),
        words.text("report.interval_head"),
        words.text("report.n_head"),
    ]
    heads += [words.text("report.before_head"), words.text("report.change_head")] if compared else []
    cells = tuple(_cells(page, row, kpi_measure(row, answer), compared=compared) for row in rows)
    sparks = tuple(_spark(page, row["kpi"], trends.get(row["kpi"], ())) for row in rows)
    if any(sparks):
        heads.append(words.text("report.trend_head"))
    caption = words.text("report.kpis_of", stage=kpi_label(stage, words.language), n=len(rows))
    return ReportTable(caption, tuple(heads), cells, folded=True, sparks=sparks if any(sparks) else ())


def _cells(page: Page, row: Row, measure: Measure, *, compared: bool) -> tuple[str, ...]:
    numbers = page.words.numbers
    n = "" if row["n"] is None or row["unit"] == "count" else numbers.count(row["n"])
    cells = (
        _name(page, row),
        numbers.show(kpi_number(row, "value", measure), measure),
        _interval(page, row, measure),
        f"{n} *" if n and 0 < row["n"] < FEW else n,
    )
    if not compared:
        return cells
    return (*cells, numbers.show(kpi_number(row, "previous", measure), measure), _change(page, row, measure))


def _spark(page: Page, kpi: str, values: tuple[float | None, ...]) -> Chart | None:
    """The months of the period that are whole, as a line."""
    if not values:
        return None
    title = page.words.text("report.by_month", kpi=kpi_name(kpi, page.words.language))
    return draw(Spark(title=title, values=values, width=90, height=22), page.words)


def _name(page: Page, row: Row) -> str:
    name = kpi_name(row["kpi"], page.words.language)
    survey = row.get("survey") or ""
    return f"{name} ({survey})" if survey else name


def _interval(page: Page, row: Row, measure: Measure) -> str:
    low, high = kpi_number(row, "low", measure), kpi_number(row, "high", measure)
    return "" if low is None or high is None else page.words.numbers.range(low, high, measure)


def _change(page: Page, row: Row, measure: Measure) -> str:
    shown, ends = kpi_change(row, measure, page.words)
    return f"{shown} ({ends})" if ends else shown


def _missing(page: Page, answer: Result) -> ReportTable:
    """KPIs without a value, and why."""
    words, language = page.words, page.words.language
    reasons: dict[str, list[str]] = {}
    for row in answer.table.to_pylist():
        if row["value"] is None and row["note"]:
            reasons.setdefault(row["note"], []).append(kpi_name(row["kpi"], language))
    rows: Sequence[tuple[str, ...]] = [(", ".join(dict.fromkeys(names)), why) for why, names in reasons.items()]
    heads = (words.text("report.kpi_head"), words.text("report.why_head"))
    return ReportTable(words.text("report.kpis_without"), heads, tuple(rows), words=(0, 1), folded=True)
