"""Sort rows by group and total order: a counting sort over groups, then a merge sort inside each.

Linear in rows for the movement, n log n only inside a group; groups that are already in order (most
files are) cost one comparison a row.
"""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I8, I16, I32, I64, U8
from percorso.kernels.compile import I8_IN, I16_IN, I32_IN, I64_IN, I64_OUT, U8_IN, kernel

__all__ = ["group_rows", "sort_groups", "stands_after"]


@kernel(types.Tuple((I64_OUT, I64_OUT))(I32_IN, types.int64))
def group_rows(group: I32, n_groups: int) -> tuple[I64, I64]:
    """Stable counting sort of rows by group.

    Parameters
    ----------
    group : int32, shape (n_rows,)
        Group of each row; rows with a negative group are left out.
    n_groups : int
        Groups are 0 .. n_groups - 1.

    Returns
    -------
    order : int64, shape (n_kept,)
        Rows by group, in row order inside a group.
    offsets : int64, shape (n_groups + 1,)
        Where each group begins in `order`.
    """
    offsets = np.zeros(n_groups + 1, dtype=np.int64)
    for i in range(group.size):
        if group[i] >= 0:
            offsets[group[i] + 1] += 1
    for g in range(n_groups):
        offsets[g + 1] += offsets[g]
    place = offsets[:-1].copy()
    order = np.empty(offsets[n_groups], dtype=np.int64)
    for i in range(group.size):
        g = group[i]
        if g >= 0:
            order[place[g]] = i
            place[g] += 1
    return order, offsets


@kernel()
def stands_after(
    x: int,
    y: int,
    time: I64,
    source: I16,
    sequence: I64,
    text_offsets: I64,
    text: U8,
    last: I8,
    first: int,
    second: int,
) -> bool:
    """True where row `x` stands strictly after row `y` in the total order (definitions, section 8).

    ``last[first] > last[second]`` decides between equal rows; it is looked up only then, because the look-up
    is what a sort would pay for most.
    """
    if time[x] != time[y]:
        return bool(time[x] > time[y])
    if source[x] != source[y]:
        return bool(source[x] > source[y])
    if sequence[x] != sequence[y]:
        return bool(sequence[x] > sequence[y])
    a, a_end = text_offsets[x], text_offsets[x + 1]
    b, b_end = text_offsets[y], text_offsets[y + 1]
    while a < a_end and b < b_end:
        if text[a] != text[b]:
            return bool(text[a] > text[b])
        a += 1
        b += 1
    if (a_end - a) != (b_end - b):
        return bool((a_end - a) > (b_end - b))
    return bool(last[first] > last[second])


@kernel()
def _after(
    first: int, second: int, row: I64, time: I64, source: I16, sequence: I64, text_offsets: I64, text: U8, last: I8
) -> bool:
    """True where record `first` stands strictly after `second`: by total order, then by `last`."""
    return stands_after(row[first], row[second], time, source, sequence, text_offsets, text, last, first, second)


@kernel(types.void(I64_OUT, I64_IN, I64_IN, I64_IN, I16_IN, I64_IN, I64_IN, U8_IN, I8_IN))
def sort_groups(
    order: I64, offsets: I64, row: I64, time: I64, source: I16, sequence: I64, text_offsets: I64, text: U8, last: I8
) -> None:
    """Sort `order` inside each group by (time, source, sequence, text bytes, last), in place and stable.

    Parameters
    ----------
    order : int64, shape (n_records,)
        Records by group, as `group_rows` returns them; changed in place.
    offsets : int64, shape (n_groups + 1,)
    row : int64, shape (n_records,)
        Row of each record; the columns below are aligned with rows.
    time : int64, shape (n_rows,)
        µs UTC.
    source : int16, shape (n_rows,)
        Rank of the source's name by bytes.
    sequence : int64, shape (n_rows,)
    text_offsets : int64, shape (n_rows + 1,)
        Where each row's message id begins in `text`.
    text : uint8, shape (n_bytes,)
    last : int8, shape (n_records,)
        Decides between records of one event.
    """
    largest = np.int64(0)
    for g in range(offsets.size - 1):
        largest = max(largest, offsets[g + 1] - offsets[g])
    spare = np.empty(largest, dtype=np.int64)
    for g in range(offsets.size - 1):
        lo, hi = offsets[g], offsets[g + 1]
        sorted_already = True
        for i in range(lo + 1, hi):
            if _after(order[i - 1], order[i], row, time, source, sequence, text_offsets, text, last):
                sorted_already = False
                break
        if sorted_already:
            continue
        # Runs of 16 by insertion, then merged bottom-up.
        for a in range(lo, hi, 16):
            for i in range(a + 1, min(a + 16, hi)):
                record = order[i]
                j = i - 1
                while j >= a and _after(order[j], record, row, time, source, sequence, text_offsets, text, last):
                    order[j + 1] = order[j]
                    j -= 1
                order[j + 1] = record
        width = 16
        while width < hi - lo:
            for a in range(lo, hi, 2 * width):
                middle, end = min(a + width, hi), min(a + 2 * width, hi)
                if middle >= end:
                    continue
                for i in range(a, middle):
                    spare[i - a] = order[i]
                left, right, out = np.int64(0), middle, a
                n_left = middle - a
                while left < n_left and right < end:
                    if _after(spare[left], order[right], row, time, source, sequence, text_offsets, text, last):
                        order[out] = order[right]
                        right += 1
                    else:
                        order[out] = spare[left]
                        left += 1
                    out += 1
                while left < n_left:
                    order[out] = spare[left]
                    left += 1
                    out += 1
            width *= 2
