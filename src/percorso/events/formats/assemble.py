"""From the columns that a format filled in to a whole table of event rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.events.conversion import CONVERTED_SCHEMA, Converted, LineChunk, Reject, TableChunk
from percorso.events.formats.json_values import Faults
from percorso.events.formats.source import SourceInfo

__all__ = ["event_table", "joined", "line_reject", "same_text", "table_reject", "without_faulty"]

#: Of a rejected row so much is kept.
_RAW_CHARACTERS = 65_536


def same_text(value: str, rows: int) -> pa.Array:
    """A text column that says the same in every row."""
    return pa.repeat(pa.scalar(value, pa.string()), rows)


def event_table(columns: Mapping[str, pa.Array | pa.ChunkedArray], rows: int, source: SourceInfo) -> pa.Table:
    """A table of `CONVERTED_SCHEMA`: given columns are cast, the source's are filled in, the rest is null.

    Parameters
    ----------
    columns : mapping of column name to array, each shape (rows,)
    rows : int
    source : SourceInfo

    Returns
    -------
    pyarrow.Table, shape (rows, n_fields)
    """
    unknown = set(columns) - set(CONVERTED_SCHEMA.names)
    if unknown:
        raise KeyError(f"no such event columns: {sorted(unknown)}")
    constant = {
        "source": source.name,
        "source_kind": source.kind,
        "id_space": source.id_space,
        "ref_space": source.ref_space,
    }
    arrays = []
    for field in CONVERTED_SCHEMA:
        if field.name in columns:
            given = columns[field.name]
            arrays.append(given if given.type == field.type else given.cast(field.type))
        elif field.name in constant:
            arrays.append(same_text(constant[field.name], rows))
        else:
            arrays.append(pa.nulls(rows, field.type))
    return pa.table(arrays, schema=CONVERTED_SCHEMA)


def without_faulty(
    table: pa.Table,
    raw_row: npt.NDArray[np.int64],
    faults: Faults,
    rejected: Sequence[Reject],
    reject_of: Callable[[int, str, str], Reject],
) -> Converted:
    """The event rows without the faulty ones, which become rejects beside those given.

    Parameters
    ----------
    table : pyarrow.Table of CONVERTED_SCHEMA, shape (rows, n_fields)
    raw_row : int64, shape (rows,)
        The chunk's row of each event.
    faults : Faults
        Faulty event rows.
    rejected : sequence of Reject
        What never became an event row.
    reject_of : callable
        (row of the chunk, reason, detail) -> Reject
    """
    if not faults:
        return Converted(table, raw_row, list(rejected))
    told = [*rejected, *(reject_of(int(raw_row[row]), *why) for row, why in faults.items())]
    good = np.setdiff1d(np.arange(table.num_rows), list(faults))
    return Converted(table.take(pa.array(good)), raw_row[good], sorted(told, key=lambda reject: reject.line))


def joined(parts: Sequence[Converted]) -> Converted:
    """Conversions of consecutive pieces of one chunk as one."""
    return Converted(
        pa.concat_tables([part.events for part in parts] or [CONVERTED_SCHEMA.empty_table()]),
        np.concatenate([part.raw_row for part in parts] or [np.zeros(0, np.int64)]),
        [reject for part in parts for reject in part.rejected],
    )


def line_reject(chunk: LineChunk, row: int, reason: str, detail: str) -> Reject:
    """The reject for line `row` of an NDJSON chunk."""
    raw = chunk.texts[row][: 4 * _RAW_CHARACTERS].decode("utf-8", "replace")[:_RAW_CHARACTERS]
    return Reject(int(chunk.lines[row]), reason, detail, raw)


def table_reject(chunk: TableChunk, row: int, reason: str, detail: str) -> Reject:
    """The reject for row `row` of a table chunk."""
    return Reject(int(chunk.lines[row]), reason, detail, chunk.raw(row))
