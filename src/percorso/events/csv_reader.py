"""CSV files in blocks of whole rows, each parsed on its own and in any thread.

A kernel finds where rows begin and end, so that every row keeps its line and its raw text; pyarrow then
parses blocks whose rows all have the right number of cells.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from percorso.errors import FileError
from percorso.events.conversion import Reject, TableChunk
from percorso.events.header_row import header_row
from percorso.events.streams import TextStream, as_utf8
from percorso.events.total_rows import TOTAL_DETAIL, TOTAL_REASON, begins_like_total
from percorso.kernels.csv_rows import scan_rows
from percorso.language.said import said

__all__ = ["CsvBlock", "CsvHeader", "csv_blocks", "read_header"]

CHUNK_ROWS = 65_536
RAW_CHARACTERS = 65_536
DELIMITERS = (",", ";", "\t", "|")

#: No row is longer: a quote that is still open after so much is one that nobody closes.
_LONGEST_ROW_BYTES = 32 << 20
_SNIFFED_ROWS = 200
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """Delimiter and column names; `size` and `lines` of the text up to the first data row.

    `line` is the one on which the names begin, counted from 1; `above` are the lines before it that are not
    blank, with their numbers: titles, which are left out.
    """

    delimiter: str
    columns: tuple[str, ...]
    size: int
    lines: int
    line: int = 1
    above: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CsvBlock:
    """Whole rows of a CSV text. Arrays have shape (n_rows,) and count bytes and lines from the block's start."""

    data: bytes
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]
    cells: npt.NDArray[np.int32]
    first_line: int
    header: CsvHeader
    member: str = ""
    position_ratio: float = 0.0

    @property
    def rows(self) -> int:
        return len(self.starts)

    def read(self) -> tuple[TableChunk, list[Reject]]:
        """Parse the rows; those with a wrong number of cells are rejected."""
        good = self.cells == len(self.header.columns)
        rows = np.flatnonzero(good)
        if good.all():
            table = _parse(self.data, self.header)
        else:
            table = _parse(b"\n".join(self._row(i) for i in rows.tolist()), self.header)
        if table.num_rows != len(rows):
            table = _parse_row_by_row([self._row(i) for i in rows.tolist()], self.header)
        chunk = TableChunk(table, self.lines[rows] + self.first_line, lambda i: self._raw(int(rows[i])))
        return chunk, [self._reject(i) for i in np.flatnonzero(~good).tolist()]

    def _row(self, i: int) -> bytes:
        return self.data[self.starts[i] : self.ends[i]]

    def _raw(self, i: int) -> str:
        return as_utf8(self._row(i)).decode()[:RAW_CHARACTERS]

    def _reject(self, i: int) -> Reject:
        line, cells = int(self.lines[i]) + self.first_line, int(self.cells[i])
        if cells < 0:
            return Reject(line, "quote_unclosed", "A quotation mark is opened and never closed.", self._raw(i))
        if begins_like_total(next((cell for cell in _cells(self._row(i), self.header) if cell.strip()), "")):
            return Reject(line, TOTAL_REASON, TOTAL_DETAIL, self._raw(i))
        detail = f"The row has {cells} cells, the header {len(self.header.columns)}."
        return Reject(line, "cells", detail, self._raw(i))


def csv_blocks(text: TextStream, header: CsvHeader, *, member: str = "") -> Iterator[CsvBlock]:
    """The data rows of a CSV text, in order, up to `CHUNK_ROWS` at a time."""
    reader = _BlockReader(text.blocks(), header)
    while True:
        found = reader.next_rows()
        if found is None:
            return
        if len(found.starts):
            yield CsvBlock(
                found.data,
                found.starts,
                found.ends,
                found.lines,
                found.cells,
                found.first_line,
                header,
                member,
                text.position_ratio(),
            )


@dataclass(frozen=True, slots=True)
class _Rows:
    data: bytes
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]
    cells: npt.NDArray[np.int32]
    first_line: int


