"""Funnels, flows and variants as charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from percorso.analyses.flow import END, START, FlowSpec
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.intervals import FEW
from percorso.analyses.plots_telling import (
    Row,
    busiest,
    few,
    field_name,
    field_value,
    joined,
    left_out,
    name_of,
    share_bar,
    stage_hue,
    unit,
    whole_rows,
)
from percorso.analyses.result import Result
from percorso.analyses.steps import OTHER
from percorso.analyses.variants import VariantsSpec
from percorso.charts.bars import Bar, Bars
from percorso.charts.funnel import FunnelStep, Steps
from percorso.charts.heat import Switches
from percorso.charts.sankey import FlowLink, FlowNode, Sankey
from percorso.charts.theme import ACCENT, QUIET
from percorso.errors import SpecError
from percorso.language.measures import COUNT, SHARE
from percorso.language.words import Words, capital

__all__ = ["path_name", "plot_flow", "plot_funnel", "plot_switches", "plot_variants"]

_ARROW = " → "
_MOST_SWITCHES = 12
#: Of a flow without steps, where every node may lead to every other: more would be a knot.
_MOST_NODES, _MOST_LINKS = 5, 13
_WIDE = 940  # of a flow that stands by itself: names must fit between its layers
_MOST_STEP_LINKS = 40


def plot_funnel(result: Result, words: Words) -> Steps | Bars:
    """How many did each step; with a break-down of each value how many did the last."""
    spec: FunnelSpec = result.spec
    rows = result.table.to_pylist()
    if spec.scope.by:
        return _funnel_groups(spec, rows, result, words)
    steps = tuple(
        FunnelStep(
            name=name_of("event", row["step"], words),
            count=row["count"],
            share=row["share"],
            low=row["low"],
            high=row["high"],
            from_previous=row["from_previous"] if at else None,
            dropped=row["dropped"],
            median_s=row.get("median_s"),  # none of counts alone
        )
        for at, row in enumerate(rows)
    )
    ends = _funnel_ends(spec, words)
    title = (
        words.text("plots.funnel", **ends) if len(steps) > 1 else words.text("plots.funnel_one", first=ends["first"])
    )
    return Steps(
        title=title,
        subtitle=unit(spec.count, words),
        note=few(result, rows[0]["count"] if rows else 0, words),
        steps=steps,
    )


def _funnel_ends(spec: FunnelSpec, words: Words) -> dict[str, str]:
    return {"first": name_of("event", spec.steps[0], words), "last": name_of("event", spec.steps[-1], words)}


def _funnel_groups(spec: FunnelSpec, rows: list[dict[str, Any]], result: Result, words: Words) -> Bars:
    """With a break-down: for each value how many of those who began did the last step."""
    by = spec.scope.by
    entered = {row[by]: row["count"] for row in rows if row["position"] == 1}
    last = [row for row in rows if row["position"] == len(spec.steps) and entered[row[by]]]
    return Bars(
        title=words.text("plots.funnel_by", **_funnel_ends(spec, words), field=field_name(by, words)),
        subtitle=unit(spec.count, words),
        note=few(result, min(entered.values(), default=0), words),
        bars=tuple(
            share_bar(field_value(by, row[by], words), row, words.text("charts.n", n=entered[row[by]])) for row in last
        ),
        measure=SHARE,
        name_head=field_name(by, words),
    )


def plot_flow(result: Result, words: Words) -> Sankey:
    """What follows what: all of it, or from a node or to it step by step."""
    spec: FlowSpec = result.spec
    rows = whole_rows(result)
    return _links(rows, result, spec, words) if spec.steps else _edges(rows, result, spec, words)


def _edges(rows: Sequence[Row], result: Result, spec: FlowSpec, words: Words) -> Sankey:
    links = tuple(FlowLink(row["from"], row["to"], row["count"]) for row in rows)
    keys = dict.fromkeys(key for link in links for key in (link.source, link.target))
    return Sankey(
        title=words.text("plots.flow"),
        subtitle=unit(f"{spec.scope.per}s", words),
        note=joined([words.text("plots.flow_numbers"), few(result, result.totals["cases"], words)]),
        width=_WIDE,
        nodes=tuple(_flow_node(key, key, spec.unit, None, words) for key in keys),
        links=links,
        first=tuple(key for key in (START,) if key in keys),
        last=tuple(key for key in (END,) if key in keys),
        top=_MOST_NODES,
        most_links=_MOST_LINKS,
    )


def _links(rows: Sequence[Row], result: Result, spec: FlowSpec, words: Words) -> Sankey:
    """Links by position: a node at each position is a node of its own."""
    links = tuple(
        FlowLink(f"{row['position']} {row['from']}", f"{row['position'] + 1} {row['to']}", row["count"]) for row in rows
    )
    nodes = {f"{row['position']} {row['from']}": (row["from"], row["position"]) for row in rows}
    nodes |= {f"{row['position'] + 1} {row['to']}": (row["to"], row["position"] + 1) for row in rows}
    node = _node_name(spec.from_node or spec.to_node, spec.unit, words)
    title = words.text("plots.flow_from", node=node) if spec.from_node else words.text("plots.flow_to", node=node)
    return Sankey(
        title=title,
        subtitle=f"{unit(f'{spec.scope.per}s', words)}, {words.text('plots.steps_of', n=spec.steps)}",
        note=few(result, result.totals["cases"], words),
        nodes=tuple(_flow_node(key, name, spec.unit, layer, words) for key, (name, layer) in nodes.items()),
        links=links,
        top=len(nodes),  # the answer has grouped the small ones already
        most_links=_MOST_STEP_LINKS,
    )


def plot_switches(result: Result, words: Words) -> Switches:
    """How often one node followed another."""
    spec: FlowSpec = result.spec
    rows = whole_rows(result)
    if spec.steps:
        raise SpecError("Steps are no switches.", hint="Ask the flow without steps.")
    count = {(row["from"], row["to"]): row["count"] for row in rows if row["from"] != START and row["to"] != END}
    keys, n_keys = busiest(count, _MOST_SWITCHES)
    return Switches(
        title=words.text("plots.flow"),
        subtitle=unit(f"{spec.scope.per}s", words),
        note=left_out(n_keys, words, _MOST_SWITCHES),
        names=tuple(capital(_node_name(key, spec.unit, words)) for key in keys),
        counts=tuple(tuple(None if spec.collapse and a == b else count.get((a, b), 0) for b in keys) for a in keys),
    )


def plot_variants(result: Result, words: Words) -> Bars:
    """The most common ways, how common each is, and how it converts."""
    spec: VariantsSpec = result.spec
    bars = tuple(
        Bar(name=path_name(row["path"], spec.unit, words), value=row["count"], note=_behind(row, words))
        for row in whole_rows(result)
    )
    return Bars(
        title=words.text("plots.variants"),
        subtitle=unit(f"{spec.scope.per}s", words),
        note=few(result, result.totals["total"], words),
        description=_coverage(result, words),
        bars=bars,
        measure=COUNT,
        name_head=words.title("column", "path"),
        names_above=True,
    )


def path_name(path: Sequence[str], of: str, words: Words) -> str:
    """A path as people read it: "Direct → Email"."""
    return _ARROW.join(capital(_node_name(node, of, words)) for node in path)


def _coverage(result: Result, words: Words) -> str:
    """How many of all cases go these ways, and how many other ways there are."""
    total, left = result.totals["total"], result.totals["distinct"] - result.table.num_rows
    if not total:
        return ""
    share = words.numbers.share(result.totals["coverage"])
    covered = words.text("plots.variants_cover", share=share, n=total)
    return f"{covered} {words.text('plots.other_paths', n=left)}" if left else covered


def _behind(row: Row, words: Words) -> str:
    """Share of all, and where they are not too few what share of them converted."""
    share = words.numbers.share(row["share"])
    if row["conversion"] is None or row["count"] < FEW:
        return share
    return f"{share} · {words.text('plots.conversion', share=words.numbers.share(row['conversion']))}"


def _flow_node(key: str, node: str, of: str, layer: int | None, words: Words) -> FlowNode:
    if node in (START, END, OTHER):
        return FlowNode(key=key, name=_node_name(node, of, words), layer=layer, colour=QUIET)
    colour = stage_hue(node, words) if of == "stage" else ACCENT
    return FlowNode(key=key, name=capital(_node_name(node, of, words)), layer=layer, colour=colour)


def _node_name(node: str, of: str, words: Words) -> str:
    ends = {START: words.text("plots.start"), END: words.text("plots.end"), OTHER: words.text("plots.others")}
    return ends[node] if node in ends else field_value(of, node, words)
