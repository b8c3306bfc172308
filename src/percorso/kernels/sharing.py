"""Rounds of joining: which refused ends become shared, and what falls apart without them (identity rules,
section 2, steps 3 and 4).

Work grows with the pairs of the piece in each round, plus a sort of its edges. A round that is not the last
takes at least one identifier out; real data needs few.
"""

from __future__ import annotations

import numpy as np

from percorso.kernels.arrays import I32, I64, U8
from percorso.kernels.compile import I32_OUT, I64_OUT2, U8_OUT, kernel
from percorso.kernels.joining import (
    GRAPH,
    PARTS,
    REFUSED_LIMIT,
    Edges,
    Graph,
    Parts,
    Piece,
    edges_of,
    groups_of,
    in_piece,
    kruskal,
    node_before,
    sort_nodes,
)
from percorso.kernels.resolving import SortKeys, find_root, sort_order

__all__ = ["SHARED_LARGE", "SHARED_REFUSED", "resolve_components"]

#: Why an identifier is shared, beside the two kinds of hubs (percorso.kernels.resolving).
SHARED_REFUSED, SHARED_LARGE = 3, 4


@kernel()
def _is_one_person(nodes: I32, g: Graph, tally: I64) -> bool:
    """No limit and no decision can refuse an edge; `tally` is all 0 before and after."""
    if nodes.size > g.largest:
        return False
    fits = True
    for x in nodes:
        slot = g.decided[x]
        if slot >= 0 and g.forbidden_starts[slot + 1] > g.forbidden_starts[slot]:
            fits = False
        kind = g.rank[x] * g.n_spaces + g.space[x]
        tally[kind] += 1
        if tally[kind] > g.limits[g.rank[x]]:
            fits = False
    for x in nodes:
        tally[g.rank[x] * g.n_spaces + g.space[x]] = 0
    return fits


@kernel()
def _events(piece: Piece, g: Graph, shared: U8) -> tuple[I64, I64]:
    """Events of each identifier, and those of them beside an unshared one of the same or a better type."""
    events = np.zeros(piece.nodes.size, dtype=np.int64)
    accompanied = np.zeros(piece.nodes.size, dtype=np.int64)
    for s in piece.sets:
        best, n_best = np.int64(2**62), 0
        for k in range(g.offsets[s], g.offsets[s + 1]):
            x = g.members[k]
            if shared[x] == 0:
                if g.rank[x] < best:
                    best, n_best = np.int64(g.rank[x]), 0
                n_best += g.rank[x] == best
        for k in range(g.offsets[s], g.offsets[s + 1]):
            x = g.members[k]
            if shared[x] == 0:
                events[piece.local[x]] += g.events[s]
                if g.rank[x] > best or n_best > 1:
                    accompanied[piece.local[x]] += g.events[s]
    return events, accompanied


@kernel()
def _charged_ends(why: U8, edges: Edges, events: I64, piece: Piece, g: Graph) -> I32:
    """Which end each edge that a limit refused is charged to; -1 for the other edges."""
    charged = np.full(why.size, -1, dtype=np.int32)
    n_ranks = g.limits.size
    for e in range(why.size):
        if why[e] == REFUSED_LIMIT:
            a, b = edges.a[e], edges.b[e]  # b has the worse type, or the larger text
            same = g.rank[piece.nodes[a]] == g.rank[piece.nodes[b]]
            if same and edges.tier[e] >= n_ranks * n_ranks:
                continue  # an alias that a site sent: nobody's account is taken away on its word
            charged[e] = a if same and events[a] < events[b] else b
    return charged


@kernel()
def _share_charged(charged: I32, edges: Edges, accompanied: I64, piece: Piece, g: Graph, shared: U8) -> int:
    """Share every end whose refused edges hold enough of its events; how many there are."""
    refused = np.zeros(piece.nodes.size, dtype=np.int64)  # events with a refused edge charged to the identifier
    counted = np.full(piece.nodes.size, -1, dtype=np.int32)  # the last set whose events are in it
    pair = 0
    for s in piece.sets:
        for i in range(g.offsets[s], g.offsets[s + 1]):
            if shared[g.members[i]]:
                continue
            for j in range(i + 1, g.offsets[s + 1]):
                if shared[g.members[j]] == 0:
                    end = charged[edges.of_pair[pair]]
                    pair += 1
                    if end >= 0 and counted[end] != s:
                        counted[end] = s
                        refused[end] += g.events[s]
    n = 0
    for v in range(piece.nodes.size):
        # A quotient, not a product: 1 of 5 then equals 0.2 to the last bit.
        if refused[v] > 0 and refused[v] / accompanied[v] >= g.refused_share:
            shared[piece.nodes[v]] = SHARED_REFUSED
            n += 1
    return n


