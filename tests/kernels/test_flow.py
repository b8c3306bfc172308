from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.kernels.arrays import I64, U8, U16
from percorso.kernels.flow import (
    count_edges_by_case,
    count_edges_by_person,
    count_kept_edges_by_person,
    edges_of,
    group_counts,
    number_keys,
    steps_backward,
    steps_forward,
)
from percorso.kernels.paths import case_marks, path_nodes, person_of_event
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


def plain(rows: PathRows, *, filtered: bool, per_person: bool) -> dict[tuple[str, str], int]:
    """Counts of the plain twin; unless filtered, events out and events without a node count too."""
    every = [
        naive.Row(
            person=row.person,
            time=row.time,
            node=row.node if filtered else row.node or "none",
            case=row.person if per_person else row.case,
            kept=row.kept or not filtered,
        )
        for row in rows.rows()
    ]
    person = {p: p for p in range(len(rows.offsets) - 1)} if per_person else rows.person_of_case()
    found = naive.edges(naive.paths(every), person)
    return {(a.replace("none", ""), b.replace("none", "")): edge.count for (a, b), edge in found.items()}


@given(path_rows(), st.booleans(), st.booleans())
def test_plain_counts_by_case_equal_the_plain_ones(rows: PathRows, filtered: bool, by_flags: bool) -> None:
    table = np.zeros((K + 2) ** 2, np.int64)
    keep, flags, out, skip = filters(rows, filtered, by_flags)
    codes = rows.codes.astype(np.uint8)
    count_edges_by_case(codes, rows.case, keep, flags, out, skip, rows.n_cases, K, table)
    assert counts(table) == plain(rows, filtered=filtered, per_person=False)


@given(path_rows(), st.booleans())
def test_kept_counts_by_person_equal_the_plain_ones(rows: PathRows, by_flags: bool) -> None:
    table = np.zeros((K + 2) ** 2, np.int64)
    keep, flags, out, skip = filters(rows, True, by_flags)
    count_kept_edges_by_person(rows.codes.astype(np.uint16), rows.offsets, keep, flags, out, skip, K, table)
    assert counts(table) == plain(rows, filtered=True, per_person=True)


def filters(rows: PathRows, filtered: bool, by_flags: bool) -> tuple[U8, U16, int, int]:
    """keep, flags, out_flags and skip: what is out is told by flags or by a mask."""
    no_mask, no_flags = np.empty(0, np.uint8), np.empty(0, np.uint16)
    if not filtered:
        return no_mask, no_flags, 0, -1
    if by_flags:
        return no_mask, np.where(rows.keep == 1, 8, 3).astype(np.uint16), 2, 0
    return rows.keep, no_flags, 0, 0


@given(path_rows(), st.sampled_from((K, 200)))
def test_plain_counts_by_person_equal_the_plain_ones(rows: PathRows, k: int) -> None:
    """With 200 nodes the kernel keeps one table instead of four."""
    table = np.zeros((k + 2) ** 2, np.int64)
    count_edges_by_person(rows.codes.astype(np.uint16), rows.offsets, k, table)
    person = np.empty(len(rows.codes), np.int32)
    person_of_event(rows.offsets, person)
    assert person.tolist() == [row.person for row in rows.rows()]
    position = {name: code for code, name in enumerate(NAMES)} | {naive.START: k, naive.END: k + 1}
    assert {int(key): int(table[key]) for key in np.flatnonzero(table)} == {
        position[a] * (k + 2) + position[b]: count
        for (a, b), count in plain(rows, filtered=False, per_person=True).items()
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


def test_a_contact_that_goes_to_and_fro_is_one_node_of_each_case() -> None:
    out = [np.empty(5, np.int32) for _ in range(3)]
    case = np.array([0, 1, 0, 1, 0], np.int32)
    contact = np.array([7, 7, 7, 7, 3], np.int32)
    n = path_nodes(np.full(5, 1, np.uint8), case, np.empty(0, np.uint8), contact, 0, False, 2, 8, *out)
    assert out[2][:n].tolist() == [0, 1, 4]


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
