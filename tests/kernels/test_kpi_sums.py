"""Sums by period and group against plain counting."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from percorso.kernels.kpi_sums import active_persons, add_by_slot, count_persons, periods_of, slots_of
from percorso.kernels.kpi_touches import bits_of_persons, last_touches

EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(0, 1), st.integers(0, 2)), max_size=30)
EDGES = st.lists(st.integers(0, 30), min_size=2, max_size=8, unique=True).map(sorted)


def split(edges: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Every other gap between edges is a period."""
    pairs = [(edges[n], edges[n + 1]) for n in range(0, len(edges) - 1, 2)]
    return np.array([a for a, _ in pairs], np.int64), np.array([b for _, b in pairs], np.int64)


def plain_period(time: int, starts: np.ndarray, ends: np.ndarray) -> int:
    return next((n for n, (a, b) in enumerate(zip(starts, ends, strict=True)) if a <= time < b), -1)


@given(EVENTS, EDGES)
def test_active_persons(events: list[tuple[int, int, int, int]], edges: list[int]) -> None:
    events.sort(key=lambda one: (one[0], one[1]))
    starts, ends = split(edges)
    person, time, keep, code = (np.array([one[n] for one in events], np.int64) for n in range(4))
    offsets = np.searchsorted(person, np.arange(5)).astype(np.int64)
    group = np.array([7, 3, 7, 250], np.uint8)
    n_cells = 3 * len(starts)
    found, persons = np.zeros((n_cells, 256), np.int64), np.zeros((n_cells, 256), np.int64)
    codes = code.astype(np.int32)
    active_persons(offsets, time, keep.astype(np.uint8), starts, ends, codes, 3, group, found, persons)
    plain, who = np.zeros_like(found), {}
    for p, t, k, c in events:
        at = plain_period(t, starts, ends)
        if k and at >= 0:
            plain[at * 3 + c, group[p]] += 1
            who[at * 3 + c, p] = group[p]
    assert (found == plain).all()
    assert persons.sum() == len(who)
    for (cell, _), g in who.items():
        assert persons[cell, g] > 0


@given(EVENTS, st.tuples(st.integers(0, 29), st.integers(1, 30)))
def test_active_persons_of_one_period(events: list[tuple[int, int, int, int]], period: tuple[int, int]) -> None:
    """Without mask and break-down a person who is in with all events is counted without a look at them."""
    events.sort(key=lambda one: (one[0], one[1]))
    start, end = min(period), max(period) + 1
    person, time = (np.array([one[n] for one in events], np.int64) for n in range(2))
    offsets = np.searchsorted(person, np.arange(5)).astype(np.int64)
    found, persons = np.zeros((1, 256), np.int64), np.zeros((1, 256), np.int64)
    limits, group = (np.array([start], np.int64), np.array([end], np.int64)), np.array([7, 3, 7, 250], np.uint8)
    active_persons(offsets, time, np.empty(0, np.uint8), *limits, np.empty(0, np.int32), 1, group, found, persons)
    inside = [p for p, t, _, _ in events if start <= t < end]
    assert found[0].tolist() == [sum(group[p] == g for p in inside) for g in range(256)]
    assert persons[0].tolist() == [sum(group[p] == g for p in set(inside)) for g in range(256)]


@given(EVENTS, EDGES)
def test_sums_and_persons_by_group(events: list[tuple[int, int, int, int]], edges: list[int]) -> None:
    events.sort(key=lambda one: one[0])
    starts, ends = split(edges)
    person, time, keep, weight = (np.array([one[n] for one in events], np.int64) for n in range(4))
    cell = periods_of(time, starts, ends)
    assert cell.tolist() == [plain_period(int(t), starts, ends) for t in time]
    group = np.array([1, 1, 2, 3], np.uint8)
    sums, persons = np.zeros((len(starts), 256), np.int64), np.zeros((len(starts), 256), np.int64)
    wanted = keep.astype(np.bool_)
    add_by_slot(slots_of(cell, person.astype(np.int32), group), wanted, weight, sums)
    count_persons(cell, person.astype(np.int32), group, persons)
    plain = np.zeros_like(sums)
    for p, c, k, w in zip(person, cell, keep, weight, strict=True):
        if c >= 0 and k:
            plain[c, group[p]] += w
    assert (sums == plain).all()
    assert persons.sum() == len({(p, c) for p, c in zip(person.tolist(), cell.tolist(), strict=True) if c >= 0})


def test_the_last_contact_that_counts_is_in_the_journey_and_in_time() -> None:
    person, row = np.array([0, 0, 0, 1], np.int32), np.array([0, 2, 4, 9], np.int32)
    start, journey = np.array([0, 10, 20, 0], np.int64), np.array([1, 1, 2, 3], np.int32)
    counts = np.array([True, False, True, True])
    orders = np.array([0, 0, 1], np.int32), np.array([3, 5, 10], np.int32), np.array([15, 21, 16], np.int64)
    purchase = np.array([1, 2, 3], np.int32)
    found = last_touches(person, row, start, journey, counts, *orders, purchase, 15)
    assert found.tolist() == [0, 2, -1]


def test_places_of_persons() -> None:
    person, code = np.array([0, 0, 1, 1], np.int32), np.array([2, 2, 0, 5], np.int32)
    bits = bits_of_persons(person, code, np.array([True, True, True, False]), 3)
    assert bits.tolist() == [4, 1, 0]
