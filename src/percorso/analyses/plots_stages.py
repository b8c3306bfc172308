"""Stages as charts: how many customers are at each and go on, what follows what, how long, and where they leave."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.analyses.contact_plan import NOTHING
from percorso.analyses.flow import START
from percorso.analyses.plots_telling import (
    NAME_BEHIND,
    Row,
    amount_text,
    few,
    joined,
    money_of,
    name_of,
    rows_of,
    share_bar,
    share_dot,
    unit,
    whole_rows,
)
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars
from percorso.charts.dots import Dots
from percorso.charts.heat import Switches
from percorso.charts.lettering import fit
from percorso.charts.sankey import FlowLink, FlowNode, Sankey
from percorso.charts.theme import QUIET, SMALL, stage_colour
from percorso.language.measures import DURATION, SHARE
from percorso.language.words import Words

__all__ = [
    "plot_stage_exits",
    "plot_stage_flow",
    "plot_stage_matrix",
    "plot_stage_persons",
    "plot_stage_progression",
    "plot_stage_time",
]


@dataclass(frozen=True, slots=True)
class _Stage:
    """A stage: its row, its name, and its colour by its place in the model."""

    row: Row
    name: str
    colour: str


def _stages(result: Result, words: Words) -> list[_Stage]:
    """All stages, in the order of the model."""
    return [
        _Stage(
            row,
            name_of("stage", row["stage"], words),
            QUIET if row["stage"] == NOTHING else stage_colour(row["stage"], at),
        )
        for at, row in enumerate(whole_rows(result))
    ]


def plot_stage_persons(result: Result, words: Words) -> Bars:
    """How many were at each stage; beside it orders and their value, where they are made."""
    bars = tuple(
        share_bar(stage.name, stage.row, _behind(stage.row, result, words), colour=stage.colour)
        for stage in _stages(result, words)
    )
    return Bars(
        title=words.text("plots.stages"),
        subtitle=words.text("plots.share_of_persons"),
        note=joined([words.text("plots.stages_note"), few(result, result.totals["persons"], words)]),
        bars=bars if result.totals["persons"] else (),
        measure=SHARE,
        name_head=unit("stage", words),
    )


def _behind(row: Row, result: Result, words: Words) -> str:
    persons = words.text("plots.n_persons", n=row["persons"])
    if not row["orders"]:
        return persons
    value = amount_text(row["value"], money_of(result), words)
    return f"{persons} · {words.text('plots.n_orders', n=row['orders'])}, {value}"


def plot_stage_progression(result: Result, words: Words) -> Dots:
    """Of those who entered each stage, how many got further."""
    stages = [stage for stage in _stages(result, words) if stage.row["progression"] is not None]
    return Dots(
        title=words.text("plots.progression"),
        subtitle=words.text("plots.share_who_go_on"),
        note=few(result, min((stage.row["entered"] for stage in stages), default=0), words),
        dots=tuple(
            share_dot(stage.name, stage.row, stage.row["entered"], share="progression", colour=stage.colour)
            for stage in stages
        ),
        measure=SHARE,
        zero=True,
        name_head=unit("stage", words),
    )


def plot_stage_flow(result: Result, words: Words) -> Sankey:
    """Moves from stage to stage; what goes back is drawn as going back."""
    colours = {stage.row["stage"]: stage.colour for stage in _stages(result, words)}
    moves = [row for row in rows_of(result, "moves") if row["count"]]
    order = [START, *colours]
    # A layer for each stage that moves touch, so that no column of the picture is empty.
    keys = sorted(
        {key for row in moves for key in (row["from"], row["to"])},
        key=lambda key: (order.index(key) if key in order else -1, key),
    )
    nodes = tuple(
        FlowNode(
            key=key,
            name=words.text("plots.start") if key == START else name_of("stage", key, words),
            layer=layer,
            colour=colours.get(key, QUIET),
        )
        for layer, key in enumerate(keys)
    )
    return Sankey(
        title=words.text("plots.stage_flow"),
        subtitle=words.text("plots.moves"),
        note=few(result, sum(row["count"] for row in moves), words),
        nodes=nodes,
        links=tuple(FlowLink(row["from"], row["to"], row["count"]) for row in moves),
        top=max(len(nodes), 1),
    )


def plot_stage_matrix(result: Result, words: Words) -> Switches:
    """How often one stage followed another."""
    count = {(row["from"], row["to"]): row["count"] for row in rows_of(result, "moves")}
    touched = {key for ends in count for key in ends}
    keys = [row["stage"] for row in whole_rows(result) if row["stage"] in touched]
    return Switches(
        title=words.text("plots.stage_flow"),
        subtitle=words.text("plots.moves"),
        note=few(result, sum(count.values()), words),
        names=tuple(name_of("stage", key, words) for key in keys),
        counts=tuple(tuple(None if a == b else count.get((a, b), 0) for b in keys) for a in keys),
    )


def plot_stage_time(result: Result, words: Words) -> Bars:
    """How long customers stay at a stage."""
    stages = [stage for stage in _stages(result, words) if stage.row["median_s"] is not None]
    return Bars(
        title=words.text("plots.stage_time"),
        subtitle=words.text("plots.median_stay"),
        note=few(result, min((stage.row["stays"] - stage.row["open_stays"] for stage in stages), default=0), words),
        bars=tuple(
            Bar(name=stage.name, value=stage.row["median_s"], note=_ninety(stage.row, words), colour=stage.colour)
            for stage in stages
        ),
        measure=DURATION,
        name_head=unit("stage", words),
    )


def _ninety(row: Row, words: Words) -> str:
    return "" if row["p90_s"] is None else words.text("plots.most_within", time=words.numbers.duration(row["p90_s"]))


def plot_stage_exits(result: Result, words: Words) -> Bars:
    """How far abandoned journeys had come; beside it what they met last."""
    stages = [stage for stage in _stages(result, words) if stage.row["exits"]]
    last: dict[str, str] = {}
    for row in rows_of(result, "exits"):
        last.setdefault(row["stage"], name_of("touchpoint", row["touchpoint"], words).lower())
    return Bars(
        title=words.text("plots.stage_exits"),
        subtitle=words.text("plots.share_of_abandoned"),
        note=few(result, result.totals["abandoned"], words),
        bars=tuple(
            share_bar(stage.name, stage.row, _last(stage.row, last, words), share="exit_share", colour=stage.colour)
            for stage in stages
        ),
        measure=SHARE,
        name_head=unit("stage", words),
    )


def _last(row: Row, last: dict[str, str], words: Words) -> str:
    many = words.text("plots.n_journeys", n=row["exits"])
    if row["stage"] not in last:
        return many
    mostly = words.text("plots.mostly_at", touchpoint=last[row["stage"]])
    return f"{many} · {fit(mostly, NAME_BEHIND, SMALL)}"
