"""Contacts of a bucket from its events: the first kept event of each, whose it is, when it ends, how many events."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8
from percorso.kernels.compile import I32_IN, I32_OUT, I64_IN, U8_IN, kernel

__all__ = ["find_contacts"]


@kernel(types.UniTuple(I32_OUT, 5)(I64_IN, I32_IN, U8_IN, types.int64))
def find_contacts(offsets: I64, contact: I32, keep: U8, n_numbers: int) -> tuple[I32, I32, I32, I32, I32]:
    """What the kept events say of each contact, in one pass and in the order of their first kept events.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
        Where each person's events begin.
    contact : int32, shape (n_events,)
        Contact of each event within the bucket, -1 for none.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    n_numbers : int
        More than any number in `contact`.

    Returns
    -------
    number, first, person, last, n_events : int32, shape (n_contacts,)
        Of each contact with a kept event: its number, the row of its first kept event, whose it is, the row of its
        last kept event, and how many they are.
    """
    every = keep.size == 0
    position = np.full(n_numbers, -1, dtype=np.int32)
    number, first, person, last, n_events = (
        np.empty(n_numbers, dtype=np.int32),
        np.empty(n_numbers, dtype=np.int32),
        np.empty(n_numbers, dtype=np.int32),
        np.empty(n_numbers, dtype=np.int32),
        np.empty(n_numbers, dtype=np.int32),
    )
    n = 0
    for p in range(offsets.size - 1):
        for i in range(offsets[p], offsets[p + 1]):
            c = contact[i]
            if c < 0 or not (every or keep[i] != 0):
                continue
            k = position[c]
            if k < 0:
                k = position[c] = n
                number[n] = c
                first[n] = i
                person[n] = p
                n_events[n] = 0
                n += 1
            last[k] = i
            n_events[k] += 1
    return number[:n].copy(), first[:n].copy(), person[:n].copy(), last[:n].copy(), n_events[:n].copy()
