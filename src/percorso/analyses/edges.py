"""Edges between nodes: what one bucket adds to a flow, and how that adds up.

With w nodes ("(start)" and "(end)" are the last two) an edge is the number ``(group * w + from) * w + to``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from percorso.analyses.paths import PathPlan, Stream, cases_of_plan, stream_of
from percorso.analyses.quantiles import find_quantiles
from percorso.analyses.select import NO_FLAGS, NO_MASK, select_events
from percorso.kernels.arrays import I32, I64, Bools, Codes
from percorso.kernels.flow import (
    count_edges_by_case,
    count_edges_by_person,
    count_kept_edges_by_person,
    edges_of,
    group_counts,
    number_keys,
)
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = [
    "END",
    "SQUARE_NODES",
    "START",
    "EdgePartial",
    "count_edges",
    "count_square",
    "edge_times_us",
    "persons_on_edge",
    "square_edges",
    "sum_edges",
]

START, END = "(start)", "(end)"

#: Up to so many nodes, with start and end, plain counts are kept in a square of cells; above, by number.
SQUARE_NODES = 512

#: Up to so many edges that could be, a bucket takes their numbers as they are; above, it numbers those that occur.
_SMALL_NUMBERS = 1 << 14


@dataclass(frozen=True, slots=True)
class EdgePartial:
    """Edges that occur, by number, ascending; each array of shape (n_edges,).

    ``n_persons`` is how many persons have a case; `persons` and it are -1 where they were not counted.
    """

    keys: I64
    count: I64
    persons: I64
    n_persons: int

    def merge(self, other: EdgePartial) -> EdgePartial:
        return sum_edges([self, other])


def sum_edges(parts: Sequence[EdgePartial]) -> EdgePartial:
    """Many partials as one, in one go (merging one by one would sort the large one each time)."""
    every = np.concatenate([part.keys for part in parts]) if parts else np.zeros(0, np.int64)
    keys, at = np.unique(every, return_inverse=True)
    count, persons = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    for part, mine in zip(parts, np.split(at, np.cumsum([len(part.keys) for part in parts])[:-1]), strict=True):
        count[mine] += part.count
        persons[mine] += part.persons
    return EdgePartial(keys, count, persons, sum(part.n_persons for part in parts))


def count_edges(plan: PathPlan, bucket: Bucket) -> EdgePartial:
    """Edges of one bucket with their counts and distinct persons."""
    stream = stream_of(plan, bucket)
    edges = _local_edges(plan, bucket, stream)
    count, persons = np.zeros(len(edges.keys), np.int64), np.zeros(len(edges.keys), np.int64)
    # Edges into "(end)" are others than those into nodes, so nobody is counted twice.
    group_counts(edges.inner, stream.persons.take(stream.case), count, persons)
    group_counts(edges.end, stream.persons, count, persons)
    found = np.flatnonzero(count)
    order = found[np.argsort(edges.keys[found])]
    of_case = stream.persons[edges.end >= 0]  # ascending
    n_persons = int(np.count_nonzero(np.diff(of_case, prepend=-1)))
    return EdgePartial(edges.keys[order], count[order], persons[order], n_persons)


@dataclass(frozen=True, slots=True)
class _LocalEdges:
    """The edges of one bucket by small numbers.

    ``inner``, ``end``: number of the edge into each node, and of each case's edge into "(end)" (-1: no nodes);
    ``keys``: global edge of each number; ``gap``: time into each node, µs, -1 from the start.
    """

    inner: I32
    end: I32
    keys: I64
    gap: I64


def _local_edges(plan: PathPlan, bucket: Bucket, stream: Stream) -> _LocalEdges:
    inner, gap = np.empty(len(stream.node), np.int64), np.empty(len(stream.node), np.int64)
    end = np.empty(stream.n_cases, np.int64)
    k = len(bucket.events.dictionary(plan.spec.unit))
    edges_of(stream.node, stream.case, stream.row, bucket.events.values("time"), stream.group, k, inner, gap, end)
    n_keys = (1 if plan.by is None else len(plan.by.values)) * (k + 2) ** 2
    if n_keys <= _SMALL_NUMBERS:
        keys = _global_edges(plan, bucket, np.arange(n_keys))
        return _LocalEdges(inner.astype(np.int32), end.astype(np.int32), keys, gap)
    both = np.concatenate([inner, end])
    number, distinct = np.empty(len(both), np.int32), np.empty(len(both), np.int64)
    keys = _global_edges(plan, bucket, distinct[: number_keys(both, number, distinct)])
    return _LocalEdges(number[: len(inner)], number[len(inner) :], keys, gap)


def _lut(plan: PathPlan, bucket: Bucket) -> I64:
    """Global code of each local one, "(start)" and "(end)" last."""
    k = len(plan.nodes.values)
    return np.append(plan.nodes.lut(bucket), (k, k + 1)).astype(np.int64)


def _global_edges(plan: PathPlan, bucket: Bucket, edges: I64) -> I64:
    lut = _lut(plan, bucket)
    n, w = len(lut), len(plan.nodes.values) + 2
    return (edges // (n * n) * w + lut[edges // n % n]) * w + lut[edges % n]


def edge_times_us(plan: PathPlan, log: JourneyLog, edges: EdgePartial, *, threads: int | None = None) -> I64:
    """Median and 90th percentile of the time along each edge, int64 of shape (n_edges, 2); -1: none."""
    w = len(plan.nodes.values) + 2
    inside = (edges.keys // w % w != w - 2) & (edges.keys % w != w - 1)

    def values(bucket: Bucket) -> tuple[I32, I64]:
        local = _local_edges(plan, bucket, stream_of(plan, bucket))
        position = np.searchsorted(edges.keys, local.keys).astype(np.int32)
        position[local.keys // w % w == w - 2] = -1  # from the start there is no time
        return position.take(local.inner), local.gap

    return find_quantiles(log, values, np.where(inside, edges.count, 0), threads=threads)


def count_square(plan: PathPlan, bucket: Bucket) -> I64:
    """Plain counts of one bucket, int64 of shape (w, w): in one pass over its columns, unless contacts are nodes."""
    names = bucket.events.dictionary(plan.spec.unit)
    k, w = len(names), len(plan.nodes.values) + 2
    table = np.zeros((k + 2) ** 2, np.int64)
    if plan.by_contact:
        stream = stream_of(plan, bucket)
        count_edges_by_case(stream.node, stream.case, NO_MASK, NO_FLAGS, 0, -1, stream.n_cases, k, table)
    else:
        _count_events(plan, bucket, names, table)
    local = table.reshape(k + 2, k + 2)
    if plan.spec.collapse:
        np.fill_diagonal(local, 0)  # what collapses is exactly what follows itself
    square = np.zeros((w, w), np.int64)
    lut = _lut(plan, bucket)
    square[np.ix_(lut, lut)] = local
    return square


def _count_events(plan: PathPlan, bucket: Bucket, names: tuple[str, ...], table: I64) -> None:
    codes: Codes = bucket.events.values(plan.spec.unit)
    selection = select_events(plan.scope, bucket)
    skip = names.index("") if "" in names else -1
    if plan.spec.scope.per == "person" and selection.is_all and skip < 0:
        count_edges_by_person(codes, bucket.offsets(), len(names), table)
        return
    # Flags alone are cheaper to look at than to make a mask of.
    only_flags = selection.mask is None and not selection.limits_time
    mask = None if only_flags else selection.dense()
    keep, flags = NO_MASK if mask is None else mask, selection.flags() if only_flags else NO_FLAGS
    if plan.spec.scope.per == "person":
        offsets = bucket.offsets()
        count_kept_edges_by_person(codes, offsets, keep, flags, selection.out_flags, skip, len(names), table)
    else:
        cases = cases_of_plan(plan, bucket)
        n_cases = len(cases.persons)
        count_edges_by_case(codes, cases.of_event, keep, flags, selection.out_flags, skip, n_cases, len(names), table)


def square_edges(square: I64) -> EdgePartial:
    """The cells of a square that are not empty."""
    keys = np.flatnonzero(square.reshape(-1))
    count = square.reshape(-1)[keys]
    return EdgePartial(keys.astype(np.int64), count, np.full(len(keys), -1, np.int64), -1)


def persons_on_edge(plan: PathPlan, bucket: Bucket, edge: tuple[int, int, int]) -> Bools:
    """Persons of the bucket with a case that has the edge (global group, from, to)."""
    stream = stream_of(plan, bucket)
    edges = _local_edges(plan, bucket, stream)
    w = len(plan.nodes.values) + 2
    wanted = np.append(edges.keys == (edge[0] * w + edge[1]) * w + edge[2], False)  # -1 finds the last
    marked = np.zeros(bucket.n_persons, np.bool_)
    marked[stream.persons[stream.case[wanted[edges.inner]]]] = True
    marked[stream.persons[wanted[edges.end]]] = True
    return marked
