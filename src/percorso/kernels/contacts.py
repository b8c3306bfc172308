"""Contacts of a bucket from its events: the first kept event of each, whose it is, when it ends, how many events."""

from __future__ import annotations

from numba import types

from percorso.kernels.arrays import I32, I64, U8
from percorso.kernels.compile import I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, kernel

__all__ = ["find_contacts"]


@kernel(types.void(I64_IN, I32_IN, I64_IN, U8_IN, I32_OUT, I32_OUT, I64_OUT, I32_OUT))
def find_contacts(
    offsets: I64, contact: I32, time: I64, keep: U8, first: I32, person: I32, last_time: I64, n_events: I32
) -> None:
    """What the kept events say of each contact.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
        Where each person's events begin.
    contact : int32, shape (n_events,)
        Contact of each event within the bucket, -1 for none.
    time : int64, shape (n_events,)
        µs UTC, ascending within a person.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    first, person, last_time, n_events : shape (n_contacts,)
        Written: row of the first kept event (-1: none is kept, and the others keep what they hold), whose
        contact it is, time of the last kept event, number of kept events. Come as -1, -1, 0, 0.
    """
    every = keep.size == 0
    for p in range(offsets.size - 1):
        for i in range(offsets[p], offsets[p + 1]):
            if not every and keep[i] == 0:
                continue
            c = contact[i]
            if c < 0:
                continue
            if first[c] < 0:
                first[c] = i
                person[c] = p
            last_time[c] = time[i]
            n_events[c] += 1
