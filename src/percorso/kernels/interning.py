"""Give equal keys equal small numbers: open-addressing tables that grow with the distinct keys alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U64
from percorso.kernels.compile import I32_IN, I32_IN2, I32_OUT, I64_OUT, U8_IN, U64_IN2, U64_OUT2, kernel

__all__ = ["KeyTable", "TupleTable", "duplicate_groups"]

_ROOM = 1 << 17  # keys
_EMPTY = np.int32(-1)


@kernel(types.int64(U64_IN2, U8_IN, I32_OUT, U64_OUT2, types.int64, I32_OUT, I64_OUT))
def _intern_keys(keys: U64, skip: U8, slots: I32, stored: U64, n_stored: int, codes: I32, firsts: I64) -> int:
    mask = slots.size - 1
    for i in range(keys.shape[0]):
        if skip[i]:
            codes[i] = -1
            continue
        low, high = keys[i, 0], keys[i, 1]
        at = np.int64(low & np.uint64(mask))
        while True:
            code = slots[at]
            if code < 0:
                code = np.int32(n_stored)
                slots[at] = code
                stored[code, 0], stored[code, 1] = low, high
                firsts[code] = i
                n_stored += 1
                break
            if stored[code, 0] == low and stored[code, 1] == high:
                break
            at = (at + 1) & mask
        codes[i] = code
    return n_stored


@kernel(types.void(U64_IN2, U8_IN, I32_IN, U64_IN2, I32_OUT))
def _find_keys(keys: U64, skip: U8, slots: I32, stored: U64, codes: I32) -> None:
    mask = slots.size - 1
    for i in range(keys.shape[0]):
        codes[i] = -1
        if skip[i]:
            continue
        low, high = keys[i, 0], keys[i, 1]
        at = np.int64(low & np.uint64(mask))
        while slots[at] >= 0:
            code = slots[at]
            if stored[code, 0] == low and stored[code, 1] == high:
                codes[i] = code
                break
            at = (at + 1) & mask


@kernel(types.void(U64_IN2, types.int64, I32_OUT))
def _fill_slots(stored: U64, n_stored: int, slots: I32) -> None:
    mask = slots.size - 1
    for code in range(n_stored):
        at = np.int64(stored[code, 0] & np.uint64(mask))
        while slots[at] >= 0:
            at = (at + 1) & mask
        slots[at] = code


class KeyTable:
    """128-bit keys to codes 0, 1, 2, ... in the order of first sight."""

    def __init__(self) -> None:
        self._slots = np.full(1 << 12, _EMPTY, dtype=np.int32)
        self._stored = np.empty((1 << 11, 2), dtype=np.uint64)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @classmethod
    def of_keys(cls, keys: npt.NDArray[np.uint64]) -> KeyTable:
        """The table that gave these keys the codes 0, 1, 2, ...; uint64, shape (n_keys, 2), all different."""
        table = cls()
        # Some will come, and growing would move all of them; where there are few, that is nothing.
        table._reserve(len(keys) + len(keys) // 8 + min(_ROOM, len(keys)))
        table._stored[: len(keys)] = keys
        table._size = len(keys)
        _fill_slots(table._stored, table._size, table._slots)
        return table

    def keys(self, start: int = 0) -> npt.NDArray[np.uint64]:
        """The keys of the codes from `start` on, uint64, shape (n, 2)."""
        return self._stored[start : self._size]

    def codes(
        self, keys: npt.NDArray[np.uint64], skip: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Codes of keys, and where each new key stands.

        Parameters
        ----------
        keys : uint64, shape (n_keys, 2)
        skip : uint8, shape (n_keys,)
            1: no key there; its code is -1.

        Returns
        -------
        codes : int32, shape (n_keys,)
        firsts : int64, shape (n_new,)
            Position in `keys` of the first sight of each code that is new, in the order of the codes.
        """
        before = self._size
        self._reserve(before + len(keys))
        codes = np.empty(len(keys), dtype=np.int32)
        firsts = np.empty(len(self._stored), dtype=np.int64)
        self._size = int(_intern_keys(keys, skip, self._slots, self._stored, before, codes, firsts))
        return codes, firsts[before : self._size].copy()

    def find(self, keys: npt.NDArray[np.uint64], skip: npt.NDArray[np.uint8] | None = None) -> npt.NDArray[np.int32]:
        """Codes of keys, -1 for those that have none; the table stays as it is.

        Parameters
        ----------
        keys : uint64, shape (n_keys, 2)
        skip : uint8, shape (n_keys,), optional
            1: no key there; its code is -1.
        """
        codes = np.empty(len(keys), dtype=np.int32)
        skip = np.zeros(len(keys), dtype=np.uint8) if skip is None else skip
        _find_keys(keys, skip, self._slots, self._stored, codes)
        return codes

    def _reserve(self, size: int) -> None:
        if size > len(self._stored):
            capacity = max(size, 2 * len(self._stored))
            grown = np.empty((capacity, 2), dtype=np.uint64)
            grown[: self._size] = self._stored[: self._size]
            self._stored = grown
        if 2 * size > len(self._slots):
            n_slots = len(self._slots)
            while n_slots < 2 * size:
                n_slots *= 2
            self._slots = np.full(n_slots, _EMPTY, dtype=np.int32)
            _fill_slots(self._stored, self._size, self._slots)


