"""Flows: how often one node directly follows another, with start and end, and paths by position.

With k nodes, ``k`` stands for "(start)" and ``k + 1`` for "(end)"; an edge is the number
``from * (k + 2) + to``.
"""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U16, Codes
from percorso.kernels.compile import I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, U16_IN, kernel
from percorso.kernels.paths import slot_of

__all__ = [
    "count_edges_by_case",
    "count_edges_by_person",
    "count_kept_edges_by_person",
    "edges_of",
    "group_counts",
    "number_keys",
    "steps_backward",
    "steps_forward",
]

# Several tables of counts break the chain of load, add and store on one hot counter (a third faster);
# with more cells than this they would fall out of the cache instead, and one is used.
_SEVERAL_TABLES_CELLS = 1 << 13


@kernel(*(types.void(codes, I64_IN, types.int64, I64_OUT) for codes in (U8_IN, U16_IN)))
def count_edges_by_person(codes: Codes, offsets: I64, k: int, out: I64) -> None:
    """Directly-follows counts with persons as cases, all events in: the plain case, at memory speed.

    Counts every pair of neighbours in the bucket without asking whose they are, then takes back the pairs
    that straddle two persons.

    Parameters
    ----------
    codes : uint8 or uint16, shape (n_events,)
        Node of each event, below k; none is left out.
    offsets : int64, shape (n_persons + 1,)
        Where each person's events begin.
    k : int
        Number of nodes.
    out : int64, shape ((k + 2)^2,), out
        Count of each edge is added here.
    """
    w = k + 2
    n = codes.shape[0]
    t1, t2, t3 = (1, 2, 3) if w * w <= _SEVERAL_TABLES_CELLS else (0, 0, 0)
    tables = np.zeros((t3 + 1, w * w), dtype=np.uint32)
    i = 1
    while i + 3 < n:
        a, b, c, d, e = codes[i - 1], codes[i], codes[i + 1], codes[i + 2], codes[i + 3]
        tables[0, a * w + b] += np.uint32(1)
        tables[t1, b * w + c] += np.uint32(1)
        tables[t2, c * w + d] += np.uint32(1)
        tables[t3, d * w + e] += np.uint32(1)
        i += 4
    while i < n:
        tables[0, codes[i - 1] * w + codes[i]] += np.uint32(1)
        i += 1
    for t in range(t3 + 1):
        for cell in range(w * w):
            out[cell] += tables[t, cell]
    for p in range(offsets.shape[0] - 1):
        first, end = offsets[p], offsets[p + 1]
        if first == end:
            continue
        if first > 0:
            out[codes[first - 1] * w + codes[first]] -= 1
        out[k * w + codes[first]] += 1
        out[codes[end - 1] * w + k + 1] += 1


@kernel(
    *(
        types.void(codes, I64_IN, U8_IN, U16_IN, types.int64, types.int64, types.int64, I64_OUT)
        for codes in (U8_IN, U16_IN)
    )
)
def count_kept_edges_by_person(
    codes: Codes, offsets: I64, keep: U8, flags: U16, out_flags: int, skip: int, k: int, out: I64
) -> None:
    """As `count_edges_by_person`, of the events that are in.

    Parameters
    ----------
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    flags : uint16, shape (n_events,) or (0,)
        Events with any of `out_flags` are out; of no elements: none is.
    skip : int
        The code that stands for "no node"; -1 where there is none.
    """
    w = k + 2
    by_mask, by_flags = keep.shape[0] > 0, flags.shape[0] > 0
    for p in range(offsets.shape[0] - 1):
        last = np.int64(k)
        for i in range(offsets[p], offsets[p + 1]):
            x = np.int64(codes[i])
            if x == skip or (by_mask and keep[i] == 0) or (by_flags and (flags[i] & out_flags) != 0):
                continue
            out[last * w + x] += 1
            last = x
        if last < k:
            out[last * w + k + 1] += 1


