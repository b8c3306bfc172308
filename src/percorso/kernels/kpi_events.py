"""What KPIs look for among the events of a bucket: events by name, and the event with which each contact begins."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, Bools, Codes
from percorso.kernels.compile import (
    BOOL_IN,
    BOOL_OUT,
    I32_IN,
    I32_OUT,
    I64_IN,
    I64_OUT,
    U8_IN,
    U16_IN,
    U32_IN,
    array_out,
    kernel,
)

__all__ = ["codes_of_rows", "contact_starts", "contact_values", "first_contacts", "first_times", "rows_by_code"]

_CODES = (U8_IN, U16_IN, U32_IN)


@kernel(*(types.Tuple((I64_OUT, I64_OUT))(codes, BOOL_IN, U8_IN) for codes in _CODES))
def rows_by_code(code: Codes, wanted: Bools, keep: U8) -> tuple[I64, I64]:
    """Rows of events with a wanted code, code by code.

    Parameters
    ----------
    code : unsigned integer, shape (n_events,)
    wanted : bool, shape (n_codes,)
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.

    Returns
    -------
    rows : int64, shape (n_rows,)
        Ascending in each code.
    begin : int64, shape (n_codes + 1,)
        Where each code's begin.
    """
    every = keep.size == 0
    found = np.empty(code.size, dtype=np.int32)
    begin = np.zeros(wanted.size + 1, dtype=np.int64)
    n = 0
    for i in range(code.size):
        found[n] = i
        n += int(wanted[code[i]] and (every or keep[i] != 0))
    for k in range(n):
        begin[code[found[k]] + 1] += 1
    for c in range(wanted.size):
        begin[c + 1] += begin[c]
    place = begin[:-1].copy()
    rows = np.empty(n, dtype=np.int64)
    for k in range(n):
        c = code[found[k]]
        rows[place[c]] = found[k]
        place[c] += 1
    return rows, begin


@kernel(
    types.Tuple((I32_OUT, I32_OUT, I32_OUT, I64_OUT, BOOL_OUT))(
        I64_IN, I32_IN, U8_IN, I64_IN, U8_IN, BOOL_IN, types.int64
    )
)
def contact_starts(
    offsets: I64, contact: I32, keep: U8, time: I64, direction: U8, acts: Bools, n_numbers: int
) -> tuple[I32, I32, I32, I64, Bools]:
    """The first kept event of each contact, in the order of these events.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
        Where each person's events begin.
    contact : int32, shape (n_events,)
        -1: none.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    time : int64, shape (n_events,)
    direction : uint8, shape (n_events,)
    acts : bool, shape (n_directions,)
        Which directions mean that the customer acted.
    n_numbers : int
        More than any number in `contact`.

    Returns
    -------
    number, row, person : int32, shape (n_contacts,)
        Of each contact with a kept event: its number, its first kept event, whose it is.
    start : int64, shape (n_contacts,)
    inbound : bool, shape (n_contacts,)
    """
    every = keep.size == 0
    is_known = np.zeros(n_numbers, dtype=np.bool_)
    number, row, person = (
        np.empty(n_numbers, dtype=np.int32),
        np.empty(n_numbers, dtype=np.int32),
        np.empty(n_numbers, dtype=np.int32),
    )
    start, inbound = np.empty(n_numbers, dtype=np.int64), np.empty(n_numbers, dtype=np.bool_)
    n = 0
    for p in range(offsets.size - 1):
        for i in range(offsets[p], offsets[p + 1]):
            c = contact[i]
            if c < 0 or is_known[c] or not (every or keep[i] != 0):
                continue
            is_known[c] = True
            number[n], row[n], person[n], start[n] = c, i, p, time[i]
            inbound[n] = acts[direction[i]]
            n += 1
    return number[:n].copy(), row[:n].copy(), person[:n].copy(), start[:n].copy(), inbound[:n].copy()


@kernel(I32_OUT(I64_IN, I32_IN, U8_IN))
def first_contacts(offsets: I64, contact: I32, keep: U8) -> I32:
    """The contact of each person's first kept event that has one, int32 of shape (n_persons,); -1: none.

    Parameters
    ----------
    offsets, contact, keep
        As of `contact_starts`.
    """
    every = keep.size == 0
    found = np.full(offsets.size - 1, -1, dtype=np.int32)
    for p in range(offsets.size - 1):
        for i in range(offsets[p], offsets[p + 1]):
            if contact[i] >= 0 and (every or keep[i] != 0):
                found[p] = contact[i]
                break
    return found


@kernel(I64_OUT(I64_IN, I64_IN, U8_IN))
def first_times(offsets: I64, time: I64, keep: U8) -> I64:
    """Time of each person's first kept event, int64 of shape (n_persons,); the largest int64 where there is none.

    Parameters
    ----------
    offsets, time, keep
        As of `contact_starts`.
    """
    every = keep.size == 0
    found = np.full(offsets.size - 1, np.iinfo(np.int64).max, dtype=np.int64)
    for p in range(offsets.size - 1):
        for i in range(offsets[p], offsets[p + 1]):
            if every or keep[i] != 0:
                found[p] = time[i]
                break
    return found


@kernel(array_out(types.int32, 2)(I32_IN, BOOL_IN))
def contact_values(person: I32, inbound: Bools) -> I32:
    """What each contact counts as, 1 and 0, int32 of shape (n_contacts, 4): a contact, inbound, outbound, a first one.

    Parameters
    ----------
    person : int32, shape (n_contacts,)
        Ascending, and the contacts of each by time.
    inbound : bool, shape (n_contacts,)
    """
    out = np.empty((person.size, 4), dtype=np.int32)
    for k in range(person.size):
        out[k, 0] = 1
        out[k, 1] = inbound[k]
        out[k, 2] = not inbound[k]
        out[k, 3] = k == 0 or person[k] != person[k - 1]
    return out


@kernel(*(I32_OUT(codes, I32_IN, rows) for codes in _CODES for rows in (I32_IN, I64_IN)))
def codes_of_rows(code: Codes, lut: I32, rows: I32 | I64) -> I32:
    """``lut[code[rows]]``, int32 of the rows' shape, in one pass."""
    found = np.empty(rows.size, dtype=np.int32)
    for k in range(rows.size):
        found[k] = lut[code[rows[k]]]
    return found
