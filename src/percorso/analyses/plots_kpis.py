"""KPIs as charts: tiles, rates beside those of the period before, values of a break-down, and trends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Literal

from percorso.analyses.intervals import FEW
from percorso.analyses.kpis import KpisSpec
from percorso.analyses.plots_telling import (
    MOST,
    Row,
    days_of,
    field_name,
    is_whole,
    joined,
    left_out,
    minor,
    name_of,
    partial,
    period_name,
    rows_of,
    whole_rows,
)
from percorso.analyses.result import Result
from percorso.charts.dots import Dot, Dots
from percorso.charts.lines import Line, LinePoint, Lines
from percorso.charts.tiles import Tile, Tiles
from percorso.errors import SpecError
from percorso.language.kpi_words import kpi_name
from percorso.language.measures import COUNT, SHARE, Measure, measure_of
from percorso.language.words import Words, capital

__all__ = [
    "Verdict",
    "kpi_change",
    "kpi_measure",
    "kpi_number",
    "kpi_trends",
    "kpi_verdict",
    "plot_kpi_changes",
    "plot_kpi_groups",
    "plot_kpi_tiles",
    "plot_kpi_trend",
]

#: Which KPIs get a tile where all were asked for: the first twelve that have a value.
_TILES = (
    *("revenue", "orders", "average_order_value", "average_receipt", "persons", "new_persons", "conversion_rate"),
    *("cart_abandonment", "time_to_convert", "repeat_purchase_365", "repeat_purchase_180", "repeat_purchase_90"),
    *("return_rate", "late_delivery", "nps", "csat", "mean_rating_unasked", "place_switch_rate", "contact_rate"),
)
#: Of these only the first that has a value: they say the same over other spans.
_ONE_OF = ("repeat_purchase_365", "repeat_purchase_180", "repeat_purchase_90")
_MOST_TILES, _MOST_ASKED, _MOST_LINES = 12, 30, 4
_LEAST_TREND = 3  # two points are no trend
_FIRST = "revenue"  # whose trend is drawn where all were asked for

Verdict = Literal["better", "worse", "changed", "unclear", ""]

_BETTER: Mapping[str, Literal["more", "less", ""]] = {"up": "more", "down": "less", "neither": ""}


def kpi_measure(row: Row, result: Result) -> Measure:
    """What the numbers of a KPI are."""
    return measure_of(row["unit"], result.totals["currency"])


def kpi_number(row: Row, column: str, measure: Measure) -> float | None:
    """A number of a row as charts take it: amounts in minor units."""
    value = row[column]
    if value is None:
        return None
    return float(minor(value, measure)) if measure.kind == "money" else float(value)


def kpi_change(row: Row, measure: Measure, words: Words) -> tuple[str, str]:
    """What changed, and its interval, as a table says them; "" for no interval."""
    value, low, high = (kpi_number(row, column, measure) for column in ("difference", "diff_low", "diff_high"))
    return words.numbers.change(value, low, high, measure.difference)


def kpi_verdict(row: Row, measure: Measure, words: Words) -> Verdict:
    """Whether a change is for the better, by its interval as a table writes it; "" where there is no interval."""
    value, low, high = (kpi_number(row, column, measure) for column in ("difference", "diff_low", "diff_high"))
    if value is None or low is None or high is None:
        return ""
    if not words.numbers.is_clear(value, low, high, measure.difference):
        return "unclear"
    if row["better"] == "neither":
        return "changed"
    return "better" if (low > 0) == (row["better"] == "up") else "worse"


def kpi_trends(result: Result) -> dict[str, tuple[float | None, ...]]:
    """The values of the periods that are whole, of each KPI that has three or more."""
    units = {row["kpi"]: kpi_measure(row, result) for row in result.table.to_pylist()}
    values: dict[str, list[float | None]] = {}
    for row in rows_of(result, "trend"):
        if is_whole(row, "period", result):
            values.setdefault(row["kpi"], []).append(kpi_number(row, "value", units[row["kpi"]]))
    known = {kpi: sum(value is not None for value in each) for kpi, each in values.items()}
    return {kpi: tuple(each) for kpi, each in values.items() if known[kpi] >= _LEAST_TREND}


def plot_kpi_tiles(result: Result, words: Words) -> Tiles:
    """A tile for each KPI that was asked for; where all were, for those that matter most."""
    spec: KpisSpec = result.spec
    rows = whole_rows(result)
    if not spec.kpis:
        of = {row["kpi"]: row for row in rows if row["value"] is not None}
        spans = [key for key in _ONE_OF if key in of]
        rows = [of[key] for key in _TILES if key in of and key not in spans[1:]][:_MOST_TILES]
    trends = kpi_trends(result)
    return Tiles(
        title=words.text("plots.kpis"),
        note=left_out(len(rows), words, _MOST_ASKED),
        tiles=tuple(_tile(row, trends.get(row["kpi"], ()), result, words) for row in rows[:_MOST_ASKED]),
        before_name=days_of(result, "earlier_period", words),
    )


def _tile(row: Row, trend: tuple[float | None, ...], result: Result, words: Words) -> Tile:
    measure = kpi_measure(row, result)
    return Tile(
        name=kpi_name(row["kpi"], words.language),
        value=kpi_number(row, "value", measure),
        measure=measure,
        low=kpi_number(row, "low", measure),
        high=kpi_number(row, "high", measure),
        n=row["n"] if row["low"] is not None else None,
        difference=kpi_number(row, "difference", measure),
        difference_low=kpi_number(row, "diff_low", measure),
        difference_high=kpi_number(row, "diff_high", measure),
        better=_BETTER[row["better"]],
        target=kpi_number(row, "target", measure),
        trend=trend,
        note=row["note"],
    )


def plot_kpi_changes(result: Result, words: Words) -> Dots:
    """Rates now, with their intervals, and in the period before."""
    told = [row for row in whole_rows(result) if row["unit"] == "share"]
    if not result.spec.compare:
        raise SpecError("There is nothing to compare with.", hint='Ask with compare="previous" or "last-year".')
    rows = [row for row in told if row["value"] is not None and row["previous"] is not None and (row["n"] or 0) >= FEW]
    # The clearest changes first: those whose interval lies farthest from zero for its width.
    rows.sort(key=lambda row: -_clear(row))
    named = [(kpi_name(row["kpi"], words.language), row) for row in rows[:MOST]]
    note = joined([left_out(len(rows), words, _MOST_ASKED), words.text("plots.kpi_rates")])
    return _kpi_dots(words.text("plots.kpi_changes"), note, named, SHARE, words.text("plots.kpi"), result, words)


def _clear(row: Row) -> float:
    if row["difference"] is None or row["diff_low"] is None or row["diff_high"] is None:
        return 0.0
    wide: float = row["diff_high"] - row["diff_low"]
    return abs(row["difference"]) / wide if wide else 0.0


def plot_kpi_groups(result: Result, words: Words) -> Dots:
    """The first KPI that was asked for, by the values of the break-down."""
    by = result.spec.scope.by
    if not by:
        raise SpecError("There is no break-down to draw.", hint='Ask with by="device" or another field.')
    rows = [row for row in result.table.to_pylist() if row["value"] is not None]
    mine = [row for row in rows if row["kpi"] == rows[0]["kpi"]]
    measure = kpi_measure(mine[0], result) if mine else SHARE
    mine.sort(key=lambda row: -row["value"])
    kpi = kpi_name(mine[0]["kpi"], words.language) if mine else words.text("plots.kpi")
    title = words.text("plots.kpi_by", kpi=kpi, field=field_name(by, words))
    named = [(name_of(by, row[by], words), row) for row in mine[:MOST]]
    return _kpi_dots(title, left_out(len(mine), words), named, measure, capital(field_name(by, words)), result, words)


def _kpi_dots(
    title: str,
    note: str,
    named: Iterable[tuple[str, Row]],
    measure: Measure,
    name_head: str,
    result: Result,
    words: Words,
) -> Dots:
    return Dots(
        title=title,
        note=note,
        dots=tuple(
            Dot(
                name=name,
                value=kpi_number(row, "value", measure),
                low=kpi_number(row, "low", measure),
                high=kpi_number(row, "high", measure),
                before=kpi_number(row, "previous", measure),
                n=row["n"],
            )
            for name, row in named
        ),
        measure=measure,
        zero=True,
        before_name=days_of(result, "earlier_period", words),
        now_name=days_of(result, "period", words),
        name_head=name_head,
    )


def plot_kpi_trend(result: Result, words: Words) -> Lines:
    """The KPIs that were asked for, period by period: as many as have the unit of the first; with a break-down its
    values.
    """
    spec: KpisSpec = result.spec
    if not spec.every:
        raise SpecError("This answer has no trend.", hint='Ask with every="month", "week" or "day".')
    wanted = list(spec.kpis or (_FIRST,))
    units = {row["kpi"]: row for row in result.table.to_pylist()}
    rows = [row for row in rows_of(result, "trend") if row["kpi"] in wanted]
    keys = [key for key in wanted if any(row["kpi"] == key for row in rows)]
    measure = kpi_measure(units[keys[0]], result) if keys else COUNT
    keys = [key for key in keys if units[key]["unit"] == units[keys[0]]["unit"]]
    by = spec.scope.by
    named = _named_trends([row for row in rows if row["kpi"] in (keys[:1] if by else keys)], by, words)
    periods = sorted({row["period"] for row in rows})
    first = kpi_name(keys[0], words.language) if keys else words.text("plots.kpis")
    return Lines(
        title=words.text("plots.kpi_trend", kpi=first) if by or len(keys) == 1 else words.text("plots.kpi_trends"),
        note=joined([partial(rows, "period", result, words), left_out(len(named), words, _MOST_LINES)]),
        lines=tuple(
            Line(name=name, points=_points(each, periods, measure, result))
            for name, each in list(named.items())[:_MOST_LINES]
        ),
        measure=measure,
        labels=tuple((float(at), period_name(label, words)) for at, label in enumerate(periods)),
        target=None if by or len(keys) != 1 else kpi_number(units[keys[0]], "target", measure),
    )


def _named_trends(rows: Sequence[Row], by: str, words: Words) -> dict[str, list[Row]]:
    """The rows of each line by its name, the line that rests on most first."""

    def key(row: Row) -> str:
        return row[by] or "" if by else row["kpi"]

    groups = {name: list(each) for name, each in groupby(sorted(rows, key=key), key=key)}
    if by:
        ranked = sorted(groups, key=lambda name: (-sum(row["n"] or 0 for row in groups[name]), name))
        return {name_of(by, name, words): groups[name] for name in ranked}
    return {kpi_name(name, words.language): groups[name] for name in dict.fromkeys(row["kpi"] for row in rows)}


def _points(rows: Sequence[Row], periods: Sequence[str], measure: Measure, result: Result) -> tuple[LinePoint, ...]:
    """A total of a part of a period says nothing beside whole ones, nor a rate of a few of a group: gaps both."""
    of = {row["period"]: row for row in rows if _is_told(row, result)}
    return tuple(
        LinePoint(
            x=float(at),
            value=kpi_number(of[label], "value", measure) if label in of else None,
            low=kpi_number(of[label], "low", measure) if label in of else None,
            high=kpi_number(of[label], "high", measure) if label in of else None,
            n=of[label]["n"] if label in of else None,
        )
        for at, label in enumerate(periods)
    )


def _is_told(row: Row, result: Result) -> bool:
    return is_whole(row, "period", result) if row["low"] is None else (row["n"] or 0) >= FEW