@kernel(
    *(
        types.void(codes, I32_IN, U8_IN, U16_IN, types.int64, types.int64, types.int64, types.int64, I64_OUT)
        for codes in (U8_IN, U16_IN, I32_IN)
    )
)
def count_edges_by_case(
    codes: Codes | I32,
    case: I32,
    keep: U8,
    flags: U16,
    out_flags: int,
    skip: int,
    n_cases: int,
    k: int,
    out: I64,
) -> None:
    """Directly-follows counts with any cases: of the events of a bucket, or of a stream of nodes.

    The previous node is the previous one *of the same case*: two journeys of a person may run side by side.

    Parameters
    ----------
    codes : uint8, uint16 or int32, shape (n_events,)
        Node of each event, below k.
    case : int32, shape (n_events,)
        Case of each event; -1: none, the event is passed over.
    keep, flags, out_flags, skip
        As of `count_kept_edges_by_person`.
    n_cases, k : int
    out : int64, shape ((k + 2)^2,), out
        Count of each edge is added here.
    """
    w = k + 2
    last = np.full(n_cases, k, dtype=np.int32)
    by_mask, by_flags = keep.shape[0] > 0, flags.shape[0] > 0
    t1 = 1 if w * w <= _SEVERAL_TABLES_CELLS else 0
    tables = np.zeros((t1 + 1, w * w), dtype=np.uint32)
    i = 0
    while i < codes.shape[0] and (by_mask or by_flags or skip >= 0):
        c = case[i]
        x = np.int32(codes[i])
        i += 1
        if c < 0 or x == skip or (by_mask and keep[i - 1] == 0) or (by_flags and (flags[i - 1] & out_flags) != 0):
            continue
        tables[0, last[c] * w + x] += np.uint32(1)
        last[c] = x
    while i < codes.shape[0]:
        c = case[i]
        if c >= 0:
            x = np.int32(codes[i])
            tables[0, last[c] * w + x] += np.uint32(1)
            last[c] = x
        i += 1
        if i == codes.shape[0]:
            break
        c = case[i]
        if c >= 0:
            x = np.int32(codes[i])
            tables[t1, last[c] * w + x] += np.uint32(1)
            last[c] = x
        i += 1
    for t in range(t1 + 1):
        for cell in range(w * w):
            out[cell] += tables[t, cell]
    for c in range(n_cases):
        if last[c] < k:
            out[last[c] * w + k + 1] += 1


@kernel(types.void(I32_IN, I32_IN, I32_IN, I64_IN, I32_IN, types.int64, I64_OUT, I64_OUT, I64_OUT))
def edges_of(
    node: I32, case: I32, row: I32, time: I64, group: I32, k: int, edge_out: I64, gap_out: I64, end_out: I64
) -> None:
    """The edge into each node of a stream, with the time it took, and each case's last edge.

    Parameters
    ----------
    node, case, row : int32, shape (n_nodes,)
        As `percorso.kernels.paths.path_nodes` yields them.
    time : int64, shape (n_events,)
        µs UTC.
    group : int32, shape (n_cases,)
        What the case is counted under: the edges of group g are ``g * (k + 2)^2`` and more.
    k : int
    edge_out : int64, shape (n_nodes,), out
    gap_out : int64, shape (n_nodes,), out
        µs since the previous node of the case; -1 from "(start)".
    end_out : int64, shape (n_cases,), out
        The edge into "(end)"; -1 for a case without nodes.
    """
    w = k + 2
    n_cases = group.shape[0]
    last = np.full(n_cases, k, dtype=np.int32)
    since = np.zeros(n_cases, dtype=np.int64)
    for i in range(node.shape[0]):
        c = case[i]
        now = time[row[i]]
        edge_out[i] = (np.int64(group[c]) * w + last[c]) * w + node[i]
        gap_out[i] = now - since[c] if last[c] < k else np.int64(-1)
        last[c] = node[i]
        since[c] = now
    for c in range(n_cases):
        end_out[c] = (np.int64(group[c]) * w + last[c]) * w + k + 1 if last[c] < k else np.int64(-1)


@kernel(types.int64(I64_IN, I32_OUT, I64_OUT))
def number_keys(keys: I64, number_out: I32, distinct_out: I64) -> int:
    """Number distinct keys in order of first appearance.

    Open addressing; the table doubles with the keys, so that memory follows the distinct ones.

    Parameters
    ----------
    keys : int64, shape (n,)
        Negative: none.
    number_out : int32, shape (n,), out
        Number of each key; -1: none.
    distinct_out : int64, shape (n,), out
        The keys by number.

    Returns
    -------
    int
        How many distinct keys there are.
    """
    places = np.int64(1024)
    mask = np.uint64(places - 1)
    table = np.full(places, -1, dtype=np.int32)
    n_distinct = 0
    for i in range(keys.shape[0]):
        key = keys[i]
        if key < 0:
            number_out[i] = -1
            continue
        slot = slot_of(np.uint64(key), mask)
        while table[slot] >= 0 and distinct_out[table[slot]] != key:
            slot = (slot + np.uint64(1)) & mask
        if table[slot] < 0:
            table[slot] = n_distinct
            distinct_out[n_distinct] = key
            n_distinct += 1
            if 2 * n_distinct > places:
                number_out[i] = n_distinct - 1
                places *= 4
                mask = np.uint64(places - 1)
                table = np.full(places, -1, dtype=np.int32)
                for d in range(n_distinct):
                    slot = slot_of(np.uint64(distinct_out[d]), mask)
                    while table[slot] >= 0:
                        slot = (slot + np.uint64(1)) & mask
                    table[slot] = d
                continue
        number_out[i] = table[slot]
    return n_distinct


