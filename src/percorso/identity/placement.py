"""Whose is each event (identity rules, sections 1 to 4): all rows, or those that an import touched.

One path for both: a full build is an increment upon nothing. Everything is a function of the rows that count, the
rules and the decisions; what the last build left only saves work.

Persons are units, see :mod:`percorso.identity.units`; -1 is nobody, -2 a copy that does not count.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from percorso.engines.ranges import in_ranges
from percorso.identity.copies import Skews, find_skews, keep_one_copy, place_in_time
from percorso.identity.decisions import Folded
from percorso.identity.graph import Graph, grown, resolve_graph
from percorso.identity.keyed_hashes import keyed_hashes
from percorso.identity.references import ask_references, repeated_orders, touched_references
from percorso.identity.resolution import ResolutionRules
from percorso.identity.rows import OWNING_REFERENCES
from percorso.identity.state import IdentityState
from percorso.identity.timelines import TimelineRules, affected_rows, follow_timelines, input_of
from percorso.identity.units import KIND_PAIR, KIND_SHARED
from percorso.kernels.interning import KeyTable
from percorso.kernels.placing import AFFECTED, CHANGED, OTHERWISE
from percorso.kernels.rows import changed_rows

__all__ = ["NOBODY", "NO_COPY", "PLACING_RULES", "Placement", "PlacementRules", "person_id", "place_rows"]

#: Names of the rules that place an event, by code. Those from 1 on, but for 7, are given by percorso.kernels.
PLACING_RULES = (
    "unidentified",
    "login_before",
    "login_after",
    "signed_out_same",
    "signed_out",
    "anonymous",
    "strong",
    "reference",
    "shared_session",
)
RULE_REFERENCE = 7

NOBODY = -1
NO_COPY = -2


@dataclass(frozen=True, slots=True)
class PlacementRules:
    """The workspace's rules of identity."""

    resolution: ResolutionRules
    timelines: TimelineRules


