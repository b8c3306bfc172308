"""Rows on their way into [prepare] sql and out of it: amounts as numbers, and the line each row stood on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.amounts import minor_from_arrow
from percorso.events.columns import as_numbers
from percorso.events.conversion import Reject, TableChunk
from percorso.events.mapping import AMOUNT_KEYS, Cell, Mapping
from percorso.events.parquet_reader import row_text

__all__ = ["LINE_COLUMN", "from_prepared", "number_cells", "to_prepare"]

#: Column that says on which line of the file a row stood; never a property, nor part of a row's identity.
LINE_COLUMN = "file_line"

_DECIMALS = 4
_NUMBER_KEYS = ("score", "sequence", "quantity")


def number_cells(mapping: Mapping) -> dict[str, Cell]:
    """Columns that the mapping reads as amounts or numbers, and how."""
    cells = [*mapping.columns.items(), *(pair for event in mapping.events for pair in event.columns.items())]
    if mapping.items is not None:
        cells += mapping.items.fields.items()
    wanted = (*AMOUNT_KEYS, *_NUMBER_KEYS, "price")
    return {
        cell.columns[0]: cell for key, cell in cells if key in wanted and len(cell.columns) == 1 and not cell.values
    }


def to_prepare(chunk: TableChunk, numbers: dict[str, Cell]) -> tuple[pa.Table, list[Reject]]:
    """The chunk's rows as the SQL sees them, and those whose amounts cannot be read.

    In text files "12,50" is a text and "0.40" <> 0 compares whole numbers; so columns that the mapping reads
    as amounts or numbers become numbers first, as the mapping says.
    """
    table = chunk.table
    wrong = np.zeros(table.num_rows, np.bool_)
    for name, cell in numbers.items():
        place = table.schema.get_field_index(name)
        if place >= 0 and not _is_number(table.schema.field(place).type):
            column, bad = _as_double(table.column(name), cell.decimal)
            table = table.set_column(place, name, column)
            wrong |= bad
    if LINE_COLUMN not in table.column_names:
        table = table.append_column(LINE_COLUMN, pa.array(chunk.lines))
    if not wrong.any():
        return table, []
    detail = "An amount or a number cannot be read."
    bad_rows = np.flatnonzero(wrong).tolist()
    rejected = [Reject(int(chunk.lines[i]), "amount_unreadable", detail, chunk.raw(i)) for i in bad_rows]
    return table.filter(pa.array(~wrong)), rejected


def from_prepared(table: pa.Table, first_row: int) -> TableChunk:
    """Rows that come out of the SQL. Without `file_line`, they count from `first_row`."""
    lines = np.arange(first_row, first_row + table.num_rows, dtype=np.int64)
    if LINE_COLUMN in table.column_names and pa.types.is_integer(table.schema.field(LINE_COLUMN).type):
        column = table.column(LINE_COLUMN)
        if column.null_count == 0:
            lines = column.to_numpy().astype(np.int64)
            table = table.drop_columns([LINE_COLUMN])
    return TableChunk(table, lines, lambda i: row_text(table, i))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _as_double(column: pa.ChunkedArray, decimal: str) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Amounts in any way of writing; numbers with more decimals than amounts have are read as such."""
    minor, unreadable = minor_from_arrow(column, _DECIMALS, decimal)
    plain, _ = as_numbers(column, decimal)
    amounts = pc.divide(minor.cast(pa.float64()), float(10**_DECIMALS))
    return pc.coalesce(plain, amounts) if decimal == "." else amounts, unreadable
