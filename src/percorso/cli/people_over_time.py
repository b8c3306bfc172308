"""`percorso people journeys|retention|lifecycle|timeout`: the persons behind a number of these answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from percorso.analyses.journeys import JourneysSpec
from percorso.analyses.lifecycle import LifecycleSpec
from percorso.analyses.retention import RetentionSpec
from percorso.analyses.timeouts import TimeoutsSpec
from percorso.cli.journeys import journeys_question
from percorso.cli.lifecycle import lifecycle_question
from percorso.cli.options import asking
from percorso.cli.output import FormatOption, JsonOption, Output, OutputOption, output_of
from percorso.cli.retention import retention_question
from percorso.cli.suggest import timeout_question
from percorso.services.people_over_time import JourneysCell, LifecycleCell, RetentionCell, TimeoutCell

__all__ = ["register_over_time"]

_CELL = "Which number"

#: Writes the persons of a cell: context, spec, cell, output.
Writer = Callable[[typer.Context, Any, Any, Output], None]

GroupOption = Annotated[
    str,
    typer.Option("--group", metavar="VALUE", help="With --by: the value of the break-down.", rich_help_panel=_CELL),
]


def register_over_time(people: typer.Typer, write: Writer) -> None:
    """Add the commands to `percorso people`."""

    @asking(journeys_question)
    def of_journeys(
        ctx: typer.Context,
        spec: JourneysSpec,
        outcome: Annotated[
            str,
            typer.Option(
                metavar="converted|abandoned|open|kept|returned|cancelled",
                help="How a journey of theirs ended.",
                rich_help_panel=_CELL,
            ),
        ],
        group: GroupOption = "",
        chosen: FormatOption = None,
        as_json: JsonOption = False,
        output: OutputOption = None,
    ) -> None:
        """The persons with a journey that ended so.

        Example: percorso people journeys --by first_channel --outcome abandoned --group Email
        """
        write(ctx, spec, JourneysCell(outcome=outcome, group=group), output_of(chosen, output, as_json))

    @asking(retention_question)
    def of_retention(
        ctx: typer.Context,
        spec: RetentionSpec,
        cohort: Annotated[
            str, typer.Option(metavar="COHORT", help="As the table shows it, such as 2024-03.", rich_help_panel=_CELL)
        ],
        k: Annotated[
            int | None,
            typer.Option("--k", metavar="N", help="Those who came back so many periods later.", rich_help_panel=_CELL),
        ] = None,
        away: Annotated[
            bool, typer.Option("--away", help="With --k: those who did not.", rich_help_panel=_CELL)
        ] = False,
        group: GroupOption = "",
        chosen: FormatOption = None,
        as_json: JsonOption = False,
        output: OutputOption = None,
    ) -> None:
        """The persons of a cohort, or those of them who came back, or did not.

        Example: percorso people retention --cohort 2024-03 --k 1 --away
        """
        cell = RetentionCell(cohort=cohort, k=k, stayed=not away, group=group)
        write(ctx, spec, cell, output_of(chosen, output, as_json))

    @asking(lifecycle_question)
    def of_lifecycle(
        ctx: typer.Context,
        spec: LifecycleSpec,
        what: Annotated[
            str,
            typer.Option(
                metavar="STATE|RELATIONSHIP",
                help="With --interval: active, new, returning, resurrecting, dormant. Without: a relationship, such as"
                " at_risk.",
                rich_help_panel=_CELL,
            ),
        ],
        interval: Annotated[
            str, typer.Option(metavar="INTERVAL", help="As the table shows it.", rich_help_panel=_CELL)
        ] = "",
        chosen: FormatOption = None,
        as_json: JsonOption = False,
        output: OutputOption = None,
    ) -> None:
        """The persons in a state in an interval, or with a relationship now.

        Example: percorso people lifecycle --what at_risk
        """
        write(ctx, spec, LifecycleCell(what=what, interval=interval), output_of(chosen, output, as_json))

    @asking(timeout_question)
    def of_timeout(
        ctx: typer.Context,
        spec: TimeoutsSpec,
        days: Annotated[int, typer.Option(metavar="N", help="The time-out, in days.", rich_help_panel=_CELL)],
        chosen: FormatOption = None,
        as_json: JsonOption = False,
        output: OutputOption = None,
    ) -> None:
        """The buyers whom a time-out would cut off from what they did before.

        Example: percorso people timeout --days 30
        """
        write(ctx, spec, TimeoutCell(days=days), output_of(chosen, output, as_json))

    for name, command in (
        ("journeys", of_journeys),
        ("retention", of_retention),
        ("lifecycle", of_lifecycle),
        ("timeout", of_timeout),
    ):
        people.command(name)(command)