@kernel()
def _share_busiest(edges: Edges, piece: Piece, g: Graph, shared: U8) -> None:
    """Share identifiers by falling number of neighbours while the part they stand in is too large.

    Backwards, so that it is linear: with the identifiers put in again from the least busy one on, each stands,
    when its turn comes, in the part that taking out all busier ones of that part would have left it in.
    """
    n = piece.nodes.size
    starts = np.zeros(n + 1, dtype=np.int64)
    for e in range(edges.a.size):
        starts[edges.a[e] + 1] += 1
        starts[edges.b[e] + 1] += 1
    neighbours = starts[1:].copy()
    for v in range(n):
        starts[v + 1] += starts[v]
    place = starts[:-1].copy()
    beside = np.empty(starts[n], dtype=np.int32)
    for e in range(edges.a.size):
        a, b = edges.a[e], edges.b[e]
        beside[place[a]], beside[place[b]] = b, a
        place[a] += 1
        place[b] += 1
    order = sort_order(SortKeys(-neighbours.reshape(n, 1), piece.nodes, g.text_offsets, g.text))
    parent, size = np.full(n, -1, dtype=np.int32), np.ones(n, dtype=np.int32)
    for i in range(n - 1, -1, -1):
        v = order[i]
        parent[v] = v
        for k in range(starts[v], starts[v + 1]):
            if parent[beside[k]] >= 0:
                x, y = find_root(parent, v), find_root(parent, beside[k])
                if x != y:
                    if size[x] < size[y]:
                        x, y = y, x
                    parent[y] = x
                    size[x] += size[y]
        if size[find_root(parent, v)] > g.largest:
            shared[piece.nodes[v]] = SHARED_LARGE


@kernel()
def _arrange(items: I32, part: I32, n_parts: int) -> I64:
    """Stable counting sort in place; where each part begins, and the last ends."""
    starts = np.zeros(n_parts + 2, dtype=np.int64)
    for i in range(items.size):
        starts[part[i] + 1] += 1
    for p in range(n_parts + 1):
        starts[p + 1] += starts[p]
    place = starts[:-1].copy()
    before = items.copy()
    for i in range(items.size):
        items[place[part[i]]] = before[i]
        place[part[i]] += 1
    return starts[: n_parts + 1]


@kernel()
def _split(piece: Piece, g: Graph, shared: U8) -> tuple[I64, I64]:
    """Put what is still connected together, in place; where nodes and sets of each part begin.

    Identifiers keep their order inside a part. What is shared now, and sets of shared identifiers alone, come
    after the last part.
    """
    n = piece.nodes.size
    parent = np.arange(n).astype(np.int32)
    first = np.full(piece.sets.size, -1, dtype=np.int32)  # one unshared identifier of each set
    for i in range(piece.sets.size):
        for k in range(g.offsets[piece.sets[i]], g.offsets[piece.sets[i] + 1]):
            x = g.members[k]
            if shared[x] == 0:
                if first[i] < 0:
                    first[i] = piece.local[x]
                parent[find_root(parent, piece.local[x])] = find_root(parent, first[i])
    for v in range(n):
        slot = g.decided[piece.nodes[v]]
        if slot >= 0 and shared[piece.nodes[v]] == 0:
            for k in range(g.forced_starts[slot], g.forced_starts[slot + 1]):
                x = g.forced[k]
                if in_piece(x, piece) and shared[x] == 0:
                    parent[find_root(parent, piece.local[x])] = find_root(parent, v)
    number = np.full(n, -1, dtype=np.int32)
    n_parts = 0
    for v in range(n):
        if shared[piece.nodes[v]] == 0:
            root = find_root(parent, v)
            if number[root] < 0:
                number[root] = n_parts
                n_parts += 1
    part = np.full(n, n_parts, dtype=np.int32)
    for v in range(n):
        if shared[piece.nodes[v]] == 0:
            part[v] = number[find_root(parent, v)]
    of_set = np.full(piece.sets.size, n_parts, dtype=np.int32)
    for i in range(piece.sets.size):
        if first[i] >= 0:
            of_set[i] = part[first[i]]
    return _arrange(piece.nodes, part, n_parts), _arrange(piece.sets, of_set, n_parts)


