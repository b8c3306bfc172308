"""What contacts are in journeys: the first, the last or one between, and how journeys move between them.

A journey's contacts stand together, in order; `row` is the event with which each begins there. What begins after
``last_row`` of its journey (its goal) is passed over.
"""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.compile import BOOL_IN, I32_IN, I32_OUT, I64_IN, I64_OUT, I64_OUT2, U8_IN, kernel

__all__ = ["NOT_ASKED", "N_ROLES", "ROLES", "contact_ends", "contact_moves", "count_roles", "distinct_in_groups"]

#: State of a journey that is not asked for; the others are the outcomes of purchase journeys.
NOT_ASKED = 3

#: Columns of what `count_roles` adds to.
ROLES = (
    "journeys",
    "converted",
    "open",
    "first",
    "last",
    "assist",
    "first_converted",
    "last_converted",
    "assist_converted",
    "watched",
)
N_ROLES = len(ROLES)


@kernel(types.Tuple((I32_OUT, I64_OUT))(I32_IN, I32_IN, U8_IN, U8_IN, types.int64, types.int64))
def distinct_in_groups(group: I32, item: I32, keep: U8, state: U8, n_groups: int, n_items: int) -> tuple[I32, I64]:
    """The different items of each group (contacts of a journey, touchpoints of a contact): the first row of each.

    Parameters
    ----------
    group, item : int32, shape (n_events,)
        -1: none.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    state : uint8, shape (n_groups,) or (0,)
        Groups whose state is NOT_ASKED have no items; of no elements: all are asked for.
    n_groups, n_items : int

    Returns
    -------
    row : int32, shape (n_nodes,)
        Group by group, ascending in each.
    offsets : int64, shape (n_groups + 1,)
        Where each group's begin.
    """
    every = keep.shape[0] == 0
    # An item may go to and fro between two groups (an order is looked up while shopping). What the group that had
    # it last does not answer leaves a few rows too many, which the second pass finds.
    owner = np.full(n_items, -1, dtype=np.int32)
    rows = np.empty(group.shape[0], dtype=np.int32)
    place = np.zeros(n_groups + 1, dtype=np.int64)
    all_asked = state.shape[0] == 0
    few = n_items <= 64
    seen = np.zeros(n_groups if few else 0, dtype=np.uint64)
    n = 0
    last_group, last_item = np.int32(-1), np.int32(-1)  # mostly an event is of the same as the one before it
    for i in range(group.shape[0]):
        g, x = group[i], item[i]
        if g == last_group and x == last_item:
            continue
        if g < 0 or x < 0 or not (every or keep[i] != 0) or not (all_asked or state[g] != 3):
            continue
        last_group, last_item = g, x
        if few:  # a bit each is exact; and sums, where nothing tells beforehand what is new
            new = np.int64(1) - np.int64((seen[g] >> np.uint64(x)) & np.uint64(1))
            seen[g] |= np.uint64(1) << np.uint64(x)
        else:
            new = np.int64(owner[x] != g)
            owner[x] = g
        place[g + 1] += new
        rows[n] = i
        n += int(new)
    for g in range(n_groups):
        place[g + 1] += place[g]
    begin = place.copy()
    grouped = np.empty(n, dtype=np.int32)
    for k in range(n):
        g = group[rows[k]]
        grouped[place[g]] = rows[k]
        place[g] += 1
    if few:
        return grouped, begin
    offsets = np.empty(n_groups + 1, dtype=np.int64)
    owner[:] = -1
    n = 0
    for g in range(n_groups):
        offsets[g] = n
        for k in range(begin[g], begin[g + 1]):
            x = item[grouped[k]]
            if owner[x] != g:
                owner[x] = g
                grouped[n] = grouped[k]
                n += 1
    offsets[n_groups] = n
    return grouped[:n].copy(), offsets


