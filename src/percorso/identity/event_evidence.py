"""Why an event is whose it is: the login, sign-out or owner that the rule of the last build looked at.

A row is asked by itself and from what the build left, so that nothing is placed again. What it looks at are the rows
that carry the same identifier, or the same reference key.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from percorso.identity.evidence import KnownGraph
from percorso.identity.placement import PLACING_RULES
from percorso.identity.rows import OWNING_REFERENCES
from percorso.identity.scan import message_keys
from percorso.identity.state import IdentityState
from percorso.identity.timelines import TimelineRules
from percorso.kernels.arrays import I32, I64
from percorso.kernels.sets import sets_with

__all__ = ["RowEvidence", "Weak", "evidence_of", "first_row", "rows_of_message", "rows_with_strong", "rows_with_weak"]

_NOBODY = -1
_PAIR = 2  # kind of unit: an anonymous person of a stretch of a timeline


@dataclass(frozen=True, slots=True)
class Weak:
    """What a timeline is of: a weak identifier, or a shared strong one (`shared`), by its code."""

    code: int
    shared: bool


@dataclass(frozen=True, slots=True)
class RowEvidence:
    """What decided about a row.

    Parameters
    ----------
    row : int
    rule : str
        One of PLACING_RULES.
    strong : int, optional
        Code of the identifier that named the person.
    weak : Weak, optional
        Whose timeline decided.
    login, sign_out, next_login, owner : int, optional
        Rows: the last login before; the sign-out that ended it; the first login after; the event that owns the key.
    reference : str, optional
        Which key.
    """

    row: int
    rule: str
    strong: int | None = None
    weak: Weak | None = None
    login: int | None = None
    sign_out: int | None = None
    next_login: int | None = None
    reference: str | None = None
    owner: int | None = None


def rows_of_message(state: IdentityState, message: str) -> dict[str, int]:
    """Sources that sent a message with this id, each with the row of it that counts."""
    found = {}
    keys, keep = state.rows.column("key"), state.arrays["keep"]
    for source in state.rows.sources:
        wanted = message_keys(source, pa.array([message], pa.string()))[0]
        rows = np.flatnonzero(keys[:, 0] == wanted[0])
        rows = rows[(keys[rows, 1] == wanted[1]) & (keep[rows] == 1)]
        if len(rows):
            found[source] = int(rows[0])
    return found


def rows_with_weak(state: IdentityState, code: int) -> I64:
    """Rows that count and carry a weak identifier."""
    rows = state.rows
    carrying = (rows.column("anonymous") == code) | (rows.column("device") == code)
    return np.flatnonzero(carrying & (state.arrays["keep"] == 1))


def rows_with_strong(state: IdentityState, graph: KnownGraph, code: int) -> I64:
    """Rows that count and carry a strong identifier."""
    marked = np.zeros(len(graph.group), dtype=np.uint8)
    marked[code] = 1
    sets = np.append(sets_with(graph.sets.offsets, graph.sets.members, marked), np.uint8(0))  # no set, -1, is the last
    return np.flatnonzero((sets[state.rows.column("sset")] == 1) & (state.arrays["keep"] == 1))


def first_row(state: IdentityState, rows: I64) -> int:
    """The first of some rows in the total order."""
    time = state.arrays["time"][rows]
    return _in_order(state, rows[time == time.min()])[0]


def evidence_of(state: IdentityState, graph: KnownGraph, rules: TimelineRules, row: int) -> RowEvidence:
    """Why a row that counts is whose it is."""
    rule = PLACING_RULES[int(state.arrays["rule"][row])]
    if rule == "strong":
        return RowEvidence(row, rule, strong=_unshared(state, graph, row))
    if rule == "reference":
        reference, owner = _owner(state, row)
        return RowEvidence(row, rule, reference=reference, owner=owner)
    if rule == "unidentified":
        return RowEvidence(row, rule, reference=next((name for name in _references(state, row)), None))
    return _by_timeline(state, graph, rules, row, rule)


def _unshared(state: IdentityState, graph: KnownGraph, row: int) -> int | None:
    """The best strong identifier of a row that is not shared."""
    number = int(state.rows.column("sset")[row])
    members = graph.members(number) if number >= 0 else []
    return next((code for code in members if not graph.shared[code]), None)


def _references(state: IdentityState, row: int) -> dict[str, tuple[I32, int]]:
    """Owning reference keys of a row: their column and the key as stored."""
    columns = {name: state.rows.reference(name) for name in OWNING_REFERENCES}
    return {name: (column, int(column[row])) for name, column in columns.items() if column is not None and column[row]}


def _owner(state: IdentityState, row: int) -> tuple[str | None, int | None]:
    """The first reference key of a row that has an owner, and the owner's row."""
    rows, keep = state.rows, state.arrays["keep"]
    person = np.append(state.arrays["set_person"], np.int32(_NOBODY))
    for name, (column, key) in _references(state, row).items():
        same = np.flatnonzero((column == key) & (keep == 1))
        sset = rows.column("sset")[same]
        strong = same[person[sset] >= 0]
        weak = same[(sset >= 0) | (rows.column("anonymous")[same] >= 0) | (rows.column("device")[same] >= 0)]
        for owners in (strong, weak):
            if len(owners):
                return name, first_row(state, owners)
    return None, None


