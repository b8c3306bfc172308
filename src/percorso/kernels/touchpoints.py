"""Touchpoints: events and contacts by what stands beside them, and what touchpoints are in journeys."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, Bools, Codes
from percorso.kernels.compile import (
    BOOL_IN,
    I32_IN,
    I32_OUT,
    I64_IN,
    I64_OUT,
    I64_OUT2,
    U8_IN,
    U16_IN,
    U32_IN,
    kernel,
)

__all__ = ["count_touches", "journey_ends", "journey_touches"]

_LATEST = np.iinfo(np.int64).max


@kernel(
    *(
        types.int64(
            I64_IN,
            codes,
            I32_IN,
            I32_IN,
            types.int64,
            U8_IN,
            U8_IN,
            BOOL_IN,
            I32_IN,
            U8_IN,
            I32_IN,
            I32_IN,
            I64_IN,
            I64_OUT2,
            I64_OUT2,
            I64_OUT2,
            I64_OUT2,
        )
        for codes in (U8_IN, U16_IN, U32_IN)
    )
)
def count_touches(
    offsets: I64,
    code: Codes,
    lut: I32,
    group: I32,
    n_names: int,
    keep: U8,
    direction: U8,
    acts: Bools,
    place: I32,
    stage: U8,
    stage_lut: I32,
    contact: I32,
    time: I64,
    by_direction: I64,
    by_place: I64,
    by_stage: I64,
    contacts: I64,
) -> int:
    """Events of each cell by direction, place and stage, and contacts that have a cell, in one pass.

    The cell of an event is ``group * n_names + name``.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
    code : unsigned integer, shape (n_events,)
    lut : int32, shape (n_codes,)
        Name of each code.
    group : int32, shape (n_events,) or (0,)
        Of no elements: 0 throughout.
    n_names : int
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    direction, stage : uint8, shape (n_events,)
    acts : bool, shape (n_directions,)
        Which directions are inbound.
    place : int32, shape (n_events,)
    stage_lut : int32, shape (n_stage_codes,)
    contact : int32, shape (n_events,)
        -1: none. Those of a person are numbers of their own that follow on each other.
    time : int64, shape (n_events,)
    by_direction, by_place, by_stage : int64, shape (n_cells, n_values), out
        Added to. Directions are inbound and outbound.
    contacts : int64, shape (n_cells, 4), out
        Added to, as `percorso.kernels.contact_counts.count_contacts` does: a contact counts in each of its cells.

    Returns
    -------
    int
        Time of the first event that is in and has a contact; the largest int64 where there is none.
    """
    every, plain = keep.size == 0, group.size == 0
    n_cells = contacts.shape[0]
    words = (n_cells + 63) // 64
    seen = np.empty(64 * words, dtype=np.uint64)  # of each contact of one person a bit for each cell
    last_person = np.full(n_cells, -1, dtype=np.int64)
    of_person = np.zeros(n_cells, dtype=np.int64)
    earliest = _LATEST
    for p in range(offsets.size - 1):
        begin, end = offsets[p], offsets[p + 1]
        first, last = np.int64(2**31), np.int64(-1)
        for i in range(begin, end):
            first = min(first, contact[i]) if contact[i] >= 0 else first
            last = max(last, contact[i])
        n_words = max(last - first + 1, 0) * words
        if seen.size < n_words:
            seen = np.empty(2 * n_words, dtype=np.uint64)
        seen[:n_words] = 0
        for i in range(begin, end):
            if not (every or keep[i] != 0):
                continue
            c = lut[code[i]] if plain else group[i] * n_names + lut[code[i]]
            way = 0 if acts[direction[i]] else 1
            by_direction[c, way] += 1
            by_place[c, place[i]] += 1
            by_stage[c, stage_lut[stage[i]]] += 1
            if contact[i] < 0:
                continue
            at, bit = (contact[i] - first) * words + c // 64, np.uint64(1) << np.uint64(c % 64)
            if seen[at] & bit:
                continue
            seen[at] |= bit
            earliest = min(earliest, time[i])
            contacts[c, way] += 1
            if last_person[c] != p:
                last_person[c] = p
                contacts[c, 2] += 1
                of_person[c] = 0
            contacts[c, 3] += 2 * of_person[c] + 1  # (x + 1)² - x²
            of_person[c] += 1
    return earliest


@kernel(types.void(I32_IN, U8_IN, U8_IN, BOOL_IN, U8_IN, I32_IN, I32_OUT, I32_OUT))
def journey_ends(
    journey: I32, keep: U8, direction: U8, acts: Bools, state: U8, goal: I32, first_out: I32, last_out: I32
) -> None:
    """The events with which journeys begin, and with which they end or come to their goal.

    Parameters
    ----------
    journey : int32, shape (n_events,)
        -1: none.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    direction : uint8, shape (n_events,)
    acts : bool, shape (n_directions,)
        Which directions are inbound; other events are passed over.
    state : uint8, shape (n_journeys,)
        3: not asked for.
    goal : int32, shape (n_journeys,)
        The event that is the goal; what comes after it is passed over. Without one the largest int32.
    first_out, last_out : int32, shape (n_journeys,), out
        First event; last one before the goal, or the goal where there is none before. -1: none.
    """
    for j in range(state.shape[0]):
        first_out[j] = last_out[j] = -1
    every = keep.shape[0] == 0
    for i in range(journey.shape[0]):
        j = journey[i]
        if j < 0 or not acts[direction[i]] or state[j] == 3 or i > goal[j]:
            continue
        if not (every or keep[i] != 0):
            continue
        if first_out[j] < 0:
            first_out[j] = i
        if i < goal[j] or last_out[j] < 0:
            last_out[j] = i


@kernel(
    *(
        types.void(
            I32_IN,
            I32_IN,
            I32_IN,
            codes,
            I32_IN,
            U8_IN,
            U8_IN,
            BOOL_IN,
            U8_IN,
            BOOL_IN,
            I32_IN,
            I32_IN,
            types.int64,
            I64_OUT2,
            I64_OUT,
            I64_OUT,
        )
        for codes in (U8_IN, U16_IN, U32_IN)
    )
)
def journey_touches(
    begin: I32,
    end: I32,
    journey: I32,
    code: Codes,
    lut: I32,
    keep: U8,
    direction: U8,
    acts: Bools,
    state: U8,
    is_old: Bools,
    last_row: I32,
    base: I32,
    n_names: int,
    roles: I64,
    exits: I64,
    outcomes: I64,
) -> None:
    """What touchpoints are in journeys: as `journey_ends` and then `count_roles`, journey by journey in one pass.

    Parameters
    ----------
    begin, end : int32, shape (n_journeys,)
        First and last event of each; see `percorso.kernels.kpi_journeys.journey_bounds`.
    journey, code, lut, keep, direction, acts
        As of `count_touches`; of journeys -1 is none.
    state : uint8, shape (n_journeys,)
        Outcome, or 3: not asked for.
    is_old : bool, shape (n_journeys,)
        Opened its time-out ago or earlier.
    last_row : int32, shape (n_journeys,)
        What comes after this event is passed over.
    base : int32, shape (n_journeys,)
        ``base[j] + name`` is the cell.
    n_names : int
    roles : int64, shape (n_cells, 10), out
        Added to, as `percorso.kernels.contact_roles.count_roles` does.
    exits : int64, shape (n_cells,), out
        Added to: abandoned journeys whose last inbound event is of the cell.
    outcomes : int64, shape (3,), out
        Added to: journeys with an inbound event, by outcome.
    """
    every = keep.size == 0
    met, names = np.full(n_names, -1, dtype=np.int32), np.empty(n_names, dtype=np.int32)
    for j in range(state.size):
        if state[j] == 3:
            continue
        first, last, n = np.int32(-1), np.int32(-1), 0
        for i in range(begin[j], min(end[j], last_row[j]) + 1):
            if journey[i] != j or not (every or keep[i] != 0):
                continue
            name = lut[code[i]]
            if met[name] != j:
                met[name] = j
                names[n] = name
                n += 1
            if acts[direction[i]]:
                first = name if first < 0 else first
                last = name if i < last_row[j] or last < 0 else last
        if first < 0:
            continue
        converted = state[j] == 1
        outcomes[state[j]] += 1
        exits[base[j] + last] += state[j] == 2
        for k in range(n):
            c = base[j] + names[k]
            is_first, is_last = names[k] == first, names[k] == last
            is_between = not (is_first or is_last)
            roles[c, 0] += 1
            roles[c, 1] += converted
            roles[c, 2] += state[j] == 0
            roles[c, 3] += is_first
            roles[c, 4] += is_last
            roles[c, 5] += is_between
            roles[c, 6] += converted and is_first
            roles[c, 7] += converted and is_last
            roles[c, 8] += converted and is_between
            roles[c, 9] += is_old[j] and state[j] != 0
