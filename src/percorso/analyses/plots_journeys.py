"""Journeys as charts: how they end, how long they are, how fast they convert."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.analyses.journeys import JourneysSpec
from percorso.analyses.outcomes import OUTCOMES
from percorso.analyses.plots_telling import (
    MOST,
    Row,
    few,
    field_name,
    joined,
    left_out,
    line_points,
    name_of,
    refuse_groups,
    rows_of,
    share_bar,
    share_dot,
    too_few,
    unit,
)
from percorso.analyses.result import Result
from percorso.charts.bars import Bars
from percorso.charts.columns import Columns, Series
from percorso.charts.dots import Dots
from percorso.charts.lines import Line, Lines
from percorso.charts.theme import ACCENT, QUIET, SERIES
from percorso.language.measures import COUNT, SHARE
from percorso.language.words import Words, capital

__all__ = [
    "plot_conversion_by",
    "plot_curve",
    "plot_lengths",
    "plot_outcomes",
    "plot_time_to_convert",
]

_MOST_COLUMNS, _MOST_LINES = 7, 4

#: Colours of outcomes: what was hoped for, what was not, and what is not over.
_COLOURS = {"converted": ACCENT, "kept": ACCENT, "abandoned": SERIES[1], "returned": SERIES[1], "cancelled": SERIES[3]}


def plot_outcomes(result: Result, words: Words) -> Bars | Columns:
    """How journeys end; with a break-down of purchase journeys, a column for each value."""
    spec: JourneysSpec = result.spec
    if spec.by:
        return _outcomes_by(result, spec.by, words)
    rows = result.table.to_pylist()
    kinds = {row["kind"] for row in rows if row["journeys"]}
    names = {
        "purchase": words.text("plots.purchase_journey"),
        "order": words.text("plots.order_journey"),
    }
    shown = [
        (f"{names[row['kind']]}: {words.name('outcome', row['outcome'])}", row)
        if len(kinds) > 1
        else (name_of("outcome", row["outcome"], words), row)
        for row in rows
        if row["kind"] in kinds and row["share"] is not None
    ]
    return Bars(
        title=words.text("plots.outcomes"),
        subtitle=words.text("plots.share_of_journeys"),
        note=few(result, min((_all(rows, kind) for kind in kinds), default=0), words),
        bars=tuple(
            share_bar(name, row, words.text("charts.n", n=row["journeys"]), colour=_COLOURS.get(row["outcome"], QUIET))
            for name, row in shown
        ),
        measure=SHARE,
    )


def _all(rows: list[Row], kind: str) -> int:
    return sum(row["journeys"] for row in rows if row["kind"] == kind)


def _largest(result: Result, by: str, most: int) -> tuple[list[Row], int]:
    """Rows of the conversion for the values with most journeys, and how many values there are."""
    rows = [row for row in rows_of(result, "conversion") if row["opened"]]
    rows.sort(key=lambda row: (-row["opened"], row[by]))
    return rows[:most], len(rows)


def _outcomes_by(result: Result, by: str, words: Words) -> Columns:
    rows, n_values = _largest(result, by, _MOST_COLUMNS)
    columns = {"converted": "converted_share", "open": "open_share", "abandoned": "abandoned_share"}
    return Columns(
        title=words.text("plots.outcomes_by", field=field_name(by, words)),
        subtitle=words.text("plots.share_of_purchase"),
        note=left_out(n_values, words, _MOST_COLUMNS),
        categories=tuple(name_of(by, row[by], words) for row in rows),
        series=tuple(
            Series(name_of("outcome", key, words), tuple(row[column] for row in rows), _COLOURS.get(key, QUIET))
            for key, column in columns.items()
        ),
        measure=SHARE,
        stacked=True,
    )


def plot_conversion_by(result: Result, words: Words) -> Dots:
    """Conversion of purchase journeys, by the values of the break-down: the best first."""
    by = result.spec.by
    rows = [row for row in rows_of(result, "conversion") if row["conversion"] is not None and row["opened"]]
    told = [row for row in rows if row["opened"] >= FEW] if by else rows
    lacking = [name_of(by, row[by], words) for row in rows if row["opened"] < FEW] if by else []
    told.sort(key=lambda row: -row["conversion"])
    title = words.text("plots.conversion_by", field=field_name(by, words)) if by else words.text("plots.conversion_all")
    names = [name_of(by, row[by], words) if by else words.text("plots.all_journeys") for row in told[:MOST]]
    n = FEW if by else sum(row["opened"] for row in rows)
    return Dots(
        title=title,
        subtitle=words.text("plots.conversion_closed"),
        note=joined([left_out(len(told), words), too_few(lacking, words), few(result, n, words)]),
        dots=tuple(
            share_dot(name, row, row["opened"], share="conversion") for name, row in zip(names, told, strict=False)
        ),
        measure=SHARE,
        zero=True,
        name_head=capital(field_name(by, words)) if by else "",
    )


def plot_curve(result: Result, words: Words) -> Lines:
    """How many have converted by when; with a break-down a line for each of the largest values."""
    by = result.spec.by
    rows = [row for row in rows_of(result, "curve") if row["conversion"] is not None]
    spans = sorted({row["within_s"] for row in rows})
    values, n_values = [None], 1
    if by:
        largest, n_values = _largest(result, by, _MOST_LINES)
        values = [row[by] for row in largest]
    placed = [(float(spans.index(row["within_s"])), row) for row in rows]
    return Lines(
        title=words.text("plots.curve"),
        subtitle=words.text("plots.curve_share"),
        note=left_out(n_values, words, _MOST_LINES),
        lines=tuple(
            Line(
                name=name_of(by, value, words) if by else "",
                points=line_points(
                    ((x, row) for x, row in placed if not by or row[by] == value), share="conversion", n="at_risk"
                ),
            )
            for value in values
        ),
        measure=SHARE,
        labels=tuple((float(at), words.numbers.duration(span)) for at, span in enumerate(spans)),
        x_title=words.text("plots.since_first_contact"),
    )


def plot_time_to_convert(result: Result, words: Words) -> Columns:
    """How long journeys took that converted."""
    refuse_groups(result.spec.by)
    rows = [row for row in rows_of(result, "histogram") if row["measure"] == "time_to_convert_s"]
    times = rows_of(result, "times")
    n = sum(row["journeys"] for row in rows)
    return Columns(
        title=words.text("plots.time_to_convert"),
        subtitle=words.text("plots.journeys_with_order"),
        note=few(result, n, words),
        description=_median_said(times, words),
        categories=tuple(_span(row, words) for row in rows),
        series=(Series(unit("journeys", words), tuple(row["journeys"] for row in rows)),) if rows else (),
        measure=COUNT,
    )


def _median_said(times: list[Row], words: Words) -> str:
    if not times or times[0]["median_s"] is None or times[0]["p90_s"] is None:
        return ""
    median, most = times[0]["median_s"], times[0]["p90_s"]
    return words.text("plots.half_within", median=words.numbers.duration(median), most=words.numbers.duration(most))


def _span(row: Row, words: Words) -> str:
    if row["to"] is None:
        return f"> {words.numbers.duration(row['from'])}"
    return f"< {words.numbers.duration(row['to'])}"


def plot_lengths(result: Result, words: Words) -> Columns:
    """How many contacts journeys have, those with an order beside the abandoned ones."""
    refuse_groups(result.spec.by)
    rows = [row for row in rows_of(result, "histogram") if row["measure"] == "contacts" and row["outcome"] in OUTCOMES]
    bins = sorted({(row["from"], row["to"]) for row in rows}, key=lambda ends: ends[0])
    count = {(row["outcome"], row["from"]): row["journeys"] for row in rows}
    return Columns(
        title=words.text("plots.lengths"),
        subtitle=words.text("plots.lengths_share"),
        categories=tuple(_bin(ends, words) for ends in bins),
        series=tuple(
            _share_series(outcome, [count.get((outcome, start), 0) for start, _ in bins], words)
            for outcome in ("converted", "abandoned")
            if any(key[0] == outcome for key in count)
        ),
        measure=SHARE,
    )


def _share_series(outcome: str, counts: list[int], words: Words) -> Series:
    total = sum(counts)
    shares = tuple(count / total for count in counts)
    name = f"{name_of('outcome', outcome, words)} ({words.text('charts.n', n=total)})"
    return Series(name, shares, _COLOURS[outcome])


def _bin(ends: tuple[int, int | None], words: Words) -> str:
    """Contacts from one number to before another: "6–10"."""
    start, end = ends
    if end is None:
        return f"≥ {words.numbers.count(start)}"
    return (
        words.numbers.count(start)
        if end == start + 1
        else f"{words.numbers.count(start)}–{words.numbers.count(end - 1)}"
    )
