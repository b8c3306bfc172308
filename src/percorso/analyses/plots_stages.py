"""Stages as charts: how many customers are at each and go on, what follows what, how long, and where they leave."""

from __future__ import annotations

from collections.abc import Sequence

from percorso.analyses.contact_plan import NOTHING
from percorso.analyses.flow import START
from percorso.analyses.plots_telling import (
    NAME_BEHIND,
    Row,
    amount_text,
    joined,
    money_of,
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
from percorso.charts.dots import Dot, Dots, draw_dots
from percorso.charts.heat import Switches, draw_switches
from percorso.charts.lettering import fit
from percorso.charts.sankey import FlowLink, FlowNode, Sankey, draw_sankey
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


def _stages(result: Result) -> list[Row]:
    """A row for each stage, in the order of the model."""
    refuse_groups(result.spec.scope.by)
    return list(result.table.to_pylist())


def _colour(row: Row, at: int) -> str:
    return QUIET if row["stage"] == NOTHING else stage_colour(row["stage"], at)


def plot_stage_persons(result: Result, words: Words) -> Chart:
    """How many were at each stage; beside it orders and their value, where they are made."""
    rows = _stages(result)
    bars = tuple(
        Bar(
            name=name_of("stage", row["stage"], words),
            value=row["share"],
            low=row["share_low"],
            high=row["share_high"],
            note=_behind(row, result, words),
            colour=_colour(row, at),
        )
        for at, row in enumerate(rows)
    )
    drawn = Bars(
        title=words.text("plots.stages"),
        subtitle=subtitle(result, words.text("plots.share_of_persons"), words),
        note=joined([words.text("plots.stages_note"), note(result, result.totals["persons"], words)]),
        bars=bars if result.totals["persons"] else (),
        measure=SHARE,
        name_head=unit("stage", words),
    )
    return draw_bars(drawn, words)


def _behind(row: Row, result: Result, words: Words) -> str:
    persons = words.text("plots.n_persons", n=row["persons"])
    if not row["orders"]:
        return persons
    value = amount_text(row["value"], money_of(result), words)
    return f"{persons} · {words.text('plots.n_orders', n=row['orders'])}, {value}"


def plot_stage_progression(result: Result, words: Words) -> Chart:
    """Of those who entered each stage, how many got further."""
    rows = _stages(result)
    told = [(at, row) for at, row in enumerate(rows) if row["progression"] is not None]
    drawn = Dots(
        title=words.text("plots.progression"),
        subtitle=subtitle(result, words.text("plots.share_who_go_on"), words),
        note=note(result, min((row["entered"] for _, row in told), default=0), words),
        dots=tuple(
            Dot(
                name=name_of("stage", row["stage"], words),
                value=row["progression"],
                low=row["progression_low"],
                high=row["progression_high"],
                n=row["entered"],
                colour=_colour(row, at),
            )
            for at, row in told
        ),
        measure=SHARE,
        zero=True,
        name_head=unit("stage", words),
    )
    return draw_dots(drawn, words)


def plot_stage_flow(result: Result, words: Words) -> Chart:
    """Moves from stage to stage; what goes back is drawn as going back."""
    rows = _stages(result)
    moves = [row for row in rows_of(result, "moves") if row["count"]]
    keys = _ends(moves)
    places = {row["stage"]: at for at, row in enumerate(rows)}
    # A layer for each stage that moves touch, so that no column of the picture is empty.
    layers = {key: at for at, key in enumerate(sorted(keys, key=lambda key: places.get(key, -1)))}
    nodes = tuple(
        FlowNode(
            key=key,
            name=words.text("plots.start") if key == START else name_of("stage", key, words),
            layer=layers[key],
            colour=QUIET if key == START else stage_colour(key, places.get(key, -1)),
        )
        for key in keys
    )
    drawn = Sankey(
        title=words.text("plots.stage_flow"),
        subtitle=subtitle(result, words.text("plots.moves"), words),
        note=note(result, sum(row["count"] for row in moves), words),
        nodes=nodes,
        links=tuple(FlowLink(row["from"], row["to"], row["count"]) for row in moves),
        top=max(len(nodes), 1),
    )
    return draw_sankey(drawn, words)


def _ends(moves: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(key for row in moves for key in (row["from"], row["to"])))


def plot_stage_matrix(result: Result, words: Words) -> Chart:
    """How often one stage followed another."""
    rows = _stages(result)
    count = {(row["from"], row["to"]): row["count"] for row in rows_of(result, "moves")}
    touched = {key for ends in count for key in ends}
    keys = [row["stage"] for row in rows if row["stage"] in touched]
    drawn = Switches(
        title=words.text("plots.stage_flow"),
        subtitle=subtitle(result, words.text("plots.moves"), words),
        note=note(result, sum(count.values()), words),
        names=tuple(name_of("stage", key, words) for key in keys),
        counts=tuple(tuple(None if a == b else count.get((a, b), 0) for b in keys) for a in keys),
    )
    return draw_switches(drawn, words)


def plot_stage_time(result: Result, words: Words) -> Chart:
    """How long customers stay at a stage."""
    rows = [(at, row) for at, row in enumerate(_stages(result)) if row["median_s"] is not None]
    drawn = Bars(
        title=words.text("plots.stage_time"),
        subtitle=subtitle(result, words.text("plots.median_stay"), words),
        note=note(result, min((row["stays"] - row["open_stays"] for _, row in rows), default=0), words),
        bars=tuple(
            Bar(
                name=name_of("stage", row["stage"], words),
                value=row["median_s"],
                note=_ninety(row, words),
                colour=_colour(row, at),
            )
            for at, row in rows
        ),
        measure=DURATION,
        name_head=unit("stage", words),
    )
    return draw_bars(drawn, words)


def _ninety(row: Row, words: Words) -> str:
    return "" if row["p90_s"] is None else words.text("plots.most_within", time=words.numbers.duration(row["p90_s"]))


def plot_stage_exits(result: Result, words: Words) -> Chart:
    """How far abandoned journeys had come; beside it what they met last."""
    rows = [(at, row) for at, row in enumerate(_stages(result)) if row["exits"]]
    last: dict[str, str] = {}
    for row in rows_of(result, "exits"):
        last.setdefault(row["stage"], name_of("touchpoint", row["touchpoint"], words).lower())
    drawn = Bars(
        title=words.text("plots.stage_exits"),
        subtitle=subtitle(result, words.text("plots.share_of_abandoned"), words),
        note=joined([note(result, result.totals["abandoned"], words)]),
        bars=tuple(
            Bar(
                name=name_of("stage", row["stage"], words),
                value=row["exit_share"],
                low=row["exit_share_low"],
                high=row["exit_share_high"],
                note=_last(row, last, words),
                colour=_colour(row, at),
            )
            for at, row in rows
        ),
        measure=SHARE,
        name_head=unit("stage", words),
    )
    return draw_bars(drawn, words)


def _last(row: Row, last: dict[str, str], words: Words) -> str:
    many = words.text("plots.n_journeys", n=row["exits"])
    if row["stage"] not in last:
        return many
    mostly = words.text("plots.mostly_at", touchpoint=last[row["stage"]])
    return f"{many} · {fit(mostly, NAME_BEHIND, SMALL)}"
