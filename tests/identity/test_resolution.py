"""Persons from strong identifiers: the cases that the rules name, and equality with the plain twin."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.identity.resolution import (
    REFUSED_LIMIT,
    REFUSED_UNLINK,
    SHARED_BETTER,
    SHARED_LARGE,
    SHARED_REFUSED,
    SHARED_WORSE,
    Identifiers,
    IdentifierSets,
    Pairs,
    Resolution,
    ResolutionRules,
    find_hubs,
    label_components,
    resolve,
)
from tests.naive import resolution as naive
from tests.naive.resolution import Answer, Identifier, Rules, Seen

TYPES = ("user_id", "loyalty_id", "email", "phone", "card_token")
WHY = {REFUSED_LIMIT: "limit", REFUSED_UNLINK: "unlink"}


@dataclass(frozen=True)
class World:
    """What there is to resolve; `sets` by members."""

    sets: Mapping[frozenset[Identifier], Seen]
    others: frozenset[Identifier] = frozenset()
    forced: frozenset[frozenset[Identifier]] = frozenset()
    forbidden: frozenset[frozenset[Identifier]] = frozenset()
    rules: Rules = field(default_factory=Rules)

    @property
    def everyone(self) -> list[Identifier]:
        return sorted(set[Identifier]().union(*self.sets, *self.forced, *self.forbidden, self.others))


def one(name: str) -> Identifier:
    """`u1` is a user id, `u1@till` one of another space; l, e, p and c are the other types."""
    rank = "ulepc".index(name[0])
    value, _, space = name.partition("@")
    return Identifier(rank, f"{TYPES[rank]}\0{space}\0{value}".encode())


def name_of(x: Identifier) -> str:
    _, space, value = x.text.decode().split("\0")
    return value + (f"@{space}" if space else "")


def pair(text: str) -> frozenset[Identifier]:
    return frozenset(map(one, text.split()))


def world(
    *sets: tuple[str, int] | tuple[str, int, bool],
    linked: Sequence[str] = (),
    unlinked: Sequence[str] = (),
    rules: Rules | None = None,
) -> World:
    """Sets as (names, count) or (names, count, trusted), each first seen after the one before it."""
    seen = {pair(names): Seen(count, at, *trusted) for at, (names, count, *trusted) in enumerate(sets)}
    forced, forbidden = frozenset(map(pair, linked)), frozenset(map(pair, unlinked))
    return World(seen, forced=forced, forbidden=forbidden, rules=rules or Rules())


def twin(of: World) -> Answer:
    return naive.resolve(of.everyone, of.sets, forced=set(of.forced), forbidden=set(of.forbidden), rules=of.rules)


@dataclass(frozen=True)
class Arrays:
    """A world in numbers; `known` by code."""

    known: list[Identifier]
    ids: Identifiers
    sets: IdentifierSets
    pairs: Pairs
    rules: ResolutionRules
    hub: npt.NDArray[np.uint8]
    label: npt.NDArray[np.int32]

    def resolve(self, wanted: npt.NDArray[np.uint8]) -> Resolution:
        return resolve(self.ids, self.sets, self.pairs, self.rules, self.hub, self.label, wanted)

    def answer(self, found: Resolution) -> Answer:
        person = {x: self.known[g] for x, g in zip(self.known, found.group, strict=True) if g >= 0}
        shared = {x: int(why) for x, why in zip(self.known, found.shared, strict=True) if why}
        edges = found.refused
        columns = (edges.better, edges.worse, edges.count, edges.why, edges.charged)
        refused = [
            (self.known[a], self.known[b], int(n), WHY[int(why)], self.known[end] if end >= 0 else None)
            for a, b, n, why, end in zip(*columns, strict=True)
        ]
        assert len(refused) == len(set(refused))
        return Answer(person, shared, set(refused))


def arrays(of: World, shuffle: random.Random | None = None) -> Arrays:
    """The world in numbers, in sorted order or in a random one."""
    known, sets = of.everyone, sorted(of.sets.items(), key=lambda item: sorted(item[0]))
    spaces = sorted({x.kind[1] for x in known})
    if shuffle:
        for numbered in (known, sets, spaces):
            shuffle.shuffle(numbered)
    code = {x: number for number, x in enumerate(known)}
    ids = Identifiers(
        np.array([x.rank for x in known], np.int16),
        np.array([spaces.index(x.kind[1]) for x in known], np.int32),
        offsets(len(x.text) for x in known),
        np.frombuffer(b"".join(x.text for x in known), np.uint8),
    )
    seen = [seen for _, seen in sets]
    numbers = IdentifierSets(
        offsets(len(members) for members, _ in sets),
        np.array([code[x] for members, _ in sets for x in sorted(members)], np.int32),
        np.array([s.count for s in seen], np.int64),
        np.array([s.first for s in seen], np.int64),
        np.array([s.trusted for s in seen], np.uint8),
    )
    pairs = Pairs(codes_of(of.forced, code), codes_of(of.forbidden, code))
    rules = ResolutionRules(
        np.array(of.rules.limits, np.int32), of.rules.hub_better, of.rules.refused_share, of.rules.largest
    )
    hub = find_hubs(ids, numbers, rules, np.ones(len(known), np.uint8))
    return Arrays(known, ids, numbers, pairs, rules, hub, label_components(ids, numbers, pairs, hub))


def offsets(lengths: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.array([0, *accumulate(lengths)], np.int64)


def codes_of(pairs: Iterable[frozenset[Identifier]], code: Mapping[Identifier, int]) -> npt.NDArray[np.int32]:
    return np.array([sorted(code[x] for x in two) for two in pairs], np.int32).reshape(-1, 2)


def answer(of: World, shuffle: random.Random | None = None) -> Answer:
    numbers = arrays(of, shuffle)
    return numbers.answer(numbers.resolve(np.ones(len(numbers.known), np.uint8)))


def persons(found: Answer) -> set[str]:
    """Each person as its names, the canonical one first."""
    groups: dict[Identifier, list[Identifier]] = {}
    for x in sorted(found.person):
        groups.setdefault(found.person[x], []).append(x)
    assert all(canonical == group[0] for canonical, group in groups.items())
    return {" ".join(map(name_of, group)) for group in groups.values()}


def shared(found: Answer) -> dict[str, int]:
    return {name_of(x): why for x, why in found.shared.items()}


def refused(found: Answer) -> set[tuple[str, int, str, str]]:
    return {(f"{name_of(a)} {name_of(b)}", n, why, name_of(end) if end else "") for a, b, n, why, end in found.refused}


def checked(of: World) -> Answer:
    found = answer(of)
    assert found == twin(of)
    return found


# ------------------------------------------------------------------------------------------------- named cases


def test_one_stray_event_takes_no_address_from_its_owner() -> None:
    found = checked(world(("u1 e1", 100), ("u2 e1", 1)))
    assert persons(found) == {"u1 e1", "u2"}
    assert shared(found) == {}
    assert refused(found) == {("u2 e1", 1, "limit", "e1")}


def test_a_phone_of_two_joins_nobody() -> None:
    found = checked(world(("u1 p1", 10), ("u2 p1", 9), ("e3 p1", 1)))
    assert persons(found) == {"u1", "u2", "e3"}
    assert shared(found) == {"p1": SHARED_REFUSED}
    assert refused(found) == {("u2 p1", 9, "limit", "p1")}


@pytest.mark.parametrize(("strangers", "is_shared"), [(1, False), (2, True)])
def test_the_share_is_one_of_events_beside_the_same_or_a_better_type(strangers: int, is_shared: bool) -> None:
    found = checked(world(("u1 e1", 8), ("u2 e1", strangers), ("e1 p1", 50), ("e1", 50)))
    assert ("e1" in shared(found)) == is_shared


def test_an_event_with_several_refused_edges_counts_once() -> None:
    # e1 with l1 or u1: 3 of 13 events, not 6.
    limits = (1, 1, 5, 5, 10)
    found = checked(world(("u1 l1 e1", 10), ("u2 l2 e1", 3), rules=Rules(limits, refused_share=0.25)))
    assert persons(found) == {"u1 l1 e1", "u2 l2"}
    assert refused(found) == {("u2 e1", 3, "limit", "e1"), ("l2 e1", 3, "limit", "e1")}


def test_the_agents_address_on_every_ticket_is_a_hub() -> None:
    customers = [(f"u{i} e{i} e999", 1) for i in range(500)]
    found = checked(world(*customers))
    assert shared(found) == {"e999": SHARED_BETTER}
    assert persons(found) == {f"u{i} e{i}" for i in range(500)}


def test_the_till_account_on_every_receipt_is_a_hub() -> None:
    found = checked(world(*((f"u1@till e{i}", 1) for i in range(500)), *((f"u{i} e{i}", 2) for i in range(500))))
    assert shared(found) == {"u1@till": SHARED_WORSE}
    assert persons(found) == {f"u{i} e{i}" for i in range(500)}


@pytest.mark.parametrize("n", [20, 21])
def test_a_hub_has_more_partners_of_one_better_type_and_space_than_the_setting(n: int) -> None:
    sets = [(f"u{i} p1", 1) for i in range(n)] + [(f"u{i}@till p1", 1) for i in range(20)]
    found = checked(world(*sets, rules=Rules(refused_share=2.0)))
    assert shared(found) == ({"p1": SHARED_BETTER} if n > 20 else {})


@pytest.mark.parametrize("n", [10, 11])
def test_a_hub_has_more_partners_of_one_worse_type_than_twice_the_limit(n: int) -> None:
    sets = [(f"u1 e{i}", 1) for i in range(n)] + [(f"u1 p{i}", 1) for i in range(10)]
    found = checked(world(*sets, rules=Rules(refused_share=2.0)))
    assert shared(found) == ({"u1": SHARED_WORSE} if n > 10 else {})


@pytest.mark.parametrize(
    ("n_better", "n_worse", "why"), [(3, 0, SHARED_BETTER), (0, 5, SHARED_WORSE), (2, 4, 0), (3, 5, SHARED_BETTER)]
)
def test_too_many_better_ones_are_the_reason_before_too_many_worse(n_better: int, n_worse: int, why: int) -> None:
    sets = [(f"u{i} e1", 1) for i in range(n_better)] + [(f"e1 p{i}", 1) for i in range(n_worse)]
    found = checked(world(*sets, rules=Rules((1, 2, 2, 2, 2), hub_better=2, refused_share=2.0)))
    assert shared(found) == ({"e1": why} if why else {})


def test_a_hub_leaves_although_a_link_names_it() -> None:
    found = checked(world(*((f"u{i} e1", 1) for i in range(21)), linked=["u1 e1"]))
    assert shared(found) == {"e1": SHARED_BETTER}
    assert len(persons(found)) == 21


def test_swapped_phones_stay_apart() -> None:
    # Each ordered once with the other's phone.
    found = checked(world(("u1 e1 p1", 9), ("u2 e2 p2", 9), ("u1 p2", 1), ("u2 p1", 1)))
    assert persons(found) == {"u1 e1 p1", "u2 e2 p2"}
    assert refused(found) == {("u1 p2", 1, "limit", "p2"), ("u2 p1", 1, "limit", "p1")}


def test_a_family_phone_joins_nobody() -> None:
    found = checked(world(("u1 e1", 5), ("u2 e2", 5), ("u1 p1", 5), ("u2 p1", 5)))
    assert persons(found) == {"u1 e1", "u2 e2"}
    assert shared(found) == {"p1": SHARED_REFUSED}


def test_accounts_of_two_spaces_meet_in_an_address() -> None:
    found = checked(world(("u1@web e1", 1), ("u1@till e1", 1), ("u2@web e2", 1)))
    assert persons(found) == {"u1@till u1@web e1", "u2@web e2"}


def test_a_link_overrides_limits_and_counts_as_one() -> None:
    sets = [("u1 e1", 5), ("u2 e2", 5), ("u3 e1", 1)]
    found = checked(world(*sets, linked=["u1 u2"]))
    assert persons(found) == {"u1 u2 e1 e2", "u3"}
    assert refused(found) == {("u3 e1", 1, "limit", "e1")}


def test_linked_identifiers_count_once_for_each_type() -> None:
    rules = Rules((1, 2, 2, 5, 10), hub_better=99)
    found = checked(world(("u1 e1", 5), ("u1 e2", 4), ("u1 e3", 3), linked=["e1 e2"], rules=rules))
    assert persons(found) == {"u1 e1 e2 e3"}
    found = checked(world(("u1 e1", 5), ("u1 e2", 4), ("u1 e3", 3), ("u1", 1), rules=rules))
    assert persons(found) == {"u1 e1 e2"}  # e3 stands with nobody else: all its events are refused
    assert shared(found) == {"e3": SHARED_REFUSED}


def test_a_link_over_an_unlink_is_refused() -> None:
    found = checked(world(("u1 e1", 5), linked=["e1 e2", "u1 e2"], unlinked=["u1 e1"]))
    assert persons(found) == {"u1 e2", "e1"}  # the better ranks have their turn first
    assert refused(found) == {("u1 e1", 5, "unlink", ""), ("e1 e2", 0, "unlink", "")}
    assert shared(found) == {}


def test_links_take_their_turn_by_ranks_then_by_bytes() -> None:
    found = checked(world(linked=["u1 u2", "u1 p1", "u2 e1"], unlinked=["p1 e1"]))
    assert refused(found) == {("u1 p1", 0, "unlink", "")}
    seen_more = [("u1 e1", 1), ("u1 e2", 9)]  # decides nothing
    found = checked(world(*seen_more, linked=["u1 e1", "u1 e2"], unlinked=["e1 e2"]))
    assert refused(found) == {("u1 e2", 9, "unlink", "")}


def test_an_unlinked_end_keeps_a_group_of_its_own() -> None:
    found = checked(world(("u1 e1", 100), ("u1 p1", 3), ("e1 p1", 2), unlinked=["u1 e1"]))
    assert persons(found) == {"u1 p1", "e1"}
    assert shared(found) == {}
    assert refused(found) == {("u1 e1", 100, "unlink", ""), ("e1 p1", 2, "unlink", "")}


def test_an_edge_of_browsers_alone_never_outranks_one_of_a_server() -> None:
    found = checked(world(("u1 e1", 4, False), ("u2 e1", 1, True), rules=Rules(refused_share=0.9)))
    assert persons(found) == {"u1", "u2 e1"}
    better_ranks = [("u1 p1", 8, False), ("u2 e1", 1, True), ("e1 p1", 1, True)]
    assert persons(checked(world(*better_ranks, rules=Rules(refused_share=0.9)))) == {"u1", "u2 e1 p1"}
    one_trusted = [("u1 p1", 3, False), ("u1 p1 c1", 1, True), ("u2 p1", 5, False)]
    assert persons(checked(world(*one_trusted, rules=Rules(refused_share=0.9)))) == {"u1 p1 c1", "u2"}


def test_ties_go_to_the_higher_count_then_to_the_earlier_then_to_the_smaller_bytes() -> None:
    rules = Rules(refused_share=0.9)
    assert persons(checked(world(("u1 e1", 1), ("u2 e1", 2), rules=rules))) == {"u1", "u2 e1"}
    assert persons(checked(world(("u2 e1", 2), ("u1 e1", 2), rules=rules))) == {"u1", "u2 e1"}
    same_time = {pair("u2 e1"): Seen(2), pair("u1 e1"): Seen(2)}
    assert persons(checked(World(same_time, rules=rules))) == {"u1 e1", "u2"}


def test_of_one_type_the_end_with_fewer_events_is_charged() -> None:
    # Two accounts in one e-mail thread: limit 1, so the edge between them is refused.
    found = checked(world(("u1 u2", 2), ("u1 e1", 20), ("u2 e2", 30)))
    assert refused(found) == {("u1 u2", 2, "limit", "u1")}
    assert shared(found) == {"u1": SHARED_REFUSED}
    assert persons(found) == {"u2 e2", "e1"}


def test_sharing_goes_on_until_nobody_more_is_shared() -> None:
    # While p1 is there, u2's claim to c1 is 1 of 9 events; without it, 1 of 5.
    found = checked(world(("u1 p1", 10), ("u2 p1", 9), ("u1 c1", 4), ("u2 c1", 1), ("p1 c1", 4)))
    assert shared(found) == {"p1": SHARED_REFUSED, "c1": SHARED_REFUSED}
    assert persons(found) == {"u1", "u2"}


def test_a_component_that_is_too_large_loses_its_busiest() -> None:
    # Two stars of e-mails around a phone each, in different spaces of cards, held together by c1.
    sets = [(f"e{i} p1", 1) for i in range(4)] + [(f"e{i} p2", 1) for i in range(4, 7)] + [("p1 c1 p2", 1)]
    found = checked(world(*sets, rules=Rules((1, 2, 9, 9, 9), largest=5)))
    assert shared(found) == {"p1": SHARED_LARGE}
    assert persons(found) == {"e0", "e1", "e2", "e3", "e4 e5 e6 p2 c1"}


def test_only_parts_that_are_too_large_lose_anybody() -> None:
    # Without e0 the small star is small enough, and keeps its centre p9 for all its neighbours.
    big = [(f"e{i} p{j}", 1) for i in range(1, 8) for j in range(2)]
    small = [(f"e{i} p9", 1) for i in range(20, 23)]
    bridge = [(f"e0 c{i}", 1) for i in range(9)] + [("e0 p9", 1), ("e0 e1", 1)]
    rules = Rules((1, 2, 50, 50, 50), hub_better=99, largest=6)
    found = checked(world(*big, *small, *bridge, rules=rules))
    assert shared(found) == {"e0": SHARED_LARGE, "p0": SHARED_LARGE, "p1": SHARED_LARGE}
    assert "e20 e21 e22 p9" in persons(found)


def test_sets_without_events_are_not_there() -> None:
    found = checked(world(("u1 e1", 0), ("u2 e1", 3), *((f"u{i} p1", 0) for i in range(30))))
    assert persons(found) == {"u1", "u2 e1", "p1", *(f"u{i}" for i in range(30) if i not in (1, 2))}


def test_nothing_at_all() -> None:
    assert answer(World({})) == Answer()


def test_any_numbers_may_stand_for_spaces() -> None:
    of = world(("u1@web e1", 1), ("u1@till e1", 1), ("u2@web e1", 1))
    numbers = arrays(of)
    far = np.array([-5, 2_000_000_000, 7], np.int32)[numbers.ids.space]
    ids = Identifiers(numbers.ids.rank, far, numbers.ids.offsets, numbers.ids.text)
    everyone = np.ones(len(numbers.known), np.uint8)
    found = resolve(ids, numbers.sets, numbers.pairs, numbers.rules, numbers.hub, numbers.label, everyone)
    assert numbers.answer(found) == answer(of)
    assert np.array_equal(find_hubs(ids, numbers.sets, numbers.rules, everyone), numbers.hub)


def test_read_only_arrays_are_welcome() -> None:
    numbers = arrays(world(("u1 e1", 2), ("u2 e1", 1), linked=["u1 u3"]))
    everyone = np.ones(len(numbers.known), np.uint8)
    expected = numbers.answer(numbers.resolve(everyone))
    for array in (numbers.ids.rank, numbers.sets.members, numbers.pairs.forced, numbers.label, numbers.hub, everyone):
        array.flags.writeable = False
    assert numbers.answer(numbers.resolve(everyone)) == expected


# ------------------------------------------------------------------------------------------------- the twin

# Strategies are made once: making one takes longer than drawing from it.
SPACES = st.sampled_from(["", "", "@b"])
KINDS = st.sampled_from("uulepppc")
VALUES = st.sampled_from([2, 3, 5])
FEWEST = st.sampled_from([0, 6, 10])
SEEN = st.builds(Seen, st.sampled_from([0, 1, 1, 2, 3, 8, 20]), st.integers(0, 2), st.booleans())
LIMITS = st.tuples(*[st.sampled_from([1, 1, 2, 3])] * 5)
HUB_BETTER = st.sampled_from([1, 2, 3, 20, 20])
REFUSED_SHARE = st.sampled_from([0.1, 0.2, 0.5, 0.8, 2.0])
LARGEST = st.sampled_from([3, 5, 8, 10_000])


@functools.cache
def identifiers(values: int) -> st.SearchStrategy[Identifier]:
    return st.builds(
        lambda kind, value, space: one(f"{kind}{value}{space if kind in 'uc' else ''}"),
        KINDS,
        st.integers(9, 8 + values),  # 9 and 10: longer is not larger
        SPACES,
    )


@functools.cache
def sets_of(names: st.SearchStrategy[Identifier], fewest: int) -> st.SearchStrategy[dict[frozenset[Identifier], Seen]]:
    return st.dictionaries(st.frozensets(names, min_size=1, max_size=4), SEEN, min_size=fewest, max_size=16)


@functools.cache
def others_of(names: st.SearchStrategy[Identifier]) -> st.SearchStrategy[frozenset[Identifier]]:
    return st.frozensets(names, max_size=2)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Small and dense, with rules tight enough that every branch is taken."""
    names = identifiers(draw(VALUES))
    sets = draw(sets_of(names, draw(FEWEST)))
    others = draw(others_of(names))
    forced, forbidden = draw(decisions(sorted(others.union(*sets))))
    rules = Rules(
        limits=draw(LIMITS), hub_better=draw(HUB_BETTER), refused_share=draw(REFUSED_SHARE), largest=draw(LARGEST)
    )
    return World(sets, others, forced, forbidden, rules)