@dataclass(slots=True)
class _BlockReader:
    """Holds the text that is read but not yet handed out."""

    blocks: Iterator[bytes]
    header: CsvHeader
    held: bytes = b""
    line: int = 1
    ended: bool = False
    _started: bool = field(default=False)

    def next_rows(self) -> _Rows | None:
        if not self._started:
            self._started = True
            self._skip_header()
        while True:
            rows = self._scan()
            if rows is not None and (len(rows.starts) or rows.data):
                return rows
            if self.ended:
                return None
            self._more()

    def _skip_header(self) -> None:
        while len(self.held) < self.header.size and not self.ended:
            self._more()
        self.held = self.held[self.header.size :]
        self.line = 1 + self.header.lines

    def _more(self) -> None:
        block = next(self.blocks, b"")
        self.ended = not block
        self.held += block

    def _scan(self) -> _Rows | None:
        if not self.held:
            return None
        endless = not self.ended and len(self.held) >= _LONGEST_ROW_BYTES
        found, size, lines = scan(
            self.held,
            self.header.delimiter,
            len(self.header.columns),
            is_last=self.ended or endless,
            rows=1 if endless else CHUNK_ROWS,
        )
        data, self.held = self.held[:size], self.held[size:]
        first_line, self.line = self.line, self.line + lines
        return _Rows(data, *found, first_line)


_Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]


def scan(
    data: bytes, delimiter: str, columns: int, *, is_last: bool, rows: int = CHUNK_ROWS
) -> tuple[_Found, int, int]:
    """Rows of a text (`scan_rows`), and the bytes and lines they take up."""
    capacity = min(rows, len(data) + 1)
    starts, ends, lines = (np.empty(capacity, np.int64) for _ in range(3))
    cells = np.empty(capacity, np.int32)
    state = np.zeros(2, np.int64)
    view = np.frombuffer(data, np.uint8)
    n = scan_rows(view, ord(delimiter), columns, is_last, starts, ends, lines, cells, state)
    return (starts[:n], ends[:n], lines[:n], cells[:n]), int(state[0]), int(state[1])


def read_header(head: bytes, *, is_all: bool, name: str, line: int = 0) -> CsvHeader:
    """Delimiter and column names from the beginning of a text.

    Parameters
    ----------
    head : bytes
        The first block.
    is_all : bool
        Nothing follows it.
    name : str
        The file's name, for the error.
    line : int
        Where the names are, counted from 1; 0: to be found (`header_row`).

    Raises
    ------
    FileError
        There is no header.
    """
    skipped, delimiter = _excel_hint(head)
    begun = 1 if skipped else 0
    if line > begun + 1:
        skipped, begun = _after_lines(head, line - 1, name), line - 1
    delimiter = delimiter or _sniffed_delimiter(head[skipped:], is_all=is_all)
    start, titles = (skipped, 0) if line else _found_header(head, skipped, delimiter, is_all=is_all)
    (starts, ends, lines, _), size, used = scan(head[start:], delimiter, 0, is_last=is_all, rows=1)
    if not len(starts) or b"\0" in head[:4096]:
        raise FileError(
            said("errors.neither_csv", file=name) if len(starts) else said("errors.no_header", file=name),
            hint=said("errors.no_header_hint"),
        )
    text = as_utf8(head[start:][starts[0] : ends[0]]).decode()
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    at = begun + titles + int(lines[0])
    above = _texts_of_lines(head, at)
    return CsvHeader(delimiter, _unique_names(names), start + size, begun + titles + used, at + 1, above)


def _found_header(head: bytes, skipped: int, delimiter: str, *, is_all: bool) -> tuple[int, int]:
    """Bytes before the header, and lines between the first ones skipped and it."""
    data = head[skipped:]
    (starts, ends, lines, cells), _, _ = scan(data, delimiter, 0, is_last=is_all, rows=_SNIFFED_ROWS)
    whole = np.flatnonzero((cells > 0) & (ends - starts < RAW_CHARACTERS))
    if not len(whole) or whole[0] > 0:
        return skipped, 0
    texts = (as_utf8(data[s:e]).decode() for s, e in zip(starts[whole].tolist(), ends[whole].tolist(), strict=True))
    rows = [next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), []) for text in texts]
    found = header_row(rows, lines[whole].tolist())
    if not found:
        return skipped, 0
    return skipped + int(starts[whole[found]]), int(lines[whole[found]])


