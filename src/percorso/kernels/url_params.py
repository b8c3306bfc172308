"""Campaign parameters and click ids in the query part of URLs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.compile import I8_OUT, I32_IN, U8_IN, array_out, kernel

__all__ = ["find_parameters"]

_QUESTION, _HASH, _AND, _EQUALS = np.uint8(63), np.uint8(35), np.uint8(38), np.uint8(61)


@kernel(inline="always")
def _is_name(
    data: npt.NDArray[np.uint8],
    start: int,
    end: int,
    names: npt.NDArray[np.uint8],
    name_start: int,
    name_end: int,
) -> bool:
    if end - start != name_end - name_start:
        return False
    for i in range(end - start):
        byte = data[start + i]
        if 65 <= byte <= 90:
            byte += np.uint8(32)
        if byte != names[name_start + i]:
            return False
    return True


@kernel(
    types.void(I32_IN, U8_IN, I32_IN, U8_IN, types.int64, array_out(types.int32, 2), array_out(types.int32, 2), I8_OUT)
)
def find_parameters(
    offsets: npt.NDArray[np.int32],
    data: npt.NDArray[np.uint8],
    name_offsets: npt.NDArray[np.int32],
    names: npt.NDArray[np.uint8],
    values: int,
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    clicks: npt.NDArray[np.int8],
) -> None:
    """Find, in each URL, the values of some parameters, and which one of some others is there.

    Parameters
    ----------
    offsets, data
        The URLs, as in Arrow.
    name_offsets, names
        Names in lower case, as in Arrow: first those whose values are wanted, then those of which the first
        one present is. A name counts whatever its case; of a parameter given twice the first counts.
    values : int
        Number of names whose values are wanted.
    starts, ends : ndarray of int32, shape (values, n_rows)
        Output: where the value stands in `data`; equal where there is none.
    clicks : ndarray of int8, shape (n_rows,)
        Output: place of the other name among all names, -1 for none.
    """
    for i in range(len(offsets) - 1):
        clicks[i] = -1
        for k in range(values):
            starts[k, i] = 0
            ends[k, i] = 0
        at, stop = offsets[i], offsets[i + 1]
        while at < stop and data[at] != _QUESTION and data[at] != _HASH:
            at += 1
        if at == stop or data[at] == _HASH:
            continue
        at += 1
        while at < stop and data[at] != _HASH:
            name_start = at
            while at < stop and data[at] != _AND and data[at] != _HASH and data[at] != _EQUALS:
                at += 1
            name_end = at
            if at < stop and data[at] == _EQUALS:
                at += 1
            value_start = at
            while at < stop and data[at] != _AND and data[at] != _HASH:
                at += 1
            for k in range(len(name_offsets) - 1):
                if _is_name(data, name_start, name_end, names, name_offsets[k], name_offsets[k + 1]):
                    if k >= values:
                        if clicks[i] < 0:
                            clicks[i] = np.int8(k)
                    elif starts[k, i] == ends[k, i]:
                        starts[k, i], ends[k, i] = value_start, at
            if at < stop and data[at] == _AND:
                at += 1
