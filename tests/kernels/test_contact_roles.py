"""Different items of groups, contacts of persons and events of journeys, against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.kernels.contact_roles import NOT_ASKED, distinct_in_groups
from percorso.kernels.contacts import find_contacts
from percorso.kernels.kpi_sums import persons_of

N_GROUPS, N_ITEMS = 4, 6

EVENTS = st.lists(st.tuples(st.integers(-1, N_GROUPS - 1), st.integers(-1, N_ITEMS - 1), st.booleans()), max_size=40)


def columns(events: list[tuple[int, int, bool]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    group, item = (np.array([one[n] for one in events], np.int32) for n in range(2))
    return group, item, np.array([one[2] for one in events], np.uint8)


def offsets_of(lengths: list[int]) -> np.ndarray:
    return np.append(0, np.cumsum(lengths)).astype(np.int64)


@pytest.mark.parametrize("n_items", [N_ITEMS, 100])  # a bit for each item, and more items than bits
@given(EVENTS, st.booleans(), st.lists(st.integers(0, 3), min_size=N_GROUPS, max_size=N_GROUPS), st.booleans())
def test_different_items_of_groups(
    n_items: int, events: list[tuple[int, int, bool]], filtered: bool, states: list[int], by_state: bool
) -> None:
    group, item, keep = columns(events)
    nothing = np.empty(0, np.uint8)
    state = np.array(states, np.uint8) if by_state else nothing
    row, offsets = distinct_in_groups(group, item, keep if filtered else nothing, state, N_GROUPS, n_items)
    plain: list[dict[int, int]] = [{} for _ in range(N_GROUPS)]
    for i, (g, x, kept) in enumerate(events):
        if g >= 0 and x >= 0 and (kept or not filtered) and not (by_state and states[g] == NOT_ASKED):
            plain[g].setdefault(x, i)
    assert offsets.tolist() == offsets_of([len(one) for one in plain]).tolist()
    assert row.tolist() == [i for one in plain for i in sorted(one.values())]


@given(st.lists(EVENTS, max_size=4), st.booleans())
def test_contacts_of_persons(persons: list[list[tuple[int, int, bool]]], filtered: bool) -> None:
    offsets = offsets_of([len(one) for one in persons])
    # A contact is of one person.
    contact = [-1 if x < 0 else p * N_ITEMS + x for p, one in enumerate(persons) for _, x, _ in one]
    keep = [kept for one in persons for _, _, kept in one]
    mask = np.array(keep, np.uint8) if filtered else np.empty(0, np.uint8)
    found = find_contacts(offsets, np.array(contact, np.int32), mask, len(persons) * N_ITEMS)
    plain: dict[int, list[int]] = {}
    for i, c in enumerate(contact):
        if c >= 0 and (keep[i] or not filtered):
            plain.setdefault(c, [c, i, c // N_ITEMS, i, 0])
            plain[c][3] = i
            plain[c][4] += 1
    assert [list(map(int, one)) for one in zip(*found, strict=True)] == list(plain.values())


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.data())
def test_whose_events_are(lengths: list[int], data: st.DataObject) -> None:
    offsets = offsets_of(lengths)
    if not offsets[-1]:
        return
    rows = data.draw(st.lists(st.integers(0, int(offsets[-1]) - 1), max_size=20))  # in any order
    found = persons_of(np.array(rows, np.int64), offsets)
    assert found.tolist() == [next(p for p, end in enumerate(offsets[1:]) if row < end) for row in rows]