@st.composite
def decisions(draw: st.DrawFn, known: list[Identifier]) -> tuple[frozenset[naive.Pair], frozenset[naive.Pair]]:
    """Forced and forbidden pairs among a few identifiers, so that they meet."""
    if len(known) < 3 or draw(st.integers(0, 3)) == 0:
        return frozenset(), frozenset()
    few = draw(st.lists(st.sampled_from(known), min_size=3, max_size=4, unique=True))
    decided = st.frozensets(st.frozensets(st.sampled_from(few), min_size=2, max_size=2), min_size=1, max_size=4)
    forced = draw(decided)
    return forced, draw(decided) - forced


def branches(of: World, found: Answer) -> set[str]:
    """Which of the rules decided something."""
    taken = {f"shared {why}" for why in found.shared.values()}
    taken |= {why for _, _, _, why, _ in found.refused}
    taken |= {"noise" for _, _, _, _, end in found.refused if end and end not in found.shared}
    taken |= {"same type" for a, b, _, why, _ in found.refused if why == "limit" and a.rank == b.rank}
    taken |= {"link refused" for a, b, _, _, _ in found.refused if frozenset((a, b)) in of.forced}
    held = Counter((canonical, x.kind) for x, canonical in found.person.items())
    taken |= {"link over a limit" for (_, kind), n in held.items() if n > of.rules.limits[kind[0]]}
    if {3, 4} <= set(found.shared.values()):
        taken.add("several rounds")
    return taken