@kernel()
def _name_groups(piece: Piece, parent: I32, group: I32) -> None:
    """The canonical identifier of a group is its first one."""
    best = np.full(piece.nodes.size, -1, dtype=np.int32)
    for v in range(piece.nodes.size):
        root = find_root(parent, v)
        if best[root] < 0:
            best[root] = v
        group[piece.nodes[v]] = piece.nodes[best[root]]


@kernel()
def _room(table: I64, n: int) -> I64:
    """`table` with room for more than n rows."""
    if n < table.shape[0]:
        return table
    grown = np.empty((2 * n, table.shape[1]), dtype=np.int64)
    for i in range(n):  # an assignment of slices takes two seconds to compile
        for column in range(table.shape[1]):
            grown[i, column] = table[i, column]
    return grown


@kernel(I64_OUT2(GRAPH, PARTS, U8_OUT, I32_OUT))
def resolve_components(g: Graph, parts: Parts, shared: U8, group: I32) -> I64:
    """Give every identifier of every component its person.

    Parameters
    ----------
    g : Graph
    parts : Parts
        The components; sorted in place.
    shared : uint8, shape (n,), in and out
        The hubs; gains SHARED_REFUSED and SHARED_LARGE.
    group : int32, shape (n,), out
        Code of the canonical identifier, for unshared identifiers of these components.

    Returns
    -------
    int64, shape (n_refused, 5)
        Refused edges: better end, worse end, count, why, charged end (-1 none). Those of the last round, and
        in earlier rounds those charged to an end that the round made shared.
    """
    local = np.zeros(shared.size, dtype=np.int32)
    tally = np.zeros(g.limits.size * g.n_spaces, dtype=np.int64)
    refused, n_refused = np.empty((64, 5), dtype=np.int64), 0
    stack = np.empty((64, 4), dtype=np.int64)
    for component in range(parts.node_starts.size - 1):
        nodes = parts.nodes[parts.node_starts[component] : parts.node_starts[component + 1]]
        if _is_one_person(nodes, g, tally):
            best = nodes[0]
            for x in nodes:
                if node_before(x, best, g):
                    best = x
            for x in nodes:
                group[x] = best
            continue
        sort_nodes(nodes, g)
        stack[0, 0], stack[0, 1] = parts.node_starts[component], parts.node_starts[component + 1]
        stack[0, 2], stack[0, 3] = parts.set_starts[component], parts.set_starts[component + 1]
        depth = 1
        while depth > 0:
            depth -= 1
            node_start, set_start = stack[depth, 0], stack[depth, 2]
            nodes = parts.nodes[node_start : stack[depth, 1]]
            if _is_one_person(nodes, g, tally):
                for x in nodes:
                    group[x] = nodes[0]
                continue
            for v in range(nodes.size):
                local[nodes[v]] = v
            piece = Piece(nodes, parts.sets[set_start : stack[depth, 3]], local)
            edges, groups = edges_of(piece, g, shared), groups_of(piece, g)
            why = kruskal(edges, groups, piece, g)
            events, accompanied = _events(piece, g, shared)
            charged = _charged_ends(why, edges, events, piece, g)
            ended = _share_charged(charged, edges, accompanied, piece, g, shared) == 0
            if ended and nodes.size > g.largest:
                ended = False
                _share_busiest(edges, piece, g, shared)
            for e in range(why.size):
                end = -1 if charged[e] < 0 else nodes[charged[e]]
                if why[e] and (ended or (end >= 0 and shared[end] == SHARED_REFUSED)):
                    refused = _room(refused, n_refused)
                    refused[n_refused, 0], refused[n_refused, 1] = nodes[edges.a[e]], nodes[edges.b[e]]
                    refused[n_refused, 2], refused[n_refused, 3] = edges.events[e], why[e]
                    refused[n_refused, 4] = end
                    n_refused += 1
            if ended:
                _name_groups(piece, groups.parent, group)
                continue
            n_starts, s_starts = _split(piece, g, shared)
            for p in range(n_starts.size - 1):
                stack = _room(stack, depth)
                stack[depth, 0], stack[depth, 1] = node_start + n_starts[p], node_start + n_starts[p + 1]
                stack[depth, 2], stack[depth, 3] = set_start + s_starts[p], set_start + s_starts[p + 1]
                depth += 1
    return refused[:n_refused].copy()