@kernel(types.void(I32_IN2, U64_OUT2))
def _hash_codes(columns: I32, keys: U64) -> None:
    """128-bit hash of each column of `columns` (int32, shape (n_parts, n_rows)): two rounds of a 64-bit mixer."""
    for i in range(columns.shape[1]):
        low, high = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
        for k in range(columns.shape[0]):
            word = np.uint64(np.uint32(columns[k, i])) + np.uint64(1)
            low = (low ^ word) * np.uint64(0xFF51AFD7ED558CCD)
            low ^= low >> np.uint64(32)
            high = (high + word) * np.uint64(0xC4CEB9FE1A85EC53)
            high ^= high >> np.uint64(29)
        keys[i, 0] = low ^ (high >> np.uint64(31))
        keys[i, 1] = high


class TupleTable:
    """Tuples of codes to codes 0, 1, 2, ... in the order of first sight."""

    def __init__(self, table: KeyTable | None = None) -> None:
        self.table = KeyTable() if table is None else table

    def __len__(self) -> int:
        return len(self.table)

    def codes(
        self, columns: Sequence[npt.NDArray[np.int32]] | npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Codes of the rows of `columns`, and where each new tuple stands; shapes as in `KeyTable.codes`."""
        keys = np.empty((len(columns[0]), 2), dtype=np.uint64)
        _hash_codes(np.ascontiguousarray(columns, dtype=np.int32), keys)
        return self.table.codes(keys, np.zeros(len(keys), dtype=np.uint8))


@kernel(types.Tuple((I64_OUT, I32_OUT))(U64_IN2, types.int64))
def duplicate_groups(keys: U64, bits: int) -> tuple[I64, I32]:
    """Rows whose key another row has too.

    Rows are scattered by the upper `bits` of their keys and compared inside a part, so that a part fits the
    processor's cache.

    Parameters
    ----------
    keys : uint64, shape (n_rows, 2)
        Uniformly distributed (hashes).
    bits : int
        About log2(n_rows / 2048).

    Returns
    -------
    rows : int64, shape (n_duplicates,)
        Rows that share their key, group after group, ascending inside a group.
    group : int32, shape (n_duplicates,)
        Number of the group of each.
    """
    n = keys.shape[0]
    n_parts = 1 << bits
    shift = np.uint64(64 - bits) if bits > 0 else np.uint64(63)
    starts = np.zeros(n_parts + 1, dtype=np.int64)
    for i in range(n):
        part = np.int64(keys[i, 0] >> shift) if bits > 0 else 0
        starts[part + 1] += 1
    for part in range(n_parts):
        starts[part + 1] += starts[part]
    place = starts[:-1].copy()
    order = np.empty(n, dtype=np.int64)
    for i in range(n):
        part = np.int64(keys[i, 0] >> shift) if bits > 0 else 0
        order[place[part]] = i
        place[part] += 1
    rows = np.empty(1024, dtype=np.int64)
    group = np.empty(1024, dtype=np.int32)
    n_found, n_groups = 0, 0
    slots = np.empty(16, dtype=np.int64)
    group_of = np.empty(16, dtype=np.int32)
    for part in range(n_parts):
        lo, hi = starts[part], starts[part + 1]
        size = 16
        while size < 2 * (hi - lo):
            size *= 2
        if size > slots.size:
            slots = np.empty(size, dtype=np.int64)
            group_of = np.empty(size, dtype=np.int32)
        mask = np.uint64(size - 1)
        for s in range(size):
            slots[s] = -1
        for k in range(lo, hi):
            i = order[k]
            at = np.int64(keys[i, 1] & mask)
            while slots[at] >= 0:
                other = slots[at]
                if keys[other, 0] == keys[i, 0] and keys[other, 1] == keys[i, 1]:
                    break
                at = np.int64((np.uint64(at) + np.uint64(1)) & mask)
            if slots[at] < 0:
                slots[at] = i
                group_of[at] = -1
                continue
            if n_found + 2 > rows.size:
                rows = np.append(rows, np.empty(rows.size, dtype=np.int64))
                group = np.append(group, np.empty(group.size, dtype=np.int32))
            if group_of[at] < 0:
                group_of[at] = n_groups
                n_groups += 1
                rows[n_found], group[n_found] = slots[at], group_of[at]
                n_found += 1
            rows[n_found], group[n_found] = i, group_of[at]
            n_found += 1
    return rows[:n_found].copy(), group[:n_found].copy()
