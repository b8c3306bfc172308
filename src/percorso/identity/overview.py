"""How identity went over a whole workspace: counts over the arrays of the last build, a few passes each.

Nothing is sorted that has an entry for each event: 20 million of them take seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from percorso.identity.evidence import KnownGraph
from percorso.identity.placement import PLACING_RULES
from percorso.identity.state import IdentityState
from percorso.kernels.arrays import I32, I64, Bools

__all__ = [
    "DeviceCounts",
    "EventCounts",
    "PersonCounts",
    "count_devices",
    "count_events",
    "count_persons",
    "events_of_identifiers",
    "partners_of",
]

_GROUP = 0  # kind of unit: a person with a strong identifier
_MANY_PERSONS = 3  # a browser or device on which more than so many sign in is probably not one person's


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Events by source and placing rule, int64, shape (n_sources, n_rules); the sources are those of the row files."""

    by_rule: I64


def count_events(state: IdentityState) -> EventCounts:
    """Count the events that count."""
    n_sources, n_rules = len(state.rows.sources), len(PLACING_RULES)
    source, rule, keep = state.rows.column("source"), state.arrays["rule"], state.arrays["keep"]
    counts = np.zeros(n_sources * n_rules, dtype=np.int64)
    for part in state.rows.chunks():
        kept = keep[part] == 1
        cells = source[part][kept].astype(np.int64) * n_rules + rule[part][kept]
        counts += np.bincount(cells, minlength=len(counts))
    return EventCounts(counts.reshape(n_sources, n_rules))


@dataclass(frozen=True, slots=True)
class PersonCounts:
    """Persons with events.

    Attributes
    ----------
    group : int64, shape (n_identified,)
        Canonical strong codes of those with a strong identifier, ascending.
    identifiers, events : int64, shape (n_identified,)
        Their strong identifiers, and their events.
    anonymous, anonymous_events : int
    """

    group: I64
    identifiers: I64
    events: I64
    anonymous: int
    anonymous_events: int


def count_persons(state: IdentityState, graph: KnownGraph) -> PersonCounts:
    """Count identifiers and events of every person."""
    unit = state.arrays["unit"]
    counts = np.zeros(max(4 * len(graph.group), int(unit.max(initial=0)) + 1, 4), dtype=np.int64)
    for part in state.rows.chunks():
        inside = unit[part]
        found = np.bincount(inside[inside >= 0])
        counts[: len(found)] += found
    events = counts[_GROUP::4][: len(graph.group)].copy()
    counts[_GROUP::4] = 0
    codes = np.flatnonzero((graph.group >= 0) & (graph.live == 1))
    identifiers = np.bincount(graph.group[codes], minlength=len(graph.group))
    people = np.flatnonzero(events)
    return PersonCounts(people, identifiers[people], events[people], int((counts > 0).sum()), int(counts.sum()))


def events_of_identifiers(graph: KnownGraph) -> I64:
    """On how many events each strong identifier stands; int64, shape (n_strong,)."""
    sizes = np.diff(graph.sets.offsets)
    weights = np.repeat(np.asarray(graph.sets.count, dtype=np.float64), sizes)
    return np.bincount(graph.sets.members, weights=weights, minlength=len(graph.group)).astype(np.int64)


def partners_of(graph: KnownGraph, codes: Sequence[int]) -> list[dict[tuple[int, int], int]]:
    """For each of some identifiers, with how many different ones of a type (rank) and space it was seen."""
    offsets, members = graph.sets.offsets, graph.sets.members
    slot = np.full(len(graph.group), -1, dtype=np.int64)
    slot[list(codes)] = np.arange(len(codes))
    of_set = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    entries = np.flatnonzero((slot[members] >= 0) & (graph.sets.count[of_set] > 0))
    counts: list[dict[tuple[int, int], int]] = [{} for _ in codes]
    for number, code in enumerate(codes):
        sets = of_set[entries[members[entries] == code]]
        sizes = offsets[sets + 1] - offsets[sets]
        inside = np.repeat(offsets[sets] - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))
        others = np.unique(members[inside])
        others = others[others != code]
        kinds = np.stack([graph.ids.rank[others].astype(np.int64), graph.ids.space[others].astype(np.int64)])
        found, sizes = np.unique(kinds, axis=1, return_counts=True)
        counts[number] = {(rank, space): n for (rank, space), n in zip(found.T.tolist(), sizes.tolist(), strict=True)}
    return counts


