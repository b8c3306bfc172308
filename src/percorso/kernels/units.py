"""Rows by unit: the events of each journey or session, in row order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.compile import I32_IN, I32_OUT, I64_OUT, kernel

__all__ = ["rows_by_unit"]


@kernel(types.Tuple((I32_OUT, I64_OUT))(I32_IN, types.int64))
def rows_by_unit(unit: npt.NDArray[np.int32], n_units: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Stable counting sort of rows by unit; rows of unit -1 are left out.

    Parameters
    ----------
    unit : int32, shape (n_events,)
        Unit of each event, -1 for none.
    n_units : int

    Returns
    -------
    rows : int32, shape (n_kept,)
        Rows by unit, in row order inside each.
    offsets : int64, shape (n_units + 1,)
        Where each unit begins in `rows`.
    """
    offsets = np.zeros(n_units + 1, dtype=np.int64)
    for i in range(unit.size):
        if unit[i] >= 0:
            offsets[unit[i] + 1] += 1
    for u in range(n_units):
        offsets[u + 1] += offsets[u]
    place = offsets[:-1].copy()
    rows = np.empty(offsets[n_units], dtype=np.int32)
    for i in range(unit.size):
        u = unit[i]
        if u >= 0:
            rows[place[u]] = i
            place[u] += 1
    return rows, offsets
