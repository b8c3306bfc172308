"""What the kernels of attempts share: the bits of an event, groups of simultaneous events, the attempts they write."""

from __future__ import annotations

from typing import Any

import numpy as np

from percorso.kernels.compile import kernel
from percorso.kernels.matching import MOST_STEPS

__all__ = [
    "EXCLUSION_BIT",
    "IN_BIT",
    "NEVER",
    "NO_LIMIT",
    "RELEVANT_BITS",
    "STEP_BITS",
    "excluded_by",
    "next_group",
    "write_attempt",
]

#: Bits of an event: step s (from 1) is bit s - 1, exclusion e (from 0) is bit 15 + e, and bit 31 says that it is in.
EXCLUSION_BIT = MOST_STEPS
IN_BIT = 31
STEP_BITS = (1 << EXCLUSION_BIT) - 1
RELEVANT_BITS = (1 << IN_BIT) - 1

#: A window without end.
NO_LIMIT = 1 << 61

#: Far before any time, and still far from overflow when subtracted from one.
NEVER = -(1 << 62)


@kernel()
def excluded_by(bits: Any, n_exclusions: Any) -> Any:
    """Bit set of the exclusions in an event's or a group's bits."""
    return (np.int64(bits) >> EXCLUSION_BIT) & ((np.int64(1) << n_exclusions) - 1)


@kernel()
def next_group(i: Any, hi: Any, time: Any, bits: Any, counted: Any) -> Any:
    """The next simultaneous events with any of the `counted` bits: (begin, end, all bits); at the end begin is hi."""
    while i < hi and not np.int64(bits[i]) & counted:
        i += 1
    if i == hi:
        return hi, hi, np.int64(0)
    present = np.int64(0)
    j = i
    while j < hi and time[j] == time[i]:
        present |= np.int64(bits[j])
        j += 1
    return i, j, present


@kernel()
def write_attempt(
    n: Any, unit: Any, visited: Any, begin: Any, times: Any, out_unit: Any, out_visited: Any, out_begin: Any, gaps: Any,
    n_gaps: Any,
) -> Any:  # fmt: skip
    """Write one attempt; ``times[s]`` is when it reached step s. Returns how many are written."""
    out_unit[n] = unit
    out_visited[n] = visited
    out_begin[n] = begin
    before = np.int64(NEVER)
    for s in range(gaps.shape[0]):
        if (visited >> s) & 1:
            if before != NEVER:
                gaps[s, n_gaps[s]] = times[s + 1] - before
                n_gaps[s] += 1
            before = times[s + 1]
    return n + 1
