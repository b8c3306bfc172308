"""The one place where answers leave the command line: `--format table|json|csv|parquet`, `--output F`.

A table is for people: right-aligned numbers, fitted to the terminal; piped, it is plain text that keeps
every character. JSON, CSV and Parquet hold the same rows for programs. Warnings go below a table, and to
stderr beside the other formats, so that a pipe carries data alone.
"""

from __future__ import annotations

import datetime
import io
import json
import math
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any, Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from percorso.errors import FileError, UserError

__all__ = [
    "Answer",
    "Format",
    "FormatOption",
    "Output",
    "OutputOption",
    "Section",
    "count_text",
    "money_text",
    "output_of",
    "percent_text",
    "span_text",
    "write_answer",
    "write_json",
    "write_page",
    "write_table",
]

Formatter = Callable[[Any], str]


class Format(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"


FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="How to write the answer. Default: as --output ends, else a table."),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write into this file instead of the terminal.")
]

_BY_ENDING = {".json": Format.json, ".csv": Format.csv, ".parquet": Format.parquet}


@dataclass(frozen=True, slots=True)
class Output:
    """Where an answer goes, and how."""

    format: Format
    file: Path | None = None


class Answer(Protocol):
    """What an analysis returns."""

    @property
    def table(self) -> pa.Table: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    def as_json(self) -> dict[str, Any]: ...


def output_of(chosen: Format | None, file: Path | None) -> Output:
    """The output that `--format` and `--output` ask for; a file's ending chooses where `--format` does not.

    Raises
    ------
    UserError
        Parquet for the terminal: it is not text.
    """
    found = chosen or (_BY_ENDING.get(file.suffix.lower(), Format.table) if file else Format.table)
    if found is Format.parquet and file is None and sys.stdout.isatty():
        raise UserError("Parquet is not for the terminal.", hint="Name a file with --output, or choose --format csv.")
    return Output(found, file)


