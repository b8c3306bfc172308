"""Build the journey log from the lake: who, when, where, which journey (docs/concepts/journey-log.md).

Two passes over the lake and one over the buckets. The first decides about rows (deduplication, clocks,
identity); the second codes them and brings each bucket's rows together; then every bucket is sorted, cut
into sessions and journeys, and written. The result is a pure function of events, settings and decisions.

Upon a log that is there the passes see new files and touched persons alone; the bytes are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.local import default_threads
from percorso.engines.ranges import ahead, in_parallel
from percorso.identity.decisions import Folded
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.placement import Placement, place_rows
from percorso.identity.rows import RowScanner
from percorso.identity.rules import coupon_test, placement_rules
from percorso.identity.state import IdentityState, LakeRange, new_state, open_state
from percorso.identity.tables import strong_types
from percorso.journeys.bucket_rules import BucketRules, bucket_rules
from percorso.journeys.coding import TEXT_SCHEMA, Coder
from percorso.journeys.increment import Mismatch, OldRows, Touched, find_old_rows, find_touched
from percorso.journeys.lake_rows import LakeRows, StateColumns, shuffle_lake
from percorso.journeys.merge import merge_tables
from percorso.journeys.numbering import Persons, buckets_of, number_persons
from percorso.journeys.progress import Progress
from percorso.journeys.reread import learn_words, reread_rows
from percorso.journeys.shuffle import Shuffle, join_records, pack_records, record_type
from percorso.journeys.tables import bucket_tables
from percorso.journeys.write import write_bucket
from percorso.settings import Settings
from percorso.store.alias_table import merge_alias_table, write_alias_table
from percorso.store.cold import month_of_time
from percorso.store.journey_log import LOG_FORMAT, Bucket, JourneyLog
from percorso.store.lake import LakeFile

__all__ = ["BuildInput", "Built", "build_tables"]

#: With more dead or touched rows than this share, beginning anew costs less.
_MOST_DEAD = 0.5
_MOST_TOUCHED = 0.5

_NO_COPY = -2  # the unit of a row that does not count


@dataclass(frozen=True, slots=True)
class BuildInput:
    """All that a journey log is made of.

    Attributes
    ----------
    files : sequence of LakeFile
        The lake's live files, in a fixed order.
    settings : Settings
    decisions : Folded
        What holds by hand.
    secret : bytes
        Key of all keyed hashes.
    log : Path
        Where the tables go.
    state : Path
        Where the identity state is kept.
    scratch : Path
        A folder of the build's own; emptied by the caller.
    memory_bytes : int
        What the build may use, apart from pages of files that the system can take back.
    before : JourneyLog, optional
        The log to build upon, made by the same rules with the same key; None: build from nothing.
    """

    files: Sequence[LakeFile]
    settings: Settings
    decisions: Folded
    secret: bytes
    log: Path
    state: Path
    scratch: Path
    memory_bytes: int
    before: JourneyLog | None = None


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
    state = open_state(work.state, rules, strong_types(settings.identity.own_types), log=before.data_version)
    if state is None or not state.rows.n_rows:
        return None
    live = {lake_name(file) for file in work.files}
    kept = sum(found.rows for found in state.ranges if found.path in live)
    new = sum(file.rows for file in work.files) - kept
    too_much = state.rows.n_rows - kept + new > _MOST_DEAD * state.rows.n_rows
    return None if too_much else state


def lake_name(file: LakeFile) -> str:
    """What the state knows a file of the lake by: its place within the table, wherever the workspace is."""
    return "/".join(file.path.parts[-2:])


@dataclass(slots=True)
class _Counter:
    """Counts rows of one phase for the progress display."""

    phase: str
    total: int
    progress: Progress
    done: int = 0

    def add(self, rows: int) -> None:
        self.done += rows
        self.progress(self.phase, self.done, self.total)


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
    touched = find_touched(state, placement) if before is not None else None
    if touched is not None and len(touched.rows_now) > _MOST_TOUCHED * state.rows.n_rows:
        touched = None  # the identity is worked out all the same
    if before is None or touched is None:
        entries, built = _all_buckets(work, state, placement, coder, progress), placement.n_events
    else:
        entries, built = (
            _touched_buckets(work, state, placement, touched, before, coder, progress),
            len(touched.rows_now),
        )
    manifest = _manifest(entries, placement) | {
        "alias": _alias_table(work, state, placement, before),
        "sources": _newest_by_source(work.files),
        "journey_timeout_us": settings.journeys.timeout_us,
    }

    def keep_state() -> None:
        state.forget(gone)
        state.save(placement.arrays(), log=str(manifest["data_version"]))

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
    done = _Counter("reading", sum(file.rows for file in new), progress)
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


def _lake_rows(work: BuildInput, state: IdentityState, wanted: npt.NDArray[np.int64] | None) -> list[LakeRows]:
    """Files to read, all of them or the wanted rows (ascending)."""
    paths = {lake_name(file): file.path for file in work.files}
    found = []
    for part in state.ranges:
        if wanted is None:
            found.append(LakeRows(paths[part.path], part))
            continue
        first, last = np.searchsorted(wanted, (part.start, part.start + part.rows))
        if last > first:
            found.append(LakeRows(paths[part.path], part, wanted[first:last]))
    return found


def _all_buckets(
    work: BuildInput, state: IdentityState, placement: Placement, coder: Coder, progress: Progress
) -> list[dict[str, Any]]:
    """Every bucket from its rows in the lake; the entry of the unidentified rows comes last."""
    n_rows, bits = sum(file.rows for file in work.files), work.settings.build.bucket_bits
    persons = number_persons(state, placement, _units(placement.unit), secret=work.secret, bits=bits)
    record = record_type(work.settings.build.coded_properties)
    with Shuffle(work.scratch / "parts", len(persons.bounds), record, TEXT_SCHEMA) as shuffle:
        counter = _Counter("classifying", n_rows, progress)
        shuffle_lake(_lake_rows(work, state, None), state, placement, persons, coder, shuffle, counter.add)
    rules = bucket_rules(work.settings, coder, _sorted_sources(state))

    def build(index: int) -> dict[str, Any]:
        return write_bucket(index, _fragment(index, shuffle, persons, rules), work.log)

    return _in_threads(work.log, build, range(len(persons.bounds)), _Counter("writing", n_rows, progress))


def _units(unit: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """All persons that have rows."""
    marks = np.zeros(int(unit.max(initial=0)) + 1, dtype=np.bool_)
    marks[np.maximum(unit, 0)] = True
    marks[0] = bool((unit == 0).any())
    return np.flatnonzero(marks)


def _fragment(
    index: int,
    shuffle: Shuffle,
    persons: Persons,
    rules: BucketRules,
    kept: tuple[npt.NDArray[Any], pa.Table] | None = None,
    months: Collection[int] | None = None,
) -> dict[str, pa.RecordBatch]:
    """Tables of a bucket, or of its touched persons; `kept` are rows of theirs that did not go through the shuffle."""
    records, texts = shuffle.read(index)
    if kept is not None:
        records, texts = join_records([records, kept[0]]), pa.concat_tables([texts, kept[1]])
    n_buckets = len(persons.bounds) - 1
    known = slice(persons.bounds[index], persons.bounds[index + 1]) if index < n_buckets else slice(0, 0)
    return bucket_tables(
        records,
        texts,
        person_ids=persons.ids[known],
        identified=persons.identified[known],
        first_person=int(known.start),
        rules=rules,
        months=months,
    )


def _in_threads(
    folder: Path, build: Callable[[int], dict[str, Any]], indices: Sequence[int], done: _Counter
) -> list[dict[str, Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    # More than there are cores: half of the time a bucket waits for the disk.
    with ThreadPoolExecutor(2 * default_threads(), thread_name_prefix="percorso-build") as pool:
        return list(_counted(pool.map(build, indices), done))


def _touched_buckets(
    work: BuildInput,
    state: IdentityState,
    placement: Placement,
    touched: Touched,
    before: JourneyLog,
    coder: Coder,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Buckets with touched persons, merged with what they hold of others; the entries of the rest as they are."""
    bits = work.settings.build.bucket_bits
    old = find_old_rows(before, state, placement, touched, secret=work.secret)
    persons = number_persons(state, placement, touched.now, secret=work.secret, bits=bits)
    in_log = np.zeros(state.rows.n_rows, dtype=np.bool_)
    in_log[touched.rows_before] = True
    stay = np.zeros(state.rows.n_rows, dtype=np.bool_)
    stay[touched.rows_now] = True
    from_lake = np.flatnonzero(stay & ~in_log)
    record = record_type(work.settings.build.coded_properties)
    counter = _Counter("classifying", len(touched.rows_now), progress)
    buckets: list[Bucket] = [*before.buckets, before.unidentified]
    ids_of, months = _touched_ids(old, persons, bits), touched.months
    indices = [index for index in range(len(buckets)) if (len(ids_of[index]) if index < 2**bits else len(months))]
    part = persons.parts(persons.rank(placement.unit[touched.rows_before]))
    staying = stay[touched.rows_before]
    known = StateColumns(state.rows, placement)
    reader = _Reader(buckets, known, placement, touched, old, persons, coder)
    with Shuffle(work.scratch / "parts", len(persons.bounds), record, TEXT_SCHEMA) as shuffle:
        files = _lake_rows(work, state, from_lake)
        shuffle_lake(files, state, placement, persons, coder, shuffle, counter.add)
        movers = old.by_bucket(staying & (part != old.bucket), 2**bits)
        for numbers, texts in ahead([piece for piece in enumerate(movers) if len(piece[1])], reader.read):
            for batch in texts.to_batches():
                shuffle.add(persons.parts(numbers["person"]), numbers, batch)
            counter.add(len(texts))
    in_parallel(indices, lambda index: learn_words(buckets[index], coder))
    rules = bucket_rules(work.settings, coder, _sorted_sources(state))
    dirty = _dirty_months(placement, touched, old, persons, state.arrays["time"])
    at_home = old.by_bucket(staying & (part == old.bucket), 2**bits)

    def build(index: int) -> dict[str, Any]:
        numbers, texts = reader.read((index, at_home[index]), dirty[index])
        kept = pack_records(numbers, len(texts), record), texts
        fragment = _fragment(index, shuffle, persons, rules, kept, dirty[index])
        touched_groups = ids_of[index] if index < 2**bits else months
        return write_bucket(index, merge_tables(buckets[index], fragment, touched_groups, dirty[index]), work.log)

    entries = [dict(bucket.meta) for bucket in buckets]
    for entry in _in_threads(work.log, build, indices, _Counter("writing", placement.n_events, progress)):
        entries[entry["index"]] = entry
    return entries


