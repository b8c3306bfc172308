"""Cells of a table "stage by something": how many events, contacts and persons each has, in one pass."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U64, Bools, Codes
from percorso.kernels.compile import (
    BOOL_IN,
    I32_IN,
    I64_IN,
    I64_OUT,
    I64_OUT2,
    U8_IN,
    U16_IN,
    U32_IN,
    U64_IN,
    U64_OUT,
    kernel,
)

__all__ = [
    "count_codes",
    "count_contact_cells",
    "count_event_cells",
    "count_stage_contacts",
    "find_stages",
    "stage_before",
]


@kernel(
    *(
        types.void(I64_IN, U8_IN, U8_IN, codes, types.int64, types.int64, I64_OUT, I64_OUT)
        for codes in (U8_IN, U16_IN, U32_IN)
    )
)
def count_event_cells(
    offsets: I64, keep: U8, stage: U8, code: Codes, n_codes: int, skip: int, events: I64, persons: I64
) -> None:
    """Events of each cell, and how many different persons they are of.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
        Where each person's events begin.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    stage : uint8, shape (n_events,)
        Row of the table.
    code : uint8, uint16 or uint32, shape (n_events,)
        Column of the table.
    n_codes : int
    skip : int
        Events with this code are in no cell; -1: none.
    events, persons : int64, shape (n_stages * n_codes,), out
        Counts are added here.
    """
    every = keep.size == 0
    seen = np.full(events.size, -1, dtype=np.int32)
    for p in range(offsets.size - 1):
        for i in range(offsets[p], offsets[p + 1]):
            if not every and keep[i] == 0:
                continue
            c = np.int64(code[i])
            if c == skip:
                continue
            cell = np.int64(stage[i]) * n_codes + c
            events[cell] += 1
            persons[cell] += np.int64(seen[cell] != p)  # no branch: nothing tells beforehand who is new to a cell
            seen[cell] = p


@kernel(*(types.void(U8_IN, U8_IN, codes, types.int64, I64_OUT) for codes in (U8_IN, U16_IN, U32_IN)))
def count_codes(keep: U8, stage: U8, code: Codes, n_codes: int, events: I64) -> None:
    """Events of each cell, without persons: a third of the time. See :func:`count_event_cells`; no code is left out."""
    if keep.size:
        for i in range(stage.size):
            events[np.int64(stage[i]) * n_codes + np.int64(code[i])] += np.int64(keep[i] != 0)
    else:
        for i in range(stage.size):
            events[np.int64(stage[i]) * n_codes + np.int64(code[i])] += 1


@kernel(types.void(I64_IN, U8_IN, U8_IN, I32_IN, U8_IN, U64_OUT, I64_OUT2))
def find_stages(offsets: I64, keep: U8, stage: U8, contact: I32, group: U8, seen: U64, persons: I64) -> None:
    """The stages of each contact, and the persons with an event in each stage, in one pass over the events.

    Parameters
    ----------
    offsets, keep, stage
        As of :func:`count_event_cells`; at most 64 stages.
    contact : int32, shape (n_events,)
        -1: none.
    group : uint8, shape (n_persons,)
    seen : uint64, shape (n_contacts,), out
        Comes as zeros; one bit a stage.
    persons : int64, shape (n_stages, n_groups), out
        Counts are added here.
    """
    every = keep.size == 0
    for p in range(offsets.size - 1):
        mine = np.uint64(0)
        for i in range(offsets[p], offsets[p + 1]):
            if not every and keep[i] == 0:
                continue
            bit = np.uint64(1) << np.uint64(stage[i])
            mine |= bit
            if contact[i] >= 0:
                seen[contact[i]] |= bit
        for s in range(persons.shape[0]):
            persons[s, group[p]] += np.int64((mine >> np.uint64(s)) & np.uint64(1))


@kernel(types.void(U64_IN, I32_IN, I32_IN, types.int64, types.int64, I64_OUT, I64_OUT))
def count_contact_cells(
    stages: U64, person: I32, code: I32, n_codes: int, n_stages: int, contacts: I64, persons: I64
) -> None:
    """Contacts of each cell, and how many different persons they are of: a contact is in each stage it has an event in.

    Parameters
    ----------
    stages : uint64, shape (n_contacts,)
        One bit a stage.
    person : int32, shape (n_contacts,)
        Contacts of one person stand together.
    code : int32, shape (n_contacts,)
        Column of the table; -1: the contact is in no cell.
    n_codes, n_stages : int
    contacts, persons : int64, shape (n_stages * n_codes,), out
        Counts are added here.
    """
    seen = np.full(contacts.size, -1, dtype=np.int32)
    for k in range(stages.size):
        if code[k] < 0:
            continue
        for s in range(n_stages):
            if (stages[k] >> np.uint64(s)) & np.uint64(1) == 0:
                continue
            cell = s * n_codes + code[k]
            contacts[cell] += 1
            persons[cell] += np.int64(seen[cell] != person[k])
            seen[cell] = person[k]


@kernel(types.void(U64_IN, I32_IN, BOOL_IN, U8_IN, I64_OUT2))
def count_stage_contacts(stages: U64, person: I32, wanted: Bools, group: U8, contacts: I64) -> None:
    """Contacts of each stage and group of persons.

    Parameters
    ----------
    stages, person
        As of :func:`count_contact_cells`.
    wanted : bool, shape (n_contacts,)
        Which count.
    group : uint8, shape (n_persons,)
    contacts : int64, shape (n_stages, n_groups), out
        Counts are added here.
    """
    for k in range(stages.size):
        if wanted[k]:
            for s in range(contacts.shape[0]):
                contacts[s, group[person[k]]] += np.int64((stages[k] >> np.uint64(s)) & np.uint64(1))


@kernel(types.void(I64_IN, I64_IN, I32_IN, U8_IN, U8_IN, I32_IN, U8_IN, I64_OUT))
def stage_before(
    rows: I64, offsets: I64, person: I32, stage: U8, counts: U8, journey: I32, within: U8, found: I64
) -> None:
    """The stage a person stood at before an event: that of its last earlier event that counts.

    Parameters
    ----------
    rows : int64, shape (n,)
        Events asked about.
    offsets : int64, shape (n_persons + 1,)
    person : int32, shape (n,)
        Whose events they are.
    stage : uint8, shape (n_events,)
    counts : uint8, shape (n_events,)
        1: an event that says where somebody stands.
    journey : int32, shape (n_events,)
    within : uint8, shape (n,)
        1: only events of the same journey count.
    found : int64, shape (n,), out
        Code of the stage; -1: no earlier event counts.
    """
    for n in range(rows.size):
        found[n] = -1
        i = rows[n] - 1
        while i >= offsets[person[n]]:
            if counts[i] != 0 and (within[n] == 0 or journey[i] == journey[rows[n]]):
                found[n] = stage[i]
                break
            i -= 1
