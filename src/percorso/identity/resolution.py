"""Which strong identifiers are one person (identity rules, section 2).

Three steps, so that a build can look at what is touched alone: `find_hubs`, `label_components`, `resolve`.
Only types, spaces, texts, counts and times decide; neither the numbering of identifiers nor that of sets.

**Hubs** leave before anything else, forced pairs or not: an identifier seen in live sets with more than
`hub_better` different identifiers of one better type and space, or with more than twice the limit of one worse
type and space.

**Edges** come from live sets (count > 0) and from forced pairs. Each unordered pair of members of a set is one;
its count is the sum of the counts of the sets that hold both, its first time the earliest of theirs, and it is
trusted if one of them is. A pair that is forced and seen is one edge. Edges take their turn in one total order:

1. forced pairs;
2. those a trusted source has seen, before those seen on sites and apps alone;
3. the better rank of the two ends, then the other;
4. unless forced, the higher count, then the earlier first time;
5. the text of the better end (of one type: the smaller text), then of the other, by bytes.

**Joining.** At its turn an edge whose ends stand in different groups joins them, unless the union would hold a
forbidden pair (UNLINK), or more identifiers of a type and space than the limit (LIMIT). A forced pair overrides
limits, not forbidden pairs; identifiers that forced pairs have joined count once for each type and space.

**Shared by refusals.** An edge that a limit refused is charged to its end of the worse type; of one type, to
the end with fewer events (counts of the live sets that hold it), then with the larger text. An edge of one type
that sites and apps alone have seen is charged to nobody: anybody can send an alias message. That end becomes
shared if the sets that hold at least one edge charged to it make up `refused_share` of the sets in which it
stands beside an unshared identifier of the same or a better type, both measured in events. An edge refused
because of a forbidden pair is charged to nobody. The shared ones of a round leave together, and what is left of
their component is resolved again.

**Too large.** A component that shares nobody more and still has more than `largest` identifiers: its
identifiers are gone through by falling number of distinct neighbours, then text, and each becomes shared if
the part that it stands in at its turn is larger. What is left is resolved again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from percorso.kernels.arrays import I16, I32, I64, U8
from percorso.kernels.joining import REFUSED_LIMIT, REFUSED_UNLINK, Graph, Parts
from percorso.kernels.resolving import SHARED_BETTER, SHARED_WORSE, component_labels, components_of, hub_reasons
from percorso.kernels.sharing import SHARED_LARGE, SHARED_REFUSED, resolve_components

__all__ = [
    "REFUSED_LIMIT",
    "REFUSED_UNLINK",
    "SHARED_BETTER",
    "SHARED_LARGE",
    "SHARED_REFUSED",
    "SHARED_WORSE",
    "IdentifierSets",
    "Identifiers",
    "Pairs",
    "Refused",
    "Resolution",
    "ResolutionRules",
    "find_hubs",
    "label_components",
    "resolve",
]

_MOST_SPACES = 1 << 16


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Strong identifiers by code.

    Attributes
    ----------
    rank : int16, shape (n,)
        Of the type, 0 the best; ranks and types are one to one.
    space : int32, shape (n,)
        A number for each space.
    offsets : int64, shape (n + 1,)
        Where each text begins in `text`.
    text : uint8, shape (n_bytes,)
        ``type\\0space\\0value`` of each, distinct.
    """

    rank: I16
    space: I32
    offsets: I64
    text: U8


@dataclass(frozen=True, slots=True)
class IdentifierSets:
    """Sets of strong identifiers that stand together on an event.

    Attributes
    ----------
    offsets : int64, shape (m + 1,)
        Where each set begins in `members`.
    members : int32, shape (n_members,)
        Codes, distinct in a set.
    count : int64, shape (m,)
        Deduplicated events with exactly this set; 0: the set does not exist (any more).
    first : int64, shape (m,)
        µs UTC of the earliest of them.
    trusted : uint8, shape (m,)
        1: at least one of them comes from a source that is neither site nor app.
    """

    offsets: I64
    members: I32
    count: I64
    first: I64
    trusted: U8


@dataclass(frozen=True, slots=True)
class Pairs:
    """Decisions by hand, as unordered pairs of different codes: int32, shape (n_pairs, 2)."""

    forced: I32
    forbidden: I32


@dataclass(frozen=True, slots=True)
class ResolutionRules:
    """When identifiers join, and when they are shared.

    Attributes
    ----------
    limits : int32, shape (n_ranks,)
        Identifiers of each type that a person can have in one space.
    hub_better : int
        More different identifiers of one better type and space make a hub.
    refused_share : float
        Share of its events, in 0..1, from which on refused edges make an identifier shared.
    largest : int
        Identifiers of a component.
    """

    limits: I32
    hub_better: int = 20
    refused_share: float = 0.2
    largest: int = 10_000


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused edges, each once, in no particular order; every array of shape (n_refused,).

    Those that are refused in the end, and those that made an end shared.

    Attributes
    ----------
    better, worse : int32
        Codes of the two ends; of one type, the smaller text is the better.
    count : int64
        Events that hold both.
    why : uint8
        REFUSED_LIMIT or REFUSED_UNLINK.
    charged : int32
        The end that it is charged to, -1 none. Unless that is shared, the edge is noise.
    """

    better: I32
    worse: I32
    count: I64
    why: U8
    charged: I32


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who is one person.

    Attributes
    ----------
    group : int32, shape (n,)
        Code of the canonical identifier of the identifier's person: of the best type, then the smallest text.
        -1: shared, or not wanted.
    shared : uint8, shape (n,)
        0 or why it is shared: SHARED_BETTER, SHARED_WORSE (the hubs, wanted or not), SHARED_REFUSED,
        SHARED_LARGE.
    refused : Refused
    """

    group: I32
    shared: U8
    refused: Refused


