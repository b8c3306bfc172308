"""Carts and checkouts: when they open, and whether an order of anything in them follows."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8
from percorso.kernels.compile import I32_IN, I32_OUT, I64_IN, U8_OUT, kernel

__all__ = ["BOUGHT", "LEFT", "UNDECIDED", "find_carts"]

UNDECIDED, BOUGHT, LEFT = 0, 1, 2


@kernel()
def _shares(first: int, last: int, added_at: I64, added: I32, begin: int, end: int, ordered: I32) -> int:
    """Does the order hold anything of the cart? 1 yes, 0 no, -1 nothing is known of the one or the other."""
    cart_known = False
    for a in range(added_at[first], added_at[last]):
        if added[a] > 0:
            cart_known = True
            break
    order_known = False
    for o in range(begin, end):
        if ordered[o] > 0:
            order_known = True
            break
    if not cart_known or not order_known:
        return -1
    for a in range(added_at[first], added_at[last]):
        if added[a] > 0:
            for o in range(begin, end):
                if ordered[o] == added[a]:
                    return 1
    return 0


@kernel(
    types.Tuple((I32_OUT, U8_OUT))(
        I32_IN,
        I32_IN,
        I64_IN,
        I64_IN,
        I32_IN,
        I32_IN,
        I32_IN,
        I32_IN,
        I64_IN,
        I64_IN,
        I32_IN,
        I32_IN,
        types.int64,
        types.int64,
    )
)
def find_carts(
    person: I32,
    row: I32,
    time: I64,
    added_at: I64,
    product: I32,
    category: I32,
    order_person: I32,
    order_row: I32,
    order_time: I64,
    ordered_at: I64,
    order_product: I32,
    order_category: I32,
    window: int,
    as_of: int,
) -> tuple[I32, U8]:
    """The carts of a bucket.

    A cart opens with the first product put in after the last one was bought, or after none for `window`. It is
    bought by the first order within `window` of its opening that holds anything of it: the same product; of the same
    category, where of the cart or of the order no product is known; any order, where no category is known either.

    Parameters
    ----------
    person, row : int32, shape (n_added,)
        Whose each event that puts something in is, and its row; ascending.
    time : int64, shape (n_added,)
    added_at : int64, shape (n_added + 1,)
        Where the contents of each begin.
    product, category : int32, shape (n_contents,)
        0: not known.
    order_person, order_row, order_time : shape (n_orders,)
        By person and row.
    ordered_at : int64, shape (n_orders + 1,)
    order_product, order_category : int32, shape (n_order_contents,)
        In the codes of `product` and `category`.
    window : int
        µs.
    as_of : int
        What is younger than `window` then is UNDECIDED, bought or not: who buys does so early, so that to count
        the bought ones alone would make the newest days look best.

    Returns
    -------
    opened : int32, shape (n_carts,)
        Position of the event that opened each.
    state : uint8, shape (n_carts,)
        BOUGHT, LEFT or UNDECIDED.
    """
    n = person.size
    opened = np.empty(n, dtype=np.int32)
    state = np.empty(n, dtype=np.uint8)
    n_carts, o, i = 0, 0, 0
    while i < n:
        p = person[i]
        while o < order_person.size and (order_person[o] < p or (order_person[o] == p and order_row[o] < row[i])):
            o += 1
        first, start, bought = i, time[i], False
        i += 1
        while True:
            goes_on = i < n and person[i] == p and time[i] - time[i - 1] <= window
            while o < order_person.size and order_person[o] == p and (not goes_on or order_row[o] < row[i]):
                if order_time[o] - start > window:
                    if not goes_on:
                        break
                    o += 1
                    continue
                begin, end = ordered_at[o], ordered_at[o + 1]
                same = _shares(first, i, added_at, product, begin, end, order_product)
                if same < 0:
                    same = _shares(first, i, added_at, category, begin, end, order_category)
                o += 1
                if same != 0:
                    bought = True
                    break
            if bought or not goes_on:
                break
            i += 1
        opened[n_carts] = first
        if as_of - start < window:
            state[n_carts] = UNDECIDED
        else:
            state[n_carts] = BOUGHT if bought else LEFT
        n_carts += 1
    return opened[:n_carts].copy(), state[:n_carts].copy()
