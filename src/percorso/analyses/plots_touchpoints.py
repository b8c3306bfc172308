"""Touchpoints as charts: whom each reaches, at which stage, what follows, and where journeys end."""

from __future__ import annotations

from itertools import pairwise

from percorso.analyses.plots_contacts import conversion_dots, reach_bars
from percorso.analyses.plots_telling import (
    MOST,
    few,
    joined,
    left_out,
    name_of,
    rows_of,
    share_bar,
    stage_hue,
    unit,
    whole_rows,
)
from percorso.analyses.result import Result
from percorso.charts.bars import Bars
from percorso.charts.dots import Dots
from percorso.charts.heat import HeatRow, HeatTable
from percorso.language.measures import SHARE
from percorso.language.words import Words

__all__ = ["plot_touchpoint_conversion", "plot_touchpoint_exits", "plot_touchpoint_reach", "plot_touchpoint_stages"]


def plot_touchpoint_reach(result: Result, words: Words) -> Bars:
    """Whom each touchpoint reaches, in the colour of its stage."""
    title = words.text("plots.reach_touchpoint")
    return reach_bars(
        result,
        "touchpoint",
        title,
        words,
        lambda row: (stage_hue(row["stage"], words), name_of("stage", row["stage"], words)),
    )


def plot_touchpoint_conversion(result: Result, words: Words) -> Dots:
    """How the journeys convert that meet each touchpoint, but for those at which orders are made."""
    rows = [row for row in whole_rows(result) if not row["orders"]]
    title = words.text("plots.conversion_touchpoint")
    return conversion_dots(rows, "touchpoint", title, words, words.text("plots.without_orders"))


def plot_touchpoint_exits(result: Result, words: Words) -> Bars:
    """What abandoned journeys met last."""
    rows = sorted((row for row in whole_rows(result) if row["exits"]), key=lambda row: -row["exits"])
    bars = tuple(
        share_bar(
            name_of("touchpoint", row["touchpoint"], words),
            row,
            words.text("plots.n_journeys", n=row["exits"]),
            share="exit_share",
            colour=stage_hue(row["stage"], words),
        )
        for row in rows[:MOST]
    )
    return Bars(
        title=words.text("plots.exits_touchpoint"),
        subtitle=words.text("plots.share_of_abandoned"),
        note=joined([left_out(len(rows), words), few(result, result.totals["abandoned"], words)]),
        bars=bars,
        measure=SHARE,
        name_head=unit("touchpoint", words),
    )


def plot_touchpoint_stages(result: Result, words: Words) -> HeatTable:
    """At which stage customers are when they meet each touchpoint."""
    rows = sorted(whole_rows(result), key=lambda row: -row["persons"])
    shares: dict[str, dict[str, float]] = {}
    events: dict[str, int] = {}
    for row in rows_of(result, "stages"):
        shares.setdefault(row["touchpoint"], {})[row["stage"]] = row["share"]
        events[row["touchpoint"]] = events.get(row["touchpoint"], 0) + row["events"]
    stages = _in_order([list(each) for each in shares.values()])
    shown = [row["touchpoint"] for row in rows if row["touchpoint"] in shares]
    return HeatTable(
        title=words.text("plots.stages_touchpoint"),
        subtitle=words.text("plots.share_of_events"),
        note=left_out(len(shown), words),
        rows=tuple(
            HeatRow(
                name_of("touchpoint", key, words), tuple(shares[key].get(stage, 0.0) for stage in stages), events[key]
            )
            for key in shown[:MOST]
        ),
        columns=tuple(name_of("stage", stage, words) for stage in stages),
        measure=SHARE,
        row_head=unit("touchpoint", words),
        n_head=words.name("unit", "events"),
        most=1.0,
    )


def _in_order(chains: list[list[str]]) -> list[str]:
    """All stages in the order of the model, of which each chain has some in that order: by the longest way to each.

    Examples
    --------
    >>> _in_order([["conversion", "retention"], ["awareness", "conversion"], ["awareness"]])
    ['awareness', 'conversion', 'retention']
    """
    rank = {stage: 0 for chain in chains for stage in chain}
    for _ in rank:
        for chain in chains:
            for before, after in pairwise(chain):
                rank[after] = max(rank[after], rank[before] + 1)
    return sorted(rank, key=lambda stage: rank[stage])
