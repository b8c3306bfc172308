"""What lies between a file and the lake: raw chunks in, event rows and rejects out.

A reader cuts a file into chunks; a format converts each chunk on its own; the import adds what needs the
whole file (ordinals of equal rows), hashes the rows and writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.events.event import EVENT_SCHEMA

__all__ = ["CONVERTED_SCHEMA", "Converted", "LineChunk", "LineFormat", "Reject", "TableChunk", "TableFormat"]

#: What a format fills in. message_id and sequence may be null: the import then derives them from
#: `raw_row` (definitions, section 8).
CONVERTED_SCHEMA = pa.schema(
    [
        pa.field(f.name, f.type) if f.name in ("message_id", "sequence") else f
        for f in EVENT_SCHEMA
        if f.name not in ("batch", "row_key")
    ]
)


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be an event: where it stood, why, and what it said."""

    line: int  # 1-based; for Parquet the 1-based row
    reason: str  # a code, e.g. "time_missing"; documented in docs/reference/rejected.md
    detail: str  # a sentence without personal values
    raw: str


@dataclass(frozen=True, slots=True)
class TableChunk:
    """Rows of a CSV or Parquet file. CSV columns are all strings, null where the cell is empty."""

    table: pa.Table
    lines: npt.NDArray[np.int64]  # shape (n_rows,): the line (CSV) or row (Parquet) each row starts at
    raw: Callable[[int], str]  # raw text of row i of this chunk


@dataclass(frozen=True, slots=True)
class LineChunk:
    """Lines of an NDJSON file, without their line ends; empty lines are left out."""

    texts: list[bytes]
    lines: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Converted:
    """Event rows of one chunk, in file order."""

    events: pa.Table  # CONVERTED_SCHEMA
    raw_row: npt.NDArray[np.int64]  # shape (n_events,): the row of the chunk each event came from
    rejected: list[Reject] = field(default_factory=list)


class TableFormat(Protocol):
    name: str

    def convert(self, chunk: TableChunk) -> Converted: ...


class LineFormat(Protocol):
    name: str

    def convert(self, chunk: LineChunk) -> Converted: ...
