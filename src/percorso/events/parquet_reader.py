"""Parquet files in batches of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from percorso.errors import FileError
from percorso.events.conversion import Reject, TableChunk
from percorso.language.said import said

__all__ = ["RecordBlock", "parquet_blocks", "parquet_columns", "row_text"]

CHUNK_ROWS = 65_536
RAW_CHARACTERS = 65_536


@dataclass(frozen=True, slots=True)
class RecordBlock:
    """Rows of a table that is read already."""

    table: pa.Table
    first_row: int
    member: str = ""
    position_ratio: float = 0.0

    @property
    def rows(self) -> int:
        return int(self.table.num_rows)

    def read(self) -> tuple[TableChunk, list[Reject]]:
        """The rows; "lines" are row numbers from 1."""
        lines = np.arange(self.first_row, self.first_row + self.rows, dtype=np.int64)
        table = self.table
        return TableChunk(table, lines, lambda i: row_text(table, i)), []


def row_text(table: pa.Table, i: int) -> str:
    """A row as JSON, as the raw text of rows that never were text."""
    row = table.slice(i, 1).to_pylist()[0]
    return json.dumps(row, default=str, ensure_ascii=False)[:RAW_CHARACTERS]


def parquet_columns(path: Path) -> tuple[pa.Schema, int]:
    """Columns and number of rows of a Parquet file.

    Raises
    ------
    FileError
        It cannot be read.
    """
    try:
        with pq.ParquetFile(path) as file:
            return file.schema_arrow, int(file.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path) from error


def parquet_blocks(path: Path) -> Iterator[RecordBlock]:
    """The rows in order, up to `CHUNK_ROWS` at a time."""
    try:
        # Without buffering ahead, memory does not grow with the size of the row groups.
        with pq.ParquetFile(path, pre_buffer=False) as file:
            total, at = int(file.metadata.num_rows), 0
            for batch in file.iter_batches(batch_size=CHUNK_ROWS, use_threads=True):
                at += batch.num_rows
                yield RecordBlock(
                    pa.Table.from_batches([batch]), at - batch.num_rows + 1, position_ratio=at / max(1, total)
                )
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> FileError:
    return FileError(said("errors.parquet_damaged", file=path.name), hint=said("errors.download_again"))
