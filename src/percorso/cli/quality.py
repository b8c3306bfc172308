"""`percorso quality`: what the data are like, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
import typer

from percorso.analyses.quality import QualitySpec
from percorso.analyses.quality_findings import PROBLEM, say_fault
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.cli.context import words_of, workspace_of
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
from percorso.cli.texts import percent_text, tenths_text
from percorso.language.words import Words
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
    workspace, words = workspace_of(ctx), words_of(ctx)
    target = output_of(chosen, output, as_json)
    zone = timezone or workspace.settings.workspace.timezone
    spec = QualitySpec(scope=Scope(start=since, end=until, timezone=zone, as_of=as_of))
    answer = ask_quality(workspace, spec, log=ready_log(workspace))
    if target.format is Format.table:
        _write_page(answer, target, words)
    else:
        write_answer(answer, target, words=words)
    if strict and PROBLEM in answer.tables["findings"].column("level").to_pylist():
        raise typer.Exit(2)


def _write_page(answer: Result, target: Output, words: Words) -> None:
    zone = zone_of(answer.spec.scope.timezone)
    totals = answer.totals
    head = words.text(
        "terminal.quality_head",
        events=words.text("counted.events", n=totals["events"]),
        sources=words.text("counted.sources", n=answer.table.num_rows),
        as_of=as_of_text(answer, words),
    )
    findings = _findings(answer, words)
    sources = answer.table.select(list(_SHOWN))
    nothing = words.text("terminal.no_findings")
    layout = Layout(formats=_SHARES | {"days_since": tenths_text}, zone=zone, secondary=_SHOWN[:5:-1])
    sections = [
        Section(words.text("terminal.findings"), findings, () if findings.num_rows else (nothing,)),
        Section(words.text("terminal.sources"), sources, (), layout),
        Section(words.text("terminal.bots"), answer.tables["bots"], (), Layout(families={"bots": "value"})),
    ]
    rejected: pa.Table = answer.tables["rejected"]
    if rejected.num_rows:
        sections.append(Section(words.text("terminal.rejected"), rejected))
    write_page(head, sections, target, words)


def _findings(answer: Result, words: Words) -> pa.Table:
    """What to know, and what to do about it, in the language."""
    faults = answer.tables["findings"].to_pylist()
    told = [(fault["level"], *say_fault(fault, answer.totals, words)) for fault in faults]
    names = ("level", "meaning", "advice")
    return pa.table({name: pa.array([one[at] for one in told], pa.string()) for at, name in enumerate(names)})
