"""Increments: after every step of a history each file of the log has the bytes of a full build in a new folder."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import event as note
from hypothesis import strategies as st

from percorso.identity import graph, placement, timelines
from percorso.identity.copies import place_in_time
from percorso.identity.references import ask_references
from percorso.journeys import build as builder
from percorso.journeys.cold_tables import ColdShuffle
from percorso.journeys.increment import Touched, find_touched
from tests.journeys.histories import STEPS, take_step
from tests.journeys.lean import lean_builds
from tests.journeys.merging import Builds, counted_builds
from tests.journeys.random_events import RULES, of_others, settings_of
from tests.journeys.worlds import World, digests

Steps = list[tuple[str, int]]


def differences(world: World, steps: Steps, count: Builds) -> list[str]:
    """Files that differ from those of a full build, after the first step that leaves any."""
    for name, seed in steps:
        take_step(world, name, seed)
        log, _ = world.build()
        count.later += world.builds > 1
        mine, theirs = digests(log), world.digests_anew()
        if mine != theirs:
            return [f"{name}: {key}" for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]
    return []


@st.composite
def histories(draw: st.DrawFn) -> Steps:
    """Steps by one number: drawn one by one some kinds would stay away, and most histories repeat a step's number."""
    rng = random.Random(draw(st.integers(0, 2**64 - 1)))
    return [(rng.choice(list(STEPS)), rng.randrange(10**6)) for _ in range(rng.randint(3, 10))]


def fewest(steps: Steps, memory: Path, start: World | None) -> tuple[Steps, list[str]]:
    """The steps without those that the differences do not need, and the differences."""
    for at in reversed(range(len(steps))):
        fewer = steps[:at] + steps[at + 1 :]
        if fewer and differences_in(memory, fewer, Builds(), start):
            return fewest(fewer, memory, start)
    return steps, differences_in(memory, steps, Builds(), start)


def differences_in(
    memory: Path, steps: Steps, count: Builds, start: World | None = None, *, lean: bool = True
) -> list[str]:
    """As `differences`, from a world that is built, or from nothing."""
    with tempfile.TemporaryDirectory(dir=memory) as name, lean_builds() if lean else nullcontext():
        folder = Path(name)
        return differences(start.copied(folder) if start else World(folder, settings_of(RULES)), steps, count)


def among_others(folder: Path) -> World:
    """A world of people whom few steps touch: then few rows of many are looked at."""
    world = World(folder, settings_of(RULES))
    world.add([of_others(random.Random(number)) for number in range(150)])
    world.build()
    return world


#: 304 histories in all, a part for each worker. Tiny worlds are often built anew: most parts merge wherever they can;
#: the rest stand among events of others. The first part of each kind is built as users build, the others leanly.
PARTS = [(number, always_merge) for always_merge, n in ((True, 5), (False, 3)) for number in range(n)]


@pytest.mark.parametrize(("number", "always_merge"), PARTS)
def test_every_step_gives_the_bytes_of_a_full_build(
    memory: Path, tmp_path: Path, number: int, always_merge: bool
) -> None:
    @settings(max_examples=38, deadline=None, phases=[Phase.reuse, Phase.generate])
    @given(steps=histories())
    def check(steps: Steps) -> None:
        for name in {name for name, _ in steps}:
            note(name)
        if differences_in(memory, steps, count, start, lean=number > 0):
            pytest.fail("differing: {1} after {0}".format(*fewest(steps, memory, start)))

    start = None if always_merge else among_others(tmp_path)
    with counted_builds(always_merge=always_merge) as count:
        check()
    print(f"{count.merged} of {count.later} builds merged")
    assert count.merged > (0.85 if always_merge else 0.6) * count.later  # never those after a change of the rules


def test_lean_builds_give_the_bytes_of_usual_ones(memory: Path) -> None:
    def bytes_of(steps: Steps) -> Iterator[dict[str, str]]:
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            world = World(Path(folder), settings_of(RULES))
            for name, seed in steps:
                take_step(world, name, seed)
                yield digests(world.build()[0])

    rng = random.Random(7)
    steps = [(name, rng.randrange(10**6)) for name in STEPS]
    with lean_builds():
        lean = list(bytes_of(steps))
    assert lean == list(bytes_of(steps))


