"""The one place where answers leave the command line: `--format table|json|csv|parquet`, `--output F`.

A table is for people: right-aligned numbers, fitted to the terminal; piped, it is plain text that keeps
every character. JSON, CSV and Parquet hold the same rows for programs. Warnings go below a table, and to
stderr beside the other formats, so that a pipe carries data alone.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any, Protocol, TypeVar

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import typer

from percorso.cli.signatures import parameters_of, signed, spread, take
from percorso.cli.streams import Format, Output, json_bytes, opened, write_json
from percorso.cli.tables import Layout, fitted, left_out_line, wrapped
from percorso.cli.texts import count_text, flat_text, money_text, percent_text, span_text
from percorso.errors import SpecError, UserError
from percorso.language.said import again, said
from percorso.language.words import ENGLISH, Words

__all__ = [
    "Answer",
    "Format",
    "FormatOption",
    "JsonOption",
    "JsonReportOption",
    "Layout",
    "Output",
    "OutputOption",
    "Section",
    "count_text",
    "format_of",
    "money_text",
    "output_of",
    "percent_text",
    "span_text",
    "warning_lines",
    "write_answer",
    "write_json",
    "write_page",
    "write_table",
    "write_told",
    "writing",
]


FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="How to write the answer. Default: as --output ends, else a table."),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write into this file instead of the terminal.")
]

JsonOption = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
#: Of commands that have no other format for programs.
JsonReportOption = Annotated[bool, typer.Option("--json", help="Everything as JSON, for programs.")]

_BY_ENDING = {".json": Format.json, ".csv": Format.csv, ".parquet": Format.parquet}


class Answer(Protocol):
    """What an analysis returns."""

    @property
    def table(self) -> pa.Table: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    def as_json(self) -> dict[str, Any]: ...


Told = TypeVar("Told", bound=Answer)
Kind = TypeVar("Kind", bound=StrEnum)


def format_of(chosen: Kind | None, file: Path | None, as_json: bool, by_ending: Mapping[str, Kind]) -> Kind | None:
    """The format that `--format`, `--json` or a file's ending ask for; None where none of them says.

    Parameters
    ----------
    chosen : enumeration of texts, optional
    file : Path, optional
    as_json : bool
    by_ending : mapping of str to enumeration
        What endings stand for; one of them is ".json".

    Raises
    ------
    SpecError
        `--json` and another format.
    UserError
        A file whose ending says nothing.
    """
    json = by_ending[".json"]
    if as_json and chosen not in (None, json):
        raise SpecError(f"--json and --format {chosen} contradict each other.", hint="Leave one out.")
    found = json if as_json else chosen
    if found is not None or file is None:
        return found
    if file.suffix.lower() not in by_ending:
        *others, last = type(json)
        raise UserError(
            f"{file.name} does not end in {', '.join(by_ending)}: how should it be written?",
            hint=f"Give the file one of these endings, or say --format {', '.join(others)} or {last}.",
        )
    return by_ending[file.suffix.lower()]


def output_of(chosen: FormatOption = None, output: OutputOption = None, as_json: JsonOption = False) -> Output:
    """The output that `--format`, `--json` and `--output` ask for; by default a table.

    Raises
    ------
    SpecError
        `--json` and another format.
    UserError
        Parquet for the terminal, which is not text; a file whose ending says nothing.
    """
    found = format_of(chosen, output, as_json, _BY_ENDING) or Format.table
    if found is Format.parquet and output is None and sys.stdout.isatty():
        raise UserError(said("errors.parquet_terminal"), hint=said("errors.parquet_terminal_hint"))
    return Output(found, output)


def writing(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command of one with a parameter `target`, an `Output`: in its place are the options that ask for it.

    Examples
    --------
    >>> @writing
    ... def list_command(ctx: typer.Context, target: Output) -> None: ...
    >>> [option.name for option in parameters_of(list_command)]
    ['ctx', 'chosen', 'as_json', 'output']
    """
    chosen, output, as_json = options = parameters_of(output_of)

    def run(*arguments: Any, **given: Any) -> None:
        target = output_of(**take(given, options))
        command(*arguments, **given, target=target)

    return signed(run, spread(parameters_of(command), "target", (chosen, as_json, output)), like=command)


def write_answer(
    answer: Answer,
    output: Output,
    *,
    title: str = "",
    layout: Layout | None = None,
    notes: Sequence[str] = (),
    words: Words = ENGLISH,
) -> None:
    """Write an analysis' answer; its warnings are told in every format.

    Parameters
    ----------
    answer : Answer
    output : Output
    title : str
        Above the table.
    layout : Layout
        How people read the columns.
    notes : sequence of str
        Sentences below the table, for people only.
    words : Words
        Of the language that people read; programs get the same in any.
    """
    write_table(
        answer.table,
        output,
        body=answer.as_json() if output.format is Format.json else None,
        title=title,
        layout=layout,
        notes=notes,
        warnings=answer.warnings,
        words=words,
    )


