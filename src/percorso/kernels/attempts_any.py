"""Attempts of funnels in any order: the largest number of steps that distinct events of one window can serve.

Defined in docs/reference/funnel.md. An event serves one step (`matching`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from percorso.kernels.attempt_rows import NEVER, RELEVANT_BITS, STEP_BITS, excluded_by, next_group, write_attempt
from percorso.kernels.compile import I32_OUT, I64_IN, I64_OUT, I64_OUT2, U32_IN, U32_OUT, kernel
from percorso.kernels.matching import MOST_STEPS, augment

__all__ = ["first_unordered", "latest_unordered"]

_SIGNATURE = types.int64(
    I64_IN, U32_IN, I64_IN, types.boolean, types.int64, types.int64, types.int64, types.boolean,
    I32_OUT, U32_OUT, I32_OUT, I64_OUT2, I64_OUT,
)  # fmt: skip


@kernel(_SIGNATURE)
def latest_unordered(
    time: Any,
    bits: Any,
    offsets: Any,
    every: Any,
    within: Any,
    n_steps: Any,
    n_exclusions: Any,
    disjoint: Any,
    out_unit: Any,
    out_visited: Any,
    out_begin: Any,
    gaps: Any,
    n_gaps: Any,
) -> Any:
    """The attempts of each unit, start = latest: any window that ends at an event.

    Parameters and returns as for `attempts.latest_attempts`, with the k-th step done in the place of step k.
    """
    served_by = np.empty(MOST_STEPS, dtype=np.int64)
    parent, queue = np.empty_like(served_by), np.empty_like(served_by)
    times = np.empty(n_steps + 1, dtype=np.int64)
    chosen, latest = np.empty_like(times), np.empty_like(times)
    n_gaps[:] = 0
    n = 0
    for unit in range(offsets.size - 1):
        latest[:] = -1  # row of the last event that is each step
        level, begin = 0, np.int64(-1)
        earliest = np.int64(NEVER)  # events before it are behind an exclusion, or used
        first, end = offsets[unit], offsets[unit + 1]
        i, j, present = next_group(first, end, time, bits, np.int64(RELEVANT_BITS))
        while i < end:
            t = time[i]
            limit = max(t - within, earliest)
            if every and level:
                over = True
                for s in range(n_steps):
                    if latest[s] >= 0 and time[latest[s]] >= limit:
                        over = False
                if over:
                    n = write_attempt(
                        n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps
                    )
                    level = 0
            for event in range(i, j):
                for s in range(n_steps):
                    if (bits[event] >> s) & 1:
                        latest[s] = event
            most = 0
            for s in range(n_steps):
                if latest[s] >= 0 and time[latest[s]] >= limit:
                    most += 1
            if most > level and present & STEP_BITS:
                # From the latest event back, each that can serve beside those already chosen.
                count = 0
                served_by[:] = -1
                event = j - 1
                while event >= first and time[event] >= limit and count < most:
                    serves = False
                    if disjoint:
                        for s in range(n_steps):
                            serves |= latest[s] == event
                    elif bits[event] & STEP_BITS:
                        serves = augment(event, np.int64(STEP_BITS), bits, served_by, parent, queue)
                    if serves:
                        chosen[count] = event
                        count += 1
                    event -= 1
                if count > level:
                    level, begin = count, chosen[count - 1]
                    for k in range(count):
                        times[k + 1] = time[chosen[count - 1 - k]]
            if level == n_steps:
                if not every:
                    break
                n = write_attempt(
                    n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps
                )
                level = 0
                earliest = t + 1
            if excluded_by(present, n_exclusions):
                earliest = max(earliest, t)
            i, j, present = next_group(j, end, time, bits, np.int64(RELEVANT_BITS))
        if level:
            n = write_attempt(n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
    return n


@kernel(_SIGNATURE)
def first_unordered(
    time: Any,
    bits: Any,
    offsets: Any,
    every: Any,
    within: Any,
    n_steps: Any,
    n_exclusions: Any,
    disjoint: Any,
    out_unit: Any,
    out_visited: Any,
    out_begin: Any,
    gaps: Any,
    n_gaps: Any,
) -> Any:
    """The attempts of each unit, start = first: the window that begins with the first event that is a step.

    Parameters and returns as for `latest_unordered`.
    """
    served_by = np.empty(MOST_STEPS, dtype=np.int64)
    parent, queue = np.empty_like(served_by), np.empty_like(served_by)
    times = np.empty(n_steps + 1, dtype=np.int64)
    n_gaps[:] = 0
    n = 0
    for unit in range(offsets.size - 1):
        level, begin, opened = 0, np.int64(-1), np.int64(0)
        done = False
        end = offsets[unit + 1]
        i, j, present = next_group(offsets[unit], end, time, bits, np.int64(RELEVANT_BITS))
        while i < end and not done:
            t = time[i]
            if level and t - opened > within:
                n = write_attempt(
                    n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps
                )
                level = 0
                done = not every
            if level == 0:
                served_by[:] = -1
                opened = t
            for event in range(i, j):
                serves = not done and level < n_steps and np.int64(bits[event]) & STEP_BITS != 0
                if serves and augment(event, np.int64(STEP_BITS), bits, served_by, parent, queue):
                    if level == 0:
                        begin = np.int64(event)
                    level += 1
                    times[level] = t
            excluded = t > opened and excluded_by(present, n_exclusions) != 0
            if level == n_steps or (level and excluded):
                n = write_attempt(
                    n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps
                )
                level = 0
                done = not every
            i, j, present = next_group(j, end, time, bits, np.int64(RELEVANT_BITS))
        if level:
            n = write_attempt(n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
    return n
