"""`percorso journeys`: how journeys end, how long they are, how fast they convert."""

from __future__ import annotations

from typing import Annotated

import typer

from percorso.analyses.journeys import JourneysSpec
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.cli.context import words_of
from percorso.cli.options import KindOption, answer_of, as_of_text, asking, within_scope
from percorso.cli.output import Layout, Output, Section, warning_lines, write_told, writing
from percorso.cli.texts import amount_text, mean_text, percent_text, seconds_text
from percorso.language.words import Words
from percorso.services.journeys import ask_journeys

__all__ = ["journeys_question", "register"]

_PERCENT = dict.fromkeys(("share", "low", "high", "conversion"), percent_text)
_LAYOUT = Layout(
    formats={
        **_PERCENT,
        **dict.fromkeys(("median_s", "median_low_s", "median_high_s", "p90_s", "within_s"), seconds_text),
        **dict.fromkeys(("value", "average_value"), amount_text),
        "mean": mean_text,
    },
    titles={
        "median_s": "median",
        "median_low_s": "low",
        "median_high_s": "high",
        "median_low": "low",
        "median_high": "high",
        "p90_s": "p90",
        "within_s": "within",
        "average_value": "average",
    },
    secondary=("low high", "median_low median_high", "reversed", "at_risk"),
)
_CONVERSION = ("opened", "converted", "abandoned", "open", "conversion", "low", "high", "reversed", "value")


def register(app: typer.Typer) -> None:
    """Add `journeys` to the command line."""
    app.command("journeys")(journeys)


@within_scope(without=("by",))
def journeys_question(
    kind: KindOption = "",
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="FIELD",
            help="Break down by first_channel, first_place, stage_reached or a field of the first event.",
        ),
    ] = "",
    *,
    scope: Scope,
) -> JourneysSpec:
    """The question that the options ask."""
    return JourneysSpec(kind=kind, by=by, scope=scope)


@asking(journeys_question)
@writing
def journeys(ctx: typer.Context, spec: JourneysSpec, target: Output) -> None:
    """How journeys that open in the period end, how long they are, and how fast they convert.

    Example: percorso journeys --by first_channel; percorso people journeys --outcome abandoned
    """
    write_told(answer_of(ctx, ask_journeys, spec), target, _head, _sections, words_of(ctx))


def _head(answer: Result, words: Words) -> str:
    counted = words.text("counted.journeys", n=answer.totals["journeys"])
    return words.text("terminal.counted_as_of", counted=counted, as_of=as_of_text(answer, words))


def _sections(answer: Result, words: Words) -> list[Section]:
    by = (answer.spec.by,) if answer.spec.by else ()
    tables = answer.tables
    warned = warning_lines(answer.warnings, words)
    found = [Section(words.text("terminal.how_they_end"), answer.table, warned, _LAYOUT)]
    if tables["conversion"].num_rows:
        note = words.text("terminal.conversion_note")
        shown = tables["conversion"].select([*by, *_CONVERSION])
        found.append(Section(words.text("terminal.conversion"), shown, (note,), _LAYOUT))
    if tables["times"].num_rows:
        note = words.text("terminal.time_to_convert_note")
        found.append(Section(words.text("terminal.time_to_convert"), tables["times"], (note,), _LAYOUT))
        found.append(Section(words.text("terminal.converted_by"), tables["curve"], (), _LAYOUT))
    if tables["lengths"].num_rows:
        found.append(Section(words.text("terminal.length"), tables["lengths"], (), _LAYOUT))
    if tables["flags"].num_rows:
        note = words.text("terminal.flags_note")
        found.append(Section(words.text("terminal.orders"), tables["flags"], (note,), _LAYOUT))
    return found
