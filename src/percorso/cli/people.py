"""`percorso people funnel|flow|variants|...`: the persons behind a number of an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from percorso.analyses.flow import FlowSpec
from percorso.analyses.funnel import FunnelSpec
from percorso.analyses.kpis import KpisSpec
from percorso.analyses.result import Result
from percorso.analyses.variants import VariantsSpec
from percorso.cli.context import command_line, words_of, workspace_of
from percorso.cli.flow import flow_question
from percorso.cli.funnel import funnel_question
from percorso.cli.kpis import kpis_question
from percorso.cli.options import as_of_text, asking
from percorso.cli.output import FormatOption, JsonOption, Layout, Output, OutputOption, output_of, write_answer
from percorso.cli.people_of_contacts import register_of_contacts
from percorso.cli.people_over_time import register_over_time
from percorso.cli.progress import ready_log
from percorso.cli.variants import variants_question
from percorso.errors import SpecError
from percorso.services.kpis import ask_kpi_people
from percorso.services.people import Cell, FlowCell, FunnelCell, VariantCell, ask_people
from percorso.services.people_of_contacts import SpecOfContacts
from percorso.services.people_over_time import SpecOverTime
from percorso.time import zone_of

__all__ = ["register", "tell_people"]

_CELL = "Which number"
_LAYOUT = Layout(
    titles={
        "first_time": "first seen",
        "last_time": "last seen",
        "n_events": "events",
        "n_sessions": "sessions",
        "n_orders": "orders",
    },
    secondary=("n_sessions", "kind"),
    ids=("person",),
)

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
    register_of_contacts(people, _write)
    register_over_time(people, _write)
    people.command("kpis")(people_of_kpis)
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
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """The persons who did a step of a funnel, or stopped at it.

    Example: percorso people funnel --step "Product Viewed" --step "Order Completed" --at 1 --dropped
    """
    _write(ctx, spec, FunnelCell(step=at, dropped=dropped, group=group), output_of(chosen, output, as_json))


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
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """The persons who went from one node to another.

    Example: percorso people flow --unit place --edge site store
    """
    _write(
        ctx,
        spec,
        FlowCell(source=edge[0], target=edge[1], position=position, group=group),
        output_of(chosen, output, as_json),
    )


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
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """The persons with a path.

    Example: percorso people variants --unit place --collapse --node site --node store
    """
    _write(ctx, spec, VariantCell(path=tuple(node or ()), group=group), output_of(chosen, output, as_json))


@asking(kpis_question)
def people_of_kpis(
    ctx: typer.Context,
    spec: KpisSpec,
    group: GroupOption = "",
    chosen: FormatOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """The persons behind a KPI: those that it counts, or whose orders, carts or contacts it counts.

    Example: percorso people kpis --kpi at_risk; percorso people kpis --kpi cart_abandonment --last 30d
    """
    if len(spec.kpis) != 1:
        raise SpecError("Which KPI? Name one.", hint="percorso people kpis --kpi at_risk")
    workspace, target = workspace_of(ctx), output_of(chosen, output, as_json)
    answer = ask_kpi_people(workspace, spec, spec.kpis[0], group=group, log=ready_log(workspace))
    tell_people(ctx, answer, target)


def _write(
    ctx: typer.Context,
    spec: FunnelSpec | FlowSpec | VariantsSpec | SpecOfContacts | SpecOverTime,
    cell: Cell,
    target: Output,
) -> None:
    workspace = workspace_of(ctx)
    tell_people(ctx, ask_people(workspace, spec, cell, log=ready_log(workspace)), target)


def tell_people(ctx: typer.Context, answer: Result, target: Output, *, persons: bool = True) -> None:
    """Write a table of persons; with `persons`, and where the question has a rule of persons, how many meet it."""
    words = words_of(ctx)
    note = words.text(
        "terminal.people_note",
        persons=words.text("counted.persons", n=answer.table.num_rows),
        as_of=as_of_text(answer, words, persons=persons),
        command=f"{command_line(ctx)} customer ID",
    )
    layout = replace(_LAYOUT, zone=zone_of(answer.spec.scope.timezone))
    write_answer(answer, target, layout=layout, notes=(note,), words=words)
