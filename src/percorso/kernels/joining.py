"""One piece of a component: its edges, and Kruskal within limits over them (identity rules, section 2, step 2).

Inside a piece identifiers are numbered by (rank, text), the better ones first, and edges by their ends, the
better one first, so that nothing depends on the codes. The order in which edges get their turn:

1. forced pairs;
2. edges that a trusted source has seen, before those seen on sites and apps alone;
3. rank of the better end, then of the other;
4. (not forced ones) the higher count, then the earlier first time;
5. text of the better end, then of the other.

A forced pair overrides limits, not forbidden pairs. When all forced pairs have had their turn, each group
counts one of every type and space in it, however many it holds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types

from percorso.kernels.arrays import I16, I32, I64, U8
from percorso.kernels.compile import I16_IN, I32_IN, I32_OUT, I64_IN, U8_IN, kernel
from percorso.kernels.resolving import SortKeys, find_root, sort_order, text_before

__all__ = [
    "GRAPH",
    "PARTS",
    "REFUSED_LIMIT",
    "REFUSED_UNLINK",
    "Edges",
    "Graph",
    "Groups",
    "Parts",
    "Piece",
    "edges_of",
    "groups_of",
    "in_piece",
    "kruskal",
    "node_before",
    "sort_nodes",
]

#: Why an edge is refused.
REFUSED_LIMIT, REFUSED_UNLINK = 1, 2


class Graph(NamedTuple):
    """Identifiers by code, sets, decisions and rules; every array read-only."""

    rank: I16
    space: I32  # 0 .. n_spaces - 1
    n_spaces: int
    text_offsets: I64
    text: U8
    offsets: I64
    members: I32
    events: I64
    first: I64
    trusted: U8
    decided: I32  # shape (n,): place in the lists of pairs, -1: in no pair
    forced_starts: I64
    forced: I32
    forbidden_starts: I64
    forbidden: I32
    limits: I32
    refused_share: float
    largest: int


class Parts(NamedTuple):
    """What `percorso.kernels.resolving.components_of` returns; nodes and sets are sorted in place."""

    nodes: I32
    node_starts: I64
    sets: I32
    set_starts: I64


class Piece(NamedTuple):
    nodes: I32  # by rank and text; local number -> code
    sets: I32
    local: I32  # shape (n,): code -> local number; holds for the codes of this piece alone


class Edges(NamedTuple):
    """Unordered pairs of a piece, a < b, and the sets' pairs that they stand for."""

    a: I32
    b: I32
    tier: I64  # forced first, trusted next, then the ranks of a and b
    events: I64
    first: I64
    of_pair: I32  # edge of each pair of each set, in the order in which `_pairs` goes through them


class Groups(NamedTuple):
    """Groups of a piece: a forest, each group's members in a ring, and what it holds by type and space."""

    parent: I32
    size: I32
    ring: I32
    head: I32  # of a root: its first entry, a list by kind
    after: I32  # of an entry: the next one, -1 the last
    tally: I32  # of an entry: how many of that kind
    kind: I64  # type and space
    limit: I32


_IDENTIFIERS = (I16_IN, I32_IN, types.int64, I64_IN, U8_IN)
_SETS = (I64_IN, I32_IN, I64_IN, I64_IN, U8_IN)
_DECISIONS = (I32_IN, I64_IN, I32_IN, I64_IN, I32_IN)
GRAPH = types.NamedTuple((*_IDENTIFIERS, *_SETS, *_DECISIONS, I32_IN, types.float64, types.int64), Graph)
PARTS = types.NamedTuple((I32_OUT, I64_IN, I32_OUT, I64_IN), Parts)


@kernel()
def node_before(x: int, y: int, g: Graph) -> bool:
    """Whether x is better than y: by rank, then by text."""
    if g.rank[x] != g.rank[y]:
        return bool(g.rank[x] < g.rank[y])
    return bool(text_before(x, y, g.text_offsets, g.text))


@kernel()
def sort_nodes(nodes: I32, g: Graph) -> None:
    """Codes by rank, then text; in place."""
    ranks = np.empty((nodes.size, 1), dtype=np.int64)
    for v in range(nodes.size):
        ranks[v, 0] = g.rank[nodes[v]]
    codes = nodes.copy()
    order = sort_order(SortKeys(ranks, codes, g.text_offsets, g.text))
    for v in range(nodes.size):
        nodes[v] = codes[order[v]]


