"""Cells of a table "stage by something": how many events, contacts and persons each has, in one pass."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U64, Codes
from percorso.kernels.compile import I32_IN, I64_IN, I64_OUT, U8_IN, U16_IN, U32_IN, U64_OUT, kernel

__all__ = ["count_codes", "count_contact_cells", "count_event_cells", "count_stage_contacts", "stage_before"]


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
            if seen[cell] != p:
                seen[cell] = p
                persons[cell] += 1


@kernel(*(types.void(U8_IN, U8_IN, codes, types.int64, I64_OUT) for codes in (U8_IN, U16_IN, U32_IN)))
def count_codes(keep: U8, stage: U8, code: Codes, n_codes: int, events: I64) -> None:
    """Events of each cell, without persons: a third of the time. See :func:`count_event_cells`; no code is left out."""
    if keep.size:
        for i in range(stage.size):
            events[np.int64(stage[i]) * n_codes + np.int64(code[i])] += np.int64(keep[i] != 0)
    else:
        for i in range(stage.size):
            events[np.int64(stage[i]) * n_codes + np.int64(code[i])] += 1


@kernel(types.void(I64_IN, U8_IN, U8_IN, I32_IN, I32_IN, types.int64, U64_OUT, I64_OUT, I64_OUT))
def count_contact_cells(
    offsets: I64,
    keep: U8,
    stage: U8,
    contact: I32,
    code_of_contact: I32,
    n_codes: int,
    seen_stages: U64,
    contacts: I64,
    persons: I64,
) -> None:
    """Contacts of each cell, and how many different persons they are of: a contact is in each stage it has an event in.

    Parameters
    ----------
    offsets, keep, stage
        As of :func:`count_event_cells`; at most 64 stages.
    contact : int32, shape (n_events,)
        -1: none.
    code_of_contact : int32, shape (n_contacts,)
        Column of the table; -1: the contact is in no cell.
    n_codes : int
    seen_stages : uint64, shape (n_contacts,)
        Scratch, of zeros.
    contacts, persons : int64, shape (n_stages * n_codes,), out
        Counts are added here.
    """
    every = keep.size == 0
    seen = np.full(contacts.size, -1, dtype=np.int32)
    for p in range(offsets.size - 1):
        for i in range(offsets[p], offsets[p + 1]):
            if not every and keep[i] == 0:
                continue
            c = contact[i]
            if c < 0 or code_of_contact[c] < 0:
                continue
            bit = np.uint64(1) << np.uint64(stage[i])
            if seen_stages[c] & bit:
                continue
            seen_stages[c] |= bit
            cell = np.int64(stage[i]) * n_codes + code_of_contact[c]
            contacts[cell] += 1
            if seen[cell] != p:
                seen[cell] = p
                persons[cell] += 1


@kernel(types.void(I64_IN, U8_IN, U8_IN, I32_IN, U8_IN, U8_IN, types.int64, U64_OUT, I64_OUT, I64_OUT))
def count_stage_contacts(
    offsets: I64,
    keep: U8,
    stage: U8,
    contact: I32,
    wanted: U8,
    group: U8,
    n_groups: int,
    seen_stages: U64,
    contacts: I64,
    persons: I64,
) -> None:
    """Contacts of each stage and group of persons, and the persons with an event in the stage.

    Parameters
    ----------
    offsets, keep, stage, contact, seen_stages
        As of :func:`count_contact_cells`.
    wanted : uint8, shape (n_contacts,)
        1: the contact counts.
    group : uint8, shape (n_persons,)
    n_groups : int
    contacts, persons : int64, shape (n_stages * n_groups,), out
        Counts are added here.
    """
    every = keep.size == 0
    seen = np.full(256, -1, dtype=np.int32)
    for p in range(offsets.size - 1):
        for i in range(offsets[p], offsets[p + 1]):
            if not every and keep[i] == 0:
                continue
            s = np.int64(stage[i])
            cell = s * n_groups + group[p]
            if seen[s] != p:
                seen[s] = p
                persons[cell] += 1
            c = contact[i]
            if c < 0 or wanted[c] == 0:
                continue
            bit = np.uint64(1) << np.uint64(s)
            if seen_stages[c] & bit == 0:
                seen_stages[c] |= bit
                contacts[cell] += 1


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
