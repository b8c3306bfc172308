"""`percorso people funnel|flow|variants`: the persons behind a number of an answer."""

from __future__ import annotations

from typing import Annotated

import typer

from percorso.analyses.flow import FlowSpec
from percorso.analyses.funnel import FunnelSpec
from percorso.analyses.variants import VariantsSpec
from percorso.cli.context import workspace_of
from percorso.cli.flow import flow_question
from percorso.cli.funnel import funnel_question
from percorso.cli.options import asking
from percorso.cli.output import FormatOption, OutputOption, count_text, output_of, write_answer
from percorso.cli.progress import ready_log
from percorso.cli.variants import variants_question
from percorso.services.people import Cell, FlowCell, FunnelCell, VariantCell, ask_people

__all__ = ["register"]

_CELL = "Which number"

GroupOption = Annotated[
    str,
    typer.Option("--group", metavar="VALUE", help="With --by: the value of the break-down.", rich_help_panel=_CELL),
]


def register(app: typer.Typer) -> None:
    """Add `people` to the command line."""
    people = typer.Typer(no_args_is_help=True, help="The persons behind a number: ask as before, and say which one.")
    people.command("funnel")(people_of_funnel)
    people.command("flow")(people_of_flow)
    people.command("variants")(people_of_variants)
    app.add_typer(people, name="people")


@asking(funnel_question)
def people_of_funnel(
    ctx: typer.Context,
    spec: FunnelSpec,
    at: Annotated[str, typer.Option(metavar="N|STEP", help="The step, by position or name.", rich_help_panel=_CELL)],
    dropped: Annotated[
        bool, typer.Option("--dropped", help="Only those for whom it was the last.", rich_help_panel=_CELL)
    ] = False,
    group: GroupOption = "",
    chosen: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """The persons who did a step of a funnel, or stopped at it.

    Example: percorso people funnel --step "Product Viewed" --step "Order Completed" --at 1 --dropped
    """
    _write(ctx, spec, FunnelCell(step=at, dropped=dropped, group=group), chosen, output)


@asking(flow_question)
def people_of_flow(
    ctx: typer.Context,
    spec: FlowSpec,
    edge: Annotated[
        tuple[str, str],
        typer.Option(metavar="FROM TO", help="The two nodes, also (start) and (end).", rich_help_panel=_CELL),
    ],
    position: Annotated[
        int | None, typer.Option(metavar="N", help="With --steps: the position.", rich_help_panel=_CELL)
    ] = None,
    group: GroupOption = "",
    chosen: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """The persons who went from one node to another.

    Example: percorso people flow --unit place --edge site store
    """
    _write(ctx, spec, FlowCell(source=edge[0], target=edge[1], position=position, group=group), chosen, output)


@asking(variants_question)
def people_of_variants(
    ctx: typer.Context,
    spec: VariantsSpec,
    node: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NODE", help="The path's nodes, in order; none: all that are not shown.", rich_help_panel=_CELL
        ),
    ] = None,
    group: GroupOption = "",
    chosen: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """The persons with a path.

    Example: percorso people variants --unit place --collapse --node site --node store
    """
    _write(ctx, spec, VariantCell(path=tuple(node or ()), group=group), chosen, output)


def _write(
    ctx: typer.Context,
    spec: FunnelSpec | FlowSpec | VariantsSpec,
    cell: Cell,
    chosen: FormatOption,
    output: OutputOption,
) -> None:
    workspace = workspace_of(ctx)
    target = output_of(chosen, output)
    answer = ask_people(workspace, spec, cell, log=ready_log(workspace))
    notes = (f"{count_text(answer.table.num_rows)} persons. `percorso customer ID` shows one of them.",)
    write_answer(answer, target, notes=notes)