def find_hubs(ids: Identifiers, sets: IdentifierSets, rules: ResolutionRules, wanted: U8) -> U8:
    """Why each wanted identifier is a hub, 0 if it is none.

    Parameters
    ----------
    ids : Identifiers
    sets : IdentifierSets
    rules : ResolutionRules
    wanted : uint8, shape (n,)

    Returns
    -------
    uint8, shape (n,)
        SHARED_BETTER, else SHARED_WORSE, else 0. Linear in the members of the sets.
    """
    space, n_spaces = _small_spaces(ids.space)
    reason: U8 = hub_reasons(
        ids.rank, space, n_spaces, sets.offsets, sets.members, sets.count, rules.limits, rules.hub_better, wanted
    )
    return reason


def label_components(ids: Identifiers, sets: IdentifierSets, pairs: Pairs, hub: U8) -> I32:
    """The smallest code of each identifier's component over live sets and forced pairs; -1 for hubs.

    Parameters
    ----------
    ids : Identifiers
    sets : IdentifierSets
    pairs : Pairs
    hub : uint8, shape (n,)
        Of all identifiers; not 0: a hub.

    Returns
    -------
    int32, shape (n,)
    """
    if len(hub) != len(ids.rank):
        raise ValueError(f"{len(hub)} hubs for {len(ids.rank)} identifiers")
    label: I32 = component_labels(sets.offsets, sets.members, sets.count, _two_columns(pairs.forced), hub)
    return label


def resolve(
    ids: Identifiers,
    sets: IdentifierSets,
    pairs: Pairs,
    rules: ResolutionRules,
    hub: U8,
    label: I32,
    wanted: U8,
) -> Resolution:
    """Join the identifiers of the wanted components into persons.

    Parameters
    ----------
    ids : Identifiers
    sets : IdentifierSets
    pairs : Pairs
    rules : ResolutionRules
    hub, label
        From `find_hubs` and `label_components`, for all identifiers.
    wanted : uint8, shape (n,)
        Identifiers of the components to resolve. A component is wanted wholly or not at all.

    Returns
    -------
    Resolution
        Of wanted identifiers the same, whatever else is wanted.
    """
    space, n_spaces = _small_spaces(ids.space)
    n = len(ids.rank)
    parts = Parts(*components_of(label, wanted, sets.offsets, sets.members, sets.count, hub))
    graph = Graph(
        _read_only(ids.rank),
        _read_only(space),
        n_spaces,
        _read_only(ids.offsets),
        _read_only(ids.text),
        _read_only(sets.offsets),
        _read_only(sets.members),
        _read_only(sets.count),
        _read_only(sets.first),
        _read_only(sets.trusted),
        *_lists_of_pairs(pairs, n),
        _read_only(rules.limits),
        rules.refused_share,
        rules.largest,
    )
    shared, group = hub.copy(), np.full(n, -1, dtype=np.int32)
    parts = Parts(parts.nodes, _read_only(parts.node_starts), parts.sets, _read_only(parts.set_starts))
    refused = resolve_components(graph, parts, shared, group)
    better, worse, count, why, charged = refused.T
    return Resolution(
        group,
        shared,
        Refused(
            better.astype(np.int32),
            worse.astype(np.int32),
            count.copy(),
            why.astype(np.uint8),
            charged.astype(np.int32),
        ),
    )


def _small_spaces(space: I32) -> tuple[I32, int]:
    """Spaces as small numbers from 0 on, and how many numbers there are."""
    if len(space) == 0:
        return space, 1
    most = int(space.max())
    if most < _MOST_SPACES and int(space.min()) >= 0:
        return space, most + 1
    distinct, small = np.unique(space, return_inverse=True)
    return small.astype(np.int32), len(distinct)


def _lists_of_pairs(pairs: Pairs, n: int) -> tuple[I32, I64, I32, I64, I32]:
    """Place of each identifier in two lists of lists, and these: its forced and its forbidden partners."""
    forced, forbidden = _two_columns(pairs.forced), _two_columns(pairs.forbidden)
    decided = np.full(n, -1, dtype=np.int32)
    concerned = np.unique(np.concatenate([forced.ravel(), forbidden.ravel()]))
    decided[concerned] = np.arange(len(concerned), dtype=np.int32)
    forced_starts, forced = _partners(forced, concerned)
    forbidden_starts, forbidden = _partners(forbidden, concerned)
    return (
        _read_only(decided),
        _read_only(forced_starts),
        _read_only(forced),
        _read_only(forbidden_starts),
        _read_only(forbidden),
    )


def _partners(pairs: I32, concerned: I32) -> tuple[I64, I32]:
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    starts = np.searchsorted(both[:, 0], np.append(concerned.astype(np.int64), np.iinfo(np.int64).max))
    return starts.astype(np.int64), np.ascontiguousarray(both[:, 1])


def _two_columns(pairs: I32) -> I32:
    """No decisions may come in any shape."""
    return np.ascontiguousarray(pairs, dtype=np.int32).reshape(-1, 2)


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same values, as the compiled tuple wants them: it takes read-only arrays, or writable ones, not both."""
    view = array.view()
    view.flags.writeable = False
    return view
