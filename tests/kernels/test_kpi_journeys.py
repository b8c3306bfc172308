"""Walks through journeys, contacts by their first event, touchpoints in one pass: against plain Python."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from percorso.kernels.kpi_events import codes_of_rows, contact_starts, contact_values, rows_by_code
from percorso.kernels.kpi_journeys import N_WALKED, journey_bounds, journey_spans, moves_of, opened_in, walk_journeys
from percorso.kernels.kpi_sums import add_columns, count_keys, seconds_between
from percorso.kernels.kpi_touches import lapses_of
from percorso.kernels.touchpoints import count_touches, journey_touches

DAY_US = 86_400_000_000
NOTHING = np.zeros(0, np.uint8)
STATES = st.sampled_from((0, 1, 2, 3))


@dataclass(frozen=True)
class Event:
    person: int
    time: int
    journey: int
    contact: int
    session: int
    code: int
    is_in: bool


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of three persons; journeys and contacts are each of one person, and may alternate."""
    found: list[Event] = []
    for person in range(3):
        time = 0
        for _ in range(draw(st.integers(0, 7))):
            time += draw(st.sampled_from((0, 1, DAY_US // 2)))
            journey, contact = draw(st.integers(-1, 1)), draw(st.integers(-1, 2))
            found.append(
                Event(
                    person,
                    time,
                    journey if journey < 0 else 2 * person + journey,
                    contact if contact < 0 else 3 * person + contact,
                    draw(st.integers(-1, 1)),
                    draw(st.integers(0, 2)),
                    draw(st.booleans()),
                )
            )
    return found


def column(events: Sequence[Event], name: str, kind: type) -> np.ndarray:
    return np.array([getattr(event, name) for event in events], kind)


def offsets_of(events: Sequence[Event]) -> np.ndarray:
    return np.searchsorted(column(events, "person", np.int64), np.arange(4)).astype(np.int64)


def firsts(events: Sequence[Event]) -> dict[int, int]:
    """The first event that is in of each contact."""
    found: dict[int, int] = {}
    for at, event in enumerate(events):
        if event.is_in and event.contact >= 0:
            found.setdefault(event.contact, at)
    return found


@given(histories())
def test_contacts_begin_with_their_first_event_that_is_in(events: list[Event]) -> None:
    code, acts = column(events, "code", np.uint8), np.array([True, False, True])
    keep = column(events, "is_in", np.uint8)
    number, row, person, start, inbound = contact_starts(
        offsets_of(events),
        column(events, "contact", np.int32),
        keep,
        column(events, "time", np.int64),
        code,
        acts,
        9,
    )
    known = firsts(events)
    assert dict(zip(number.tolist(), row.tolist(), strict=True)) == known
    assert row.tolist() == sorted(known.values())
    assert [(events[at].person, events[at].time, acts[events[at].code]) for at in row.tolist()] == list(
        zip(person.tolist(), start.tolist(), inbound.tolist(), strict=True)
    )
    values = contact_values(person, inbound).tolist()
    new = [at == 0 or person[at] != person[at - 1] for at in range(len(person))]
    assert values == [[1, acted, not acted, first] for acted, first in zip(inbound.tolist(), new, strict=True)]
    wanted = np.array([True, False, True])
    rows, begin = rows_by_code(code, wanted, keep)
    for one in range(3):
        plain = [at for at, event in enumerate(events) if event.is_in and event.code == one and wanted[one]]
        assert rows[begin[one] : begin[one + 1]].tolist() == plain
    assert codes_of_rows(code, np.array([5, 6, 7], np.int32), row).tolist() == [5 + events[at].code for at in row]


def walked(events: list[Event], journey: int, goal: int, as_of: int, names: tuple[list[int], list[int]]) -> list[int]:
    """Plainly: every event of the journey up to the as-of time, and but for the stages up to its goal."""
    acts = [True, False, True]
    known, mine = firsts(events), [at for at, event in enumerate(events) if event.journey == journey]
    mine = [at for at in mine if events[at].time <= as_of]
    stages = sum(1 << code for code in {events[at].code for at in mine})
    counted = [at for at in mine if events[at].is_in and (goal < 0 or at <= goal)]
    contacts = list(dict.fromkeys(events[at].contact for at in counted if events[at].contact >= 0))
    found: list[int] = []
    for of_contact in names:
        way = [of_contact[one] for one in contacts if acts[events[known[one]].code] and of_contact[one] >= 0]
        found += [len(way), sum(a != b for a, b in itertools.pairwise(way)), len(set(way))]
    if goal < 0:
        return [*found, 0, 0, 0, stages]
    sessions = {events[at].session for at in counted if events[at].session >= 0}
    days = {events[at].time // DAY_US for at in counted}
    return [*found, len(contacts), len(sessions), len(days), stages]


@given(histories(), st.data())
def test_a_walk_tells_what_plain_counting_tells(events: list[Event], data: st.DataObject) -> None:
    as_of = data.draw(st.sampled_from((10**15, DAY_US, 0)))
    names = tuple(data.draw(st.lists(st.integers(-1, 2), min_size=9, max_size=9)) for _ in range(2))
    assert len(names) == 2
    goals, states = [], []
    for number in range(6):
        mine = [at for at, event in enumerate(events) if event.journey == number and event.time <= as_of]
        goals.append(data.draw(st.sampled_from([-1, *mine])))
        states.append(1 if goals[-1] >= 0 else data.draw(st.sampled_from((0, 2))))
    known, acts = firsts(events), np.array([True, False, True])
    inbound = np.array([one in known and acts[events[known[one]].code] for one in range(9)], np.bool_)
    journey, state = column(events, "journey", np.int32), np.array(states, np.uint8)
    out = np.zeros((6, N_WALKED), np.int32)
    first, last = journey_bounds(journey, 6)
    for at in range(6):
        rows = np.flatnonzero(journey == at)
        assert (int(first[at]), int(last[at])) == ((rows[0], rows[-1]) if len(rows) else (2**31 - 1, -1))
    walk_journeys(
        np.arange(6, dtype=np.int32),
        state,
        first,
        last,
        np.array(goals, np.int32),
        journey,
        column(events, "contact", np.int32),
        column(events, "session", np.int32),
        column(events, "time", np.int64),
        column(events, "is_in", np.uint8),
        column(events, "code", np.uint8),
        np.arange(3, dtype=np.int32),
        inbound,
        np.array(names[0], np.int32),
        np.array(names[1], np.int32),
        3,
        3,
        2,
        as_of,
        np.array([-(1 << 62)], np.int64),
        np.array([0], np.int64),
        out,
    )
    assert out.tolist() == [walked(events, at, goals[at], as_of, (names[0], names[1])) for at in range(6)]
    values, breadth = moves_of(out, state, np.array([0, 1, 2, 5], np.int64))
    for row, line, key, one in zip(out.tolist(), values.tolist(), breadth.tolist(), states, strict=True):
        assert line == [
            part for n, changes, wide in (row[:3], row[3:6]) for part in (changes, max(n - 1, 0), n > 0, wide > 1)
        ]
        size = sum(row[0] >= start for start in (1, 2, 5))
        assert key == (min(row[2], 3) * 4 + size) * 2 + (one == 1)


def test_journeys_open_in_a_period_and_end_as_of_a_time() -> None:
    start, goal = np.array([0, 10, 20, 30, 40], np.int64), np.array([5, -1, 99, -1, -1], np.int64)
    intent, timeout = start, np.array([1, 15, 1, 100, 1], np.int64)
    kind, first = np.array([1, 1, 1, 1, 0], np.uint8), np.array([0, 1, 2, 3, 4], np.int32)
    limits = np.array([0, 20], np.int64), np.array([15, 50], np.int64)
    row, state = opened_in(kind, np.array([False, True]), first, start, goal, intent, timeout, NOTHING, *limits, 50)
    assert (row.tolist(), state.tolist()) == ([0, 1, 2, 3], [1, 2, 2, 0])
    span, to_goal = journey_spans(row, state, start, goal, intent, timeout, 50)
    assert (span.tolist(), to_goal.tolist()) == ([5, 15, 1, 20], [0, 0, 0, 0])
    keep = np.array([1, 1, 0, 1, 1], np.uint8)
    row, _ = opened_in(kind, np.array([False, True]), first, start, goal, intent, timeout, keep, *limits, 25)
    assert row.tolist() == [0, 1]


@given(histories(), st.lists(STATES, min_size=6, max_size=6), st.data())
def test_touchpoints_of_journeys_equal_the_plain_ones(
    events: list[Event], states: list[int], data: st.DataObject
) -> None:
    acts, n_names = [True, False, True], 70
    lut = np.array([3, 69, 3 if data.draw(st.booleans()) else 4], np.int32)
    last_row = [2**31 - 1] * 6
    for at, state in enumerate(states):
        mine = [row for row, event in enumerate(events) if event.journey == at]
        if state == 1 and mine:
            last_row[at] = data.draw(st.sampled_from(mine))
    journey = column(events, "journey", np.int32)
    old = data.draw(st.lists(st.booleans(), min_size=6, max_size=6))
    roles, exits, outcomes = np.zeros((n_names, 10), np.int64), np.zeros(n_names, np.int64), np.zeros(3, np.int64)
    code, keep = column(events, "code", np.uint8), column(events, "is_in", np.uint8)
    journey_touches(
        *journey_bounds(journey, 6),
        journey,
        code,
        lut,
        keep,
        code,
        np.array(acts),
        np.array(states, np.uint8),
        np.array(old),
        np.array(last_row, np.int32),
        np.zeros(6, np.int32),
        n_names,
        roles,
        exits,
        outcomes,
    )
    plain, plain_exits, plain_outcomes = np.zeros_like(roles), np.zeros_like(exits), np.zeros_like(outcomes)
    for at, state in enumerate(states):
        mine = [row for row, event in enumerate(events) if event.journey == at and event.is_in and row <= last_row[at]]
        acted = [row for row in mine if acts[events[row].code]]
        if state == 3 or not acted:
            continue
        before = [row for row in acted if row < last_row[at]] or acted
        first, last = lut[events[acted[0]].code], lut[events[before[-1]].code]
        plain_outcomes[state] += 1
        plain_exits[last] += state == 2
        for name in {int(lut[events[row].code]) for row in mine}:
            kinds = [name == first, name == last, name not in (first, last)]
            bought = [state == 1 and kind for kind in kinds]
            plain[name] += [1, state == 1, state == 0, *kinds, *bought, old[at] and state != 0]
    assert (roles == plain).all()
    assert (exits == plain_exits).all()
    assert (outcomes == plain_outcomes).all()


@given(histories())
def test_touchpoints_of_contacts_equal_the_plain_ones(events: list[Event]) -> None:
    acts, n_cells = [True, False, True], 140
    lut, group = np.array([0, 69, 1], np.int32), column(events, "session", np.int32) + 1 > 1
    out = [np.zeros((n_cells, width), np.int64) for width in (2, 3, 3, 4)]
    code = column(events, "code", np.uint8)
    earliest = count_touches(
        offsets_of(events),
        code,
        lut,
        group.astype(np.int32),
        70,
        column(events, "is_in", np.uint8),
        code,
        np.array(acts),
        code.astype(np.int32),
        code,
        np.arange(3, dtype=np.int32),
        column(events, "contact", np.int32),
        column(events, "time", np.int64),
        *out,
    )
    plain = [np.zeros_like(part) for part in out]
    of_person: dict[tuple[int, int], int] = {}
    seen: set[tuple[int, int]] = set()
    for at, event in enumerate(events):
        if not event.is_in:
            continue
        cell, way = int(group[at]) * 70 + int(lut[event.code]), 0 if acts[event.code] else 1
        plain[0][cell, way] += 1
        plain[1][cell, event.code] += 1
        plain[2][cell, event.code] += 1
        if event.contact >= 0 and (event.contact, cell) not in seen:
            seen.add((event.contact, cell))
            plain[3][cell, way] += 1
            of_person[event.person, cell] = of_person.get((event.person, cell), 0) + 1
    for (_, cell), n in of_person.items():
        plain[3][cell, 2:] += [1, n * n]
    assert all((one == other).all() for one, other in zip(out, plain, strict=True))
    times = [event.time for event in events if event.is_in and event.contact >= 0]
    assert earliest == min(times, default=np.iinfo(np.int64).max)


def test_several_sums_at_once_and_keys_by_cell() -> None:
    slot, values = np.array([256, -1, 3], np.int32), np.array([[1, 5], [7, 7], [0, -2]], np.int32)
    out = np.zeros((2, 2, 256), np.int64)
    add_columns(slot, values, out)
    assert {(int(a), int(b), int(c)): int(out[a, b, c]) for a, b, c in zip(*np.nonzero(out), strict=True)} == {
        (0, 1, 0): 1,
        (1, 1, 0): 5,
        (1, 0, 3): -2,
    }
    cell, key, bins = np.array([1, 0, -1, 1], np.int32), np.array([2, 1, 0, 2], np.int64), np.zeros(6, np.int64)
    assert count_keys(cell, key, np.empty(0, np.bool_), 3, bins) == 3
    assert bins.tolist() == [0, 1, 0, 0, 0, 2]
    assert count_keys(cell, key, np.array([False, False, True, True]), 3, bins) == 1
    start = np.array([0, 5_000_000, 9], np.int64)
    assert seconds_between(start, np.array([1_999_999, 0, 9], np.int64)).tolist() == [1, 0, 0]


def test_who_is_lost_at_the_end_of_a_period_and_was_not_at_its_start() -> None:
    person, day = np.array([0, 0, 2, 3], np.int32), np.array([0, 9, 1, 10], np.int32)
    at_risk, lost = np.full(4, 2, np.int32), np.full(4, 5, np.int32)
    edges, today = np.array([3, 12], np.int64), np.array([3, 12], np.int32)
    found = lapses_of(person, day, day.astype(np.int64), at_risk, lost, edges, today, 3)
    assert found.tolist() == [[1, 1, 0, 1, 0], [1, 0, 1, 1, 1], [1, 0, 0, 0, 0]]
