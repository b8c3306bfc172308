"""`percorso map`: the customer journey, stage by stage, from data; for the wall, the browser, the spreadsheet."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from percorso.analyses.map import MapSpec
from percorso.analyses.result import Result
from percorso.cli.context import words_of, workspace_of
from percorso.cli.options import (
    AsOfOption,
    BotsOption,
    FromOption,
    HeavyOption,
    PersonaOption,
    PersonsOption,
    TimezoneOption,
    ToOption,
    WhereOption,
    as_of_text,
    asking,
    scope_of,
)
from percorso.cli.output import JsonOption, Layout, OutputOption, Section, warning_lines, write_page, write_table
from percorso.cli.progress import ready_log
from percorso.cli.streams import Format, Output, opened
from percorso.errors import SpecError, UserError
from percorso.language.words import ENGLISH, Words
from percorso.maps.cells import map_cells
from percorso.maps.view import LaneView, MapView
from percorso.services.map import DrawnMap, ask_map, draw_map
from percorso.services.workspace import Workspace

__all__ = ["map_question", "register"]


class MapFormat(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"
    html = "html"
    svg = "svg"


_BY_ENDING = {".json": MapFormat.json, ".csv": MapFormat.csv, ".html": MapFormat.html, ".svg": MapFormat.svg}

FormatOption = Annotated[
    MapFormat | None,
    typer.Option("--format", help="html and svg are pictures. Default: as --output ends, else a table."),
]
LanguageOption = Annotated[
    str, typer.Option("--language", metavar="en|it", help="Of the map. Default: of `percorso --language`.")
]


def register(app: typer.Typer) -> None:
    """Add `map` to the command line."""
    app.command("map")(map_)


def map_question(
    workspace: Workspace,
    since: FromOption = "",
    until: ToOption = "",
    top: Annotated[int, typer.Option(metavar="N", help="Items told apart in each lane and stage.")] = 5,
    timezone: TimezoneOption = "",
    as_of: AsOfOption = "",
    where: WhereOption = "",
    persona: PersonaOption = "",
    persons: PersonsOption = "",
    include_bots: BotsOption = False,
    include_heavy: HeavyOption = False,
) -> MapSpec:
    """The map that the options ask for."""
    scope = scope_of(
        workspace,
        since=since,
        until=until,
        timezone=timezone,
        as_of=as_of,
        where=where,
        by="",
        include_bots=include_bots,
        include_heavy=include_heavy,
        per="person",
        persona=persona,
        persons=persons,
    )
    return MapSpec(top=top, scope=scope)


@asking(map_question)
def map_(
    ctx: typer.Context,
    spec: MapSpec,
    chosen: FormatOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
    language: LanguageOption = "",
) -> None:
    """The journey map: who is at each stage, what they use, see and do, how it goes, where they leave.

    Example: percorso map --output map.html; percorso map --persona beginners --format svg --output map.svg
    """
    workspace = workspace_of(ctx)
    kind = _kind(chosen, output, as_json)
    words, people = words_of(ctx, language), kind not in (MapFormat.json, MapFormat.csv)
    # Programs get the same whoever reads it.
    told = words.language if people else ENGLISH.language
    answer = ask_map(workspace, spec, language=told, log=ready_log(workspace))
    if people:
        drawn, target = draw_map(workspace, answer, language=told), Output(Format.table, output)
        if kind is MapFormat.table:
            _write_page(drawn.view, answer, target, words)
        else:
            _write_picture(drawn, kind, target, answer, words)
        return
    body = answer.as_json() if kind is MapFormat.json else None
    write_table(map_cells(answer), Output(Format(kind), output), body=body, warnings=answer.warnings, words=words)


def _kind(chosen: MapFormat | None, file: Path | None, as_json: bool) -> MapFormat:
    if as_json and chosen not in (None, MapFormat.json):
        raise SpecError(f"--json and --format {chosen} contradict each other.", hint="Leave one out.")
    if as_json or chosen is not None:
        return chosen or MapFormat.json
    if file is None:
        return MapFormat.table
    found = _BY_ENDING.get(file.suffix.lower())
    if found is None:
        raise UserError(
            f"{file.name} does not end in {', '.join(_BY_ENDING)}: how should it be written?",
            hint="Give the file one of these endings, or say --format.",
        )
    return found


def _write_picture(drawn: DrawnMap, kind: MapFormat, output: Output, answer: Result, words: Words) -> None:
    content = drawn.page if kind is MapFormat.html else f"{drawn.poster.svg}\n"
    with opened(output) as stream:
        stream.write(content.encode())
    for line in warning_lines(answer.warnings, words):
        typer.echo(line, err=True)
    if output.file is not None:
        typer.echo(f"Written to {output.file}", err=True)


def _write_page(view: MapView, answer: Result, output: Output, words: Words) -> None:
    """The map for a terminal: stage by stage, a line a lane."""
    tiles = "   ".join(f"{tile.name}: {tile.value}" for tile in view.tiles)
    sections = []
    for at, stage in enumerate(view.stages):
        point = view.curve[at]
        rows = [] if point.value is None else [(view.curve_title, f"{point.label}/100, {point.note}")]
        rows += [(lane.title, _in_line(lane, at)) for lane in view.lanes]
        table = pa.table({"lane": [name for name, _ in rows], "what": [said for _, said in rows]})
        onward = f", {stage.onward}" if stage.onward else ""
        sections.append(Section(f"{stage.name}: {stage.size}{onward}", table, layout=_LAYOUT))
    last = sections[-1]
    notes = (*view.notes, words.text("terminal.as_of", as_of=as_of_text(answer, words)))
    sections[-1] = Section(last.title, last.table, notes, last.layout)
    write_page(f"{view.title}\n{view.subtitle}\n\n{tiles}", sections, output, words)


_LAYOUT = Layout(titles={"lane": "", "what": ""})


def _in_line(lane: LaneView, at: int) -> str:
    return ", ".join(f"{one.text} {one.value}".strip() for one in lane.cells[at])
