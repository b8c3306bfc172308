"""Flows: from stage to stage, and from touchpoint to touchpoint."""

from __future__ import annotations

from percorso.analyses.plots_paths import plot_flow
from percorso.reports.document import Note, Piece, Section
from percorso.reports.page import Page

__all__ = ["make_flow"]

_MOST_LINKS = 40


def make_flow(page: Page) -> Section:
    """What follows what."""
    words = page.words
    stages, touchpoints = page.answer("stage_flow"), page.answer("touchpoint_flow")
    pieces: list[Piece] = []
    if stages is not None and stages.totals["cases"]:
        drawn = plot_flow(stages, words)
        title = words.text("plots.stage_flow")
        # A model has few stages: none of them is one of several others.
        pieces.append(page.figure(drawn, title=title, top=len(drawn.nodes), most_links=_MOST_LINKS))
    if touchpoints is not None and touchpoints.totals["cases"]:
        node = words.name("touchpoint", touchpoints.spec.from_node)
        title = words.text("report.flow_touchpoints", node=node)
        pieces.append(page.figure(plot_flow(touchpoints, words), title=title))
    if pieces:
        pieces.append(Note(words.text("report.flow_note"), "muted"))
    else:
        pieces.append(page.missing(words.text("report.flow_missing")))
    return page.section("flow", words.text("report.flow"), words.text("report.flow_lead"), pieces, stages)
