"""Small passes over sets of strong identifiers."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8
from percorso.kernels.compile import I32_IN, I32_OUT, I64_IN, U8_IN, U8_OUT, kernel

__all__ = ["members_of", "persons_of_sets", "sets_otherwise_shared", "sets_with"]


@kernel(I32_OUT(I64_IN, I32_IN, I32_IN, U8_IN))
def persons_of_sets(offsets: I64, members: I32, group: I32, shared: U8) -> I32:
    """The person of each set: that of its first member that is not shared, -1 where all are; int32, (n_sets,).

    Parameters
    ----------
    group : int32, shape (n_strong,)
        Canonical strong code of each identifier's person.
    shared : uint8, shape (n_strong,)
    """
    person = np.full(offsets.size - 1, -1, dtype=np.int32)
    for s in range(person.size):
        for k in range(offsets[s], offsets[s + 1]):
            if not shared[members[k]]:
                person[s] = group[members[k]]
                break
    return person


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


@kernel(U8_OUT(I64_IN, I32_IN, U8_IN, U8_IN))
def sets_otherwise_shared(offsets: I64, members: I32, shared: U8, before: U8) -> U8:
    """Sets with a member that has become shared or is no longer; uint8, shape (n_sets,).

    Identifiers that were not there before (`before` is shorter) count as not shared.
    """
    found = np.zeros(offsets.size - 1, dtype=np.uint8)
    for s in range(found.size):
        for k in range(offsets[s], offsets[s + 1]):
            m = members[k]
            was = before[m] != 0 if m < before.size else False
            if (shared[m] != 0) != was:
                found[s] = 1
                break
    return found
