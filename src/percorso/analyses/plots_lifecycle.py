"""Lifecycle as charts: who is new, comes back and falls silent; churn; relationships, and from when one is lost."""

from __future__ import annotations

from collections.abc import Sequence

from percorso.analyses.plots_telling import (
    MOST,
    Row,
    few,
    joined,
    left_out,
    line_points,
    name_of,
    partial,
    period_name,
    rows_of,
    unit,
)
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars
from percorso.charts.columns import Columns, Series
from percorso.charts.lines import Line, Lines
from percorso.charts.theme import ACCENT, QUIET, SERIES
from percorso.language.measures import COUNT, DURATION, SHARE
from percorso.language.words import Words

__all__ = ["plot_balance", "plot_churn", "plot_limits", "plot_relationships", "plot_states", "plot_stickiness"]

_DAY_S = 86_400
_PROSPECT = "prospect"
_NEW, _RETURNING, _BACK, _SILENT = ACCENT, SERIES[4], SERIES[1], QUIET
_COLOURS = {"at_risk": SERIES[1], "lost": QUIET}


def plot_states(result: Result, words: Words) -> Columns:
    """Active persons of each period: new, active before too, or back after a pause."""
    rows = rows_of(result, "intervals")
    series = (
        Series(words.text("plots.state_returning"), tuple(row["returning"] for row in rows), _RETURNING),
        Series(words.text("plots.state_resurrecting"), tuple(row["resurrecting"] for row in rows), _BACK),
        Series(words.text("plots.state_new"), tuple(row["new"] for row in rows), _NEW),
    )
    return _persons(words.text("plots.states"), rows, series, result, words, stacked=True)


def plot_balance(result: Result, words: Words) -> Columns:
    """Who came, new or back, beside who fell silent since the period before."""
    rows = rows_of(result, "intervals")
    series = (
        Series(words.text("plots.came"), tuple(row["new"] + row["resurrecting"] for row in rows), _NEW),
        Series(words.text("plots.fell_silent"), tuple(row["dormant"] for row in rows), _SILENT),
    )
    return _persons(words.text("plots.balance"), rows, series, result, words)


def _persons(
    title: str, rows: Sequence[Row], series: tuple[Series, ...], result: Result, words: Words, *, stacked: bool = False
) -> Columns:
    """Persons by period."""
    return Columns(
        title=title,
        subtitle=unit("persons", words),
        note=joined([partial(rows, "interval", result, words), few(result, result.totals["persons"], words)]),
        categories=tuple(period_name(row["interval"], words) for row in rows),
        series=series,
        measure=COUNT,
        stacked=stacked,
    )


def plot_relationships(result: Result, words: Words) -> Bars:
    """How customers stand to the brand; how many have not bought is said below, since they would dwarf the others."""
    rows = [row for row in rows_of(result, "relationships") if row["relationship"] != _PROSPECT]
    prospects = sum(row["persons"] for row in rows_of(result, "relationships") if row["relationship"] == _PROSPECT)
    total = sum(row["persons"] for row in rows)
    return Bars(
        title=words.text("plots.relationships"),
        subtitle=words.text("plots.customers"),
        note=joined(
            [
                words.text("plots.prospects", n=prospects) if prospects else "",
                _limits_said(result, words),
                few(result, total, words),
            ]
        ),
        bars=tuple(
            Bar(
                name=name_of("relationship", row["relationship"], words),
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


def _limits_said(result: Result, words: Words) -> str:
    """After how many days one is at risk, and lost."""
    rows = [row for row in rows_of(result, "limits") if not row["category"] and row["lost_days"] is not None]
    if not rows:
        return words.text("plots.no_limits")
    return words.text("plots.limits_said", risk=str(rows[0]["at_risk_days"]), lost=str(rows[0]["lost_days"]))


def plot_churn(result: Result, words: Words) -> Lines:
    """Which share of the customers was lost in each period; below it, after how many days one counts as lost."""
    rows = rows_of(result, "intervals")
    points = line_points(((float(at), row) for at, row in enumerate(rows)), share="churn", n="customers")
    return Lines(
        title=words.text("plots.churn"),
        subtitle=words.text("plots.churn_share"),
        note=joined([_limits_said(result, words), partial(rows, "interval", result, words)]),
        lines=(Line(points=points),),
        measure=SHARE,
        labels=tuple((float(at), period_name(row["interval"], words)) for at, row in enumerate(rows)),
    )


def plot_limits(result: Result, words: Words) -> Bars:
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
    return Bars(
        title=words.text("plots.limits"),
        subtitle=words.text("plots.limits_lost"),
        note=joined([left_out(len(rows), words, MOST + 1), words.text("plots.limits_note")]),
        bars=bars,
        measure=DURATION,
        reference_name=words.text("plots.risk_from"),
        name_head=words.text("plots.category"),
    )


def plot_stickiness(result: Result, words: Words) -> Columns:
    """In how many periods persons were active."""
    rows = rows_of(result, "stickiness")
    return Columns(
        title=words.text("plots.stickiness"),
        subtitle=words.text("plots.stickiness_share"),
        note=few(result, sum(row["persons"] for row in rows), words),
        categories=tuple(words.numbers.count(row["intervals"]) for row in rows),
        series=(Series(words.name("column", "share"), tuple(row["at_least"] for row in rows)),) if rows else (),
        measure=SHARE,
    )
