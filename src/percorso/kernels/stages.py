"""Stages: the stays of persons in them, one after the other, and who gets further."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U64, Bools
from percorso.kernels.compile import (
    BOOL_IN,
    BOOL_OUT,
    I32_IN,
    I32_OUT,
    I64_IN,
    I64_OUT,
    U8_IN,
    U64_IN,
    U64_OUT,
    kernel,
)

__all__ = [
    "FURTHER_NOT",
    "MOST_STAGES",
    "NOT_FIRST",
    "add_stages",
    "count_stage_events",
    "count_stays",
    "neighbours",
    "stage_progress",
    "stage_stays",
    "stages_of_journeys",
    "stay_times",
]

#: So many stages have a bit each.
MOST_STAGES = 64

#: What `stage_progress` says of a stay that is not the person's first in its stage, and of one that nothing follows.
NOT_FIRST, FURTHER_NOT = -2, -1


@kernel(types.int64(I64_IN, U8_IN, I32_IN, U8_IN, BOOL_IN, U8_IN, I32_OUT, I32_OUT, I32_OUT))
def stage_stays(
    offsets: I64,
    code: U8,
    stage_of: I32,
    direction: U8,
    acts: Bools,
    keep: U8,
    person_out: I32,
    stage_out: I32,
    row_out: I32,
) -> int:
    """The stays of each person: runs of inbound events at one stage.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
    code : uint8, shape (n_events,)
        What the log has as stage of each event.
    stage_of : int32, shape (n_codes,)
        Stage of each code; -1: none, its events are passed over.
    direction : uint8, shape (n_events,)
    acts : bool, shape (n_directions,)
        Which directions are inbound; other events are passed over.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    person_out, stage_out, row_out : int32, shape (n_events,), out
        Of each stay: whose, at which stage, and the event with which it begins.

    Returns
    -------
    int
        How many stays there are.
    """
    every = keep.shape[0] == 0
    n = 0
    for p in range(offsets.shape[0] - 1):
        now = -1
        for i in range(offsets[p], offsets[p + 1]):
            s = stage_of[code[i]]
            if s < 0 or s == now or not acts[direction[i]] or not (every or keep[i] != 0):
                continue
            now = s
            person_out[n] = p
            stage_out[n] = s
            row_out[n] = i
            n += 1
    return n


@kernel(types.void(I64_IN, U8_IN, I32_IN, U8_IN, I32_IN, U64_OUT, I64_OUT, I64_OUT, I64_OUT))
def count_stage_events(
    offsets: I64,
    code: U8,
    stage_of: I32,
    keep: U8,
    contact: I32,
    seen: U64,
    events: I64,
    persons: I64,
    contacts: I64,
) -> None:
    """Events of each stage, and the different persons and contacts they are of.

    Parameters
    ----------
    offsets, code, stage_of, keep
        As of `stage_stays`; at most 64 stages.
    contact : int32, shape (n_events,)
        -1: none.
    seen : uint64, shape (n_contacts,), out
        Comes as zeros; the stages of each contact, one bit each.
    events, persons, contacts : int64, shape (n_stages,), out
        Added to.
    """
    every = keep.shape[0] == 0
    last_person = np.full(events.shape[0], -1, dtype=np.int64)
    for p in range(offsets.shape[0] - 1):
        for i in range(offsets[p], offsets[p + 1]):
            s = stage_of[code[i]]
            if s < 0 or not (every or keep[i] != 0):
                continue
            # Sums instead of branches: nothing tells beforehand who is new to a stage.
            events[s] += 1
            persons[s] += np.int64(last_person[s] != p)
            last_person[s] = p
            c = contact[i]
            if c < 0:
                continue
            contacts[s] += np.int64(((seen[c] >> np.uint64(s)) & np.uint64(1)) == 0)
            seen[c] |= np.uint64(1) << np.uint64(s)


@kernel(types.void(I32_IN, U8_IN, I32_IN, U8_IN, U64_OUT))
def stages_of_journeys(journey: I32, code: U8, stage_of: I32, keep: U8, seen: U64) -> None:
    """Which stages each journey has an event in.

    Parameters
    ----------
    journey : int32, shape (n_events,)
        -1: none.
    code, stage_of, keep
        As of `stage_stays`; at most 64 stages.
    seen : uint64, shape (n_journeys,), out
        Comes as zeros; one bit a stage.
    """
    every = keep.shape[0] == 0
    for i in range(journey.shape[0]):
        s = stage_of[code[i]]
        if journey[i] >= 0 and s >= 0 and (every or keep[i] != 0):
            seen[journey[i]] |= np.uint64(1) << np.uint64(s)


@kernel(types.void(U64_IN, BOOL_IN, I32_IN, types.int64, I64_OUT))
def add_stages(seen: U64, wanted: Bools, base: I32, n_stages: int, out: I64) -> None:
    """Add what is wanted to the cell of each of its stages: ``out[base[j] + stage] += 1``.

    Parameters
    ----------
    seen : uint64, shape (n,)
        As of `stages_of_journeys`.
    wanted : bool, shape (n,)
    base : int32, shape (n,)
    n_stages : int
    out : int64, shape (n_cells,), out
        Added to.
    """
    for j in range(seen.shape[0]):
        if not wanted[j]:
            continue
        for s in range(n_stages):
            out[base[j] + s] += np.int64((seen[j] >> np.uint64(s)) & np.uint64(1))


@kernel(types.void(I32_IN, I32_IN, I64_IN, types.int64, types.int64, I32_OUT, I64_OUT, I64_OUT, BOOL_OUT))
def neighbours(
    person: I32,
    stage: I32,
    time: I64,
    start: int,
    end: int,
    before: I32,
    stay: I64,
    stay_before: I64,
    inside: Bools,
) -> None:
    """What stands before and after each stay.

    Parameters
    ----------
    person, stage, time : shape (n_stays,)
        Of each stay, in order: whose, at which stage, and when it begins (µs UTC).
    start, end : int
        The period.
    before : int32, shape (n_stays,), out
        The stage before; -1: none.
    stay, stay_before : int64, shape (n_stays,), out
        How long the stay and the one before it last, µs; -1: it is not over, or there is none.
    inside : bool, shape (n_stays,), out
        The stay begins in the period.
    """
    n = person.shape[0]
    for i in range(n):
        follows = i > 0 and person[i - 1] == person[i]
        before[i] = stage[i - 1] if follows else np.int32(-1)
        stay_before[i] = time[i] - time[i - 1] if follows else np.int64(-1)
        stay[i] = time[i + 1] - time[i] if i + 1 < n and person[i + 1] == person[i] else np.int64(-1)
        inside[i] = start <= time[i] < end


@kernel(types.void(I32_IN, I64_IN, I64_IN, BOOL_IN, I64_OUT, I64_OUT, I64_OUT, I64_OUT))
def count_stays(
    cell: I32, stay: I64, further: I64, inside: Bools, entered: I64, got_further: I64, stays: I64, over: I64
) -> None:
    """Stays that begin in the period, by cell: persons who came, of them those who got further; all, those that ended.

    Parameters
    ----------
    cell, stay, further, inside : shape (n_stays,)
        As of `neighbours` and `stage_progress`.
    entered, got_further, stays, over : int64, shape (n_cells,), out
        Added to.
    """
    for i in range(cell.shape[0]):
        if not inside[i]:
            continue
        c = cell[i]
        stays[c] += 1
        over[c] += stay[i] >= 0
        entered[c] += further[i] != -2
        got_further[c] += further[i] >= 0


@kernel(types.int64(I32_IN, I32_IN, I64_IN, I64_IN, I64_IN, BOOL_IN, types.int64, I32_OUT, I64_OUT))
def stay_times(
    cell: I32, pair: I32, stay: I64, stay_before: I64, further: I64, inside: Bools, n_cells: int, group: I32, value: I64
) -> int:
    """All times whose medians are asked for.

    Parameters
    ----------
    cell, stay, stay_before, further, inside : shape (n_stays,)
        As of `neighbours` and `stage_progress`.
    pair : int32, shape (n_stays,)
        Number of the move into the stay.
    n_cells : int
    group, value : shape (3 * n_stays,), out
        Of stays that are over their cell; of getting further ``n_cells + cell``; of moves ``2 * n_cells + pair``.

    Returns
    -------
    int
        How many times there are.
    """
    n = 0
    for i in range(cell.shape[0]):
        if further[i] > -1:
            group[n], value[n] = n_cells + cell[i], further[i]
            n += 1
        if not inside[i]:
            continue
        if stay[i] >= 0:
            group[n], value[n] = cell[i], stay[i]
            n += 1
        if stay_before[i] >= 0:
            group[n], value[n] = 2 * n_cells + pair[i], stay_before[i]
            n += 1
    return n


@kernel(types.void(I32_IN, I32_IN, I64_IN, BOOL_IN, types.int64, I64_OUT))
def stage_progress(person: I32, stage: I32, time: I64, counted: Bools, n_stages: int, out: I64) -> None:
    """Whether, and when, each person gets further than a stage after first coming to it.

    Parameters
    ----------
    person, stage, time : shape (n_stays,)
        Of each stay, in order: whose, at which stage, and when it begins.
    counted : bool, shape (n_stays,)
        A person comes to a stage with the first stay that counts.
    n_stages : int
    out : int64, shape (n_stays,), out
        Time from a person's first counted stay at a stage to her next stay at any later one; -1: there is none;
        -2: the stay is not the first that counts.
    """
    first = np.full(n_stages, -1, dtype=np.int64)
    whose = -1
    for i in range(stage.shape[0]):
        out[i] = -2
        if person[i] != whose:
            whose = person[i]
            first[:] = -1
        t = stage[i]
        for s in range(t):
            if first[s] >= 0 and out[first[s]] == -1:
                out[first[s]] = time[i] - time[first[s]]
        if counted[i] and first[t] < 0:
            first[t] = i
            out[i] = -1