# ------------------------------------------------------------------------------------------------------ broken rules


def _changed_rows_only(
    rows: Any, marks: Any, set_changed: Any, first: int, n_weak: int, n_strong: int
) -> timelines.Carriers:
    return timelines.no_carriers(rows, set_changed, n_weak, n_strong)


def _no_neighbours(offsets: Any, members: Any, marked: Any) -> Any:
    return np.zeros(len(offsets) - 1, dtype=np.uint8)


def _present_persons_only(state: Any, placed: Any, whole: Callable[[Any, Any], Touched] = find_touched) -> Any:
    """Persons who lost a row and have not gained any are forgotten."""
    touched = whole(state, placed)
    known = np.isin(touched.before, np.unique(placed.unit[placed.changed]))
    rows = touched.rows_before[np.isin(state.arrays["unit"][touched.rows_before], touched.before[known])]
    return Touched(touched.before[known], touched.now, touched.months, rows, touched.rows_now)


def _new_rows_ask(
    rows: Any, inputs: Any, touched: Any, marks: Any, time: Any, unit: Any, rule: Any, *, rule_reference: int
) -> None:
    """An event that has an owner keeps it."""
    was = unit.copy(), rule.copy()
    ask_references(rows, inputs, touched, marks, time, unit, rule, rule_reference=rule_reference)
    placed = (inputs.keep == 1) & (was[1] == rule_reference)
    unit[placed], rule[placed] = was[0][placed], was[1][placed]


def _new_rows_move(rows: Any, skews: Any, moved: Any, first_new: int, time: Any, future: Any) -> Any:
    return place_in_time(rows, skews, np.zeros_like(moved), first_new, time, future)


def _nothing_decided(before: Any, now: Any) -> Any:
    return np.zeros(0, dtype=np.int64)


def _nothing_leaves(texts: Any, time: Any, key: Any) -> None:
    """Texts stay in the cold table of a month that their row has left."""


#: A rule of what is touched, one in its place that sees too little, and steps among which the difference shows.
BROKEN: dict[str, tuple[Any, str, Any, tuple[str, ...]]] = {
    "rows with a weak identifier of a changed row": (placement, "affected_rows", _changed_rows_only, tuple(STEPS)),
    "neighbours of an identifier that is a hub now": (graph, "sets_with", _no_neighbours, ("merge", "share")),
    "identifiers of a decision": (graph, "_differing", _nothing_decided, ("append", "link", "unlink")),
    "persons who lose a row": (builder, "find_touched", _present_persons_only, tuple(STEPS)),
    "events of a reference key with another owner": (
        *(placement, "ask_references", _new_rows_ask),
        ("reference_of_nobody", "owner"),
    ),
    "events of a device whose clock is put right": (placement, "place_in_time", _new_rows_move, tuple(STEPS)),
    "months that lose a row": (ColdShuffle, "take_out", _nothing_leaves, tuple(STEPS)),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_of_what_is_touched_shows_in_the_bytes(
    rule: str, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name, broken, names = BROKEN[rule]
    monkeypatch.setattr(module, name, broken)
    rng = random.Random(3)
    for number in range(100):
        steps = [(rng.choice(names), rng.randrange(10**6)) for _ in range(6)]
        with counted_builds(always_merge=True) as count:
            try:
                if found := differences_in(memory, steps, count):
                    print(f"history {number}: {found}")
                    return
            except (AssertionError, IndexError, KeyError, ValueError):
                pass  # the parts do not fit together: true, but it must also be seen where they do
    pytest.fail(f"no bytes told that this was left out: {rule}")


def test_an_increment_builds_the_touched_persons_alone(tmp_path: Path) -> None:
    world = World(tmp_path, settings_of(RULES))
    for number in range(20):
        take_step(world, "append", number)
    world.build()
    events = sum(len(rows) for rows in world.rows.values())
    take_step(world, "new_words", 100)
    _, built = world.build()
    assert 0 < built < events
