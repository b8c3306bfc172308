"""Connected components by alternating stars, over edges of nodes that are 64-bit numbers.

Kiveris and others, Connected Components in MapReduce and Beyond, SoCC 2014: in turns every node links its larger
neighbours, then its smaller ones, to the smallest of them all, until every component is a star around its smallest
node. A component says where rows meet and nothing else: what two nodes with one number would join does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.exchange import Flow, Piece, Step, joined, split_rows
from percorso.errors import OperationError

__all__ = ["LABELS", "LABELS_SCHEMA", "edge_pieces", "find_components"]

_NEAR = "near"
_LARGER = "larger"
_OPEN = "open"
LABELS = "labels"

_SCHEMA = pa.schema([("node", pa.uint64()), ("near", pa.uint64())])
#: A node that is not the smallest of its component, and the smallest.
LABELS_SCHEMA = pa.schema([("node", pa.uint64()), ("root", pa.uint64())])
#: Turns grow with the square of the logarithm of the longest chain at most; so many would be a mistake of ours.
_MOST_TURNS = 200

_Nodes = npt.NDArray[np.uint64]


def edge_pieces(one: _Nodes, other: _Nodes, n_parts: int) -> Iterator[Piece]:
    """Edges as `find_components` takes them: each at both its ends."""
    differ = one != other
    one, other = one[differ], other[differ]
    yield from _pieces(_NEAR, np.concatenate([one, other]), np.concatenate([other, one]), n_parts)


def find_components(edges: Flow, n_parts: int) -> Flow:
    """Pieces of LABELS by node.

    Parameters
    ----------
    edges : Flow
        Pieces of `edge_pieces`.
    n_parts : int
    """
    flow, before = edges, None
    for _ in range(_MOST_TURNS):
        turn = flow.step(_larger(n_parts)).kept()
        is_done = not turn.only(_OPEN).read()
        if before is not None:
            flow.release()
            before.release()
        if is_done:
            return turn.only(LABELS)
        flow, before = turn.only(_LARGER).step(_smaller(n_parts)).kept(), turn
    raise OperationError("The components of the identifiers are not found.", hint="This is a mistake of Percorso.")


def _larger(n_parts: int) -> Step:
    def link(part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        node, near, start = _neighbours(joined(pieces, _NEAR, _SCHEMA))
        size = np.diff(np.append(start, len(node)))
        least = np.minimum(near[start], node[start])
        is_larger = near > node
        n_larger = np.add.reduceat(is_larger, start) if len(start) else start
        n_smaller = size - n_larger
        is_open = (n_smaller > 1) | ((n_smaller == 1) & (n_larger > 0))
        if is_open.any():
            yield Piece(_OPEN, 0, pa.table({"n": [int(is_open.sum())]}))
        leaf = np.flatnonzero(n_smaller > 0)
        labels = pa.table([node[start[leaf]], least[leaf]], schema=LABELS_SCHEMA)
        yield from split_rows(LABELS, labels, part_of_nodes(node[start[leaf]], n_parts), n_parts)
        to = np.repeat(least, size)[is_larger]
        yield from _pieces(_LARGER, near[is_larger], to, n_parts)

    return link


def _smaller(n_parts: int) -> Step:
    def link(part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        node, near, start = _neighbours(joined(pieces, _LARGER, _SCHEMA))
        size = np.diff(np.append(start, len(node)))
        least = near[start]  # all are smaller than the node itself
        every = np.repeat(least, size)
        one, other = np.concatenate([near, node[start]]), np.concatenate([every, least])
        yield from edge_pieces(one, other, n_parts)

    return link


def _neighbours(rows: pa.Table) -> tuple[_Nodes, _Nodes, npt.NDArray[np.int64]]:
    """Nodes and their neighbours in order, each pair once; and where each node begins."""
    node, near = (rows.column(name).to_numpy() for name in ("node", "near"))
    order = np.lexsort((near, node))
    node, near = node[order], near[order]
    if len(node):
        once = np.r_[True, (node[1:] != node[:-1]) | (near[1:] != near[:-1])]
        node, near = node[once], near[once]
    return node, near, np.flatnonzero(np.r_[True, node[1:] != node[:-1]][: len(node)])


def _pieces(kind: str, node: _Nodes, near: _Nodes, n_parts: int) -> Iterator[Piece]:
    rows = pa.table([pa.array(node), pa.array(near)], schema=_SCHEMA)
    yield from split_rows(kind, rows, part_of_nodes(node, n_parts), n_parts)


def part_of_nodes(node: _Nodes, n_parts: int) -> npt.NDArray[np.int32]:
    """Part of each node, shape (n,)."""
    return (node % np.uint64(n_parts)).astype(np.int32)
