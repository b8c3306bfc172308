"""The steps of histories do what they are for: each changes what its name says in some of them."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.histories import take_step
from tests.journeys.lean import lean_builds
from tests.journeys.random_events import RULES, settings_of
from tests.journeys.worlds import Known, World


def _sees(*wanted: str) -> Callable[[Known, Known], bool]:
    """Some event that was there is now placed by one of these rules, and was not."""
    return lambda was, now: any(now.rule.get(key) in wanted and rule not in wanted for key, rule in was.rule.items())


def _moved(was: Known, now: Known) -> bool:
    """Some event that was there has another person."""
    return any(now.person.get(key, person) != person for key, person in was.person.items())


def _joined(was: Known, now: Known) -> bool:
    return _apart(now, was)


def _apart(was: Known, now: Known) -> bool:
    """Two identifiers of one person, neither of them shared, are of two."""
    both = sorted(was.group.keys() & now.group.keys())
    return any(was.group[a] == was.group[b] and now.group[a] != now.group[b] for a in both for b in both)


#: What a step is for: its name, and what some of its kind must have changed.
EFFECTS: list[tuple[str, str, Callable[[Known, Known], bool]]] = [
    ("append", "a new event", lambda was, now: len(now.person) > len(was.person)),
    ("append", "a new person", lambda was, now: bool(set(now.person.values()) - set(was.person.values()))),
    ("append", "an event is another's", _moved),
    (
        "owner",
        "an order told better elsewhere",
        lambda was, now: bool(was.person.keys() & now.same_order - was.same_order),
    ),
    ("late", "before all others", lambda was, now: min(now.time.values()) < min(was.time.values())),
    ("late", "an event is another's", _moved),
    ("duplicate", "nothing", lambda was, now: now == was),
    ("conflict", "the old copy counts", lambda was, now: now == was),
    (
        "conflict",
        "the new copy counts",
        lambda was, now: len(now.person.keys() - was.person) == len(was.person.keys() - now.person) == 1,
    ),
    ("merge", "two people are one", _joined),
    ("share", "shared", lambda was, now: bool((now.shared - was.shared) & was.group.keys())),
    ("share", "no longer shared", lambda was, now: bool(was.shared & now.group.keys())),
    ("alias", "two people are one", _joined),
    ("link", "two people are one", _joined),
    ("link", "no longer shared", lambda was, now: bool(was.shared & now.group.keys())),
    ("unlink", "one person is two", _apart),
    (
        "reference_of_nobody",
        "nobody's",
        lambda was, now: any(now.person[key] == b"" for key in now.person.keys() - was.person),
    ),
    (
        "reference_of_nobody",
        "the owner's",
        lambda was, now: any(now.rule[key] == "reference" for key in now.person.keys() - was.person),
    ),
    ("owner", "nobody's is the owner's", _sees("reference")),
    (
        "owner",
        "another owner",
        lambda was, now: any(
            now.rule.get(key) == rule == "reference" and now.person[key] != was.person[key]
            for key, rule in was.rule.items()
        ),
    ),
    (
        "wrong_clock",
        "another time",
        lambda was, now: any(now.time.get(key, time) != time for key, time in was.time.items()),
    ),
    ("sign_in", "the login's", _sees("login_before", "login_after")),
    ("sign_out", "after a sign-out", _sees("signed_out", "signed_out_same")),
    ("erase", "an event less", lambda was, now: bool(was.person.keys() - now.person)),
    ("erase", "an identifier less", lambda was, now: bool(was.group.keys() - now.group - now.shared)),
    ("erase", "an event is another's", _moved),
    ("withdraw", "an event less", lambda was, now: bool(was.person.keys() - now.person)),
    ("change_rules", "an event is another's", _moved),
]


@pytest.mark.parametrize(("step", "what", "seen"), EFFECTS, ids=lambda value: None if callable(value) else str(value))
def test_steps_do_what_they_are_for(memory: Path, step: str, what: str, seen: Callable[[Known, Known], bool]) -> None:
    rng = random.Random(11)
    for _ in range(60):
        with tempfile.TemporaryDirectory(dir=memory) as folder, lean_builds():
            world = World(Path(folder), settings_of(RULES))
            for _ in range(rng.randint(2, 5)):
                take_step(
                    world, rng.choice(["append", "merge", "share", "owner", "sign_in", step]), rng.randrange(10**6)
                )
            world.build()
            was = world.known()
            take_step(world, step, rng.randrange(10**6))
            world.build()
            if seen(was, world.known()):
                return
    pytest.fail(f"in no history did {step} do this: {what}")


def test_new_words_and_sources_shift_the_codes_of_others(memory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=memory) as folder, lean_builds():
        world = World(Path(folder), settings_of(RULES))
        take_step(world, "append", 1)
        before, _ = world.build()
        for name in ("new_words", "new_source"):
            take_step(world, name, 2)
        after, _ = world.build()

        def words(log: Any, column: str) -> set[str]:
            return {word for part in (*log.buckets, log.unidentified) for word in part.events.dictionary(column)}

        for column, first in (("source", "a-till"), ("country", "IT")):
            assert first not in words(before, column)
            assert min(words(after, column) - {""}) <= first  # what others have comes after it
        assert len(words(after, "page")) > len(words(before, "page"))
