"""Import one file: all of it in one commit, or none."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from percorso.engines.prepare import PrepareLimits
from percorso.events.conversion import Reject
from percorso.events.event import EVENT_SCHEMA
from percorso.events.formats.table_items import ScatteredGroupsError
from percorso.identity.identifiers import IdentifierRules
from percorso.services.build import settle_erasures
from percorso.services.erasure_job import has_jobs
from percorso.services.import_chunks import converted_chunks
from percorso.services.import_history import Course, course_of, sharing_rows
from percorso.services.import_plan import FilePlan, check_unchanged, content_hash
from percorso.services.import_rows import RowFinisher
from percorso.services.import_suppression import ImportGate, import_gate
from percorso.services.workspace import Workspace
from percorso.store.lake import ImportRecord, Lake
from percorso.store.lake_tables import REJECTED, import_id, incomplete_id
from percorso.store.lake_write import LakeWrite, Retraction
from percorso.store.parts import Part

__all__ = ["FileReport", "Progress", "import_file", "prepare_limits"]

#: Called with the share of the file that is done, 0 to 1, and the rows so far.
Progress = Callable[[float, int], None]

#: Two imports at once do no harm: the second waits for the first.
_WAIT_S = 600.0


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of a file.

    Parameters
    ----------
    path, format, source : str
    rows : int
        Rows read.
    events : int
        Events added to the lake.
    duplicates : int
        Events that were there already.
    rejected : int
        Rows that could not become events.
    retracted : int
        Events of earlier imports that were taken back.
    spend_rows, catalogue_rows, stock_rows : int
        Rows of ad spend, of the catalogue, of stock.
    seconds : float
    unchanged : bool
        The file had been imported before, in the same way.
    suppressed : int
        Rows that were left out because they are of persons who were erased.
    import_again : tuple of str
        Names of files that had rows in common with what was taken back: imported again, each adds what is missing.
    header_line, lines_above : int
        CSV: the line with the names of the columns (0: none, or another one in each member of an archive), and
        how many lines that are not blank stand above it and were left out, in all members.
    """

    path: str
    format: str
    source: str
    rows: int
    events: int
    duplicates: int
    rejected: int
    retracted: int = 0
    spend_rows: int = 0
    catalogue_rows: int = 0
    stock_rows: int = 0
    seconds: float = 0.0
    unchanged: bool = False
    suppressed: int = 0
    import_again: tuple[str, ...] = ()
    header_line: int = 0
    lines_above: int = 0


@dataclass(slots=True)
class _Counts:
    rows: int = 0
    duplicates: int = 0
    rejected: int = 0
    side: Counter[str] = field(default_factory=Counter)  # rows by table
    suppressed: int = 0


@dataclass(frozen=True, slots=True)
class _Commit:
    """What a commit is about: the file, what it is called, the open write, and all imports before it."""

    plan: FilePlan
    name: str
    write: LakeWrite
    digest: str
    course: Course
    records: list[ImportRecord]


def import_file(
    workspace: Workspace, plan: FilePlan, progress: Progress, *, replace: bool = False, again: bool = False
) -> FileReport:
    """Import a file as planned; `replace` and `again` as of `ImportRequest`.

    Raises
    ------
    FileError
        It is damaged, or changed while it was read; nothing of it was imported.
    ImportConflict
        It was imported before in another way; see `course_of`.
    Busy
        Another process is writing.
    """
    begun = time.monotonic()
    lake = Lake(workspace.lake)
    digest = content_hash(plan.file.path)
    with _writing(workspace, lake) as write:
        records = lake.imports()
        earlier = [record for record in records if record.content_hash == digest]
        course = course_of(plan, earlier, replace=replace, again=again)
        if course.unchanged is not None:
            return _unchanged(plan, course.unchanged)
        gate = import_gate(workspace, spaces=(plan.source.id_space, plan.source.name))
        counts, parts = _write_rows(workspace, plan, write, gate, progress)
        check_unchanged(plan)
        name = gate.file_name(plan.file.path.name, write.batch)
        report = _commit(_Commit(plan, name, write, digest, course, records), counts, parts)
    return dataclasses.replace(report, seconds=time.monotonic() - begun)


@contextmanager
def _writing(workspace: Workspace, lake: Lake) -> Iterator[LakeWrite]:
    """The lake, opened for writing; no erasure is under way, and none begins inside the block."""
    while True:
        settle_erasures(workspace)
        with lake.writing(EVENT_SCHEMA, timeout_s=_WAIT_S) as write:
            # One may have been begun, and left, while this process waited for the lock.
            if not has_jobs(workspace):
                yield write
                return


def _unchanged(plan: FilePlan, record: ImportRecord) -> FileReport:
    """The report of a file that was imported before in the same way."""
    copies = record.events + record.duplicates
    path = str(plan.file.path)
    return FileReport(path, plan.format, record.source, record.rows, 0, copies, record.rejected, unchanged=True)


def _write_rows(
    workspace: Workspace, plan: FilePlan, write: LakeWrite, gate: ImportGate, progress: Progress
) -> tuple[_Counts, list[Part]]:
    """Convert the file and write everything of it, not yet for anybody to see."""
    try:
        return _write_chunks(workspace, plan, write, gate, progress, sort=False)
    except ScatteredGroupsError:
        write.restart()
        return _write_chunks(workspace, plan, write, gate, progress, sort=True)