def _after_lines(head: bytes, lines: int, name: str) -> int:
    """The bytes that so many lines take up."""
    ends = [match.end() for match in itertools.islice(_LINE_END.finditer(head), lines)]
    if len(ends) < lines or not _LINE_END.split(head[ends[-1] :], maxsplit=1)[0].strip():
        raise FileError(
            said("errors.header_line", file=name, line=str(lines + 1)),
            hint=said("errors.correct_header_line"),
        )
    return ends[-1]


def _texts_of_lines(head: bytes, lines: int) -> tuple[tuple[int, str], ...]:
    """The first lines that are not blank, Excel's hint apart: number and text."""
    if not lines:
        return ()
    texts = [as_utf8(line).decode().strip() for line in _LINE_END.split(head, maxsplit=lines)[:lines]]
    first = 2 if _excel_hint(head)[0] else 1
    return tuple((i, text) for i, text in enumerate(texts, start=1) if i >= first and text)


def _excel_hint(head: bytes) -> tuple[int, str]:
    """Excel's first line ``sep=;``: bytes to skip, and the delimiter."""
    line = head[:16].splitlines(keepends=True)[0] if head else b""
    if line[:4].lower() == b"sep=" and len(line.strip(b"\r\n")) == 5:
        return len(line), chr(line[4])
    return 0, ""


def _sniffed_delimiter(head: bytes, *, is_all: bool) -> str:
    """The delimiter under which most of the first rows have equally many cells, and more than one."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        (_, _, _, cells), _, _ = scan(head, delimiter, 0, is_last=is_all, rows=_SNIFFED_ROWS)
        cells = cells[cells > 0]  # -1: a quote that is never closed
        if not len(cells):
            continue
        counts = np.bincount(cells)
        usual = len(counts) - 1 - int(counts[::-1].argmax())  # in short files titles may be as many as rows
        score = (float((cells == usual).mean()) if usual > 1 else 0.0, usual)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _unique_names(names: list[str]) -> tuple[str, ...]:
    """Column names trimmed; an empty one by its place, a repeated one with ``.2``, ``.3``."""
    seen: set[str] = set()
    unique = []
    for place, given in enumerate(names, start=1):
        name = given.strip() or f"column_{place}"
        candidate, copy = name, 1
        while candidate in seen:
            copy += 1
            candidate = f"{name}.{copy}"
        seen.add(candidate)
        unique.append(candidate)
    return tuple(unique)


def _parse(data: bytes, header: CsvHeader) -> pa.Table:
    names = list(header.columns)
    if not data:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    text = as_utf8(data)
    try:
        return pa.csv.read_csv(
            pa.BufferReader(text),
            read_options=pa.csv.ReadOptions(column_names=names, use_threads=False, block_size=len(text) + 1),
            parse_options=pa.csv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                null_values=[""],
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return pa.table({name: pa.array([], pa.string()) for name in names})


def _parse_row_by_row(rows: list[bytes], header: CsvHeader) -> pa.Table:
    """Where pyarrow sees other rows than the kernel does: every row by itself, slowly."""
    cells = [_cells(row, header) for row in rows]
    columns = list(zip(*cells, strict=True)) if cells else [()] * len(header.columns)
    arrays = [pa.array([cell or None for cell in column], pa.string()) for column in columns]
    return pa.table(dict(zip(header.columns, arrays, strict=True)))


def _cells(row: bytes, header: CsvHeader) -> list[str]:
    text = io.StringIO(as_utf8(row).decode(), newline="")
    return next(csv.reader(text, delimiter=header.delimiter), [])
