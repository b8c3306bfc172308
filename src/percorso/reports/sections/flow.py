"""Flows: from stage to stage, and from touchpoint to touchpoint."""

from __future__ import annotations

from percorso.analyses.flow import END, START
from percorso.analyses.result import Result
from percorso.analyses.steps import OTHER
from percorso.charts.chart import Chart
from percorso.charts.sankey import FlowLink, FlowNode, Sankey, draw_sankey
from percorso.charts.theme import ACCENT, QUIET, stage_colour
from percorso.reports.document import Figure, Note, Piece, Section
from percorso.reports.page import WIDTH, Page

__all__ = ["make_flow"]

_MOST_LINKS = 40
_ENDS = ((0, "from"), (1, "to"))


def make_flow(page: Page) -> Section:
    """What follows what."""
    words = page.words
    stages, touchpoints = page.answer("stage_flow"), page.answer("touchpoint_flow")
    pieces: list[Piece] = []
    if stages is not None and stages.totals["cases"]:
        pieces += [Figure(_draw_stages(page, stages))]
    if touchpoints is not None and touchpoints.totals["cases"]:
        pieces += [Figure(_draw_steps(page, touchpoints))]
    if pieces:
        pieces.append(Note(words.text("report.flow_note"), "muted"))
    else:
        pieces.append(page.missing(words.text("report.flow_missing")))
    return page.section("flow", words.text("report.flow"), words.text("report.flow_lead"), pieces, stages)


def _draw_stages(page: Page, answer: Result) -> Chart:
    rows = answer.table.select(["from", "to", "count"]).to_pylist()
    links = tuple(FlowLink(row["from"], row["to"], row["count"]) for row in rows)
    keys = dict.fromkeys(key for link in links for key in (link.source, link.target))
    sankey = Sankey(
        width=WIDTH,
        title=page.words.text("report.flow_stages"),
        subtitle=f"{page.name('unit', 'persons')} · {page.told_period()}",
        note=page.few(answer.totals["cases"]),
        nodes=tuple(_stage(page, key) for key in keys),
        links=links,
        first=tuple(key for key in (START,) if key in keys),
        last=tuple(key for key in (END,) if key in keys),
        top=len(keys),
    )
    return draw_sankey(sankey, page.words)


def _stage(page: Page, key: str) -> FlowNode:
    if key in (START, END):
        return FlowNode(key=key, name=_end(page, key), colour=QUIET)
    keys = [stage.key for stage in page.basis.stages.stages]
    return FlowNode(key=key, name=page.stage(key), colour=stage_colour(key, keys.index(key) if key in keys else -1))


def _end(page: Page, key: str) -> str:
    return page.words.text("plots.start") if key == START else page.words.text("plots.end")


def _draw_steps(page: Page, answer: Result) -> Chart:
    """What people do after a touchpoint, position by position."""
    rows = answer.table.to_pylist()
    links = tuple(
        FlowLink(f"{row['position']} {row['from']}", f"{row['position'] + 1} {row['to']}", row["count"]) for row in rows
    )
    nodes = {
        f"{row['position'] + at} {row[end]}": (row[end], row["position"] + at) for row in rows for at, end in _ENDS
    }
    node = page.words.name("touchpoint", answer.spec.from_node)
    sankey = Sankey(
        width=WIDTH,
        title=page.words.text("report.flow_touchpoints", node=node),
        subtitle=f"{page.name('unit', 'journeys')} · {page.told_period()}",
        note=page.few(answer.totals["cases"]),
        nodes=tuple(_touchpoint(page, key, name, layer) for key, (name, layer) in nodes.items()),
        links=links,
        top=len(nodes),
        most_links=_MOST_LINKS,
    )
    return draw_sankey(sankey, page.words)


def _touchpoint(page: Page, key: str, name: str, layer: int) -> FlowNode:
    if name in (START, END):
        return FlowNode(key=key, name=_end(page, name), layer=layer, colour=QUIET)
    if name == OTHER:
        return FlowNode(key=key, name=page.words.text("plots.others"), layer=layer, colour=QUIET)
    return FlowNode(key=key, name=page.name("touchpoint", name), layer=layer, colour=ACCENT)