def _dirty_months(
    placement: Placement,
    touched: Touched,
    old: OldRows,
    persons: Persons,
    time_before: npt.NDArray[np.int64],
) -> list[set[int]]:
    """Months of each bucket, nobody's last, in which a row came, went, or changed its person or time."""
    dirty: list[set[int]] = [set() for _ in persons.bounds]
    changed = placement.changed
    known = changed[np.isin(changed, touched.rows_before)]
    before = old.bucket[np.searchsorted(touched.rows_before, known)], month_of_time(time_before[known])
    counted = changed[placement.unit[changed] != _NO_COPY]
    now = persons.parts(persons.rank(placement.unit[counted])), month_of_time(placement.time[counted])
    for bucket, month in (before, now):
        for index, number in np.unique(np.stack([bucket.astype(np.int64), month]), axis=1).T.tolist():
            dirty[index].add(number)
    return dirty


def _touched_ids(old: OldRows, persons: Persons, bits: int) -> list[npt.NDArray[np.uint8]]:
    """Ids of touched persons of each bucket, those that are gone included."""
    ids = np.concatenate([old.ids, persons.ids])
    bucket = np.concatenate([old.bucket_of_id, buckets_of(persons.ids, bits)])
    return [np.unique(ids[bucket == index], axis=0) for index in range(2**bits)]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads rows of touched persons back from the log."""

    buckets: Sequence[Bucket]
    known: StateColumns
    placement: Placement
    touched: Touched
    old: OldRows
    persons: Persons
    coder: Coder

    def read(
        self, piece: tuple[int, npt.NDArray[np.int64]], months: Collection[int] | None = None
    ) -> tuple[dict[str, npt.NDArray[Any]], pa.Table]:
        """Numbers and texts of rows of one bucket, given as its number and positions in `touched.rows_before`."""
        index, at = piece
        at = at[np.argsort(self.old.event[at])]
        rows = self.touched.rows_before[at]
        numbers, texts = reread_rows(self.buckets[index], self.old.event[at], self.coder, months)
        numbers |= self.known.numbers(rows)
        numbers["person"] = self.persons.rank(self.placement.unit[rows])
        return numbers, texts.combine_chunks()


def _sorted_sources(state: IdentityState) -> tuple[str, ...]:
    """By rank, as the row files give it."""
    return tuple(sorted(state.rows.sources, key=lambda name: name.encode()))


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


def _counted(entries: Iterator[dict[str, Any]], done: _Counter) -> Iterator[dict[str, Any]]:
    for entry in entries:
        done.add(entry["n_events"])
        yield entry


def _newest_by_source(files: Sequence[LakeFile]) -> dict[str, int]:
    """Time of each source's newest event, µs UTC."""
    newest: dict[str, int] = {}
    for file in files:
        newest[file.source] = max(file.max_time_us, newest.get(file.source, file.max_time_us))
    return newest


def _manifest(entries: list[dict[str, Any]], placement: Placement) -> dict[str, Any]:
    names = "".join(name for entry in entries for name in sorted(entry["files"].values()))
    newest = [entry["newest_us"] for entry in entries if entry["newest_us"] is not None]
    totals = {
        f"n_{name}": sum(entry[f"n_{name}"] for entry in entries)
        for name in ("events", "persons", "sessions", "journeys")
    }
    return totals | {
        "format": LOG_FORMAT,
        "buckets": entries[:-1],
        "unidentified": entries[-1],
        "data_version": hashlib.sha256(names.encode()).hexdigest()[:16],
        "as_of_us": max(newest, default=0),
        "n_duplicates": placement.n_duplicates,
    }