BRANCHES = {
    *(f"shared {why}" for why in (SHARED_BETTER, SHARED_WORSE, SHARED_REFUSED, SHARED_LARGE)),
    *("limit", "unlink", "noise", "same type", "link refused", "link over a limit", "several rounds"),
}


def test_like_the_twin_in_every_branch() -> None:
    taken: Counter[str] = Counter()

    @settings(max_examples=600)
    @given(worlds())
    def compare(of: World) -> None:
        expected = twin(of)
        assert answer(of) == expected
        taken.update(branches(of, expected))

    compare()
    assert {branch for branch, n in taken.items() if n >= 3} >= BRANCHES, taken


@settings(max_examples=150)
@given(worlds(), st.randoms(use_true_random=False))
def test_numbering_decides_nothing(of: World, shuffle: random.Random) -> None:
    assert answer(of, shuffle) == answer(of)


@settings(max_examples=150)
@given(worlds(), st.randoms(use_true_random=False))
def test_a_component_does_not_depend_on_the_others(of: World, choose: random.Random) -> None:
    numbers = arrays(of, choose)
    whole = numbers.resolve(np.ones(len(numbers.known), np.uint8))
    labels = sorted(set(numbers.label.tolist()) - {-1})
    chosen = np.isin(numbers.label, choose.sample(labels, choose.randint(0, len(labels))))
    part = numbers.resolve(chosen.astype(np.uint8))
    assert np.array_equal(part.group, np.where(chosen, whole.group, -1))
    assert np.array_equal(part.shared, np.where(chosen, whole.shared, numbers.hub))
    ends = {x for x, is_chosen in zip(numbers.known, chosen, strict=True) if is_chosen}
    expected = {edge for edge in numbers.answer(whole).refused if edge[0] in ends}
    assert numbers.answer(part).refused == expected
    some = find_hubs(numbers.ids, numbers.sets, numbers.rules, chosen.astype(np.uint8))
    assert not some[chosen].any()
    hubs = (numbers.hub > 0).astype(np.uint8)
    assert np.array_equal(find_hubs(numbers.ids, numbers.sets, numbers.rules, hubs), numbers.hub)


@pytest.mark.parametrize(("share", "largest"), [(0.3, 60), (0.8, 20), (2.0, 10_000)])
def test_like_the_twin_in_a_component_of_hundreds(share: float, largest: int) -> None:
    draw = random.Random(5)
    kinds = {"u": 40, "e": 60, "p": 50, "c": 40}
    sets = {}
    for _ in range(260):
        members = {f"{kind}{draw.randrange(kinds[kind])}" for kind in draw.sample("uepc", draw.choice([2, 2, 2, 3]))}
        sets[pair(" ".join(members))] = Seen(draw.randint(1, 30), draw.randrange(5), draw.random() < 0.7)
    forced, forbidden = frozenset({pair("u4 u5")}), frozenset({pair("u1 e1"), pair("u2 u3")})
    of = World(sets, forced=forced, forbidden=forbidden, rules=Rules(refused_share=share, largest=largest))
    found = checked(of)
    assert len(found.refused) > 64 or share < 2
    assert answer(of, draw) == found
