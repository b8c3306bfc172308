"""The funnel kernels against their naive twins, on random logs of a few events with many ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.kernels.attempt_rows import EXCLUSION_BIT, IN_BIT, NO_LIMIT
from percorso.kernels.attempts import first_attempts, latest_attempts
from percorso.kernels.attempts_any import first_unordered, latest_unordered
from percorso.kernels.funnel import mark_steps, ordered_funnel, ordered_levels
from tests.naive import funnel as naive


def run_kernel(units: list[list[naive.Event]], rules: naive.Rules) -> list[list[naive.Attempt]]:
    events = [event for unit in units for event in unit]
    bits = [
        (1 << IN_BIT)
        + sum(1 << (step - 1) for step in event.steps)
        + sum(1 << (EXCLUSION_BIT + e) for e in event.exclusions)
        for event in events
    ]
    offsets = np.cumsum([0, *(len(unit) for unit in units)]).astype(np.int64)
    n_most = max(len(events), len(units)) if rules.every else len(units)
    unit = np.empty(n_most, np.int32)
    visited = np.empty(n_most, np.uint32)
    begin = np.empty(n_most, np.int32)
    gaps = np.empty((rules.n_steps, n_most), np.int64)
    n_gaps = np.empty(rules.n_steps, np.int64)
    times = np.array([event.time for event in events], np.int64)
    within, step_within = int(min(rules.within, NO_LIMIT)), int(min(rules.step_within, NO_LIMIT))
    disjoint = all(len(event.steps) <= 1 for event in events)
    out = (unit, visited, begin, gaps, n_gaps)
    if rules.order == "any":
        unordered = first_unordered if rules.start == "first" else latest_unordered
        n = unordered(
            times,
            np.array(bits, np.uint32),
            offsets,
            rules.every,
            within,
            rules.n_steps,
            len(rules.exclude),
            disjoint,
            *out,
        )
    else:
        ordered = first_attempts if rules.start == "first" else latest_attempts
        optional = sum(1 << (step - 1) for step in rules.optional)
        after = np.array([after for after, _ in rules.exclude], np.int64)
        before = np.array([before for _, before in rules.exclude], np.int64)
        n = ordered(
            times, np.array(bits, np.uint32), offsets, rules.order == "strict", rules.every, within, step_within,
            rules.n_steps, optional, after, before, disjoint, *out,
        )  # fmt: skip
    found: list[list[naive.Attempt]] = [[] for _ in units]
    used = np.zeros(rules.n_steps, np.int64)
    for k in range(n):
        steps = tuple(s + 1 for s in range(rules.n_steps) if visited[k] >> s & 1)
        reached = [events[begin[k]].time]
        for step in steps[1:]:
            reached.append(reached[-1] + int(gaps[step - 1, used[step - 1]]))
            used[step - 1] += 1
        found[unit[k]].append(naive.Attempt(steps, tuple(reached)))
    assert (used == n_gaps).all()
    return found


@st.composite
def rules_of(draw: st.DrawFn) -> naive.Rules:
    n_steps = draw(st.integers(1, 4))
    order = draw(st.sampled_from(["ordered", "strict", "any"]))
    optional: frozenset[int] = frozenset()
    exclude: list[tuple[int, int]] = []
    window = st.one_of(st.just(float("inf")), st.integers(0, 8).map(float))
    if order == "ordered" and n_steps > 1:
        for _ in range(draw(st.integers(0, 2))):
            after = draw(st.integers(1, n_steps - 1))
            exclude.append((after, draw(st.integers(after + 1, n_steps))))
    if order == "any":
        exclude = [(1, n_steps)] * draw(st.integers(0, 1))
    whole = all(part == (1, n_steps) for part in exclude)
    if order != "any" and whole and n_steps > 2:
        optional = draw(st.frozensets(st.integers(2, n_steps - 1)))
    return naive.Rules(
        n_steps=n_steps,
        within=draw(window),
        step_within=draw(window) if order != "any" else float("inf"),
        order=order,
        start=draw(st.sampled_from(["latest", "first"])),
        every=draw(st.booleans()),
        optional=optional,
        exclude=tuple(exclude),
    )


def events_of(rules: naive.Rules, several: bool) -> st.SearchStrategy[list[naive.Event]]:
    event = st.builds(
        naive.Event,
        time=st.integers(0, 10),
        steps=st.frozensets(st.integers(1, rules.n_steps), max_size=3 if several else 1),
        exclusions=st.frozensets(st.integers(0, max(len(rules.exclude) - 1, 0)), max_size=1 if rules.exclude else 0),
    )
    return st.lists(event, max_size=7).map(lambda events: sorted(events, key=lambda event: event.time))


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[list[naive.Event]], naive.Rules]:
    rules = draw(rules_of())
    return draw(st.lists(events_of(rules, draw(st.booleans())), max_size=3)), rules


@settings(max_examples=600, deadline=None)
@given(questions())
def test_attempts_equal_their_twin(question: tuple[list[list[naive.Event]], naive.Rules]) -> None:
    units, rules = question
    assert run_kernel(units, rules) == [naive.attempts(unit, rules) for unit in units]


def at(time: int, *steps: int) -> naive.Event:
    return naive.Event(time, frozenset(steps))


@pytest.mark.parametrize(
    ("events", "rules", "steps"),
    [
        pytest.param(
            [at(0, 1), at(1, 2), at(2, 3)],
            naive.Rules(n_steps=3, optional=frozenset({2})),
            (1, 2, 3),
            id="an optional step that was done is not skipped",
        ),
        pytest.param(
            [at(0, 1), at(5, 2)], naive.Rules(n_steps=2, within=5, start="first"), (1, 2), id="the window is inclusive"
        ),
        pytest.param(
            [at(0, 1, 2), at(1, 2, 3, 4), at(2, 1), at(3, 3)],
            naive.Rules(n_steps=4, order="any", start="first"),
            (1, 2, 3, 4),
            id="a fourth event moves three others",
        ),
        pytest.param(
            [at(0, 1), at(1, 1, 3), at(1, 2)],
            naive.Rules(n_steps=3),
            (1, 2, 3),
            id="simultaneous events in the order that advances, not by step",
        ),
    ],
)
def test_cases_that_chance_seldom_finds(events: list[naive.Event], rules: naive.Rules, steps: tuple[int, ...]) -> None:
    assert [attempt.steps for attempt in naive.attempts(events, rules)] == [steps]
    assert run_kernel([events], rules) == [naive.attempts(events, rules)]


def run_fast(units: list[list[naive.Event]], within: int, n_steps: int) -> list[list[naive.Attempt]]:
    events = [event for unit in units for event in unit]
    codes = np.array([min(event.steps, default=0) for event in events], np.uint8)
    step_of = np.full(256, n_steps + 2, np.uint8)
    step_of[1 : n_steps + 1] = np.arange(1, n_steps + 1)
    level = np.empty(len(units), np.uint8)
    begin = np.empty(len(units), np.int32)
    gaps = np.empty((n_steps, len(units)), np.int64)
    n_gaps = np.empty(n_steps, np.int64)
    offsets = np.cumsum([0, *(len(unit) for unit in units)]).astype(np.int64)
    times = np.array([event.time for event in events], np.int64)
    ordered_funnel(times, codes, offsets, step_of, within, n_steps, level, begin, gaps, n_gaps)
    assert np.array_equal(ordered_levels(times, codes, offsets, step_of, within, n_steps), level)
    found: list[list[naive.Attempt]] = []
    used = np.zeros(n_steps, np.int64)
    for unit in range(len(units)):
        reached = [events[begin[unit]].time] if level[unit] else []
        for s in range(1, int(level[unit])):
            reached.append(reached[-1] + int(gaps[s, used[s]]))
            used[s] += 1
        steps = tuple(range(1, int(level[unit]) + 1))
        found.append([naive.Attempt(steps, tuple(reached))] if steps else [])
    return found


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_ordered_funnel_equals_its_twin(data: st.DataObject) -> None:
    within = data.draw(st.integers(0, 10) | st.just(NO_LIMIT))
    rules = naive.Rules(n_steps=data.draw(st.integers(1, 4)), within=within)
    units = data.draw(st.lists(events_of(rules, several=False), max_size=4))
    assert run_fast(units, int(rules.within), rules.n_steps) == [naive.attempts(unit, rules) for unit in units]


def test_mark_steps_leaves_out_by_flags_mask_and_time() -> None:
    codes = np.array([0, 1, 1, 1, 1], np.uint8)
    step_of = np.full(256, 9, np.uint8)
    step_of[1] = 1
    flags = np.array([0, 1, 0, 0, 0], np.uint16)
    mask = np.array([1, 1, 0, 1, 1], np.uint8)
    time = np.array([0, 1, 2, 3, 4], np.int64)
    no_bytes, no_flags, no_time = np.empty(0, np.uint8), np.empty(0, np.uint16), np.empty(0, np.int64)
    assert mark_steps(codes, step_of, no_flags, 1, no_bytes, no_time, 0, 0, 9).tolist() == [9, 1, 1, 1, 1]
    assert mark_steps(codes, step_of, flags, 1, mask, time, 0, 4, 9).tolist() == [9, 9, 9, 1, 9]
