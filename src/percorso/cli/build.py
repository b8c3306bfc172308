"""`percorso build`: bring the journey log up to date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from percorso.cli.context import words_of, workspace_of
from percorso.cli.progress import build_progress
from percorso.cli.streams import write_json
from percorso.cli.texts import counted_lines, tenths_text, unit_of
from percorso.language.words import Words
from percorso.services.build import BuildReport, build_log

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `build` to the command line."""
    app.command("build")(build)


def build(
    ctx: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="Build even if nothing has changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Turn events into persons, sessions and journeys.

    Questions do this by themselves when events or settings have changed; do it
    yourself after a large import, so that the first question need not wait.
    """
    workspace, words = workspace_of(ctx), words_of(ctx)
    with build_progress(words) as progress:
        report = build_log(workspace, full=full, progress=progress)
    if as_json:
        write_json(report.as_dict())
    else:
        typer.echo(_summary(report, words))


def _summary(report: BuildReport, words: Words) -> str:
    """The report for people."""
    head = words.text("build.unchanged")
    if report.built:
        head = words.text("build.built", seconds=tenths_text(report.seconds, words))
    rows = [
        (report.events, unit_of(report.events, "event", words), _asides(report, words)),
        (report.persons, unit_of(report.persons, "person", words), ""),
        (report.sessions, unit_of(report.sessions, "session", words), words.text("build.of_sessions")),
        (report.journeys, unit_of(report.journeys, "journey", words), words.text("build.of_journeys")),
    ]
    return "\n".join([head, "", *counted_lines(rows, words), *_future(report, words)])


def _future(report: BuildReport, words: Words) -> list[str]:
    """A wrong date in a file makes everything look long past: say so."""
    newest = datetime.fromisoformat(report.newest)
    if newest <= datetime.now(UTC) + timedelta(days=1):
        return []
    future = words.text("build.future", day=words.numbers.date(newest))
    return ["", words.text("terminal.warning", text=future), words.text("build.future_advice")]


def _asides(report: BuildReport, words: Words) -> str:
    """What should not go unnoticed about the events."""
    asides = []
    if report.unidentified:
        asides.append(words.text("plots.n_of_nobody", n=report.unidentified))
    if report.duplicates:
        asides.append(words.text("build.copies", n=report.duplicates))
    return ", ".join(asides)
