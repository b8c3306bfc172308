"""Build the journey log from the lake: who, when, where, which journey (docs/concepts/journey-log.md).

Two passes over the lake and one over the buckets. The first decides about rows (deduplication, clocks,
identity); the second codes them and brings each bucket's rows together; then every bucket is sorted, cut
into sessions and journeys, and written. The result is a pure function of events and settings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.local import default_threads
from percorso.engines.prefetch import prefetch
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.placement import Placement, place_rows
from percorso.identity.rows import RowFiles, read_batches, scan_rows
from percorso.journeys.bucket import BucketRules, build_bucket
from percorso.journeys.coding import CODED_READ, READ_COLUMNS, TEXT_COLUMNS, Coder
from percorso.journeys.progress import Progress
from percorso.journeys.shuffle import Shuffle, record_type
from percorso.settings import Settings, StageModel
from percorso.store.columns import as_strings
from percorso.store.journey_log import LOG_FORMAT
from percorso.store.lake import LakeFile

__all__ = ["BuildInput", "build_tables"]


@dataclass(frozen=True, slots=True)
class BuildInput:
    """All that a journey log is made of.

    Attributes
    ----------
    files : sequence of LakeFile
        The lake's live files, in a fixed order.
    settings : Settings
    secret : bytes
        Key of all keyed hashes.
    log : Path
        Where the tables go.
    scratch : Path
        A folder of the build's own; emptied by the caller.
    memory_bytes : int
        What the build may use, apart from pages of files that the system can take back.
    """

    files: Sequence[LakeFile]
    settings: Settings
    secret: bytes
    log: Path
    scratch: Path
    memory_bytes: int


def build_tables(work: BuildInput, progress: Progress) -> dict[str, Any]:
    """Write all tables and return the manifest's entries on them; nothing is current until it is swapped in."""
    n_rows = sum(file.rows for file in work.files)
    rules = IdentifierRules(work.settings.identity, work.settings.workspace.country)
    done = _Counter("reading", n_rows, progress)
    rows, strong, weak = scan_rows(
        work.files, work.scratch / "rows", rules, aliases=work.settings.aliases, progress=done.add
    )
    progress("identifying", 0, n_rows)
    placement = place_rows(
        rows,
        strong,
        weak,
        secret=work.secret,
        backfill_us=work.settings.identity.backfill_us,
        memory_bytes=work.memory_bytes // 3,
    )
    del strong, weak
    bounds = _bucket_bounds(placement.person_ids, work.settings.build.bucket_bits)
    coder = Coder(work.settings, work.secret)
    record = record_type(work.settings.build.coded_properties)
    with Shuffle(work.scratch / "parts", len(bounds), record) as shuffle:
        _shuffle_rows(work, rows, placement, bounds, coder, shuffle, _Counter("classifying", n_rows, progress))
    bucket_rules = _bucket_rules(work.settings, coder, rows.sources)
    entries = _build_buckets(work, placement, bounds, shuffle, bucket_rules, _Counter("writing", n_rows, progress))
    return _manifest(entries, placement) | {
        "sources": _newest_by_source(work.files),
        "journey_timeout_us": work.settings.journeys.timeout_us,
    }


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


def _bucket_bounds(person_ids: npt.NDArray[np.uint8], bits: int) -> npt.NDArray[np.int64]:
    """Rank of each bucket's first person, and the number of persons: int64, shape (2 ** bits + 1,)."""
    top = person_ids[:, :2].astype(np.int64) @ np.array([256, 1]) >> (16 - bits)
    return np.searchsorted(top, np.arange(2**bits + 1)).astype(np.int64)


