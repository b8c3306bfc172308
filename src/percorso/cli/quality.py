"""`percorso quality`: what the data are like, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
import typer

from percorso.analyses.quality import QualitySpec
from percorso.analyses.quality_findings import PROBLEM
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.cli.context import workspace_of
from percorso.cli.options import AsOfOption, FromOption, TimezoneOption, ToOption, as_of_text
from percorso.cli.output import (
    Format,
    FormatOption,
    JsonOption,
    Layout,
    Output,
    OutputOption,
    Section,
    output_of,
    write_answer,
    write_page,
)
from percorso.cli.progress import ready_log
from percorso.cli.texts import count_of, percent_text
from percorso.services.quality import ask_quality
from percorso.time import zone_of

__all__ = ["register"]

_SHARES = dict.fromkeys(("share", "bot_share", "unidentified_share"), percent_text)
#: Columns that people see first; JSON and CSV have all.
_SHOWN = (
    *("source", "events", "newest_event", "days_since", "last_import", "rows", "rejected", "duplicates"),
    *("bot_share", "future", "orders", "unidentified_orders"),
)


def register(app: typer.Typer) -> None:
    """Add `quality` to the command line."""
    app.command("quality")(quality)


def quality(
    ctx: typer.Context,
    since: FromOption = "",
    until: ToOption = "",
    timezone: TimezoneOption = "",
    as_of: AsOfOption = "",
    chosen: FormatOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with exit code 2 if there is a problem, for scheduled runs.")
    ] = False,
) -> None:
    """What each source sent and how fresh it is, what was rejected, left out or is nobody's, and what to do.

    Example: percorso quality --from 2024-01-01
    """
    workspace = workspace_of(ctx)
    target = output_of(chosen, output, as_json)
    zone = timezone or workspace.settings.workspace.timezone
    spec = QualitySpec(scope=Scope(start=since, end=until, timezone=zone, as_of=as_of))
    answer = ask_quality(workspace, spec, log=ready_log(workspace))
    if target.format is Format.table:
        _write_page(answer, target)
    else:
        write_answer(answer, target)
    if strict and PROBLEM in answer.tables["findings"].column("level").to_pylist():
        raise typer.Exit(2)


def _write_page(answer: Result, target: Output) -> None:
    zone = zone_of(answer.spec.scope.timezone)
    totals = answer.totals
    head = (
        f"{count_of(totals['events'], 'event')} from {count_of(answer.table.num_rows, 'source')}, "
        f"as of {as_of_text(answer)}."
    )
    findings = answer.tables["findings"].select(["level", "meaning", "advice"])
    sources = answer.table.select(list(_SHOWN))
    layout = Layout(formats=_SHARES | {"days_since": lambda days: f"{days:.1f}"}, zone=zone, secondary=_SHOWN[:5:-1])
    sections = [
        Section("What to know", findings, () if findings.num_rows else ("Nothing is the matter.",)),
        Section("Sources", sources, (), layout),
        Section("With robots, and without", answer.tables["bots"]),
    ]
    rejected: pa.Table = answer.tables["rejected"]
    if rejected.num_rows:
        sections.append(Section("Rejected rows", rejected))
    write_page(head, sections, target)
