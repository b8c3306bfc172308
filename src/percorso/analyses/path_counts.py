"""Cases by path: what one bucket adds to the variants, and how that adds up.

A path is known by a 128-bit hash of its nodes' names, so that memory follows the distinct paths.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from percorso.analyses.outcomes import CONVERTED, NOT_PURCHASE, OPEN, purchase_outcomes
from percorso.analyses.paths import PathPlan, Stream, stream_of
from percorso.kernels.arrays import I32, I64, U64, Bools
from percorso.kernels.paths import case_marks
from percorso.kernels.variants import add_variants, group_paths, hash_paths, variant_counts
from percorso.store.journey_log import FLAG_GOAL, Bucket

__all__ = ["HashedCases", "PathKeys", "VariantPartial", "count_variants", "hash_cases", "path_keys", "sum_variants"]

#: Paths of partials that wait to be added up: a table of so many is small, and one pass over many parts is quicker
#: than one for each.
_AT_ONCE = 1 << 21

_COLUMNS = ("hash_a", "hash_b", "group", "example")
_COUNTS = ("cases", "persons", "eligible", "converted")


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
    """Cases by path, each path once, in no order that means anything.

    Parameters
    ----------
    hash_a, hash_b : uint64, shape (n_variants,)
    group : int32, shape (n_variants,)
        Global code of the break-down's value.
    example : int64, shape (n_variants,)
        The first case with the path, as ``bucket << 32 | case``.
    counts : int64, shape (n_variants, 4)
        Cases, distinct persons, cases that can convert, cases that did.
    n_persons, n_open : int
        Persons with a case; purchase journeys without an outcome yet.
    """

    hash_a: U64
    hash_b: U64
    group: I32
    example: I64
    counts: I64
    n_persons: int
    n_open: int

    def __len__(self) -> int:
        return len(self.hash_a)

    @property
    def cases(self) -> I64:
        """How many cases have each path."""
        return self.counts[:, 0]

    def take(self, rows: I64) -> VariantPartial:
        """Some of the paths; persons and open journeys stay those of all."""
        return replace(self, **{name: getattr(self, name)[rows] for name in (*_COLUMNS, "counts")})

    def table(self) -> pa.Table:
        """A row for each path, so that rows may go different ways; persons and open journeys go with the first."""
        of_first = np.arange(len(self)) == 0
        named = {name: getattr(self, name) for name in _COLUMNS} | dict(zip(_COUNTS, self.counts.T, strict=True))
        return pa.table(named | {"n_persons": of_first * self.n_persons, "n_open": of_first * self.n_open})

    @classmethod
    def of_table(cls, rows: pa.Table) -> VariantPartial:
        """What rows of such tables come to, some of them perhaps of the same path."""
        named = {name: rows[name].to_numpy() for name in rows.column_names}
        counts = np.stack([named[name] for name in _COUNTS], axis=1)
        n_persons, n_open = int(named["n_persons"].sum()), int(named["n_open"].sum())
        hash_a, hash_b, group, example = (named[name] for name in _COLUMNS)
        return _added_up([cls(hash_a, hash_b, group, example, counts, n_persons, n_open)])


def sum_variants(parts: Iterable[VariantPartial]) -> VariantPartial:
    """Many partials as one, many at a time: never more of them at once than twice what they come to."""
    total = VariantPartial(
        hash_a=np.zeros(0, np.uint64),
        hash_b=np.zeros(0, np.uint64),
        group=np.zeros(0, np.int32),
        example=np.zeros(0, np.int64),
        counts=np.zeros((0, 4), np.int64),
        n_persons=0,
        n_open=0,
    )
    waiting, rows = [total], 0
    for part in parts:
        waiting.append(part)
        rows += len(part)
        if rows > max(len(total), _AT_ONCE):
            total = _added_up(waiting)
            waiting, rows = [total], 0
    return _added_up(waiting) if rows else total


def _added_up(parts: Sequence[VariantPartial]) -> VariantPartial:
    """Each path of any part once."""
    hash_a, hash_b, group, example, counts = (
        np.concatenate([getattr(part, name) for part in parts]) for name in (*_COLUMNS, "counts")
    )
    variant, first = np.empty(len(hash_a), np.int32), np.empty(len(hash_a), np.int32)
    n = group_paths(hash_a, hash_b, np.ones(len(hash_a), np.bool_), variant, first)
    rows = first[:n]
    least, added = example[rows], np.zeros((n, counts.shape[1]), np.int64)
    add_variants(variant, example, counts, least, added)
    return VariantPartial(
        hash_a[rows],
        hash_b[rows],
        group[rows],
        least,
        added,
        sum(part.n_persons for part in parts),
        sum(part.n_open for part in parts),
    )


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
    counts = np.zeros((n, 4), np.int64)
    variant_counts(variant, eligible, converted, stream.persons, counts)
    with_path = stream.persons[has_path]  # ascending
    return VariantPartial(
        hash_a=cases.hash_a[first],
        hash_b=cases.hash_b[first],
        group=stream.group[first],
        example=np.int64(bucket.index) << 32 | first.astype(np.int64),
        counts=counts,
        n_persons=int(np.count_nonzero(np.diff(with_path, prepend=-1))),
        n_open=int((is_open & has_path).sum()),
    )


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
