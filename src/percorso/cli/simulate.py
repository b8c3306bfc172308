"""`percorso simulate`: the exports of an invented shop."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from percorso.cli.output import Format, Output, write_json, write_table
from percorso.cli.progress import build_progress
from percorso.demo.simulate import Simulated, simulate
from percorso.services.demo import check_customers

__all__ = ["register"]

_STEPS = 1000


def register(app: typer.Typer) -> None:
    """Add `simulate` to the command line."""
    app.command("simulate")(simulate_command)


def simulate_command(
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
    with build_progress() as progress:
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
        _tell(done)


def _as_dict(done: Simulated) -> dict[str, object]:
    return {
        "files": [{"file": str(file.path), "rows": file.rows, "bytes": file.n_bytes} for file in done.files],
        "truth": str(done.truth),
        "events": done.events,
        "seconds": round(done.seconds, 3),
    }


def _tell(done: Simulated) -> None:
    table = pa.table(
        {
            "file": [file.path.name for file in done.files],
            "rows": [file.rows for file in done.files],
            "MB": [round(file.n_bytes / 1e6, 1) for file in done.files],
        }
    )
    speed = done.events / done.seconds if done.seconds else 0.0
    notes = [
        f"{done.events:,} events in {done.seconds:.1f} seconds, {speed:,.0f} a second.",
        f"What was planted:  {done.truth}",
        f"How to import it:  {done.truth.parent / 'mappings'}",
    ]
    write_table(table, Output(Format.table), notes=notes)
    sys.stdout.flush()
