"""Purchase journeys for the KPIs: which open in a period, what a walk through the events of each tells, and its span.

The events of a purchase journey stand close together: those before a journey opens, and those after its order, are
all that stands between two. So each journey is walked through from its first event to its last.
"""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.compile import (
    BOOL_IN,
    I32_IN,
    I32_OUT,
    I64_IN,
    I64_OUT,
    U8_IN,
    U8_OUT,
    array_in,
    array_out,
    kernel,
)

__all__ = [
    "N_PROGRESS",
    "N_WALKED",
    "W_STAGES",
    "W_TO_GOAL",
    "journey_bounds",
    "journey_spans",
    "moves_of",
    "opened_in",
    "progress_of",
    "walk_journeys",
]

#: Columns of what `walk_journeys` finds: inbound contacts with a place, changes of place, different places; the same
#: of channels from column 3; contacts, sessions and days up to the goal; the stages it stood at, a bit each.
W_TO_GOAL, W_STAGES, N_WALKED = 6, 9, 10

#: Columns of what `progress_of` finds: opened, considered, then stood and passed of each of three steps.
N_PROGRESS = 8

_CONVERTED, _ABANDONED = 1, 2
_LAST = 2**31 - 1
_DAY_US = 86_400_000_000
_I32_IN2, _I32_OUT2 = array_in(types.int32, 2), array_out(types.int32, 2)


@kernel(
    types.Tuple((I32_OUT, U8_OUT))(
        U8_IN, BOOL_IN, I32_IN, I64_IN, I64_IN, I64_IN, I64_IN, U8_IN, I64_IN, I64_IN, types.int64
    )
)
def opened_in(
    kind: U8,
    is_purchase: Bools,
    first_event: I32,
    start: I64,
    goal_time: I64,
    intent: I64,
    timeout: I64,
    keep: U8,
    begins: I64,
    ends: I64,
    as_of: int,
) -> tuple[I32, U8]:
    """Purchase journeys that open in one of some periods with an event that is in, and their outcomes.

    Parameters
    ----------
    kind : uint8, shape (n_journeys,)
    is_purchase : bool, shape (n_kinds,)
    first_event : int32, shape (n_journeys,)
        The event that opened it; -1: none.
    start, goal_time, intent, timeout : int64, shape (n_journeys,)
        As of `percorso.kernels.outcomes.outcomes_at`.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    begins, ends : int64, shape (n_periods,)
        Ascending, and no two overlap.
    as_of : int
        µs UTC, itself included.

    Returns
    -------
    row : int32, shape (n,)
        Ascending.
    state : uint8, shape (n,)
        0 open, 1 converted, 2 abandoned.
    """
    every = keep.size == 0
    row, state = np.empty(kind.size, dtype=np.int32), np.empty(kind.size, dtype=np.uint8)
    n = 0
    for j in range(kind.size):
        t = start[j]
        if t > as_of or first_event[j] < 0 or not is_purchase[kind[j]]:
            continue
        if not (every or keep[first_event[j]] != 0):
            continue
        period = np.searchsorted(begins, t, side="right") - 1 if begins.size > 1 else 0
        if period < 0 or t < begins[period] or t >= ends[period]:
            continue
        row[n] = j
        state[n] = 0
        if goal_time[j] != -1 and goal_time[j] <= as_of:
            state[n] = _CONVERTED
        elif intent[j] + timeout[j] <= as_of:
            state[n] = _ABANDONED
        n += 1
    return row[:n].copy(), state[:n].copy()


@kernel(types.UniTuple(I32_OUT, 2)(I32_IN, types.int64))
def journey_bounds(journey: I32, n_journeys: int) -> tuple[I32, I32]:
    """First and last event of each journey, int32 of shape (n_journeys,); one without events begins after it ends.

    Parameters
    ----------
    journey : int32, shape (n_events,)
        -1: none.
    n_journeys : int
    """
    first, last = np.full(n_journeys, _LAST, dtype=np.int32), np.full(n_journeys, -1, dtype=np.int32)
    before = np.int32(-1)
    for i in range(journey.size):
        j = journey[i]
        if j >= 0:
            if j != before and first[j] > i:
                first[j] = i
            last[j] = i
        before = j
    return first, last