def write_answer(
    answer: Answer,
    output: Output,
    *,
    title: str = "",
    formats: Mapping[str, Formatter] | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write an analysis' answer; its warnings are told in every format.

    Parameters
    ----------
    answer : Answer
    output : Output
    title : str
        Above the table.
    formats : mapping of str to callable
        How people read the values of a column: `percent_text`, `span_text`, ...
    notes : sequence of str
        Sentences below the table, for people only.
    """
    write_table(
        answer.table,
        output,
        body=answer.as_json() if output.format is Format.json else None,
        title=title,
        formats=formats,
        notes=notes,
        warnings=answer.warnings,
    )


def write_table(
    table: pa.Table,
    output: Output,
    *,
    body: Any = None,
    title: str = "",
    formats: Mapping[str, Formatter] | None = None,
    notes: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> None:
    """Write rows; `body` is what JSON says instead of the list of rows. See :func:`write_answer`."""
    with _opened(output) as stream:
        if output.format is Format.json:
            stream.write(_json_bytes(table.to_pylist() if body is None else body))
        elif output.format is Format.csv:
            pa_csv.write_csv(_flat(table), stream)
        elif output.format is Format.parquet:
            _write_parquet(table, stream)
        else:
            below = [*notes, *(f"Warning: {warning}" for warning in warnings)]
            terminal = output.file is None and sys.stdout.isatty()
            stream.write(_table_text(table, title, formats or {}, below, terminal=terminal).encode())
    if output.format is not Format.table:
        for warning in warnings:
            typer.echo(f"Warning: {warning}", err=True)


def write_json(body: Any, output: Output | None = None) -> None:
    """Write a JSON document, such as an import's report."""
    with _opened(output or Output(Format.json)) as stream:
        stream.write(_json_bytes(body))


@dataclass(frozen=True, slots=True)
class Section:
    """A table of a page, and sentences below it."""

    title: str
    table: pa.Table
    notes: tuple[str, ...] = ()


def write_page(head: str, sections: Sequence[Section], output: Output) -> None:
    """Write several tables one below the other, for people; `head` stands above them.

    They are as narrow as they can be, in a terminal too, so that a page of several fits 80 columns.
    """
    bold = output.file is None and sys.stdout.isatty()
    texts = [f"{head}\n"]
    for one in sections:
        title = typer.style(one.title, bold=True) if bold else one.title
        texts.append(f"{title}\n\n{_table_text(one.table, '', {}, one.notes, terminal=False)}")
    with _opened(output) as stream:
        stream.write("\n".join(texts).encode())


@contextmanager
def _opened(output: Output) -> Iterator[IO[bytes]]:
    if output.file is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with open(output.file, "wb") as stream:
            yield stream
    except OSError as error:
        raise FileError(f"{output.file} cannot be written: {error.strerror}.") from error


def _write_parquet(table: pa.Table, stream: IO[bytes]) -> None:
    # Parquet needs a place it can look back into; a pipe is none.
    whole = io.BytesIO()
    pq.write_table(table, whole)
    stream.write(whole.getvalue())


def _json_bytes(body: Any) -> bytes:
    return (json.dumps(_plain(body), ensure_ascii=False, allow_nan=False) + "\n").encode()


def _plain(value: Any) -> Any:
    """The value as JSON knows it: NaN is null, times are ISO texts, bytes are hexadecimal."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _flat(table: pa.Table) -> pa.Table:
    """CSV knows no lists and no records: paths are joined by " > ", anything else is written as JSON."""
    for position, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [None if value is None else _flat_text(value) for value in table.column(position).to_pylist()]
            table = table.set_column(position, field.name, pa.array(texts, type=pa.string()))
    return table


def _flat_text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return " > ".join(value)
    return json.dumps(_plain(value), ensure_ascii=False)


def _table_text(
    table: pa.Table, title: str, formats: Mapping[str, Formatter], below: Sequence[str], *, terminal: bool
) -> str:
    """The table for people. For a pipe, as wide as it needs to be, and without lines and colours."""
    grid = Table(
        box=SIMPLE_HEAD if terminal else None,
        title=Text(title) if title and terminal else None,
        title_justify="left",
        pad_edge=False,
        header_style="bold" if terminal else "",
    )
    for field in table.schema:
        number = _is_number(field.type)
        grid.add_column(
            Text(field.name),
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=number or not terminal,
        )
    columns = [_cells(table.column(field.name), formats.get(field.name)) for field in table.schema]
    for row in zip(*columns, strict=True):
        grid.add_row(*(Text(cell) for cell in row))
    sink = io.StringIO()
    if title and not terminal:
        sink.write(f"{title}\n\n")
    # Piped, wide enough for the longest cells: Rich pads nothing without a box that expands.
    width = (
        None
        if terminal
        else 20 + sum(_widest(name, cells) for name, cells in zip(table.column_names, columns, strict=True))
    )
    console = Console(file=sink, force_terminal=terminal, width=width, highlight=False, soft_wrap=False)
    console.print(grid)
    lines = [line.rstrip() for line in sink.getvalue().splitlines()]
    return "\n".join([*lines, *([""] if below else []), *below]).lstrip("\n") + "\n"


def _widest(name: str, cells: Sequence[str]) -> int:
    # A letter takes two places at most; two for the gap between columns.
    return 2 + 2 * max(len(name), *(len(cell) for cell in cells), 0)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _cells(column: pa.ChunkedArray, formatter: Formatter | None) -> list[str]:
    return [_cell(value, formatter) for value in column.to_pylist()]


def _cell(value: Any, formatter: Formatter | None) -> str:
    """A value for people; what is not known is a dash, never an invented zero."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if formatter is not None:
        return formatter(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count_text(value)
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, str):
        return _printable(value)
    if isinstance(value, list | tuple | dict):
        return _printable(_flat_text(list(value) if isinstance(value, tuple) else value))
    return str(_plain(value))


def _printable(text: str) -> str:
    """Without control characters: a page title must not be able to write on the user's terminal."""
    if text.isprintable():
        return text
    return "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in text)


def count_text(count: int) -> str:
    """A whole number with its thousands apart.

    Examples
    --------
    >>> count_text(1234567)
    '1,234,567'
    """
    return f"{count:,}"


def percent_text(share: float) -> str:
    """A share of one as per cent.

    Examples
    --------
    >>> percent_text(0.1234)
    '12.3 %'
    """
    return f"{100 * share:.1f} %"


def span_text(span_us: float) -> str:
    """A duration in microseconds, in its largest two units.

    Examples
    --------
    >>> span_text(93_780_000_000), span_text(1_500_000)
    ('1d 2h', '1.5s')
    """
    seconds = span_us / 1_000_000
    if seconds < 60:
        return f"{seconds:.3g}s"
    whole = round(seconds)
    for size, name, smaller, smaller_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            return f"{whole // size}{name} {whole % size // smaller}{smaller_name}"
    return f"{whole}s"


def money_text(exponent: int) -> Formatter:
    """Minor units of a currency with that many decimals, as an amount.

    Examples
    --------
    >>> money_text(2)(-123456)
    '-1,234.56'
    """

    def text(minor: int) -> str:
        whole, rest = divmod(abs(minor), 10**exponent)
        decimals = f".{rest:0{exponent}d}" if exponent else ""
        return f"{'-' if minor < 0 else ''}{whole:,}{decimals}"

    return text