@dataclass(frozen=True, slots=True)
class Placement:
    """Where every row of the lake belongs; arrays by row unless said otherwise.

    Attributes
    ----------
    keep : uint8
        0: a copy that does not count, or its file has left the lake.
    gone : uint8
        1: its file has left the lake.
    time : int64
        µs UTC, clock skew corrected and future times placed at received_at.
    future, rule, copy : uint8
        `rule` counts into PLACING_RULES; `copy` 1: an order that another row tells better.
    unit : int32
        The person, see above.
    pair_w, pair_row : int32 and int64, shape (n_pairs,)
        What units of kind 2 count into.
    graph : Graph
    skews : Skews
    changed : int64, shape (n_changed,)
        Rows whose person, rule, time or standing differs from the last build, and new ones that count.
    """

    keep: npt.NDArray[np.uint8]
    gone: npt.NDArray[np.uint8]
    time: npt.NDArray[np.int64]
    future: npt.NDArray[np.uint8]
    rule: npt.NDArray[np.uint8]
    copy: npt.NDArray[np.uint8]
    unit: npt.NDArray[np.int32]
    pair_w: npt.NDArray[np.int32]
    pair_row: npt.NDArray[np.int64]
    graph: Graph
    skews: Skews
    changed: npt.NDArray[np.int64]

    @property
    def n_events(self) -> int:
        """Rows that count."""
        return int(np.count_nonzero(self.keep))

    @property
    def n_duplicates(self) -> int:
        """Rows in the lake that are copies of others."""
        return len(self.gone) - int(np.count_nonzero(self.gone)) - self.n_events

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What the next build needs of it."""
        names = ("keep", "gone", "time", "future", "rule", "copy", "unit", "pair_w", "pair_row")
        mine = {name: getattr(self, name) for name in names}
        return mine | self.graph.arrays() | {"skew_units": self.skews.units, "skew_offset": self.skews.offset}


def person_id(secret: bytes, identifier: bytes) -> bytes:
    """The 16 bytes that stand for a person: HMAC-SHA-256 of the canonical identifier, cut to 128 bits.

    Parameters
    ----------
    secret : bytes
        The workspace's key.
    identifier : bytes
        ``type\\0space\\0value`` in UTF-8, the value in its normal form.
    """
    return hmac.digest(secret, identifier, "sha256")[:16]


def place_rows(
    state: IdentityState,
    gone: npt.NDArray[np.uint8],
    rules: PlacementRules,
    decisions: Folded,
    *,
    secret: bytes,
    memory_bytes: int,
) -> Placement:
    """Decide for every row: kept or a copy, its time, its person, and by which rule.

    What the last build decided of a row stands unless the row is

    - *changed*: new, or it counts and did not, or the other way round, or its time is another;
    - *affected*: changed, or its set has another person or other shared members, or it has no person and carries a w
      of such a row;
    - *asked*: it carries no identifier, and a reference key of an affected row; or it is an order with such a key.

    Only these are written to and compared, and passes over all rows look for them alone: one for copies (the key), two
    or three for affected rows (weak identifiers and sets), one for each kind of reference.

    Parameters
    ----------
    state : IdentityState
        With the rows of new files appended; its arrays are those of the last build. Aliases are added.
    gone : uint8, shape (n_rows,)
        1: the row's file has left the lake.
    """
    rows, before, n = state.rows, state.arrays, state.rows.n_rows
    first_new = len(before["unit"]) if before else 0
    n_weak, n_strong, n_references = len(state.weak), len(state.strong), len(state.references)
    _add_aliases(state, secret)
    keep = grown(before.get("keep"), n, 0, np.uint8)
    keep_one_copy(rows, keep, gone, _differing_from(before.get("gone"), gone), first_new, memory_bytes)
    time, future = grown(before.get("time"), n, 0, np.int64), grown(before.get("future"), n, 0, np.uint8)
    skews = find_skews(rows, keep, n_weak)
    moved = skews.devices_that_differ(_skews_before(before), n_weak)
    retimed = place_in_time(rows, skews, moved, first_new, time, future)
    old = _changed(before, keep, time, retimed)
    marks = np.zeros(n, dtype=np.uint8)
    marks[retimed] = OTHERWISE
    marks[old] |= CHANGED
    marks[first_new:] = CHANGED

    graph = resolve_graph(state, keep, time, old, first_new, decisions, rules.resolution)
    inputs = input_of(rows, keep, state.sets.sets(), graph.person, graph.shared, rules.timelines)
    n_sets = len(before["set_person"]) if before else 0
    anything_old = len(old) > 0 or bool(graph.set_changed[:n_sets].any())
    first = 0 if anything_old else first_new
    carriers = affected_rows(inputs, marks, graph.set_changed, first, n_weak, n_strong)
    unit, rule = grown(before.get("unit"), n, NO_COPY, np.int32), grown(before.get("rule"), n, 0, np.uint8)
    some, keyed, key_row = follow_timelines(
        rows, inputs, marks, carriers, time, unit, rule, rules.timelines, memory_bytes
    )
    pair_w, pair_row = _name_pairs(before, keyed, key_row, unit)
    copy = grown(before.get("copy"), n, 0, np.uint8)
    if rows.sparse.intersection(OWNING_REFERENCES):
        touched = touched_references(rows, some, unit, n_references)
        ask_references(rows, inputs, touched, marks, time, unit, rule, rule_reference=RULE_REFERENCE)
        repeated_orders(rows, touched, keep, marks, time, copy)
    differing = _differing(before, marks, unit, rule, time, future, copy)
    return Placement(keep, gone, time, future, rule, copy, unit, pair_w, pair_row, graph, skews, differing)


def _add_aliases(state: IdentityState, secret: bytes) -> None:
    """Keyed hashes of the strong identifiers that have none yet."""
    ids, known = state.strong.identifiers(), len(state.alias)
    if known < len(state.strong):
        fresh = keyed_hashes(secret, np.ascontiguousarray(ids.offsets[known:]), np.ascontiguousarray(ids.text))
        state.alias = np.concatenate([state.alias, fresh])


def _skews_before(before: Mapping[str, npt.NDArray[Any]]) -> Skews:
    nothing = np.zeros(0, dtype=np.int64)
    return Skews(before.get("skew_units", nothing), before.get("skew_offset", nothing))


def _differing_from(before: npt.NDArray[Any] | None, now: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Rows of the last build that have another value now, ascending."""
    if before is None:
        return np.zeros(0, dtype=np.int64)
    parts = in_ranges(
        len(before), lambda begin, end: begin + np.flatnonzero(now[begin:end] != np.asarray(before[begin:end]))
    )
    return np.concatenate(parts)