def _by_timeline(state: IdentityState, graph: KnownGraph, rules: TimelineRules, row: int, rule: str) -> RowEvidence:
    weak, carrying, kept = _deciding(state, graph, row, rule)
    rows = state.rows
    scopes = rules.scopes(rows.sources)
    source = rows.column("source")
    timeline = carrying[scopes[source[carrying]] == scopes[source[row]]]
    logins = _logins(state, timeline)
    before, after = _around(state, logins, row)
    login = _last_row(state, before) if len(before) else None
    following = first_row(state, after) if len(after) else None
    ended = kept
    if rule == "signed_out_same" and login is not None:
        signed_out = _around(state, timeline[rows.column("signed_out")[timeline] == 1], login)[1]
        ended = first_row(state, signed_out) if len(signed_out) else None
    if rule == "shared_session":
        login, following, ended = None, None, None
    return RowEvidence(row, rule, weak=weak, login=login, sign_out=ended, next_login=following)


def _deciding(state: IdentityState, graph: KnownGraph, row: int, rule: str) -> tuple[Weak, I64, int | None]:
    """The weak or shared identifier that decides about a row, the rows that carry it, and the row that is kept."""
    unit = int(state.arrays["unit"][row])
    if rule in ("signed_out", "shared_session") and unit & 3 == _PAIR:
        w, kept = (int(state.arrays[name][unit >> 2]) for name in ("pair_w", "pair_row"))
        weak = Weak(w >> 1, bool(w & 1))
        return weak, _carrying(state, graph, weak), kept
    candidates = list(_candidates(state, graph, row))
    found = None
    for weak in candidates:
        carrying = _carrying(state, graph, weak)
        found = found or (weak, carrying, None)
        if len(_logins(state, carrying)):
            return weak, carrying, None
    assert found is not None  # the rule says that a timeline decided
    return found


def _candidates(state: IdentityState, graph: KnownGraph, row: int) -> list[Weak]:
    """What may decide about a row, the first to be asked first."""
    anonymous, device, sset = (int(state.rows.column(name)[row]) for name in ("anonymous", "device", "sset"))
    shared = [Weak(code, shared=True) for code in (graph.members(sset) if sset >= 0 else ()) if graph.shared[code]]
    return [
        *([Weak(anonymous, shared=False)] if anonymous >= 0 else ()),
        *shared,
        *([Weak(device, shared=False)] if device >= 0 else ()),
    ]


def _carrying(state: IdentityState, graph: KnownGraph, weak: Weak) -> I64:
    return rows_with_strong(state, graph, weak.code) if weak.shared else rows_with_weak(state, weak.code)


def _logins(state: IdentityState, rows: I64) -> I64:
    """Those of some rows that name a person by an unshared strong identifier and are no sign-out."""
    person = np.append(state.arrays["set_person"], np.int32(_NOBODY))
    named = person[state.rows.column("sset")[rows]] >= 0
    found: I64 = rows[named & (state.rows.column("signed_out")[rows] == 0)]
    return found


def _around(state: IdentityState, rows: I64, row: int) -> tuple[I64, I64]:
    """Those of some rows that come before a row in the total order, and those that come after it."""
    time, now = state.arrays["time"][rows], int(state.arrays["time"][row])
    same = _in_order(state, np.union1d(rows[time == now], [row]))
    place = same.index(row)
    before, after = (np.array(part, dtype=np.int64) for part in (same[:place], same[place + 1 :]))
    return np.concatenate([rows[time < now], before]), np.concatenate([after, rows[time > now]])


def _last_row(state: IdentityState, rows: I64) -> int:
    time = state.arrays["time"][rows]
    return _in_order(state, rows[time == time.max()])[-1]


def _in_order(state: IdentityState, rows: I64) -> list[int]:
    """Some rows in the total order: time, source, sequence, message id."""
    files = state.rows
    names = files.sources
    rank = {code: place for place, code in enumerate(sorted(range(len(names)), key=lambda n: names[n].encode()))}
    source = [rank[code] for code in files.column("source")[rows].tolist()]
    keys = zip(
        state.arrays["time"][rows].tolist(),
        source,
        files.column("sequence")[rows].tolist(),
        files.message_ids(rows),
        rows.tolist(),
        strict=True,
    )
    return [key[-1] for key in sorted(keys)]
