"""Where the elements of a JSON array begin and end, without parsing them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.compile import I64_OUT, U8_IN, kernel

__all__ = ["scan_elements"]

_LF, _BLANK, _QUOTE, _ESCAPE, _COMMA = np.uint8(10), np.uint8(32), np.uint8(34), np.uint8(92), np.uint8(44)
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = np.uint8(91), np.uint8(93), np.uint8(123), np.uint8(125)


@kernel(types.int64(U8_IN, I64_OUT, I64_OUT, I64_OUT, I64_OUT))
def scan_elements(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    lines: npt.NDArray[np.int64],
    state: npt.NDArray[np.int64],
) -> int:
    """Find the elements of an array in a text that starts inside it, between two elements.

    Parameters
    ----------
    data : ndarray of uint8, shape (n_bytes,)
    starts, ends, lines : ndarray of int64, shape (capacity,)
        Output: first byte, byte after the last, lines (from 0) before each element.
    state : ndarray of int64, shape (3,)
        Output: bytes and lines that the elements found take up; 1 if the array ends there.

    Returns
    -------
    int
        Number of elements that are wholly here and followed by a comma or the array's end.
    """
    found = 0
    depth = 0
    in_string = False
    start, start_line, line = -1, 0, 0
    last = 0
    state[0], state[1], state[2] = 0, 0, 0
    at = 0
    while at < len(data) and found < len(starts):
        byte = data[at]
        if byte == _LF:
            line += 1
        if in_string:
            if byte == _ESCAPE:
                at += 1
            elif byte == _QUOTE:
                in_string = False
                last = at + 1
        elif depth == 0 and byte in (_COMMA, _CLOSE_LIST):
            if start >= 0:
                starts[found], ends[found], lines[found] = start, last, start_line
                found += 1
            start = -1
            state[0], state[1] = at + 1, line
            if byte == _CLOSE_LIST:
                state[2] = 1
                return found
        elif byte > _BLANK:
            if start < 0:
                start, start_line = at, line
            if byte == _QUOTE:
                in_string = True
            elif byte in (_OPEN_LIST, _OPEN_OBJECT):
                depth += 1
            elif byte in (_CLOSE_LIST, _CLOSE_OBJECT):
                depth -= 1
            last = at + 1
        at += 1
    return found
