"""The last contact before each order that counts, the places of each person, and who is lost."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U64, Bools
from percorso.kernels.compile import BOOL_IN, I32_IN, I32_OUT, I64_IN, U64_OUT, array_out, kernel

__all__ = ["bits_of_persons", "lapses_of", "last_touches"]


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


@kernel(array_out(types.int32, 2)(I32_IN, I32_IN, I64_IN, I32_IN, I32_IN, I64_IN, I32_IN, types.int64))
def lapses_of(
    person: I32, day: I32, time: I64, at_risk: I32, lost: I32, edges: I64, today: I32, n_customers: int
) -> I32:
    """What customers are at the end of a period, and whether they were lost at its start.

    Parameters
    ----------
    person, day : int32, shape (n_purchases,)
        By person, then day.
    time : int64, shape (n_purchases,)
        µs UTC.
    at_risk, lost : int32, shape (n_purchases,)
        More days than these after a purchase, and no other, its person is at risk, and lost.
    edges : int64, shape (2,)
        The last instants before the period and in it.
    today : int32, shape (2,)
        Their days.
    n_customers : int
        Different persons among the purchases.

    Returns
    -------
    int32, shape (n_customers, 5)
        1 and 0, of each person in order: customer, at risk, lost (all at the end); customer and not lost at the start;
        of those who are lost at the end.
    """
    out = np.zeros((n_customers, 5), dtype=np.int32)
    k = -1
    last = np.full(2, -1, dtype=np.int64)
    for i in range(person.size):
        if i == 0 or person[i] != person[i - 1]:
            k += 1
            last[:] = -1
        for edge in range(2):
            if time[i] <= edges[edge]:
                last[edge] = i
        if i + 1 < person.size and person[i + 1] == person[i]:
            continue
        before, now = last[0], last[1]
        is_lost = now >= 0 and today[1] - day[now] > lost[now]
        out[k, 0] = now >= 0
        out[k, 1] = now >= 0 and not is_lost and today[1] - day[now] > at_risk[now]
        out[k, 2] = is_lost
        out[k, 3] = before >= 0 and today[0] - day[before] <= lost[before]
        out[k, 4] = out[k, 3] != 0 and is_lost
    return out