def _write_chunks(
    workspace: Workspace, plan: FilePlan, write: LakeWrite, gate: ImportGate, progress: Progress, *, sort: bool
) -> tuple[_Counts, list[Part]]:
    rules = IdentifierRules(workspace.settings.identity, workspace.settings.workspace.country)
    finisher = RowFinisher(write.batch, plan.file.expected_rows)
    file = gate.file_name(plan.file.path.name, write.batch)
    events, rejected = write.events(plan.source.name), write.rejected()
    counts = _Counts()
    # One thread writes while this one finishes the next chunk and others convert those after it.
    with ThreadPoolExecutor(1, thread_name_prefix="write") as writer:
        pending: Future[None] | None = None
        for chunk in converted_chunks(plan, rules, prepare_limits(workspace), sort=sort):
            counts.rows += chunk.rows
            if chunk.rejected:
                kept = gate.rejects(chunk.rejected)
                counts.rejected += len(kept)
                counts.suppressed += len(chunk.rejected) - len(kept)
                rejected.write(_rejected_table(f"{file}/{chunk.member}" if chunk.member else file, kept, write.batch))
            if chunk.side is not None:
                counts.side[chunk.side.table.name] += chunk.side.rows.num_rows
                write.side(chunk.side.table).write(_with_batch(chunk.side.rows, write.batch))
            if chunk.events is not None:
                table, copies = finisher.finish(chunk.events)
                table, erased = gate.events(table)
                counts.duplicates += copies
                counts.suppressed += erased
                if pending is not None:
                    pending.result()
                pending = writer.submit(events.write, table)
            progress(chunk.position_ratio, counts.rows)
        if pending is not None:
            pending.result()
    return counts, events.close()


def prepare_limits(workspace: Workspace) -> PrepareLimits:
    """What [prepare] may use: half of what a build may, for converting goes on beside it."""
    return PrepareLimits(memory_bytes=max(workspace.memory_bytes // 2, 256 << 20), scratch=workspace.tmp)


def _commit(commit: _Commit, counts: _Counts, parts: list[Part]) -> FileReport:
    """Drop what is in the lake already, or take back what is replaced; then make the import count."""
    plan, write, course = commit.plan, commit.write, commit.course
    name = plan.source.name
    back, sharing = _taken_back(commit, parts)
    if not course.superseding:
        gone = () if course.taken_back is None else (course.taken_back.batch,)
        parts, copies = write.without_known(parts, name, batches=gone)
        counts.duplicates += copies
    report = FileReport(
        path=str(plan.file.path),
        format=plan.format,
        source=name,
        rows=counts.rows,
        events=sum(part.rows for part in parts),
        duplicates=counts.duplicates,
        rejected=counts.rejected,
        retracted=back.rows if back else 0,
        spend_rows=counts.side["ad_spend"],
        catalogue_rows=counts.side["catalogue"],
        stock_rows=counts.side["stock"],
        suppressed=counts.suppressed,
        import_again=tuple(sorted({record.file for record in sharing})),
        header_line=plan.file.header.line if plan.file.header else 0,
        lines_above=sum(len(member.header.above) for member in plan.file.members if member.header),
    )
    write.commit(_record(commit, report), parts, back)
    return report


def _taken_back(commit: _Commit, parts: list[Part]) -> tuple[Retraction | None, list[ImportRecord]]:
    """What goes in this commit, and the imports that have left rows to what goes and are marked incomplete."""
    course, write = commit.course, commit.write
    earlier = course.taken_back
    if earlier is None and not course.superseding:
        return None, []
    back = write.retraction(
        parts,
        commit.plan.source.name,
        batches=() if earlier is None else (earlier.batch,),
        imports=() if earlier is None else (import_id(earlier.source, earlier.content_hash),),
        same_ids=course.superseding,
    )
    if earlier is None or not back.lost:
        return back, []
    sharing = sharing_rows(commit.records, back.lost, earlier, write.live_rows())
    marks = {incomplete_id(record.source, record.content_hash): record.batch for record in sharing}
    return dataclasses.replace(back, transactions=back.transactions | marks), sharing


def _record(commit: _Commit, report: FileReport) -> dict[str, object]:
    return {
        "file": commit.name,
        "content_hash": commit.digest,
        "mapping_hash": commit.plan.fingerprint,
        "format": commit.plan.format,
        "source": report.source,
        "rows": report.rows,
        "events": report.events,
        "duplicates": report.duplicates,
        "rejected": report.rejected,
        "imported_at": datetime.now(UTC),
    }


def _with_batch(rows: pa.Table, batch: int) -> pa.Table:
    return rows.add_column(0, "batch", pa.repeat(pa.scalar(batch, pa.int64()), rows.num_rows))


def _rejected_table(file: str, rejected: Sequence[Reject], batch: int) -> pa.Table:
    rows = [_rejected_row(reject, file, batch) for reject in rejected]
    return pa.Table.from_pylist(rows, schema=REJECTED.schema)


def _rejected_row(reject: Reject, file: str, batch: int) -> dict[str, object]:
    return {
        "batch": batch,
        "file": file,
        "line": reject.line,
        "reason": reject.reason,
        "detail": reject.detail,
        "raw": reject.raw,
    }
