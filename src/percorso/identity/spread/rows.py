"""Rows of the lake on their way through a build on a cluster: what deciding about them needs, without tables' codes.

On one machine a row carries codes into tables that the build holds. Here it carries what the codes stand for, so that
any task can give codes of its own to the rows it sees and run the same functions on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.identity.rows import OWNING_REFERENCES, PLAIN_REFERENCES, ROW_COLUMNS, RowFiles
from percorso.kernels.interning import KeyTable
from percorso.store.columns import as_strings, hash_column, null_mask, string_buffers, whole
from percorso.store.log_files import fixed_column

__all__ = [
    "HASH",
    "PLACED_SCHEMA",
    "ROW_SCHEMA",
    "TIMED_SCHEMA",
    "codes_of_keys",
    "codes_of_texts",
    "hash_array",
    "key_words",
    "message_texts",
    "numbers",
    "part_of_keys",
    "part_of_texts",
    "row_files",
]

#: A 128-bit key or keyed hash.
HASH = pa.binary(16)

_REFERENCES = [pa.field(name, HASH) for name in OWNING_REFERENCES]
_PLAIN = [pa.field(name, pa.int64()) for name in PLAIN_REFERENCES]  # 0 none

_WHAT_STAYS = [
    pa.field("row", pa.int64()),  # number of the row in the lake, as the build counts
    pa.field("key", HASH),  # source and message id
    pa.field("sequence", pa.int64()),
    pa.field("source", pa.int16()),  # rank by the bytes of the name
    pa.field("client", pa.uint8()),
    pa.field("signed_out", pa.uint8()),
    pa.field("is_order", pa.uint8()),
    pa.field("trust", pa.int8()),
    pa.field("message_id", pa.string()),
    pa.field("anonymous", pa.string()),  # type, space and value; null: none
    pa.field("device", pa.string()),
    pa.field("set", HASH),  # of the strong identifiers, in the order of their priority; null: none
    *_REFERENCES,
    *_PLAIN,
]
#: What tells the set's members, and the former user id of an alias message that a trusted source sent.
_MEMBERS = [pa.field("members", pa.list_(pa.string())), pa.field("stated", pa.list_(pa.string()))]

#: As they were scanned.
ROW_SCHEMA = pa.schema(
    [
        *_WHAT_STAYS,
        *_MEMBERS,
        pa.field("row_key", HASH),
        pa.field("stamp", pa.int64()),
        pa.field("received", pa.int64()),
        pa.field("skew", pa.int64()),
        pa.field("skewed", pa.uint8()),
    ]
)
#: Those that count, at their time.
TIMED_SCHEMA = pa.schema([*_WHAT_STAYS, pa.field("time", pa.int64()), pa.field("future", pa.uint8())])
#: With their person: its id, null: nobody's; the rule that placed them; 1: by a strong identifier. What follows is
#: read from the lake once more.
PLACED_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("key", HASH),
        ("sequence", pa.int64()),
        ("source", pa.int16()),
        ("device", pa.string()),  # the first weak identifier
        ("order_id", HASH),
        ("conversation", HASH),
        *_PLAIN,
        ("time", pa.int64()),
        ("future", pa.uint8()),
        ("person", HASH),
        ("rule", pa.uint8()),
        ("identified", pa.uint8()),
    ]
)


def hash_array(hashes: npt.NDArray[Any], valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """A column of 128-bit values, uint8 of shape (n, 16) or uint64 of shape (n, 2)."""
    return fixed_column(HASH, np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 16), valid)


def key_words(column: pa.Array | pa.ChunkedArray) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    """128-bit values as uint64 of shape (n, 2), and 1 where there is none."""
    array = whole(column)
    data = np.frombuffer(array.buffers()[1] or b"", dtype=np.uint64).reshape(-1, 2)
    return data[array.offset : array.offset + len(array)], null_mask(array)


def numbers(rows: pa.Table, name: str) -> npt.NDArray[Any]:
    """A column of numbers without nulls, shape (n_rows,)."""
    return whole(rows.column(name)).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def part_of_keys(words: npt.NDArray[np.uint64], n_parts: int) -> npt.NDArray[np.int32]:
    """Part of each 128-bit value, shape (n,)."""
    return (words[:, 1] % np.uint64(n_parts)).astype(np.int32)


def part_of_texts(texts: pa.Array | pa.ChunkedArray, n_parts: int) -> npt.NDArray[np.int32]:
    """Part of each text, shape (n,); of null that of the empty text."""
    return part_of_keys(hash_column(as_strings(texts), tag=1), n_parts)


def codes_of_keys(
    columns: Sequence[pa.Array | pa.ChunkedArray],
) -> tuple[list[npt.NDArray[np.int32]], npt.NDArray[np.uint64]]:
    """Codes of the values of some columns of 128-bit values, in one series; -1 for none. And the value of each code."""
    table = KeyTable()
    codes = [table.codes(*key_words(column))[0] for column in columns]
    return codes, table.keys().copy()


def codes_of_texts(columns: Sequence[pa.Array | pa.ChunkedArray]) -> tuple[list[npt.NDArray[np.int32]], pa.StringArray]:
    """Codes of the texts of some columns, in one series; -1 for none. And the text of each code."""
    table, fresh, codes = KeyTable(), [pa.array([], pa.string())], []
    for column in columns:
        texts = as_strings(column)
        found, firsts = table.codes(hash_column(texts, tag=1), null_mask(texts))
        codes.append(found)
        fresh.append(texts.take(pa.array(firsts)))
    return codes, pa.concat_arrays(fresh)


def message_texts(rows: pa.Table) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Offsets (n_rows + 1,) and bytes of the message ids."""
    offsets, text = string_buffers(as_strings(rows.column("message_id")))
    return offsets.astype(np.int64), text


def row_files(rows: pa.Table, sources: Sequence[str], **more: npt.NDArray[Any]) -> RowFiles:
    """Rows as the functions of one machine take them, with columns that the rows do not have by these names.

    Parameters
    ----------
    rows : pyarrow.Table
        Of the columns that are asked for.
    sources : sequence of str
        By rank.
    more : arrays
        Codes: `anonymous`, `device`, names of references (code + 1, 0 none).
    """
    columns: dict[str, npt.NDArray[Any]] = dict(more)
    if "message_id" in rows.column_names:
        columns["text_end"], columns["text"] = message_texts(rows)
    for name in (*ROW_COLUMNS, "skewed", *PLAIN_REFERENCES):
        if name not in columns and name in rows.column_names and not pa.types.is_string(rows.schema.field(name).type):
            column = rows.column(name)
            columns[name] = key_words(column)[0] if column.type == HASH else numbers(rows, name)
    sparse = frozenset(name for name in columns if name not in ROW_COLUMNS and name not in ("text", "text_end"))
    return RowFiles(Path(), rows.num_rows, tuple(sources), sparse, columns)


def with_columns(rows: pa.Table, columns: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """The rows as a schema wants them, some columns given here."""
    found = [columns[field.name] if field.name in columns else rows.column(field.name) for field in schema]
    arrays = [
        pa.array(column, field.type) if isinstance(column, np.ndarray) else column
        for column, field in zip(found, schema, strict=True)
    ]
    return pa.table(arrays, schema=schema)
