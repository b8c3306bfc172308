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

__all__ = ["offer_owners", "order_copies"]


@kernel(
    U8_OUT(I32_IN, U8_IN, U8_IN, I8_IN, I64_IN, I16_IN, I64_IN, I64_IN, U8_IN, types.int64),
)
def order_copies(
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
    """Which rows repeat an order that another row tells better.

    Of all kept orders with the same reference the one of the most trusted kind of source counts, of equal
    ones the first in the total order (definitions, sections 1 and 8).

    Parameters
    ----------
    ref : int32, shape (n_rows,)
        Code of (ref space, order id), 0 .. n_refs - 1; -1: none, such a row is an order of its own.
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
    uint8, shape (n_rows,)
        1: another row counts as this row's order. 0 on rows that are no order or not kept.
    """
    copy = np.zeros(ref.size, dtype=np.uint8)
    counts = np.full(n_refs, -1, dtype=np.int64)
    no_tie = np.zeros(1, dtype=np.int8)  # source and message id tell kept rows apart
    for i in range(ref.size):
        if not keep[i] or not is_order[i] or ref[i] < 0:
            continue
        best = counts[ref[i]]
        if best < 0:
            counts[ref[i]] = i
            continue
        if trust[i] != trust[best]:
            better = trust[i] < trust[best]
        else:
            better = stands_after(best, i, time, source, sequence, text_offsets, text, no_tie, 0, 0)
        if better:
            copy[best] = 1
            counts[ref[i]] = i
        else:
            copy[i] = 1
    return copy


@kernel(types.void(I32_IN, U8_IN, U8_IN, U8_IN, I64_IN, I16_IN, I64_IN, I64_IN, U8_IN, U8_IN, I64_OUT, I64_OUT))
def offer_owners(
    ref: I32,
    keep: U8,
    has_strong: U8,
    has_weak: U8,
    time: I64,
    source: I16,
    sequence: I64,
    text_offsets: I64,
    text: U8,
    wanted: U8,
    strong_owner: I64,
    weak_owner: I64,
) -> None:
    """Offer the rows of one reference column as owners of their keys (identity rules, section 3).

    A key's owner is the first row in the total order that carries it and an unshared strong identifier; without
    one, the first with a weak one. A row has several reference columns: call once for each, in any order, with
    the same outputs, filled with -1 before the first call.

    Parameters
    ----------
    ref : int32, shape (n_rows,)
        Code of the row's key in the one space of all reference columns, 0 .. n_refs - 1; -1: none.
    keep : uint8, shape (n_rows,)
        0: a duplicate of the same message; it owns nothing.
    has_strong : uint8, shape (n_rows,)
        1: the row belongs to a person by a strong identifier.
    has_weak : uint8, shape (n_rows,)
        1: it carries a weak identifier. Rows with neither own nothing.
    time, source, sequence, text_offsets, text
        As for `order_copies`.
    wanted : uint8, shape (n_refs,)
        0: nobody asks for the owner of this key.
    strong_owner, weak_owner : int64, shape (n_refs,), in and out
        First row so far with a strong identifier, and first one with a weak identifier alone; -1: none.
        The key's owner is ``strong_owner``, or ``weak_owner`` where that is -1.
    """
    no_tie = np.zeros(1, dtype=np.int8)  # source and message id tell kept rows apart
    for i in range(ref.size):
        r = ref[i]
        if r < 0 or not keep[i] or not wanted[r]:
            continue
        if has_strong[i]:
            best = strong_owner[r]
            if best < 0 or stands_after(best, i, time, source, sequence, text_offsets, text, no_tie, 0, 0):
                strong_owner[r] = i
        elif has_weak[i]:
            best = weak_owner[r]
            if best < 0 or stands_after(best, i, time, source, sequence, text_offsets, text, no_tie, 0, 0):
                weak_owner[r] = i
