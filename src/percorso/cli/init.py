"""`percorso init`: make a workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from percorso.cli.context import folder_of
from percorso.services.workspace import SETTINGS_FILE, init_workspace

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `init` to the command line."""
    app.command("init")(init)


def init(
    ctx: typer.Context,
    currency: Annotated[
        str, typer.Option(metavar="CODE", help="Currency of all values (ISO 4217), such as EUR.")
    ] = "EUR",
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="Time zone of days, weeks and months, such as Europe/Rome.")
    ] = "Europe/Rome",
    language: Annotated[
        str, typer.Option(metavar="it|en", help="Language of tables, maps, reports, stage names and percorso.toml.")
    ] = "it",
    country: Annotated[
        str, typer.Option(metavar="CODE", help="Country of phone numbers without a prefix (ISO 3166), such as IT.")
    ] = "IT",
    stage_model: Annotated[
        str,
        typer.Option(metavar="NAME", help="Stages: retail, evaluation, familiarity, purchase, support or decision."),
    ] = "retail",
) -> None:
    """Make a workspace: a folder with settings, a key, and room for events and journeys.

    Its place is -w DIR before the command, else $PERCORSO_HOME, else ./percorso-data.
    """
    workspace = init_workspace(
        folder_of(ctx),
        currency=currency,
        timezone=timezone,
        language=language,
        country=country,
        stage_model=stage_model,
    )
    folder = folder_of(ctx)
    typer.echo(f"Workspace made in {workspace.folder}")
    typer.echo("")
    typer.echo("What to do next:")
    typer.echo(f"  1. Look at {folder / SETTINGS_FILE}: every setting stands there with its meaning.")
    typer.echo(f"  2. See how a file would be read:  percorso -w {folder} import FILE --dry-run")
    typer.echo(f"  3. Import it and build journeys:  percorso -w {folder} import FILE")
    typer.echo(f"                                    percorso -w {folder} build")
    typer.echo("")
    typer.echo("Keep a backup of secret.key: without it the same people get other ids.")