@dataclass(frozen=True, slots=True)
class DeviceCounts:
    """Weak identifiers.

    Attributes
    ----------
    kind : int16, shape (n_weak,)
        Place of the type in WEAK_COLUMNS.
    seen, with_login : bool, shape (n_weak,)
        It stands on an event; on one that is a login.
    suspected : int64, shape (n_suspected,)
        Codes of those with logins of more than three persons on sources that are not marked as shared; those with
        most persons first.
    persons, events : int64, shape (n_suspected,)
        Persons who signed in, and their logins.
    source : int64, shape (n_suspected,)
        Code of the source with most of these logins.
    """

    kind: I64
    seen: Bools
    with_login: Bools
    suspected: I64
    persons: I64
    events: I64
    source: I64


def count_devices(state: IdentityState, shared_sources: Sequence[str]) -> DeviceCounts:
    """Count browsers and devices, and find those that several persons seem to use."""
    n = len(state.weak)
    seen = np.zeros(n + 1, dtype=np.bool_)  # none, -1, is the last
    login = np.zeros(n + 1, dtype=np.bool_)
    several = np.zeros(n + 1, dtype=np.bool_)
    somebody = np.full(n + 1, -1, dtype=np.int32)  # one of the persons who signed in
    marked = np.array([name in shared_sources for name in state.rows.sources], dtype=np.bool_)
    person_of_set = np.append(state.arrays["set_person"], np.int32(-1))
    for part in state.rows.chunks():
        kept, person, weak = _logins(state, person_of_set, part)
        own = (person >= 0) & ~marked[state.rows.column("source")[part]]
        for codes in weak:
            seen[codes[kept]] = True
            login[codes[person >= 0]] = True
            mine, people = codes[own], person[own]
            before = somebody[mine]
            somebody[mine] = people
            # Of several in this part one has been written down; the others differ from it.
            several[mine[((before >= 0) & (before != people)) | (somebody[mine] != people)]] = True
    several[n] = False
    suspects = _suspects(state, person_of_set, several, marked)
    return DeviceCounts(np.asarray(state.weak.identifiers().rank, dtype=np.int64), seen[:n], login[:n], *suspects)


def _logins(state: IdentityState, person_of_set: I32, part: slice) -> tuple[Bools, I32, tuple[I32, ...]]:
    """Of a part of the rows: which count, the person of those that are logins (-1: none), and weak codes."""
    rows = state.rows
    kept = state.arrays["keep"][part] == 1
    person = person_of_set[rows.column("sset")[part]]
    person = np.where(kept & (rows.column("signed_out")[part] == 0), person, np.int32(-1))
    anonymous, device = rows.column("anonymous")[part], rows.column("device")[part]
    return kept, person, (anonymous, device) if (device >= 0).any() else (anonymous,)


def _suspects(state: IdentityState, person_of_set: I32, several: Bools, marked: Bools) -> tuple[I64, I64, I64, I64]:
    """Codes, persons, logins and main source of weak identifiers with logins of more than three persons."""
    found = []
    for part in state.rows.chunks():
        _, person, weak = _logins(state, person_of_set, part)
        source = state.rows.column("source")[part]
        for codes in weak:
            at = np.flatnonzero(several[codes] & (person >= 0) & ~marked[source])
            found.append(np.stack([codes[at], person[at], source[at]]).astype(np.int64))
    code, person, source = np.concatenate(found, axis=1) if found else np.zeros((3, 0), dtype=np.int64)
    pairs = np.unique(np.stack([code, person]), axis=1)
    who, persons = np.unique(pairs[0], return_counts=True)
    who, persons = who[persons > _MANY_PERSONS], persons[persons > _MANY_PERSONS]
    order = np.lexsort((who, -persons))
    who, persons = who[order], persons[order]
    place = np.full(len(several), -1, dtype=np.int64)
    place[who] = np.arange(len(who))
    mine = place[code] >= 0
    n_sources = max(len(marked), 1)
    table = np.bincount(place[code[mine]] * n_sources + source[mine], minlength=len(who) * n_sources)
    table = table.reshape(len(who), n_sources)
    return who, persons, table.sum(axis=1), table.argmax(axis=1)