def write_table(
    table: pa.Table,
    output: Output,
    *,
    body: Any = None,
    title: str = "",
    layout: Layout | None = None,
    notes: Sequence[str] = (),
    warnings: Sequence[str] = (),
    words: Words = ENGLISH,
) -> None:
    """Write rows; `body` is what JSON says instead of the list of rows. See :func:`write_answer`."""
    with opened(output) as stream:
        if output.format is Format.json:
            stream.write(json_bytes(table.to_pylist() if body is None else body))
        elif output.format is Format.csv:
            pa_csv.write_csv(_flat(table), stream)
        elif output.format is Format.parquet:
            _write_parquet(table, stream)
        else:
            section = Section(title, table, (*notes, *warning_lines(warnings, words)), layout or Layout())
            lines, left_out = _section_lines(section, _width(output), words)
            stream.write(_text([*lines, *left_out_line(left_out, words, _width(output))]).encode())
    _tell_written(output, words)
    if output.format is not Format.table:
        for line in warning_lines(warnings, words):
            typer.echo(line, err=True)


def write_told(
    answer: Told,
    output: Output,
    head: Callable[[Told, Words], str],
    sections: Callable[[Told, Words], Iterable[Section]],
    words: Words,
) -> None:
    """Write an analysis' answer: for people a page of its tables, for programs all of it.

    Parameters
    ----------
    answer : Answer
    output : Output
    head, sections : callable
        What people read of it, as of :func:`write_page`.
    words : Words
    """
    if output.format is Format.table:
        write_page(head(answer, words), [*sections(answer, words)], output, words)
    else:
        write_answer(answer, output, words=words)


def warning_lines(warnings: Iterable[str], words: Words) -> tuple[str, ...]:
    """The warnings of an answer as lines below a table."""
    return tuple(words.text("terminal.warning", text=again(warning, words)) for warning in warnings)


@dataclass(frozen=True, slots=True)
class Section:
    """A table of a page, and sentences below it."""

    title: str
    table: pa.Table
    notes: tuple[str, ...] = ()
    layout: Layout = field(default_factory=Layout)


def write_page(head: str, sections: Sequence[Section], output: Output, words: Words = ENGLISH) -> None:
    """Write several tables one below the other, for people; `head` stands above them.

    Which columns a narrow terminal lacks is said once, at the end.
    """
    width = _width(output)
    texts = [_text([part for line in head.split("\n") for part in wrapped(line, width)])]
    lacking: dict[str, None] = {}
    for one in sections:
        title = typer.style(one.title, bold=True) if width else one.title
        lines, left_out = _section_lines(replace(one, title=title), width, words)
        texts.append(_text(lines))
        lacking |= dict.fromkeys(left_out)
    if lacking:
        texts.append(_text(left_out_line([*lacking], words, width)[1:]))
    with opened(output) as stream:
        stream.write("\n".join(texts).encode())
    _tell_written(output, words)


def _width(output: Output) -> int | None:
    """Columns of the terminal; none for a file or a pipe, which are as wide as a table needs."""
    if output.file is not None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def _tell_written(output: Output, words: Words) -> None:
    if output.file is not None:
        typer.echo(words.text("terminal.written", file=str(output.file)), err=True)


def _write_parquet(table: pa.Table, stream: IO[bytes]) -> None:
    # Parquet needs a place it can look back into; a pipe is none.
    whole = io.BytesIO()
    pq.write_table(table, whole)
    stream.write(whole.getvalue())


def _flat(table: pa.Table) -> pa.Table:
    """CSV knows no lists and no records: paths are joined by " > ", anything else is written as JSON."""
    for position, column in enumerate(table.schema):
        if pa.types.is_nested(column.type):
            texts = [None if value is None else flat_text(value) for value in table.column(position).to_pylist()]
            table = table.set_column(position, column.name, pa.array(texts, type=pa.string()))
    return table


def _section_lines(section: Section, width: int | None, words: Words) -> tuple[list[str], list[str]]:
    """The table for people, its title above and the sentences below; and the heads of columns that it lacks."""
    lines, left_out = fitted(section.table, section.layout, words=words, width=width)
    if section.title:
        lines = [section.title, "", *lines]
    if section.notes:
        lines.append("")
    for sentence in section.notes:
        lines += wrapped(sentence, width)
    return lines, left_out


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
