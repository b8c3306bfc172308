"""Funnels, flows and variants as charts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from percorso.analyses.flow import END, START, FlowSpec
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.intervals import FEW
from percorso.analyses.plots_telling import field_name, field_value, note, refuse_groups, subtitle, unit
from percorso.analyses.result import Result
from percorso.analyses.steps import OTHER
from percorso.analyses.variants import VariantsSpec
from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.chart import Chart
from percorso.charts.funnel import FunnelStep, Steps, draw_steps
from percorso.charts.heat import Switches, draw_switches
from percorso.charts.sankey import FlowLink, FlowNode, Sankey, draw_sankey
from percorso.charts.theme import ACCENT, QUIET, stage_colour
from percorso.errors import SpecError
from percorso.language.measures import COUNT, SHARE
from percorso.language.words import Family, Words

__all__ = ["plot_flow", "plot_funnel", "plot_switches", "plot_variants"]

_ARROW = " → "
_MOST_SWITCHES = 12
_MOST_NODES = 8  # of a flow without steps, where every node may lead to every other
_MOST_LINKS = 28
_MOST_STEP_LINKS = 70
_FAMILIES: Mapping[str, Family] = {"touchpoint": "touchpoint", "place": "place", "channel": "channel", "stage": "stage"}


def plot_funnel(result: Result, words: Words) -> Chart:
    spec: FunnelSpec = result.spec
    rows = result.table.to_pylist()
    if spec.scope.by:
        return _plot_funnel_groups(spec, rows, result, words)
    steps = tuple(
        FunnelStep(
            name=row["step"],
            count=row["count"],
            share=row["share"],
            low=row["low"],
            high=row["high"],
            from_previous=row["from_previous"] if at else None,
            dropped=row["dropped"],
            median_s=row["median_s"],
        )
        for at, row in enumerate(rows)
    )
    ends = {"first": spec.steps[0], "last": spec.steps[-1]}
    title = (
        words.text("plots.funnel", **ends) if len(steps) > 1 else words.text("plots.funnel_one", first=ends["first"])
    )
    few = rows[0]["count"] if rows else 0
    return draw_steps(
        Steps(
            title=title,
            subtitle=subtitle(result, unit(spec.count, words), words),
            note=note(result, few, words),
            steps=steps,
        ),
        words,
    )


def _plot_funnel_groups(spec: FunnelSpec, rows: list[dict[str, Any]], result: Result, words: Words) -> Chart:
    """With a break-down: for each value how many of those who began did the last step."""
    entered = {row[spec.scope.by]: row["count"] for row in rows if row["position"] == 1}
    bars = tuple(
        Bar(
            name=field_value(spec.scope.by, row[spec.scope.by], words),
            value=row["share"],
            low=row["low"],
            high=row["high"],
            note=words.text("charts.n", n=entered[row[spec.scope.by]]),
        )
        for row in rows
        if row["position"] == len(spec.steps) and entered[row[spec.scope.by]]
    )
    title = words.text(
        "plots.funnel_by", first=spec.steps[0], last=spec.steps[-1], field=field_name(spec.scope.by, words)
    )
    few = min(entered.values(), default=0)
    return draw_bars(
        Bars(
            title=title,
            subtitle=subtitle(result, unit(spec.count, words), words),
            note=note(result, few, words),
            bars=bars,
            measure=SHARE,
            name_head=field_name(spec.scope.by, words),
        ),
        words,
    )


def plot_flow(result: Result, words: Words) -> Chart:
    spec: FlowSpec = result.spec
    refuse_groups(spec.scope.by)
    drawing = _plot_links if spec.steps else _plot_edges
    return drawing(result, spec, words)


def _plot_edges(result: Result, spec: FlowSpec, words: Words) -> Chart:
    rows = result.table.select(["from", "to", "count"]).to_pylist()
    links = tuple(FlowLink(row["from"], row["to"], row["count"]) for row in rows)
    keys = dict.fromkeys(key for link in links for key in (link.source, link.target))
    nodes = tuple(_flow_node(key, key, spec.unit, None, words) for key in keys)
    sankey = Sankey(
        title=words.text("plots.flow"),
        subtitle=subtitle(result, unit(f"{spec.scope.per}s", words), words),
        note=note(result, result.totals["cases"], words),
        nodes=nodes,
        links=links,
        first=tuple(key for key in (START,) if key in keys),
        last=tuple(key for key in (END,) if key in keys),
        top=_MOST_NODES,
        most_links=_MOST_LINKS,
    )
    return draw_sankey(sankey, words)


def _plot_links(result: Result, spec: FlowSpec, words: Words) -> Chart:
    """Links by position: a node at each position is a node of its own."""
    rows = result.table.to_pylist()
    links = tuple(
        FlowLink(f"{row['position']} {row['from']}", f"{row['position'] + 1} {row['to']}", row["count"]) for row in rows
    )
    nodes = {f"{row['position']} {row['from']}": (row["from"], row["position"]) for row in rows}
    nodes |= {f"{row['position'] + 1} {row['to']}": (row["to"], row["position"] + 1) for row in rows}
    node = _node_name(spec.from_node or spec.to_node, spec.unit, words)
    title = words.text("plots.flow_from", node=node) if spec.from_node else words.text("plots.flow_to", node=node)
    told = subtitle(result, unit(f"{spec.scope.per}s", words), words)
    sankey = Sankey(
        title=title,
        subtitle=f"{told} · {words.text('plots.steps_of', n=spec.steps)}",
        note=note(result, result.totals["cases"], words),
        nodes=tuple(_flow_node(key, name, spec.unit, layer, words) for key, (name, layer) in nodes.items()),
        links=links,
        top=len(nodes),  # the answer has grouped the small ones already
        most_links=_MOST_STEP_LINKS,
    )
    return draw_sankey(sankey, words)


def plot_switches(result: Result, words: Words) -> Chart:
    spec: FlowSpec = result.spec
    refuse_groups(spec.scope.by)
    if spec.steps:
        raise SpecError("Steps are no switches.", hint="Ask the flow without steps.")
    rows = [row for row in result.table.to_pylist() if row["from"] != START and row["to"] != END]
    count = {(row["from"], row["to"]): row["count"] for row in rows}
    through: dict[str, int] = {}
    for (source, target), n in count.items():
        through[source] = through.get(source, 0) + n
        through[target] = through.get(target, 0) + n
    keys = sorted(through, key=lambda key: (-through[key], key))[:_MOST_SWITCHES]
    left = len(through) - len(keys)
    switches = Switches(
        title=words.text("plots.flow"),
        subtitle=subtitle(result, unit(f"{spec.scope.per}s", words), words),
        note=" ".join(
            part for part in (words.text("plots.not_shown", n=left) if left else "", note(result, FEW, words)) if part
        ),
        names=tuple(_node_name(key, spec.unit, words) for key in keys),
        counts=tuple(tuple(None if spec.collapse and a == b else count.get((a, b), 0) for b in keys) for a in keys),
    )
    return draw_switches(switches, words)


def plot_variants(result: Result, words: Words) -> Chart:
    spec: VariantsSpec = result.spec
    refuse_groups(spec.scope.by)
    rows = result.table.to_pylist()
    bars = tuple(
        Bar(
            name=_ARROW.join(_node_name(node, spec.unit, words) for node in row["path"]),
            value=row["count"],
            note=_behind(row, words),
        )
        for row in rows
    )
    return draw_bars(
        Bars(
            title=words.text("plots.variants"),
            subtitle=subtitle(result, unit(f"{spec.scope.per}s", words), words),
            note=note(result, result.totals["total"], words),
            description=_coverage(result, words),
            bars=bars,
            measure=COUNT,
            name_head=words.name("column", "path"),
            names_above=True,
        ),
        words,
    )


def _coverage(result: Result, words: Words) -> str:
    """How many of all cases go these ways, and how many other ways there are."""
    total, left = result.totals["total"], result.totals["distinct"] - result.table.num_rows
    if not total:
        return ""
    share = words.numbers.share(result.totals["coverage"])
    covered = words.text("plots.variants_cover", share=share, n=total)
    return f"{covered} {words.text('plots.other_paths', n=left)}" if left else covered


def _behind(row: Mapping[str, Any], words: Words) -> str:
    """Share of all, and what share of them converted."""
    share = words.numbers.share(row["share"])
    if row["conversion"] is None:
        return share
    return f"{share} · {words.text('plots.conversion', share=words.numbers.share(row['conversion']))}"


def _flow_node(key: str, node: str, of: str, layer: int | None, words: Words) -> FlowNode:
    name = _node_name(node, of, words)
    if node in (START, END, OTHER):
        return FlowNode(key=key, name=name, layer=layer, colour=QUIET)
    colour = stage_colour(node) if of == "stage" else ACCENT
    return FlowNode(key=key, name=name, layer=layer, colour=colour)


def _node_name(node: str, of: str, words: Words) -> str:
    if node == START:
        return words.text("plots.start")
    if node == END:
        return words.text("plots.end")
    if node == OTHER:
        return words.text("plots.others")
    return words.name(_FAMILIES[of], node) if of in _FAMILIES else node
