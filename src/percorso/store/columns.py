"""Arrow columns as plain buffers for the kernels, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.kernels.hashing import hash_bytes

__all__ = ["as_strings", "hash_column", "null_mask", "string_buffers", "strings_from_buffers", "whole"]

_NO_BYTES = np.zeros(0, dtype=np.uint8)


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return column


def as_strings(column: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """A string column with plain 32-bit offsets: dictionaries decoded, nulls kept."""
    array = whole(column)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array if pa.types.is_string(array.type) else pc.cast(array, pa.string())


def string_buffers(column: pa.StringArray) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]:
    """Offsets (int32, of large strings int64; shape (n + 1,)) and bytes of a string column; a null has no bytes."""
    _, offsets, data = column.buffers()
    kind = np.int64 if pa.types.is_large_string(column.type) else np.int32
    if offsets is None:
        return np.zeros(len(column) + 1, dtype=kind), _NO_BYTES
    cut = np.frombuffer(offsets, dtype=kind)[column.offset : column.offset + len(column) + 1]
    return cut, np.frombuffer(data, dtype=np.uint8) if data is not None else _NO_BYTES


def strings_from_buffers(offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]) -> pa.StringArray:
    """A string column without nulls over the given buffers."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def null_mask(column: pa.Array) -> npt.NDArray[np.uint8]:
    """1 where the column is null, shape (n,)."""
    if column.null_count == 0:
        return np.zeros(len(column), dtype=np.uint8)
    mask: npt.NDArray[Any] = column.is_null().to_numpy(zero_copy_only=False)
    return mask.astype(np.uint8)


def hash_column(
    column: pa.StringArray, *, tag: int, state: npt.NDArray[np.uint64] | None = None
) -> npt.NDArray[np.uint64]:
    """128-bit hashes of a string column, uint64, shape (n, 2).

    Parameters
    ----------
    column : pyarrow.StringArray, shape (n,)
    tag : int
        Tells the hashes of one kind of value from those of another.
    state : uint64, shape (n, 2), optional
        Hashes of columns before this one; changed in place.
    """
    if state is None:
        state = np.zeros((len(column), 2), dtype=np.uint64)
    offsets, data = string_buffers(column)
    validity = column.buffers()[0]
    bits = np.frombuffer(validity, dtype=np.uint8) if validity is not None else _NO_BYTES
    hash_bytes(offsets, data, bits, column.offset, tag, state)
    return state
