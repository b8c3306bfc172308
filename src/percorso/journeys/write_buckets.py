"""Write the buckets of a log: all of them from the lake, or those that an import touched upon what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.ranges import ahead
from percorso.identity.placement import Placement
from percorso.identity.state import IdentityState
from percorso.journeys.bucket_rules import bucket_rules
from percorso.journeys.coding import TEXT_SCHEMA, Coder
from percorso.journeys.cold_tables import ColdFiles, ColdShuffle
from percorso.journeys.increment import OldRows, Touched, find_old_rows, units_of
from percorso.journeys.lake_rows import StateColumns, message_ids, shuffle_lake
from percorso.journeys.merge import merge_tables
from percorso.journeys.numbering import Persons, buckets_of, number_persons
from percorso.journeys.progress import Progress
from percorso.journeys.reread import Words, reread_rows
from percorso.journeys.shuffle import Shuffle, pack_records, record_type
from percorso.journeys.work import BuildInput, Counter, fragment_tables, in_threads, sources_by_rank, wanted_files
from percorso.journeys.write import write_bucket
from percorso.store.cold import COLD_COLUMNS, Cold, month_of_time
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["WrittenTables", "all_buckets", "touched_buckets"]


@dataclass(frozen=True, slots=True)
class WrittenTables:
    """What the manifest says of them: an entry for each bucket, that of the unidentified last; and the cold tables."""

    buckets: list[dict[str, Any]]
    cold: ColdFiles


def all_buckets(
    work: BuildInput, state: IdentityState, placement: Placement, bits: int, coder: Coder, progress: Progress
) -> WrittenTables:
    """Every one of 2^bits buckets from its rows in the lake."""
    n_rows = sum(file.rows for file in work.files)
    persons = number_persons(state, placement, units_of(placement.unit), secret=work.secret, bits=bits)
    record = record_type(work.settings.build.coded_properties)
    counter = Counter("classifying", n_rows, progress)
    with (
        Shuffle(work.scratch / "parts", len(persons.bounds), record, TEXT_SCHEMA) as shuffle,
        ColdShuffle(work.scratch / "cold", bits) as cold,
    ):
        known = StateColumns(state.rows, placement)
        shuffle_lake(wanted_files(work, state, None), known, persons, coder, shuffle, cold, counter.add)
        del known
    rules, ids = bucket_rules(work.settings, coder, sources_by_rank(state)), message_ids(state.rows)

    def build(index: int) -> dict[str, Any]:
        return write_bucket(index, fragment_tables(index, shuffle, persons, rules, ids), work.log)

    entries = in_threads(work.log, build, range(len(persons.bounds)), Counter("writing", n_rows, progress))
    return WrittenTables(entries, cold.write(work.log))


def touched_buckets(
    work: BuildInput,
    state: IdentityState,
    placement: Placement,
    touched: Touched,
    before: JourneyLog,
    coder: Coder,
    progress: Progress,
) -> WrittenTables:
    """Buckets with touched persons, merged with what they hold of others; the rest as it is."""
    bits = before.bucket_bits
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
    words = Words.of_buckets([buckets[index] for index in indices], coder)
    reader = _Reader(buckets, known, placement, touched, old, persons, words)
    with (
        Shuffle(work.scratch / "parts", len(persons.bounds), record, TEXT_SCHEMA) as shuffle,
        ColdShuffle(work.scratch / "cold", bits) as cold,
    ):
        shuffle_lake(wanted_files(work, state, from_lake), known, persons, coder, shuffle, cold, counter.add)
        _move_texts(state, placement, touched, staying, before.texts, cold)
        movers = old.by_bucket(staying & (part != old.bucket), 2**bits)
        for numbers, texts in ahead([piece for piece in enumerate(movers) if len(piece[1])], reader.read):
            for batch in texts.to_batches():
                shuffle.add(persons.parts(numbers["person"]), numbers, batch)
            counter.add(len(texts))
    rules, ids = bucket_rules(work.settings, coder, sources_by_rank(state)), message_ids(state.rows)
    at_home = old.by_bucket(staying & (part == old.bucket), 2**bits)

    def build(index: int) -> dict[str, Any]:
        numbers, texts = reader.read((index, at_home[index]))
        kept = pack_records(numbers, len(texts), record), texts
        fragment = fragment_tables(index, shuffle, persons, rules, ids, kept)
        touched_groups = ids_of[index] if index < 2**bits else months
        entry = write_bucket(index, merge_tables(buckets[index], fragment, touched_groups), work.log)
        buckets[index].release()
        return entry

    entries = [dict(bucket.meta) for bucket in buckets]
    for entry in in_threads(work.log, build, indices, Counter("writing", placement.n_events, progress)):
        entries[entry["index"]] = entry
    return WrittenTables(entries, cold.write(work.log, before.texts))


def _move_texts(
    state: IdentityState,
    placement: Placement,
    touched: Touched,
    staying: npt.NDArray[np.bool_],
    before: Cold,
    cold: ColdShuffle,
) -> None:
    """Take the texts of rows that no longer count out of the cold tables; those of rows of another month now, over."""
    rows = touched.rows_before
    key, was, now = state.rows.column("key")[rows, 0], state.arrays["time"][rows], placement.time[rows]
    moved = staying & (was != now)
    moved[moved] = month_of_time(was[moved]) != month_of_time(now[moved])
    leaving = ~staying | moved
    cold.take_out(was[leaving], key[leaving])
    if moved.any():
        for batch in before.rows(was[moved], key[moved], COLD_COLUMNS).combine_chunks().to_batches():
            cold.add(now[moved], key[moved], batch)


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
    words: Words

    def read(self, piece: tuple[int, npt.NDArray[np.int64]]) -> tuple[dict[str, npt.NDArray[Any]], pa.Table]:
        """Numbers and texts of rows of one bucket, given as its number and positions in `touched.rows_before`."""
        index, at = piece
        at = at[np.argsort(self.old.event[at])]
        rows = self.touched.rows_before[at]
        numbers, texts = reread_rows(self.buckets[index], self.old.event[at], self.words)
        numbers |= self.known.numbers(rows)
        numbers["person"] = self.persons.rank(self.placement.unit[rows])
        return numbers, texts.combine_chunks()
