"""An erasure under way, written down: whoever comes next finishes it.

A job is a file of ``erasures/`` in the workspace, on the disk before anything is changed, and gone when nothing is left
to do. It holds keyed hashes, row keys and line numbers, no personal value. Every step may be done twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from percorso.errors import Corrupt
from percorso.events.event import EVENT_SCHEMA
from percorso.services.import_rows import event_keys
from percorso.services.workspace import Workspace
from percorso.store import database
from percorso.store.database.scrub import scrub_database
from percorso.store.files import sync_folder
from percorso.store.lake import Lake
from percorso.store.lake_erase import Cut, LakeErasure, RejectedRow
from percorso.store.lock import check_held, exclusive_lock

__all__ = [
    "DoneRecord",
    "ErasureJob",
    "Reworded",
    "close_jobs",
    "done_records",
    "erase_stored",
    "has_jobs",
    "open_jobs",
    "suppress",
    "write_job",
]

_FORMAT = 1
_WAIT_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Reworded:
    """Author and reason, without the person, of a decision or of the record of an earlier erasure.

    Parameters
    ----------
    decision : int
        Its number; 0: it is a record.
    record : str
        Id of the erasure whose record it is; "": it is a decision.
    author, reason : str
        As they are to be.
    """

    decision: int
    record: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class DoneRecord:
    """What is kept of an erasure that is done."""

    id: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class ErasureJob:
    """What an erasure takes away.

    Parameters
    ----------
    id : str
    erased_us : int
        µs UTC; events of the identifiers up to this time do not come back.
    identifiers : tuple of bytes
        Alias hashes of the person's own identifiers.
    rows : tuple of bytes
        Keyed hashes of events and rejected rows, see :mod:`percorso.identity.suppression`.
    lake : LakeErasure
    record : dict
        What is kept of the erasure: when, who, why, how much.
    reworded : tuple of Reworded
        What people wrote elsewhere and named the person in.
    """

    id: str
    erased_us: int
    identifiers: tuple[bytes, ...]
    rows: tuple[bytes, ...]
    lake: LakeErasure
    record: dict[str, Any] = field(default_factory=dict)
    reworded: tuple[Reworded, ...] = ()


def has_jobs(workspace: Workspace) -> bool:
    """Is there an erasure that was begun and not finished?"""
    return any(workspace.erasures.glob("*.job"))


def open_jobs(workspace: Workspace) -> list[ErasureJob]:
    """All erasures that were begun and not finished, by id; one that another process finishes meanwhile is not."""
    found = []
    for path in sorted(workspace.erasures.glob("*.job")):
        with contextlib.suppress(FileNotFoundError):
            found.append(_read(path))
    return found


def done_records(workspace: Workspace) -> list[DoneRecord]:
    """Records of the erasures that are done, by id; such as cannot be read are left out."""
    found = []
    for path in sorted(workspace.erasures.glob("*.done")):
        with contextlib.suppress(OSError, ValueError):
            body = json.loads(path.read_text(encoding="utf-8"))
            found.append(DoneRecord(path.stem, str(body.get("author", "")), str(body.get("reason", ""))))
    return found


def write_job(workspace: Workspace, job: ErasureJob) -> None:
    """Bring a job onto the disk; from now on it will be done."""
    folder = workspace.erasures
    folder.mkdir(mode=0o700, exist_ok=True)
    _write(folder / f"{job.id}.job", _as_json(job))
    sync_folder(folder.parent)


def erase_stored(workspace: Workspace) -> tuple[ErasureJob, ...]:
    """Do what open jobs ask of database and lake; the journey log is still to be built. Returns the jobs.

    Raises
    ------
    Busy
        Another process was writing or building all the while, or this one was held up until a lock ran out. The jobs
        are still open.
    """
    if not has_jobs(workspace):
        return ()
    with Lake(workspace.lake).erasing(EVENT_SCHEMA, timeout_s=_WAIT_S) as eraser:
        jobs = open_jobs(workspace)
        for job in jobs:
            suppress(workspace, job)
        # A build that reads the lake would miss the files that go.
        with exclusive_lock(workspace.log / "build.lock", what="erasure", timeout_s=_WAIT_S) as keeps_builds_out:
            for job in jobs:
                eraser.erase(job.lake, keys_of=event_keys)
            check_held(keeps_builds_out)
            eraser.clean()
            check_held(keeps_builds_out)
            _empty(workspace.tmp)
    return tuple(jobs)


def close_jobs(workspace: Workspace, jobs: Sequence[ErasureJob]) -> None:
    """Jobs of which nothing is left to do: keep the record of each, and remove it."""
    folder = workspace.erasures
    for job in jobs:
        _write(folder / f"{job.id}.done", job.record)
        (folder / f"{job.id}.job").unlink(missing_ok=True)
    if jobs:
        sync_folder(folder)


def suppress(workspace: Workspace, job: ErasureJob) -> None:
    """List the hashes, forget the decisions about the identifiers, and the name where others were written about.

    First, so that nothing comes back meanwhile.
    """
    with database.open_database(workspace.database) as opened, opened.writing() as connection:
        database.suppressions.add_suppressions(connection, "identifier", job.identifiers, erased_us=job.erased_us)
        database.suppressions.add_suppressions(connection, "row", job.rows, erased_us=job.erased_us)
        database.decisions.forget_decisions(connection, job.identifiers)
        for one in job.reworded:
            if one.decision:
                database.decisions.reword_decision(connection, one.decision, author=one.author, reason=one.reason)
    scrub_database(workspace.database)
    for one in job.reworded:
        if one.record:
            _reword_record(workspace.erasures / f"{one.record}.done", one)


def _reword_record(path: Path, to: Reworded) -> None:
    with contextlib.suppress(FileNotFoundError):
        _write(path, json.loads(path.read_text(encoding="utf-8")) | {"author": to.author, "reason": to.reason})


def _empty(folder: Path) -> None:
    """Remove what is in a folder of scratch."""
    for path in folder.glob("*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _write(path: Path, body: dict[str, Any]) -> None:
    partial = path.with_name(f"{path.name}.new")  # no *.job yet
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as stream:
        json.dump(body, stream)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def _as_json(job: ErasureJob) -> dict[str, Any]:
    lake = job.lake
    return {
        "format": _FORMAT,
        "id": job.id,
        "erased_us": job.erased_us,
        "identifiers": [one.hex() for one in job.identifiers],
        "rows": [one.hex() for one in job.rows],
        "row_keys": [bytes(key).hex() for key in lake.rows.view(np.uint8).reshape(-1, 16)],
        "cuts": [[cut.row_key.hex(), cut.column, cut.start, cut.end, cut.put] for cut in lake.cuts],
        "rejected": sorted([row.batch, row.file, row.line] for row in lake.rejected),
        "named": sorted(lake.named),
        "record": job.record,
        "reworded": [[one.decision, one.record, one.author, one.reason] for one in job.reworded],
    }


def _read(path: Path) -> ErasureJob:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        keys = b"".join(bytes.fromhex(key) for key in body["row_keys"])
        lake = LakeErasure(
            np.frombuffer(keys, np.uint64).reshape(-1, 2),
            tuple(Cut(bytes.fromhex(key), *rest) for key, *rest in body["cuts"]),
            frozenset(RejectedRow(*row) for row in body["rejected"]),
            frozenset(body["named"]),
        )
        hashes = [tuple(bytes.fromhex(one) for one in body[name]) for name in ("identifiers", "rows")]
        reworded = tuple(Reworded(*one) for one in body.get("reworded", ()))
        return ErasureJob(body["id"], int(body["erased_us"]), hashes[0], hashes[1], lake, body["record"], reworded)
    except FileNotFoundError:  # it has ended
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Corrupt(
            "An erasure was begun and cannot be read any more.",
            hint=f"Remove {path.name} from the folder erasures and erase the person again.",
        ) from error
