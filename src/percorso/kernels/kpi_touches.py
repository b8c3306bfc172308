"""The last contact before each order that counts, and the places of each person."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U64, Bools
from percorso.kernels.compile import BOOL_IN, I32_IN, I32_OUT, I64_IN, U64_OUT, kernel

__all__ = ["bits_of_persons", "last_touches"]


@kernel(I32_OUT(I32_IN, I32_IN, I64_IN, I32_IN, BOOL_IN, I32_IN, I32_IN, I64_IN, I32_IN, types.int64))
def last_touches(
    person: I32,
    row: I32,
    start: I64,
    journey: I32,
    counts: Bools,
    order_person: I32,
    order_row: I32,
    order_time: I64,
    purchase: I32,
    window: int,
) -> I32:
    """The last contact that counts before each order, in its journey and at most `window` before it.

    Parameters
    ----------
    person, row, start, journey, counts : shape (n_contacts,)
        By person and row; the row with which each begins, its time and journey.
    order_person, order_row, order_time, purchase : shape (n_orders,)
        By person and row; the order's purchase journey.
    window : int
        µs.

    Returns
    -------
    int32, shape (n_orders,)
        Position of the contact; -1: none.
    """
    found = np.full(order_person.size, -1, dtype=np.int32)
    c = 0
    for o in range(order_person.size):
        p = order_person[o]
        while c < person.size and (person[c] < p or (person[c] == p and row[c] <= order_row[o])):
            c += 1
        k = c - 1
        while k >= 0 and person[k] == p and order_time[o] - start[k] <= window:
            if counts[k] and journey[k] == purchase[o]:
                found[o] = k
                break
            k -= 1
    return found


@kernel(U64_OUT(I32_IN, I32_IN, BOOL_IN, types.int64))
def bits_of_persons(person: I32, code: I32, counts: Bools, n_persons: int) -> U64:
    """Which codes, below 64, each person has on things that count: one bit each."""
    bits = np.zeros(n_persons, dtype=np.uint64)
    for i in range(person.size):
        if counts[i] and code[i] >= 0 and code[i] < 64:
            bits[person[i]] |= np.uint64(1) << np.uint64(code[i])
    return bits
