"""`percorso map`: the customer journey, stage by stage, from data; for the wall, the browser, the spreadsheet."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import pyarrow as pa
import typer

from percorso.analyses.map import MapSpec
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.cli.context import words_of, workspace_of
from percorso.cli.options import answer_of, as_of_text, asking, within_scope
from percorso.cli.output import (
    JsonOption,
    Layout,
    OutputOption,
    Section,
    format_of,
    warning_lines,
    write_page,
    write_table,
)
from percorso.cli.streams import Format, Output, opened
from percorso.language.words import ENGLISH, Words
from percorso.maps.cells import map_cells
from percorso.maps.view import LaneView, MapView
from percorso.services.map import DrawnMap, ask_map, draw_map

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


@within_scope(without=("by",))
def map_question(
    top: Annotated[int, typer.Option(metavar="N", help="Items told apart in each lane and stage.")] = 5,
    *,
    scope: Scope,
) -> MapSpec:
    """The map that the options ask for."""
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

    Example: percorso map --output map.html; percorso map --persona beginner --format svg --output map.svg
    """
    workspace = workspace_of(ctx)
    kind = format_of(chosen, output, as_json, _BY_ENDING) or MapFormat.table
    words, people = words_of(ctx, language), kind not in (MapFormat.json, MapFormat.csv)
    # Programs get the same whoever reads it.
    told = words.language if people else ENGLISH.language
    answer = answer_of(ctx, ask_map, spec, language=told)
    if people:
        drawn, target = draw_map(workspace, answer, language=told), Output(Format.table, output)
        if kind is MapFormat.table:
            _write_page(drawn.view, answer, target, words)
        else:
            _write_picture(drawn, kind, target, answer, words)
        return
    body = answer.as_json() if kind is MapFormat.json else None
    write_table(map_cells(answer), Output(Format(kind), output), body=body, warnings=answer.warnings, words=words)


def _write_picture(drawn: DrawnMap, kind: MapFormat, output: Output, answer: Result, words: Words) -> None:
    content = drawn.page if kind is MapFormat.html else f"{drawn.poster.svg}\n"
    with opened(output) as stream:
        stream.write(content.encode())
    for line in warning_lines(answer.warnings, words):
        typer.echo(line, err=True)
    if output.file is not None:
        typer.echo(words.text("terminal.written", file=str(output.file)), err=True)


def _write_page(view: MapView, answer: Result, output: Output, words: Words) -> None:
    """The map for a terminal: stage by stage, a line a lane."""
    tiles = "   ".join(f"{tile.name}: {tile.value}" + (f" ({tile.note})" if tile.note else "") for tile in view.tiles)
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
