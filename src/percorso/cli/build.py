"""`percorso build`: bring the journey log up to date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from percorso.cli.context import workspace_of
from percorso.cli.progress import build_progress
from percorso.cli.streams import write_json
from percorso.cli.texts import count_text
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
    workspace = workspace_of(ctx)
    with build_progress() as progress:
        report = build_log(workspace, full=full, progress=progress)
    if as_json:
        write_json(report.as_dict())
    else:
        typer.echo(_summary(report))


def _summary(report: BuildReport) -> str:
    """The report for people."""
    if report.built:
        head = f"The journey log is built ({report.seconds:.1f} seconds)."
    else:
        head = "Nothing changed since the last build; the journey log is up to date."
    rows = [
        (report.events, "events", _asides(report)),
        (report.persons, "persons", ""),
        (report.sessions, "sessions", "on site or app"),
        (report.journeys, "journeys", "each ends with an order or is given up, or is an order and what follows"),
    ]
    width = max(len(count_text(count)) for count, _, _ in rows)
    lines = [f"  {count_text(count):>{width}}  {name:<9} {aside}".rstrip() for count, name, aside in rows]
    return "\n".join([head, "", *lines, *_future(report)])


def _future(report: BuildReport) -> list[str]:
    """A wrong date in a file makes everything look long past: say so."""
    if datetime.fromisoformat(report.newest) <= datetime.now(UTC) + timedelta(days=1):
        return []
    return [
        "",
        f"Warning: the newest event is dated {report.newest[:10]}, which is still to come.",
        "Open journeys count as abandoned by then. Correct the date in its file, or ask with --as-of.",
    ]


def _asides(report: BuildReport) -> str:
    """What should not go unnoticed about the events."""
    asides = []
    if report.unidentified:
        asides.append(f"{count_text(report.unidentified)} without a customer")
    if report.duplicates:
        times = "copy" if report.duplicates == 1 else "copies"
        asides.append(f"{count_text(report.duplicates)} {times} left out")
    return ", ".join(asides)
