"""Why strong identifiers are, or are not, one person: what the last build joined, refused and shared.

A group's identifiers are joined by a tree of edges. Edges inside a group were never refused (a refusal holds for as
long as groups grow), so that the tree which the build made is the one that the same order makes of these edges alone
(percorso.identity.resolution): no component has to be resolved again to tell it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from percorso.identity.resolution import (
    Identifiers,
    IdentifierSets,
    Pairs,
    Refused,
    label_components,
)
from percorso.identity.state import IdentityState
from percorso.kernels.arrays import I16, I32, I64, U8
from percorso.kernels.sets import sets_with

__all__ = [
    "Joint",
    "KnownGraph",
    "broken_limits",
    "joints_of",
    "known_graph",
    "partner_counts",
    "refusal_events",
    "way_between",
]


@dataclass(frozen=True, slots=True)
class KnownGraph:
    """Strong identifiers and their sets as the last build left them.

    Attributes
    ----------
    ids : Identifiers
    sets : IdentifierSets
    pairs : Pairs
        Decisions and trusted aliases that stood.
    group : int32, shape (n_strong,)
        Canonical strong code of the person; -1: shared, or on no event.
    shared, hub, live : uint8, shape (n_strong,)
        As in percorso.identity.graph.
    refused : Refused
    """

    ids: Identifiers
    sets: IdentifierSets
    pairs: Pairs
    group: I32
    shared: U8
    hub: U8
    live: U8
    refused: Refused

    def sets_of(self, codes: Collection[int]) -> I64:
        """Numbers of the live sets that hold one of the identifiers, ascending."""
        marked = np.zeros(len(self.group), dtype=np.uint8)
        marked[list(codes)] = 1
        found = sets_with(self.sets.offsets, self.sets.members, marked)
        return np.flatnonzero((found == 1) & (self.sets.count > 0))

    def members(self, number: int) -> list[int]:
        """Identifiers of a set, by falling priority."""
        start, end = self.sets.offsets[number], self.sets.offsets[number + 1]
        members: list[int] = self.sets.members[start:end].tolist()
        return members

    def people_of(self, code: int) -> list[int]:
        """All identifiers of the person that an unshared identifier belongs to, the best first."""
        codes = np.flatnonzero((self.group == self.group[code]) & (self.live == 1))
        return self.by_priority(codes.tolist())

    def by_priority(self, codes: Iterable[int]) -> list[int]:
        """Identifiers from better to worse types, then by their text."""
        return sorted(codes, key=lambda code: (int(self.ids.rank[code]), self.text(code)))

    def text(self, code: int) -> bytes:
        """``type\\0space\\0value`` of an identifier."""
        return self.ids.text[self.ids.offsets[code] : self.ids.offsets[code + 1]].tobytes()

    def component(self, code: int) -> npt.NDArray[np.bool_]:
        """Identifiers that are connected with one, shared ones that are no hubs included; bool, shape (n_strong,)."""
        label = label_components(self.ids, self.sets, self.pairs, self.hub)
        mine: npt.NDArray[np.bool_] = (label == label[code]) & (label >= 0)
        return mine


def known_graph(state: IdentityState) -> KnownGraph:
    """The graph of a state that a build has saved."""
    arrays = state.arrays
    offsets, members = state.sets.sets()
    return KnownGraph(
        ids=state.strong.identifiers(),
        sets=IdentifierSets(offsets, members, *(arrays[f"set_{name}"] for name in ("count", "first", "trusted"))),
        pairs=Pairs(arrays["forced"].reshape(-1, 2), arrays["forbidden"].reshape(-1, 2)),
        group=arrays["group"],
        shared=arrays["shared"],
        hub=arrays["hub"],
        live=arrays["live"],
        refused=Refused(**{field.name: arrays[f"refused_{field.name}"] for field in fields(Refused)}),
    )


@dataclass(frozen=True, slots=True)
class Joint:
    """An edge that joins two identifiers of one person.

    Parameters
    ----------
    better, worse : int
        Strong codes.
    count : int
        Events that carry both; 0: joined by decision or alias alone.
    first_us : int
        Of the earliest of them, µs UTC.
    trusted : bool
        One of them is of a source that is neither site nor app.
    forced : bool
        By decision or alias.
    sets : tuple of int
        Numbers of the sets that hold both.
    """

    better: int
    worse: int
    count: int
    first_us: int
    trusted: bool
    forced: bool
    sets: tuple[int, ...]


def joints_of(graph: KnownGraph, codes: Sequence[int]) -> list[Joint]:
    """The edges that join the identifiers of a person, in the order in which they got their turn."""
    root = {code: code for code in codes}

    def find(code: int) -> int:
        while root[code] != code:
            root[code] = root[root[code]]
            code = root[code]
        return code

    joined = []
    for joint in sorted(_edges(graph, codes), key=lambda edge: _turn(graph, edge)):
        x, y = find(joint.better), find(joint.worse)
        if x != y:
            root[y] = x
            joined.append(joint)
    return joined


def _edges(graph: KnownGraph, codes: Sequence[int]) -> list[Joint]:
    """All edges between some identifiers."""
    place = {code: number for number, code in enumerate(graph.by_priority(codes))}
    holding: dict[tuple[int, int], list[int]] = {}
    for number in graph.sets_of(codes).tolist():
        inside = sorted((code for code in graph.members(number) if code in place), key=place.__getitem__)
        for pair in combinations(inside, 2):
            holding.setdefault(pair, []).append(number)
    forced = {
        tuple(sorted(pair, key=place.__getitem__))
        for pair in graph.pairs.forced.tolist()
        if pair[0] in place and pair[1] in place
    }
    return [
        Joint(
            better=pair[0],
            worse=pair[1],
            count=sum(int(graph.sets.count[number]) for number in holding.get(pair, ())),
            first_us=min((int(graph.sets.first[number]) for number in holding.get(pair, ())), default=0),
            trusted=any(bool(graph.sets.trusted[number]) for number in holding.get(pair, ())),
            forced=pair in forced,
            sets=tuple(holding.get(pair, ())),
        )
        for pair in {*holding, *((int(x), int(y)) for x, y in forced)}
    ]


def _turn(graph: KnownGraph, edge: Joint) -> tuple[Any, ...]:
    """What edges are ordered by (percorso.identity.resolution)."""
    tier = 0 if edge.forced else 1 if edge.trusted else 2
    seen = (0, 0) if edge.forced else (-edge.count, edge.first_us)
    ranks = (int(graph.ids.rank[edge.better]), int(graph.ids.rank[edge.worse]))
    return (tier, *ranks, *seen, graph.text(edge.better), graph.text(edge.worse))


def way_between(joints: Iterable[Joint], start: int, end: int) -> list[Joint]:
    """The edges of a tree that lead from one identifier to another, from the first on."""
    beside: dict[int, list[tuple[int, Joint]]] = {}
    for joint in joints:
        beside.setdefault(joint.better, []).append((joint.worse, joint))
        beside.setdefault(joint.worse, []).append((joint.better, joint))
    before: dict[int, tuple[int, Joint] | None] = {start: None}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        for there, joint in beside.get(here, ()):
            if there not in before:
                before[there] = (here, joint)
                waiting.append(there)
    way = []
    step = before.get(end)
    while step is not None:
        way.append(step[1])
        step = before[step[0]]
    return way[::-1]


def partner_counts(graph: KnownGraph, code: int) -> dict[tuple[int, int], int]:
    """With how many different identifiers of each type (by rank) and space one has been seen on an event."""
    partners = {other for number in graph.sets_of([code]).tolist() for other in graph.members(number)} - {code}
    counts: dict[tuple[int, int], int] = {}
    for other in partners:
        kind = (int(graph.ids.rank[other]), int(graph.ids.space[other]))
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def refusal_events(graph: KnownGraph, code: int) -> tuple[int, int]:
    """Of an identifier that refusals made shared: events with a refused edge charged to it, and those they are of.

    The latter are the events on which it stands beside an identifier of the same or a better type that is not shared
    in the end, or that one of those edges leads to. In a group that took several rounds to fall apart others may have
    left later than it; so these can be fewer than the build counted, never more.
    """
    refused = graph.refused
    mine = refused.charged == code
    ends = {int(end) for end in np.concatenate([refused.better[mine], refused.worse[mine]])} - {code}
    contradicting, accompanied = 0, 0
    for number in graph.sets_of([code]).tolist():
        others = [other for other in graph.members(number) if other != code]
        count = int(graph.sets.count[number])
        hit = any(other in ends for other in others)
        contradicting += count * hit
        beside = any(graph.ids.rank[other] <= graph.ids.rank[code] and not graph.shared[other] for other in others)
        accompanied += count * (hit or beside)
    return contradicting, accompanied


def broken_limits(graph: KnownGraph, edges: I64, limits: I32) -> I16:
    """The limit that each of some refused edges would have broken: rank of the type, -1 where it cannot be told.

    Parameters
    ----------
    edges : int64, shape (n_edges,)
        Places in `graph.refused`.
    limits : int32, shape (n_ranks,)

    Returns
    -------
    int16, shape (n_edges,)
        The best type of which both sides together hold too many. An end that is shared stands for itself and the
        persons beside whom it was not refused.
    """
    rank: I16 = np.full(len(edges), -1, dtype=np.int16)
    if not len(edges):
        return rank
    ends = np.stack([graph.refused.better[edges], graph.refused.worse[edges]], axis=1).astype(np.int64)
    n, n_spaces = len(graph.group), int(graph.ids.space.max()) + 1
    # A side is a group by its code, or a shared identifier by its own, behind all groups.
    side = np.where(graph.group[ends] >= 0, graph.group[ends], n + ends)
    n_kinds = len(limits) * n_spaces
    held, tally = _held(graph, ends, side, n_spaces, n_kinds)
    for kind in np.unique(held % n_kinds).tolist()[::-1]:  # the best type is the last to be written
        count = [_looked_up(held, tally, side[:, end] * n_kinds + kind) for end in (0, 1)]
        over = (count[0] > 0) & (count[1] > 0) & (count[0] + count[1] > limits[kind // n_spaces])
        rank[over] = kind // n_spaces
    return rank


def _held(graph: KnownGraph, ends: I64, side: I64, n_spaces: int, n_kinds: int) -> tuple[I64, I64]:
    """How many identifiers of a kind (type and space) each side holds: sorted keys ``side * n_kinds + kind``, numbers.

    Identifiers that decisions or aliases joined count once.
    """
    n = len(graph.group)
    of_group = np.zeros(n + 1, dtype=np.uint8)
    of_group[side[side < n]] = 1
    alone = np.unique(ends[side >= n])
    beside, near = _near(graph, alone)
    of_group[near] = 1
    codes = np.flatnonzero((of_group[graph.group] == 1) & (graph.group >= 0) & (graph.live == 1))
    order = codes[np.argsort(graph.group[codes], kind="stable")]
    starts, stops = (np.searchsorted(graph.group[order], near, side=edge) for edge in ("left", "right"))
    sizes = stops - starts
    inside = np.repeat(starts - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))
    holder = np.concatenate([graph.group[codes].astype(np.int64), n + alone, n + np.repeat(beside, sizes)])
    every = np.concatenate([codes, alone, order[inside]])
    kind = graph.ids.rank[every].astype(np.int64) * n_spaces + graph.ids.space[every]
    once = np.unique(np.stack([holder * n_kinds + kind, _forced_label(graph)[every]]), axis=1)
    held, tally = np.unique(once[0], return_counts=True)
    return held, tally


def _near(graph: KnownGraph, alone: I64) -> tuple[I64, I64]:
    """Pairs of a shared identifier and a group beside which it stands on events and was not refused."""
    nothing = np.zeros(0, dtype=np.int64)
    if not len(alone):
        return nothing, nothing
    wanted = set(alone.tolist())
    better, worse = (np.asarray(end, dtype=np.int64) for end in (graph.refused.better, graph.refused.worse))
    refused = {*zip(better.tolist(), worse.tolist(), strict=True), *zip(worse.tolist(), better.tolist(), strict=True)}
    pairs: set[tuple[int, int]] = set()
    for number in graph.sets_of(wanted).tolist():
        members = graph.members(number)
        groups = [(other, int(graph.group[other])) for other in members if graph.group[other] >= 0]
        for code in wanted.intersection(members):
            pairs.update((code, group) for other, group in groups if (code, other) not in refused)
    found = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _forced_label(graph: KnownGraph) -> I64:
    """One number for identifiers that forced pairs join, their own code for all others; int64, shape (n_strong,)."""
    label = np.arange(len(graph.group), dtype=np.int64)
    root: dict[int, int] = {}

    def find(code: int) -> int:
        while root.setdefault(code, code) != code:
            code = root[code]
        return code

    for x, y in graph.pairs.forced.tolist():
        root[find(y)] = find(x)
    for code in list(root):
        label[code] = find(code)
    return label


def _looked_up(keys: I64, values: I64, wanted: I64) -> I64:
    """The value of each wanted key, 0 where it is not there; keys are sorted."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)
