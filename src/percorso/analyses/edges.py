"""Edges between nodes: what one bucket adds to a flow, and how that adds up.

With w nodes ("(start)" and "(end)" are the last two) an edge is the number ``(group * w + from) * w + to``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from percorso.analyses.paths import PathPlan, Stream, cases_of, stream_of
from percorso.analyses.quantiles import find_quantiles
from percorso.analyses.select import select_events
from percorso.kernels.arrays import I32, I64, Bools, Codes
from percorso.kernels.flow import count_edges_by_case, count_edges_by_person, edges_of, group_counts, number_keys
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
    inner, _, end = _edges(plan, bucket, stream)
    begun = end >= 0
    keys: list[I64] = []
    tables: list[tuple[I64, I64]] = []
    # Edges into "(end)" are others than those into nodes, so the two never share a number.
    for edges, persons in ((inner, stream.persons[stream.case]), (end, stream.persons)):
        number, distinct = _numbered(edges)
        count, n_persons = np.zeros(len(distinct), np.int64), np.zeros(len(distinct), np.int64)
        group_counts(number, persons, count, n_persons)
        keys.append(_global_edges(plan, bucket, distinct))
        tables.append((count, n_persons))
    every = np.concatenate(keys)
    order = np.argsort(every)
    count, n_persons = (np.concatenate(columns)[order] for columns in zip(*tables, strict=True))
    return EdgePartial(every[order], count, n_persons, len(np.unique(stream.persons[begun])))


def _edges(plan: PathPlan, bucket: Bucket, stream: Stream) -> tuple[I64, I64, I64]:
    """Edge into each node, time it took in µs (-1 from the start), and each case's edge into "(end)"."""
    inner, gap = np.empty(len(stream.node), np.int64), np.empty(len(stream.node), np.int64)
    end = np.empty(stream.n_cases, np.int64)
    k = len(bucket.events.dictionary(plan.spec.unit))
    edges_of(stream.node, stream.case, stream.row, bucket.events.values("time"), stream.group, k, inner, gap, end)
    return inner, gap, end


def _numbered(keys: I64) -> tuple[I32, I64]:
    number, distinct = np.empty(len(keys), np.int32), np.empty(len(keys), np.int64)
    n = number_keys(keys, number, distinct)
    return number, distinct[:n]


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
        inner, gap, _ = _edges(plan, bucket, stream_of(plan, bucket))
        number, distinct = _numbered(inner)
        position = np.searchsorted(edges.keys, _global_edges(plan, bucket, distinct)).astype(np.int32)
        return np.where(gap >= 0, position[number], np.int32(-1)), gap

    return find_quantiles(log, values, np.where(inside, edges.count, 0), threads=threads)


def count_square(plan: PathPlan, bucket: Bucket) -> I64:
    """Plain counts of one bucket, int64 of shape (w, w): memory speed where every event is a node."""
    names = bucket.events.dictionary(plan.spec.unit)
    k, w = len(names), len(plan.nodes.values) + 2
    local = np.zeros((k + 2) ** 2, np.int64)
    codes: Codes = bucket.events.values(plan.spec.unit)
    if not _is_plain(plan, bucket, names):
        stream = stream_of(plan, bucket)
        count_edges_by_case(stream.node, stream.case, stream.n_cases, k, local)
    elif plan.spec.scope.per == "person":
        count_edges_by_person(codes, bucket.offsets(), k, local)
    else:
        cases = cases_of(bucket, plan.spec.scope.per)
        count_edges_by_case(codes, cases.of_event, len(cases.persons), k, local)
    table = local.reshape(k + 2, k + 2)
    if plan.spec.collapse:
        np.fill_diagonal(table, 0)  # what collapses is exactly what follows itself
    square = np.zeros((w, w), np.int64)
    lut = _lut(plan, bucket)
    square[np.ix_(lut, lut)] = table
    return square


def _is_plain(plan: PathPlan, bucket: Bucket, names: tuple[str, ...]) -> bool:
    filtered = plan.by_contact or plan.spec.kind or plan.spec.outcome or "" in names
    return not filtered and select_events(plan.scope, bucket).is_all


def square_edges(square: I64) -> EdgePartial:
    """The cells of a square that are not empty."""
    keys = np.flatnonzero(square.reshape(-1))
    count = square.reshape(-1)[keys]
    return EdgePartial(keys.astype(np.int64), count, np.full(len(keys), -1, np.int64), -1)


def persons_on_edge(plan: PathPlan, bucket: Bucket, edge: tuple[int, int, int]) -> Bools:
    """Persons of the bucket with a case that has the edge (global group, from, to)."""
    stream = stream_of(plan, bucket)
    inner, _, end = _edges(plan, bucket, stream)
    w = len(plan.nodes.values) + 2
    wanted = (edge[0] * w + edge[1]) * w + edge[2]
    marked = np.zeros(bucket.n_persons, np.bool_)
    for edges, persons in ((inner, stream.persons[stream.case]), (end, stream.persons)):
        number, distinct = _numbered(edges)
        is_wanted = np.append(_global_edges(plan, bucket, distinct) == wanted, False)
        marked[persons[is_wanted[number]]] = True
    return marked
