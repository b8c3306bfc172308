"""`percorso funnel`: how many get from step to step, and where they leave."""

from __future__ import annotations

from typing import Annotated

import typer

from percorso.analyses.funnel import FunnelSpec
from percorso.analyses.spec import Scope
from percorso.cli.context import words_of
from percorso.cli.options import PerOption, answer_of, as_of_text, asking, within_scope
from percorso.cli.output import Layout, Output, write_answer, writing
from percorso.cli.texts import percent_text, seconds_text
from percorso.errors import SpecError
from percorso.services.funnel import ask_funnel

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


@within_scope()
def funnel_question(
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
    counts_only: Annotated[bool, typer.Option("--counts-only", help="No times and orders: faster.")] = False,
    *,
    scope: Scope,
) -> FunnelSpec:
    """The funnel that the options ask for."""
    if per not in _COUNT_OF:
        raise SpecError(f"'{per}' is no unit.", hint="Allowed: person, journey, session.")
    if per and count and count != _COUNT_OF[per]:
        raise SpecError(f"--per {per} and --count {count} contradict each other.", hint="Leave one out.")
    return FunnelSpec(
        steps=tuple(step),
        within="" if within == _UNLIMITED else within,
        step_within=step_within,
        order=order,
        start=start,
        count=count or _COUNT_OF[per],
        exclude=tuple(exclude or ()),
        optional=tuple(optional or ()),
        counts_only=counts_only,
        scope=scope,
    )


@asking(funnel_question)
@writing
def funnel(ctx: typer.Context, spec: FunnelSpec, target: Output) -> None:
    """How many get from step to step, how fast, and where they leave.

    Example: percorso funnel --step "Product Viewed" --step "Product Added" --step "Order Completed" --within 7d
    """
    words = words_of(ctx)
    answer = answer_of(ctx, ask_funnel, spec)
    unit = words.code("unit", spec.count)
    notes = (words.text("terminal.funnel", unit=unit, as_of=as_of_text(answer, words)),)
    write_answer(answer, target, layout=_LAYOUT, notes=notes, words=words)
