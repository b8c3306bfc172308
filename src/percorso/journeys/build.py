"""Build the journey log from the lake: who, when, where, which journey (docs/concepts/journey-log.md).

Two passes over the lake and one over the buckets. The first decides about rows (deduplication, clocks,
identity); the second codes them and brings each bucket's rows together; then every bucket is sorted, cut
into sessions and journeys, and written. The result is a pure function of events, settings and decisions.

Upon a log that is there the passes see new files and touched persons alone; the bytes are the same.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from percorso.identity.clocks import corrected_rows, write_clocks
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.placement import Placement, place_rows
from percorso.identity.rules import coupon_test, placement_rules
from percorso.identity.scan import RowScanner
from percorso.identity.state import IdentityState, LakeRange, lake_name, new_state, open_state
from percorso.identity.tables import strong_types
from percorso.journeys.coding import Coder
from percorso.journeys.increment import Mismatch, find_touched
from percorso.journeys.numbering import bucket_bits
from percorso.journeys.progress import Progress
from percorso.journeys.work import BuildInput, Counter, sources_by_rank
from percorso.journeys.write_buckets import WrittenTables, all_buckets, touched_buckets
from percorso.store.alias_table import merge_alias_table, write_alias_table
from percorso.store.journey_log import LOG_FORMAT, JourneyLog
from percorso.store.lake import LakeFile

__all__ = ["BuildInput", "Built", "build_tables", "log_manifest"]

#: With more dead or touched rows than this share, beginning anew costs less.
_MOST_DEAD = 0.5
_MOST_TOUCHED = 0.5


@dataclass(frozen=True, slots=True)
class Built:
    """A log that is written and not yet current.

    Attributes
    ----------
    manifest : dict
        The manifest's entries on its tables.
    keep_state : callable
        Makes the identity state that of this log; to be called once the manifest is swapped in.
    events_built : int
        Events of touched persons; all of them in a full build.
    """

    manifest: dict[str, Any]
    keep_state: Callable[[], None]
    events_built: int


def build_tables(work: BuildInput, progress: Progress) -> Built:
    """Write all tables that differ from those of the log before; nothing is current until it is swapped in."""
    if work.before is not None:
        state = _state_of(work, work.before)
        if state is not None:
            try:
                return _build(work, state, work.before, progress)
            except Mismatch:
                pass  # whatever the reason, a full build is right
    return _build(work, None, None, progress)


def _state_of(work: BuildInput, before: JourneyLog) -> IdentityState | None:
    """The state of the log before, if building upon it saves anything."""
    settings = work.settings
    rules = IdentifierRules(settings.identity, settings.workspace.country)
    state = open_state(work.state, rules, strong_types(settings.identity.own_types), log=before.state)
    if state is None or not state.rows.n_rows:
        return None
    live = {lake_name(file) for file in work.files}
    kept = sum(found.rows for found in state.ranges if found.path in live)
    new = sum(file.rows for file in work.files) - kept
    too_much = state.rows.n_rows - kept + new > _MOST_DEAD * state.rows.n_rows
    return None if too_much else state


def _build(work: BuildInput, state: IdentityState | None, before: JourneyLog | None, progress: Progress) -> Built:
    settings = work.settings
    if state is None:
        rules = IdentifierRules(settings.identity, settings.workspace.country)
        state = new_state(work.state, rules, strong_types(settings.identity.own_types))
    gone = _scan(work, state, progress)
    progress("identifying", 0, state.rows.n_rows)
    placement = place_rows(
        state,
        gone,
        placement_rules(settings),
        work.decisions,
        secret=work.secret,
        memory_bytes=work.memory_bytes // 3,
    )
    coder = Coder(settings, work.secret)
    bits = bucket_bits(settings.build.bucket_bits, placement.n_events)
    touched = find_touched(state, placement) if before is not None and before.bucket_bits == bits else None
    if touched is not None and len(touched.rows_now) > _MOST_TOUCHED * state.rows.n_rows:
        touched = None  # the identity is worked out all the same
    if before is None or touched is None:
        written, built = all_buckets(work, state, placement, bits, coder, progress), placement.n_events
    else:
        written = touched_buckets(work, state, placement, touched, before, coder, progress)
        built = len(touched.rows_now)
    alias = _alias_table(work, state, placement, before)
    clocks = write_clocks(work.log, *corrected_rows(state.rows, placement), sources_by_rank(state))
    manifest = log_manifest(work, written, {"alias": alias, "clocks": clocks}, n_duplicates=placement.n_duplicates)

    def keep_state() -> None:
        state.forget(gone)
        state.save(placement.arrays(), log=str(manifest["state"]))

    return Built(manifest, keep_state, built)


def _scan(work: BuildInput, state: IdentityState, progress: Progress) -> npt.NDArray[np.uint8]:
    """Append the rows of files that are new; which rows have left the lake, uint8, shape (n_rows,)."""
    live = {lake_name(file): file for file in work.files}
    known = {found.path for found in state.ranges}
    new = [file for name, file in live.items() if name not in known]
    identity = work.settings.identity
    scanner = RowScanner(
        kinds=strong_types(identity.own_types),
        aliases=work.settings.aliases,
        coupons=coupon_test(identity.single_use_coupons),
        strong=state.strong,
        weak=state.weak,
        sets=state.sets,
        references=state.references,
        pairs=[],
    )
    start = state.rows.n_rows
    done = Counter("reading", sum(file.rows for file in new), progress)
    state.rows = scanner.scan(state.rows, new, done.add)
    state.pairs = np.concatenate([state.pairs, np.array(scanner.pairs, dtype=np.int64).reshape(-1, 3)])
    gone = np.zeros(state.rows.n_rows, dtype=np.uint8)
    if state.arrays:
        gone[:start] = state.arrays["gone"]
    for found in state.ranges:
        if found.path not in live:
            gone[found.start : found.start + found.rows] = 1
    state.ranges = [found for found in state.ranges if found.path in live]
    for file in new:
        state.ranges.append(LakeRange(lake_name(file), file.source, start, file.rows))
        start += file.rows
    return gone


def _alias_table(work: BuildInput, state: IdentityState, placement: Placement, before: JourneyLog | None) -> str:
    """Every identifier of a group, and its person."""
    graph = placement.graph
    named = (graph.live == 1) & (graph.group >= 0)
    if before is None or "alias" not in before.manifest or not state.arrays:
        codes = np.flatnonzero(named)
        return write_alias_table(work.log, state.alias[codes], state.alias[graph.group[codes]])
    n_old = len(state.arrays["group"])
    was = np.zeros(len(named), dtype=np.bool_)
    was[:n_old] = (state.arrays["live"] == 1) & (state.arrays["group"] >= 0)
    group_was = np.full(len(named), -1, dtype=np.int32)
    group_was[:n_old] = state.arrays["group"]
    gone = np.flatnonzero(was & ~named)
    codes = np.flatnonzero(named & (~was | (group_was != graph.group)))
    return merge_alias_table(
        work.log, str(before.manifest["alias"]), state.alias[gone], state.alias[codes], state.alias[graph.group[codes]]
    )


def _newest_by_source(files: Sequence[LakeFile]) -> dict[str, int]:
    """Time of each source's newest event, µs UTC."""
    newest: dict[str, int] = {}
    for file in files:
        newest[file.source] = max(file.max_time_us, newest.get(file.source, file.max_time_us))
    return newest


