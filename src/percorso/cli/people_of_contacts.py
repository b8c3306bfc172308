"""`percorso people channels|places|touchpoints|stages`: the persons behind a number of these answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import typer

from percorso.analyses.channels import ChannelsSpec
from percorso.analyses.places import PlacesSpec
from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec
from percorso.analyses.touchpoints import TouchpointsSpec
from percorso.cli.context import words_of
from percorso.cli.options import asking, scope_of
from percorso.cli.output import Output, writing
from percorso.cli.people_table import CELL, GroupOption, write_people
from percorso.cli.tables import code_of
from percorso.services.people_of_contacts import ContactCell, SpecOfContacts

__all__ = ["register_of_contacts"]


@dataclass(frozen=True, slots=True)
class _Noun:
    """What a command asks for: `noun` is its option, the first of `roles` the default, `help` its docstring."""

    noun: Literal["channel", "place", "touchpoint", "stage"]
    spec: type[SpecOfContacts]
    roles: str
    help: str


_NOUNS = (
    _Noun(
        "channel",
        ChannelsSpec,
        "reached|new|first|last|assist|bought",
        """The persons whom a channel reached, or in whose journeys it is something.

        Example: percorso people channels --channel Email --role assist
        """,
    ),
    _Noun(
        "place",
        PlacesSpec,
        "reached|new|first|last|assist|bought",
        """The persons with a contact at a place, or in whose journeys it is something.

        Example: percorso people places --place store --role bought
        """,
    ),
    _Noun(
        "touchpoint",
        TouchpointsSpec,
        "reached|first|last|assist|bought|exited",
        """The persons who met a touchpoint, or left there.

        Example: percorso people touchpoints --touchpoint checkout --role exited
        """,
    ),
    _Noun(
        "stage",
        StagesSpec,
        "in|progressed|skipped|regressed|exited|now",
        """The persons at a stage, who moved from it, or who left there.

        Example: percorso people stages --stage consideration --role exited
        """,
    ),
)


def register_of_contacts(people: typer.Typer) -> None:
    """Add the commands to `percorso people`."""
    for one in _NOUNS:
        people.command(f"{one.noun}s", help=one.help)(_command(one))


def _command(of: _Noun) -> Callable[..., None]:
    named = typer.Option(..., f"--{of.noun}", metavar="NAME", help="As the table shows it.", rich_help_panel=CELL)
    default = of.roles.partition("|")[0]
    roles = typer.Option(
        "",
        "--role",
        metavar=of.roles,
        help=f"Which of its persons. Default: {default}.",
        show_default=False,
        rich_help_panel=CELL,
    )

    @asking(scope_of)
    @writing
    def command(
        ctx: typer.Context,
        scope: Scope,
        name: str = named,
        role: str = roles,
        group: GroupOption = "",
        *,
        target: Output,
    ) -> None:
        shown = code_of(of.noun, name, words_of(ctx))
        write_people(ctx, of.spec(scope=scope), ContactCell(name=shown, role=role, group=group), target)

    return command
