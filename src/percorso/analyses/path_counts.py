"""Cases by path: what one bucket adds to the variants, and how that adds up.

A path is known by a 128-bit hash of its nodes' names, so that memory follows the distinct paths.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from percorso.analyses.outcomes import CONVERTED, NOT_PURCHASE, OPEN, purchase_outcomes
from percorso.analyses.paths import PathPlan, Stream, stream_of
from percorso.kernels.arrays import I32, I64, U64, Bools
from percorso.kernels.paths import case_marks
from percorso.kernels.variants import group_paths, hash_paths, merge_rows, variant_counts
from percorso.store.journey_log import FLAG_GOAL, Bucket

__all__ = ["HashedCases", "PathKeys", "VariantPartial", "count_variants", "hash_cases", "path_keys", "sum_variants"]


@dataclass(frozen=True, slots=True)
class PathKeys:
    """Hashes of what paths are made of, by global code: uint64 of shape (n_names, 2)."""

    nodes: U64
    groups: U64


@dataclass(frozen=True, slots=True)
class HashedCases:
    """Every case of one bucket as hash, length, and times of its first and last node; shape (n_cases,)."""

    stream: Stream
    hash_a: U64
    hash_b: U64
    length: I32
    first_us: I64
    last_us: I64

    @property
    def n_bytes(self) -> int:
        """Bytes of its arrays and of those that its stream is a part of."""
        stream = self.stream
        columns = (stream.keep, stream.cases, stream.persons, stream.group, self.hash_a, self.hash_b)
        own = sum(column.nbytes for column in (*columns, self.length, self.first_us, self.last_us))
        return own + 3 * stream.cases.nbytes


@dataclass(frozen=True, slots=True)
class VariantPartial:
    """Cases by path.

    Parameters
    ----------
    rows : int64 array, shape (n_variants, 8)
        Sorted by hash. The hash's halves (bits of uint64); global code of the break-down's value; the first case with
        the path, as ``bucket << 32 | case``; cases, distinct persons, cases that can convert, cases that did.
    n_persons, n_open : int
        Persons with a case; purchase journeys without an outcome yet.
    """

    rows: I64
    n_persons: int
    n_open: int

    @property
    def hashes(self) -> tuple[U64, U64]:
        return _column(self.rows, 0).view(np.uint64), _column(self.rows, 1).view(np.uint64)

    @property
    def group(self) -> I64:
        return _column(self.rows, 2)

    @property
    def example(self) -> I64:
        return _column(self.rows, 3)

    @property
    def count(self) -> I64:
        return _column(self.rows, 4)

    @property
    def counts(self) -> I64:
        """Cases, persons, cases that can convert, cases that did: shape (n_variants, 4)."""
        return self.rows[:, 4:]

    def merge(self, other: VariantPartial) -> VariantPartial:
        out = np.empty((len(self.rows) + len(other.rows), self.rows.shape[1]), np.int64)
        n = merge_rows(self.rows, other.rows, out)
        return VariantPartial(out[:n], self.n_persons + other.n_persons, self.n_open + other.n_open)


def _column(rows: I64, position: int) -> I64:
    return np.ascontiguousarray(rows[:, position])


def sum_variants(parts: Iterable[VariantPartial]) -> VariantPartial:
    """Many partials as one, merging small with small and large with large, as they come."""
    waiting: list[tuple[int, VariantPartial]] = []  # (how many parts it holds, these), falling
    for part in parts:
        size = 1
        while waiting and waiting[-1][0] == size:
            _, before = waiting.pop()
            part, size = before.merge(part), 2 * size
        waiting.append((size, part))
    total = VariantPartial(np.zeros((0, 8), np.int64), 0, 0)
    for _, part in reversed(waiting):
        total = part.merge(total)
    return total


def path_keys(plan: PathPlan) -> PathKeys:
    """Hashes of all node names and all values of the break-down."""
    groups: Sequence[str] = () if plan.by is None else plan.by.values
    return PathKeys(_digests(plan.nodes.values, b"node"), _digests(groups, b"group"))


def _digests(names: Iterable[str], kind: bytes) -> U64:
    digests = [hashlib.blake2b(name.encode(), digest_size=16, person=kind).digest() for name in names]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64).reshape(-1, 2)


def hash_cases(plan: PathPlan, keys: PathKeys, bucket: Bucket) -> HashedCases:
    """Hash the path of every case of a bucket."""
    stream = stream_of(plan, bucket)
    n = stream.n_cases
    hash_a, hash_b = (
        np.zeros(n, np.uint64) if plan.by is None else keys.groups[:, half].take(stream.group) for half in (0, 1)
    )
    of_code = keys.nodes[plan.nodes.lut(bucket)]
    key_a, key_b = (np.ascontiguousarray(of_code[:, half]) for half in (0, 1))
    length, first, last = np.zeros(n, np.int32), np.zeros(n, np.int64), np.zeros(n, np.int64)
    time = bucket.events.values("time")
    hash_paths(stream.node, stream.case, stream.row, time, key_a, key_b, hash_a, hash_b, length, first, last)
    return HashedCases(stream, hash_a, hash_b, length, first, last)


def count_variants(plan: PathPlan, cases: HashedCases, bucket: Bucket) -> VariantPartial:
    """Paths of one bucket with their counts, distinct persons and conversions."""
    stream = cases.stream
    has_path = cases.length > 0
    variant, example = np.empty(stream.n_cases, np.int32), np.empty(stream.n_cases, np.int32)
    n = group_paths(cases.hash_a, cases.hash_b, has_path, variant, example)
    first = example[:n]
    eligible, converted, is_open = _conversions(plan, bucket, stream)
    counts = np.zeros((4, n), np.int64)
    variant_counts(variant, eligible, converted, stream.persons, *counts)
    place = np.int64(bucket.index) << 32 | first.astype(np.int64)
    hashes = cases.hash_a[first], cases.hash_b[first]
    columns = (*(half.view(np.int64) for half in hashes), stream.group[first], place, *counts)
    with_path = stream.persons[has_path]  # ascending
    return VariantPartial(
        rows=np.stack(columns, axis=1)[_order(*hashes)],
        n_persons=int(np.count_nonzero(np.diff(with_path, prepend=-1))),
        n_open=int((is_open & has_path).sum()),
    )


def _order(hash_a: U64, hash_b: U64) -> I64:
    order = np.argsort(hash_a)
    first = hash_a[order]
    if (first[1:] == first[:-1]).any():  # next to impossible
        return np.lexsort((hash_b, hash_a)).astype(np.int64)
    return order.astype(np.int64)


def _conversions(plan: PathPlan, bucket: Bucket, stream: Stream) -> tuple[Bools, Bools, Bools]:
    """Which cases can convert, which did, which may still.

    Purchase journeys by their outcome; persons and sessions by a goal among their events that are in.
    """
    if plan.spec.scope.per == "journey":
        outcome = purchase_outcomes(bucket, plan.scope.as_of_us)
        return outcome != NOT_PURCHASE, outcome == CONVERTED, outcome == OPEN
    converted = np.zeros(stream.n_cases, np.bool_)
    case_marks(stream.cases, stream.keep, bucket.events.values("flags"), FLAG_GOAL, converted)
    return np.ones(stream.n_cases, np.bool_), converted, np.zeros(stream.n_cases, np.bool_)
