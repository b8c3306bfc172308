"""In which periods each person did something: one row a person and period."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U64
from percorso.kernels.compile import I32_IN, I32_OUT, I64_IN, U8_IN, U64_OUT, kernel

__all__ = ["active_periods", "returned_periods"]


@kernel(types.int64(I64_IN, I64_IN, U8_IN, I64_IN, I32_OUT, I32_OUT, I32_OUT, I32_OUT))
def active_periods(
    offsets: I64, time: I64, keep: U8, starts: I64, person: I32, period: I32, first: I32, last: I32
) -> int:
    """Each person's periods with an event, ascending.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
        Where each person's events begin.
    time : int64, shape (n_events,)
        µs UTC, ascending within a person.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    starts : int64, shape (n_periods + 1,)
        Ascending; period k runs from ``starts[k]`` to before ``starts[k + 1]``. Events before the first and after the
        last count nowhere.
    person, period, first, last : int32, out
        Written: the person, the period, rows of the first and of the last event there. As long as there are events in.

    Returns
    -------
    int
        How many rows were written.
    """
    every = keep.size == 0
    n_periods = starts.size - 1
    n = 0
    for p in range(offsets.size - 1):
        now = -1
        for i in range(offsets[p], offsets[p + 1]):
            if not every and keep[i] == 0:
                continue
            t = time[i]
            if t < starts[0] or t >= starts[n_periods]:
                continue
            if now >= 0 and t < starts[now + 1]:
                last[n - 1] = i
                continue
            low = now + 1 if now >= 0 else 0
            if now >= 0 and t < starts[low + 1]:  # mostly the next one
                now = low
            else:
                high = n_periods
                while high - low > 1:
                    middle = (low + high) // 2
                    if starts[middle] <= t:
                        low = middle
                    else:
                        high = middle
                now = low
            person[n], period[n], first[n], last[n] = p, now, i, i
            n += 1
    return n


@kernel(types.void(I32_IN, I32_IN, I32_IN, I32_IN, I32_IN, I32_IN, U64_OUT))
def returned_periods(
    start_person: I32,
    start_period: I32,
    start_key: I32,
    back_person: I32,
    back_period: I32,
    back_key: I32,
    bits: U64,
) -> None:
    """How many periods after each start its person came back.

    Parameters
    ----------
    start_person, start_period, start_key : int32, shape (n_starts,)
        Ascending by person. The key tells what is after a start within its period.
    back_person, back_period, back_key : int32, shape (n_back,)
        Ascending by person and period, each pair once; the key of the last time in the period.
    bits : uint64, shape (n_starts,), out
        Bit k is set if the person came back k periods after that of the start, in the same one (k = 0) after the
        start itself; bit 63 stands for 63 and all later ones. Comes as zeros.
    """
    begin = 0
    for s in range(start_person.size):
        p = start_person[s]
        while begin < back_person.size and back_person[begin] < p:
            begin += 1
        b = begin
        while b < back_person.size and back_person[b] == p:
            k = back_period[b] - start_period[s]
            if k > 0 or (k == 0 and back_key[b] > start_key[s]):
                bits[s] |= np.uint64(1) << np.uint64(min(k, 63))
            b += 1
