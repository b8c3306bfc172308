"""`percorso quality`: what the data are like, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pyarrow as pa
import typer

from percorso.analyses.quality import QualitySpec
from percorso.analyses.quality_findings import PROBLEM, say_fault
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.cli.context import words_of
from percorso.cli.options import answer_of, as_of_text, asking, within_scope
from percorso.cli.output import Layout, Output, Section, write_told, writing
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


@within_scope(without=("where", "persona", "persons", "by", "include_bots", "include_heavy"))
def quality_question(scope: Scope) -> QualitySpec:
    """The look at the data that the options ask for."""
    return QualitySpec(scope=scope)


@asking(quality_question)
@writing
def quality(
    ctx: typer.Context,
    spec: QualitySpec,
    target: Output,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with exit code 2 if there is a problem, for scheduled runs.")
    ] = False,
) -> None:
    """What each source sent and how fresh it is, what was rejected, left out or is nobody's, and what to do.

    Example: percorso quality --from 2024-01-01
    """
    answer = answer_of(ctx, ask_quality, spec)
    write_told(answer, target, _head, _sections, words_of(ctx))
    if strict and PROBLEM in answer.tables["findings"].column("level").to_pylist():
        raise typer.Exit(2)


def _head(answer: Result, words: Words) -> str:
    return words.text(
        "terminal.quality_head",
        events=words.text("counted.events", n=answer.totals["events"]),
        sources=words.text("counted.sources", n=answer.table.num_rows),
        as_of=as_of_text(answer, words),
    )


def _sections(answer: Result, words: Words) -> Iterator[Section]:
    findings = _findings(answer, words)
    nothing = words.text("terminal.no_findings")
    yield Section(words.text("terminal.findings"), findings, () if findings.num_rows else (nothing,))
    zone = zone_of(answer.spec.scope.timezone)
    layout = Layout(formats=_SHARES | {"days_since": tenths_text}, zone=zone, secondary=_SHOWN[:5:-1])
    yield Section(words.text("terminal.sources"), answer.table.select(list(_SHOWN)), (), layout)
    yield Section(words.text("terminal.bots"), answer.tables["bots"], (), Layout(families={"bots": "value"}))
    rejected: pa.Table = answer.tables["rejected"]
    if rejected.num_rows:
        yield Section(words.text("terminal.rejected"), rejected)


def _findings(answer: Result, words: Words) -> pa.Table:
    """What to know, and what to do about it, in the language."""
    faults = answer.tables["findings"].to_pylist()
    told = [(fault["level"], *say_fault(fault, answer.totals, words)) for fault in faults]
    names = ("level", "meaning", "advice")
    return pa.table({name: pa.array([one[at] for one in told], pa.string()) for at, name in enumerate(names)})
