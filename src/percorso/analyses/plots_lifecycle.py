"""Lifecycle as charts: who is new, comes back and falls silent; churn; relationships, and from when one is lost."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.analyses.plots_contacts import MOST, left_out
from percorso.analyses.plots_telling import Row, joined, name_of, note, period_name, rows_of, subtitle, unit
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.chart import Chart
from percorso.charts.columns import Columns, Series, draw_columns
from percorso.charts.lines import Line, LinePoint, Lines, draw_lines
from percorso.charts.theme import ACCENT, QUIET, SERIES
from percorso.language.measures import COUNT, DURATION, SHARE
from percorso.language.words import Words, capital

__all__ = ["plot_balance", "plot_churn", "plot_limits", "plot_relationships", "plot_states", "plot_stickiness"]

_DAY_S = 86_400
_PROSPECT = "prospect"
_NEW, _RETURNING, _BACK, _SILENT = ACCENT, SERIES[4], SERIES[1], QUIET
_COLOURS = {"at_risk": SERIES[1], "lost": QUIET}


def _partial(rows: list[Row], words: Words) -> str:
    """Which periods are not over."""
    names = ", ".join(period_name(row["interval"], words) for row in rows if not row["complete"])
    return words.text("plots.partial", names=names) if names else ""


def plot_states(result: Result, words: Words) -> Chart:
    """Active persons of each period: new, active before too, or back after a pause."""
    rows = rows_of(result, "intervals")
    series = (
        Series(words.text("plots.state_returning"), tuple(row["returning"] for row in rows), _RETURNING),
        Series(words.text("plots.state_resurrecting"), tuple(row["resurrecting"] for row in rows), _BACK),
        Series(words.text("plots.state_new"), tuple(row["new"] for row in rows), _NEW),
    )
    drawn = Columns(
        title=words.text("plots.states"),
        subtitle=subtitle(result, unit("persons", words), words),
        note=joined([_partial(rows, words), note(result, result.totals["persons"], words)]),
        categories=tuple(period_name(row["interval"], words) for row in rows),
        series=series,
        measure=COUNT,
        stacked=True,
    )
    return draw_columns(drawn, words)


def plot_balance(result: Result, words: Words) -> Chart:
    """Who came, new or back, beside who fell silent since the period before."""
    rows = rows_of(result, "intervals")
    drawn = Columns(
        title=words.text("plots.balance"),
        subtitle=subtitle(result, unit("persons", words), words),
        note=joined([_partial(rows, words), note(result, result.totals["persons"], words)]),
        categories=tuple(period_name(row["interval"], words) for row in rows),
        series=(
            Series(words.text("plots.came"), tuple(row["new"] + row["resurrecting"] for row in rows), _NEW),
            Series(words.text("plots.fell_silent"), tuple(row["dormant"] for row in rows), _SILENT),
        ),
        measure=COUNT,
    )
    return draw_columns(drawn, words)


def plot_relationships(result: Result, words: Words) -> Chart:
    """How customers stand to the brand; how many have not bought is said below, since they would dwarf the others."""
    rows = [row for row in rows_of(result, "relationships") if row["relationship"] != _PROSPECT]
    prospects = sum(row["persons"] for row in rows_of(result, "relationships") if row["relationship"] == _PROSPECT)
    total = sum(row["persons"] for row in rows)
    drawn = Bars(
        title=words.text("plots.relationships"),
        subtitle=subtitle(result, words.text("plots.customers"), words),
        note=joined(
            [
                words.text("plots.prospects", n=prospects) if prospects else "",
                _limits_said(result, words),
                note(result, total, words),
            ]
        ),
        bars=tuple(
            Bar(
                name=capital(words.name("relationship", row["relationship"])),
                value=row["persons"],
                note=words.numbers.share(row["persons"] / total),
                colour=_COLOURS.get(row["relationship"], ACCENT),
            )
            for row in rows
        )
        if total
        else (),
        measure=COUNT,
        name_head=words.text("plots.relationship"),
    )
    return draw_bars(drawn, words)


def _limits_said(result: Result, words: Words) -> str:
    """After how many days one is at risk, and lost."""
    rows = [row for row in rows_of(result, "limits") if not row["category"] and row["lost_days"] is not None]
    if not rows:
        return words.text("plots.no_limits")
    return words.text("plots.limits_said", risk=str(rows[0]["at_risk_days"]), lost=str(rows[0]["lost_days"]))


def plot_churn(result: Result, words: Words) -> Chart:
    """Which share of the customers was lost in each period; below it, after how many days one counts as lost."""
    rows = rows_of(result, "intervals")
    points = tuple(
        LinePoint(x=float(at), value=row["churn"], low=row["low"], high=row["high"], n=row["customers"])
        for at, row in enumerate(rows)
    )
    drawn = Lines(
        title=words.text("plots.churn"),
        subtitle=subtitle(result, words.text("plots.churn_share"), words),
        note=joined([_limits_said(result, words), _partial(rows, words), note(result, FEW, words)]),
        lines=(Line(points=points),),
        measure=SHARE,
        labels=tuple((float(at), period_name(row["interval"], words)) for at, row in enumerate(rows)),
    )
    return draw_lines(drawn, words)


def plot_limits(result: Result, words: Words) -> Chart:
    """After how many days without an order a customer is at risk, and lost: of all goods, and by category."""
    rows = [
        row
        for row in rows_of(result, "limits")
        if not row["season"] and None not in (row["at_risk_days"], row["lost_days"])
    ]
    bars = tuple(
        Bar(
            name=name_of("category", row["category"], words) if row["category"] else words.text("plots.all_goods"),
            value=row["lost_days"] * _DAY_S,
            reference=row["at_risk_days"] * _DAY_S,
            note=words.text("plots.risk_after", time=words.numbers.duration(row["at_risk_days"] * _DAY_S)),
            colour=ACCENT if row["category"] else SERIES[1],
        )
        for row in rows[: MOST + 1]
    )
    drawn = Bars(
        title=words.text("plots.limits"),
        subtitle=subtitle(result, words.text("plots.limits_lost"), words),
        note=joined([left_out(len(rows), words, MOST + 1), words.text("plots.limits_note"), note(result, FEW, words)]),
        bars=bars,
        measure=DURATION,
        reference_name=words.text("plots.risk_from"),
        name_head=words.text("plots.category"),
    )
    return draw_bars(drawn, words)


def plot_stickiness(result: Result, words: Words) -> Chart:
    """In how many periods persons were active."""
    rows = rows_of(result, "stickiness")
    drawn = Columns(
        title=words.text("plots.stickiness"),
        subtitle=subtitle(result, words.text("plots.stickiness_share"), words),
        note=note(result, sum(row["persons"] for row in rows), words),
        categories=tuple(words.numbers.count(row["intervals"]) for row in rows),
        series=(Series(words.name("column", "share"), tuple(row["at_least"] for row in rows)),) if rows else (),
        measure=SHARE,
    )
    return draw_columns(drawn, words)
