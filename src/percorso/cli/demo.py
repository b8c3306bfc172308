"""`percorso demo`: the invented shop, from its files to its journeys."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from percorso.cli.context import words_without
from percorso.cli.progress import build_progress
from percorso.cli.texts import count_text, counted_lines, unit_of
from percorso.language.words import Words
from percorso.services.demo import DEFAULT_CUSTOMERS, DemoReport, DemoRequest, make_demo

__all__ = ["called", "has_display", "register"]


def register(app: typer.Typer) -> None:
    """Add `demo` to the command line."""
    app.command("demo")(demo)


def demo(
    ctx: typer.Context,
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
    words = words_without(ctx, language)
    typer.echo(words.text("setup.shop", n=customers))
    folder = folder or _default_folder()
    with build_progress(words, notice=words.text("setup.under_way")) as progress:
        report = make_demo(DemoRequest(folder, customers, seed, months, language), progress)
    typer.echo(_summary(report, folder, words))
    if not no_open and has_display():
        # The page that is opened last stands in front.
        for page in (report.report, report.map):
            webbrowser.open(page.absolute().as_uri())


def _default_folder() -> Path:
    """demo-data, or a temporary folder where that cannot be made."""
    here = Path("demo-data")
    writable = os.access(here if here.exists() else Path(), os.W_OK)
    return here if writable else Path(tempfile.mkdtemp(prefix="percorso-demo."))


def _summary(report: DemoReport, folder: Path, words: Words) -> str:
    simulated, built = report.simulated, report.built
    unreadable = sum(file.rejected for file in report.imported)
    twice = sum(file.duplicates for file in report.imported)
    seconds = count_text(round(simulated.seconds), words)
    written = words.text("setup.written_in", seconds=seconds, n=len(simulated.files))
    faults = words.text("setup.twice_and_unreadable", twice=twice, unreadable=unreadable)
    nobodys = words.text("setup.without_customer", n=built.unidentified)
    rows = [
        (simulated.events, words.text("setup.rows_written"), written),
        (built.events, unit_of(built.events, "event", words), faults),
        (built.persons, unit_of(built.persons, "person", words), nobodys),
        (built.sessions, unit_of(built.sessions, "session", words), words.text("build.of_sessions")),
        (built.journeys, unit_of(built.journeys, "journey", words), ""),
    ]
    return "\n".join(["", *counted_lines(rows, words), "", *_next(report, folder, words)])


def _next(report: DemoReport, folder: Path, words: Words) -> list[str]:
    """What to do now."""
    command = f"{called()} -w {folder / 'workspace'}"
    buyer = "funnel --step 'Product Viewed' --step 'Product Added' --step 'Order Completed' --within 7d --by device"
    questions = (
        (words.text("setup.ask_funnel"), buyer),
        (words.text("setup.ask_flow"), "flow --unit stage --collapse"),
        (words.text("setup.ask_segments"), "segment list"),
        (words.text("setup.ask_variants"), "variants --unit channel --collapse --kind purchase --top 10"),
        (words.text("setup.ask_customer"), "customer giulia.pendolare@posta.example"),
    )
    pages = ((report.map, words.text("setup.its_map")), (report.report, words.text("setup.everything")))
    width = max(len(str(page)) for page, _ in pages)
    return [
        words.text("setup.look"),
        *(f"  {page!s:{width}}  {aside}" for page, aside in pages),
        words.text("setup.ask"),
        *(f"  {question}\n    {command} {asked}" for question, asked in questions),
        words.text("setup.planted_demo", file=str(folder / "files" / "truth.json")),
    ]


def called() -> str:
    """How to call the command again: `make demo` calls it by its place, since it is on nobody's path yet."""
    own = Path(sys.argv[0])
    return str(own) if own.name == "percorso" and shutil.which("percorso") is None else "percorso"


def has_display() -> bool:
    """Is there somebody in front of a screen?"""
    if not sys.stdout.isatty():
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
