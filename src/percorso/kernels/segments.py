"""Move runs of rows from one table to another, at the speed of memory.

All functions take runs as three arrays of equal length: `start`, the first row of each run in the source,
`to`, where it goes, and `length`.
"""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, Codes
from percorso.kernels.compile import (
    I32_IN,
    I32_OUT,
    I64_IN,
    I64_OUT,
    U8_IN,
    U8_OUT,
    U16_IN,
    U16_OUT,
    U32_IN,
    U32_OUT,
    U64_IN,
    U64_OUT,
    kernel,
)

__all__ = ["contacts_before", "copy_runs", "mark_codes", "recode_runs", "shift_runs"]

_WORDS = ((U8_IN, U8_OUT), (U16_IN, U16_OUT), (U32_IN, U32_OUT), (U64_IN, U64_OUT))
_CODES = _WORDS[:3]
_RUNS = (I64_IN, I64_IN, I64_IN)


@kernel(*(types.void(source, out, *_RUNS) for source, out in _WORDS))
def copy_runs(source: Codes, out: Codes, start: I64, to: I64, length: I64) -> None:
    """Copy runs of words of 1, 2, 4 or 8 bytes as they are."""
    for run in range(start.size):
        here = source[start[run] : start[run] + length[run]]
        there = out[to[run] : to[run] + length[run]]
        for i in range(here.size):
            there[i] = here[i]


@kernel(
    types.void(I32_IN, I32_OUT, *_RUNS, I64_IN),
    types.void(I32_IN, I64_OUT, *_RUNS, I64_IN),
    types.void(I64_IN, I64_OUT, *_RUNS, I64_IN),
)
def shift_runs(source: I64, out: I64, start: I64, to: I64, length: I64, shift: I64) -> None:
    """Copy runs of row numbers, each run's moved by its `shift`; below zero, none, stays -1."""
    for run in range(start.size):
        by = shift[run]
        here = source[start[run] : start[run] + length[run]]
        there = out[to[run] : to[run] + length[run]]
        for i in range(here.size):
            there[i] = here[i] + by if here[i] >= 0 else -1


@kernel(
    *(types.void(source, out, *_RUNS, lookup) for source, _ in _CODES for lookup, out in _CODES),
)
def recode_runs(source: Codes, out: Codes, start: I64, to: I64, length: I64, lookup: Codes) -> None:
    """Copy runs of codes, each as ``lookup[code]``."""
    for run in range(start.size):
        here = source[start[run] : start[run] + length[run]]
        there = out[to[run] : to[run] + length[run]]
        for i in range(here.size):
            there[i] = lookup[here[i]]


@kernel(*(types.void(source, I64_IN, I64_IN, U8_OUT) for source, _ in _CODES))
def mark_codes(source: Codes, start: I64, length: I64, present: U8) -> None:
    """Set ``present[code]`` to 1 for every code in the runs."""
    for run in range(start.size):
        for i in range(start[run], start[run] + length[run]):
            present[source[i]] = 1


@kernel(I64_OUT(I64_IN, I32_IN))
def contacts_before(offsets: I64, contact: I32) -> I64:
    """How many contacts there are before each group.

    Parameters
    ----------
    offsets : int64, shape (n_groups + 1,)
    contact : int32, shape (n_events,)
        Numbers of contacts, counted over all groups by first event; -1 none.

    Returns
    -------
    int64, shape (n_groups + 1,)
    """
    before = np.zeros(offsets.size, dtype=np.int64)
    most = np.int64(0)
    for group in range(offsets.size - 1):
        for i in range(offsets[group], offsets[group + 1]):
            most = max(most, np.int64(contact[i]) + 1)
        before[group + 1] = most
    return before
