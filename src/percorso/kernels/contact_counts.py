"""Contacts by cell: how many, of how many persons, and how often a person has one."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U16, Bools
from percorso.kernels.compile import BOOL_IN, I32_IN, I32_OUT, I64_IN, I64_OUT2, U8_IN, U8_OUT, U16_IN, kernel

__all__ = [
    "INBOUND",
    "N_COUNTS",
    "OUTBOUND",
    "PERSONS",
    "SQUARES",
    "active_persons",
    "count_contacts",
    "first_contacts",
]

#: Columns of what `count_contacts` adds to.
INBOUND, OUTBOUND, PERSONS, SQUARES, N_COUNTS = 0, 1, 2, 3, 4


@kernel(types.void(I32_IN, I32_IN, BOOL_IN, I64_OUT2))
def count_contacts(cell: I32, person: I32, inbound: Bools, out: I64) -> None:
    """Contacts of each cell by direction, its distinct persons, and the sum of the squares of their contacts.

    ::

        out[c] = inbound contacts, outbound contacts, n = |{p : x_pc > 0}|, sum over p of x_pc²

    Parameters
    ----------
    cell : int32, shape (n_contacts,)
        Cell of each contact; -1: none.
    person : int32, shape (n_contacts,)
        Contacts of one person stand together.
    inbound : bool, shape (n_contacts,)
    out : int64, shape (n_cells, 4), out
        Added to.
    """
    last_person = np.full(out.shape[0], -1, dtype=np.int32)
    of_person = np.zeros(out.shape[0], dtype=np.int64)
    for i in range(cell.shape[0]):
        c = cell[i]
        if c < 0:
            continue
        out[c, 0 if inbound[i] else 1] += 1
        if last_person[c] != person[i]:
            last_person[c] = person[i]
            out[c, 2] += 1
            of_person[c] = 0
        # (x + 1)² - x²
        out[c, 3] += 2 * of_person[c] + 1
        of_person[c] += 1


@kernel(types.void(I64_IN, I32_IN, U16_IN, types.int64, U8_IN, I32_OUT))
def first_contacts(offsets: I64, contact: I32, flags: U16, out_flags: int, keep: U8, out: I32) -> None:
    """The event with which each person's first known contact begins, if it is in; else -1.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
    contact : int32, shape (n_events,)
        -1: the event belongs to no contact.
    flags : uint16, shape (n_events,)
    out_flags : int
        Events with any of these flags are not known at all.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    out : int32, shape (n_persons,), out
    """
    for p in range(offsets.shape[0] - 1):
        out[p] = -1
        for i in range(offsets[p], offsets[p + 1]):
            if contact[i] < 0 or (flags[i] & out_flags) != 0:
                continue
            if keep.shape[0] == 0 or keep[i] != 0:
                out[p] = i
            break


@kernel(types.void(I64_IN, U8_IN, U8_OUT))
def active_persons(offsets: I64, keep: U8, out: U8) -> None:
    """Which persons have an event that is in.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
    keep : uint8, shape (n_events,)
    out : uint8, shape (n_persons,), out
    """
    for p in range(offsets.shape[0] - 1):
        out[p] = 0
        for i in range(offsets[p], offsets[p + 1]):
            if keep[i] != 0:
                out[p] = 1
                break
