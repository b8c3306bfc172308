"""Write the buckets of a log: all of them from the lake, or those that an import touched upon what is there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.ranges import ahead, in_parallel
from percorso.identity.placement import NO_COPY, Placement
from percorso.identity.state import IdentityState
from percorso.journeys.bucket_rules import bucket_rules
from percorso.journeys.coding import TEXT_SCHEMA, Coder
from percorso.journeys.increment import OldRows, Touched, find_old_rows
from percorso.journeys.lake_rows import StateColumns, shuffle_lake
from percorso.journeys.merge import merge_tables
from percorso.journeys.numbering import Persons, buckets_of, number_persons
from percorso.journeys.progress import Progress
from percorso.journeys.reread import learn_words, reread_rows
from percorso.journeys.shuffle import Shuffle, pack_records, record_type
from percorso.journeys.work import BuildInput, Counter, fragment_tables, in_threads, sources_by_rank, wanted_files
from percorso.journeys.write import write_bucket
from percorso.store.cold import month_of_time
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["all_buckets", "touched_buckets"]


def all_buckets(
    work: BuildInput, state: IdentityState, placement: Placement, coder: Coder, progress: Progress
) -> list[dict[str, Any]]:
    """Every bucket from its rows in the lake; the entry of the unidentified rows comes last."""
    n_rows, bits = sum(file.rows for file in work.files), work.settings.build.bucket_bits
    persons = number_persons(state, placement, _units(placement.unit), secret=work.secret, bits=bits)
    record = record_type(work.settings.build.coded_properties)
    with Shuffle(work.scratch / "parts", len(persons.bounds), record, TEXT_SCHEMA) as shuffle:
        counter = Counter("classifying", n_rows, progress)
        shuffle_lake(wanted_files(work, state, None), state, placement, persons, coder, shuffle, counter.add)
    rules = bucket_rules(work.settings, coder, sources_by_rank(state))

    def build(index: int) -> dict[str, Any]:
        return write_bucket(index, fragment_tables(index, shuffle, persons, rules), work.log)

    return in_threads(work.log, build, range(len(persons.bounds)), Counter("writing", n_rows, progress))


def _units(unit: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """All persons that have rows."""
    marks = np.zeros(int(unit.max(initial=0)) + 1, dtype=np.bool_)
    marks[np.maximum(unit, 0)] = True
    marks[0] = bool((unit == 0).any())
    return np.flatnonzero(marks)


def touched_buckets(
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
    counter = Counter("classifying", len(touched.rows_now), progress)
    buckets: list[Bucket] = [*before.buckets, before.unidentified]
    ids_of, months = _touched_ids(old, persons, bits), touched.months
    indices = [index for index in range(len(buckets)) if (len(ids_of[index]) if index < 2**bits else len(months))]
    part = persons.parts(persons.rank(placement.unit[touched.rows_before]))
    staying = stay[touched.rows_before]
    known = StateColumns(state.rows, placement)
    reader = _Reader(buckets, known, placement, touched, old, persons, coder)
    with Shuffle(work.scratch / "parts", len(persons.bounds), record, TEXT_SCHEMA) as shuffle:
        files = wanted_files(work, state, from_lake)
        shuffle_lake(files, state, placement, persons, coder, shuffle, counter.add)
        movers = old.by_bucket(staying & (part != old.bucket), 2**bits)
        for numbers, texts in ahead([piece for piece in enumerate(movers) if len(piece[1])], reader.read):
            for batch in texts.to_batches():
                shuffle.add(persons.parts(numbers["person"]), numbers, batch)
            counter.add(len(texts))
    in_parallel(indices, lambda index: learn_words(buckets[index], coder))
    rules = bucket_rules(work.settings, coder, sources_by_rank(state))
    dirty = _dirty_months(placement, touched, old, persons, state.arrays["time"])
    at_home = old.by_bucket(staying & (part == old.bucket), 2**bits)

    def build(index: int) -> dict[str, Any]:
        numbers, texts = reader.read((index, at_home[index]), dirty[index])
        kept = pack_records(numbers, len(texts), record), texts
        fragment = fragment_tables(index, shuffle, persons, rules, kept, dirty[index])
        touched_groups = ids_of[index] if index < 2**bits else months
        return write_bucket(index, merge_tables(buckets[index], fragment, touched_groups, dirty[index]), work.log)

    entries = [dict(bucket.meta) for bucket in buckets]
    for entry in in_threads(work.log, build, indices, Counter("writing", placement.n_events, progress)):
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
    counted = changed[placement.unit[changed] != NO_COPY]
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
