"""Variants: cases with the same path, found by a 128-bit hash of it.

A path is hashed node by node, so one pass over the events hashes all cases of a bucket whatever their
length, and two numbers stand for a path. A step is invertible for given nodes, so paths that differ and
end alike never meet by appending; that two of n different paths share a hash has a chance of about
n^2 / 2^129 (ten million paths: 10^-25). :func:`misspelt` checks nevertheless that the cases of the
variants shown spell the same path.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U64, Bools
from percorso.kernels.compile import (
    BOOL_IN,
    I32_IN,
    I32_OUT,
    I64_IN,
    I64_IN2,
    I64_OUT,
    I64_OUT2,
    U64_IN,
    U64_OUT,
    kernel,
)
from percorso.kernels.paths import slot_of

__all__ = ["group_paths", "hash_paths", "merge_rows", "misspelt", "variant_counts"]


@kernel(types.uint64(types.uint64, types.uint64))
def _turn(value: Any, places: Any) -> Any:
    return (value << places) | (value >> (np.uint64(64) - places))


@kernel(
    types.void(I32_IN, I32_IN, I32_IN, I64_IN, U64_IN, U64_IN, U64_OUT, U64_OUT, I32_OUT, I64_OUT, I64_OUT),
)
def hash_paths(
    node: I32,
    case: I32,
    row: I32,
    time: I64,
    key_a: U64,
    key_b: U64,
    hash_a: U64,
    hash_b: U64,
    length: I32,
    first: I64,
    last: I64,
) -> None:
    """Hash, length, first and last time of the path of every case.

    Parameters
    ----------
    node, case, row : int32, shape (n_nodes,)
        As `percorso.kernels.paths.path_nodes` yields them.
    time : int64, shape (n_events,)
        µs UTC.
    key_a, key_b : uint64, shape (k,)
        Two halves of a 128-bit hash of each node's name; names, not codes, so that buckets agree.
    hash_a, hash_b : uint64, shape (n_cases,), in and out
        Start at 0, or at the hash of what the case is counted under.
    length : int32, shape (n_cases,), in and out
        Start at 0.
    first, last : int64, shape (n_cases,), out
        Times of the first and last node; undefined for a case without nodes.
    """
    for i in range(node.shape[0]):
        c = case[i]
        x = node[i]
        a = _turn((hash_a[c] ^ key_a[x]) * np.uint64(0x87C37B91114253D5), np.uint64(31)) + hash_b[c]
        b = _turn((hash_b[c] ^ key_b[x]) * np.uint64(0x4CF5AD432745937F), np.uint64(33)) + a
        hash_a[c] = a
        hash_b[c] = b
        if length[c] == 0:
            first[c] = time[row[i]]
        last[c] = time[row[i]]
        length[c] += 1


@kernel(types.int64(U64_IN, U64_IN, BOOL_IN, I32_OUT, I32_OUT))
def group_paths(hash_a: U64, hash_b: U64, keep: Bools, variant_out: I32, example_out: I32) -> int:
    """Number the distinct paths of a bucket in order of first appearance.

    Parameters
    ----------
    hash_a, hash_b : uint64, shape (n_cases,)
    keep : bool, shape (n_cases,)
        Which cases count.
    variant_out : int32, shape (n_cases,), out
        Number of each case's path; -1: left out.
    example_out : int32, shape (n_cases,), out
        By number, the first case with that path.

    Returns
    -------
    int
        How many paths there are. Memory follows these, not the cases.
    """
    places = np.int64(1024)
    mask = np.uint64(places - 1)
    table = np.full(places, -1, dtype=np.int32)
    n = 0
    for c in range(hash_a.shape[0]):
        if not keep[c]:
            variant_out[c] = -1
            continue
        if 2 * (n + 1) > places:
            places *= 4
            mask = np.uint64(places - 1)
            table = np.full(places, -1, dtype=np.int32)
            for v in range(n):
                slot = slot_of(hash_a[example_out[v]], mask)
                while table[slot] >= 0:
                    slot = (slot + np.uint64(1)) & mask
                table[slot] = v
        slot = slot_of(hash_a[c], mask)
        while table[slot] >= 0:
            e = example_out[table[slot]]
            if hash_a[e] == hash_a[c] and hash_b[e] == hash_b[c]:
                break
            slot = (slot + np.uint64(1)) & mask
        if table[slot] < 0:
            table[slot] = n
            example_out[n] = c
            n += 1
        variant_out[c] = table[slot]
    return n


@kernel(types.void(I32_IN, BOOL_IN, BOOL_IN, I32_IN, I64_OUT, I64_OUT, I64_OUT, I64_OUT))
def variant_counts(
    variant: I32,
    eligible: Bools,
    converted: Bools,
    person: I32,
    count_out: I64,
    persons_out: I64,
    eligible_out: I64,
    converted_out: I64,
) -> None:
    """Cases, distinct persons, cases that can convert and cases that did, by variant.

    Parameters
    ----------
    variant : int32, shape (n_cases,)
        -1: left out.
    eligible, converted : bool, shape (n_cases,)
    person : int32, shape (n_cases,)
        Cases of one person stand together.
    count_out, persons_out, eligible_out, converted_out : int64, shape (n_variants,), out
        Added to.
    """
    last_person = np.full(count_out.shape[0], -1, dtype=np.int32)
    for c in range(variant.shape[0]):
        v = variant[c]
        if v < 0:
            continue
        count_out[v] += 1
        if last_person[v] != person[c]:
            last_person[v] = person[c]
            persons_out[v] += 1
        if eligible[c]:
            eligible_out[v] += 1
            if converted[c]:
                converted_out[v] += 1


@kernel(types.int64(I64_IN2, I64_IN2, I64_OUT2))
def merge_rows(left: I64, right: I64, out: I64) -> int:
    """Merge two lists of variants: one row for each hash, counts added, the earlier example kept.

    A row is ``hash_a, hash_b`` (bits of uint64), group, example, and counts.

    Parameters
    ----------
    left : int64, shape (n_left, n_columns)
        Sorted by hash, each hash once.
    right : int64, shape (n_right, n_columns)
    out : int64, shape (n_left + n_right, n_columns), out

    Returns
    -------
    int
        How many rows of `out` are filled; these are sorted too.
    """
    i = j = n = 0
    n_left, n_right, n_columns = left.shape[0], right.shape[0], left.shape[1]
    while i < n_left or j < n_right:
        # Below 0: left comes first; above: right; 0: both have the hash.
        order = -1 if j == n_right else 1 if i == n_left else 0
        if order == 0:
            for half in range(2):
                a, b = np.uint64(left[i, half]), np.uint64(right[j, half])
                if a != b:
                    order = -1 if a < b else 1
                    break
        if order <= 0:
            for column in range(n_columns):
                out[n, column] = left[i, column]
            i += 1
        if order > 0:
            for column in range(n_columns):
                out[n, column] = right[j, column]
            j += 1
        elif order == 0:
            out[n, 3] = min(out[n, 3], right[j, 3])
            for column in range(4, n_columns):
                out[n, column] += right[j, column]
            j += 1
        n += 1
    return n


@kernel(types.int64(I32_IN, I32_IN, I32_IN, I32_IN, I64_IN, I32_IN))
def misspelt(node: I32, case: I32, rank: I32, length: I32, offsets: I64, spelling: I32) -> int:
    """How many cases do not spell the path of the variant that their hash puts them in.

    Parameters
    ----------
    node, case : int32, shape (n_nodes,)
    rank : int32, shape (n_cases,)
        Which of the spelt variants a case belongs to; -1: none.
    length : int32, shape (n_cases,)
        Nodes of each case.
    offsets : int64, shape (n_spelt + 1,)
        Where each variant's path begins in `spelling`.
    spelling : int32, shape (n_spelt_nodes,)
        Codes of this bucket; -1 for a node it does not know.
    """
    wrong = np.zeros(rank.shape[0], dtype=np.bool_)
    position = np.zeros(rank.shape[0], dtype=np.int32)
    for i in range(node.shape[0]):
        c = case[i]
        r = rank[c]
        if r < 0:
            continue
        at = offsets[r] + position[c]
        if at >= offsets[r + 1] or spelling[at] != node[i]:
            wrong[c] = True
        position[c] += 1
    n = 0
    for c in range(rank.shape[0]):
        if rank[c] >= 0 and (wrong[c] or length[c] != offsets[rank[c] + 1] - offsets[rank[c]]):
            n += 1
    return n