@kernel(types.void(I64_IN, I32_IN, BOOL_IN, I32_IN, I32_IN, U8_IN, I32_IN, I32_OUT, I32_OUT))
def contact_ends(
    offsets: I64,
    unit: I32,
    inbound: Bools,
    row: I32,
    last_row: I32,
    state: U8,
    base: I32,
    first_out: I32,
    last_out: I32,
) -> None:
    """The cells of the first and the last inbound contact of each journey.

    Parameters
    ----------
    offsets : int64, shape (n_journeys + 1,)
        Where each journey's contacts begin.
    unit, inbound, row : shape (n_nodes,)
        Of each contact of a journey.
    last_row : int32, shape (n_journeys,)
    state : uint8, shape (n_journeys,)
        Outcome, or NOT_ASKED.
    base : int32, shape (n_journeys,)
        ``base[j] + unit`` is the cell.
    first_out, last_out : int32, shape (n_journeys,), out
        -1: the journey is not asked for, or has no inbound contact.
    """
    for j in range(offsets.shape[0] - 1):
        first_out[j] = last_out[j] = -1
        if state[j] == 3:
            continue
        for k in range(offsets[j], offsets[j + 1]):
            if row[k] > last_row[j]:
                break
            if inbound[k]:
                last_out[j] = base[j] + unit[k]
                if first_out[j] < 0:
                    first_out[j] = last_out[j]


@kernel(types.void(I64_IN, I32_IN, I32_IN, I32_IN, U8_IN, BOOL_IN, I32_IN, I32_IN, I32_IN, I64_OUT2))
def count_roles(
    offsets: I64,
    unit: I32,
    row: I32,
    last_row: I32,
    state: U8,
    is_old: Bools,
    base: I32,
    first: I32,
    last: I32,
    out: I64,
) -> None:
    """In how many journeys each cell is the first, the last, or present and neither.

    Parameters
    ----------
    offsets, unit, row, last_row, state, base
        As of `contact_ends`.
    is_old : bool, shape (n_journeys,)
        Opened its time-out ago or earlier.
    first, last : int32, shape (n_journeys,)
        Cells; -1: the journey is passed over.
    out : int64, shape (n_cells, 10), out
        Added to: ROLES; "watched" are the old ones among those that are not open.
    """
    seen = np.full(out.shape[0], -1, dtype=np.int64)
    for j in range(offsets.shape[0] - 1):
        if first[j] < 0:
            continue
        converted = state[j] == 1
        for k in range(offsets[j], offsets[j + 1]):
            if row[k] > last_row[j]:
                break
            c = base[j] + unit[k]
            if seen[c] == j:
                continue
            seen[c] = j
            out[c, 0] += 1
            out[c, 1] += converted
            out[c, 2] += state[j] == 0
            is_first, is_last = c == first[j], c == last[j]
            out[c, 3] += is_first
            out[c, 4] += is_last
            out[c, 5] += not (is_first or is_last)
            if converted:
                out[c, 6] += is_first
                out[c, 7] += is_last
                out[c, 8] += not (is_first or is_last)
            out[c, 9] += is_old[j] and state[j] != 0


@kernel(types.int64(I64_IN, I32_IN, BOOL_IN, I32_IN, I32_IN, U8_IN, types.int64, I64_OUT, I32_OUT, I32_OUT, I32_OUT))
def contact_moves(
    offsets: I64,
    unit: I32,
    inbound: Bools,
    row: I32,
    last_row: I32,
    state: U8,
    n_units: int,
    key_out: I64,
    contacts_out: I32,
    changes_out: I32,
    units_out: I32,
) -> int:
    """From which unit to which each journey goes, from one inbound contact to the next.

    Parameters
    ----------
    offsets, inbound, row, last_row, state
        As of `contact_ends`.
    unit : int32, shape (n_nodes,)
        -1: the contact is passed over.
    n_units : int
    key_out : int64, shape (n_nodes,), out
        ``from * n_units + to`` of each two consecutive contacts, also where the two are equal.
    contacts_out, changes_out, units_out : int32, shape (n_journeys,), out
        Inbound contacts of each journey, how often the unit changes from one to the next, and its different units.

    Returns
    -------
    int
        How many keys there are.
    """
    seen = np.full(n_units, -1, dtype=np.int64)
    n = 0
    for j in range(offsets.shape[0] - 1):
        contacts_out[j] = changes_out[j] = units_out[j] = 0
        if state[j] == 3:
            continue
        last = -1
        for k in range(offsets[j], offsets[j + 1]):
            if row[k] > last_row[j]:
                break
            u = unit[k]
            if u < 0 or not inbound[k]:
                continue
            if last >= 0:
                key_out[n] = np.int64(last) * n_units + u
                n += 1
                changes_out[j] += last != u
            last = u
            contacts_out[j] += 1
            if seen[u] != j:
                seen[u] = j
                units_out[j] += 1
    return n
