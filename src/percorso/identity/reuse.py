"""Identifiers that seem to have been given to somebody else.

A user id, loyalty card or telephone number *seems reused* if all of this holds:

- for more than 365 days it stood on no event at all;
- before and after that pause it stood beside another strong identifier that is not shared;
- no identifier, strong or weak, stands beside it both before and after, shared ones left out.

Nothing follows from it: persons are what the rules of joining make of them. Somebody who comes back after more than a
year with another address and from another device looks the same; who only changes the address does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.identity.evidence import KnownGraph
from percorso.identity.state import IdentityState
from percorso.kernels.arrays import I64, Bools

__all__ = ["REUSABLE", "Reused", "find_reused"]

#: Types that are given again: accounts, cards, numbers.
REUSABLE = ("user_id", "loyalty_id", "phone")

_PAUSE_US = 365 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Reused:
    """An identifier that seems reused.

    Parameters
    ----------
    code : int
        Strong code.
    last_us, next_us : int
        Of the last event before the pause, and the first one after it.
    before, after : int
        A strong identifier beside it then: the one on most events.
    """

    code: int
    last_us: int
    next_us: int
    before: int
    after: int


def find_reused(state: IdentityState, graph: KnownGraph, kinds: tuple[str, ...]) -> list[Reused]:
    """All identifiers that seem reused, by their text."""
    suspects = _suspects(graph, np.array([kind in REUSABLE for kind in kinds], dtype=np.bool_))
    if not len(suspects):
        return []
    wanted = np.zeros(len(graph.group), dtype=np.bool_)
    wanted[suspects] = True
    of_set = np.repeat(np.arange(len(state.sets)), np.diff(graph.sets.offsets))
    entries = np.flatnonzero(wanted[graph.sets.members] & (graph.sets.count[of_set] > 0))
    rows = _rows_of_sets(state, of_set[entries])
    sset, time = state.rows.column("sset")[rows], state.arrays["time"][rows]
    order = np.argsort(sset, kind="stable")
    starts = np.searchsorted(sset[order], np.arange(len(state.sets) + 1))
    sets_of: dict[int, list[int]] = {}
    for number, code in zip(of_set[entries].tolist(), graph.sets.members[entries].tolist(), strict=True):
        sets_of.setdefault(code, []).append(number)
    found = []
    for code, numbers in sets_of.items():
        mine = np.concatenate([order[starts[number] : starts[number + 1]] for number in numbers])
        one = _reused(state, graph, code, rows[mine], time[mine])
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: graph.text(one.code))


def _suspects(graph: KnownGraph, wanted: Bools) -> I64:
    """Unshared identifiers of these types that were first seen beside two others more than a pause apart."""
    offsets, members = graph.sets.offsets, graph.sets.members
    sizes = np.diff(offsets)
    live = (graph.sets.count > 0) & (sizes > 1)
    entries = np.flatnonzero(np.repeat(live, sizes) & wanted[graph.ids.rank[members]] & (graph.group[members] >= 0))
    codes = members[entries]
    first = np.repeat(graph.sets.first, sizes)[entries]
    least = np.full(len(graph.group), np.iinfo(np.int64).max)
    most = np.full(len(graph.group), np.iinfo(np.int64).min)
    np.minimum.at(least, codes, first)
    np.maximum.at(most, codes, first)
    suspects: I64 = np.unique(codes)
    apart = most[suspects] - least[suspects] > _PAUSE_US
    return np.asarray(suspects[apart], dtype=np.int64)


def _rows_of_sets(state: IdentityState, numbers: I64) -> I64:
    """Rows that count and carry one of some sets, ascending."""
    wanted = np.zeros(len(state.sets) + 1, dtype=np.bool_)  # no set, -1, is the last
    wanted[numbers] = True
    sset, keep = state.rows.column("sset"), state.arrays["keep"]
    parts = [np.flatnonzero(wanted[sset[part]] & (keep[part] == 1)) + part.start for part in state.rows.chunks()]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _reused(state: IdentityState, graph: KnownGraph, code: int, rows: I64, time: I64) -> Reused | None:
    """The first pause of an identifier that looks like a change of hands."""
    order = np.argsort(time, kind="stable")
    rows, time = rows[order], time[order]
    for pause in (np.flatnonzero(np.diff(time) > _PAUSE_US) + 1).tolist():
        (strong, weak), (strong_after, weak_after) = (
            _beside(state, graph, code, part) for part in (rows[:pause], rows[pause:])
        )
        if strong and strong_after and not strong.keys() & strong_after.keys() and not weak & weak_after:
            before, after = (
                min(side, key=lambda other: (-side[other], graph.text(other))) for side in (strong, strong_after)
            )
            return Reused(code, int(time[pause - 1]), int(time[pause]), before, after)
    return None


def _beside(state: IdentityState, graph: KnownGraph, code: int, rows: I64) -> tuple[dict[int, int], set[int]]:
    """Unshared strong identifiers beside one on some rows, each with its events, and weak ones."""
    files = state.rows
    strong: dict[int, int] = {}
    sets, counts = np.unique(files.column("sset")[rows], return_counts=True)
    for number, count in zip(sets.tolist(), counts.tolist(), strict=True):
        for other in graph.members(number):
            if other != code and not graph.shared[other]:
                strong[other] = strong.get(other, 0) + count
    weak = {*files.column("anonymous")[rows].tolist(), *files.column("device")[rows].tolist()} - {-1}
    return strong, weak