@kernel(
    types.void(
        I32_IN,
        U8_IN,
        I32_IN,
        I32_IN,
        I32_IN,
        I32_IN,
        I32_IN,
        I32_IN,
        I64_IN,
        U8_IN,
        U8_IN,
        I32_IN,
        BOOL_IN,
        I32_IN,
        I32_IN,
        types.int64,
        types.int64,
        types.int64,
        types.int64,
        I64_IN,
        I64_IN,
        _I32_OUT2,
    )
)
def walk_journeys(
    row: I32,
    state: U8,
    first: I32,
    last: I32,
    goal: I32,
    journey: I32,
    contact: I32,
    session: I32,
    time: I64,
    keep: U8,
    stage: U8,
    stage_of: I32,
    inbound: Bools,
    place: I32,
    channel: I32,
    n_places: int,
    n_channels: int,
    n_sessions: int,
    as_of: int,
    zone_begins: I64,
    zone_offsets: I64,
    out: I32,
) -> None:
    """What the events of some journeys tell, up to a time.

    Parameters
    ----------
    row : int32, shape (n,)
        Journeys.
    state : uint8, shape (n,)
        Their outcomes: what begins after the goal of a converted one is passed over.
    first, last : int32, shape (n_journeys,)
        As of `journey_bounds`.
    goal : int32, shape (n_journeys,)
        Row of the event that reached the goal; -1: none.
    journey, contact, session : int32, shape (n_events,)
        -1: none.
    time : int64, shape (n_events,)
        µs UTC, ascending within a journey.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    stage : uint8, shape (n_events,)
    stage_of : int32, shape (n_stage_codes,)
        Position of each stage in the model, below 31; -1: none.
    inbound : bool, shape (n_contacts,)
        By number of contact: the customer acted.
    place, channel : int32, shape (n_contacts,)
        By number of contact; -1: none, and the contact is passed over.
    n_places, n_channels, n_sessions : int
    as_of : int
        Later events have not happened.
    zone_begins, zone_offsets : int64, shape (n_segments,)
        Offsets of the time zone, for its days; see percorso.events.zones.
    out : int32, shape (n, N_WALKED), out
        Comes as zeros.
    """
    every = keep.size == 0
    met = np.full(inbound.size, -1, dtype=np.int32)
    met_session = np.full(n_sessions, -1, dtype=np.int32)
    met_place, met_channel = np.full(n_places, -1, dtype=np.int32), np.full(n_channels, -1, dtype=np.int32)
    for k in range(row.size):
        j = row[k]
        is_bought = state[k] == _CONVERTED and goal[j] >= 0
        until = goal[j] if is_bought else _LAST
        end = last[j] + 1
        while end > first[j] and time[end - 1] > as_of:
            end -= 1
        here, there = np.int32(-1), np.int32(-1)
        stops = stops_there = changes = changes_there = places = channels = np.int32(0)
        contacts = sessions = days = np.int32(0)
        day = np.int64(-(2**62))
        segment = -1
        stages = np.int32(0)
        for i in range(first[j], end):
            if journey[i] != j:
                continue
            at = stage_of[stage[i]]
            if at >= 0:
                stages |= np.int32(1 << at)
            if i > until or not (every or keep[i] != 0):
                continue
            c = contact[i]
            if c >= 0 and met[c] != k:
                met[c] = k
                contacts += 1
                if inbound[c]:
                    u, v = place[c], channel[c]
                    if u >= 0:
                        stops += 1
                        changes += here >= 0 and here != u
                        here = u
                        places += met_place[u] != k
                        met_place[u] = k
                    if v >= 0:
                        stops_there += 1
                        changes_there += there >= 0 and there != v
                        there = v
                        channels += met_channel[v] != k
                        met_channel[v] = k
            if not is_bought:
                continue
            s = session[i]
            if s >= 0 and met_session[s] != k:
                met_session[s] = k
                sessions += 1
            t = time[i]
            if segment < 0:
                segment = np.searchsorted(zone_begins, t, side="right") - 1
            while segment + 1 < zone_begins.size and zone_begins[segment + 1] <= t:
                segment += 1
            today = (t + zone_offsets[segment]) // _DAY_US
            days += today != day
            day = today
        out[k, 0], out[k, 1], out[k, 2] = stops, changes, places
        out[k, 3], out[k, 4], out[k, 5] = stops_there, changes_there, channels
        if is_bought:
            out[k, 6], out[k, 7], out[k, 8] = contacts, sessions, days
        out[k, 9] = stages


