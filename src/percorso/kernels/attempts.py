"""Every funnel that `funnel.ordered_funnel` is too simple for, one unit (person, journey, session) at a time.

What is computed is defined in docs/reference/funnel.md; in short, for steps 1 .. K, simultaneous events as one group:

ordered, strict; start = latest
    ``state[b]`` is the attempt with the latest start that has reached step b, found from the states a < b before the
    group and the events of the group. Later updates never start earlier, so one state a step is enough.
ordered, strict; start = first
    one attempt, moved forward greedily.
any
    the largest number of steps that distinct events of one window can serve (a matching).

An event serves one step of an attempt. Where an event may be several steps, who serves what is a bipartite matching,
grown by augmenting paths (Kuhn 1955, doi:10.1002/nav.3800020109).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from percorso.kernels.compile import (
    I32_OUT,
    I64_IN,
    I64_OUT,
    I64_OUT2,
    U32_IN,
    U32_OUT,
    kernel,
)

__all__ = ["ANY", "EXCLUSION_BIT", "IN_BIT", "NO_LIMIT", "ORDERED", "STRICT", "find_attempts"]

ORDERED, STRICT, ANY = 0, 1, 2

#: Bits of an event: step s (from 1) is bit s - 1, exclusion e (from 0) is bit 15 + e, and bit 31 says that it is in.
EXCLUSION_BIT = 15
IN_BIT = 31

#: A window without end.
NO_LIMIT = 1 << 61

_NEVER = -(1 << 62)
_STEPS = (1 << EXCLUSION_BIT) - 1
_RELEVANT = (1 << IN_BIT) - 1


@kernel()
def _count_bits(bits: Any) -> Any:
    n = 0
    while bits:
        bits &= bits - 1
        n += 1
    return n


@kernel()
def _augment(event: Any, allowed: Any, bits: Any, served_by: Any, parent: Any, queue: Any) -> Any:
    """Let `event` serve one of its allowed steps, moving others if need be; False if it cannot.

    ``served_by[s]`` is the event that serves step s (from 0), -1 for none.
    """
    seen = np.int64(0)
    head, tail = 0, 0
    options = np.int64(bits[event]) & allowed
    came = -1
    while True:
        for s in range(EXCLUSION_BIT):
            if (options >> s) & 1 and not (seen >> s) & 1:
                seen |= np.int64(1) << s
                parent[s] = came
                queue[tail] = s
                tail += 1
        if head == tail:
            return False
        s = queue[head]
        head += 1
        if served_by[s] < 0:
            while parent[s] >= 0:
                served_by[s] = served_by[parent[s]]
                s = parent[s]
            served_by[s] = event
            return True
        options = np.int64(bits[served_by[s]]) & allowed
        came = s


@kernel()
def _can_serve(need: Any, lo: Any, hi: Any, bits: Any, disjoint: Any, served_by: Any, parent: Any, queue: Any) -> Any:
    """Can distinct events of [lo, hi) serve all steps of the bit set `need`, each of which some event is?"""
    if disjoint:
        return True
    wanted = _count_bits(need)
    served_by[:] = -1
    n = 0
    for event in range(lo, hi):
        if np.int64(bits[event]) & need and _augment(event, need, bits, served_by, parent, queue):
            n += 1
            if n == wanted:
                return True
    return False


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
    if not _can_serve(need, lo, hi, bits, disjoint, served_by, parent, queue):
        return 0
    for s in range(a + 1, b):
        more = need | (np.int64(1) << (s - 1))
        if more != need and not more & ~present and _can_serve(more, lo, hi, bits, disjoint, served_by, parent, queue):
            need = more
    return need


@kernel()
def _last_row(step: Any, lo: Any, hi: Any, bits: Any) -> Any:
    row = lo
    for i in range(lo, hi):
        if (bits[i] >> (step - 1)) & 1:
            row = i
    return row


@kernel()
def _emit(
    n: Any, unit: Any, visited: Any, begin: Any, times: Any, out_unit: Any, out_visited: Any, out_begin: Any, gaps: Any,
    n_gaps: Any,
) -> Any:  # fmt: skip
    """Write one attempt; ``times[s]`` is when it reached step s. Returns how many are written."""
    out_unit[n] = unit
    out_visited[n] = visited
    out_begin[n] = begin
    before = np.int64(_NEVER)
    for s in range(gaps.shape[0]):
        if (visited >> s) & 1:
            if before != _NEVER:
                gaps[s, n_gaps[s]] = times[s + 1] - before
                n_gaps[s] += 1
            before = times[s + 1]
    return n + 1


@kernel()
def _excluded(bits: Any, n_exclusions: Any) -> Any:
    """Bit set of the exclusions in an event's or a group's bits."""
    return (np.int64(bits) >> EXCLUSION_BIT) & ((np.int64(1) << n_exclusions) - 1)


@kernel()
def _group(i: Any, hi: Any, time: Any, bits: Any, counted: Any) -> Any:
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
def _ordered_latest(
    unit: Any, time: Any, bits: Any, first: Any, end: Any, strict: Any, every: Any, within: Any, step_within: Any,
    n_steps: Any, optional: Any, exclude_after: Any, exclude_before: Any, disjoint: Any, n: Any, scratch: Any,
    out_unit: Any, out_visited: Any, out_begin: Any, gaps: Any, n_gaps: Any,
) -> Any:  # fmt: skip
    counted = np.int64(1) << IN_BIT if strict else np.int64(_RELEVANT)
    served_by, parent, queue = scratch[0, :EXCLUSION_BIT], scratch[1], scratch[2]
    start, last, group_of, visited, begin = scratch[3], scratch[4], scratch[5], scratch[6], scratch[7]
    reached_times, times = scratch[8], scratch[9:]
    start[:] = _NEVER
    last[:] = _NEVER
    level, reached_visited, reached_begin = 0, np.int64(0), np.int64(-1)
    g = 0
    i = first
    while True:
        i, j, present = _group(i, end, time, bits, counted)
        if i == end:
            break
        t = time[i]
        g += 1
        if every and level:
            over = True
            for s in range(1, n_steps):
                if t - start[s] <= within and t - last[s] <= step_within and (not strict or group_of[s] == g - 1):
                    over = False
            if over:
                n = _emit(
                    n,
                    unit,
                    reached_visited,
                    reached_begin,
                    reached_times,
                    out_unit,
                    out_visited,
                    out_begin,
                    gaps,
                    n_gaps,
                )
                level = 0
                start[:] = _NEVER
        highest = 0
        for b in range(n_steps, 0, -1):
            if not (present >> (b - 1)) & 1:
                continue
            from_a, from_start, from_count, serves = -1, np.int64(_NEVER), 0, np.int64(0)
            for a in range(b - 1, -1, -1):
                path = _path(a, b, optional, present, i, j, bits, disjoint, served_by, parent, queue)
                if path < 0:
                    break
                if path == 0 or _count_bits(path) > j - i:
                    continue
                if a and not (
                    start[a] != _NEVER
                    and t - start[a] <= within
                    and t - last[a] <= step_within
                    and (not strict or group_of[a] == g - 1)
                ):
                    continue
                origin = start[a] if a else t
                count = _count_bits(path | (visited[a] if a else 0))
                # Latest start, then most optional steps, then most steps now.
                if from_a < 0 or origin > from_start or (origin == from_start and count >= from_count):
                    from_a, from_start, from_count, serves = a, origin, count, path
            if from_a < 0:
                continue
            start[b], last[b], group_of[b] = from_start, t, g
            visited[b] = serves
            begin[b] = _last_row(1, i, j, bits)
            if from_a:
                visited[b] |= visited[from_a]
                begin[b] = begin[from_a]
                times[b] = times[from_a]
            for s in range(n_steps):
                if (serves >> s) & 1:
                    times[b, s + 1] = t
            highest = max(highest, b)
        if highest > level:
            level, reached_visited, reached_begin = highest, visited[highest], begin[highest]
            reached_times[:] = times[highest]
        if level == n_steps:
            if not every:
                break
            n = _emit(
                n, unit, reached_visited, reached_begin, reached_times, out_unit, out_visited, out_begin, gaps, n_gaps
            )
            level = 0
            start[:] = _NEVER
        excluded = _excluded(present, exclude_after.size)
        for e in range(exclude_after.size):
            if (excluded >> e) & 1:
                for s in range(exclude_after[e], exclude_before[e]):
                    if last[s] < t:
                        start[s] = _NEVER
        i = j
    if level:
        n = _emit(
            n, unit, reached_visited, reached_begin, reached_times, out_unit, out_visited, out_begin, gaps, n_gaps
        )
    return n


@kernel()
def _ordered_first(
    unit: Any, time: Any, bits: Any, first: Any, end: Any, strict: Any, every: Any, within: Any, step_within: Any,
    n_steps: Any, optional: Any, exclude_after: Any, exclude_before: Any, disjoint: Any, n: Any, scratch: Any,
    out_unit: Any, out_visited: Any, out_begin: Any, gaps: Any, n_gaps: Any,
) -> Any:  # fmt: skip
    counted = np.int64(1) << IN_BIT if strict else np.int64(_RELEVANT)
    served_by, parent, queue, times = scratch[0, :EXCLUSION_BIT], scratch[1], scratch[2], scratch[3]
    level, visited, begin = 0, np.int64(0), np.int64(-1)
    start, last = np.int64(0), np.int64(0)
    i = first
    while True:
        i, j, present = _group(i, end, time, bits, counted)
        if i == end:
            break
        t = time[i]
        over = level > 0 and (t - start > within or t - last > step_within)
        moved = False
        while True:
            if not over:
                for b in range(n_steps, level, -1):
                    if not (present >> (b - 1)) & 1:
                        continue
                    path = _path(level, b, optional, present, i, j, bits, disjoint, served_by, parent, queue)
                    if path <= 0:
                        continue
                    if level == 0:
                        start, visited, begin = t, np.int64(0), _last_row(1, i, j, bits)
                    for s in range(n_steps):
                        if (path >> s) & 1:
                            times[s + 1] = t
                    visited |= path
                    level, last, moved = b, t, True
                    break
            if moved or level == 0 or not (over or strict):
                break
            # The attempt is over; what ended it may begin the next one.
            n = _emit(n, unit, visited, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
            if not every:
                return n
            level, over = 0, False
        excluded = _excluded(present, exclude_after.size)
        over = level == n_steps
        for e in range(exclude_after.size):
            if (excluded >> e) & 1 and exclude_after[e] <= level < exclude_before[e] and last < t:
                over = True
        if over:
            n = _emit(n, unit, visited, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
            if not every:
                return n
            level = 0
        i = j
    if level:
        n = _emit(n, unit, visited, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
    return n


@kernel()
def _any_first(
    unit: Any, time: Any, bits: Any, first: Any, end: Any, every: Any, within: Any, n_steps: Any, n_exclusions: Any,
    n: Any, scratch: Any, out_unit: Any, out_visited: Any, out_begin: Any, gaps: Any, n_gaps: Any,
) -> Any:  # fmt: skip
    served_by, parent, queue, times = scratch[0, :EXCLUSION_BIT], scratch[1], scratch[2], scratch[3]
    level, begin, opened = 0, np.int64(-1), np.int64(0)
    i = first
    while True:
        i, j, present = _group(i, end, time, bits, np.int64(_RELEVANT))
        if i == end:
            break
        t = time[i]
        if level and t - opened > within:
            n = _emit(n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
            if not every:
                return n
            level = 0
        if level == 0:
            served_by[:] = -1
            opened = t
        for event in range(i, j):
            steps = np.int64(bits[event]) & _STEPS
            if steps and level < n_steps and _augment(event, steps | _STEPS, bits, served_by, parent, queue):
                begin = np.int64(event) if level == 0 else begin
                level += 1
                times[level] = t
        excluded = _excluded(present, n_exclusions) and t > opened
        if level == n_steps or (level and excluded):
            n = _emit(n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
            if not every:
                return n
            level = 0
        i = j
    if level:
        n = _emit(n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
    return n


@kernel()
def _any_latest(
    unit: Any, time: Any, bits: Any, first: Any, end: Any, every: Any, within: Any, n_steps: Any, n_exclusions: Any,
    disjoint: Any, n: Any, scratch: Any, out_unit: Any, out_visited: Any, out_begin: Any, gaps: Any, n_gaps: Any,
) -> Any:  # fmt: skip
    served_by, parent, queue, times = scratch[0, :EXCLUSION_BIT], scratch[1], scratch[2], scratch[3]
    chosen, latest = scratch[4], scratch[5]
    latest[:] = -1  # row of the last event that is each step
    level, begin = 0, np.int64(-1)
    earliest = np.int64(_NEVER)  # events before it are behind an exclusion or used
    i = first
    while True:
        i, j, present = _group(i, end, time, bits, np.int64(_RELEVANT))
        if i == end:
            break
        t = time[i]
        limit = max(t - within, earliest)
        if every and level:
            over = True
            for s in range(n_steps):
                if latest[s] >= 0 and time[latest[s]] >= limit:
                    over = False
            if over:
                n = _emit(n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
                level = 0
        for event in range(i, j):
            for s in range(n_steps):
                if (bits[event] >> s) & 1:
                    latest[s] = event
        most = 0
        for s in range(n_steps):
            if latest[s] >= 0 and time[latest[s]] >= limit:
                most += 1
        if most > level and present & _STEPS:
            count = 0
            if disjoint:
                for s in range(n_steps):
                    if latest[s] >= 0 and time[latest[s]] >= limit:
                        chosen[count] = latest[s]
                        count += 1
                chosen[:count].sort()
            else:
                # From the latest event back, each that can serve beside those already chosen.
                served_by[:] = -1
                event = j - 1
                while event >= first and time[event] >= limit and count < most:
                    if bits[event] & _STEPS and _augment(event, np.int64(_STEPS), bits, served_by, parent, queue):
                        chosen[count] = event
                        count += 1
                    event -= 1
                chosen[:count] = chosen[:count][::-1].copy()
            if count > level:
                level, begin = count, chosen[0]
                for k in range(count):
                    times[k + 1] = time[chosen[k]]
        if level == n_steps:
            if not every:
                break
            n = _emit(n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
            level = 0
            earliest = t + 1
        if _excluded(present, n_exclusions):
            earliest = max(earliest, t)
        i = j
    if level:
        n = _emit(n, unit, (1 << level) - 1, begin, times, out_unit, out_visited, out_begin, gaps, n_gaps)
    return n


@kernel(
    types.int64(
        I64_IN, U32_IN, I64_IN,
        types.int64, types.boolean, types.boolean, types.int64, types.int64, types.int64, types.int64, I64_IN, I64_IN,
        types.boolean, I32_OUT, U32_OUT, I32_OUT, I64_OUT2, I64_OUT,
    )
)  # fmt: skip
def find_attempts(
    time: Any,
    bits: Any,
    offsets: Any,
    order: Any,
    from_first: Any,
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
    """The attempts of each unit: its furthest one, or with `every` all of them.

    Parameters
    ----------
    time : int64, shape (n_events,)
        µs UTC, ascending inside each unit.
    bits : uint32, shape (n_events,)
        What each event is: steps, exclusions, in (`EXCLUSION_BIT`, `IN_BIT`); 0 for events that are out.
    offsets : int64, shape (n_units + 1,)
    order : {ORDERED, STRICT, ANY}
    from_first : bool
        start = first instead of latest.
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
        `n_most` is the number of units, or with `every` the number of events.
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
    n_gaps[:] = 0
    scratch = np.empty((25, EXCLUSION_BIT + 1), dtype=np.int64)
    n = 0
    for unit in range(offsets.size - 1):
        lo, hi = offsets[unit], offsets[unit + 1]
        if order == ANY and from_first:
            n = _any_first(
                unit, time, bits, lo, hi, every, within, n_steps, exclude_after.size, n, scratch,
                out_unit, out_visited, out_begin, gaps, n_gaps,
            )  # fmt: skip
        elif order == ANY:
            n = _any_latest(
                unit, time, bits, lo, hi, every, within, n_steps, exclude_after.size, disjoint, n, scratch,
                out_unit, out_visited, out_begin, gaps, n_gaps,
            )  # fmt: skip
        elif from_first:
            n = _ordered_first(
                unit, time, bits, lo, hi, order == STRICT, every, within, step_within, n_steps, optional,
                exclude_after, exclude_before, disjoint, n, scratch, out_unit, out_visited, out_begin, gaps, n_gaps,
            )  # fmt: skip
        else:
            n = _ordered_latest(
                unit, time, bits, lo, hi, order == STRICT, every, within, step_within, n_steps, optional,
                exclude_after, exclude_before, disjoint, n, scratch, out_unit, out_visited, out_begin, gaps, n_gaps,
            )  # fmt: skip
    return n
