"""References over all persons: which record of an order counts, and whose a reference key is.

One order is often told twice, by the site under a user id and by the shop system under an e-mail address.
So both questions are answered for the whole workspace, before there are journeys.
"""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I8, I16, I32, I64, U8
from percorso.kernels.compile import I8_IN, I16_IN, I32_IN, I64_IN, I64_OUT, U8_IN, U8_OUT, kernel
from percorso.kernels.sorting import stands_after

__all__ = ["mark_references", "offer_owners", "order_copies", "rows_of_nobody"]


@kernel(U8_OUT(I64_IN, I32_IN, U8_IN, U8_IN, I8_IN, I64_IN, I16_IN, I64_IN, I64_IN, U8_IN, types.int64))
def order_copies(
    rows: I64,
    ref: I32,
    is_order: U8,
    keep: U8,
    trust: I8,
    time: I64,
    source: I16,
    sequence: I64,
    text_offsets: I64,
    text: U8,
    n_refs: int,
) -> U8:
    """Which of some rows repeat an order that another row tells better.

    Of all kept orders with the same reference the one of the most trusted kind of source counts, of equal
    ones the first in the total order (definitions, sections 1 and 8).

    Parameters
    ----------
    rows : int64, shape (n,)
        All rows with the references of these rows. What follows is of all rows of the lake.
    ref : int32, shape (n_rows,)
        Code of (ref space, order id), 1 .. n_refs; 0: none, such a row is an order of its own.
    is_order : uint8, shape (n_rows,)
        1: the row is an Order Completed.
    keep : uint8, shape (n_rows,)
        0: a duplicate of the same message; it takes no part.
    trust : int8, shape (n_rows,)
        Rank of the kind of source; the lowest is believed first.
    time : int64, shape (n_rows,)
        µs UTC.
    source : int16, shape (n_rows,)
        Rank of the source's name by bytes.
    sequence : int64, shape (n_rows,)
    text_offsets : int64, shape (n_rows + 1,)
        Where each row's message id begins in `text`.
    text : uint8, shape (n_bytes,)
    n_refs : int

    Returns
    -------
    uint8, shape (n,)
        1: another row counts as this row's order. 0 on rows that are no order or not kept.
    """
    copy = np.zeros(rows.size, dtype=np.uint8)
    counts = np.empty(n_refs + 1, dtype=np.int64)  # place in `rows` of the one that counts; set where it is read
    for row in rows:
        counts[ref[row]] = -1
    no_tie = np.zeros(1, dtype=np.int8)  # source and message id tell kept rows apart
    for k in range(rows.size):
        i = rows[k]
        if not keep[i] or not is_order[i] or ref[i] <= 0:
            continue
        at = counts[ref[i]]
        if at < 0:
            counts[ref[i]] = k
            continue
        best = rows[at]
        if trust[i] != trust[best]:
            better = trust[i] < trust[best]
        else:
            better = stands_after(best, i, time, source, sequence, text_offsets, text, no_tie, 0, 0)
        if better:
            copy[at] = 1
            counts[ref[i]] = k
        else:
            copy[k] = 1
    return copy


@kernel(types.void(I64_IN, I32_IN, U8_IN, U8_IN, U8_IN, I64_IN, I16_IN, I64_IN, I64_IN, U8_IN, I64_OUT, I64_OUT))
def offer_owners(
    rows: I64,
    ref: I32,
    keep: U8,
    has_strong: U8,
    has_weak: U8,
    time: I64,
    source: I16,
    sequence: I64,
    text_offsets: I64,
    text: U8,
    strong_owner: I64,
    weak_owner: I64,
) -> None:
    """Offer some rows of one reference column as owners of their keys (identity rules, section 3).

    A key's owner is the first row in the total order that carries it and an unshared strong identifier; without
    one, the first with a weak one. A row has several reference columns: call once for each, in any order, with
    the same outputs, filled with -1 before the first call.

    Parameters
    ----------
    rows : int64, shape (n,)
        All that carry a key whose owner is asked for; each has a key.
    ref : int32, shape (n_rows,)
        Code of the row's key in the one space of all reference columns, 1 .. n_refs; 0: none.
    keep : uint8, shape (n_rows,)
        0: a duplicate of the same message; it owns nothing.
    has_strong : uint8, shape (n,)
        1: the row belongs to a person by a strong identifier.
    has_weak : uint8, shape (n,)
        1: it carries a weak identifier. Rows with neither own nothing.
    time, source, sequence, text_offsets, text
        As for `order_copies`.
    strong_owner, weak_owner : int64, shape (n_refs + 1,), in and out
        First row so far with a strong identifier, and first one with a weak identifier alone; -1: none.
        The key's owner is ``strong_owner``, or ``weak_owner`` where that is -1.
    """
    no_tie = np.zeros(1, dtype=np.int8)  # source and message id tell kept rows apart
    for k in range(rows.size):
        i = rows[k]
        r = ref[i]
        if not keep[i]:
            continue
        if has_strong[k]:
            best = strong_owner[r]
            if best < 0 or stands_after(best, i, time, source, sequence, text_offsets, text, no_tie, 0, 0):
                strong_owner[r] = i
        elif has_weak[k]:
            best = weak_owner[r]
            if best < 0 or stands_after(best, i, time, source, sequence, text_offsets, text, no_tie, 0, 0):
                weak_owner[r] = i


@kernel(types.void(I64_IN, U8_IN, types.uint8, I32_IN, types.int64, types.int64, U8_OUT))
def mark_references(rows: I64, marks: U8, wanted: int, ref: I32, begin: int, end: int, found: U8) -> None:
    """Mark the keys of those of some rows, and of those from `begin` to before `end`, that have a wanted mark.

    `found` has an entry for each key and one, the first, for none.
    """
    for k in range(rows.size + end - begin):
        i = rows[k] if k < rows.size else begin + k - rows.size
        if marks[i] & wanted:
            found[ref[i]] = 1


@kernel(I64_OUT(I64_IN, U8_IN, types.uint8, I32_IN, types.int64, types.int64))
def rows_of_nobody(rows: I64, marks: U8, wanted: int, unit: I32, begin: int, end: int) -> I64:
    """Those of some rows, and of those from `begin` to before `end`, that have a wanted mark and the unit -1."""
    n_rows, n = rows.size + end - begin, 0
    for k in range(n_rows):
        i = rows[k] if k < rows.size else begin + k - rows.size
        n += int(marks[i] & wanted != 0) & int(unit[i] == -1)
    found = np.empty(n + 1, dtype=np.int64)
    n = 0
    for k in range(n_rows):
        i = rows[k] if k < rows.size else begin + k - rows.size
        found[n] = i
        n += int(marks[i] & wanted != 0) & int(unit[i] == -1)
    return found[:n].copy()
