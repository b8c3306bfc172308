"""Customers who are not lost when an interval begins, and those of them who are when it ends."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64
from percorso.kernels.compile import I32_IN, I64_IN, I64_OUT, kernel

__all__ = ["count_churn"]


@kernel(types.void(I32_IN, I32_IN, I32_IN, I64_IN, types.int64, I64_OUT, I64_OUT))
def count_churn(person: I32, day: I32, limit: I32, bounds: I64, today: int, active: I64, lost: I64) -> None:
    """Count both for consecutive intervals.

    After a purchase on day d a customer is lost from day d + limit + 1 on, until the next purchase. As an interval
    begins is as the day before it ended.

    Parameters
    ----------
    person, day, limit : int32, shape (n_purchases,)
        Ascending by person and day, each pair once; `limit` in days.
    bounds : int64, shape (n_intervals + 1,)
        Days on which they begin, ascending, and on which the last one ends.
    today : int
        Later days have not come.
    active, lost : int64, shape (n_intervals,), out
        Counts are added here.
    """
    n = day.size
    n_intervals = bounds.size - 1
    change = np.zeros(n_intervals + 2, dtype=np.int64)
    for i in range(n):
        following = np.int64(day[i + 1]) if i + 1 < n and person[i + 1] == person[i] else np.int64(2) ** 40
        gone = np.int64(day[i]) + np.int64(limit[i]) + 1
        end = min(following, gone)
        first = np.searchsorted(bounds[:n_intervals], np.int64(day[i]), side="right")
        after = np.searchsorted(bounds[:n_intervals], end, side="right")
        change[first] += 1
        change[after] -= 1
        if gone >= following or gone > today or gone < bounds[0] or gone >= bounds[n_intervals]:
            continue
        k = int(np.searchsorted(bounds, gone, side="right")) - 1
        if following <= min(bounds[k + 1] - 1, today):
            continue  # bought again before the interval was over
        j = i
        while j >= 0 and person[j] == person[i] and day[j] >= bounds[k]:
            j = j - 1
        if j < 0 or person[j] != person[i]:
            continue  # was no customer when it began
        if j == i or bounds[k] <= min(np.int64(day[j + 1]), np.int64(day[j]) + np.int64(limit[j]) + 1):
            lost[k] += 1
    running = np.int64(0)
    for k in range(n_intervals):
        running += change[k]
        active[k] += running
