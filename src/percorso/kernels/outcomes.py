"""How journeys ended as of a time, in one pass over their instants."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I64, U8, Bools
from percorso.kernels.compile import BOOL_IN, I64_IN, U8_OUT, kernel

__all__ = ["outcomes_at"]


@kernel(U8_OUT(BOOL_IN, I64_IN, I64_IN, I64_IN, types.int64))
def outcomes_at(is_purchase: Bools, goal_time: I64, intent: I64, timeout: I64, as_of: int) -> U8:
    """Outcome of each journey: 0 open, 1 converted, 2 abandoned, 3 no purchase journey; uint8 of shape (n_journeys,).

    Parameters
    ----------
    is_purchase : bool, shape (n_journeys,)
    goal_time : int64, shape (n_journeys,)
        µs UTC; -1: none.
    intent, timeout : int64, shape (n_journeys,)
        Last intent (µs UTC), and how long after it the journey is given up (µs).
    as_of : int
        µs UTC, itself included.
    """
    found = np.empty(is_purchase.size, dtype=np.uint8)
    for j in range(is_purchase.size):
        goal = goal_time[j]
        ended = np.uint8(2) if intent[j] + timeout[j] <= as_of else np.uint8(0)
        ended = np.uint8(1) if goal != -1 and goal <= as_of else ended
        found[j] = ended if is_purchase[j] else np.uint8(3)
    return found