@kernel()
def _turns(edges: Edges, g: Graph) -> I32:
    """Order of the edges; they come by the bytes of their ends, and the sort is stable."""
    keys = np.zeros((edges.a.size, 3), dtype=np.int64)
    for e in range(edges.a.size):
        keys[e, 0] = edges.tier[e]
        if edges.tier[e] >= 0:  # of a forced pair what was seen decides nothing
            keys[e, 1], keys[e, 2] = -edges.events[e], edges.first[e]
    return sort_order(SortKeys(keys, np.empty(0, np.int32), g.text_offsets, g.text))


@kernel()
def in_piece(code: int, piece: Piece) -> bool:
    at = piece.local[code]
    return bool(at < piece.nodes.size and piece.nodes[at] == code)


@kernel()
def _pairs(piece: Piece, g: Graph, shared: U8, a: I32, b: I32, of_set: I32) -> int:
    """Every pair of unshared members of every set, then the forced pairs (`of_set` -1), where a has room."""
    n = 0
    for s in piece.sets:
        for i in range(g.offsets[s], g.offsets[s + 1]):
            if shared[g.members[i]]:
                continue
            for j in range(i + 1, g.offsets[s + 1]):
                if shared[g.members[j]] == 0:
                    if a.size > 0:
                        x, y = piece.local[g.members[i]], piece.local[g.members[j]]
                        a[n], b[n], of_set[n] = min(x, y), max(x, y), s
                    n += 1
    for x in range(piece.nodes.size):
        slot = g.decided[piece.nodes[x]]
        if slot < 0:
            continue
        for i in range(g.forced_starts[slot], g.forced_starts[slot + 1]):
            if in_piece(g.forced[i], piece) and piece.local[g.forced[i]] > x:
                if a.size > 0:
                    a[n], b[n], of_set[n] = x, piece.local[g.forced[i]], -1
                n += 1
    return n


@kernel()
def _by_end(order: I32, end: I32, n_nodes: int) -> I32:
    """Stable counting sort of pairs by one of their ends."""
    place = np.zeros(n_nodes + 1, dtype=np.int32)
    for pair in order:
        place[end[pair] + 1] += 1
    for x in range(n_nodes):
        place[x + 1] += place[x]
    done = np.empty(order.size, dtype=np.int32)
    for pair in order:
        done[place[end[pair]]] = pair
        place[end[pair]] += 1
    return done


@kernel()
def edges_of(piece: Piece, g: Graph, shared: U8) -> Edges:
    """The piece's edges by the bytes of their ends, with what was seen of each."""
    none = np.empty(0, dtype=np.int32)
    n_pairs = _pairs(piece, g, shared, none, none, none)
    pair_a, pair_b = np.empty(n_pairs, np.int32), np.empty(n_pairs, np.int32)
    of_set, of_pair = np.empty(n_pairs, np.int32), np.empty(n_pairs, np.int32)
    _pairs(piece, g, shared, pair_a, pair_b, of_set)
    order = _by_end(np.arange(n_pairs).astype(np.int32), pair_b, piece.nodes.size)
    order = _by_end(order, pair_a, piece.nodes.size)
    n = 0
    for i in range(n_pairs):
        p = order[i]
        n += i == 0 or pair_a[p] != pair_a[order[i - 1]] or pair_b[p] != pair_b[order[i - 1]]
    a, b, tier = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int64)
    count, first = np.zeros(n, np.int64), np.full(n, np.iinfo(np.int64).max)
    n_ranks = g.limits.size
    e = -1
    for p in order:
        if e < 0 or pair_a[p] != a[e] or pair_b[p] != b[e]:
            e += 1
            a[e], b[e] = pair_a[p], pair_b[p]
            ranks = np.int64(g.rank[piece.nodes[a[e]]]) * n_ranks + g.rank[piece.nodes[b[e]]]
            tier[e] = ranks + n_ranks * n_ranks
        of_pair[p] = e
        ranks = np.int64(g.rank[piece.nodes[a[e]]]) * n_ranks + g.rank[piece.nodes[b[e]]]
        s = of_set[p]
        if s < 0:
            tier[e] = ranks - n_ranks * n_ranks
        else:
            count[e] += g.events[s]
            first[e] = min(first[e], g.first[s])
            if g.trusted[s] and tier[e] >= 0:
                tier[e] = ranks
    return Edges(a, b, tier, count, first, of_pair)


