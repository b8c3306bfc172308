"""KPIs as charts: tiles, rates beside those of the period before, values of a break-down, and trends."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Literal

from percorso.analyses.intervals import FEW
from percorso.analyses.kpis import KpisSpec
from percorso.analyses.plots_contacts import MOST, left_out
from percorso.analyses.plots_telling import (
    Row,
    field_name,
    joined,
    minor,
    money_of,
    name_of,
    note,
    period_name,
    refuse_groups,
    rows_of,
)
from percorso.analyses.result import Result
from percorso.charts.chart import Chart
from percorso.charts.dots import Dot, Dots, draw_dots
from percorso.charts.lines import Line, LinePoint, Lines, draw_lines
from percorso.charts.tiles import Tile, Tiles, draw_tiles
from percorso.errors import SpecError
from percorso.language.kpi_words import kpi_name
from percorso.language.measures import COUNT, DURATION, NUMBER, POINTS, SHARE, Measure
from percorso.language.words import Words, capital
from percorso.time import zone_of

__all__ = ["kpi_measure", "kpi_number", "plot_kpi_changes", "plot_kpi_groups", "plot_kpi_tiles", "plot_kpi_trend"]

#: Which KPIs get a tile where all were asked for: the first twelve that have a value.
_TILES = (
    *("revenue", "orders", "average_order_value", "average_receipt", "persons", "new_persons", "conversion_rate"),
    *("cart_abandonment", "time_to_convert", "repeat_purchase_90", "return_rate", "late_delivery", "nps", "csat"),
    *("mean_rating_unasked", "place_switch_rate", "contact_rate"),
)
_MOST_TILES, _MOST_ASKED, _MOST_LINES = 12, 30, 4
_FIRST = "revenue"  # whose trend is drawn where all were asked for

_MEASURES: Mapping[str, Measure] = {
    "count": COUNT,
    "share": SHARE,
    "points": POINTS,
    "duration": DURATION,
    "ratio": Measure("number", decimals=2),
    "score": NUMBER,
}
_BETTER: Mapping[str, Literal["more", "less", ""]] = {"up": "more", "down": "less", "neither": ""}


def kpi_measure(row: Row, result: Result) -> Measure:
    """What the numbers of a KPI are."""
    return money_of(result) if row["unit"] == "money" else _MEASURES[row["unit"]]


def kpi_number(row: Row, column: str, measure: Measure) -> float | None:
    """A number of a row as charts take it: amounts in minor units."""
    value = row[column]
    if value is None:
        return None
    return float(minor(value, measure)) if measure.kind == "money" else float(value)


def _period(result: Result, words: Words) -> str:
    """The period that the answer is of, and whose."""
    parts = [_days(result, "period", words)]
    if result.spec.scope.persona:
        parts.append(words.text("plots.persona", name=result.spec.scope.persona))
    return " · ".join(part for part in parts if part)


def _days(result: Result, key: str, words: Words) -> str:
    """First and last day of a period in the totals; "" without one."""
    period = result.totals.get(key)
    if period is None:
        return ""
    zone = zone_of(result.spec.scope.timezone)
    first = datetime.datetime.fromisoformat(period["start"]).astimezone(zone).date()
    # The end is the first instant that is out.
    end = datetime.datetime.fromisoformat(period["end"]) - datetime.timedelta(microseconds=1)
    return words.numbers.period(first, max(first, end.astimezone(zone).date()))


def plot_kpi_tiles(result: Result, words: Words) -> Chart:
    """A tile for each KPI that was asked for; where all were, for those that matter most."""
    spec: KpisSpec = result.spec
    refuse_groups(spec.scope.by)
    rows = result.table.to_pylist()
    if not spec.kpis:
        of = {row["kpi"]: row for row in rows if row["value"] is not None}
        rows = [of[key] for key in _TILES if key in of][:_MOST_TILES]
    drawn = Tiles(
        title=words.text("plots.kpis"),
        subtitle=_period(result, words),
        note=joined([left_out(len(rows), words, _MOST_ASKED), note(result, FEW, words)]),
        tiles=tuple(_tile(row, result, words) for row in rows[:_MOST_ASKED]),
        before_name=_days(result, "earlier_period", words),
    )
    return draw_tiles(drawn, words)


def _tile(row: Row, result: Result, words: Words) -> Tile:
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
        trend=_whole(row["kpi"], result, measure),
        note=row["note"],
    )


def _whole(kpi: str, result: Result, measure: Measure) -> tuple[float | None, ...]:
    """The values of the periods that are whole."""
    rows = [row for row in rows_of(result, "trend") if row["kpi"] == kpi and row["complete"]]
    return tuple(kpi_number(row, "value", measure) for row in rows)


def plot_kpi_changes(result: Result, words: Words) -> Chart:
    """Rates now, with their intervals, and in the period before."""
    refuse_groups(result.spec.scope.by)
    if not result.spec.compare:
        raise SpecError("There is nothing to compare with.", hint='Ask with compare="previous" or "last-year".')
    told = [row for row in result.table.to_pylist() if row["unit"] == "share"]
    rows = [row for row in told if row["value"] is not None and row["previous"] is not None and (row["n"] or 0) >= FEW]
    # The clearest changes first: those whose interval lies farthest from zero for its width.
    rows.sort(key=lambda row: -_clear(row))
    drawn = Dots(
        title=words.text("plots.kpi_changes"),
        subtitle=_period(result, words),
        note=joined([left_out(len(rows), words, _MOST_ASKED), words.text("plots.kpi_rates"), note(result, FEW, words)]),
        dots=tuple(
            Dot(
                name=kpi_name(row["kpi"], words.language),
                value=row["value"],
                low=row["low"],
                high=row["high"],
                before=row["previous"],
                n=row["n"],
            )
            for row in rows[:MOST]
        ),
        measure=SHARE,
        zero=True,
        before_name=_days(result, "earlier_period", words),
        now_name=_days(result, "period", words),
        name_head=words.text("plots.kpi"),
    )
    return draw_dots(drawn, words)


def _clear(row: Row) -> float:
    if row["difference"] is None or row["diff_low"] is None or row["diff_high"] is None:
        return 0.0
    wide: float = row["diff_high"] - row["diff_low"]
    return abs(row["difference"]) / wide if wide else 0.0


def plot_kpi_groups(result: Result, words: Words) -> Chart:
    """The first KPI that was asked for, by the values of the break-down."""
    by = result.spec.scope.by
    if not by:
        raise SpecError("There is no break-down to draw.", hint='Ask with by="device" or another field.')
    rows = [row for row in result.table.to_pylist() if row["value"] is not None]
    mine = [row for row in rows if row["kpi"] == rows[0]["kpi"]]
    measure = kpi_measure(mine[0], result) if mine else SHARE
    mine.sort(key=lambda row: -row["value"])
    title = words.text(
        "plots.kpi_by",
        kpi=kpi_name(mine[0]["kpi"], words.language) if mine else words.text("plots.kpi"),
        field=field_name(by, words),
    )
    drawn = Dots(
        title=title,
        subtitle=_period(result, words),
        note=joined([left_out(len(mine), words), note(result, FEW, words)]),
        dots=tuple(
            Dot(
                name=name_of(by, row[by], words),
                value=kpi_number(row, "value", measure),
                low=kpi_number(row, "low", measure),
                high=kpi_number(row, "high", measure),
                before=kpi_number(row, "previous", measure),
                n=row["n"],
            )
            for row in mine[:MOST]
        ),
        measure=measure,
        zero=True,
        before_name=_days(result, "earlier_period", words),
        now_name=_days(result, "period", words),
        name_head=capital(field_name(by, words)),
    )
    return draw_dots(drawn, words)


def plot_kpi_trend(result: Result, words: Words) -> Chart:
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
    partial = sorted({row["period"] for row in rows if not row["complete"]})
    names = ", ".join(period_name(label, words) for label in partial)
    first = kpi_name(keys[0], words.language) if keys else words.text("plots.kpis")
    drawn = Lines(
        title=words.text("plots.kpi_trend", kpi=first) if by or len(keys) == 1 else words.text("plots.kpi_trends"),
        subtitle=_period(result, words),
        note=joined(
            [
                words.text("plots.partial", names=names) if names else "",
                left_out(len(named), words, _MOST_LINES),
                note(result, FEW, words),
            ]
        ),
        lines=tuple(
            Line(name=name, points=_points(each, periods, measure)) for name, each in list(named.items())[:_MOST_LINES]
        ),
        measure=measure,
        labels=tuple((float(at), period_name(label, words)) for at, label in enumerate(periods)),
        target=None if by or len(keys) != 1 else kpi_number(units[keys[0]], "target", measure),
    )
    return draw_lines(drawn, words)


def _named_trends(rows: Sequence[Row], by: str, words: Words) -> dict[str, list[Row]]:
    """The rows of each line by its name, the line that rests on most first."""

    def key(row: Row) -> str:
        return row[by] or "" if by else row["kpi"]

    groups = {name: list(each) for name, each in groupby(sorted(rows, key=key), key=key)}
    if by:
        ranked = sorted(groups, key=lambda name: (-sum(row["n"] or 0 for row in groups[name]), name))
        return {name_of(by, name, words): groups[name] for name in ranked}
    return {kpi_name(name, words.language): groups[name] for name in dict.fromkeys(row["kpi"] for row in rows)}


def _points(rows: Sequence[Row], periods: Sequence[str], measure: Measure) -> tuple[LinePoint, ...]:
    """A total of a part of a period says nothing beside whole ones, nor a rate of a few of a group: gaps both."""
    of = {row["period"]: row for row in rows if (row["complete"] if row["low"] is None else (row["n"] or 0) >= FEW)}
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
