"""`percorso demo`: the invented shop, from its files to its journeys."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from percorso.cli.progress import build_progress
from percorso.cli.texts import count_text
from percorso.services.demo import DEFAULT_CUSTOMERS, DemoReport, DemoRequest, make_demo

__all__ = ["has_display", "register"]


def register(app: typer.Typer) -> None:
    """Add `demo` to the command line."""
    app.command("demo")(demo)


def demo(
    customers: Annotated[
        int, typer.Option(metavar="N", help="How many customers; 38000 is the full shop.")
    ] = DEFAULT_CUSTOMERS,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Gets the files and the workspace. Default: demo-data.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Equal seeds make equal shops.")] = 7,
    months: Annotated[int, typer.Option(metavar="M", help="How many months from September 2024 on, 1 to 24.")] = 13,
    language: Annotated[str, typer.Option(metavar="it|en", help="Language of the workspace and its report.")] = "it",
    no_open: Annotated[bool, typer.Option("--no-open", help="Open no browser at the end.")] = False,
) -> None:
    """Make an invented shop and its workspace: simulate, import, build, report, journey map.

    It can be run again: what it made is made anew.
    """
    typer.echo(f"Legnocorda, an invented shop for musical instruments, with {count_text(customers)} customers.")
    folder = folder or _default_folder()
    with build_progress(notice="Simulating, importing, building ...") as progress:
        report = make_demo(DemoRequest(folder, customers, seed, months, language), progress)
    typer.echo(_summary(report, folder))
    if not no_open and has_display():
        # The page that is opened last stands in front.
        for page in (report.report, report.map):
            webbrowser.open(page.absolute().as_uri())


def _default_folder() -> Path:
    """demo-data, or a temporary folder where that cannot be made."""
    here = Path("demo-data")
    writable = os.access(here if here.exists() else Path(), os.W_OK)
    return here if writable else Path(tempfile.mkdtemp(prefix="percorso-demo."))


def _summary(report: DemoReport, folder: Path) -> str:
    simulated, built = report.simulated, report.built
    rejected = sum(file.rejected for file in report.imported)
    duplicates = sum(file.duplicates for file in report.imported)
    rows = [
        (simulated.events, "rows written", f"{simulated.seconds:.0f} seconds, {len(simulated.files)} files"),
        (built.events, "events", f"{count_text(duplicates)} sent twice, {count_text(rejected)} unreadable"),
        (built.persons, "persons", f"{count_text(built.unidentified)} events without a customer"),
        (built.sessions, "sessions", "on site or app"),
        (built.journeys, "journeys", ""),
    ]
    width = max(len(count_text(count)) for count, _, _ in rows)
    lines = [f"  {count_text(count):>{width}}  {name:<17} {aside}".rstrip() for count, name, aside in rows]
    return "\n".join(["", *lines, "", *_next(report, folder)])


def _next(report: DemoReport, folder: Path) -> list[str]:
    """What to do now."""
    command = f"percorso -w {folder / 'workspace'}"
    buyer = "funnel --step 'Product Viewed' --step 'Product Added' --step 'Order Completed' --within 7d --by device"
    pages = ((report.map, "its journey map"), (report.report, "everything on one page"))
    width = max(len(str(page)) for page, _ in pages)
    return [
        "Look at it:",
        *(f"  {page!s:{width}}  {aside}" for page, aside in pages),
        "Ask it:",
        f"  {command} {buyer}",
        f"  {command} flow --unit stage --collapse",
        f"  {command} segment list",
        f"  {command} variants --unit channel --collapse --kind purchase --top 10",
        f"  {command} customer giulia.pendolare@posta.example",
        f"What was planted, to be found again:  {folder / 'files' / 'truth.json'}",
    ]


def has_display() -> bool:
    """Is there somebody in front of a screen?"""
    if not sys.stdout.isatty():
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
