from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.kernels.arrays import I64
from percorso.kernels.flow import (
    count_edges_by_case,
    count_edges_by_person,
    edges_of,
    group_counts,
    number_keys,
    steps_backward,
    steps_forward,
)
from percorso.kernels.paths import case_marks, person_of_event
from tests.kernels.path_rows import NAMES, PathRows, path_rows
from tests.naive import flow as naive

K = len(NAMES)
LABELS = (*NAMES, naive.START, naive.END)


def named(key: int) -> tuple[str, str]:
    return LABELS[key // (K + 2)], LABELS[key % (K + 2)]


def counts(table: I64) -> dict[tuple[str, str], int]:
    return {named(int(key)): int(table[key]) for key in np.flatnonzero(table)}


@given(path_rows(), st.booleans(), st.booleans())
def test_nodes_edges_persons_and_times_equal_the_plain_ones(rows: PathRows, by_contact: bool, collapse: bool) -> None:
    node, case, row = rows.nodes(by_contact=by_contact, collapse=collapse)
    paths = naive.paths(rows.rows(), by_contact=by_contact, collapse=collapse)
    streamed: dict[int, naive.Path] = {}
    for i in range(len(node)):
        streamed.setdefault(int(case[i]), []).append((NAMES[node[i]], int(rows.time[row[i]])))
    assert streamed == paths

    edge, gap, end = np.empty(len(node), np.int64), np.empty(len(node), np.int64), np.empty(rows.n_cases, np.int64)
    group = np.full(rows.n_cases, 3, np.int32)
    edges_of(node, case, row, rows.time, group, K, edge, gap, end)
    edge -= 3 * (K + 2) ** 2
    end[end >= 0] -= 3 * (K + 2) ** 2
    found: dict[tuple[str, str], naive.Edge] = {}
    for keys, persons in ((edge, rows.case_person[case]), (end, rows.case_person)):
        number, distinct = np.empty(len(keys), np.int32), np.empty(len(keys), np.int64)
        n = number_keys(keys, number, distinct)
        count, n_persons = np.zeros(n, np.int64), np.zeros(n, np.int64)
        group_counts(number, persons, count, n_persons)
        for d in range(n):
            gaps = [int(gap[i]) for i in range(len(node)) if edge[i] == distinct[d] and gap[i] >= 0]
            found[named(int(distinct[d]))] = naive.Edge(int(count[d]), set(range(n_persons[d])), gaps)
    expected = naive.edges(paths, rows.person_of_case())
    assert {e: (v.count, len(v.persons), sorted(v.gaps)) for e, v in found.items()} == {
        e: (v.count, len(v.persons), sorted(v.gaps)) for e, v in expected.items()
    }


@given(path_rows())
def test_plain_counts_by_case_equal_the_plain_ones(rows: PathRows) -> None:
    table = np.zeros((K + 2) ** 2, np.int64)
    count_edges_by_case(rows.codes.astype(np.uint8), rows.case, rows.n_cases, K, table)
    every = [naive.Row(r.person, r.time, r.node or "none", r.case) for r in rows.rows()]
    expected = naive.edges(naive.paths(every), rows.person_of_case())
    assert counts(table) == {
        (a.replace("none", ""), b.replace("none", "")): edge.count for (a, b), edge in expected.items()
    }


@given(path_rows(), st.sampled_from((K, 200)))
def test_plain_counts_by_person_equal_the_plain_ones(rows: PathRows, k: int) -> None:
    """With 200 nodes the kernel keeps one table instead of four."""
    table = np.zeros((k + 2) ** 2, np.int64)
    count_edges_by_person(rows.codes.astype(np.uint16), rows.offsets, k, table)
    person = np.empty(len(rows.codes), np.int32)
    person_of_event(rows.offsets, person)
    every = [naive.Row(r.person, r.time, r.node or "none", r.person) for r in rows.rows()]
    assert person.tolist() == [r.person for r in every]
    expected = naive.edges(naive.paths(every), {p: p for p in range(len(rows.offsets) - 1)})
    position = {name: code for code, name in enumerate(NAMES)} | {"none": 0, naive.START: k, naive.END: k + 1}
    assert {int(key): int(table[key]) for key in np.flatnonzero(table)} == {
        position[a] * (k + 2) + position[b]: edge.count for (a, b), edge in expected.items()
    }


@given(path_rows(), st.integers(0, 4), st.integers(1, 5))
def test_steps_equal_the_plain_ones(rows: PathRows, anchor: int, n_steps: int) -> None:
    node, case, _ = rows.nodes(by_contact=False, collapse=False)
    paths = naive.paths(rows.rows())
    for kernel, forward in ((steps_forward, True), (steps_backward, False)):
        key = np.empty(len(node) + rows.n_cases, np.int64)
        of = np.full(len(key), -1, np.int32)
        n = kernel(node, case, rows.n_cases, K, anchor, n_steps, key, of)
        assert all(anchor in node[case == c] for c in of[:n])
        found: dict[tuple[int, str, str], int] = {}
        for value in key[:n].tolist():
            position, (a, b) = value // (K + 2) ** 2, named(value % (K + 2) ** 2)
            link = (position if forward else -position - 1, a, b)
            found[link] = found.get(link, 0) + 1
        name = NAMES[anchor]
        assert found == naive.steps(paths, n_steps, **{"start" if forward else "to": name or "nobody"})


@given(st.lists(st.integers(-1, 10_000), max_size=6_000))
@settings(max_examples=20, deadline=None)
def test_keys_are_numbered_in_order_of_appearance(keys: list[int]) -> None:
    number, distinct = np.empty(len(keys), np.int32), np.empty(len(keys), np.int64)
    n = number_keys(np.array(keys, np.int64), number, distinct)
    expected = list(dict.fromkeys(key for key in keys if key >= 0))
    assert distinct[:n].tolist() == expected
    assert number.tolist() == [expected.index(key) if key >= 0 else -1 for key in keys]


def test_a_table_that_grows_keeps_its_keys() -> None:
    keys = np.repeat(np.arange(50_000, dtype=np.int64) * 7919, 2)
    number, distinct = np.empty(len(keys), np.int32), np.empty(len(keys), np.int64)
    assert number_keys(keys, number, distinct) == 50_000
    assert np.array_equal(distinct[number], keys)


@pytest.mark.parametrize("filtered", [False, True])
def test_cases_are_marked_by_events_that_are_in(filtered: bool) -> None:
    case = np.array([0, 1, 1, -1, 2], np.int32)
    flags = np.array([32, 0, 33, 32, 32], np.uint16)
    keep = np.array([1, 1, 1, 1, 0], np.uint8) if filtered else np.empty(0, np.uint8)
    marks = np.zeros(3, np.bool_)
    case_marks(case, keep, flags, 32, marks)
    assert marks.tolist() == [True, True, not filtered]
