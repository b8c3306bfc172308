"""What both ways of building share: what goes in, and what becomes of a bucket's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.local import default_threads
from percorso.identity.decisions import Folded
from percorso.identity.state import IdentityState, lake_name
from percorso.journeys.bucket import BucketRows, MessageIds, prepare_rows
from percorso.journeys.bucket_rules import BucketRules
from percorso.journeys.lake_rows import LakeRows
from percorso.journeys.numbering import Persons
from percorso.journeys.progress import Progress
from percorso.journeys.shuffle import Shuffle, join_records
from percorso.journeys.tables import bucket_tables
from percorso.settings import Settings
from percorso.store.files import AnyPath, make_folder
from percorso.store.journey_log import JourneyLog
from percorso.store.lake import LakeFile

__all__ = ["BuildInput", "Counter", "fragment_tables", "in_threads", "sources_by_rank", "wanted_files"]


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
    log : AnyPath
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
    log: AnyPath
    state: Path
    scratch: Path
    memory_bytes: int
    before: JourneyLog | None = None


@dataclass(slots=True)
class Counter:
    """Counts rows of one phase for the progress display."""

    phase: str
    total: int
    progress: Progress
    done: int = 0

    def add(self, rows: int) -> None:
        self.done += rows
        self.progress(self.phase, self.done, self.total)


def wanted_files(work: BuildInput, state: IdentityState, wanted: npt.NDArray[np.int64] | None) -> list[LakeRows]:
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


def fragment_tables(
    index: int,
    shuffle: Shuffle,
    persons: Persons,
    rules: BucketRules,
    ids: MessageIds,
    kept: tuple[npt.NDArray[Any], pa.Table] | None = None,
) -> dict[str, pa.RecordBatch]:
    """Tables of a bucket, or of its touched persons; `kept` are rows of theirs that did not go through the shuffle."""
    n_buckets = len(persons.bounds) - 1
    known = slice(persons.bounds[index], persons.bounds[index + 1]) if index < n_buckets else slice(0, 0)
    n_persons, first_person = int(known.stop - known.start), int(known.start)

    def prepared() -> BucketRows:
        # Ends before the tables are made, so that nothing keeps the records: they are most of what a bucket takes.
        records, texts = shuffle.read(index)
        if kept is not None:
            records, texts = join_records([records, kept[0]]), pa.concat_tables([texts, kept[1]])
        return prepare_rows(records, texts, n_persons, first_person, rules.settings, ids)

    return bucket_tables(prepared(), rules, person_ids=persons.ids[known], identified=persons.identified[known])


def in_threads(
    folder: AnyPath, build: Callable[[int], dict[str, Any]], indices: Sequence[int], done: Counter
) -> list[dict[str, Any]]:
    make_folder(folder)
    # More than there are cores: half of the time a bucket waits for the disk.
    with ThreadPoolExecutor(2 * default_threads(), thread_name_prefix="percorso-build") as pool:
        return list(_counted(pool.map(build, indices), done))


def _counted(entries: Iterator[dict[str, Any]], done: Counter) -> Iterator[dict[str, Any]]:
    for entry in entries:
        done.add(entry["n_events"])
        yield entry


def sources_by_rank(state: IdentityState) -> tuple[str, ...]:
    """By rank, as the row files give it."""
    return tuple(sorted(state.rows.sources, key=lambda name: name.encode()))
