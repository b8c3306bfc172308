"""Journeys as charts: how they end, how long they are, how fast they convert."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.analyses.journeys import JourneysSpec
from percorso.analyses.outcomes import OUTCOMES
from percorso.analyses.plots_contacts import MOST, left_out
from percorso.analyses.plots_telling import (
    Row,
    field_name,
    joined,
    name_of,
    note,
    refuse_groups,
    rows_of,
    subtitle,
    unit,
)
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.chart import Chart
from percorso.charts.columns import Columns, Series, draw_columns
from percorso.charts.dots import Dot, Dots, draw_dots
from percorso.charts.lines import Line, LinePoint, Lines, draw_lines
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


def _outcome(key: str, words: Words) -> str:
    return capital(words.name("outcome", key))


def plot_outcomes(result: Result, words: Words) -> Chart:
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
    shown = [row for row in rows if row["kind"] in kinds and row["share"] is not None]
    drawn = Bars(
        title=words.text("plots.outcomes"),
        subtitle=subtitle(result, words.text("plots.share_of_journeys"), words),
        note=note(result, min((_all(rows, kind) for kind in kinds), default=0), words),
        bars=tuple(
            Bar(
                name=f"{names[row['kind']]}: {words.name('outcome', row['outcome'])}",
                value=row["share"],
                low=row["low"],
                high=row["high"],
                note=words.text("charts.n", n=row["journeys"]),
                colour=_COLOURS.get(row["outcome"], QUIET),
            )
            for row in shown
        ),
        measure=SHARE,
    )
    return draw_bars(drawn, words)


def _all(rows: list[Row], kind: str) -> int:
    return sum(row["journeys"] for row in rows if row["kind"] == kind)


def _largest(result: Result, by: str, most: int) -> tuple[list[Row], int]:
    """Rows of the conversion for the values with most journeys, and how many values there are."""
    rows = [row for row in rows_of(result, "conversion") if row["opened"]]
    rows.sort(key=lambda row: (-row["opened"], row[by]))
    return rows[:most], len(rows)


def _outcomes_by(result: Result, by: str, words: Words) -> Chart:
    rows, n_values = _largest(result, by, _MOST_COLUMNS)
    columns = {"converted": "converted_share", "open": "open_share", "abandoned": "abandoned_share"}
    drawn = Columns(
        title=words.text("plots.outcomes_by", field=field_name(by, words)),
        subtitle=subtitle(result, words.text("plots.share_of_purchase"), words),
        note=joined([left_out(n_values, words, _MOST_COLUMNS), note(result, FEW, words)]),
        categories=tuple(name_of(by, row[by], words) for row in rows),
        series=tuple(
            Series(_outcome(key, words), tuple(row[column] for row in rows), _COLOURS.get(key, QUIET))
            for key, column in columns.items()
        ),
        measure=SHARE,
        stacked=True,
    )
    return draw_columns(drawn, words)


def plot_conversion_by(result: Result, words: Words) -> Chart:
    """Conversion of purchase journeys, by the values of the break-down: the best first."""
    by = result.spec.by
    rows = [row for row in rows_of(result, "conversion") if row["conversion"] is not None and row["opened"]]
    told = [row for row in rows if row["opened"] >= FEW] if by else rows
    few = [name_of(by, row[by], words) for row in rows if row["opened"] < FEW] if by else []
    told.sort(key=lambda row: -row["conversion"])
    title = words.text("plots.conversion_by", field=field_name(by, words)) if by else words.text("plots.conversion_all")
    drawn = Dots(
        title=title,
        subtitle=subtitle(result, words.text("plots.conversion_closed"), words),
        note=joined(
            [
                left_out(len(told), words),
                words.text("plots.too_few_journeys", few=FEW, names=", ".join(few)) if few else "",
                note(result, FEW if by else sum(row["opened"] for row in rows), words),
            ]
        ),
        dots=tuple(
            Dot(
                name=name_of(by, row[by], words) if by else words.text("plots.all_journeys"),
                value=row["conversion"],
                low=row["low"],
                high=row["high"],
                n=row["opened"],
            )
            for row in told[:MOST]
        ),
        measure=SHARE,
        zero=True,
        name_head=capital(field_name(by, words)) if by else "",
    )
    return draw_dots(drawn, words)


def plot_curve(result: Result, words: Words) -> Chart:
    """How many have converted by when; with a break-down a line for each of the largest values."""
    by = result.spec.by
    rows = [row for row in rows_of(result, "curve") if row["conversion"] is not None]
    spans = sorted({row["within_s"] for row in rows})
    values, n_values = [None], 1
    if by:
        largest, n_values = _largest(result, by, _MOST_LINES)
        values = [row[by] for row in largest]
    drawn = Lines(
        title=words.text("plots.curve"),
        subtitle=subtitle(result, words.text("plots.curve_share"), words),
        note=joined([left_out(n_values, words, _MOST_LINES), note(result, FEW, words)]),
        lines=tuple(
            Line(
                name=name_of(by, value, words) if by else "",
                points=tuple(
                    LinePoint(
                        x=float(spans.index(row["within_s"])),
                        value=row["conversion"],
                        low=row["low"],
                        high=row["high"],
                        n=row["at_risk"],
                    )
                    for row in rows
                    if not by or row[by] == value
                ),
            )
            for value in values
        ),
        measure=SHARE,
        labels=tuple((float(at), words.numbers.duration(span)) for at, span in enumerate(spans)),
        x_title=words.text("plots.since_first_contact"),
    )
    return draw_lines(drawn, words)


def plot_time_to_convert(result: Result, words: Words) -> Chart:
    """How long journeys took that converted."""
    refuse_groups(result.spec.by)
    rows = [row for row in rows_of(result, "histogram") if row["measure"] == "time_to_convert_s"]
    times = rows_of(result, "times")
    n = sum(row["journeys"] for row in rows)
    drawn = Columns(
        title=words.text("plots.time_to_convert"),
        subtitle=subtitle(result, words.text("plots.journeys_with_order"), words),
        note=note(result, n, words),
        description=_median_said(times, words),
        categories=tuple(_span(row, words) for row in rows),
        series=(Series(unit("journeys", words), tuple(row["journeys"] for row in rows)),) if rows else (),
        measure=COUNT,
    )
    return draw_columns(drawn, words)


def _median_said(times: list[Row], words: Words) -> str:
    if not times or times[0]["median_s"] is None or times[0]["p90_s"] is None:
        return ""
    median, most = times[0]["median_s"], times[0]["p90_s"]
    return words.text("plots.half_within", median=words.numbers.duration(median), most=words.numbers.duration(most))


def _span(row: Row, words: Words) -> str:
    if row["to"] is None:
        return f"> {words.numbers.duration(row['from'])}"
    return f"< {words.numbers.duration(row['to'])}"


def plot_lengths(result: Result, words: Words) -> Chart:
    """How many contacts journeys have, those with an order beside the abandoned ones."""
    refuse_groups(result.spec.by)
    rows = [row for row in rows_of(result, "histogram") if row["measure"] == "contacts" and row["outcome"] in OUTCOMES]
    bins = sorted({(row["from"], row["to"]) for row in rows}, key=lambda ends: ends[0])
    count = {(row["outcome"], row["from"]): row["journeys"] for row in rows}
    drawn = Columns(
        title=words.text("plots.lengths"),
        subtitle=subtitle(result, words.text("plots.lengths_share"), words),
        note=note(result, FEW, words),
        categories=tuple(_bin(ends, words) for ends in bins),
        series=tuple(
            _share_series(outcome, [count.get((outcome, start), 0) for start, _ in bins], words)
            for outcome in ("converted", "abandoned")
            if any(key[0] == outcome for key in count)
        ),
        measure=SHARE,
    )
    return draw_columns(drawn, words)


def _share_series(outcome: str, counts: list[int], words: Words) -> Series:
    total = sum(counts)
    shares = tuple(count / total for count in counts)
    name = f"{_outcome(outcome, words)} ({words.text('charts.n', n=total)})"
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
