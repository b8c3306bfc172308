"""Small passes over sets of strong identifiers."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8
from percorso.kernels.compile import I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, U8_OUT, kernel

__all__ = ["members_of", "name_sets", "numbers_of_sets", "sets_with", "some_sets"]


@kernel(types.void(I64_IN, I32_IN, I64_IN, I32_IN, U8_IN, U8_IN, I32_OUT, U8_OUT))
def name_sets(
    offsets: I64, members: I32, sets: I64, group: I32, shared: U8, shared_before: U8, person: I32, changed: U8
) -> None:
    """The person of each of some sets: that of its first member that is not shared, -1 where all are.

    Parameters
    ----------
    sets : int64, shape (n,)
        All with a member whose group or sharing may be another than before.
    group : int32, shape (n_strong,)
        Canonical strong code of each identifier's person.
    shared, shared_before : uint8, shape (n_strong,)
        The latter may be shorter; what was not there was not shared.
    person : int32, shape (n_sets,), in and out
        In: before.
    changed : uint8, shape (n_sets,), out
        1: another person than before, or a member has become shared or is no longer.
    """
    for s in sets:
        found = np.int32(-1)
        for k in range(offsets[s + 1] - 1, offsets[s] - 1, -1):
            m = members[k]
            if not shared[m]:
                found = group[m]
            was = shared_before[m] != 0 if m < shared_before.size else False
            if (shared[m] != 0) != was:
                changed[s] = 1
        if found != person[s]:
            changed[s] = 1
            person[s] = found


@kernel(I64_OUT(I64_IN, I32_IN, U8_IN))
def numbers_of_sets(offsets: I64, members: I32, marked: U8) -> I64:
    """Sets that hold a marked identifier, ascending. Few are looked for: the members of all are gone through as one."""
    found, n = np.empty(members.size + 1, dtype=np.int64), 0
    for k in range(members.size):
        found[n] = k
        n += int(marked[members[k]] != 0)
    n_sets, end = 0, 0
    for i in range(n):
        if found[i] >= end:
            s = np.searchsorted(offsets, found[i], side="right") - 1
            end = offsets[s + 1]
            found[n_sets] = s
            n_sets += 1
    return found[:n_sets].copy()


@kernel(types.Tuple((I64_OUT, I32_OUT))(I64_IN, I32_IN, I64_IN))
def some_sets(offsets: I64, members: I32, number: I64) -> tuple[I64, I32]:
    """Some sets by their numbers: where each begins, and the end of the last, and their members."""
    starts = np.zeros(number.size + 1, dtype=np.int64)
    for i in range(number.size):
        starts[i + 1] = starts[i] + offsets[number[i] + 1] - offsets[number[i]]
    inside = np.empty(starts[number.size], dtype=np.int32)
    for i in range(number.size):
        for k in range(starts[i + 1] - starts[i]):
            inside[starts[i] + k] = members[offsets[number[i]] + k]
    return starts, inside


@kernel(U8_OUT(I64_IN, I32_IN, U8_IN))
def sets_with(offsets: I64, members: I32, marked: U8) -> U8:
    """Sets that hold a marked identifier; uint8, shape (n_sets,)."""
    found = np.zeros(offsets.size - 1, dtype=np.uint8)
    for s in range(found.size):
        for k in range(offsets[s], offsets[s + 1]):
            if marked[members[k]]:
                found[s] = 1
                break
    return found


@kernel(types.void(I64_IN, I32_IN, U8_IN, U8_OUT))
def members_of(offsets: I64, members: I32, wanted: U8, marked: U8) -> None:
    """Mark the members of the wanted sets; `marked` has an entry for each identifier."""
    for s in range(wanted.size):
        if wanted[s]:
            for k in range(offsets[s], offsets[s + 1]):
                marked[members[k]] = 1
