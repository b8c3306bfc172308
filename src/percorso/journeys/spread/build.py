"""Build the journey log on a cluster: the same files as on one machine, each written by the task that has its rows.

This process plans, counts and swaps the manifest in; it sees no event (docs/concepts/spark-build.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from percorso.engines.exchange import Exchange, Flow, Piece, by_kind
from percorso.errors import WorkLost
from percorso.identity.clocks import write_clocks
from percorso.identity.spread.flow import Spread, spread_rows
from percorso.identity.spread.groups import ALIASES, ALIASES_SCHEMA
from percorso.identity.spread.rows import key_words, numbers
from percorso.identity.spread.scan import LakePart, lake_parts
from percorso.identity.spread.times import CLOCKS, CLOCKS_SCHEMA
from percorso.journeys.build import Built, log_manifest
from percorso.journeys.cold_tables import ColdFiles, cold_files
from percorso.journeys.numbering import bucket_bits
from percorso.journeys.progress import Progress
from percorso.journeys.spread.buckets import ENTRIES, Before, BucketSteps
from percorso.journeys.spread.coding import (
    CODED,
    COLD,
    FINISHED,
    GONE,
    MANY,
    OWNED,
    REBUILT,
    WANTED,
    CodeSteps,
    Targets,
)
from percorso.journeys.spread.traces import TOUCHED, TRACES, trace_key
from percorso.journeys.work import BuildInput
from percorso.journeys.write_buckets import WrittenTables
from percorso.store.alias_table import write_alias_table
from percorso.store.journey_log import JourneyLog

__all__ = ["PART_ROWS", "build_on_cluster", "parts_for"]

#: Rows that a task has in memory at a time: about half a gigabyte with all that is worked out for them.
PART_ROWS = 500_000
#: With more touched owners, as the tasks count them, than this share of all persons, building everything costs less.
_MOST_TOUCHED = 0.5
#: So often a build begins anew when machines have gone with what they had worked out.
_MOST_TRIES = 3


def parts_for(n_rows: int, n_cores: int) -> int:
    """Parts that rows are dealt into: none too large for a task's memory, and one for each core at least."""
    return max(1, n_cores, -(-n_rows // PART_ROWS))


def build_on_cluster(work: BuildInput, exchange: Exchange, progress: Progress) -> Built:
    """As `percorso.journeys.build.build_tables`; upon the log before where that was built on a cluster too.

    Parameters
    ----------
    work : BuildInput
        Its scratch folder and state are not used.
    exchange : Exchange
    progress : callable

    Raises
    ------
    WorkLost
        Machines went away again and again.
    """
    for _ in range(_MOST_TRIES - 1):
        try:
            return _built(work, exchange, progress)
        except WorkLost:
            continue
    return _built(work, exchange, progress)


def _built(work: BuildInput, exchange: Exchange, progress: Progress) -> Built:
    n_rows = sum(file.rows for file in work.files)
    tasks = lake_parts(work.files, PART_ROWS)
    sources = tuple(sorted({file.source for file in work.files}, key=str.encode))
    spread = spread_rows(exchange, tasks, sources, work.settings, work.decisions, work.secret, progress)
    try:
        progress("writing", 0, n_rows)
        bits = bucket_bits(work.settings.build.bucket_bits, spread.n_events)
        writer = _Writer(work, exchange, spread, tasks, sources, Targets(bits))
        written, traces, n_built = writer.write()
        beside = _write_beside(work, spread, sources)
        progress("writing", n_rows, n_rows)
    finally:
        spread.release()
    manifest = log_manifest(work, written, beside, n_duplicates=n_rows - spread.n_events)
    return Built(manifest | {"traces": traces}, lambda: None, n_built)


@dataclass(frozen=True, slots=True)
class _Writer:
    """From rows that know their person to the files of the log."""

    work: BuildInput
    exchange: Exchange
    spread: Spread
    tasks: Sequence[Sequence[LakePart]]
    sources: tuple[str, ...]
    targets: Targets

    def write(self) -> tuple[WrittenTables, dict[str, str], int]:
        """Tables, traces by part of the lake, and events of persons that were built anew."""
        before = self._before()
        found = None if before is None else self._write_touched(before)
        return self._write_all() if found is None else found

    def _before(self) -> JourneyLog | None:
        """The log to build upon; none where it has no traces, or other buckets."""
        before = self.work.before
        if before is None or "traces" not in before.manifest or before.bucket_bits != self.targets.bits:
            return None
        return before

    def _write_all(self) -> tuple[WrittenTables, dict[str, str], int]:
        steps = self._steps({})
        coded = self._rows(steps).step(steps.code_all, n_parts=len(self.tasks))
        found = self._files(coded, None)
        entries = [found[part]["entry"] for part in range(self.targets.nobody + 1)]
        return WrittenTables(entries, self._cold(found, {})), self._traces(found), self.spread.n_events

    def _write_touched(self, before: JourneyLog) -> tuple[WrittenTables, dict[str, str], int] | None:
        """None where nearly everything is touched."""
        known: dict[str, str] = before.manifest["traces"]
        live = {trace_key(part) for task in self.tasks for part in task}
        gone = [name for key, name in sorted(known.items()) if key not in live]
        steps = self._steps(known)
        compared = self._rows(steps).step(steps.compare, n_parts=len(self.tasks)).kept()
        left = self.exchange.start(len(gone), steps.leave(gone)).kept() if gone else compared.only("nothing")
        changed = compared.beside(left)
        upon = Before(
            [*(dict(bucket.meta) for bucket in before.buckets), dict(before.unidentified.meta)],
            before.manifest["cold"],
        )
        try:
            n_touched = sum(piece.rows.column("n")[0].as_py() for piece in changed.only(MANY).read())
            if n_touched > _MOST_TOUCHED * max(int(before.manifest["n_persons"]), 1):
                return None
            wanted = changed.only(TOUCHED, OWNED).step(steps.want).kept()
            coded = compared.only(FINISHED).beside(wanted.only(WANTED))
            coded = coded.step(steps.code_touched, n_parts=len(self.tasks))
            found = self._files(coded.beside(changed.only(GONE, TRACES), wanted.only(REBUILT)), upon)
            wanted.release()
        finally:
            compared.release()
            left.release()
        nobody = self.targets.nobody
        entries = [found[part]["entry"] if part in found else dict(entry) for part, entry in enumerate(upon.entries)]
        built = sum(int(one["n_built"]) for part, one in found.items() if part <= nobody)
        return WrittenTables(entries, self._cold(found, upon.cold)), self._traces(found), built

    def _rows(self, steps: CodeSteps) -> Flow:
        """Rows that know their person, and a word to each task, which may have lost all of its rows to copies."""
        return self.spread.rows.beside(self.exchange.start(1, steps.greet))

    def _steps(self, traces: dict[str, str]) -> CodeSteps:
        return CodeSteps(
            self.tasks, self.work.settings, self.work.secret, self.targets, self.work.log, traces, self.exchange.n_parts
        )

    def _files(self, coded: Flow, before: Before | None) -> dict[int, Any]:
        """What each part's task says that it has written."""
        work = self.work
        steps = BucketSteps(work.settings, work.secret, self.sources, self.targets, work.log, before)
        pieces = coded.only(CODED, COLD, GONE, REBUILT, TRACES)
        if before is None:
            pieces = pieces.beside(self.exchange.start(1, steps.greet))
        entries = pieces.step(steps.write, n_parts=self.targets.n_parts).read()
        return {
            piece.rows.column("part")[0].as_py(): msgspec.json.decode(piece.rows.column("entry")[0].as_py())
            for piece in entries
        }

    def _traces(self, found: dict[int, Any]) -> dict[str, str]:
        """Trace of each part of the lake; none of those that have no rows that count."""
        return dict(sorted(found.get(self.targets.told, {}).items()))

    def _cold(self, found: dict[int, Any], before: Mapping[str, Sequence[str | None]]) -> ColdFiles:
        """Cold tables as the manifest has them."""
        parts = range(self.targets.cold, self.targets.told)
        return cold_files(before, [{int(month): name for month, name in found.get(part, {}).items()} for part in parts])


def _write_beside(work: BuildInput, spread: Spread, sources: tuple[str, ...]) -> dict[str, str]:
    """Write the tables that are no bucket's, each in one task; their names as the manifest has them."""
    folder = work.log

    def write(part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        tables = by_kind(pieces, (ALIASES, CLOCKS))
        rows = pa.concat_tables([ALIASES_SCHEMA.empty_table(), *tables[ALIASES]]).combine_chunks()
        alias, person = (key_words(rows.column(name))[0].view(np.uint8).reshape(-1, 16) for name in rows.column_names)
        moved = pa.concat_tables([CLOCKS_SCHEMA.empty_table(), *tables[CLOCKS]])
        clocks = write_clocks(folder, numbers(moved, "source"), numbers(moved, "time"), sources)
        names = {"alias": write_alias_table(folder, alias, person), "clocks": clocks}
        yield Piece(ENTRIES, 0, pa.table({name: [value] for name, value in names.items()}))

    # The clocks send a piece from every part, so there is something to work on.
    (found,) = spread.aliases.beside(spread.clocks).step(write).read()
    names: dict[str, str] = found.rows.to_pylist()[0]
    return names
