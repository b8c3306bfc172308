"""Persons from strong identifiers, before anybody is joined: hubs, components, what belongs to each (identity
rules, section 2, steps 0 and 1). percorso.kernels.joining does the rest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types

from percorso.kernels.arrays import I16, I32, I64, U8
from percorso.kernels.compile import (
    I16_IN,
    I32_IN,
    I32_IN2,
    I32_OUT,
    I64_IN,
    I64_OUT,
    U8_IN,
    U8_OUT,
    kernel,
)

__all__ = [
    "SHARED_BETTER",
    "SHARED_WORSE",
    "SortKeys",
    "component_labels",
    "components_of",
    "find_root",
    "hub_reasons",
    "sort_order",
    "text_before",
]

#: Why an identifier is a hub: too many different identifiers of one better, or of one worse, type and space.
SHARED_BETTER, SHARED_WORSE = 1, 2

_RUN = 8  # so many are sorted by insertion: most components are smaller


@kernel()
def find_root(parent: I32, x: int) -> int:
    """Root of x in a union-find forest; paths are halved on the way."""
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


class SortKeys(NamedTuple):
    """What items are sorted by: their columns, then the texts of their codes (none: nothing more)."""

    columns: I64  # shape (n, n_columns)
    code: I32  # shape (n,) or (0,)
    text_offsets: I64
    text: U8


@kernel()
def text_before(x: int, y: int, text_offsets: I64, text: U8) -> bool:
    """Whether the text of code x comes before that of y, by bytes."""
    a, a_end = text_offsets[x], text_offsets[x + 1]
    b, b_end = text_offsets[y], text_offsets[y + 1]
    while a < a_end and b < b_end:
        if text[a] != text[b]:
            return bool(text[a] < text[b])
        a += 1
        b += 1
    return bool(a_end - a < b_end - b)


@kernel()
def _before(x: int, y: int, keys: SortKeys) -> bool:
    for c in range(keys.columns.shape[1]):
        if keys.columns[x, c] != keys.columns[y, c]:
            return bool(keys.columns[x, c] < keys.columns[y, c])
    return keys.code.size > 0 and bool(text_before(keys.code[x], keys.code[y], keys.text_offsets, keys.text))


@kernel()
def sort_order(keys: SortKeys) -> I32:
    """Stable order of the items 0 .. n - 1: runs by insertion, then merged bottom-up."""
    items = np.arange(keys.columns.shape[0]).astype(np.int32)
    n = items.size
    for start in range(0, n, _RUN):
        for i in range(start + 1, min(start + _RUN, n)):
            item = items[i]
            j = i - 1
            while j >= start and _before(item, items[j], keys):
                items[j + 1] = items[j]
                j -= 1
            items[j + 1] = item
    if n <= _RUN:
        return items
    spare = np.empty(n, dtype=np.int32)
    width = _RUN
    while width < n:
        for start in range(0, n, 2 * width):
            middle, end = min(start + width, n), min(start + 2 * width, n)
            if middle >= end or not _before(items[middle], items[middle - 1], keys):
                continue
            n_left = middle - start
            for i in range(n_left):
                spare[i] = items[start + i]
            left, right, out = 0, middle, start
            while left < n_left and right < end:
                if _before(items[right], spare[left], keys):
                    items[out] = items[right]
                    right += 1
                else:
                    items[out] = spare[left]
                    left += 1
                out += 1
            while left < n_left:
                items[out] = spare[left]
                left += 1
                out += 1
        width *= 2
    return items


@kernel()
def _sets_of(chosen: U8, slot: I32, n_slots: int, offsets: I64, members: I32, count: I64) -> tuple[I64, I32]:
    """The live sets that hold each chosen identifier: where those of each slot begin, and the sets.

    Nearly all are not chosen: a byte each keeps them in the processor's cache.
    """
    starts = np.zeros(n_slots + 1, dtype=np.int64)
    for s in range(count.size):
        if count[s] > 0:
            for k in range(offsets[s], offsets[s + 1]):
                if chosen[members[k]]:
                    starts[slot[members[k]] + 1] += 1
    for i in range(n_slots):
        starts[i + 1] += starts[i]
    place = starts[:-1].copy()
    holding = np.empty(starts[n_slots], dtype=np.int32)
    for s in range(count.size):
        if count[s] > 0:
            for k in range(offsets[s], offsets[s + 1]):
                if chosen[members[k]]:
                    i = slot[members[k]]
                    holding[place[i]] = s
                    place[i] += 1
    return starts, holding


@kernel(U8_OUT(I16_IN, I32_IN, types.int64, I64_IN, I32_IN, I64_IN, I32_IN, types.int64, U8_IN))
def hub_reasons(
    rank: I16,
    space: I32,
    n_spaces: int,
    offsets: I64,
    members: I32,
    count: I64,
    limits: I32,
    hub_better: int,
    wanted: U8,
) -> U8:
    """Which wanted identifiers are hubs, and why.

    An identifier with few partners cannot be one, however they are spread; only the others are looked at
    twice, so that most of the work is one pass over the sets.

    Parameters
    ----------
    rank : int16, shape (n,)
    space : int32, shape (n,)
        0 .. n_spaces - 1.
    offsets, members, count
        The sets, as in `percorso.identity.resolution.IdentifierSets`.
    limits : int32, shape (n_ranks,)
    hub_better : int
    wanted : uint8, shape (n,)

    Returns
    -------
    uint8, shape (n,)
        0, SHARED_BETTER or SHARED_WORSE; the first where both hold.
    """
    n, n_ranks = rank.size, limits.size
    reason = np.zeros(n, dtype=np.uint8)
    harmless = np.empty(n_ranks, dtype=np.int64)  # so many partners can be of any one type and space
    for r in range(n_ranks):
        harmless[r] = hub_better if r > 0 else np.int64(2**62)
        for worse in range(r + 1, n_ranks):
            harmless[r] = min(harmless[r], 2 * np.int64(limits[worse]))
    partners = np.zeros(n, dtype=np.int64)  # counted again in every set
    for s in range(count.size):
        others = offsets[s + 1] - offsets[s] - 1
        if count[s] > 0 and others > 0:
            for k in range(offsets[s], offsets[s + 1]):
                if wanted[members[k]]:
                    partners[members[k]] += others
    suspect = np.zeros(n, dtype=np.uint8)
    slot = np.empty(n, dtype=np.int32)
    n_suspects = 0
    for x in range(n):
        if partners[x] > harmless[rank[x]]:
            suspect[x], slot[x] = 1, n_suspects
            n_suspects += 1
    if n_suspects == 0:
        return reason
    starts, holding = _sets_of(suspect, slot, n_suspects, offsets, members, count)
    seen_with = partners  # from here on: the last suspect that a partner was counted for, plus 1
    seen_with[:] = 0
    tally = np.zeros(n_ranks * n_spaces, dtype=np.int64)
    for x in range(n):
        if not suspect[x]:
            continue
        for i in range(starts[slot[x]], starts[slot[x] + 1]):
            s = holding[i]
            for k in range(offsets[s], offsets[s + 1]):
                y = members[k]
                if rank[y] == rank[x] or seen_with[y] == x + 1:
                    continue
                seen_with[y] = x + 1
                kind = rank[y] * n_spaces + space[y]
                tally[kind] += 1
                if rank[y] < rank[x] and tally[kind] > hub_better:
                    reason[x] = SHARED_BETTER
                elif rank[y] > rank[x] and tally[kind] > 2 * np.int64(limits[rank[y]]) and reason[x] == 0:
                    reason[x] = SHARED_WORSE
        for i in range(starts[slot[x]], starts[slot[x] + 1]):
            for k in range(offsets[holding[i]], offsets[holding[i] + 1]):
                tally[rank[members[k]] * n_spaces + space[members[k]]] = 0
    return reason


@kernel()
def _unite(parent: I32, x: int, y: int) -> None:
    """The smaller root stays, so that it is the smallest of its tree."""
    x, y = find_root(parent, x), find_root(parent, y)
    if x < y:
        parent[y] = x
    else:
        parent[x] = y


@kernel(I32_OUT(I64_IN, I32_IN, I64_IN, I32_IN2, U8_IN))
def component_labels(offsets: I64, members: I32, count: I64, forced: I32, hub: U8) -> I32:
    """The smallest code of each identifier's component; -1 for hubs.

    Components are taken over live sets and forced pairs, hubs left out.

    Parameters
    ----------
    offsets, members, count
        The sets.
    forced : int32, shape (n_forced, 2)
    hub : uint8, shape (n,)

    Returns
    -------
    int32, shape (n,)
    """
    n = hub.size
    parent = np.arange(n).astype(np.int32)
    for s in range(count.size):
        if count[s] <= 0:
            continue
        before = -1
        for k in range(offsets[s], offsets[s + 1]):
            if hub[members[k]] == 0:
                if before >= 0:
                    _unite(parent, before, members[k])
                before = members[k]
    for i in range(forced.shape[0]):
        if hub[forced[i, 0]] == 0 and hub[forced[i, 1]] == 0:
            _unite(parent, forced[i, 0], forced[i, 1])
    for x in range(n):  # a parent is never larger than its child
        parent[x] = -1 if hub[x] else parent[parent[x]]
    return parent


@kernel(types.Tuple((I32_OUT, I64_OUT, I32_OUT, I64_OUT))(I32_IN, U8_IN, I64_IN, I32_IN, I64_IN, U8_IN))
def components_of(label: I32, wanted: U8, offsets: I64, members: I32, count: I64, hub: U8) -> tuple[I32, I64, I32, I64]:
    """Identifiers and live sets of each wanted component.

    Returns
    -------
    nodes : int32, shape (n_nodes,)
        Codes, component after component.
    node_starts : int64, shape (n_components + 1,)
    sets : int32, shape (n_sets,)
        Numbers of the live sets that hold one of the component's identifiers.
    set_starts : int64, shape (n_components + 1,)
    """
    n, m = label.size, count.size
    number = np.full(n, -1, dtype=np.int32)
    n_components, n_nodes = 0, 0
    for x in range(n):
        if wanted[x] and label[x] >= 0:
            n_nodes += 1
            if number[label[x]] < 0:
                number[label[x]] = n_components
                n_components += 1
    node_starts = np.zeros(n_components + 1, dtype=np.int64)
    set_starts = np.zeros(n_components + 1, dtype=np.int64)
    component = np.full(m, -1, dtype=np.int32)
    for x in range(n):
        if wanted[x] and label[x] >= 0:
            node_starts[number[label[x]] + 1] += 1
    for s in range(m):
        if count[s] <= 0:
            continue
        for k in range(offsets[s], offsets[s + 1]):
            x = members[k]
            if hub[x] == 0:
                if wanted[x]:
                    component[s] = number[label[x]]
                    set_starts[component[s] + 1] += 1
                break
    for c in range(n_components):
        node_starts[c + 1] += node_starts[c]
        set_starts[c + 1] += set_starts[c]
    nodes = np.empty(n_nodes, dtype=np.int32)
    sets = np.empty(set_starts[n_components], dtype=np.int32)
    place = node_starts[:-1].copy()
    for x in range(n):
        if wanted[x] and label[x] >= 0:
            c = number[label[x]]
            nodes[place[c]] = x
            place[c] += 1
    place = set_starts[:-1].copy()
    for s in range(m):
        if component[s] >= 0:
            sets[place[component[s]]] = s
            place[component[s]] += 1
    return nodes, node_starts, sets, set_starts
