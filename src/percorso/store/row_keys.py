"""128-bit keys of Arrow rows, and a counter of keys that grows.

Equal rows have equal keys whenever and however they arrive: a key depends on the names and values of the
columns that are not null, taken in a stated order, and on nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.kernels.counting import contains, count_before, move_slots
from percorso.kernels.hashing import hash_bytes, hash_bytes_large, hash_fixed, hash_words, write_hex

__all__ = ["KeyCounter", "column_tag", "keys_as_binary", "keys_as_hex", "keys_from_binary", "row_keys"]

_EMPTY = np.zeros(0, np.uint8)
_MAX_LOAD = 0.75


def row_keys(
    table: pa.Table, columns: Iterable[str] | None = None, *, state: npt.NDArray[np.uint64] | None = None
) -> npt.NDArray[np.uint64]:
    """Hash the rows of a table.

    Parameters
    ----------
    table : pyarrow.Table
    columns : iterable of str, optional
        Columns in the order in which they are hashed; default: all, in the order of their names.
    state : ndarray of uint64, shape (n_rows, 2), optional
        Keys of columns hashed before these ones; changed in place.

    Returns
    -------
    ndarray of uint64, shape (n_rows, 2)

    Examples
    --------
    >>> a, b = row_keys(pa.table({"x": ["one", "one"], "y": [None, ""]}))
    >>> bool((a == b).all())
    False
    """
    names = sorted(table.column_names) if columns is None else list(columns)
    if state is None:
        state = np.zeros((table.num_rows, 2), np.uint64)
    for name in names:
        at = 0
        for chunk in table.column(name).chunks:
            _mix(chunk, column_tag(name), state[at : at + len(chunk)])
            at += len(chunk)
    return state


def column_tag(name: str) -> int:
    """The 64 bits that tell a column from the others: a hash of its name, so that order and number may change."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def keys_as_binary(keys: npt.NDArray[np.uint64]) -> pa.Array:
    """Keys as an Arrow array of 16-byte values, without a copy."""
    flat = np.ascontiguousarray(keys)
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(flat), [None, pa.py_buffer(flat)])


