"""Increments: after every step of a history each file of the log has the bytes of a full build in a new folder."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.identity import graph, placement
from percorso.journeys import build as builder
from percorso.journeys.increment import Touched, find_touched
from percorso.settings import BuildSettings, IdentitySettings, Settings
from tests.journeys.histories import RULES, STEPS, take_step
from tests.journeys.worlds import World, digests

Steps = list[tuple[str, int]]


def world_in(folder: Path) -> World:
    return World(folder, Settings(build=BuildSettings(bucket_bits=1), identity=IdentitySettings(**RULES)))


def differences(folder: Path, steps: Steps) -> list[str]:
    """Files that differ from those of a full build, after the first step that leaves any."""
    world = world_in(folder)
    for name, seed in steps:
        take_step(world, name, seed)
        log, _ = world.build()
        mine, theirs = digests(log), world.digests_anew()
        if mine != theirs:
            return [f"{name}: {key}" for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]
    return []


@pytest.mark.parametrize("quarter", range(4))  # 300 histories in all, for as many workers
@settings(max_examples=75, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(list(STEPS)), st.integers(0, 10**6)), min_size=3, max_size=10))
def test_every_step_gives_the_bytes_of_a_full_build(memory: Path, quarter: int, steps: Steps) -> None:
    for name in {name for name, _ in steps}:
        note(name)
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        assert differences(Path(folder), steps) == []


def _changed_rows_only(rows: Any, changed: Any, set_changed: Any, n_weak: int, n_strong: int) -> Any:
    return changed


def _no_neighbours(offsets: Any, members: Any, marked: Any) -> Any:
    return np.zeros(len(offsets) - 1, dtype=np.uint8)


def _present_persons_only(state: Any, placed: Any, whole: Callable[[Any, Any], Touched] = find_touched) -> Any:
    """Persons who lost a row and have not gained any are forgotten."""
    touched = whole(state, placed)
    known = np.isin(touched.before, np.unique(placed.unit[placed.changed]))
    rows = touched.rows_before[np.isin(state.arrays["unit"][touched.rows_before], touched.before[known])]
    return Touched(touched.before[known], touched.now, touched.months, rows, touched.rows_now)


#: A rule of what is touched, one in its place that sees too little, and steps among which the difference shows.
BROKEN: dict[str, tuple[Any, str, Any, tuple[str, ...]]] = {
    "rows with a weak identifier of a changed row": (placement, "affected_rows", _changed_rows_only, tuple(STEPS)),
    "neighbours of an identifier that is a hub now": (graph, "sets_with", _no_neighbours, ("merge", "share")),
    "persons who lose a row": (builder, "find_touched", _present_persons_only, tuple(STEPS)),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_of_what_is_touched_is_found(rule: str, memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, broken, names = BROKEN[rule]
    monkeypatch.setattr(module, name, broken)
    rng = random.Random(7)
    for _ in range(60):
        steps = [(rng.choice(names), rng.randrange(10**6)) for _ in range(6)]
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            try:
                if differences(Path(folder), steps):
                    return
            except (AssertionError, IndexError, KeyError, ValueError):  # found earlier: the parts do not fit together
                return
    pytest.fail(f"nothing told that this was left out: {rule}")


def test_an_increment_builds_the_touched_persons_alone(tmp_path: Path) -> None:
    world = world_in(tmp_path)
    for number in range(20):
        take_step(world, "append", number)
    world.build()
    events = sum(len(rows) for rows in world.rows.values())
    take_step(world, "new_words", 1)
    _, built = world.build()
    assert 0 < built < events
