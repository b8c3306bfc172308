"""Whose is each event (identity rules, sections 1 to 4): all rows, or those that an import touched.

One path for both: a full build is an increment upon nothing. Everything is a function of the rows that count, the
rules and the decisions; what the last build left only saves work.

A person is a *unit*, ``4 * code + kind``:

====  =========================================================================================
kind  code
====  =========================================================================================
0     strong code of the canonical identifier of a group
1     weak code: the anonymous person of a weak identifier
2     of a pair (w, row): the anonymous person after a sign-out, or of a session on a shared device
3     strong code: the anonymous person of a shared strong identifier
====  =========================================================================================

-1 is nobody, -2 a copy that does not count.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.ranges import in_ranges
from percorso.identity.copies import Skews, find_skews, keep_one_copy, place_in_time
from percorso.identity.decisions import Folded
from percorso.identity.graph import Graph, grown, resolve_graph
from percorso.identity.keyed_hashes import keyed_hashes
from percorso.identity.references import ask_references, repeated_orders
from percorso.identity.resolution import Identifiers, ResolutionRules
from percorso.identity.rows import OWNING_REFERENCES
from percorso.identity.state import IdentityState
from percorso.identity.timelines import TimelineRules, Timelines, affected_rows, follow_timelines, input_of
from percorso.kernels.interning import KeyTable
from percorso.kernels.placing import identified_rows
from percorso.kernels.rows import changed_rows, name_persons
from percorso.kernels.timelines import RULE_SHARED_SESSION, RULE_SIGNED_OUT

__all__ = ["NOBODY", "NO_COPY", "PLACING_RULES", "Placement", "PlacementRules", "person_id", "place_rows", "unit_ids"]

#: Names of the rules that place an event, by code. Codes 1 to 5 and 8 are those of percorso.kernels.timelines.
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
RULE_STRONG = 6
RULE_REFERENCE = 7

NOBODY = -1
NO_COPY = -2
_KEYED = (RULE_SIGNED_OUT, RULE_SHARED_SESSION)
_KIND_GROUP, _KIND_WEAK, _KIND_PAIR, _KIND_SHARED = range(4)


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
        return int(self.keep.sum())

    @property
    def n_duplicates(self) -> int:
        """Rows in the lake that are copies of others."""
        return int((self.gone == 0).sum()) - self.n_events

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

    Parameters
    ----------
    state : IdentityState
        With the rows of new files appended; its arrays are those of the last build. Aliases are added.
    gone : uint8, shape (n_rows,)
        1: the row's file has left the lake.
    """
    rows, before, n = state.rows, state.arrays, state.rows.n_rows
    first_new = len(before["unit"]) if before else 0
    n_weak, n_strong = len(state.weak), len(state.strong)
    _add_aliases(state, secret)
    keep = grown(before.get("keep"), n, 0, np.uint8)
    lost = np.flatnonzero((gone == 1) & (grown(before.get("gone"), n, 0, np.uint8) == 0))
    touched = np.concatenate([lost[lost < first_new], np.arange(first_new, n)])
    keep_one_copy(rows, keep, gone, touched, memory_bytes)
    time, future = grown(before.get("time"), n, 0, np.int64), grown(before.get("future"), n, 0, np.uint8)
    skews = find_skews(rows, keep, n_weak)
    moved = skews.devices_that_differ(_skews_before(before), n_weak)
    place_in_time(rows, skews, moved, first_new, time, future)
    changed = _changed(before, keep, time, first_new)

    graph = resolve_graph(state, keep, time, changed, decisions, rules.resolution)
    inputs = input_of(rows, keep, state.sets.sets(), graph.person, graph.shared, rules.timelines)
    affected = affected_rows(inputs, changed, graph.set_changed, n_weak, n_strong)
    found = follow_timelines(rows, inputs, affected, time, rules.timelines, n_weak, n_strong, memory_bytes)
    unit, rule = grown(before.get("unit"), n, NO_COPY, np.int32), grown(before.get("rule"), n, 0, np.uint8)
    name_persons(
        affected, keep, inputs.sset, graph.person, found.owner, found.chosen, found.rule, RULE_STRONG, unit, rule
    )
    pair_w, pair_row = _name_pairs(before, found, affected, unit, rule)
    if rows.sparse.intersection(OWNING_REFERENCES):
        has_strong, has_weak = identified_rows(inputs)
        n_references = len(state.references)
        ask_references(
            rows, keep, time, has_strong, has_weak, unit, rule, n_references=n_references, rule_reference=RULE_REFERENCE
        )
    copy = repeated_orders(rows, keep, time, len(state.references))
    differing = _differing(before, unit, rule, time, future, copy)
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


