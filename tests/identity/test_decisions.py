"""Folding of decisions by hand, and what a new one would contradict."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.identity.decisions import (
    Decision,
    DecisionKind,
    Folded,
    MaskedIdentifier,
    decisions_in_the_way,
    fold,
    joining_links,
    pair_of,
    standing_decisions,
)
from tests.naive import decisions as naive

NAMES = "abcdef"

Said = tuple[DecisionKind, str, str]

kinds: st.SearchStrategy[DecisionKind] = st.sampled_from(["link", "unlink"])
pairs = st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True)
said = st.lists(st.tuples(kinds, pairs).map(lambda one: (one[0], one[1][0], one[1][1])), max_size=30)


def hash_of(name: str) -> bytes:
    return name.encode() * 16


def taken(*decisions: Said) -> list[Decision]:
    masked = {name: MaskedIdentifier(hash_of(name), "user_id", "shop", name) for name in NAMES}
    return [
        Decision(number, kind, masked[a], masked[b], -number, "Anna", "seen")  # times say nothing
        for number, (kind, a, b) in enumerate(decisions, 1)
    ]


def pair(names: str) -> tuple[bytes, bytes]:
    return pair_of(hash_of(names[0]), hash_of(names[1]))


FORCED, FORBIDDEN, UNDECIDED = Folded(forced=(pair("ab"),)), Folded(forbidden=(pair("ab"),)), Folded()


@pytest.mark.parametrize(
    ("kinds", "holds"),
    [
        ("", UNDECIDED),
        ("link", FORCED),
        ("unlink", FORBIDDEN),
        ("link link", FORCED),
        ("unlink unlink", FORBIDDEN),
        ("link unlink", UNDECIDED),
        ("unlink link", UNDECIDED),
        ("link unlink unlink", FORBIDDEN),
        ("unlink link link", FORCED),
        ("link link unlink", UNDECIDED),
        ("link unlink link", FORCED),
        ("unlink link unlink", FORBIDDEN),
        ("unlink unlink link link unlink unlink", FORBIDDEN),
    ],
)
def test_an_opposite_decision_cancels_and_a_second_one_decides(kinds: str, holds: Folded) -> None:
    one_way: list[Said] = [("link" if kind == "link" else "unlink", "a", "b") for kind in kinds.split()]
    turning: list[Said] = [(kind, *("ab" if at % 2 else "ba")) for at, (kind, _, _) in enumerate(one_way)]
    assert fold(taken(*one_way)) == fold(taken(*turning)) == holds


@given(said)
def test_it_is_what_plain_counting_says(decisions: list[Said]) -> None:
    forced, forbidden = naive.fold(decisions)
    folded = fold(taken(*decisions))
    assert folded.forced == tuple(sorted(pair("".join(sorted(one))) for one in forced))
    assert folded.forbidden == tuple(sorted(pair("".join(sorted(one))) for one in forbidden))


@given(said, st.randoms(use_true_random=False))
def test_the_order_of_different_pairs_does_not_matter(decisions: list[Said], chance: random.Random) -> None:
    by_pair: dict[frozenset[str], list[Said]] = {}
    for one in decisions:
        by_pair.setdefault(frozenset(one[1:]), []).append(one)
    mixed: list[Said] = []
    while left := [waiting for waiting in by_pair.values() if waiting]:
        mixed.append(chance.choice(left).pop(0))
    assert fold(taken(*mixed)) == fold(taken(*decisions))


def test_a_fingerprint_is_of_what_holds() -> None:
    assert fold(taken(("link", "a", "b"), ("unlink", "b", "a"))).fingerprint() == Folded().fingerprint() == ""
    different = [FORCED, FORBIDDEN, Folded(forced=(pair("ac"),)), Folded((pair("ab"),), (pair("cd"),))]
    assert len({one.fingerprint() for one in different}) == len(different)
    swapped = Folded((pair("cd"),), (pair("ab"),))
    assert swapped.fingerprint() not in {one.fingerprint() for one in different}
    assert len(FORCED.fingerprint()) == 32
    assert fold(taken(("link", "b", "a"), ("link", "a", "b"))).fingerprint() == FORCED.fingerprint()


def test_the_first_of_equal_decisions_stands() -> None:
    decisions = taken(("link", "a", "b"), ("link", "b", "a"), ("unlink", "c", "d"), ("link", "c", "d"))
    assert standing_decisions(decisions) == {pair("ab"): decisions[0]}
    again = taken(("link", "a", "b"), ("unlink", "a", "b"), ("link", "a", "b"))
    assert standing_decisions(again) == {pair("ab"): again[2]}


@given(said, kinds, pairs)
def test_what_is_in_the_way_is_what_a_contradiction_needs(
    decisions: list[Said], kind: DecisionKind, between: list[str]
) -> None:
    """Let the decisions in that contradict nothing, as the service does; then one more."""
    allowed: list[Said] = []
    for one in [*decisions, (kind, between[0], between[1])]:
        standing = standing_decisions(taken(*allowed))
        decided = standing.pop(pair("".join(one[1:])), None)
        way = decisions_in_the_way(standing, one[0], hash_of(one[1]), hash_of(one[2])) if decided is None else ()
        forced, forbidden = naive.fold([*allowed, one])
        contradiction = any(naive.joined(forced, *sorted(both)) for both in forbidden)
        assert bool(way) == contradiction
        if way:
            assert all(standing[pair_of(other.a.hash, other.b.hash)] == other for other in way)
            assert [other.kind for other in way].count("unlink") == (one[0] == "link")
            named = [{other.a.shown, other.b.shown} for other in way] + [set(one[1:])]
            # Together they go round in a circle: each end is named twice.
            assert all(sum(name in both for both in named) == 2 for name in set().union(*named))
        else:
            allowed.append(one)


@given(said)
def test_links_join_by_a_shortest_chain(decisions: list[Said]) -> None:
    standing = standing_decisions(taken(*decisions))
    forced, _ = naive.fold(decisions)
    for b in "bcd":
        chain = joining_links(standing, hash_of("a"), hash_of(b))
        assert bool(chain) == naive.joined(forced, "a", b)
        ends = [{one.a.shown, one.b.shown} for one in chain]
        assert all(len(one & other) == 1 for one, other in pairwise(ends))
        if chain:
            assert "a" in ends[0]
            assert b in ends[-1]
            assert len(chain) == shortest(forced, b)
    assert joining_links(standing, hash_of("a"), hash_of("a")) == ()


def shortest(forced: set[frozenset[str]], to: str) -> int:
    reached, steps = {"a"}, 0
    while to not in reached:
        reached = reached.union(*(both for both in forced if both & reached))
        steps += 1
    return steps


def test_what_stands_in_the_way_is_told_in_order() -> None:
    decisions = taken(("link", "a", "c"), ("link", "b", "d"), ("unlink", "d", "c"), ("link", "e", "f"))
    standing = standing_decisions(decisions)
    in_the_way = decisions_in_the_way(standing, "link", hash_of("a"), hash_of("b"))
    assert in_the_way == (decisions[2], decisions[0], decisions[1])
    assert decisions_in_the_way(standing, "unlink", hash_of("f"), hash_of("e")) == (decisions[3],)
    assert decisions_in_the_way(standing, "link", hash_of("a"), hash_of("e")) == ()