def _changed(
    before: Mapping[str, npt.NDArray[Any]],
    keep: npt.NDArray[np.uint8],
    time: npt.NDArray[np.int64],
    retimed: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Rows of the last build that count and did not (or the other way round), or whose time is another."""
    changed = _differing_from(before.get("keep"), keep)
    if not len(retimed):
        return changed
    return np.union1d(changed, retimed[time[retimed] != before["time"][retimed]])


def _name_pairs(
    before: Mapping[str, npt.NDArray[Any]],
    rows: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
    unit: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Set the unit of rows whose person is keyed by a w and a row; returns both of every such person.

    Parameters
    ----------
    rows, row : int64, shape (n_keyed,)
        The rows, ascending, and the row of each one's key.
    unit : int32, shape (n_rows,), changed
        In: the w's anonymous person.
    """
    w_before = before.get("pair_w", np.zeros(0, dtype=np.int32))
    row_before = before.get("pair_row", np.zeros(0, dtype=np.int64))
    w = 2 * (unit[rows] >> 2) + ((unit[rows] & 3) == KIND_SHARED)
    table = KeyTable.of_keys(_pair_keys(w_before, row_before))
    codes, firsts = table.codes(_pair_keys(w, row), np.zeros(len(rows), dtype=np.uint8))
    unit[rows] = 4 * codes + KIND_PAIR
    return np.concatenate([w_before, w[firsts]]), np.concatenate([row_before, row[firsts]])


def _pair_keys(w: npt.NDArray[np.int32], row: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """128-bit keys whose low bits are spread; uint64, shape (n, 2)."""
    keys = np.empty((len(w), 2), dtype=np.uint64)
    keys[:, 1] = (w.astype(np.uint64) << np.uint64(34)) ^ row.astype(np.uint64)
    mixed = keys[:, 1] * np.uint64(0x9E3779B97F4A7C15)
    keys[:, 0] = mixed ^ (mixed >> np.uint64(32))
    return keys


def _differing(
    before: Mapping[str, npt.NDArray[Any]],
    marks: npt.NDArray[np.uint8],
    unit: npt.NDArray[np.int32],
    rule: npt.NDArray[np.uint8],
    time: npt.NDArray[np.int64],
    future: npt.NDArray[np.uint8],
    copy: npt.NDArray[np.uint8],
) -> npt.NDArray[np.int64]:
    """Rows that differ from the last build: among those that are affected, or marked as perhaps being otherwise."""
    wanted = AFFECTED | OTHERWISE
    now: dict[str, npt.NDArray[Any]] = {"unit": unit, "rule": rule, "time": time, "future": future, "copy": copy}
    pairs = [np.asarray(array) for name, values in now.items() for array in (values, before.get(name, values[:0]))]

    def of_range(begin: int, end: int) -> npt.NDArray[np.int64]:
        found: npt.NDArray[np.int64] = changed_rows(marks, wanted, *pairs, begin, end)  # type: ignore[call-arg,arg-type]
        return found

    return np.concatenate(in_ranges(len(unit), of_range))
