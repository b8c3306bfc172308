"""Time-outs of purchase journeys as charts: whom each would cut off, and what becomes of journeys under it."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.analyses.plots_telling import joined, note, rows_of, subtitle
from percorso.analyses.result import Result
from percorso.charts.chart import Chart
from percorso.charts.columns import Columns, Series, draw_columns
from percorso.charts.lines import Line, LinePoint, Lines, draw_lines
from percorso.charts.theme import ACCENT, BAD, QUIET, SERIES
from percorso.language.measures import COUNT, SHARE
from percorso.language.words import Words, capital

__all__ = ["plot_cut_off", "plot_timeout_outcomes"]


def plot_cut_off(result: Result, words: Words) -> Chart:
    """Which share of the buyers each time-out cuts off from what they did before; the recommended one is marked."""
    rows = [row for row in rows_of(result, "timeouts") if row["share"] is not None]
    last = float(len(rows) - 1)
    allowed = result.spec.at_most
    lines = [
        Line(
            points=tuple(
                LinePoint(x=float(at), value=row["share"], low=row["low"], high=row["high"], n=row["cut_off"])
                for at, row in enumerate(rows)
            ),
            name=words.text("plots.cut_off"),
            colour=ACCENT,
        )
    ]
    if rows:
        limit = words.text("plots.at_most", share=words.numbers.share(allowed))
        ends = (LinePoint(x=0.0, value=allowed), LinePoint(x=last, value=allowed))[: len(rows)]
        lines.append(Line(points=ends, name=limit, colour=QUIET, dashed=True))
    lines += [
        Line(
            points=(LinePoint(x=float(at), value=row["share"], low=row["low"], high=row["high"], n=row["cut_off"]),),
            name=words.text("plots.recommended", n=row["timeout_days"]),
            colour=BAD,
        )
        for at, row in enumerate(rows)
        if row["recommended"]
    ]
    drawn = Lines(
        title=_title(result, words),
        subtitle=subtitle(result, words.text("plots.cut_off_share"), words),
        note=joined([_now(result, words), note(result, result.totals["converted"], words)]),
        lines=tuple(lines) if rows else (),
        measure=SHARE,
        labels=tuple((float(at), words.numbers.count(row["timeout_days"])) for at, row in enumerate(rows)),
        x_title=words.text("plots.days_of_silence"),
    )
    return draw_lines(drawn, words)


def _title(result: Result, words: Words) -> str:
    days = result.totals["recommended_days"]
    if days is None or result.totals["converted"] < FEW:
        return words.text("plots.timeouts")
    return words.text("plots.timeouts_best", n=days)


def _now(result: Result, words: Words) -> str:
    days = result.totals["current_days"]
    return words.text("plots.timeout_now", days=words.numbers.decimal(days, 0 if float(days).is_integer() else 1))


def plot_timeout_outcomes(result: Result, words: Words) -> Chart:
    """How journeys would end under each time-out."""
    rows = [row for row in rows_of(result, "timeouts") if row["journeys"]]
    colours = {"converted": ACCENT, "open": QUIET, "abandoned": SERIES[1]}
    drawn = Columns(
        title=words.text("plots.timeout_outcomes"),
        subtitle=subtitle(result, words.text("plots.timeout_counts"), words),
        note=joined([_now(result, words), note(result, result.totals["converted"], words)]),
        categories=tuple(words.numbers.count(row["timeout_days"]) for row in rows),
        series=tuple(
            Series(capital(words.name("outcome", key)), tuple(row[key] for row in rows), colour)
            for key, colour in colours.items()
        ),
        measure=COUNT,
        stacked=True,
    )
    return draw_columns(drawn, words)
