"""Chunks for formats, made from texts and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.events.conversion import Converted, LineChunk, TableChunk
from percorso.events.formats.source import SourceInfo, source_info
from percorso.events.readers import blocks_of, open_input

__all__ = ["DATA", "WEB", "columns_of", "line_chunk", "rows_of", "table_chunk", "table_chunks"]

DATA = Path(__file__).resolve().parents[2] / "data"
WEB: SourceInfo = source_info("web", "web")


def line_chunk(texts: Sequence[str | bytes]) -> LineChunk:
    encoded = [text if isinstance(text, bytes) else text.encode() for text in texts]
    return LineChunk(encoded, np.arange(1, len(encoded) + 1, dtype=np.int64))


def table_chunk(columns: Mapping[str, Sequence[Any]]) -> TableChunk:
    """A chunk as a CSV reader gives it: line 1 is the header."""
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    lines = np.arange(2, table.num_rows + 2, dtype=np.int64)
    return TableChunk(table, lines, lambda i: str(table.slice(i, 1).to_pylist()[0]))


def table_chunks(path: Path) -> list[TableChunk]:
    """A file of rows, as the import reads it."""
    chunks: list[TableChunk] = []
    for block in blocks_of(open_input(path)):
        read = block.read()
        assert isinstance(read, tuple)
        chunk, rejected = read
        assert rejected == []
        chunks.append(chunk)
    return chunks


def rows_of(converted: Converted) -> list[dict[str, Any]]:
    """The event rows without the columns that are null."""
    return [{name: value for name, value in row.items() if value is not None} for row in converted.events.to_pylist()]


def columns_of(converted: Converted, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(converted.events.column(name).to_pylist() for name in names), strict=True))
