"""Placing events on persons, compiled: equal to the plain twin, at once, in any order, and step by step."""

from __future__ import annotations

import functools
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.identity.lookup import Identifier
from percorso.identity.placement import person_id
from percorso.settings import IdentitySettings
from tests.identity.compiled import SECRET, Placed, Steps, folded, persons_of
from tests.identity.spread import persons_of_a_cluster
from tests.identity.test_identity_cases import Decided
from tests.journeys.lean import lean_builds
from tests.lake_builder import event
from tests.naive import identity as naive

START = datetime(2024, 3, 1)
RULES = IdentitySettings(
    own_types=("member",),
    shared_sources=("kiosk", "till"),
    single_use_coupons=("once-.*",),
    hub_partners=2,
    limits={"email": 2, "phone": 1},
    largest_group=5,
)
KINDS = {"web": "web", "app": "app", "shop": "server", "kiosk": "web", "till": "pos"}
ENDS = [
    Identifier("user_id", "shop", "u1"),
    Identifier("user_id", "shop", "u2"),
    Identifier("email", "", "a@x.it"),
    Identifier("email", "", "b@x.it"),
    Identifier("member", "shop", "m1"),
]


NUMBERS, BITS = st.integers(0, 30), st.integers(0, 1)


@functools.cache
def one_of(*values: Any) -> st.SearchStrategy[Any]:
    """Made once: making a strategy takes longer than drawing from it."""
    return st.sampled_from(values)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    def some(*values: str | None) -> str | None:
        return draw(one_of(None, None, *values))  # type: ignore[no-any-return]

    source = draw(one_of("web", "web", "app", "shop", "kiosk", "till"))
    at = START + timedelta(days=draw(one_of(0, 0, 0, 1, 60, 91)), minutes=draw(one_of(0, 5, 5, 29, 40, 100)))
    kind = draw(one_of("track", "track", "track", "track", "alias"))
    skew = draw(one_of(None, None, None, 0, 600, -4000))
    return event(
        at,
        draw(one_of("Page Viewed", "Page Viewed", "Signed Out", "Order Completed")),
        source=source,
        source_kind=KINDS[source],
        type=kind,
        message_id=str(draw(NUMBERS)),
        sequence=draw(BITS),
        received_at=None if skew is None else (at + timedelta(seconds=5)).isoformat(),
        sent_at=None if skew is None else (at + timedelta(seconds=5 - skew)).isoformat(),
        user_id=some("u1", "u2", "u3", "guest"),
        previous_id=some("u1", "u2", "u3"),
        email=some("a@x.it", "b@x.it", "c@x.it", "A@X.it"),
        phone=some("347 1234567", "347 7654321"),
        loyalty_id=some("l1"),
        other_ids=some('{"member":"m1"}', '{"member":"m2","else":"e"}'),
        anonymous_id=some("a1", "a2", "a3"),
        device_id=some("d1", "d2"),
        order_id=some("o1", "o2", "null"),
        ticket_id=some("t1"),
        coupon=some("once-1", "SUMMER"),
    )


DECISIONS = st.lists(
    st.tuples(st.booleans(), st.integers(0, len(ENDS) - 1), st.integers(0, len(ENDS) - 1)).filter(
        lambda one: one[1] != one[2]
    ),
    max_size=2,
    unique_by=lambda one: frozenset(one[1:]),
)


def decided(drawn: list[tuple[bool, int, int]]) -> Decided:
    pairs = [(is_link, (ENDS[a], ENDS[b])) for is_link, a, b in drawn]
    return Decided(
        tuple(pair for is_link, pair in pairs if is_link), tuple(pair for is_link, pair in pairs if not is_link)
    )


def by_the_twin(rows: list[dict[str, Any]], decisions: Decided) -> Placed:
    def id_of(key: naive.Key) -> bytes:
        if key is None:
            return b""
        if isinstance(key, bytes):
            return person_id(SECRET, key)
        w, message = key
        return person_id(SECRET, w if message is None else b"\0".join([w, *(part.encode() for part in message)]))

    found = naive.persons_of(rows, RULES, decisions)
    return {message: (id_of(one.person_key), one.rule, one.time_us) for message, one in found.items()}


