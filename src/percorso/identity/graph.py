"""From rows to groups of strong identifiers, working out again only the components that something touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from percorso.identity.decisions import Folded
from percorso.identity.resolution import (
    IdentifierSets,
    Pairs,
    Refused,
    ResolutionRules,
    find_hubs,
    label_components,
    resolve,
)
from percorso.identity.state import IdentityState
from percorso.kernels.rows import set_statistics
from percorso.kernels.sets import members_of, persons_of_sets, sets_otherwise_shared, sets_with

__all__ = ["Graph", "grown", "resolve_graph"]

_U8: TypeAlias = npt.NDArray[np.uint8]
_I32: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Graph:
    """What is known of strong identifiers and of their sets.

    Attributes
    ----------
    sets : IdentifierSets
    pairs : Pairs
        Decisions and trusted aliases that stand.
    hub, shared : uint8, shape (n_strong,)
        Reason for being shared, 0 none; `hub` those found before components.
    group : int32, shape (n_strong,)
        Canonical strong code of the person; -1: shared, or on no event.
    live : uint8, shape (n_strong,)
        1: stands on an event that counts.
    person : int32, shape (n_sets,)
        Canonical strong code of a set's person, -1 none.
    set_changed : uint8, shape (n_sets,)
        1: another person than in the last build, or other members are shared.
    dirty : uint8, shape (n_strong,)
        1: resolved anew.
    refused : Refused
        Edges that joined nothing.
    """

    sets: IdentifierSets
    pairs: Pairs
    hub: _U8
    shared: _U8
    group: _I32
    live: _U8
    person: _I32
    set_changed: _U8
    dirty: _U8
    refused: Refused

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What the next build needs of it."""
        return {
            "set_count": self.sets.count,
            "set_first": self.sets.first,
            "set_trusted": self.sets.trusted,
            "set_person": self.person,
            "hub": self.hub,
            "shared": self.shared,
            "group": self.group,
            "live": self.live,
            "forced": self.pairs.forced,
            "forbidden": self.pairs.forbidden,
            **{f"refused_{f.name}": getattr(self.refused, f.name) for f in fields(self.refused)},
        }


def resolve_graph(
    state: IdentityState,
    keep: _U8,
    time: npt.NDArray[np.int64],
    changed: _U8,
    decisions: Folded,
    rules: ResolutionRules,
) -> Graph:
    """Statistics of sets, hubs, components, groups; of untouched ones those of the last build.

    Touched are the components of identifiers on changed rows, of identifiers that have become a hub or are none any
    more, of those that stood beside such a one, and of those whose decisions have changed.

    Parameters
    ----------
    keep : uint8, shape (n_rows,)
    time : int64, shape (n_rows,)
    changed : uint8, shape (n_rows,)
        Rows that are new, or counted and no longer do, or whose time is another.
    """
    rows, before = state.rows, state.arrays
    ids = state.strong.identifiers()
    n, (offsets, members) = len(state.strong), state.sets.sets()
    sset, m = rows.column("sset"), len(state.sets)
    restated = _sets_of(sset, changed, m)
    count, first = grown(before.get("set_count"), m, 0, np.int64), grown(before.get("set_first"), m, 0, np.int64)
    trusted = grown(before.get("set_trusted"), m, 0, np.uint8)
    set_statistics(sset, keep, time, rows.column("client"), restated, count, first, trusted)
    sets = IdentifierSets(offsets, members, count, first, trusted)
    live = np.zeros(n, dtype=np.uint8)
    members_of(offsets, members, (count > 0).astype(np.uint8), live)
    pairs = _pairs(state, keep, live, decisions)

    touched = np.zeros(n, dtype=np.uint8)
    members_of(offsets, members, restated, touched)
    hub = grown(before.get("hub"), n, 0, np.uint8)
    found = find_hubs(ids, sets, rules, touched)
    moved = ((touched == 1) & (hub != found)).astype(np.uint8)
    hub = np.where(touched == 1, found, hub)
    members_of(offsets, members, sets_with(offsets, members, moved), touched)
    for name, now in (("forced", pairs.forced), ("forbidden", pairs.forbidden)):
        touched[_differing(before.get(name), now)] = 1
    label = label_components(ids, sets, pairs, hub)
    dirty = _whole_components(label, touched)
    resolution = resolve(ids, sets, pairs, rules, hub, label, dirty)

    renewed = (dirty == 1) | (touched == 1)
    shared = np.where(
        renewed, np.where(dirty == 1, resolution.shared, hub), grown(before.get("shared"), n, 0, np.uint8)
    )
    group = np.where(renewed, resolution.group, grown(before.get("group"), n, -1, np.int32))
    shared, group = shared.astype(np.uint8), group.astype(np.int32)
    person = persons_of_sets(offsets, members, group, shared)
    person_before = grown(before.get("set_person"), m, -1, np.int32)
    otherwise = sets_otherwise_shared(offsets, members, shared, np.ascontiguousarray(before.get("shared", shared[:0])))
    set_changed = ((person != person_before) | (otherwise == 1)).astype(np.uint8)
    refused = _merged(before, resolution.refused, renewed)
    return Graph(sets, pairs, hub, shared, group, live, person, set_changed, dirty, refused)


