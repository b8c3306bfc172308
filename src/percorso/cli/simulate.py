"""`percorso simulate`: the exports of an invented shop."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from percorso.cli.context import invocation_of, words_anywhere
from percorso.cli.output import Format, Layout, Output, write_json, write_table
from percorso.cli.progress import build_progress
from percorso.cli.texts import count_text, tenths_text
from percorso.demo.simulate import Simulated, simulate
from percorso.language.words import Words
from percorso.services.demo import check_customers

__all__ = ["register"]

_STEPS = 1000
_LAYOUT = Layout(formats={"MB": tenths_text})


def register(app: typer.Typer) -> None:
    """Add `simulate` to the command line."""
    app.command("simulate")(simulate_command)


def simulate_command(
    ctx: typer.Context,
    customers: Annotated[int, typer.Option(metavar="N", help="How many customers; 38000 is the full shop.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files; made where missing.")],
    seed: Annotated[int, typer.Option(metavar="S", help="Equal seeds write equal files.")] = 7,
    months: Annotated[int, typer.Option(metavar="M", help="How many months from September 2024 on, 1 to 24.")] = 13,
    processes: Annotated[
        int | None, typer.Option(metavar="P", help="How many processes; what is written is the same. Default: all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Write what the tools of Legnocorda, an invented shop for musical instruments, export.

    Each file has its own tool's format, with the dirt that comes with it. The
    folder mappings holds how to import them, truth.json what was planted.
    """
    check_customers(customers, months)
    words = words_anywhere(invocation_of(ctx))
    with build_progress(words) as progress:
        done = simulate(
            out,
            customers=customers,
            seed=seed,
            months=months,
            processes=processes,
            progress=lambda share: progress("simulating", int(share * _STEPS), _STEPS),
        )
    if as_json:
        write_json(_as_dict(done))
    else:
        _tell(done, words)


def _as_dict(done: Simulated) -> dict[str, object]:
    return {
        "files": [{"file": str(file.path), "rows": file.rows, "bytes": file.n_bytes} for file in done.files],
        "truth": str(done.truth),
        "events": done.events,
        "seconds": round(done.seconds, 3),
    }


def _tell(done: Simulated, words: Words) -> None:
    table = pa.table(
        {
            "file": [file.path.name for file in done.files],
            "rows": [file.rows for file in done.files],
            "MB": [file.n_bytes / 1e6 for file in done.files],
        }
    )
    speed = count_text(round(done.events / done.seconds) if done.seconds else 0, words)
    seconds = tenths_text(done.seconds, words)
    notes = [
        words.text("setup.simulated", n=done.events, seconds=seconds, speed=speed),
        words.text("setup.planted", file=str(done.truth)),
        words.text("setup.mappings", folder=str(done.truth.parent / "mappings")),
    ]
    write_table(table, Output(Format.table), layout=_LAYOUT, notes=notes, words=words)
    sys.stdout.flush()
