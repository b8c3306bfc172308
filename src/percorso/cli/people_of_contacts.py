"""`percorso people channels|places|touchpoints|stages`: the persons behind a number of these answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from percorso.analyses.channels import ChannelsSpec
from percorso.analyses.places import PlacesSpec
from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec
from percorso.analyses.touchpoints import TouchpointsSpec
from percorso.cli.contacts import contact_scope
from percorso.cli.options import asking
from percorso.cli.output import FormatOption, JsonOption, Output, OutputOption, output_of
from percorso.services.people_of_contacts import ContactCell

__all__ = ["register_of_contacts"]

_CELL = "Which number"

#: Writes the persons of a cell: context, spec, cell, output.
Writer = Callable[[typer.Context, Any, Any, Output], None]

GroupOption = Annotated[
    str,
    typer.Option("--group", metavar="VALUE", help="With --by: the value of the break-down.", rich_help_panel=_CELL),
]


def _name_option(noun: str) -> Any:
    return typer.Option(f"--{noun}", metavar="NAME", help="As the table shows it.", rich_help_panel=_CELL)


def _role_option(roles: str, default: str) -> Any:
    return typer.Option(
        "--role", metavar=roles, help=f"Which of its persons. Default: {default}.", rich_help_panel=_CELL
    )


def register_of_contacts(people: typer.Typer, write: Writer) -> None:
    """Add the commands to `percorso people`."""

    @asking(contact_scope)
    def of_channels(
        ctx: typer.Context,
        scope: Scope,
        channel: Annotated[str, _name_option("channel")],
        role: Annotated[str, _role_option("reached|new|first|last|assist|bought", "reached")] = "",
        group: GroupOption = "",
        chosen: FormatOption = None,
        as_json: JsonOption = False,
        output: OutputOption = None,
    ) -> None:
        """The persons whom a channel reached, or in whose journeys it is something.

        Example: percorso people channels --channel Email --role assist
        """
        cell = ContactCell(name=channel, role=role, group=group)
        write(ctx, ChannelsSpec(scope=scope), cell, output_of(chosen, output, as_json))

    @asking(contact_scope)
    def of_places(
        ctx: typer.Context,
        scope: Scope,
        place: Annotated[str, _name_option("place")],
        role: Annotated[str, _role_option("reached|new|first|last|assist|bought", "reached")] = "",
        group: GroupOption = "",
        chosen: FormatOption = None,
        as_json: JsonOption = False,
        output: OutputOption = None,
    ) -> None:
        """The persons with a contact at a place, or in whose journeys it is something.

        Example: percorso people places --place store --role bought
        """
        cell = ContactCell(name=place, role=role, group=group)
        write(ctx, PlacesSpec(scope=scope), cell, output_of(chosen, output, as_json))

    @asking(contact_scope)
    def of_touchpoints(
        ctx: typer.Context,
        scope: Scope,
        touchpoint: Annotated[str, _name_option("touchpoint")],
        role: Annotated[str, _role_option("reached|first|last|assist|bought|exited", "reached")] = "",
        group: GroupOption = "",
        chosen: FormatOption = None,
        as_json: JsonOption = False,
        output: OutputOption = None,
    ) -> None:
        """The persons who met a touchpoint, or left there.

        Example: percorso people touchpoints --touchpoint checkout --role exited
        """
        cell = ContactCell(name=touchpoint, role=role, group=group)
        write(ctx, TouchpointsSpec(scope=scope), cell, output_of(chosen, output, as_json))

    @asking(contact_scope)
    def of_stages(
        ctx: typer.Context,
        scope: Scope,
        stage: Annotated[str, _name_option("stage")],
        role: Annotated[str, _role_option("in|progressed|skipped|regressed|exited|now", "in")] = "",
        group: GroupOption = "",
        chosen: FormatOption = None,
        as_json: JsonOption = False,
        output: OutputOption = None,
    ) -> None:
        """The persons at a stage, who moved from it, or who left there.

        Example: percorso people stages --stage consideration --role exited
        """
        cell = ContactCell(name=stage, role=role, group=group)
        write(ctx, StagesSpec(scope=scope), cell, output_of(chosen, output, as_json))

    for name, command in (
        ("channels", of_channels),
        ("places", of_places),
        ("touchpoints", of_touchpoints),
        ("stages", of_stages),
    ):
        people.command(name)(command)