# Files cost more than rows: a few more rows an example, and fewer examples.
@settings(max_examples=200, deadline=None)
@given(st.lists(events(), min_size=3, max_size=20), DECISIONS, st.integers(0, 5), st.sampled_from([1 << 30, 300]))
def test_equals_the_plain_twin(
    memory: Path,
    rows: list[dict[str, Any]],
    drawn: list[tuple[bool, int, int]],
    seed: int,
    memory_bytes: int,
) -> None:
    decisions = decided(drawn)
    with tempfile.TemporaryDirectory(dir=memory) as folder, lean_builds():
        steps = Steps(Path(folder), RULES, memory_bytes=memory_bytes)
        steps.add(rows, files=2, seed=seed)
        found = steps.placed(steps.place(folded(decisions.forced, decisions.forbidden)))
    assert found == by_the_twin(rows, decisions)


@settings(max_examples=100, deadline=None)
@given(st.lists(events(), min_size=3, max_size=20), DECISIONS, st.integers(0, 99), st.sampled_from([1, 2, 37]))
def test_a_cluster_equals_the_plain_twin(
    memory: Path, rows: list[dict[str, Any]], drawn: list[tuple[bool, int, int]], seed: int, n_parts: int
) -> None:
    decisions = decided(drawn)
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        told = folded(decisions.forced, decisions.forbidden)
        found = persons_of_a_cluster(rows, RULES, Path(folder), told, n_parts=n_parts, seed=seed)
    assert found == by_the_twin(rows, decisions)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.lists(events(), min_size=2, max_size=10), DECISIONS, st.booleans()), min_size=2, max_size=4)
)
def test_steps_end_where_everything_at_once_does(
    memory: Path, drawn: list[tuple[list[dict[str, Any]], Any, bool]]
) -> None:
    """Files come and go, decisions change: after each step the answer is that of the rows that are there."""
    with tempfile.TemporaryDirectory(dir=memory) as folder, lean_builds():
        steps = Steps(Path(folder), RULES)
        lake: list[list[dict[str, Any]]] = []
        for rows, decisions, lose in drawn:
            if lose and lake:
                for _ in {row["source"] for row in lake.pop(0)}:
                    steps.remove(0)
            steps.add(rows)
            lake.append(rows)
            choice = decided(decisions)
            found = steps.placed(steps.place(folded(choice.forced, choice.forbidden)))
            assert found == by_the_twin([row for part in lake for row in part], choice)


def test_what_a_row_tells_is_forgotten_with_its_file(tmp_path: Any) -> None:
    joined = event(START, "Page Viewed", user_id="u1", email="a@x.it", message_id="1")
    alone = event(START, "Page Viewed", email="a@x.it", message_id="2", source="mail")
    steps = Steps(tmp_path, IdentitySettings())
    steps.add([joined])
    steps.add([alone])
    assert len({person for person, _, _ in steps.placed(steps.place()).values()}) == 1
    steps.remove(0)
    found = steps.placed(steps.place())
    assert found == persons_of([alone], IdentitySettings(), tmp_path / "anew")


def test_an_import_of_nothing_new_changes_no_row(tmp_path: Any) -> None:
    rows = [event(START, "Page Viewed", user_id="u1", anonymous_id="a", message_id=str(n)) for n in range(4)]
    steps = Steps(tmp_path, IdentitySettings())
    steps.add(rows)
    steps.place()
    steps.add(rows)
    assert len(steps.place().changed) == 0


def test_far_rows_do_not_count_as_changed(tmp_path: Any) -> None:
    steps = Steps(tmp_path, IdentitySettings())
    steps.add([event(START, "Page Viewed", anonymous_id=f"a{n}", message_id=str(n)) for n in range(50)])
    steps.place()
    steps.add([event(START, "Page Viewed", anonymous_id="a7", user_id="u", message_id="new")])
    placement = steps.place()
    assert sorted(placement.changed.tolist()) == [7, 50]
    assert np.array_equal(np.flatnonzero(placement.unit == placement.unit[50]), [7, 50])
