"""`percorso people funnel|flow|variants|...`: the persons behind a number of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from percorso.analyses.flow import FlowSpec
from percorso.analyses.funnel import FunnelSpec
from percorso.analyses.kpis import KpisSpec
from percorso.analyses.variants import VariantsSpec
from percorso.cli.context import words_of
from percorso.cli.flow import flow_question, node_families, with_codes
from percorso.cli.funnel import funnel_question
from percorso.cli.kpis import kpis_question
from percorso.cli.options import answer_of, asking
from percorso.cli.output import Output, writing
from percorso.cli.people_of_contacts import register_of_contacts
from percorso.cli.people_over_time import register_over_time
from percorso.cli.people_table import CELL, GroupOption, tell_people, write_people
from percorso.cli.tables import code_of, value_code
from percorso.cli.variants import variants_question
from percorso.errors import SpecError
from percorso.services.kpis import ask_kpi_people
from percorso.services.people import FlowCell, FunnelCell, VariantCell

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `people` to the command line."""
    people = typer.Typer(no_args_is_help=True, help="The persons behind a number: ask as before, and say which one.")
    people.command("funnel")(people_of_funnel)
    people.command("flow")(people_of_flow)
    people.command("variants")(people_of_variants)
    register_of_contacts(people)
    register_over_time(people)
    people.command("kpis")(people_of_kpis)
    app.add_typer(people, name="people")


@asking(funnel_question)
@writing
def people_of_funnel(
    ctx: typer.Context,
    spec: FunnelSpec,
    at: Annotated[str, typer.Option(metavar="N|STEP", help="The step, by position or name.", rich_help_panel=CELL)],
    dropped: Annotated[
        bool, typer.Option("--dropped", help="Only those for whom it was the last.", rich_help_panel=CELL)
    ] = False,
    group: GroupOption = "",
    *,
    target: Output,
) -> None:
    """The persons who did a step of a funnel, or stopped at it.

    Example: percorso people funnel --step "Product Viewed" --step "Order Completed" --at 1 --dropped
    """
    write_people(ctx, spec, FunnelCell(step=at, dropped=dropped, group=group), target)


@asking(flow_question)
@writing
def people_of_flow(
    ctx: typer.Context,
    spec: FlowSpec,
    edge: Annotated[
        tuple[str, str],
        typer.Option(metavar="FROM TO", help="The two nodes, also (start) and (end).", rich_help_panel=CELL),
    ],
    position: Annotated[
        int | None, typer.Option(metavar="N", help="With --steps: the position.", rich_help_panel=CELL)
    ] = None,
    group: GroupOption = "",
    *,
    target: Output,
) -> None:
    """The persons who went from one node to another.

    Example: percorso people flow --unit place --edge site store
    """
    source, end = _nodes(ctx, spec, edge)
    spec = with_codes(spec, words_of(ctx))
    write_people(ctx, spec, FlowCell(source=source, target=end, position=position, group=group), target)


@asking(variants_question)
@writing
def people_of_variants(
    ctx: typer.Context,
    spec: VariantsSpec,
    node: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NODE", help="The path's nodes, in order; none: all that are not shown.", rich_help_panel=CELL
        ),
    ] = None,
    group: GroupOption = "",
    *,
    target: Output,
) -> None:
    """The persons with a path.

    Example: percorso people variants --unit place --collapse --node site --node store
    """
    write_people(ctx, spec, VariantCell(path=_nodes(ctx, spec, node or ()), group=group), target)


def _nodes(ctx: typer.Context, spec: FlowSpec | VariantsSpec, nodes: Iterable[str]) -> tuple[str, ...]:
    """What the nodes are called in the data."""
    family, words = node_families(spec.unit, "node").get("node"), words_of(ctx)
    return tuple(code_of(family, node, words) for node in nodes)


@asking(kpis_question)
@writing
def people_of_kpis(ctx: typer.Context, spec: KpisSpec, group: GroupOption = "", *, target: Output) -> None:
    """The persons behind a KPI: those that it counts, or whose orders, carts or contacts it counts.

    Example: percorso people kpis --kpi at_risk; percorso people kpis --kpi cart_abandonment --last 30d
    """
    if len(spec.kpis) != 1:
        raise SpecError("Which KPI? Name one.", hint="percorso people kpis --kpi at_risk")
    group = value_code(spec.scope.by, group, words_of(ctx))
    tell_people(ctx, answer_of(ctx, ask_kpi_people, spec, kpi=spec.kpis[0], group=group), target)
