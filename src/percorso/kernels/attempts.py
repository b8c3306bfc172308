"""Attempts of funnels in order, for what `funnel.ordered_funnel` is too simple for.

What is computed is defined in docs/reference/funnel.md; in short, for steps 1 .. K, simultaneous events as one group:

start = latest
    ``state[b]`` is the attempt with the latest start that has reached step b, found from the states a < b before the
    group and the events of the group. Later updates never start earlier, so one state a step is enough.
start = first
    one attempt, moved forward greedily.

An event serves one step of an attempt (`matching`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from percorso.kernels.attempt_rows import (
    EXCLUSION_BIT,
    IN_BIT,
    NEVER,
    RELEVANT_BITS,
    STEP_BITS,
    excluded_by,
    next_group,
    write_attempt,
)
from percorso.kernels.compile import I32_OUT, I64_IN, I64_OUT, I64_OUT2, U32_IN, U32_OUT, kernel
from percorso.kernels.matching import can_serve, count_bits

__all__ = ["first_attempts", "latest_attempts"]

_SIGNATURE = types.int64(
    I64_IN, U32_IN, I64_IN, types.boolean, types.boolean, types.int64, types.int64, types.int64, types.int64,
    I64_IN, I64_IN, types.boolean, I32_OUT, U32_OUT, I32_OUT, I64_OUT2, I64_OUT,
)  # fmt: skip


@kernel()
def _path(
    a: Any, b: Any, optional: Any, present: Any, lo: Any, hi: Any, bits: Any, disjoint: Any, served_by: Any,
    parent: Any, queue: Any,
) -> Any:  # fmt: skip
    """Steps that a group serves on the way from step a (done before) to b; 0 if it cannot, -1 if no lower a can."""
    need = np.int64(1) << (b - 1)
    for s in range(a + 1, b):
        if not (optional >> (s - 1)) & 1:
            need |= np.int64(1) << (s - 1)
    if need & ~present:
        return -1
    if not can_serve(need, lo, hi, bits, disjoint, served_by, parent, queue):
        return 0
    for s in range(a + 1, b):
        more = need | (np.int64(1) << (s - 1))
        if more != need and not more & ~present and can_serve(more, lo, hi, bits, disjoint, served_by, parent, queue):
            need = more
    return need


@kernel()
def _last_row(step: Any, lo: Any, hi: Any, bits: Any) -> Any:
    row = lo
    for i in range(lo, hi):
        if (bits[i] >> (step - 1)) & 1:
            row = i
    return row


@kernel(_SIGNATURE)
def latest_attempts(
    time: Any,
    bits: Any,
    offsets: Any,
    strict: Any,
    every: Any,
    within: Any,
    step_within: Any,
    n_steps: Any,
    optional: Any,
    exclude_after: Any,
    exclude_before: Any,
    disjoint: Any,
    out_unit: Any,
    out_visited: Any,
    out_begin: Any,
    gaps: Any,
    n_gaps: Any,
) -> Any:
    """The attempts of each unit, start = latest: its furthest one, or with `every` all of them.

    Parameters
    ----------
    time : int64, shape (n_events,)
        µs UTC, ascending inside each unit.
    bits : uint32, shape (n_events,)
        What each event is: steps, exclusions, in (`attempt_rows`); 0 for events that are out.
    offsets : int64, shape (n_units + 1,)
    strict : bool
        No event that is in may stand between two steps.
    every : bool
        Attempts one after another (totals) instead of the furthest of each unit.
    within, step_within : int
        Longest time since step 1, and since the step before, µs, inclusive; `NO_LIMIT` for none.
    n_steps : int
    optional : int
        Bit s - 1: step s may be skipped.
    exclude_after, exclude_before : int64, shape (n_exclusions,)
        Exclusion e ends attempts whose last step s has ``exclude_after[e] <= s < exclude_before[e]``.
    disjoint : bool
        No event is more than one step.
    out_unit : int32, out_visited : uint32, out_begin : int32, shape (n_most,)
        Out, for each attempt: unit; bit s - 1 for each step s it did; row of its first step.
        `n_most` is the number of units, or with `every` the number of events that are a step.
    gaps : int64, shape (n_steps, n_most)
        Out: ``gaps[s - 1, k]`` is the time to step s from the step before, µs, of the k-th attempt that did step s
        (and one before); row 0 is unused.
    n_gaps : int64, shape (n_steps,)
        Out: how many of each row are used.

    Returns
    -------
    int
        How many attempts.
    """
    counted = np.int64(1) << IN_BIT if strict else np.int64(RELEVANT_BITS)
    served_by = np.empty(EXCLUSION_BIT, dtype=np.int64)
    parent, queue = np.empty_like(served_by), np.empty_like(served_by)
    # By step reached (index 0 unused): start, last step and group, steps done, row of step 1, when each was done.
    start = np.empty(n_steps + 1, dtype=np.int64)
    last, group_of = np.empty_like(start), np.empty_like(start)
    visited, begin = np.empty_like(start), np.empty_like(start)
    times = np.zeros((n_steps + 1, n_steps + 1), dtype=np.int64)
    reached = np.empty_like(start)
    n_gaps[:] = 0
    n = 0
    for unit in range(offsets.size - 1):
        start[:] = NEVER
        last[:] = NEVER
        level, reached_visited, reached_begin = np.int64(0), np.int64(0), np.int64(-1)
        g = 0
        end = offsets[unit + 1]
        i, j, present = next_group(offsets[unit], end, time, bits, counted)
        while i < end:
            t = time[i]
            g += 1
            if every and level:
                over = True
                for s in range(1, n_steps):
                    if t - start[s] <= within and t - last[s] <= step_within and (not strict or group_of[s] == g - 1):
                        over = False
                if over:
                    n = write_attempt(
                        n, unit, reached_visited, reached_begin, reached, out_unit, out_visited, out_begin, gaps, n_gaps
                    )
                    level = np.int64(0)
                    start[:] = NEVER
            highest = np.int64(0)
            one = j == i + 1
            b = np.int64(n_steps) if present & STEP_BITS else np.int64(0)
            while b > 0:
                if not (present >> (b - 1)) & 1:
                    b -= 1
                    continue
                from_a, from_start, from_count, serves = np.int64(-1), np.int64(NEVER), np.int64(0), np.int64(0)
                a = b - 1
                while a >= 0:
                    # One event is one step, so only optional steps can lie between; several are matched to steps.
                    path = np.int64(1) << (b - 1)
                    if not one:
                        path = _path(a, b, optional, present, i, j, bits, disjoint, served_by, parent, queue)
                        if path < 0:
                            break
                    open_ = path > 0
                    if a:
                        open_ &= (start[a] != NEVER) & (t - start[a] <= within) & (t - last[a] <= step_within)
                        open_ &= (not strict) | (group_of[a] == g - 1)
                    if open_:
                        origin = start[a] if a else t
                        count = np.int64(0)
                        if optional:
                            count = count_bits(path | visited[a] if a else path)
                        # Latest start, then most optional steps, then most steps now.
                        if from_a < 0 or origin > from_start or (origin == from_start and count >= from_count):
                            from_a, from_start, from_count, serves = a, origin, count, path
                    if one and (a == 0 or not (optional >> (a - 1)) & 1):
                        break
                    a -= 1
                if from_a >= 0:
                    start[b], last[b], group_of[b] = from_start, t, g
                    visited[b] = serves | visited[from_a] if from_a else serves
                    begin[b] = begin[from_a] if from_a else _last_row(1, i, j, bits)
                    for s in range(1, b + 1):
                        times[b, s] = t if (serves >> (s - 1)) & 1 else times[from_a, s]
                    highest = b if highest == 0 else highest
                b -= 1
            if highest > level:
                level, reached_visited, reached_begin = highest, visited[highest], begin[highest]
                for s in range(1, highest + 1):
                    reached[s] = times[highest, s]
            if level == n_steps:
                if not every:
                    break
                n = write_attempt(
                    n, unit, reached_visited, reached_begin, reached, out_unit, out_visited, out_begin, gaps, n_gaps
                )
                level = np.int64(0)
                start[:] = NEVER
            excluded = excluded_by(present, exclude_after.size)
            for e in range(exclude_after.size):
                if (excluded >> e) & 1:
                    for s in range(exclude_after[e], exclude_before[e]):
                        if last[s] < t:
                            start[s] = NEVER
            i, j, present = next_group(j, end, time, bits, counted)
        if level:
            n = write_attempt(
                n, unit, reached_visited, reached_begin, reached, out_unit, out_visited, out_begin, gaps, n_gaps
            )
    return n


@kernel(_SIGNATURE)
def first_attempts(
    time: Any,
    bits: Any,
    offsets: Any,
    strict: Any,
    every: Any,
    within: Any,
    step_within: Any,
    n_steps: Any,
    optional: Any,
    exclude_after: Any,
    exclude_before: Any,
    disjoint: Any,
    out_unit: Any,
    out_visited: Any,
    out_begin: Any,
    gaps: Any,
    n_gaps: Any,
) -> Any:
    """The attempts of each unit, start = first: its first one, or with `every` all of them.

    Parameters and returns as for `latest_attempts`.
    """
    counted = np.int64(1) << IN_BIT if strict else np.int64(RELEVANT_BITS)
    served_by = np.empty(EXCLUSION_BIT, dtype=np.int64)
    parent, queue = np.empty_like(served_by), np.empty_like(served_by)
    times = np.empty(n_steps + 1, dtype=np.int64)
    n_gaps[:] = 0
    n = 0
    for unit in range(offsets.size - 1):
        level, visited, begin = np.int64(0), np.int64(0), np.int64(-1)
        start, last = np.int64(0), np.int64(0)
        end = offsets[unit + 1]
        i, j, present = next_group(offsets[unit], end, time, bits, counted)
        while i < end:
            t = time[i]
            over = level > 0 and (t - start > within or t - last > step_within)
            moved = done = False
            while True:
                b = np.int64(n_steps)
                while not over and not moved and b > level:
                    path = np.int64(0)
                    if (present >> (b - 1)) & 1:
                        path = _path(level, b, optional, present, i, j, bits, disjoint, served_by, parent, queue)
                    if path > 0:
                        if level == 0:
                            start, visited, begin = t, np.int64(0), _last_row(1, i, j, bits)
                        for s in range(n_steps):
                            if (path >> s) & 1:
                                times[s + 1] = t
                        visited |= path
                        level, last, moved = b, t, True
                    b -= 1
                if moved or level == 0 or not (over or strict):
                    break
                # The attempt is over; what ended it may begin the next one.
                n = write_attempt(n, unit, visited, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
                level, over = np.int64(0), False
                if not every:
                    done = True
                    break
            excluded = excluded_by(present, exclude_after.size)
            over = level == n_steps
            for e in range(exclude_after.size):
                if (excluded >> e) & 1 and exclude_after[e] <= level < exclude_before[e] and last < t:
                    over = True
            if over and not done:
                n = write_attempt(n, unit, visited, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
                level = np.int64(0)
                done = not every
            if done:
                break
            i, j, present = next_group(j, end, time, bits, counted)
        if level:
            n = write_attempt(n, unit, visited, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
    return n
