"""Read rows of the lake that some test marks, in all cores, and only columns in which something stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from percorso.engines.ranges import in_parallel
from percorso.events.event import EVENT_SCHEMA
from percorso.store.lake import LakeFile
from percorso.store.mapped import open_parquet

__all__ = ["Marker", "is_in", "marked_rows", "where_coded"]

#: Marks rows of a part of a file, shape (n_rows,); it may be called by several threads at once.
Marker = Callable[[LakeFile, pa.Table], npt.NDArray[np.bool_]]

# A column chunk of fewer bytes a row than this has few distinct values, and is read as codes.
_CODED_BYTES = 4


def marked_rows(files: Sequence[LakeFile], mark: Marker, columns: Sequence[str]) -> pa.Table:
    """Rows that `mark(file, row group)` marks, as `EVENT_SCHEMA`, in the order of the files.

    Parameters
    ----------
    files : sequence of LakeFile
    mark : callable
        It is shown those of `columns` that are not all null; texts that repeat as dictionaries.
    columns : sequence of str
    """
    found = in_parallel(_groups(files), lambda place: _marked(*place, mark, columns))
    return pa.concat_tables(
        [EVENT_SCHEMA.empty_table(), *(rows for rows in found if rows is not None)]
    ).combine_chunks()


def _groups(files: Sequence[LakeFile]) -> list[tuple[LakeFile, int]]:
    places = []
    for file in files:
        with open_parquet(file.path) as parquet:
            places += [(file, group) for group in range(parquet.num_row_groups)]
    return places


def _marked(file: LakeFile, group: int, mark: Marker, columns: Sequence[str]) -> pa.Table | None:
    with open_parquet(file.path) as parquet:
        shown, coded = _worth_reading(parquet, group, columns)
    with open_parquet(file.path, coded=coded) as parquet:
        marks = mark(file, parquet.read_row_group(group, columns=shown))
        if not marks.any():
            return None
        return _as_events(parquet.read_row_group(group).filter(pa.array(marks)), file.source)


def _worth_reading(parquet: pq.ParquetFile, group: int, columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those of the columns that are not all null, and those of them whose texts repeat, by what the file says."""
    metadata = parquet.metadata.row_group(group)
    shown: dict[str, None] = {}  # in order, a list's column once
    coded: list[str] = []
    for at in range(metadata.num_columns):
        chunk = metadata.column(at)
        name = chunk.path_in_schema.partition(".")[0]
        statistics = chunk.statistics
        if name not in columns or (statistics is not None and statistics.null_count == chunk.num_values):
            continue
        shown[name] = None
        if "." not in chunk.path_in_schema and chunk.total_uncompressed_size < _CODED_BYTES * chunk.num_values:
            coded.append(name)
    return list(shown), coded


def _as_events(rows: pa.Table, source: str) -> pa.Table:
    """Rows of a file as `EVENT_SCHEMA`; what an older format lacks is null."""
    arrays = [
        pa.repeat(pa.scalar(source, pa.string()), len(rows))
        if field.name == "source"
        else rows.column(field.name).cast(field.type)
        if field.name in rows.schema.names
        else pa.nulls(len(rows), field.type)
        for field in EVENT_SCHEMA
    ]
    return pa.table(arrays, schema=EVENT_SCHEMA)


def is_in(column: pa.ChunkedArray, values: Collection[str]) -> npt.NDArray[np.bool_]:
    """Rows with one of the values, shape (n_rows,)."""
    if not values:
        return np.zeros(len(column), np.bool_)
    wanted = pa.array(sorted(values), pa.string())
    return where_coded(column, lambda texts: pc.is_in(texts, wanted))


def where_coded(column: pa.ChunkedArray, test: Callable[[pa.StringArray], pa.BooleanArray]) -> npt.NDArray[np.bool_]:
    """Rows whose text passes, shape (n_rows,); of a coded column `test` sees the distinct texts alone."""
    marks = np.zeros(len(column), np.bool_)
    at = 0
    for chunk in column.chunks:
        if pa.types.is_dictionary(column.type):
            passes = np.append(test(chunk.dictionary).to_numpy(zero_copy_only=False), False)
            codes = chunk.indices.fill_null(len(passes) - 1).to_numpy(zero_copy_only=False)
            marks[at : at + len(chunk)] = passes[codes] if passes.any() else False
        else:
            marks[at : at + len(chunk)] = pc.fill_null(test(chunk), False).to_numpy(zero_copy_only=False)
        at += len(chunk)
    return marks