def grown(array: npt.NDArray[Any] | None, size: int, fill: int, dtype: Any) -> npt.NDArray[Any]:
    """A copy of an array of the last build, with `fill` for what is new."""
    out = np.full(size, fill, dtype=dtype)
    if array is not None:
        out[: len(array)] = array
    return out


def _sets_of(sset: _I32, changed: _U8, n_sets: int) -> _U8:
    """Sets that stand on changed rows."""
    found = np.zeros(n_sets + 1, dtype=np.uint8)  # no set, -1, marks the last entry
    found[sset[np.flatnonzero(changed)]] = 1
    return found[:n_sets].copy()


def _pairs(state: IdentityState, keep: _U8, live: _U8, decisions: Folded) -> Pairs:
    """What was decided by hand, and trusted aliases unless they are forbidden by hand; ends that are live.

    An alias makes its ends live.
    """
    stated = state.pairs[keep[state.pairs[:, 0]] == 1, 1:].astype(np.int32)
    live[stated.reshape(-1)] = 1
    forced, forbidden = (_codes(state, pairs, live) for pairs in (decisions.forced, decisions.forbidden))
    aliases = np.sort(stated, axis=1)
    forbidden_keys = _pair_keys(forbidden)
    aliases = aliases[~np.isin(_pair_keys(aliases), forbidden_keys)]
    every = np.unique(np.concatenate([forced, aliases]), axis=0)
    return Pairs(every.reshape(-1, 2), forbidden)


def _pair_keys(pairs: _I32) -> npt.NDArray[np.int64]:
    return (pairs[:, 0].astype(np.int64) << 32) | pairs[:, 1].astype(np.int64)


def _codes(state: IdentityState, pairs: tuple[tuple[bytes, bytes], ...], live: _U8) -> _I32:
    """Codes of pairs of alias hashes, the smaller first; pairs with an end that no event carries have no effect."""
    nothing = np.zeros((0, 2), dtype=np.int32)
    if not pairs or not len(state.alias):
        return nothing
    hashes = np.frombuffer(b"".join(end for pair in pairs for end in pair), dtype=np.uint64).reshape(-1, 2)
    words = np.ascontiguousarray(state.alias).view(np.uint64).reshape(-1, 2)
    likely = np.flatnonzero(np.isin(words[:, 0], hashes[:, 0]))
    code = {state.alias[at].tobytes(): int(at) for at in likely}
    found = [(code.get(a, -1), code.get(b, -1)) for a, b in pairs]
    kept = [sorted(pair) for pair in found if min(pair) >= 0 and live[pair[0]] and live[pair[1]]]
    return np.unique(np.array(kept, dtype=np.int32), axis=0) if kept else nothing


def _differing(before: npt.NDArray[Any] | None, now: _I32) -> npt.NDArray[np.int64]:
    """Ends of pairs that only one of the two lists has."""
    old = {tuple(pair) for pair in before.tolist()} if before is not None else set()
    new = {tuple(pair) for pair in now.tolist()}
    return np.array(sorted({end for pair in old ^ new for end in pair}), dtype=np.int64)


def _whole_components(label: _I32, touched: _U8) -> _U8:
    """All identifiers of components that a touched one stands in."""
    marked = np.zeros(len(label) + 1, dtype=np.uint8)  # hubs, -1, mark the last entry
    marked[label[touched == 1]] = 1
    marked[-1] = 0
    return marked[label]


def _merged(before: Mapping[str, npt.NDArray[Any]], new: Refused, renewed: npt.NDArray[np.bool_]) -> Refused:
    """Refused edges of components that were resolved anew in place of their old ones."""
    if "refused_better" not in before:
        return new
    old = ~(renewed[before["refused_better"]] | renewed[before["refused_worse"]])
    merged = {f.name: np.concatenate([before[f"refused_{f.name}"][old], getattr(new, f.name)]) for f in fields(new)}
    return Refused(**merged)
