"""Time-outs of purchase journeys as charts: whom each would cut off, and what becomes of journeys under it."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.analyses.plots_telling import few, joined, line_points, name_of, rows_of
from percorso.analyses.result import Result
from percorso.charts.columns import Columns, Series
from percorso.charts.lines import Line, LinePoint, Lines
from percorso.charts.theme import ACCENT, BAD, QUIET, SERIES
from percorso.language.measures import COUNT, SHARE
from percorso.language.words import Words

__all__ = ["plot_cut_off", "plot_timeout_outcomes"]


def plot_cut_off(result: Result, words: Words) -> Lines:
    """Which share of the conversions each time-out cuts off from what came before; the recommended one is marked."""
    rows = [row for row in rows_of(result, "timeouts") if row["share"] is not None]
    placed = [(float(at), row) for at, row in enumerate(rows)]
    allowed = result.spec.at_most
    lines = [
        Line(
            points=line_points(placed, share="share", n="cut_off"),
            name=words.text("plots.cut_off"),
            colour=ACCENT,
        )
    ]
    if rows:
        limit = words.text("plots.at_most", share=words.numbers.share(allowed))
        ends = (LinePoint(x=0.0, value=allowed), LinePoint(x=placed[-1][0], value=allowed))[: len(rows)]
        lines.append(Line(points=ends, name=limit, colour=QUIET, dashed=True))
    lines += [
        Line(
            points=line_points([(x, row)], share="share", n="cut_off"),
            name=words.text("plots.recommended", n=row["timeout_days"]),
            colour=BAD,
        )
        for x, row in placed
        if row["recommended"]
    ]
    return Lines(
        title=_title(result, words),
        subtitle=words.text("plots.cut_off_share"),
        note=joined([_now(result, words), few(result, result.totals["converted"], words)]),
        lines=tuple(lines) if rows else (),
        measure=SHARE,
        labels=tuple((float(at), words.numbers.count(row["timeout_days"])) for at, row in enumerate(rows)),
        x_title=words.text("plots.days_of_silence"),
    )


def _title(result: Result, words: Words) -> str:
    days = result.totals["recommended_days"]
    if days is None or result.totals["converted"] < FEW:
        return words.text("plots.timeouts")
    return words.text("plots.timeouts_best", n=days)


def _now(result: Result, words: Words) -> str:
    days = result.totals["current_days"]
    return words.text("plots.timeout_now", days=words.numbers.decimal(days, 0 if float(days).is_integer() else 1))


def plot_timeout_outcomes(result: Result, words: Words) -> Columns:
    """How journeys would end under each time-out."""
    rows = [row for row in rows_of(result, "timeouts") if row["journeys"]]
    colours = {"converted": ACCENT, "open": QUIET, "abandoned": SERIES[1]}
    return Columns(
        title=words.text("plots.timeout_outcomes"),
        subtitle=words.text("plots.timeout_counts"),
        note=joined([_now(result, words), few(result, result.totals["converted"], words)]),
        categories=tuple(words.numbers.count(row["timeout_days"]) for row in rows),
        series=tuple(
            Series(name_of("outcome", key, words), tuple(row[key] for row in rows), colour)
            for key, colour in colours.items()
        ),
        measure=COUNT,
        stacked=True,
    )
