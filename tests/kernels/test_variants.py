from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from percorso.kernels.variants import add_variants, group_paths, hash_paths, misspelt, variant_counts
from tests.kernels.path_rows import NAMES, PathRows, path_rows
from tests.naive import flow, variants

DIGESTS = [hashlib.blake2b(name.encode(), digest_size=16).digest() for name in NAMES]
KEYS = np.frombuffer(b"".join(DIGESTS), np.uint64).reshape(-1, 2)
KEY_A, KEY_B = np.ascontiguousarray(KEYS[:, 0]), np.ascontiguousarray(KEYS[:, 1])


@given(path_rows(), st.booleans(), st.booleans(), st.data())
def test_variants_equal_the_plain_ones(rows: PathRows, by_contact: bool, collapse: bool, data: st.DataObject) -> None:
    n_cases = rows.n_cases
    eligible = np.array(data.draw(st.lists(st.booleans(), min_size=n_cases, max_size=n_cases)), np.bool_)
    converted = np.array(data.draw(st.lists(st.booleans(), min_size=n_cases, max_size=n_cases)), np.bool_)
    node, case, row = rows.nodes(by_contact=by_contact, collapse=collapse)
    hash_a, hash_b = np.zeros(n_cases, np.uint64), np.zeros(n_cases, np.uint64)
    length, first, last = np.zeros(n_cases, np.int32), np.zeros(n_cases, np.int64), np.zeros(n_cases, np.int64)
    hash_paths(node, case, row, rows.time, KEY_A, KEY_B, hash_a, hash_b, length, first, last)
    variant, example = np.empty(n_cases, np.int32), np.empty(n_cases, np.int32)
    n = group_paths(hash_a, hash_b, length > 0, variant, example)
    counts = np.zeros((n, 4), np.int64)
    variant_counts(variant, eligible, converted, rows.case_person, counts)

    paths = flow.paths(rows.rows(), by_contact=by_contact, collapse=collapse)
    outcome = {c: bool(converted[c]) for c in range(n_cases) if eligible[c]}
    expected = variants.variants(paths, rows.person_of_case(), outcome)
    assert n == len(expected)
    for v in range(n):
        same = np.flatnonzero(variant == v)
        plain = expected[tuple(name for name, _ in paths[int(example[v])])]
        assert sorted(plain.cases) == same.tolist()
        assert example[v] == same[0]
        assert counts[v].tolist() == [len(plain.cases), len(plain.persons), plain.eligible, plain.converted]
        assert (last - first)[same].tolist() == [paths[c][-1][1] - paths[c][0][1] for c in same.tolist()]


@given(path_rows(), st.integers(0, 2))
def test_a_case_that_spells_another_path_is_found(rows: PathRows, damage: int) -> None:
    node, case, _ = rows.nodes(by_contact=False, collapse=False)
    paths = flow.paths(rows.rows())
    cases = sorted(paths)
    spelling = [[NAMES.index(name) for name, _ in paths[c]] for c in cases]
    if spelling and damage == 1:
        spelling[-1] = [*spelling[-1], 1]
    if spelling and damage == 2:
        spelling[-1] = [*spelling[-1][:-1], spelling[-1][-1] % 4 + 1]
    rank, length = np.full(rows.n_cases, -1, np.int32), np.zeros(rows.n_cases, np.int32)
    rank[cases] = np.arange(len(cases))
    np.add.at(length, case, 1)
    offsets = np.cumsum([0, *map(len, spelling)]).astype(np.int64)
    flat = np.array([code for path in spelling for code in path], np.int32)
    assert misspelt(node, case, rank, length, offsets, flat) == (1 if cases and damage else 0)


HASHES = st.lists(st.tuples(st.integers(0, 2**64 - 1) | st.integers(0, 3), st.integers(0, 3)), unique=True)


@given(st.lists(HASHES, max_size=4))
def test_lists_add_up_to_each_path_once(lists: list[list[tuple[int, int]]]) -> None:
    every = [(pair, number) for number, pairs in enumerate(lists) for pair in pairs]
    hash_a, hash_b = (np.array([pair[half] for pair, _ in every], np.uint64) for half in (0, 1))
    variant, first = np.empty(len(every), np.int32), np.empty(len(every), np.int32)
    n = group_paths(hash_a, hash_b, np.ones(len(every), np.bool_), variant, first)
    example = np.array([10 - number for _, number in every], np.int64)
    counts = np.array([[10**number, 1] for _, number in every], np.int64).reshape(-1, 2)
    least, added = example[first[:n]], np.zeros((n, 2), np.int64)
    add_variants(variant, example, counts, least, added)
    found = {every[first[v]][0]: (least[v], *added[v].tolist()) for v in range(n)}
    inside = {pair: [number for number, pairs in enumerate(lists) if pair in pairs] for pair, _ in every}
    assert len(found) == n
    assert found == {
        pair: (10 - max(numbers), sum(10**number for number in numbers), len(numbers))
        for pair, numbers in inside.items()
    }


def test_paths_of_equal_nodes_in_another_order_or_number_differ() -> None:
    """All paths of up to six nodes over four names: 5,460 paths, as many hashes in each half."""
    paths: list[list[int]] = [[]]
    for path in paths:
        if len(path) < 6:
            paths += [[*path, x] for x in range(1, 5)]
    paths = paths[1:]
    node = np.array([x for path in paths for x in path], np.int32)
    case = np.repeat(np.arange(len(paths)), [len(path) for path in paths]).astype(np.int32)
    n = len(paths)
    hash_a, hash_b = np.zeros(n, np.uint64), np.zeros(n, np.uint64)
    spare = np.zeros(n, np.int64), np.zeros(n, np.int64)
    rows = np.zeros(len(node), np.int32)
    hash_paths(node, case, rows, np.zeros(1, np.int64), KEY_A, KEY_B, hash_a, hash_b, np.zeros(n, np.int32), *spare)
    assert n == 5_460
    assert len(np.unique(hash_a)) == len(np.unique(hash_b)) == n
    variant, example = np.empty(n, np.int32), np.empty(n, np.int32)
    assert group_paths(hash_a, hash_b, np.ones(n, np.bool_), variant, example) == n
    twice = np.concatenate([hash_a, hash_a]), np.concatenate([hash_b, hash_b])
    variant, example = np.empty(2 * n, np.int32), np.empty(2 * n, np.int32)
    assert group_paths(*twice, np.ones(2 * n, np.bool_), variant, example) == n
    assert np.array_equal(variant[:n], variant[n:])
