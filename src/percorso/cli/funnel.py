"""`percorso funnel`: how many get from step to step, and where they leave."""

from __future__ import annotations

from typing import Annotated

import typer

from percorso.analyses.funnel import FunnelSpec
from percorso.cli.context import words_of, workspace_of
from percorso.cli.options import (
    AsOfOption,
    BotsOption,
    ByOption,
    FromOption,
    HeavyOption,
    PerOption,
    PersonaOption,
    PersonsOption,
    TimezoneOption,
    ToOption,
    WhereOption,
    as_of_text,
    asking,
    scope_of,
)
from percorso.cli.output import FormatOption, JsonOption, Layout, OutputOption, output_of, write_answer
from percorso.cli.progress import ready_log
from percorso.cli.texts import percent_text, seconds_text
from percorso.errors import SpecError
from percorso.services.funnel import ask_funnel
from percorso.services.workspace import Workspace

__all__ = ["funnel_question", "register"]

_LAYOUT = Layout(
    formats={
        **dict.fromkeys(("share", "low", "high", "from_previous"), percent_text),
        **dict.fromkeys(("median_s", "p90_s"), seconds_text),
    },
    titles={"position": "#", "from_previous": "from prev.", "median_s": "median", "p90_s": "p90"},
    secondary=("low high", "p90_s", "median_s"),
)
_UNLIMITED = "none"
_COUNT_OF = {"": "persons", "person": "persons", "journey": "journeys", "session": "sessions"}


def register(app: typer.Typer) -> None:
    """Add `funnel` to the command line."""
    app.command("funnel")(funnel)


def funnel_question(
    workspace: Workspace,
    step: Annotated[
        list[str],
        typer.Option("--step", metavar="STEP", help='A step, in order: an event\'s name, "A|B", "place:store", …'),
    ],
    within: Annotated[
        str, typer.Option(metavar="7d|none", help="Longest time from the first step to any step.")
    ] = "7d",
    step_within: Annotated[str, typer.Option(metavar="1d", help="Longest time from each step to the next.")] = "",
    order: Annotated[
        str,
        typer.Option(metavar="ordered|strict|any", help="In order, in order with nothing between, or in any order."),
    ] = "ordered",
    start: Annotated[str, typer.Option(metavar="latest|first", help="Which first step starts the clock.")] = "latest",
    count: Annotated[
        str,
        typer.Option(
            metavar="persons|journeys|sessions|totals",
            help="What is counted once each; totals: every attempt. Default: persons.",
        ),
    ] = "",
    per: PerOption = "",
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="STEP", help='An event that ends an attempt; "E@1-2": between steps 1 and 2 only.'),
    ] = None,
    optional: Annotated[
        list[str] | None, typer.Option(metavar="STEP", help="Which of the steps may be skipped.")
    ] = None,
    since: FromOption = "",
    until: ToOption = "",
    timezone: TimezoneOption = "",
    as_of: AsOfOption = "",
    where: WhereOption = "",
    persona: PersonaOption = "",
    persons: PersonsOption = "",
    by: ByOption = "",
    include_bots: BotsOption = False,
    include_heavy: HeavyOption = False,
) -> FunnelSpec:
    """The funnel that the options ask for."""
    if per not in _COUNT_OF:
        raise SpecError(f"'{per}' is no unit.", hint="Allowed: person, journey, session.")
    if per and count and count != _COUNT_OF[per]:
        raise SpecError(f"--per {per} and --count {count} contradict each other.", hint="Leave one out.")
    scope = scope_of(
        workspace,
        since=since,
        until=until,
        timezone=timezone,
        as_of=as_of,
        where=where,
        persona=persona,
        persons=persons,
        by=by,
        include_bots=include_bots,
        include_heavy=include_heavy,
        per="person",
    )
    return FunnelSpec(
        steps=tuple(step),
        within="" if within == _UNLIMITED else within,
        step_within=step_within,
        order=order,
        start=start,
        count=count or _COUNT_OF[per],
        exclude=tuple(exclude or ()),
        optional=tuple(optional or ()),
        scope=scope,
    )


@asking(funnel_question)
def funnel(
    ctx: typer.Context,
    spec: FunnelSpec,
    chosen: FormatOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """How many get from step to step, how fast, and where they leave.

    Example: percorso funnel --step "Product Viewed" --step "Product Added" --step "Order Completed" --within 7d
    """
    workspace, words = workspace_of(ctx), words_of(ctx)
    target = output_of(chosen, output, as_json)
    answer = ask_funnel(workspace, spec, log=ready_log(workspace))
    unit = words.code("unit", spec.count)
    notes = (words.text("terminal.funnel", unit=unit, as_of=as_of_text(answer, words)),)
    write_answer(answer, target, layout=_LAYOUT, notes=notes, words=words)
