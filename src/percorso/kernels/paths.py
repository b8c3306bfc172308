"""Paths: which events of a bucket are nodes of which case, cleaned and in order.

A *case* is what a path is cut by: a person, a journey or a session. A *node* is an event seen as its
name, touchpoint, place, channel or stage. Everything about flows and variants is computed on the
stream of nodes that :func:`path_nodes` yields.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U16, Bools, Codes
from percorso.kernels.compile import BOOL_OUT, I32_IN, I32_OUT, I64_IN, U8_IN, U16_IN, U32_IN, kernel

__all__ = ["case_marks", "path_nodes", "person_of_event", "slot_of"]


@kernel(types.uint64(types.uint64, types.uint64))
def slot_of(key: Any, mask: Any) -> Any:
    """First place to look for `key` in an open-addressing table of ``mask + 1`` places (murmur3's finaliser)."""
    key ^= key >> np.uint64(33)
    key *= np.uint64(0xFF51AFD7ED558CCD)
    key ^= key >> np.uint64(33)
    key *= np.uint64(0xC4CEB9FE1A85EC53)
    key ^= key >> np.uint64(33)
    return key & mask


@kernel(types.void(I64_IN, I32_OUT))
def person_of_event(offsets: I64, out: I32) -> None:
    """The person (row of the bucket's persons) of every event.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
        Where each person's events begin.
    out : int32, shape (n_events,), out
    """
    for person in range(offsets.shape[0] - 1):
        for i in range(offsets[person], offsets[person + 1]):
            out[i] = person


_NODE_ARGUMENTS = (
    I32_IN,
    U8_IN,
    I32_IN,
    types.int64,
    types.boolean,
    types.int64,
    types.int64,
    I32_OUT,
    I32_OUT,
    I32_OUT,
)


@kernel(*(types.int64(codes, *_NODE_ARGUMENTS) for codes in (U8_IN, U16_IN, U32_IN)))
def path_nodes(
    codes: Codes,
    case: I32,
    keep: U8,
    contact: I32,
    skip: int,
    collapse: bool,
    n_cases: int,
    n_contacts: int,
    node_out: I32,
    case_out: I32,
    row_out: I32,
) -> int:
    """The nodes of all cases, in the order of events.

    Parameters
    ----------
    codes : uint8, uint16 or uint32, shape (n_events,)
        Code of each event's node.
    case : int32, shape (n_events,)
        Case of each event; -1: none.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    contact : int32, shape (n_events,) or (0,)
        If not empty, a contact is one node of a case: its first event there that has a node. Events
        of no contact (-1) are none.
    skip : int
        The code that stands for "no node" (the empty string's); -1 where there is none.
    collapse : bool
        Runs of equal nodes of a case are one node: the first.
    n_cases, n_contacts : int
        Upper bounds of `case` and `contact`.
    node_out, case_out, row_out : int32, shape (n_events,), out
        Code, case and event row of each node.

    Returns
    -------
    int
        How many nodes there are; the first so many rows of the outputs are filled.
    """
    n_events = codes.shape[0]
    filtered = keep.shape[0] > 0
    by_contact = contact.shape[0] > 0
    last = np.full(n_cases if collapse else 0, -1, dtype=np.int32)
    # A contact may go to and fro between two cases (a session in which an order is looked up while
    # shopping). The case that had it last answers nearly always; the exact set of (contact, case)
    # answers the rest.
    owner = np.full(n_contacts if by_contact else 0, -1, dtype=np.int32)
    places = np.int64(1)
    while by_contact and places < 2 * n_events:
        places *= 2
    mask = np.uint64(places - 1)
    seen = np.full(places if by_contact else 0, -1, dtype=np.int64)
    n = 0
    for i in range(n_events):
        if filtered and not keep[i]:
            continue
        c = case[i]
        x = np.int32(codes[i])
        if c < 0 or x == skip:
            continue
        if by_contact:
            k = contact[i]
            if k < 0 or owner[k] == c:
                continue
            owner[k] = c
            key = np.int64(k) * n_cases + c
            slot = slot_of(np.uint64(key), mask)
            while seen[slot] >= 0 and seen[slot] != key:
                slot = (slot + np.uint64(1)) & mask
            if seen[slot] == key:
                continue
            seen[slot] = key
        if collapse:
            if last[c] == x:
                continue
            last[c] = x
        node_out[n] = x
        case_out[n] = c
        row_out[n] = i
        n += 1
    return n


@kernel(types.void(I32_IN, U8_IN, U16_IN, types.int64, BOOL_OUT))
def case_marks(case: I32, keep: U8, flags: U16, flag: int, out: Bools) -> None:
    """Mark the cases that hold an event with `flag` among the events that are in.

    Parameters
    ----------
    case : int32, shape (n_events,)
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    flags : uint16, shape (n_events,)
    flag : int
    out : bool, shape (n_cases,), in and out
    """
    filtered = keep.shape[0] > 0
    for i in range(case.shape[0]):
        if (flags[i] & flag) != 0 and case[i] >= 0 and not (filtered and not keep[i]):
            out[case[i]] = True
