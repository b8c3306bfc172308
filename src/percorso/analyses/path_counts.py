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
from percorso.kernels.variants import group_paths, hash_paths, merge_order, variant_counts
from percorso.store.journey_log import FLAG_GOAL, Bucket

__all__ = ["HashedCases", "PathKeys", "VariantPartial", "count_variants", "hash_cases", "path_keys"]


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


@dataclass(frozen=True, slots=True)
class VariantPartial:
    """Cases by path, sorted by (hash_a, hash_b).

    Parameters
    ----------
    hash_a, hash_b : uint64 array, shape (n_variants,)
    group : int64 array, shape (n_variants,)
        Global code of the break-down's value.
    example : int64 array, shape (n_variants,)
        The first case with the path, as ``bucket << 32 | case``.
    counts : int64 array, shape (4, n_variants)
        Cases, distinct persons, cases that can convert, cases that did.
    n_persons, n_open : int
        Persons with a case; purchase journeys without an outcome yet.
    """

    hash_a: U64
    hash_b: U64
    group: I64
    example: I64
    counts: I64
    n_persons: int
    n_open: int

    @classmethod
    def empty(cls) -> VariantPartial:
        hashes, codes = np.zeros(0, np.uint64), np.zeros(0, np.int64)
        return cls(hashes, hashes, codes, codes, np.zeros((4, 0), np.int64), 0, 0)

    @property
    def count(self) -> I64:
        cases: I64 = self.counts[0]
        return cases

    def merge(self, other: VariantPartial) -> VariantPartial:
        mine, theirs = np.empty(len(self.hash_a), np.int64), np.empty(len(other.hash_a), np.int64)
        n = merge_order(self.hash_a, self.hash_b, other.hash_a, other.hash_b, mine, theirs)
        hash_a, hash_b = np.empty(n, np.uint64), np.empty(n, np.uint64)
        group, example = np.empty(n, np.int64), np.full(n, np.iinfo(np.int64).max)
        counts = np.zeros((4, n), np.int64)
        for part, at in ((self, mine), (other, theirs)):
            hash_a[at], hash_b[at], group[at] = part.hash_a, part.hash_b, part.group
            example[at] = np.minimum(example[at], part.example)
            counts[:, at] += part.counts
        n_persons, n_open = self.n_persons + other.n_persons, self.n_open + other.n_open
        return VariantPartial(hash_a, hash_b, group, example, counts, n_persons, n_open)


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
    begin = np.zeros((n, 2), np.uint64) if plan.by is None else keys.groups[stream.group]
    hash_a, hash_b = (np.ascontiguousarray(begin[:, half]) for half in (0, 1))
    of_code = keys.nodes[plan.nodes.lut(bucket)]
    key_a, key_b = (np.ascontiguousarray(of_code[:, half]) for half in (0, 1))
    length, first, last = np.zeros(n, np.int32), np.zeros(n, np.int64), np.zeros(n, np.int64)
    time = bucket.events.values("time")
    hash_paths(stream.node, stream.case, stream.row, time, key_a, key_b, hash_a, hash_b, length, first, last)
    return HashedCases(stream, hash_a, hash_b, length, first, last)


def count_variants(plan: PathPlan, keys: PathKeys, bucket: Bucket) -> VariantPartial:
    """Paths of one bucket with their counts, distinct persons and conversions."""
    cases = hash_cases(plan, keys, bucket)
    stream = cases.stream
    has_path = cases.length > 0
    variant, example = np.empty(stream.n_cases, np.int32), np.empty(stream.n_cases, np.int32)
    n = group_paths(cases.hash_a, cases.hash_b, has_path, variant, example)
    first = example[:n]
    eligible, converted, is_open = _conversions(plan, bucket, stream)
    counts = np.zeros((4, n), np.int64)
    variant_counts(variant, eligible, converted, stream.persons, *counts)
    order = np.lexsort((cases.hash_b[first], cases.hash_a[first]))
    return VariantPartial(
        hash_a=cases.hash_a[first][order],
        hash_b=cases.hash_b[first][order],
        group=stream.group[first][order].astype(np.int64),
        example=(np.int64(bucket.index) << 32 | first.astype(np.int64))[order],
        counts=counts[:, order],
        n_persons=len(np.unique(stream.persons[has_path])),
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
