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

__all__ = ["add_variants", "group_paths", "hash_paths", "misspelt", "variant_counts"]


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


@kernel(types.void(I32_IN, BOOL_IN, BOOL_IN, I32_IN, I64_OUT2))
def variant_counts(variant: I32, eligible: Bools, converted: Bools, person: I32, counts_out: I64) -> None:
    """Cases, distinct persons, cases that can convert and cases that did, by variant.

    Parameters
    ----------
    variant : int32, shape (n_cases,)
        -1: left out.
    eligible, converted : bool, shape (n_cases,)
    person : int32, shape (n_cases,)
        Cases of one person stand together.
    counts_out : int64, shape (n_variants, 4), in and out
        Added to, in the order above.
    """
    last_person = np.full(counts_out.shape[0], -1, dtype=np.int32)
    for c in range(variant.shape[0]):
        v = variant[c]
        if v < 0:
            continue
        counts_out[v, 0] += 1
        if last_person[v] != person[c]:
            last_person[v] = person[c]
            counts_out[v, 1] += 1
        if eligible[c]:
            counts_out[v, 2] += 1
            if converted[c]:
                counts_out[v, 3] += 1


@kernel(types.void(I32_IN, I64_IN, I64_IN2, I64_OUT, I64_OUT2))
def add_variants(variant: I32, example: I64, counts: I64, example_out: I64, counts_out: I64) -> None:
    """Add up lists of variants: counts added, the least example kept.

    Parameters
    ----------
    variant : int32, shape (n_rows,)
        What number each row's path has over all lists, as `group_paths` gives them.
    example : int64, shape (n_rows,)
    counts : int64, shape (n_rows, n_columns)
    example_out : int64, shape (n_variants,), in and out
    counts_out : int64, shape (n_variants, n_columns), in and out
    """
    for row in range(variant.shape[0]):
        v = variant[row]
        example_out[v] = min(example_out[v], example[row])
        for column in range(counts.shape[1]):
            counts_out[v, column] += counts[row, column]


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
