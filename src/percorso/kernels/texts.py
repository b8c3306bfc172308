"""Looks over the cells of an Arrow text column before slower work is done on them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.compile import BOOL_OUT, I32_IN, I32_OUT, U8_IN, U8_OUT, kernel

__all__ = ["copy_slices", "count_empty", "mark_escapes", "mark_percent"]


@kernel(types.int64(I32_IN, U8_IN))
def count_empty(offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]) -> int:
    """Number of empty cells; -1 if some cell begins or ends with a blank, or might do so with one beyond ASCII."""
    empty = 0
    for i in range(len(offsets) - 1):
        start, end = offsets[i], offsets[i + 1]
        if start == end:
            empty += 1
        elif data[start] <= 32 or data[end - 1] <= 32 or data[start] >= 127 or data[end - 1] >= 127:
            return -1
    return empty


@kernel(types.boolean(I32_IN, U8_IN, BOOL_OUT))
def mark_escapes(offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8], marks: npt.NDArray[np.bool_]) -> bool:
    """Mark the cells that JSON cannot take as they are; whether there are any. `marks`: shape (n_rows,)."""
    found = False
    for i in range(len(offsets) - 1):
        marks[i] = False
        for at in range(offsets[i], offsets[i + 1]):
            byte = data[at]
            if byte < 32 or byte == 34 or byte == 92 or byte == 127:
                marks[i] = True
                found = True
                break
    return found


@kernel(types.boolean(I32_IN, U8_IN, BOOL_OUT))
def mark_percent(offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8], marks: npt.NDArray[np.bool_]) -> bool:
    """Mark the cells with ``%`` or ``+`` in them; whether there are any. `marks`: shape (n_rows,)."""
    found = False
    for i in range(len(offsets) - 1):
        marks[i] = False
        for at in range(offsets[i], offsets[i + 1]):
            if data[at] == 37 or data[at] == 43:
                marks[i] = True
                found = True
                break
    return found


@kernel(types.void(I32_IN, I32_IN, U8_IN, I32_OUT, U8_OUT))
def copy_slices(
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int32],
    out: npt.NDArray[np.uint8],
) -> None:
    """Put slices of `data` one behind the other.

    Parameters
    ----------
    starts, ends : ndarray of int32, shape (n_rows,)
    data : ndarray of uint8
    offsets : ndarray of int32, shape (n_rows + 1,)
        Output: where each slice starts in `out`.
    out : ndarray of uint8, shape (sum of lengths,)
    """
    at = np.int32(0)
    for i in range(len(starts)):
        offsets[i] = at
        for source in range(starts[i], ends[i]):
            out[at] = data[source]
            at += np.int32(1)
    offsets[len(starts)] = at
