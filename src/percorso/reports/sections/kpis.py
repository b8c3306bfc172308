"""KPIs: the ones that matter as tiles, and all of them by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from percorso.analyses.intervals import FEW
from percorso.analyses.kpis import STAGES
from percorso.analyses.result import Result
from percorso.charts.chart import Chart
from percorso.charts.columns import Columns, Series, draw_columns
from percorso.charts.spark import Spark, draw_spark
from percorso.charts.tiles import Tile, Tiles, draw_tiles
from percorso.language.kpi_words import kpi_label, kpi_name
from percorso.language.measures import COUNT, DURATION, NUMBER, POINTS, SHARE, Measure
from percorso.reports.document import Figure, Piece, ReportTable, Section
from percorso.reports.page import WIDTH, Page

__all__ = ["kpi_measure", "kpi_value", "make_kpis"]

#: Which KPIs get a tile, the first that have a value.
_TILES = (
    *("revenue", "orders", "average_order_value", "average_receipt", "persons", "new_persons", "conversion_rate"),
    *("cart_abandonment", "time_to_convert", "repeat_purchase_365", "repeat_purchase_180", "repeat_purchase_90"),
    *("return_rate", "late_delivery", "nps", "csat", "mean_rating_unasked", "place_switch_rate", "contact_rate"),
)
_MOST_TILES = 12
#: Two points are no trend.
_LEAST_TREND = 3
#: Of these only the first that has a value: they say the same over other spans.
_ONE_OF = ("repeat_purchase_365", "repeat_purchase_180", "repeat_purchase_90")

_MEASURES: Mapping[str, Measure] = {
    "count": COUNT,
    "share": SHARE,
    "points": POINTS,
    "duration": DURATION,
    "ratio": Measure("number", decimals=2),
    "score": NUMBER,
}
_BETTER: Mapping[str, Any] = {"up": "more", "down": "less", "neither": ""}

Row = Mapping[str, Any]


def make_kpis(page: Page) -> Section:
    """Tiles, revenue by month, and the whole table."""
    words = page.words
    answer = page.answer("kpis")
    title, lead = words.text("report.kpis"), words.text("report.kpis_lead")
    if answer is None:
        return page.section("kpis", title, lead, [page.missing(words.text("report.kpis_missing"))])
    pieces: list[Piece] = [Figure(_tiles(page, answer))]
    revenue = _revenue(page, answer)
    if revenue is not None:
        pieces.append(Figure(revenue))
    pieces.append(_table(page, answer))
    without = sorted({row["note"] for row in answer.table.to_pylist() if row["value"] is None and row["note"]})
    if without:
        pieces.append(_missing(page, answer))
    return page.section("kpis", title, lead, pieces, answer)


def kpi_measure(page: Page, row: Row) -> Measure:
    """What the numbers of a KPI are."""
    return page.money if row["unit"] == "money" else _MEASURES[row["unit"]]


def kpi_value(page: Page, row: Row, column: str) -> float | None:
    """A number of a row as numbers and charts take it: money in minor units."""
    value = row[column]
    if value is None:
        return None
    return float(page.minor(value)) if row["unit"] == "money" else float(value)


def _trend(page: Page, answer: Result, row: Row) -> tuple[float | None, ...]:
    if "trend" not in answer.tables:
        return ()
    mine = [one for one in answer.tables["trend"].to_pylist() if one["kpi"] == row["kpi"]]
    mine = [one for one in mine if page.is_whole(one, "period")]
    return tuple(one["value"] for one in mine) if len(mine) >= _LEAST_TREND else ()


def _tiles(page: Page, answer: Result) -> Any:
    rows = {row["kpi"]: row for row in answer.table.to_pylist()}
    chosen = [key for key in _TILES if key in rows and rows[key]["value"] is not None]
    spans = [key for key in chosen if key in _ONE_OF]
    chosen = [key for key in chosen if key not in spans[1:]][:_MOST_TILES]
    return draw_tiles(
        Tiles(
            width=WIDTH,
            title=page.words.text("report.tiles"),
            subtitle=page.told_period(),
            description=page.words.text("report.tiles_says"),
            tiles=tuple(_tile(page, answer, rows[key]) for key in chosen),
            before_name=page.compared,
        ),
        page.words,
    )


def _tile(page: Page, answer: Result, row: Row) -> Tile:
    def number(column: str) -> float | None:
        return kpi_value(page, row, column)

    return Tile(
        name=kpi_name(row["kpi"], page.words.language),
        value=number("value"),
        measure=kpi_measure(page, row),
        low=number("low"),
        high=number("high"),
        n=row["n"] if row["low"] is not None else None,
        difference=number("difference"),
        difference_low=number("diff_low"),
        difference_high=number("diff_high"),
        better=_BETTER[row["better"]],
        target=number("target"),
        trend=_trend(page, answer, row),
    )


def _revenue(page: Page, answer: Result) -> Any:
    """Revenue by month; a month that is not whole is left out and named."""
    if "trend" not in answer.tables:
        return None
    rows = [row for row in answer.tables["trend"].to_pylist() if row["kpi"] == "revenue"]
    if len(rows) < 2:
        return None
    words = page.words
    name = kpi_name("revenue", page.words.language)
    values = tuple(None if row["value"] is None else float(page.minor(row["value"])) for row in rows)
    drawn = Columns(
        width=WIDTH,
        title=words.text("report.by_month", kpi=name),
        subtitle=page.told_period(),
        note=page.partial(rows, "period"),
        categories=tuple(page.period_name(row["period"]) for row in rows),
        series=(Series(name, values),),
        measure=page.money,
    )
    return draw_columns(drawn, page.words)


def _table(page: Page, answer: Result) -> ReportTable:
    """All KPIs that have a value, by stage; with a comparison what changed."""
    words = page.words
    numbers = words.numbers
    compared = bool(page.compared)
    heads = [
        words.text("report.kpi_head"),
        words.text("report.now_head"),
        words.text("report.interval_head"),
        words.text("report.n_head"),
    ]
    heads += [words.text("report.before_head"), words.text("report.change_head")] if compared else []
    rows: list[tuple[str, ...]] = []
    sparks: list[Chart | None] = []
    known = [row for row in answer.table.to_pylist() if row["value"] is not None]
    for stage in STAGES:
        mine = [row for row in known if row["stage"] == stage]
        if mine:
            rows.append((kpi_label(stage, page.words.language),))
            sparks.append(None)
        for row in mine:
            measure = kpi_measure(page, row)
            cells = [
                _name(page, row),
                numbers.show(kpi_value(page, row, "value"), measure),
                _ends(page, row, "low", "high", measure),
                "" if row["n"] is None or row["unit"] == "count" else numbers.count(row["n"]),
            ]
            if cells[3] and 0 < row["n"] < FEW:
                cells[3] += " *"
            if compared:
                cells.append(numbers.show(kpi_value(page, row, "previous"), measure))
                cells.append(_change(page, row, measure))
            rows.append(tuple(cells))
            sparks.append(_spark(page, answer, row))
    if any(sparks):
        heads.append(words.text("report.trend_head"))
    shown = tuple(sparks) if any(sparks) else ()
    return ReportTable(words.text("report.all_kpis", few=FEW), tuple(heads), tuple(rows), sparks=shown)


def _spark(page: Page, answer: Result, row: Row) -> Chart | None:
    """The months of the period that are whole, as a line."""
    values = _trend(page, answer, row)
    if sum(value is not None for value in values) < _LEAST_TREND:
        return None
    name = kpi_name(row["kpi"], page.words.language)
    spark = Spark(title=page.words.text("report.by_month", kpi=name), values=values, width=90, height=22)
    return draw_spark(spark, page.words)


def _name(page: Page, row: Row) -> str:
    name = kpi_name(row["kpi"], page.words.language)
    survey = row.get("survey") or ""
    return f"{name} ({survey})" if survey else name


def _ends(page: Page, row: Row, low: str, high: str, measure: Measure) -> str:
    ends = kpi_value(page, row, low), kpi_value(page, row, high)
    return "" if None in ends else page.words.numbers.range(ends[0], ends[1], measure)


def _change(page: Page, row: Row, measure: Measure) -> str:
    if row["difference"] is None:
        return "–"
    difference = measure.difference
    shown = page.words.numbers.signed(kpi_value(page, row, "difference"), difference)
    ends = _ends(page, row, "diff_low", "diff_high", difference)
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
