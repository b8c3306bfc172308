"""Read decimal numbers from Arrow string buffers, exactly, as scaled integers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.compile import BOOL_OUT, I32_IN, I64_OUT, U8_IN, kernel

__all__ = ["read_numbers"]

_0, _9, _MINUS = 48, 57, 45


@kernel(types.void(I32_IN, U8_IN, types.int64, types.int64, types.int64, I64_OUT, BOOL_OUT))
def read_numbers(
    offsets: npt.NDArray[np.int32],
    data: npt.NDArray[np.uint8],
    decimals: int,
    separator: int,
    thousands: int,
    scaled: npt.NDArray[np.int64],
    plain: npt.NDArray[np.bool_],
) -> None:
    """Plain decimal numbers times 10**decimals, rounded half-even.

    A plain number has a minus or none, digits, at most one separator, and between its whole digits either no
    thousands separators or all of them: up to 18 digits in all. Any other cell is left to a scalar reader.

    Parameters
    ----------
    offsets : int32, shape (n_values + 1,)
    data : uint8, shape (n_bytes,)
    decimals : int64
        0 to 6.
    separator : int64
        The byte before the decimals.
    thousands : int64
        The byte between groups of three whole digits; 0 for none.
    scaled : int64, shape (n_values,)
        Out: the numbers; 0 where not plain.
    plain : bool, shape (n_values,)
        Out.
    """
    for i in range(scaled.size):
        scaled[i] = 0
        plain[i] = False
        at, end = offsets[i], offsets[i + 1]
        negative = at < end and data[at] == _MINUS
        if negative:
            at += 1
        if end - at > 25:
            continue
        value, whole, part, good = np.int64(0), 0, -1, True
        group, groups = 0, 0  # digits of the current group of whole digits; groups closed before it
        for k in range(at, end):
            c = data[k]
            if _0 <= c <= _9:
                value = value * 10 + (np.int64(c) - _0)
                if part >= 0:
                    part += 1
                else:
                    whole += 1
                    group += 1
            elif c == separator and part < 0:
                part = 0
            elif c == thousands and part < 0 and (group == 3 if groups else 1 <= group <= 3):
                group = 0
                groups += 1
            else:
                good = False
                break
        part = max(part, 0)
        if not good or whole == 0 or (groups > 0 and group != 3) or whole + max(part, decimals) > 18:
            continue
        for _ in range(decimals - part):
            value *= 10
        if part > decimals:
            unit = np.int64(1)
            for _ in range(part - decimals):
                unit *= 10
            rest = value % unit
            value //= unit
            if 2 * rest > unit or (2 * rest == unit and value % 2 == 1):
                value += 1
        scaled[i] = -value if negative else value
        plain[i] = True
