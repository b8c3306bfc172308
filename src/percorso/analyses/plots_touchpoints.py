"""Touchpoints as charts: whom each reaches, at which stage, what follows, and where journeys end."""

from __future__ import annotations

from itertools import pairwise

from percorso.analyses.intervals import FEW
from percorso.analyses.plots_contacts import MOST, conversion_dots, left_out, reach_bar
from percorso.analyses.plots_telling import Row, joined, name_of, note, refuse_groups, rows_of, subtitle, unit
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.chart import Chart
from percorso.charts.heat import HeatRow, HeatTable, draw_heat
from percorso.charts.theme import stage_colour
from percorso.language.measures import SHARE
from percorso.language.words import Words

__all__ = ["plot_touchpoint_conversion", "plot_touchpoint_exits", "plot_touchpoint_reach", "plot_touchpoint_stages"]


def _shown(result: Result) -> list[Row]:
    refuse_groups(result.spec.scope.by)
    return list(result.table.to_pylist())


def plot_touchpoint_reach(result: Result, words: Words) -> Chart:
    """Whom each touchpoint reaches, in the colour of its stage."""
    rows = sorted(_shown(result), key=lambda row: -row["persons"])
    bars = tuple(
        reach_bar(row, "touchpoint", words, stage_colour(row["stage"]), name_of("stage", row["stage"], words))
        for row in rows[:MOST]
    )
    drawn = Bars(
        title=words.text("plots.reach_touchpoint"),
        subtitle=subtitle(result, words.text("plots.share_of_persons"), words),
        note=joined([left_out(len(rows), words), note(result, result.totals["persons"], words)]),
        bars=bars,
        measure=SHARE,
        name_head=unit("touchpoint", words),
    )
    return draw_bars(drawn, words)


def plot_touchpoint_conversion(result: Result, words: Words) -> Chart:
    """How the journeys convert that meet each touchpoint, but for those at which orders are made."""
    rows = [row for row in _shown(result) if not row["orders"]]
    title = words.text("plots.conversion_touchpoint")
    return conversion_dots(result, rows, "touchpoint", title, words, words.text("plots.without_orders"))


def plot_touchpoint_exits(result: Result, words: Words) -> Chart:
    """What abandoned journeys met last."""
    rows = sorted((row for row in _shown(result) if row["exits"]), key=lambda row: -row["exits"])
    bars = tuple(
        Bar(
            name=name_of("touchpoint", row["touchpoint"], words),
            value=row["exit_share"],
            low=row["exit_share_low"],
            high=row["exit_share_high"],
            note=words.text("plots.n_journeys", n=row["exits"]),
            colour=stage_colour(row["stage"]),
        )
        for row in rows[:MOST]
    )
    drawn = Bars(
        title=words.text("plots.exits_touchpoint"),
        subtitle=subtitle(result, words.text("plots.share_of_abandoned"), words),
        note=joined([left_out(len(rows), words), note(result, result.totals["abandoned"], words)]),
        bars=bars,
        measure=SHARE,
        name_head=unit("touchpoint", words),
    )
    return draw_bars(drawn, words)


def plot_touchpoint_stages(result: Result, words: Words) -> Chart:
    """At which stage customers are when they meet each touchpoint."""
    rows = sorted(_shown(result), key=lambda row: -row["persons"])
    shares: dict[str, dict[str, float]] = {}
    events: dict[str, int] = {}
    for row in rows_of(result, "stages"):
        shares.setdefault(row["touchpoint"], {})[row["stage"]] = row["share"]
        events[row["touchpoint"]] = events.get(row["touchpoint"], 0) + row["events"]
    stages = _in_order([list(each) for each in shares.values()])
    shown = [row["touchpoint"] for row in rows if row["touchpoint"] in shares]
    drawn = HeatTable(
        title=words.text("plots.stages_touchpoint"),
        subtitle=subtitle(result, words.text("plots.share_of_events"), words),
        note=joined([left_out(len(shown), words), note(result, FEW, words)]),
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
    return draw_heat(drawn, words)


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
