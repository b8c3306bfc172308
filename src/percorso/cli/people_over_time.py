"""`percorso people journeys|retention|lifecycle|timeout`: the persons behind a number of these answers."""

from __future__ import annotations

from typing import Annotated

import typer

from percorso.analyses.journeys import JourneysSpec
from percorso.analyses.lifecycle import LifecycleSpec
from percorso.analyses.retention import RetentionSpec
from percorso.analyses.timeouts import TimeoutsSpec
from percorso.cli.context import words_of
from percorso.cli.journeys import journeys_question
from percorso.cli.lifecycle import lifecycle_question
from percorso.cli.options import asking
from percorso.cli.output import Output, writing
from percorso.cli.people_table import CELL, GroupOption, write_people
from percorso.cli.retention import retention_question
from percorso.cli.suggest import timeout_question
from percorso.cli.tables import code_of
from percorso.services.people_over_time import JourneysCell, LifecycleCell, RetentionCell, TimeoutCell

__all__ = ["register_over_time"]


def register_over_time(people: typer.Typer) -> None:
    """Add the commands to `percorso people`."""
    people.command("journeys")(of_journeys)
    people.command("retention")(of_retention)
    people.command("lifecycle")(of_lifecycle)
    people.command("timeout")(of_timeout)


@asking(journeys_question)
@writing
def of_journeys(
    ctx: typer.Context,
    spec: JourneysSpec,
    outcome: Annotated[
        str,
        typer.Option(
            metavar="converted|abandoned|open|kept|returned|cancelled",
            help="How a journey of theirs ended.",
            rich_help_panel=CELL,
        ),
    ],
    group: GroupOption = "",
    *,
    target: Output,
) -> None:
    """The persons with a journey that ended so.

    Example: percorso people journeys --by first_channel --outcome abandoned --group Email
    """
    outcome = code_of("outcome", outcome, words_of(ctx))
    write_people(ctx, spec, JourneysCell(outcome=outcome, group=group), target)


@asking(retention_question)
@writing
def of_retention(
    ctx: typer.Context,
    spec: RetentionSpec,
    cohort: Annotated[
        str, typer.Option(metavar="COHORT", help="As the table shows it, such as 2024-03.", rich_help_panel=CELL)
    ],
    k: Annotated[
        int | None,
        typer.Option("--k", metavar="N", help="Those who came back so many periods later.", rich_help_panel=CELL),
    ] = None,
    away: Annotated[bool, typer.Option("--away", help="With --k: those who did not.", rich_help_panel=CELL)] = False,
    group: GroupOption = "",
    *,
    target: Output,
) -> None:
    """The persons of a cohort, or those of them who came back, or did not.

    Example: percorso people retention --cohort 2024-03 --k 1 --away
    """
    cell = RetentionCell(cohort=cohort, k=k, stayed=not away, group=group)
    write_people(ctx, spec, cell, target)


@asking(lifecycle_question)
@writing
def of_lifecycle(
    ctx: typer.Context,
    spec: LifecycleSpec,
    what: Annotated[
        str,
        typer.Option(
            metavar="STATE|RELATIONSHIP",
            help="With --interval: active, new, returning, resurrecting, dormant. Without: a relationship, such as"
            " at_risk.",
            rich_help_panel=CELL,
        ),
    ],
    interval: Annotated[
        str, typer.Option(metavar="INTERVAL", help="As the table shows it.", rich_help_panel=CELL)
    ] = "",
    *,
    target: Output,
) -> None:
    """The persons in a state in an interval, or with a relationship now.

    Example: percorso people lifecycle --what at_risk
    """
    what = code_of("head" if interval else "relationship", what, words_of(ctx))
    write_people(ctx, spec, LifecycleCell(what=what, interval=interval), target)


@asking(timeout_question)
@writing
def of_timeout(
    ctx: typer.Context,
    spec: TimeoutsSpec,
    days: Annotated[int, typer.Option(metavar="N", help="The time-out, in days.", rich_help_panel=CELL)],
    *,
    target: Output,
) -> None:
    """The buyers whom a time-out would cut off from what they did before.

    Example: percorso people timeout --days 30
    """
    write_people(ctx, spec, TimeoutCell(days=days), target)