@kernel(types.Tuple((I64_OUT, I64_OUT))(I32_IN, U8_IN, I64_IN, I64_IN, I64_IN, I64_IN, types.int64))
def journey_spans(
    row: I32, state: U8, start: I64, goal_time: I64, intent: I64, timeout: I64, as_of: int
) -> tuple[I64, I64]:
    """From the opening of each journey to its goal, to when it was given up, or to now; and to its goal in seconds.

    Parameters
    ----------
    row, state
        As of `walk_journeys`.
    start, goal_time, intent, timeout : int64, shape (n_journeys,)
        µs.
    as_of : int

    Returns
    -------
    span : int64, shape (n,)
        µs.
    to_goal : int64, shape (n,)
        Seconds, at least 0; 0 of journeys that are not converted.
    """
    span, to_goal = np.empty(row.size, dtype=np.int64), np.zeros(row.size, dtype=np.int64)
    for k in range(row.size):
        j = row[k]
        until = as_of
        if state[k] == _CONVERTED:
            until = goal_time[j]
            to_goal[k] = max(until - start[j], 0) // 1_000_000
        elif state[k] == _ABANDONED:
            until = intent[j] + timeout[j]
        span[k] = until - start[j]
    return span, to_goal


@kernel(_I32_OUT2(U8_IN, I32_IN, types.int64, types.int64))
def progress_of(state: U8, stages: I32, consider: int, convert: int) -> I32:
    """How far journeys got, int32 of shape (n, N_PROGRESS): 1 and 0.

    Parameters
    ----------
    state : uint8, shape (n,)
    stages : int32, shape (n,)
        The stages that a journey stood at, a bit each; one that it passed over is not among them.
    consider, convert : int
        Positions of these stages.
    """
    out = np.zeros((state.size, N_PROGRESS), dtype=np.int32)
    for k in range(state.size):
        stood = stages[k]
        out[k, 0] = 1
        out[k, 1] = stood >> consider != 0
        out[k, 2] = stood & 1
        out[k, 3] = out[k, 2] != 0 and stood >> 1 != 0
        out[k, 4] = stood >> consider & 1
        out[k, 5] = out[k, 4] != 0 and stood >> (consider + 1) != 0
        out[k, 6] = stood >> convert & 1
        out[k, 7] = out[k, 6] != 0 and state[k] == _CONVERTED
    return out


@kernel(types.Tuple((_I32_OUT2, I64_OUT))(_I32_IN2, U8_IN, I64_IN))
def moves_of(walked: I32, state: U8, size_starts: I64) -> tuple[I32, I64]:
    """Moves of journeys between places and between channels, and how many places they used with how many contacts.

    Parameters
    ----------
    walked : int32, shape (n, N_WALKED)
    state : uint8, shape (n,)
    size_starts : int64, shape (n_sizes,)
        Lower ends of the classes of journeys by their number of contacts with a place, ascending from 0.

    Returns
    -------
    values : int32, shape (n, 8)
        Of places and then of channels: changes, moves, 1 where there is a contact, 1 where there are several names.
    breadth : int64, shape (n,)
        ``(places * n_sizes + size) * 2 + converted``, three places and more as three.
    """
    n_sizes = size_starts.size
    values, breadth = np.empty((state.size, 8), dtype=np.int32), np.empty(state.size, dtype=np.int64)
    for k in range(state.size):
        for way in range(2):
            contacts, changes, names = walked[k, 3 * way], walked[k, 3 * way + 1], walked[k, 3 * way + 2]
            values[k, 4 * way] = changes
            values[k, 4 * way + 1] = max(contacts - 1, 0)
            values[k, 4 * way + 2] = contacts > 0
            values[k, 4 * way + 3] = names > 1
        size = 0
        while size + 1 < n_sizes and size_starts[size + 1] <= walked[k, 0]:
            size += 1
        places = min(walked[k, 2], 3)
        breadth[k] = (places * n_sizes + size) * 2 + (state[k] == _CONVERTED)
    return values, breadth
