"""`percorso export-person ID`: everything that is held on a person, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from percorso.cli.context import words_of, workspace_of
from percorso.errors import FileError
from percorso.language.said import said
from percorso.services.person_export import export_person, write_export

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `export-person` to the command line."""
    app.command("export-person")(export_person_command)


def export_person_command(
    ctx: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(metavar="ID", help="A person's id, user id, e-mail, phone, card, device id, ..."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file; it will be JSON.")],
    kind: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="What the id is: person, user_id, email, phone, ...")
    ] = "",
    space: Annotated[str, typer.Option(metavar="SPACE", help="Only ids of this id space.")] = "",
) -> None:
    """Write everything that is held on a person into a JSON file, to be handed to them.

    Identifiers, events as they came, rejected rows, sessions, journeys, orders,
    decisions, imports: raw values throughout. You alone may read the file.
    """
    workspace = workspace_of(ctx)
    if out.exists():
        raise FileError(said("errors.exists", file=str(out)), hint=said("errors.choose_other_name"))
    document = export_person(workspace, identifier, kind=kind, space=space)
    write_export(document, out)
    exported = words_of(ctx).text("erasure.exported", n=len(document["events"]), file=str(out))
    typer.echo(exported, err=True)
