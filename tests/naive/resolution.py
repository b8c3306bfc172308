"""Plain twin of percorso.identity.resolution: persons from strong identifiers, by the words of the identity rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Answer", "Identifier", "Rules", "Seen", "resolve"]


class Identifier(NamedTuple):
    """Ordered from better to worse."""

    rank: int
    text: bytes  # type \0 space \0 value

    @property
    def kind(self) -> tuple[int, bytes]:
        """Type and space."""
        return self.rank, self.text.split(b"\0")[1]


@dataclass(frozen=True)
class Seen:
    count: int
    first: int = 0
    trusted: bool = True


@dataclass(frozen=True)
class Rules:
    limits: tuple[int, ...] = (1, 2, 5, 5, 10)
    hub_better: int = 20
    refused_share: float = 0.2
    largest: int = 10_000


@dataclass
class Answer:
    person: dict[Identifier, Identifier] = field(default_factory=dict)  # unshared -> canonical one
    shared: dict[Identifier, int] = field(default_factory=dict)  # why: 1 or 2 a hub, 3 refused edges, 4 too large
    refused: set[tuple[Identifier, Identifier, int, str, Identifier | None]] = field(default_factory=set)


Pair = frozenset[Identifier]
Group = set[Identifier]


def resolve(
    everyone: Iterable[Identifier],
    sets: Mapping[frozenset[Identifier], Seen],
    *,
    forced: set[Pair],
    forbidden: set[Pair],
    rules: Rules,
) -> Answer:
    answer = Answer()
    live = {members: seen for members, seen in sets.items() if seen.count > 0}
    answer.shared = {x: why for x in everyone if (why := _hub(x, live, rules))}
    pending = _components({x for x in everyone if x not in answer.shared}, live, forced)
    while pending:
        component = pending.pop()
        groups, refused = _kruskal(component, live, forced, forbidden, rules)
        charged = {
            edge: _charged(edge, live)
            for edge, why in refused.items()
            if why == "limit" and (_seen(edge, live).trusted or len({x.rank for x in edge}) > 1)
        }
        fallen, why_fallen = _charged_too_much(component, live, charged, rules), 3
        told = refused  # after the last round all; else what made somebody shared
        if fallen:
            told = {edge: "limit" for edge, end in charged.items() if end in fallen}
        elif len(component) > rules.largest:
            fallen, why_fallen, told = _too_many(component, live, forced, rules), 4, {}
        for edge, reason in told.items():
            answer.refused.add((min(edge), max(edge), _seen(edge, live).count, reason, charged.get(edge)))
        if fallen:
            answer.shared.update(dict.fromkeys(fallen, why_fallen))
            pending += _components(component - fallen, live, forced)
        else:
            answer.person.update({x: min(group) for group in groups for x in group})
    return answer


def _hub(x: Identifier, live: Mapping[Pair, Seen], rules: Rules) -> int:
    partners = {y for members in live if x in members for y in members if y != x}
    found = 0
    for kind in {y.kind for y in partners}:
        n = sum(y.kind == kind for y in partners)
        if kind[0] < x.rank and n > rules.hub_better:
            return 1
        if kind[0] > x.rank and n > 2 * rules.limits[kind[0]]:
            found = 2
    return found


def _neighbours(x: Identifier, among: Group, live: Mapping[Pair, Seen], forced: set[Pair]) -> Group:
    return {y for together in [*live, *forced] if x in together for y in together if y in among and y != x}


def _components(nodes: Group, live: Mapping[Pair, Seen], forced: set[Pair]) -> list[Group]:
    left, found = set(nodes), []
    while left:
        component, frontier = set(), {left.pop()}
        while frontier:
            x = frontier.pop()
            component.add(x)
            frontier |= _neighbours(x, nodes, live, forced) - component
        left -= component
        found.append(component)
    return found


def _seen(pair: Pair, live: Mapping[Pair, Seen]) -> Seen:
    sources = [seen for members, seen in live.items() if pair <= members]
    first = min((seen.first for seen in sources), default=0)
    return Seen(sum(seen.count for seen in sources), first, any(seen.trusted for seen in sources))


def _turn(pair: Pair, live: Mapping[Pair, Seen], forced: set[Pair]) -> tuple[Any, ...]:
    better, worse = sorted(pair)
    ranks = (better.rank, worse.rank)
    if pair in forced:
        return (0, *ranks, better.text, worse.text)
    seen = _seen(pair, live)
    return (1 if seen.trusted else 2, *ranks, -seen.count, seen.first, better.text, worse.text)


def _kruskal(
    component: Group, live: Mapping[Pair, Seen], forced: set[Pair], forbidden: set[Pair], rules: Rules
) -> tuple[list[Group], dict[Pair, str]]:
    pairs = {frozenset((x, y)) for x in component for y in _neighbours(x, component, live, forced)}
    group = {x: {x} for x in component}
    linked = {x: {x} for x in component}  # what links alone have joined
    refused: dict[Pair, str] = {}

    def merge(of: dict[Identifier, Group], x: Identifier, y: Identifier) -> None:
        both = of[x] | of[y]
        of.update(dict.fromkeys(both, both))

    for pair in sorted(pairs, key=lambda pair: _turn(pair, live, forced)):
        x, y = pair
        union = group[x] | group[y]
        if group[x] is group[y]:
            continue
        if any(two <= union for two in forbidden):
            refused[pair] = "unlink"
        elif pair not in forced and _exceeds(union, linked, rules):
            refused[pair] = "limit"
        else:
            merge(group, x, y)
            if pair in forced:
                merge(linked, x, y)
    return list({id(one): one for one in group.values()}.values()), refused


def _exceeds(union: Group, linked: Mapping[Identifier, Group], rules: Rules) -> bool:
    for kind in {x.kind for x in union}:
        if len({min(linked[x]) for x in union if x.kind == kind}) > rules.limits[kind[0]]:
            return True
    return False


def _charged(pair: Pair, live: Mapping[Pair, Seen]) -> Identifier:
    """The worse type; then the fewer events; then the larger bytes."""

    def burden(x: Identifier) -> tuple[int, int, bytes]:
        return x.rank, -sum(seen.count for members, seen in live.items() if x in members), x.text

    return max(pair, key=burden)


def _charged_too_much(
    component: Group, live: Mapping[Pair, Seen], charged: Mapping[Pair, Identifier], rules: Rules
) -> Group:
    found = set()
    for x in set(charged.values()):
        with_refused = beside_as_good = 0
        for members, seen in live.items():
            if any(end == x and pair <= members for pair, end in charged.items()):
                with_refused += seen.count
            if x in members and any(y in component and y != x and y.rank <= x.rank for y in members):
                beside_as_good += seen.count
        if with_refused / beside_as_good >= rules.refused_share:
            found.add(x)
    return found


def _too_many(component: Group, live: Mapping[Pair, Seen], forced: set[Pair], rules: Rules) -> Group:
    busiest_first = sorted(component, key=lambda x: (-len(_neighbours(x, component, live, forced)), x.text))
    found: Group = set()
    for x in busiest_first:
        part = next(part for part in _components(component - found, live, forced) if x in part)
        if len(part) > rules.largest:
            found.add(x)
    return found