@kernel(types.void(I32_IN, I32_IN, I64_OUT, I64_OUT))
def group_counts(number: I32, person: I32, count_out: I64, persons_out: I64) -> None:
    """Occurrences and distinct persons of each number.

    Exact without a set: rows stand by person, so a person is new to a number if the last one that had it is
    another.

    Parameters
    ----------
    number : int32, shape (n,)
        -1: none.
    person : int32, shape (n,)
        Rows of one person stand together.
    count_out, persons_out : int64, shape (n_numbers,), out
        Added to.
    """
    last_person = np.full(count_out.shape[0], -1, dtype=np.int32)
    for i in range(number.shape[0]):
        g = number[i]
        if g < 0:
            continue
        count_out[g] += 1
        if last_person[g] != person[i]:
            last_person[g] = person[i]
            persons_out[g] += 1


@kernel(types.int64(I32_IN, I32_IN, types.int64, types.int64, types.int64, types.int64, I64_OUT, I32_OUT))
def steps_forward(
    node: I32, case: I32, n_cases: int, k: int, anchor: int, n_steps: int, key_out: I64, case_out: I32
) -> int:
    """Links by position from the first `anchor` of each case forward.

    Parameters
    ----------
    node, case : int32, shape (n_nodes,)
    n_cases, k : int
    anchor : int
        The node at position 0.
    n_steps : int
        Links to follow from there.
    key_out : int64, shape (n_nodes + n_cases,), out
        ``(position * (k + 2) + from) * (k + 2) + to`` of each link; a path that ends has one into "(end)".
    case_out : int32, shape (n_nodes + n_cases,), out
        Case of each link.

    Returns
    -------
    int
        How many links there are.
    """
    w = k + 2
    position = np.full(n_cases, -1, dtype=np.int32)
    last = np.zeros(n_cases, dtype=np.int64)
    n = 0
    for i in range(node.shape[0]):
        c = case[i]
        if position[c] < 0:
            if node[i] == anchor:
                position[c] = 0
                last[c] = node[i]
        elif position[c] < n_steps:
            key_out[n] = (position[c] * w + last[c]) * w + node[i]
            case_out[n] = c
            n += 1
            position[c] += 1
            last[c] = node[i]
    for c in range(n_cases):
        if 0 <= position[c] < n_steps:
            key_out[n] = (position[c] * w + last[c]) * w + k + 1
            case_out[n] = c
            n += 1
    return n


@kernel(types.int64(I32_IN, I32_IN, types.int64, types.int64, types.int64, types.int64, I64_OUT, I32_OUT))
def steps_backward(
    node: I32, case: I32, n_cases: int, k: int, anchor: int, n_steps: int, key_out: I64, case_out: I32
) -> int:
    """Links by position from the first `anchor` of each case backward.

    As `steps_forward`; position 0 is the link into the anchor, position 1 the one before, and a path that
    begins has a link from "(start)".
    """
    w = k + 2
    first = np.full(n_cases, -1, dtype=np.int64)
    for i in range(node.shape[0]):
        if node[i] == anchor and first[case[i]] < 0:
            first[case[i]] = i
    position = np.full(n_cases, -1, dtype=np.int32)
    following = np.zeros(n_cases, dtype=np.int64)
    n = 0
    for i in range(node.shape[0] - 1, -1, -1):
        c = case[i]
        if first[c] < i:
            continue
        if first[c] == i:
            position[c] = 0
            following[c] = node[i]
        elif position[c] < n_steps:
            key_out[n] = (position[c] * w + node[i]) * w + following[c]
            case_out[n] = c
            n += 1
            position[c] += 1
            following[c] = node[i]
    for c in range(n_cases):
        if 0 <= position[c] < n_steps:
            key_out[n] = (position[c] * w + k) * w + following[c]
            case_out[n] = c
            n += 1
    return n