def _changed(
    before: Mapping[str, npt.NDArray[Any]],
    keep: npt.NDArray[np.uint8],
    time: npt.NDArray[np.int64],
    first_new: int,
) -> npt.NDArray[np.uint8]:
    """Rows that are new, that count and did not (or the other way round), or whose time is another."""
    changed = np.ones(len(keep), dtype=np.uint8)
    if first_new:
        old = slice(0, first_new)
        changed[old] = (keep[old] != before["keep"]) | (time[old] != before["time"])
    return changed


def _name_pairs(
    before: Mapping[str, npt.NDArray[Any]],
    found: Timelines,
    affected: npt.NDArray[np.uint8],
    unit: npt.NDArray[np.int32],
    rule: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Set the unit of rows whose person is keyed by a w and a row; returns both of every such person."""
    rows = np.flatnonzero(affected)
    rows = rows[np.isin(rule[rows], _KEYED)]
    w_before = before.get("pair_w", np.zeros(0, dtype=np.int32))
    row_before = before.get("pair_row", np.zeros(0, dtype=np.int64))
    table = KeyTable.of_keys(_pair_keys(w_before, row_before))
    w, row = found.chosen[rows], found.key_row[rows]
    codes, firsts = table.codes(_pair_keys(w, row), np.zeros(len(rows), dtype=np.uint8))
    unit[rows] = 4 * codes + _KIND_PAIR
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
    unit: npt.NDArray[np.int32],
    rule: npt.NDArray[np.uint8],
    time: npt.NDArray[np.int64],
    future: npt.NDArray[np.uint8],
    copy: npt.NDArray[np.uint8],
) -> npt.NDArray[np.int64]:
    now: dict[str, npt.NDArray[Any]] = {"unit": unit, "rule": rule, "time": time, "future": future, "copy": copy}
    pairs = [array for name, values in now.items() for array in (values, before.get(name, values[:0]))]
    found = in_ranges(len(unit), lambda begin, end: begin + changed_rows(*(part[begin:end] for part in pairs)))
    return np.concatenate(found)


def unit_ids(
    state: IdentityState,
    pairs: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    units: npt.NDArray[Any],
    *,
    secret: bytes,
) -> npt.NDArray[np.uint8]:
    """Ids of persons, uint8, shape (n_units, 16).

    Parameters
    ----------
    state : IdentityState
    pairs : tuple of arrays
        `pair_w` and `pair_row` of the placement that the units are of.
    units : int32, shape (n_units,)
        All >= 0.
    """
    units = np.asarray(units, dtype=np.int64)
    kind, code = units & 3, units >> 2
    ids = np.empty((len(units), 16), dtype=np.uint8)
    by_alias = (kind == _KIND_GROUP) | (kind == _KIND_SHARED)
    ids[by_alias] = state.alias[code[by_alias]]
    weak = np.flatnonzero(kind == _KIND_WEAK)
    if len(weak):
        ids[weak] = keyed_hashes(secret, *_some_texts(state.weak.identifiers(), code[weak]))
    paired = np.flatnonzero(kind == _KIND_PAIR)
    if len(paired):
        w, row = (np.asarray(part)[code[paired]] for part in pairs)
        texts = _pair_texts(state, w, row)
        ids[paired] = np.frombuffer(b"".join(person_id(secret, text) for text in texts), np.uint8).reshape(-1, 16)
    return ids


def _some_texts(ids: Identifiers, codes: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Offsets and bytes of the texts of some identifiers."""
    buffers = [None, pa.py_buffer(np.ascontiguousarray(ids.offsets)), pa.py_buffer(np.ascontiguousarray(ids.text))]
    some = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ids.offsets) - 1, buffers).take(pa.array(codes))
    _, offsets, text = some.buffers()
    return np.frombuffer(offsets, np.int64)[: len(codes) + 1], np.frombuffer(text or b"", np.uint8)


def _pair_texts(state: IdentityState, w: npt.NDArray[Any], row: npt.NDArray[Any]) -> list[bytes]:
    """What keys an anonymous person of a stretch of a timeline: the w, and the source and id of a message.

    The source belongs to it: message ids are unique within their source only.
    """
    texts: list[bytes] = [b""] * len(w)
    for odd, table in enumerate((state.weak, state.strong)):
        at = np.flatnonzero((w & 1) == odd)
        for place, text in zip(at.tolist(), table.texts(w[at] >> 1), strict=True):
            texts[place] = text
    sources = state.rows.column("source")[row]
    names = [state.rows.sources[code] for code in sources.tolist()]
    messages = state.rows.message_ids(row)
    return [b"\0".join(parts) for parts in zip(texts, [name.encode() for name in names], messages, strict=True)]