def keys_from_binary(column: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """The inverse of `keys_as_binary`."""
    out = np.empty((len(column), 2), np.uint64)
    at = 0
    for chunk in column.chunks:
        data = np.frombuffer(chunk.buffers()[1], np.uint64)
        out[at : at + len(chunk)] = data[2 * chunk.offset : 2 * (chunk.offset + len(chunk))].reshape(-1, 2)
        at += len(chunk)
    return out


def _mix(array: pa.Array, tag: int, state: npt.NDArray[np.uint64]) -> None:
    if len(array) == array.null_count:
        return
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        _mix_list(array, tag, state)
    elif _is_bytes(kind):
        _mix_bytes(array, tag, state)
    elif kind.id in _PLAIN_WORDS or (pa.types.is_timestamp(kind)):
        _mix_words(array, tag, state)
    elif pa.types.is_fixed_size_binary(kind):
        width = kind.byte_width
        data = np.frombuffer(array.buffers()[1], np.uint8)[array.offset * width :]
        hash_fixed(data, width, *_validity(array), tag, state)
    else:
        _mix(_as_known(array), tag, state)


def _as_known(array: pa.Array) -> pa.Array:
    """Types without a kernel of their own, as one that has: smaller numbers as 64-bit ones, the rest as text."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return array.dictionary_decode()
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date32(kind) or pa.types.is_time32(kind):
        small = pa.types.is_date32(kind) or pa.types.is_time32(kind)
        return (array.cast(pa.int32()) if small else array).cast(pa.int64())
    if pa.types.is_floating(kind):
        return array.cast(pa.float64())
    if pa.types.is_string_view(kind) or pa.types.is_decimal(kind):
        return array.cast(pa.string())
    return pa.array([None if v is None else repr(v) for v in array.to_pylist()], pa.string())


_PLAIN_WORDS = frozenset({pa.int64().id, pa.uint64().id, pa.float64().id, pa.date64().id, pa.time64("us").id})


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_large_binary(kind)
    )


def _validity(array: pa.Array) -> tuple[npt.NDArray[np.uint8], int]:
    buffer = array.buffers()[0]
    return (_EMPTY if buffer is None else np.frombuffer(buffer, np.uint8)), array.offset


def _mix_bytes(array: pa.Array, tag: int, state: npt.NDArray[np.uint64]) -> None:
    _, offsets, data = array.buffers()
    rows = slice(array.offset, array.offset + len(array) + 1)
    payload = _EMPTY if data is None else np.frombuffer(data, np.uint8)
    if pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type):
        hash_bytes_large(np.frombuffer(offsets, np.int64)[rows], payload, *_validity(array), tag, state)
    else:
        hash_bytes(np.frombuffer(offsets, np.int32)[rows], payload, *_validity(array), tag, state)


def _mix_words(array: pa.Array, tag: int, state: npt.NDArray[np.uint64]) -> None:
    values = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array)]
    hash_words(values, *_validity(array), tag, state)


def _mix_list(array: pa.Array, tag: int, state: npt.NDArray[np.uint64]) -> None:
    """A list is the bytes of its elements' keys, one after the other."""
    large = pa.types.is_large_list(array.type)
    offsets = np.frombuffer(array.buffers()[1], np.int64 if large else np.int32)
    starts = offsets[array.offset : array.offset + len(array) + 1].astype(np.int64)
    elements = array.values.slice(starts[0], starts[-1] - starts[0])
    if pa.types.is_struct(elements.type):
        fields = pa.Table.from_arrays(elements.flatten(), names=[f.name for f in elements.type])
        keys = row_keys(fields, fields.column_names)
    else:
        keys = row_keys(pa.table({"element": elements}))
    hash_bytes_large((starts - starts[0]) * 16, keys.reshape(-1).view(np.uint8), *_validity(array), tag, state)


def keys_as_hex(keys: npt.NDArray[np.uint64]) -> pa.StringArray:
    """Keys as texts of 32 hexadecimal digits."""
    out = np.empty(32 * len(keys), np.uint8)
    write_hex(np.ascontiguousarray(keys), out)
    offsets = np.arange(0, 32 * len(keys) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(keys), pa.py_buffer(offsets), pa.py_buffer(out))


class KeyCounter:
    """Counts 128-bit keys over many calls; about 21 to 43 bytes for each different key.

    Parameters
    ----------
    expected : int
        Number of different keys to leave room for at once.
    """

    def __init__(self, expected: int = 0) -> None:
        capacity = max(1024, int(expected / _MAX_LOAD) + 1)
        self._halves = np.zeros(capacity, np.uint64)
        self._counts = np.zeros(capacity, np.uint64)
        self._keys = 0

    def __len__(self) -> int:
        return self._keys

    def add(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Count the keys; how many equal ones came before each, shape (n,)."""
        self._leave_room(len(keys))
        before = np.empty(len(keys), np.int64)
        self._keys += count_before(np.ascontiguousarray(keys), self._halves, self._counts, before)
        return before

    def contains(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Which of the keys have been counted, shape (n,)."""
        found = np.empty(len(keys), np.bool_)
        contains(np.ascontiguousarray(keys), self._halves, self._counts, found)
        return found

    def _leave_room(self, more: int) -> None:
        needed = self._keys + more
        if needed <= len(self._halves) * _MAX_LOAD:
            return
        capacity = max(int(needed / _MAX_LOAD) + 1, len(self._halves) * 2)
        halves, counts = np.zeros(capacity, np.uint64), np.zeros(capacity, np.uint64)
        move_slots(self._halves, self._counts, halves, counts)
        self._halves, self._counts = halves, counts