def log_manifest(
    work: BuildInput, written: WrittenTables, beside: Mapping[str, str], *, n_duplicates: int
) -> dict[str, Any]:
    """The manifest's entries on the tables of a log.

    Parameters
    ----------
    work : BuildInput
    written : WrittenTables
    beside : mapping
        File names of the tables that are no bucket's.
    n_duplicates : int
        Rows of the lake that are copies of others.
    """
    entries = written.buckets
    names = "".join(name for entry in entries for name in sorted(entry["files"].values()))
    names += "".join(name for parts in written.cold.values() for name in parts if name)
    newest = [entry["newest_us"] for entry in entries if entry["newest_us"] is not None]
    totals = {
        f"n_{name}": sum(entry[f"n_{name}"] for entry in entries)
        for name in ("events", "persons", "sessions", "journeys")
    }
    return totals | {
        "format": LOG_FORMAT,
        "buckets": entries[:-1],
        "unidentified": entries[-1],
        "cold": written.cold,
        "data_version": hashlib.sha256(names.encode()).hexdigest()[:16],
        "as_of_us": max(newest, default=0),
        "n_duplicates": n_duplicates,
        **beside,
        "sources": _newest_by_source(work.files),
        "journey_timeout_us": work.settings.journeys.timeout_us,
        # Which identity state belongs to this log, and to no other of the same tables.
        "state": uuid.uuid4().hex,
    }
