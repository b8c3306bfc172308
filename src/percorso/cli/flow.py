"""`percorso flow`: what follows what, and how often."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import pyarrow as pa
import typer

from percorso.analyses.flow import FlowSpec
from percorso.analyses.spec import Scope
from percorso.cli.context import words_of
from percorso.cli.options import (
    CollapseOption,
    KindOption,
    OutcomeOption,
    PerOption,
    UnitOption,
    answer_of,
    as_of_text,
    asking,
    within_scope,
)
from percorso.cli.output import Format, Layout, Output, write_answer, write_table, writing
from percorso.cli.tables import code_of
from percorso.cli.texts import percent_text, seconds_text
from percorso.errors import SpecError
from percorso.language.words import Family, Words
from percorso.services.flow import ask_flow

__all__ = ["flow_question", "node_families", "register", "with_codes"]

_LAYOUT = Layout(
    formats={
        **dict.fromkeys(("probability", "share"), percent_text),
        **dict.fromkeys(("median_s", "p90_s"), seconds_text),
    },
    titles={"median_s": "median", "p90_s": "p90"},
    secondary=("probability", "p90_s", "median_s"),
)
_FAMILIES: Mapping[str, Family] = {
    "touchpoint": "touchpoint",
    "place": "place",
    "channel": "channel",
    "stage": "stage",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\b.*")

_TOP = 10  # nodes told apart at each position, where steps are followed

_EndOption = typer.Option(
    metavar="DAY|TIME|NODE",
    help="With a day or time: the period. With --steps, a node: where paths are followed from, or to.",
)


def register(app: typer.Typer) -> None:
    """Add `flow` to the command line."""
    app.command("flow")(flow)


@within_scope(without=("since", "until"))
def flow_question(
    unit: UnitOption = "event",
    collapse: CollapseOption = False,
    kind: KindOption = "",
    outcome: OutcomeOption = "",
    per: PerOption = "journey",
    steps: Annotated[int, typer.Option(metavar="N", help="Follow paths by position, so many steps.")] = 0,
    from_: Annotated[list[str] | None, typer.Option("--from", metavar=_EndOption.metavar, help=_EndOption.help)] = None,
    to: Annotated[list[str] | None, typer.Option("--to", metavar=_EndOption.metavar, help="As --from.")] = None,
    top: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Edges to show. With --steps: nodes told apart at each position (10)."),
    ] = None,
    counts_only: Annotated[bool, typer.Option("--counts-only", help="No persons and times: faster.")] = False,
    *,
    scope: Scope,
) -> FlowSpec:
    """The flow that the options ask for."""
    since, from_node = _day_and_node("--from", from_ or ())
    until, to_node = _day_and_node("--to", to or ())
    if not steps:
        since, from_node = _day_if_it_begins_so(since, from_node)
        until, to_node = _day_if_it_begins_so(until, to_node)
    return FlowSpec(
        unit=unit,
        collapse=collapse,
        kind=kind,
        outcome=outcome,
        scope=replace(scope, start=since, end=until, per=per),
        counts_only=counts_only,
        steps=steps,
        from_node=from_node,
        to_node=to_node,
        top=top or _TOP,
    )


def _day_if_it_begins_so(day: str, node: str) -> tuple[str, str]:
    """Without steps there are no nodes to name: "1/2/2024" was meant as a day, and is refused as one."""
    return (node, "") if node[:1].isdigit() and not day else (day, node)


def _day_and_node(option: str, values: Sequence[str]) -> tuple[str, str]:
    """The same option names the period and the node; what looks like a day is one."""
    days = [value for value in values if _DAY.fullmatch(value)]
    nodes = [value for value in values if not _DAY.fullmatch(value)]
    if len(days) > 1 or len(nodes) > 1:
        raise SpecError(f"{option} is given twice.", hint="Give at most one day and one node.")
    return "".join(days), "".join(nodes)


@asking(flow_question)
@writing
def flow(ctx: typer.Context, spec: FlowSpec, target: Output) -> None:
    """What directly follows what: how often, how many persons, how fast.

    Example: percorso flow --unit touchpoint --collapse; percorso flow --steps 3 --from "Product Viewed"
    """
    words = words_of(ctx)
    top = None if spec.steps else ctx.params.get("top")
    if top is not None and target.format is not Format.table:
        raise SpecError(
            "Without --steps, --top shortens the table for people only: other formats hold every edge.",
            hint="Leave out --top, or --format.",
        )
    answer = answer_of(ctx, ask_flow, with_codes(spec, words))
    per = words.code("unit", spec.scope.per)
    notes = (words.text("terminal.flow", per=per, as_of=as_of_text(answer, words)),)
    layout = replace(_LAYOUT, families=node_families(spec.unit, "from", "to"))
    if top is None:
        write_answer(answer, target, layout=layout, notes=notes, words=words)
        return
    table = _shortened(answer.table, top, words)
    write_table(table, target, layout=layout, notes=notes, warnings=answer.warnings, words=words)


def node_families(unit: str, *columns: str) -> dict[str, Family]:
    """What the nodes of a path in these columns are names of; events are called what the data call them."""
    return dict.fromkeys(columns, _FAMILIES[unit]) if unit in _FAMILIES else {}


def with_codes(spec: FlowSpec, words: Words) -> FlowSpec:
    """The flow, its ends as the data call them where they are given as tables show them."""
    family = node_families(spec.unit, "node").get("node")
    first, last = (code_of(family, node, words) for node in (spec.from_node, spec.to_node))
    return replace(spec, from_node=first, to_node=last)


def _shortened(edges: pa.Table, top: int, words: Words) -> pa.Table:
    """The most frequent edges, and in a last line how many others there are and what they add up to."""
    rows = edges.to_pylist()
    shown = sorted(rows, key=lambda row: -row["count"])[:top]
    others = len(rows) - len(shown)
    if not others:
        return edges
    rest = sum(row["count"] for row in rows) - sum(row["count"] for row in shown)
    last = {"from": words.text("terminal.other_edges", n=others), "to": "", "count": rest}
    return pa.Table.from_pylist([*shown, last], schema=edges.schema)
