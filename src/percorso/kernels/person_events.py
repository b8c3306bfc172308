"""What marked events say of each person: how many, when the first and the last, which values at all."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, Codes
from percorso.kernels.compile import I32_OUT, I64_IN, I64_OUT, U8_IN, U16_IN, U32_IN, kernel

__all__ = ["NO_TIME", "count_marked", "edge_times", "persons_by_code"]

#: The time of what has never been.
NO_TIME = -(1 << 63)


@kernel(I32_OUT(I64_IN, U8_IN, U8_IN, I64_IN, types.int64, types.int64))
def count_marked(offsets: I64, marked: U8, keep: U8, time: I64, start_us: int, end_us: int) -> I32:
    """How many marked events that are in each person has in a time.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
        Where each person's events begin.
    marked, keep : uint8, shape (n_events,) or (0,)
        1 for those to count, and for those that are in; of no elements: all.
    time : int64, shape (n_events,) or (0,)
        µs UTC; of no elements: any time.
    start_us, end_us : int
        Events with ``start_us <= time < end_us`` count.

    Returns
    -------
    int32, shape (n_persons,)
    """
    counts = np.empty(offsets.size - 1, dtype=np.int32)
    for p in range(counts.size):
        n = np.int32(0)
        for i in range(offsets[p], offsets[p + 1]):
            counted = np.int32(1)
            if marked.size:
                counted &= np.int32(marked[i])
            if keep.size:
                counted &= np.int32(keep[i])
            if time.size:
                counted &= np.int32((time[i] >= start_us) & (time[i] < end_us))
            n += counted
        counts[p] = n
    return counts


@kernel(I64_OUT(I64_IN, U8_IN, U8_IN, I64_IN, types.boolean))
def edge_times(offsets: I64, marked: U8, keep: U8, time: I64, last: bool) -> I64:
    """Time of each person's first marked event that is in, or with `last` of the last one; NO_TIME for none.

    Parameters
    ----------
    offsets, marked, keep
        As of `count_marked`.
    time : int64, shape (n_events,)
        µs UTC, ascending within each person.
    last : bool

    Returns
    -------
    int64, shape (n_persons,)
    """
    times = np.full(offsets.size - 1, NO_TIME, dtype=np.int64)
    for p in range(times.size):
        n = offsets[p + 1] - offsets[p]
        for k in range(n):
            i = offsets[p + 1] - 1 - k if last else offsets[p] + k
            if (marked.size == 0 or marked[i] != 0) and (keep.size == 0 or keep[i] != 0):
                times[p] = time[i]
                break
    return times


@kernel(*(types.void(codes, I64_IN, U8_IN, U8_IN, I64_OUT, I64_OUT) for codes in (U8_IN, U16_IN, U32_IN)))
def persons_by_code(codes: Codes, offsets: I64, keep: U8, member: U8, members: I64, others: I64) -> None:
    """How many different persons have each code on an event that is in.

    Parameters
    ----------
    codes : uint8, uint16 or uint32, shape (n_events,)
    offsets, keep
        As of `count_marked`.
    member : uint8, shape (n_persons,)
        1: counted in `members`, else in `others`.
    members, others : int64, shape (n_codes,), in and out
    """
    seen = np.full(members.size, -1, dtype=np.int64)
    for p in range(offsets.size - 1):
        for i in range(offsets[p], offsets[p + 1]):
            code = codes[i]
            if (keep.size == 0 or keep[i] != 0) and seen[code] != p:
                seen[code] = p
                if member[p]:
                    members[code] += 1
                else:
                    others[code] += 1
