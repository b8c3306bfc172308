"""`percorso spark`: what Apache Spark's workers need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from percorso.cli.context import invocation_of, words_anywhere
from percorso.cli.streams import write_json
from percorso.cli.texts import tenths_text
from percorso.services.spark_pack import pack_environment

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `spark` to the command line."""
    spark = typer.Typer(no_args_is_help=True, help="What a cluster needs to work for you.")
    spark.command("pack")(pack_command)
    spark.callback()(_no_options)  # with it, it stays a group, even of one command
    app.add_typer(spark, name="spark")


def _no_options() -> None: ...


def pack_command(
    ctx: typer.Context,
    output: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="The archive; its name ends in .tar.gz or .tgz.")
    ] = Path("percorso-environment.tar.gz"),
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Pack Percorso, the packages it needs and its compiled kernels for Spark's workers.

    They are those installed here, in their very versions; nothing is fetched.
    """
    packed, words = pack_environment(output), words_anywhere(invocation_of(ctx))
    if as_json:
        write_json(packed.as_dict())
        return
    size, seconds = (tenths_text(value, words) for value in (packed.size_bytes / 1e6, packed.seconds))
    typer.echo(words.text("setup.packed", file=packed.file, n=len(packed.packages), size=size, seconds=seconds))
    typer.echo(words.text("setup.packed_for", python=packed.python, platform=packed.platform))
