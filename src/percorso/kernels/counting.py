"""How many equal keys came before: an open-addressing table over 128-bit keys.

A slot is two words: the key's second half, and the upper 32 bits of its first half above a 32-bit count.
So 96 of 128 bits are compared: among a hundred million different keys, the chance that any two are taken
for equal is below 10^-12, and a slot costs 16 bytes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.compile import BOOL_OUT, I64_OUT, U64_IN, U64_IN2, U64_OUT, kernel

__all__ = ["contains", "count_before", "move_slots"]

_HIGH = np.uint64(0xFFFFFFFF00000000)
_COUNT = np.uint64(0x00000000FFFFFFFF)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_32 = np.uint64(32)


@kernel(inline="always")
def _first_slot(half: np.uint64, capacity: int) -> np.int64:
    # Multiply and shift: the capacity need not be a power of two, so the table grows in steps of its own.
    return np.int64(((half >> _32) * np.uint64(capacity)) >> _32)


@kernel(inline="always")
def _slot_of(
    half: np.uint64, high: np.uint64, halves: npt.NDArray[np.uint64], counts: npt.NDArray[np.uint64]
) -> np.int64:
    """Where the key stands, or the empty slot where it would."""
    capacity = len(halves)
    at = _first_slot(half, capacity)
    while counts[at] != _ZERO and (halves[at] != half or (counts[at] & _HIGH) != high):
        at += np.int64(1)
        if at == capacity:
            at = np.int64(0)
    return at


@kernel(types.int64(U64_IN2, U64_OUT, U64_OUT, I64_OUT))
def count_before(
    keys: npt.NDArray[np.uint64],
    halves: npt.NDArray[np.uint64],
    counts: npt.NDArray[np.uint64],
    before: npt.NDArray[np.int64],
) -> int:
    """Count each key, and say how many equal ones came before it.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n, 2)
    halves, counts : ndarray of uint64, shape (capacity,)
        The table, zero at first; changed in place. The caller leaves room for n more keys.
    before : ndarray of int64, shape (n,)
        Output: equal keys counted earlier, in this call or one before.

    Returns
    -------
    int
        Number of keys that were new.
    """
    fresh = 0
    for i in range(len(keys)):
        half, high = keys[i, 1], keys[i, 0] & _HIGH
        at = _slot_of(half, high, halves, counts)
        if counts[at] == _ZERO:
            halves[at] = half
            counts[at] = high
            fresh += 1
        before[i] = np.int64(counts[at] & _COUNT)
        counts[at] += _ONE
    return fresh


@kernel(types.void(U64_IN2, U64_IN, U64_IN, BOOL_OUT))
def contains(
    keys: npt.NDArray[np.uint64],
    halves: npt.NDArray[np.uint64],
    counts: npt.NDArray[np.uint64],
    found: npt.NDArray[np.bool_],
) -> None:
    """Which keys have been counted. `found` is the output, shape (n,)."""
    for i in range(len(keys)):
        found[i] = counts[_slot_of(keys[i, 1], keys[i, 0] & _HIGH, halves, counts)] != _ZERO


@kernel(types.void(U64_IN, U64_IN, U64_OUT, U64_OUT))
def move_slots(
    halves: npt.NDArray[np.uint64],
    counts: npt.NDArray[np.uint64],
    new_halves: npt.NDArray[np.uint64],
    new_counts: npt.NDArray[np.uint64],
) -> None:
    """Put every key of one table into a larger, empty one."""
    for i in range(len(halves)):
        if counts[i] != _ZERO:
            at = _slot_of(halves[i], counts[i] & _HIGH, new_halves, new_counts)
            new_halves[at] = halves[i]
            new_counts[at] = counts[i]
