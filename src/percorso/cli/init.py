"""`percorso init`: make a workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from percorso.cli.context import folder_of, words_without
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
    folder, words = folder_of(ctx), words_without(ctx, language)
    commands = {
        words.text("setup.preview"): f"percorso -w {folder} import FILE --dry-run",
        words.text("setup.import_it"): f"percorso -w {folder} import FILE",
        "": f"percorso -w {folder} build",
    }
    width = max(map(len, commands))
    steps = [
        words.text("setup.settings", file=str(folder / SETTINGS_FILE)),
        *(f"{what:<{width}}  {command}" for what, command in commands.items()),
    ]
    typer.echo(words.text("setup.made", folder=str(workspace.folder)))
    typer.echo("")
    typer.echo(words.text("setup.next"))
    for number, step in zip(("1.", "2.", "3.", "  "), steps, strict=True):
        typer.echo(f"  {number} {step}")
    typer.echo("")
    typer.echo(words.text("setup.backup"))
