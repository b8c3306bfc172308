"""Sums by period and by group of persons: what every KPI is made of.

A *cell* is one value of the break-down in one period; -1 is none. Of each cell there are 256 sums, one a group of
persons (percorso.analyses.jackknife), so that a ratio of any two sums has an interval by person.
"""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.compile import (
    BOOL_IN,
    I32_IN,
    I32_IN2,
    I32_OUT,
    I64_IN,
    I64_OUT,
    I64_OUT2,
    U8_IN,
    array_out,
    kernel,
)

__all__ = [
    "active_persons",
    "add_by_slot",
    "add_columns",
    "count_keys",
    "count_persons",
    "periods_of",
    "persons_of",
    "seconds_between",
    "slots_of",
]


@kernel(I32_OUT(I64_IN, I64_IN, I64_IN))
def periods_of(time: I64, starts: I64, ends: I64) -> I32:
    """Period of each time, int32 of shape (n,); -1: none.

    Parameters
    ----------
    time : int64, shape (n,)
        µs UTC.
    starts, ends : int64, shape (n_periods,)
        Ascending, and no two overlap: ``starts[p] <= time < ends[p]``.
    """
    found = np.full(time.size, -1, dtype=np.int32)
    if starts.size == 1:  # nothing to search, and nothing to branch on
        start, end = starts[0], ends[0]
        for i in range(time.size):
            found[i] = np.int32((start <= time[i]) & (time[i] < end)) - np.int32(1)
        return found
    for i in range(time.size):
        low, high = 0, starts.size
        while low < high:
            middle = (low + high) // 2
            if starts[middle] <= time[i]:
                low = middle + 1
            else:
                high = middle
        if low > 0 and time[i] < ends[low - 1]:
            found[i] = low - 1
    return found


@kernel(I64_OUT(I64_IN, I64_IN))
def seconds_between(start: I64, end: I64) -> I64:
    """Whole seconds from each time to another, int64 of shape (n,), at least 0; µs both."""
    found = np.empty(start.size, dtype=np.int64)
    for i in range(start.size):
        found[i] = max(end[i] - start[i], 0) // 1_000_000
    return found


@kernel(I32_OUT(I32_IN, I32_IN, U8_IN))
def slots_of(cell: I32, person: I32, group: U8) -> I32:
    """Where each thing is added, int32 of shape (n,): ``256 * cell`` plus the group of its person; -1: nowhere.

    Parameters
    ----------
    cell, person : int32, shape (n,)
        A person of each, also where the cell is -1.
    group : uint8, shape (n_persons,)
    """
    found = np.empty(cell.size, dtype=np.int32)
    for i in range(cell.size):
        c = cell[i]
        # Where a cell is -1 all bits are set: a branch here would be as good as random.
        found[i] = (c * np.int32(256) + np.int32(group[person[i]])) | (c >> np.int32(31))
    return found


@kernel(types.void(I32_IN, BOOL_IN, I64_IN, I64_OUT2))
def add_by_slot(slot: I32, wanted: Bools, weight: I64, out: I64) -> None:
    """Add weights up.

    Parameters
    ----------
    slot : int32, shape (n,)
        As of `slots_of`.
    wanted : bool, shape (n,) or (0,)
        Of no elements: all.
    weight : int64, shape (n,) or (0,)
        Of no elements: each counts once.
    out : int64, shape (n_cells, 256), in and out
    """
    flat = out.reshape(-1)
    every = wanted.size == 0
    if weight.size == 0:
        for i in range(slot.size):
            if slot[i] >= 0 and (every or wanted[i]):
                flat[slot[i]] += 1
        return
    for i in range(slot.size):
        if slot[i] >= 0 and (every or wanted[i]):
            flat[slot[i]] += weight[i]


@kernel(types.void(I32_IN, I32_IN2, array_out(types.int64, 3)))
def add_columns(slot: I32, values: I32, out: I64) -> None:
    """Add several weights of the same things up, each to its own sums.

    Parameters
    ----------
    slot : int32, shape (n,)
        As of `slots_of`.
    values : int32, shape (n, n_sums)
    out : int64, shape (n_sums, n_cells, 256), in and out
    """
    n_sums = values.shape[1]
    flat = out.reshape((n_sums, out.shape[1] * out.shape[2]))
    for i in range(slot.size):
        if slot[i] < 0:
            continue
        for k in range(n_sums):
            flat[k, slot[i]] += values[i, k]


