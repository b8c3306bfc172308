"""Parquet files of the lake: written once, bounded in size, on the disk before anybody hears of them."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from percorso.store.files import AnyPath, drafts_folder, make_folder, publish, remove, sync_file, sync_folder
from percorso.store.mapped import open_parquet

__all__ = ["Part", "PartWriter", "copy_rows"]

GROUP_ROWS = 131_072
PART_ROWS = 8 * GROUP_ROWS

#: Columns of so many different values that a dictionary saves nothing beside zstd, and costs a third of writing.
_PLAIN = frozenset(
    (
        *("row_key", "message_id", "timestamp", "original_timestamp", "received_at", "sent_at"),
        *("user_id", "loyalty_id", "email", "phone", "card_token", "anonymous_id", "device_id"),
        *("session_id", "order_id", "url", "text", "properties", "traits", "raw"),
    )
)


@dataclass(frozen=True, slots=True)
class Part:
    """A finished data file. `ranges` holds least and greatest value of the statistics columns that have any."""

    path: AnyPath
    rows: int
    size: int
    ranges: dict[str, tuple[int, int]]


class PartWriter:
    """Writes tables of one schema, in order, to as many files as it takes.

    Memory is bounded by one row group. Statistics are written for the given columns alone: the others
    hold identifiers, and statistics hold values.

    Parameters
    ----------
    folder : AnyPath
        Where the files go; made if missing.
    name : str
        What file names start with.
    schema : pyarrow.Schema
    statistics : sequence of str
        Integer and time columns.
    """

    def __init__(
        self,
        folder: AnyPath,
        name: str,
        schema: pa.Schema,
        *,
        statistics: Sequence[str],
        part_rows: int = PART_ROWS,
    ) -> None:
        self._folder = folder
        self._name = name
        self._schema = schema
        self._statistics = tuple(statistics)
        self._part_rows = part_rows
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._file: _OpenPart | None = None
        self.parts: list[Part] = []

    def write(self, table: pa.Table) -> None:
        """Add rows; columns may stand in any order."""
        if table.num_rows == 0:
            return
        self._waiting.append(table.select(self._schema.names).cast(self._schema))
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= GROUP_ROWS:
            self._flush()

    def close(self) -> list[Part]:
        """Finish the last file; all files and their folder are on the disk. Returns them in order."""
        self._flush()
        self._finish_part()
        if self.parts:
            sync_folder(self._folder)
        return self.parts

    def abandon(self) -> None:
        """Remove everything that was written."""
        self.drop_draft()
        remove(part.path for part in self.parts)
        self.parts = []

    def drop_draft(self) -> None:
        """Remove the file that is being written; those that are finished stay."""
        if self._file is not None:
            self._file.abandon()
            self._file = None
        self._waiting = []

    def _flush(self) -> None:
        if not self._waiting_rows:
            return
        table = pa.concat_tables(self._waiting)
        self._waiting, self._waiting_rows = [], 0
        if self._file is None:
            make_folder(self._folder)
            path = self._folder / f"{self._name}-{uuid.uuid4().hex}.parquet"
            self._file = _OpenPart(path, self._schema, self._statistics)
        self._file.write(table)
        if self._file.rows >= self._part_rows:
            self._finish_part()

    def _finish_part(self) -> None:
        if self._file is not None:
            self.parts.append(self._file.finish())
            self._file = None


class _OpenPart:
    def __init__(self, path: AnyPath, schema: pa.Schema, statistics: Sequence[str]) -> None:
        self._path = path
        self._draft: Path = drafts_folder(path.parent) / path.name
        self._statistics = statistics
        self._ranges: dict[str, tuple[int, int]] = {}
        self.rows = 0
        self._writer = pq.ParquetWriter(
            self._draft,
            schema,
            compression={name: "none" if name == "row_key" else "zstd" for name in _leaf_paths(schema)},
            compression_level={name: 1 for name in _leaf_paths(schema) if name != "row_key"},
            use_dictionary=[name for name in _leaf_paths(schema) if name not in _PLAIN],
            write_statistics=list(statistics),
        )

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table, row_group_size=GROUP_ROWS)
        self.rows += table.num_rows
        for name in self._statistics:
            _widen(self._ranges, name, table.column(name))

    def finish(self) -> Part:
        self._writer.close()
        sync_file(self._draft)
        size = self._draft.stat().st_size
        publish(self._draft, self._path)
        return Part(self._path, self.rows, size, self._ranges)

    def abandon(self) -> None:
        with contextlib.suppress(OSError):  # a full disk does not take the file's end either
            self._writer.close()
        self._draft.unlink(missing_ok=True)


def _leaf_paths(schema: pa.Schema) -> list[str]:
    """Parquet's names of the columns: those inside lists of structs are spelled out."""
    paths: list[str] = []
    for field in schema:
        if pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type):
            paths += [f"{field.name}.list.element.{inner.name}" for inner in field.type.value_type]
        else:
            paths.append(field.name)
    return paths


def _widen(ranges: dict[str, tuple[int, int]], name: str, column: pa.ChunkedArray) -> None:
    if column.null_count == len(column):
        return
    found = pc.min_max(
        column.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date32(column.type) else column.cast(pa.int64())
    )
    least, greatest = found["min"].as_py(), found["max"].as_py()
    before = ranges.get(name, (least, greatest))
    ranges[name] = (min(before[0], least), max(before[1], greatest))


def copy_rows(
    source: AnyPath,
    keep: npt.NDArray[np.bool_],
    writer: PartWriter,
    *,
    change: Callable[[pa.Table], pa.Table] | None = None,
) -> None:
    """Copy the rows of a Parquet file that `keep` marks, shape (n_rows,); `change` makes others of them first."""
    with open_parquet(source, in_memory=False) as file:
        at = 0
        for batch in file.iter_batches(batch_size=GROUP_ROWS):
            wanted = pa.array(keep[at : at + batch.num_rows])
            rows = pa.Table.from_batches([batch]).filter(wanted)
            writer.write(rows if change is None else change(rows))
            at += batch.num_rows
