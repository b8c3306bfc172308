"""Where the rows of a CSV text begin and end, on which line, and with how many cells.

Quotes count as pyarrow's and Python's readers count them: one opens a quoted cell at the cell's first byte
only, two inside it are one, and after the closing one the cell goes on unquoted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.compile import I32_OUT, I64_OUT, U8_IN, kernel

__all__ = ["scan_rows"]

_LF, _CR, _QUOTE = np.uint8(10), np.uint8(13), np.uint8(34)
_START, _PLAIN, _QUOTED = 0, 1, 2


@kernel(types.int64(U8_IN, types.uint8, types.int64, types.boolean, I64_OUT, I64_OUT, I64_OUT, I32_OUT, I64_OUT))
def scan_rows(
    data: npt.NDArray[np.uint8],
    delimiter: int,
    columns: int,
    is_last: bool,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    lines: npt.NDArray[np.int64],
    cells: npt.NDArray[np.int32],
    state: npt.NDArray[np.int64],
) -> int:
    """Find the rows of a block of text that starts at a row's start.

    Empty lines are no rows. A row that goes over several lines and has a wrong number of cells, or text
    right behind a closing quote, is taken for one with a quote that is never closed: its first line counts as
    a row by itself, with -1 cells, and the next one starts on the line after it.

    Parameters
    ----------
    data : ndarray of uint8, shape (n_bytes,)
    delimiter : uint8
    columns : int
        Number of cells a row should have; 0: unknown.
    is_last : bool
        Nothing follows: the last row needs no line end, and an open quote is closed by nothing.
    starts, ends, lines : ndarray of int64, shape (capacity,)
        Output: first byte, byte after the last without its line end, lines (from 0) before each row.
    cells : ndarray of int32, shape (capacity,)
        Output: number of cells.
    state : ndarray of int64, shape (2,)
        Output: bytes and lines that the rows found take up; the rest belongs to rows not wholly here.

    Returns
    -------
    int
        Number of rows; at most the capacity.
    """
    n = len(data)
    rows = 0
    line = 0
    at = 0
    while at < n and rows < len(starts):
        start, start_line = at, line
        count = 1
        where = _START
        first_end, after_first = -1, -1
        complete = False
        odd = False
        end = n
        while at < n:
            byte = data[at]
            if byte in (_LF, _CR):
                if byte == _CR and at + 1 == n and not is_last:
                    break  # its line feed may be the first byte of what follows
                stop = at
                at += 2 if byte == _CR and at + 1 < n and data[at + 1] == _LF else 1
                line += 1
                if first_end < 0:
                    first_end, after_first = stop, at
                if where != _QUOTED:
                    end = stop
                    complete = True
                    break
                continue
            if where == _QUOTED:
                if byte == _QUOTE:
                    if at + 1 < n and data[at + 1] == _QUOTE:
                        at += 1
                    elif at + 1 == n and not is_last:
                        break
                    else:
                        where = _PLAIN
                        follows = data[at + 1] if at + 1 < n else _LF
                        odd |= line > start_line and follows not in (np.uint8(delimiter), _LF, _CR)
            elif byte == np.uint8(delimiter):
                count += 1
                where = _START
            elif where == _START:
                where = _QUOTED if byte == _QUOTE else _PLAIN
            at += 1
        if not complete and not is_last:
            state[0], state[1] = start, start_line
            return rows
        if end == start:
            continue  # an empty line
        broken = (not complete and where == _QUOTED) or (
            columns > 0 and (count != columns or odd) and line > start_line + (1 if complete else 0)
        )
        if broken:
            if first_end < 0:
                first_end, after_first = n, n
            end, at, line, count = first_end, after_first, start_line + 1, -1
        starts[rows], ends[rows], lines[rows], cells[rows] = start, end, start_line, count
        rows += 1
    state[0], state[1] = at, line
    return rows
