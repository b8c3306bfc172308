"""What purchase journeys would become under other time-outs: one pass for all candidates."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U16
from percorso.kernels.compile import I32_IN, I64_IN, I64_OUT, I64_OUT2, U8_IN, U8_OUT, U16_IN, kernel

__all__ = ["GOAL", "INTENT", "NONE", "PRESENT", "find_roles", "try_timeouts"]

#: What an event is to a purchase journey: nothing; the customer is there; with intent; the goal.
NONE, PRESENT, INTENT, GOAL = 0, 1, 2, 3


@kernel(
    types.void(
        I32_IN, U8_IN, I32_IN, U8_IN, U8_IN, U8_IN, U8_IN, U16_IN, types.int64, types.int64, I32_IN, U8_IN, U8_OUT
    )
)
def find_roles(
    journey: I32,
    is_purchase: U8,
    goal_event: I32,
    direction: U8,
    is_inbound: U8,
    signal: U8,
    is_intent: U8,
    flags: U16,
    engaged_flag: int,
    goal_flag: int,
    session: I32,
    keep: U8,
    role: U8,
) -> None:
    """The role of every event, whatever the time-out under which its journeys were cut.

    Which events belong to purchase journeys, and which follow the goal, does not depend on the time-out; only where
    one journey ends and the next begins does.

    Parameters
    ----------
    journey, session : int32, shape (n_events,)
        -1: none.
    is_purchase : uint8, shape (n_journeys,)
    goal_event : int32, shape (n_journeys,)
        -1: none. Later events of the journey are no new intent.
    direction, signal : uint8, shape (n_events,)
    is_inbound, is_intent : uint8, by code
    flags : uint16, shape (n_events,)
    engaged_flag, goal_flag : int
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    role : uint8, shape (n_events,), out
    """
    every = keep.size == 0
    for i in range(journey.size):
        role[i] = NONE
        j = journey[i]
        if j < 0 or is_purchase[j] == 0 or (not every and keep[i] == 0):
            continue
        if goal_event[j] >= 0 and i > goal_event[j]:
            continue
        if flags[i] & np.uint16(goal_flag):
            role[i] = GOAL
        elif is_inbound[direction[i]] == 0:
            continue
        elif is_intent[signal[i]] or (flags[i] & np.uint16(engaged_flag) and session[i] >= 0):
            role[i] = INTENT
        else:
            role[i] = PRESENT


@kernel(types.int64(I64_IN, I64_IN, U8_IN, I32_IN, I64_IN, types.int64, I64_OUT2, I64_OUT2, I64_OUT, U8_OUT))
def try_timeouts(
    offsets: I64,
    time: I64,
    role: U8,
    category: I32,
    timeouts: I64,
    as_of: int,
    counts: I64,
    cut: I64,
    converted: I64,
    marked: U8,
) -> int:
    """Cut everybody's journeys with each of some time-outs.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
    time : int64, shape (n_events,)
        µs UTC, ascending within a person.
    role : uint8, shape (n_events,)
    category : int32, shape (n_events,)
    timeouts : int64, shape (n_timeouts,)
        Ascending, µs.
    as_of : int
    counts : int64, shape (4, n_timeouts), out
        Added: journeys, abandoned, open ones; persons with a conversion that is cut off.
    cut : int64, shape (n_categories, n_timeouts), out
        Added: conversions before which, since the one before, a journey was abandoned.
    converted : int64, shape (n_categories,), out
        Added: conversions.
    marked : uint8, shape (n_persons,), out
        1: some time-out cuts off a conversion of the person. Comes as zeros.

    Returns
    -------
    int
        Conversions.
    """
    n = timeouts.size
    intent = np.zeros(n, dtype=np.int64)
    broke = np.zeros(n, dtype=np.uint8)
    hurt = np.zeros(n, dtype=np.uint8)
    total = 0
    for p in range(offsets.size - 1):
        is_open, same, any_broke, any_hurt = False, True, False, False
        common = np.int64(0)  # the last intent, while it is the same under all time-outs
        for i in range(offsets[p], offsets[p + 1]):
            r = role[i]
            t = time[i]
            if r == NONE or t > as_of:
                continue
            if not is_open:
                counts[0] += 1
                is_open, same, common = True, True, t
            elif not same or t - common >= timeouts[0]:
                if same:
                    intent[:] = common
                for k in range(n):
                    if t - intent[k] >= timeouts[k]:
                        counts[1, k] += 1
                        counts[0, k] += 1
                        intent[k] = t
                        broke[k] = 1
                        any_broke = True
                same = False
            if r == INTENT:
                same, common = True, t
            elif r == GOAL:
                is_open = False
                total += 1
                c = category[i]
                converted[c] += 1
                if any_broke:
                    for k in range(n):
                        if broke[k]:
                            cut[c, k] += 1
                            hurt[k] = 1
                            any_hurt = True
                            broke[k] = 0
                    any_broke = False
        if is_open:
            for k in range(n):
                last = common if same else intent[k]
                counts[1 if as_of - last >= timeouts[k] else 2, k] += 1
        if any_broke:
            broke[:] = 0
        if any_hurt:
            marked[p] = 1
            for k in range(n):
                counts[3, k] += hurt[k]
                hurt[k] = 0
    return total
