"""From rows to groups of strong identifiers, working out again only the components that something touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from percorso.engines.ranges import in_ranges
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
from percorso.identity.rows import MISSING
from percorso.identity.state import IdentityState
from percorso.kernels.rows import add_to_sets, rows_marked
from percorso.kernels.sets import members_of, name_sets, numbers_of_sets, sets_with, some_sets

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
    old: npt.NDArray[np.int64],
    first_new: int,
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
    old : int64, shape (n_old,)
        Old rows that counted and no longer do, or the other way round, or whose time is another.
    first_new : int
        Rows from here on are new. They and the old ones are the changed rows.
    """
    before, ids, n = state.arrays, state.strong.identifiers(), len(state.strong)
    sets, restated = _restated(state, keep, time, old, first_new)
    offsets, members = sets.offsets, sets.members
    again = len(old) > 0 or len(state.pairs) > 0  # some may not be live any more
    live = grown(None if again else before.get("live"), n, 0, np.uint8)
    counting = (sets.count > 0).view(np.uint8)
    members_of(offsets, members, counting if again else counting & restated, live)
    pairs = _pairs(state, keep, live, decisions)

    touched = np.zeros(n, dtype=np.uint8)
    members_of(offsets, members, restated, touched)
    hub = grown(before.get("hub"), n, 0, np.uint8)
    found = find_hubs(ids, _holding(sets, touched)[1], rules, touched)
    moved = (touched & (hub != found)).astype(np.uint8, copy=False)
    np.copyto(hub, found, where=touched.view(np.bool_))
    if moved.any():
        members_of(offsets, members, sets_with(offsets, members, moved), touched)
    for name, now in (("forced", pairs.forced), ("forbidden", pairs.forbidden)):
        touched[_differing(before.get(name), now)] = 1
    label = label_components(ids, sets, pairs, hub)
    dirty = _whole_components(label, touched)
    renewed = dirty | touched
    concerned, sets_of_these = _holding(sets, renewed)
    resolution = resolve(ids, sets_of_these, pairs, rules, hub, label, dirty)
    shared, group = grown(before.get("shared"), n, 0, np.uint8), grown(before.get("group"), n, -1, np.int32)
    np.copyto(shared, hub, where=touched.view(np.bool_))
    np.copyto(shared, resolution.shared, where=dirty.view(np.bool_))
    np.copyto(group, resolution.group, where=renewed.view(np.bool_))
    person, set_changed = _named(sets, before, concerned, group, shared)
    refused = _merged(before, resolution.refused, renewed.view(np.bool_))
    return Graph(sets, pairs, hub, shared, group, live, person, set_changed, dirty, refused)


def grown(array: npt.NDArray[Any] | None, size: int, fill: int, dtype: Any) -> npt.NDArray[Any]:
    """An array of the last build to write to, with `fill` for what is new; the build's own stays as it is.

    Where the file has room behind its end, it is mapped: what is not written to takes neither time nor memory.
    """
    known = 0 if array is None else len(array)
    out = _mapped(array, size) if isinstance(array, np.memmap) and known else None
    if out is None:
        out = np.zeros(size, dtype=dtype) if fill == 0 else np.empty(size, dtype=dtype)
        if array is not None:
            out[:known] = array
    if fill:
        out[known:] = fill
    return out


def _mapped(array: np.memmap[Any, Any], size: int) -> npt.NDArray[Any] | None:
    """The array's file mapped for ourselves alone, with what follows, which is 0; None where it is too short."""
    try:
        return np.asarray(
            np.memmap(str(array.filename), dtype=array.dtype, mode="c", offset=array.offset, shape=(size,))
        )
    except (OSError, ValueError):  # by now another may have removed its name: ours is mapped
        return None


def _restated(
    state: IdentityState, keep: _U8, time: npt.NDArray[np.int64], old: npt.NDArray[np.int64], first_new: int
) -> tuple[IdentifierSets, _U8]:
    """Events, earliest time and trust of every set; and the sets on changed rows, uint8, shape (n_sets,).

    A new row adds to what its set was. A set on an old row that has changed is counted anew, over all its rows.
    """
    rows, before, m = state.rows, state.arrays, len(state.sets)
    offsets, members = state.sets.sets()
    sset, client = rows.column("sset"), rows.column("client")
    count, first = grown(before.get("set_count"), m, 0, np.int64), grown(before.get("set_first"), m, MISSING, np.int64)
    trusted = grown(before.get("set_trusted"), m, 0, np.uint8)
    counted = np.zeros(m + 1, dtype=np.uint8)  # no set, -1, marks the first entry
    counted[sset[old] + 1] = 1
    counted[0] = 0
    again = counted[1:].view(np.bool_)
    count[again], first[again], trusted[again] = 0, MISSING, 0
    parts = [old[:0]]
    if counted.any():
        parts = in_ranges(first_new, lambda begin, end: rows_marked(sset, counted, 1, begin, end))
    add_to_sets(np.concatenate(parts), first_new, rows.n_rows, sset, keep, time, client, count, first, trusted)
    counted[sset[first_new:] + 1] = 1
    return IdentifierSets(offsets, members, count, first, trusted), counted[1:].copy()


def _holding(sets: IdentifierSets, marked: _U8) -> tuple[npt.NDArray[np.int64], IdentifierSets]:
    """Numbers of the sets that hold a marked identifier, and these sets; all where most are marked."""
    if 2 * np.count_nonzero(marked) > len(marked):
        return np.arange(len(sets.count)), sets
    number = numbers_of_sets(sets.offsets, sets.members, marked)
    offsets, members = some_sets(sets.offsets, sets.members, number)
    return number, IdentifierSets(offsets, members, sets.count[number], sets.first[number], sets.trusted[number])


def _named(
    sets: IdentifierSets,
    before: Mapping[str, npt.NDArray[Any]],
    concerned: npt.NDArray[np.int64],
    group: _I32,
    shared: _U8,
) -> tuple[_I32, _U8]:
    """Person of each set, and the sets with another one than before, or with other shared members."""
    m = len(sets.count)
    person, changed = grown(before.get("set_person"), m, -1, np.int32), np.zeros(m, dtype=np.uint8)
    was = np.ascontiguousarray(before.get("shared", shared[:0]))
    name_sets(sets.offsets, sets.members, concerned, group, shared, was, person, changed)
    return person, changed


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
