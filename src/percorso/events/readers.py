"""From a path to blocks of rows: what kind of file it is, and which reader cuts it up."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

from percorso.errors import FileError
from percorso.events.csv_reader import CsvBlock, CsvHeader, csv_blocks, read_header, scan
from percorso.events.line_reader import LineBlock, array_blocks, line_blocks
from percorso.events.parquet_reader import RecordBlock, parquet_blocks, parquet_columns
from percorso.events.streams import member_names, open_member
from percorso.language.said import said

__all__ = ["Block", "FileShape", "FileStamp", "InputFile", "Member", "blocks_of", "file_stamp", "open_input"]

FileShape = Literal["csv", "ndjson", "parquet"]
Block = CsvBlock | LineBlock | RecordBlock


@dataclass(frozen=True, slots=True)
class Member:
    """One table of rows in a file: the file itself, or a member of an archive.

    Parameters
    ----------
    name : str
        Member of the archive, "" for a file that is none.
    shape : {"csv", "ndjson", "parquet"}
    header : CsvHeader, optional
        CSV only.
    schema : pyarrow.Schema, optional
        Parquet only.
    is_array : bool
        JSON only: one array instead of a value a line.
    expected_rows : int
        A rough number, 0 if unknown.
    """

    name: str
    shape: FileShape
    header: CsvHeader | None = None
    schema: pa.Schema | None = None
    is_array: bool = False
    expected_rows: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names; empty for NDJSON, where every line has its own."""
        if self.header is not None:
            return self.header.columns
        return tuple(self.schema.names) if self.schema is not None else ()


@dataclass(frozen=True, slots=True)
class FileStamp:
    """Tells whether a file was written to: its size, and when it was last changed."""

    size: int
    changed_ns: int


def file_stamp(path: Path) -> FileStamp:
    """The stamp of a file as it is now.

    Raises
    ------
    FileError
        It is not there (any more).
    """
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise FileError(said("errors.no_file", file=str(path))) from error
    except OSError as error:
        raise FileError(said("errors.not_read", file=str(path), reason=str(error.strerror))) from error
    return FileStamp(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that can be imported, and its stamp from before it was looked into."""

    path: Path
    members: tuple[Member, ...]
    stamp: FileStamp

    @property
    def shape(self) -> FileShape:
        return self.members[0].shape

    @property
    def header(self) -> CsvHeader | None:
        """CSV: the header, where all members have it on the same line."""
        headers = [member.header for member in self.members if member.header is not None]
        return headers[0] if len({header.line for header in headers}) == 1 else None

    @property
    def expected_rows(self) -> int:
        return sum(member.expected_rows for member in self.members)


def open_input(path: Path, *, header_line: int = 0) -> InputFile:
    """Look into a file: what it is, and which columns it has.

    Parameters
    ----------
    path : Path
    header_line : int
        CSV: the line with the names of the columns, counted from 1; 0: to be found.

    Raises
    ------
    FileError
        It is missing, empty, damaged or of no known kind, or an archive of files of several kinds.
    """
    stamp = file_stamp(path)
    names = member_names(path)
    with open(path, "rb") as stream:
        if stream.read(4) == b"PAR1":
            schema, rows = parquet_columns(path)
            return InputFile(path, (Member("", "parquet", schema=schema, expected_rows=rows),), stamp)
    members = tuple(_member(path, name, header_line) for name in names)
    if len({member.shape for member in members}) > 1:
        raise FileError(said("errors.file_kinds", file=path.name), hint=said("errors.file_kinds_hint"))
    return InputFile(path, members, stamp)


def _member(path: Path, name: str, header_line: int) -> Member:
    shown = f"{path.name}/{name}" if name else path.name
    with open_member(path, name) as text:
        blocks = text.blocks()
        head, following = next(blocks, b""), next(blocks, b"")
        # How often the first block fits into the file says how many rows there are, roughly.
        times = 1 / max(text.position_ratio(), 1e-6) / (2 if following else 1)
    if not head.strip():
        raise FileError(said("errors.empty", file=shown), hint=said("errors.empty_hint"))
    start = head.lstrip()[:1]
    if start in (b"{", b"["):
        lines = head.count(b"\n") + 1
        return Member(name, "ndjson", is_array=start == b"[", expected_rows=int(lines * times))
    header = read_header(head, is_all=not following, name=shown, line=header_line)
    sample = head[:1_000_000]
    (starts, _, _, _), size, _ = scan(sample, header.delimiter, len(header.columns), is_last=True)
    rows = len(starts) * len(head) / max(size, 1)
    return Member(name, "csv", header=header, expected_rows=int(rows * times))


def blocks_of(file: InputFile) -> Iterator[Block]:
    """All rows of a file, in order, in blocks that can be read in any thread."""
    return itertools.chain.from_iterable(_member_blocks(file, member) for member in file.members)


def _member_blocks(file: InputFile, member: Member) -> Iterator[Block]:
    if member.shape == "parquet":
        yield from parquet_blocks(file.path)
        return
    with open_member(file.path, member.name) as text:
        if member.header is not None:
            yield from csv_blocks(text, member.header, member=member.name)
        elif member.is_array:
            yield from array_blocks(text, member=member.name)
        else:
            yield from line_blocks(text, member=member.name)