def _shuffle_rows(
    work: BuildInput,
    rows: RowFiles,
    placement: Placement,
    bounds: npt.NDArray[np.int64],
    coder: Coder,
    shuffle: Shuffle,
    done: _Counter,
) -> None:
    """Code every row that counts and send it to its bucket, while the batch before it is being moved."""
    at = 0
    source_rank = {name: number for number, name in enumerate(rows.sources)}
    with ThreadPoolExecutor(1, thread_name_prefix="percorso-shuffle") as mover:
        moving: Future[None] | None = None
        for file, batch in prefetch(read_batches(work.files, READ_COLUMNS, coded=CODED_READ)):
            here = slice(at, at + batch.num_rows)
            at += batch.num_rows
            numbers = coder.code(batch, file.source)
            anonymous = placement.anonymous[here]
            numbers |= {
                "person": placement.person[here],
                "time": placement.time[here],
                "future": placement.future[here],
                "placing": placement.rule[here],
                "device_code": np.where(anonymous >= 0, anonymous, placement.device[here]),
                "source": np.full(batch.num_rows, source_rank[file.source], dtype=np.int16),
                "sequence": batch.column("sequence").to_numpy(zero_copy_only=False),
            }
            texts = {name: as_strings(batch.column(name)) for name in TEXT_COLUMNS}
            texts |= {"items": batch.column("items"), "order_key": coder.order_keys(batch, numbers["qualifies"])}
            if moving is not None:
                moving.result()
            kept = pa.RecordBatch.from_arrays(list(texts.values()), names=list(texts))
            moving = mover.submit(shuffle.add, _parts(placement.person[here], bounds), numbers, kept)
            done.add(batch.num_rows)
        if moving is not None:
            moving.result()


def _parts(person: npt.NDArray[np.int32], bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Bucket of each row; unidentified rows go to the part after the last, duplicates nowhere (-1)."""
    part = np.searchsorted(bounds, person, side="right").astype(np.int32) - 1
    part[person == -1] = len(bounds) - 1
    part[person == -2] = -1
    return part


def _bucket_rules(settings: Settings, coder: Coder, sources: tuple[str, ...]) -> BucketRules:
    dictionaries = {}
    coded = coder.dictionaries | {f"prop.{name}": dictionary for name, dictionary in coder.properties.items()}
    for name, dictionary in coded.items():
        texts = dictionary.texts
        order = sorted(range(len(texts)), key=lambda code: texts[code].encode())
        rank = np.empty(len(texts), dtype=np.int64)
        rank[order] = np.arange(len(texts))
        dictionaries[name] = (pa.array([texts[code] for code in order], pa.string()), rank)
    goal_names = {goal.event for goal in settings.journeys.goals}
    by_category = settings.journeys.timeout_by_category_us
    default = settings.journeys.timeout_us
    return BucketRules(
        settings=settings,
        dictionaries=dictionaries,
        goals=np.array([name in goal_names for name in coder.dictionaries["event"].texts], dtype=np.uint8),
        timeouts=np.array(
            [by_category.get(text, default) if text else 0 for text in coder.dictionaries["category"].texts],
            dtype=np.int64,
        ),
        stages=_stage_names(settings.stages),
        sources=sources,
    )


def _stage_names(model: StageModel) -> tuple[str, ...]:
    """Stage key of everything a journey can have reached, by the codes of percorso.kernels.journeys."""
    reached = [model.stage_of(signal) for signal in ("aware", "consider", "convert", "care", "advocate", "order")]
    reached += [model.after_order, max(model.stage_of("care"), model.stage_of("advocate"))]
    return ("", *(model.stages[position].key for position in reached))


def _build_buckets(
    work: BuildInput,
    placement: Placement,
    bounds: npt.NDArray[np.int64],
    shuffle: Shuffle,
    rules: BucketRules,
    done: _Counter,
) -> list[dict[str, Any]]:
    """Build all buckets in threads; the entry of the unidentified rows comes last."""
    n_buckets = len(bounds) - 1

    def build(index: int) -> dict[str, Any]:
        records, texts = shuffle.read(index)
        known = slice(bounds[index], bounds[index + 1]) if index < n_buckets else slice(0, 0)
        return build_bucket(
            index,
            records,
            texts,
            person_ids=placement.person_ids[known],
            identified=placement.identified[known],
            first_person=int(known.start),
            rules=rules,
            folder=work.log,
        )

    work.log.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(default_threads(), thread_name_prefix="percorso-build") as pool:
        return list(_counted(pool.map(build, range(n_buckets + 1)), done))


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
    return {
        "format": LOG_FORMAT,
        "buckets": entries[:-1],
        "unidentified": entries[-1],
        "data_version": hashlib.sha256(names.encode()).hexdigest()[:16],
        "as_of_us": max(newest, default=0),
        "n_duplicates": placement.n_duplicates,
        "n_events": sum(entry["n_events"] for entry in entries),
        "n_persons": len(placement.person_ids),
        "n_sessions": sum(entry["n_sessions"] for entry in entries),
        "n_journeys": sum(entry["n_journeys"] for entry in entries),
    }