@kernel(types.int64(I32_IN, I64_IN, BOOL_IN, types.int64, I64_OUT))
def count_keys(cell: I32, key: I64, wanted: Bools, width: int, out: I64) -> int:
    """Count the keys of each cell.

    Parameters
    ----------
    cell : int32, shape (n,)
        -1: none.
    key : int64, shape (n,)
        At least 0; those counted are below `width`.
    wanted : bool, shape (n,) or (0,)
        Of no elements: all.
    width : int
    out : int64, shape (n_cells * width,), in and out
        Of key k in cell c at ``c * width + k``.

    Returns
    -------
    int
        How many were counted.
    """
    every = wanted.size == 0
    n = 0
    for i in range(cell.size):
        if cell[i] >= 0 and (every or wanted[i]):
            out[cell[i] * width + key[i]] += 1
            n += 1
    return n


@kernel(I32_OUT(I64_IN, I64_IN))
def persons_of(rows: I64, offsets: I64) -> I32:
    """Whose each of some events is, int32 of shape (n,); fast where the rows ascend, right in any order.

    Parameters
    ----------
    rows : int64, shape (n,)
    offsets : int64, shape (n_persons + 1,)
        Where each person's events begin.
    """
    found = np.empty(rows.size, dtype=np.int32)
    p = 0
    for i in range(rows.size):
        row = rows[i]
        steps = 0
        while steps < 8 and p + 2 < offsets.size and row >= offsets[p + 1]:
            p += 1
            steps += 1
        if row < offsets[p] or row >= offsets[p + 1]:
            p = np.searchsorted(offsets, row, side="right") - 1
        found[i] = p
    return found


@kernel(types.void(I32_IN, I32_IN, U8_IN, I64_OUT2))
def count_persons(cell: I32, person: I32, group: U8, out: I64) -> None:
    """How many different persons each cell has.

    Parameters
    ----------
    cell : int32, shape (n,)
    person : int32, shape (n,)
        What is of one person stands together.
    group : uint8, shape (n_persons,)
        Of each person.
    out : int64, shape (n_cells, 256), in and out
    """
    seen = np.full(out.shape[0], -1, dtype=np.int64)
    for i in range(cell.size):
        c = cell[i]
        if c >= 0 and seen[c] != person[i]:
            seen[c] = person[i]
            out[c, group[person[i]]] += 1


@kernel(types.void(I64_IN, I64_IN, U8_IN, I64_IN, I64_IN, I32_IN, types.int64, U8_IN, I64_OUT2, I64_OUT2))
def active_persons(
    offsets: I64,
    time: I64,
    keep: U8,
    starts: I64,
    ends: I64,
    code: I32,
    n_codes: int,
    group: U8,
    events: I64,
    persons: I64,
) -> None:
    """Events that are in, and persons with one, of each cell.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
    time : int64, shape (n_events,)
        Ascending within each person.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    starts, ends : int64, shape (n_periods,)
        As of `periods_of`.
    code : int32, shape (n_events,) or (0,)
        Value of the break-down; of no elements: 0 throughout.
    n_codes : int
    group : uint8, shape (n_persons,)
    events, persons : int64, shape (n_periods * n_codes, 256), in and out
    """
    seen = np.full(events.shape[0], -1, dtype=np.int64)
    every, plain = keep.size == 0, code.size == 0
    one_cell = plain and starts.size == 1
    for p in range(offsets.size - 1):
        g = group[p]
        begin, end = offsets[p], offsets[p + 1]
        if one_cell:  # what lies in the period stands together
            if begin < end and time[begin] < starts[0]:
                begin += np.searchsorted(time[begin:end], starts[0])
            if begin < end and time[end - 1] >= ends[0]:
                end = begin + np.searchsorted(time[begin:end], ends[0])
            n = end - begin
            if not every:
                n = 0
                for i in range(begin, end):
                    n += keep[i]
            events[0, g] += n
            persons[0, g] += n > 0
            continue
        period, last, n = 0, -1, 0  # what is of one cell in a row is written once
        for i in range(offsets[p], offsets[p + 1]):
            if not every and keep[i] == 0:
                continue
            t = time[i]
            while period < ends.size and t >= ends[period]:
                period += 1
            if period == ends.size:
                break
            if t < starts[period]:
                continue
            c = period * n_codes if plain else period * n_codes + code[i]
            if c == last:
                n += 1
                continue
            if last >= 0:
                events[last, g] += n
            last, n = c, 1
            if seen[c] != p:
                seen[c] = p
                persons[c, g] += 1
        if last >= 0:
            events[last, g] += n