@kernel()
def groups_of(piece: Piece, g: Graph) -> Groups:
    """Every identifier by itself."""
    n = piece.nodes.size
    kind, limit = np.empty(n, np.int64), np.empty(n, np.int32)
    for v in range(n):
        x = piece.nodes[v]
        kind[v] = g.rank[x] * g.n_spaces + g.space[x]
        limit[v] = g.limits[g.rank[x]]
    own = np.arange(n).astype(np.int32)
    one = np.ones(n, dtype=np.int32)
    return Groups(own, one, own.copy(), own.copy(), np.full(n, -1, np.int32), one.copy(), kind, limit)


@kernel()
def _is_forbidden(x: int, y: int, groups: Groups, piece: Piece, g: Graph) -> bool:
    """Whether the groups of roots x and y hold a forbidden pair between them; goes through the smaller one."""
    if groups.size[x] > groups.size[y]:
        x, y = y, x
    v = x
    while True:
        slot = g.decided[piece.nodes[v]]
        if slot >= 0:
            for i in range(g.forbidden_starts[slot], g.forbidden_starts[slot + 1]):
                other = g.forbidden[i]
                if in_piece(other, piece) and find_root(groups.parent, piece.local[other]) == y:
                    return True
        v = groups.ring[v]
        if v == x:
            return False


@kernel()
def _is_within_limits(x: int, y: int, groups: Groups) -> bool:
    i, j = groups.head[x], groups.head[y]
    while i >= 0 or j >= 0:
        if j < 0 or (i >= 0 and groups.kind[i] < groups.kind[j]):
            entry, held = i, groups.tally[i]
            i = groups.after[i]
        elif i < 0 or groups.kind[j] < groups.kind[i]:
            entry, held = j, groups.tally[j]
            j = groups.after[j]
        else:
            entry, held = i, groups.tally[i] + groups.tally[j]
            i, j = groups.after[i], groups.after[j]
        if held > groups.limit[entry]:
            return False
    return True


@kernel()
def _join(x: int, y: int, forced: bool, groups: Groups) -> None:
    """Make the groups of roots x and y one; forced ones of a kind count once."""
    if groups.size[x] < groups.size[y]:
        x, y = y, x
    groups.parent[y] = x
    groups.size[x] += groups.size[y]
    groups.ring[x], groups.ring[y] = groups.ring[y], groups.ring[x]
    i, j, last = groups.head[x], groups.head[y], -1
    while i >= 0 or j >= 0:
        if j < 0 or (i >= 0 and groups.kind[i] < groups.kind[j]):
            entry = i
            i = groups.after[i]
        elif i < 0 or groups.kind[j] < groups.kind[i]:
            entry = j
            j = groups.after[j]
        else:
            entry = i
            groups.tally[i] = 1 if forced else groups.tally[i] + groups.tally[j]
            i, j = groups.after[i], groups.after[j]
        if last < 0:
            groups.head[x] = entry
        else:
            groups.after[last] = entry
        last = entry
    groups.after[last] = -1


@kernel()
def kruskal(edges: Edges, groups: Groups, piece: Piece, g: Graph) -> U8:
    """Join the ends of each edge in order, where allowed; why each edge was refused, 0: it was not."""
    why = np.zeros(edges.a.size, dtype=np.uint8)
    for e in _turns(edges, g):
        x, y = find_root(groups.parent, edges.a[e]), find_root(groups.parent, edges.b[e])
        forced = edges.tier[e] < 0
        if x == y:
            continue
        if _is_forbidden(x, y, groups, piece, g):
            why[e] = REFUSED_UNLINK
        elif not forced and not _is_within_limits(x, y, groups):
            why[e] = REFUSED_LIMIT
        else:
            _join(x, y, forced, groups)
    return why
