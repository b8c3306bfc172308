"""One byte an event: is it in?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.compile import I64_IN, U8_IN, U8_OUT, U16_IN, kernel

__all__ = ["dense_mask"]


@kernel(U8_OUT(I64_IN, U16_IN, U8_IN, types.int64, types.int64, types.int64))
def dense_mask(
    time: npt.NDArray[np.int64],
    flags: npt.NDArray[np.uint16],
    mask: npt.NDArray[np.uint8],
    out_flags: int,
    start_us: int,
    end_us: int,
) -> npt.NDArray[np.uint8]:
    """Flags, period and condition in one mask.

    Parameters
    ----------
    time : int64, shape (n_events,)
        µs UTC.
    flags : uint16, shape (n_events,)
    mask : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    out_flags : int
        Events with any of these flags are out.
    start_us, end_us : int
        Events with ``start_us <= time < end_us`` are in.

    Returns
    -------
    uint8, shape (n_events,)
    """
    keep = np.empty(time.size, dtype=np.uint8)
    out = np.uint16(out_flags)
    for i in range(time.size):
        keep[i] = np.uint8((time[i] >= start_us) & (time[i] < end_us) & ((flags[i] & out) == 0))
    if mask.size:
        for i in range(time.size):
            keep[i] &= mask[i]
    return keep
