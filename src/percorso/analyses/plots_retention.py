"""Retention as charts: cohorts on colour, their average, and how many buy again by when."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from percorso.analyses.plots_telling import (
    Row,
    few,
    joined,
    left_out,
    line_points,
    name_of,
    period_name,
    refuse_groups,
    rows_of,
)
from percorso.analyses.result import Result
from percorso.analyses.retention_plan import RetentionSpec
from percorso.charts.heat import HeatRow, HeatTable
from percorso.charts.lines import Line, LinePoint, Lines
from percorso.errors import SpecError
from percorso.language.measures import SHARE
from percorso.language.words import Words

__all__ = ["plot_average", "plot_cohorts", "plot_repeat"]

_MOST_ROWS, _MOST_LINES = 36, 4


def _after(spec: RetentionSpec, words: Words) -> str:
    """What the numbers along the axis are."""
    told = {
        "day": words.text("plots.days_after"),
        "week": words.text("plots.weeks_after"),
        "month": words.text("plots.months_after"),
    }
    return told[spec.unit]


def _what(spec: RetentionSpec, words: Words) -> str:
    """What share is told: of customers who order again, else of persons who come back."""
    return words.text("plots.order_again") if spec.is_of_orders else words.text("plots.come_back")


def plot_cohorts(result: Result, words: Words) -> HeatTable:
    """A row for each cohort, a column for each period after; what is not over is blank, what is missing hatched."""
    spec: RetentionSpec = result.spec
    refuse_groups(spec.scope.by)
    cohorts: dict[str, list[Row]] = {}
    for row in rows_of(result, "cohorts"):
        cohorts.setdefault(row["cohort"], []).append(row)
    shown = list(cohorts.items())[-_MOST_ROWS:]
    most = max((sum(bool(row["complete"]) for row in each) for _, each in shown), default=0)
    return HeatTable(
        title=words.text("plots.cohorts_orders") if spec.is_of_orders else words.text("plots.cohorts"),
        subtitle=_what(spec, words),
        note=joined([words.text("plots.cohorts_note"), left_out(len(cohorts), words, _MOST_ROWS)]),
        rows=tuple(
            HeatRow(period_name(cohort, words), tuple(row["share"] for row in each if row["complete"]), each[0]["size"])
            for cohort, each in shown
        ),
        columns=tuple(words.numbers.count(k) for k in range(most)),
        measure=SHARE,
        row_head=words.text("plots.first_order_in") if spec.is_of_orders else words.text("plots.started_in"),
        column_head=_after(spec, words),
        n_head=words.name("unit", "persons"),
    )


def _largest(rows: list[Row], by: str) -> list[str]:
    """Values of the break-down, those with most persons first."""
    size: dict[str, int] = {}
    for row in rows:
        size[row[by]] = max(size.get(row[by], 0), row["size"] or 0)
    return sorted(size, key=lambda value: (-size[value], value))


def _lines(
    rows: list[Row], by: str, words: Words, points: Callable[[Sequence[Row]], tuple[LinePoint, ...]]
) -> tuple[tuple[Line, ...], str]:
    """A line, or with a break-down one for each of the largest values; and how many of these are not shown."""
    if not by:
        return (Line(points=points(rows)),), ""
    values = _largest(rows, by)
    lines = tuple(
        Line(name=name_of(by, value, words), points=points([row for row in rows if row[by] == value]))
        for value in values[:_MOST_LINES]
    )
    return lines, left_out(len(values), words, _MOST_LINES)


def plot_average(result: Result, words: Words) -> Lines:
    """All cohorts together, period by period; with a break-down a line for each of the largest values."""
    spec: RetentionSpec = result.spec
    rows = [row for row in rows_of(result, "average") if row["size"]]
    lines, note = _lines(rows, spec.scope.by, words, lambda mine: _points(mine, "k", "share"))
    return Lines(
        title=words.text("plots.average"),
        subtitle=f"{_what(spec, words)}, {words.text('plots.all_cohorts')}",
        note=note,
        lines=lines,
        measure=SHARE,
        labels=tuple((float(k), words.numbers.count(k)) for k in sorted({row["k"] for row in rows})),
        x_title=_after(spec, words),
    )


def plot_repeat(result: Result, words: Words) -> Lines:
    """How many have ordered again by 90, 180 and 365 days; with a break-down a line for each of the largest values."""
    if not result.spec.is_of_orders:
        raise SpecError("This retention is no repeat purchase.", hint="Ask the retention of orders, not recurring.")
    rows = [row for row in rows_of(result, "repeat") if not row["cohort"]]
    lines, more = _lines(rows, result.spec.scope.by, words, _from_zero)
    n = max((row["size"] for row in rows), default=0)
    return Lines(
        title=words.text("plots.repeat"),
        subtitle=words.text("plots.repeat_share"),
        note=joined([words.text("plots.repeat_note"), more, few(result, n, words)]),
        lines=tuple(line for line in lines if len(line.points) > 1),
        measure=SHARE,
        labels=tuple(
            (float(day), words.text("plots.n_days", n=day))
            for day in (0, *sorted({row["within_days"] for row in rows}))
        ),
        x_title=words.text("plots.since_first_order"),
    )


def _from_zero(rows: Sequence[Row]) -> tuple[LinePoint, ...]:
    """On the day of the first order nobody has ordered again; what cannot be told yet is left out."""
    told = [row for row in rows if row["rate"] is not None]
    return (LinePoint(x=0.0, value=0.0, low=0.0, high=0.0), *_points(told, "within_days", "rate"))


def _points(rows: Sequence[Row], at: str, share: str) -> tuple[LinePoint, ...]:
    return line_points(((float(row[at]), row) for row in rows), share=share, n="size")
