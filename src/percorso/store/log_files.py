"""Columns and files of the journey log's tables, made so that equal content has equal bytes.

Arrow leaves open what stands in the unused bits of a bitmap, under a null, before the first text: the
functions here leave nothing open.
"""

from __future__ import annotations

import os
import secrets
from typing import IO, Any

import blake3
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.store.columns import string_buffers
from percorso.store.files import AnyPath, drafts_folder, publish

__all__ = [
    "MOST_TEXT_BYTES",
    "coded_column",
    "fixed_column",
    "index_type",
    "packed_codes",
    "settled",
    "text_column",
    "write_table",
]

#: What 32-bit offsets can address; a column with more text needs 64-bit ones.
MOST_TEXT_BYTES = 2**31 - 1

_BUFFER_BYTES = 1 << 16

_INDEX_TYPES: tuple[tuple[int, Any, pa.DataType], ...] = (
    (1 << 8, np.uint8, pa.uint8()),
    (1 << 16, np.uint16, pa.uint16()),
    (1 << 31, np.uint32, pa.uint32()),
)


def index_type(n_values: int) -> Any:
    """The smallest unsigned numpy type that codes so many values."""
    return next(kind for limit, kind, _ in _INDEX_TYPES if n_values <= limit)


def coded_column(codes: npt.NDArray[np.integer[Any]], dictionary: pa.StringArray) -> pa.DictionaryArray:
    """A coded column from codes into a larger dictionary that is sorted by bytes.

    Parameters
    ----------
    codes : int array, shape (n_rows,)
        Positions in `dictionary`, all >= 0.
    dictionary : pyarrow.StringArray, shape (n_values,)
        Distinct values, sorted by their UTF-8 bytes.

    Returns
    -------
    pyarrow.DictionaryArray
        Only the values present, in the same order, with the smallest unsigned index type that fits.
    """
    present = np.zeros(len(dictionary), dtype=np.bool_)
    present[codes] = True
    used = np.flatnonzero(present)
    renumber = np.zeros(len(dictionary), dtype=index_type(len(used)))
    renumber[used] = np.arange(len(used), dtype=renumber.dtype)
    return packed_codes(renumber[codes], settled(dictionary.take(pa.array(used, type=pa.int64()))))


def packed_codes(codes: npt.NDArray[np.unsignedinteger[Any]], dictionary: pa.StringArray) -> pa.DictionaryArray:
    """A coded column of codes of the right type into a settled dictionary of exactly the values present."""
    arrow_type = next(arrow for _, kind, arrow in _INDEX_TYPES if codes.dtype == kind)
    # Not safe: that would look at every code again.
    return pa.DictionaryArray.from_arrays(pa.array(codes, type=arrow_type), dictionary, safe=False)


def text_column(
    offsets: npt.NDArray[Any], data: npt.NDArray[np.uint8], valid: npt.NDArray[np.bool_] | None
) -> pa.StringArray:
    """A text column over buffers.

    Parameters
    ----------
    offsets : int32 or int64, shape (n + 1,)
        From 0 to the number of bytes; of int64 only where the bytes are more than 32 bits can address.
    data : uint8, shape (n_bytes,)
    valid : bool, shape (n,), optional
        False: null. Without it there are none.
    """
    narrow = len(data) <= MOST_TEXT_BYTES
    offsets = np.ascontiguousarray(offsets, dtype=np.int32 if narrow else np.int64)
    return pa.Array.from_buffers(
        pa.string() if narrow else pa.large_string(),
        len(offsets) - 1,
        [_bitmap(valid), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))],
    )


def fixed_column(kind: pa.DataType, values: npt.NDArray[Any], valid: npt.NDArray[np.bool_] | None) -> pa.Array:
    """A column of `kind` over values of fixed width, shape (n,) or (n, width); those under a null count as 0.

    Parameters
    ----------
    kind : pyarrow.DataType
    values : array
    valid : bool, shape (n,), optional
        False: null. Without it there are none.
    """
    if valid is not None:
        values = np.where(valid.reshape(-1, *(1,) * (values.ndim - 1)), values, np.zeros((), dtype=values.dtype))
    return pa.Array.from_buffers(kind, len(values), [_bitmap(valid), pa.py_buffer(np.ascontiguousarray(values))])


def _bitmap(valid: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    if valid is None or valid.all():
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def settled(column: pa.Array) -> pa.Array:
    """A column of texts, of numbers with nulls or of fixed bytes, with nothing left open in its buffers."""
    valid = column.is_valid().to_numpy(zero_copy_only=False) if column.null_count else None
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        offsets, data = string_buffers(column)
        return text_column(offsets - offsets[0], data[offsets[0] : offsets[-1]], valid)
    width = column.type.byte_width
    bytes_ = np.frombuffer(column.buffers()[1] or b"", dtype=np.uint8)
    inside = bytes_[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)
    return fixed_column(column.type, inside, valid)


def write_table(folder: AnyPath, table: str, batch: pa.RecordBatch) -> str:
    """Write one table of one bucket and return its file name, which holds the hash of its bytes.

    The file is complete on disk before it gets its name. A file of equal content is not written again.
    """
    partial = drafts_folder(folder) / f".{table}.{secrets.token_hex(8)}.arrow.partial"
    try:
        with open(partial, "wb", buffering=0) as stream:
            hashed = _HashedFile(stream)
            # Arrow writes a small table in some fifty pieces, each of which would come through Python.
            with (
                pa.BufferedOutputStream(pa.PythonFile(hashed, "w"), _BUFFER_BYTES) as sink,
                pa.ipc.new_file(sink, batch.schema) as writer,
            ):
                writer.write_batch(batch)
            os.fsync(stream.fileno())
        name = f"{table}-{hashed.hexdigest()[:40]}.arrow"
        publish(partial, folder / name)
    except BaseException:
        partial.unlink(missing_ok=True)  # it would keep a full disk full
        raise
    return name


class _HashedFile:
    """A file that takes the hash of what is written to it, so that it need not be read again.

    Called by Arrow. Closing it leaves the file open: it is still to be brought onto the disk.
    """

    closed = False

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = blake3.blake3()

    def write(self, data: pa.Buffer) -> int:
        self._hash.update(data)
        rest = memoryview(data)
        while len(rest):
            rest = rest[self._stream.write(rest) :]
        return len(memoryview(data))

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def hexdigest(self) -> str:
        digest: str = self._hash.hexdigest()
        return digest
