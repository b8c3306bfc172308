"""`percorso journeys`: how journeys end, how long they are, how fast they convert."""

from __future__ import annotations

from typing import Annotated

import typer

from percorso.analyses.journeys import JourneysSpec
from percorso.analyses.result import Result
from percorso.cli.context import workspace_of
from percorso.cli.options import (
    AsOfOption,
    BotsOption,
    FromOption,
    HeavyOption,
    KindOption,
    PersonaOption,
    PersonsOption,
    TimezoneOption,
    ToOption,
    WhereOption,
    as_of_text,
    asking,
    scope_of,
)
from percorso.cli.output import (
    Format,
    FormatOption,
    JsonOption,
    Layout,
    OutputOption,
    Section,
    output_of,
    write_answer,
    write_page,
)
from percorso.cli.progress import ready_log
from percorso.cli.texts import count_of, percent_text, seconds_text
from percorso.services.journeys import ask_journeys
from percorso.services.workspace import Workspace

__all__ = ["journeys_question", "register"]

_PERCENT = dict.fromkeys(("share", "low", "high", "conversion"), percent_text)
_LAYOUT = Layout(
    formats={
        **_PERCENT,
        **dict.fromkeys(("median_s", "median_low_s", "median_high_s", "p90_s", "within_s"), seconds_text),
        **dict.fromkeys(("value", "average_value"), "{:,}".format),
        "mean": "{:.2f}".format,
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


def journeys_question(
    workspace: Workspace,
    kind: KindOption = "",
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="FIELD",
            help="Break down by first_channel, first_place, stage_reached or a field of the first event.",
        ),
    ] = "",
    since: FromOption = "",
    until: ToOption = "",
    timezone: TimezoneOption = "",
    as_of: AsOfOption = "",
    where: WhereOption = "",
    persona: PersonaOption = "",
    persons: PersonsOption = "",
    include_bots: BotsOption = False,
    include_heavy: HeavyOption = False,
) -> JourneysSpec:
    """The question that the options ask."""
    scope = scope_of(
        workspace,
        since=since,
        until=until,
        timezone=timezone,
        as_of=as_of,
        where=where,
        persona=persona,
        persons=persons,
        by="",
        include_bots=include_bots,
        include_heavy=include_heavy,
        per="person",
    )
    return JourneysSpec(kind=kind, by=by, scope=scope)


@asking(journeys_question)
def journeys(
    ctx: typer.Context,
    spec: JourneysSpec,
    chosen: FormatOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """How journeys that open in the period end, how long they are, and how fast they convert.

    Example: percorso journeys --by first_channel; percorso people journeys --outcome abandoned
    """
    workspace, target = workspace_of(ctx), output_of(chosen, output, as_json)
    answer = ask_journeys(workspace, spec, log=ready_log(workspace))
    if target.format is Format.table:
        write_page(_head(answer), _sections(answer), target)
    else:
        write_answer(answer, target)


def _head(answer: Result) -> str:
    return f"{count_of(answer.totals['journeys'], 'journey')}, as of {as_of_text(answer)}."


def _sections(answer: Result) -> list[Section]:
    by = (answer.spec.by,) if answer.spec.by else ()
    tables = answer.tables
    warned = tuple(f"Warning: {warning}" for warning in answer.warnings)
    found = [Section("How they end", answer.table, warned, _LAYOUT)]
    if tables["conversion"].num_rows:
        note = "conversion: with those that are still open (Aalen-Johansen); low, high: its 95 % interval."
        found.append(
            Section("Conversion", tables["conversion"].select([*by, *_CONVERSION]), (note,), _LAYOUT),
        )
    if tables["times"].num_rows:
        note = "From the first event to the goal. low, high: 95 % interval of the median."
        found.append(Section("Time to convert", tables["times"], (note,), _LAYOUT))
        found.append(Section("Converted by then", tables["curve"], (), _LAYOUT))
    if tables["lengths"].num_rows:
        found.append(Section("Length", tables["lengths"], (), _LAYOUT))
    if tables["flags"].num_rows:
        found.append(Section("Orders", tables["flags"], ("of: orders of which it is known.",), _LAYOUT))
    return found
