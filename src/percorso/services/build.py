"""Keep the journey log up to date: build it where it is missing or stale, one build at a time."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import importlib
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

import percorso
from percorso.errors import Busy, Corrupt, FormatTooNew, NothingImported
from percorso.journeys.progress import Progress
from percorso.services.workspace import Workspace
from percorso.settings import Settings
from percorso.store.journey_log import JourneyLog, open_log, swap_manifest
from percorso.store.lake import Lake
from percorso.store.lock import exclusive_lock

__all__ = ["BuildReport", "build_log", "fresh_log", "is_stale", "rules_fingerprint"]

#: Files of an earlier log are kept this long after a build, for readers that still hold its manifest.
_GRACE_S = 3600.0

#: How long a build waits for another one, which then has done its work.
_WAIT_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What stands in the log.

    Parameters
    ----------
    events : int
        Those of nobody included.
    persons, sessions, journeys : int
    unidentified : int
        Events that belong to nobody.
    duplicates : int
        Copies of events that were delivered more than once; not among `events`.
    seconds : float
        What it took, the wait for another build included.
    built : bool
        False: the log was up to date.
    newest : str
        Time of the newest event, ISO 8601 in UTC; questions are asked as of it unless they say otherwise.
    """

    events: int
    persons: int
    sessions: int
    journeys: int
    unidentified: int
    duplicates: int
    seconds: float
    built: bool
    newest: str

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def build_log(
    workspace: Workspace,
    *,
    full: bool = False,
    wait_s: float = _WAIT_S,
    progress: Progress = lambda phase, done, total: None,
) -> BuildReport:
    """Bring the journey log up to date with lake and settings.

    Parameters
    ----------
    workspace : Workspace
    full : bool
        Build even if nothing has changed, or the log that is there cannot be read.
    wait_s : float
        How long to wait for a build of another process.
    progress : callable, optional
        Told phase, rows done and rows in all.

    Raises
    ------
    NothingImported
        The lake is empty.
    Busy
        Another process was building all the while.
    """
    started = time.monotonic()
    with exclusive_lock(workspace.log / "build.lock", what="build", timeout_s=wait_s):
        log = None if full else open_log(workspace.log)
        built = log is None or is_stale(workspace, log)
        if built:
            _build(workspace, progress)
            log = open_log(workspace.log)
        assert log is not None
    return _report(log, time.monotonic() - started, built)


def fresh_log(
    workspace: Workspace,
    *,
    progress: Progress = lambda phase, done, total: None,
    when_busy: Callable[[JourneyLog], None] = lambda log: None,
) -> JourneyLog:
    """The journey log, built first where it is missing or stale.

    While another process builds, the last log answers, and `when_busy` is told so; where there is none yet,
    the question waits for it.
    """
    log = open_log(workspace.log)
    if log is not None and not is_stale(workspace, log):
        return log
    try:
        build_log(workspace, progress=progress, wait_s=_WAIT_S if log is None else 0.0)
    except Busy:
        if log is None:
            raise
        when_busy(log)
        return log
    log = open_log(workspace.log)
    assert log is not None
    return log


def is_stale(workspace: Workspace, log: JourneyLog) -> bool:
    """Was the log made of other events, by other rules, with another key or another Percorso?"""
    return any(log.manifest.get(name) != value for name, value in _origin(workspace).items())


def _origin(workspace: Workspace) -> dict[str, object]:
    """What a log made now would be made of, as its manifest says it."""
    return {
        "lake": Lake(workspace.lake).mark(),
        "rules": rules_fingerprint(workspace.settings),
        # With another key the same persons have other ids: a restored secret.key makes the log stale.
        "key": hmac.digest(workspace.secret, b"journey log", "sha256").hex()[:16],
        "version": percorso.__version__,
    }


def rules_fingerprint(settings: Settings) -> str:
    """Hash of the settings that a log depends on: all but rates, language and memory limit."""
    relevant = msgspec.to_builtins(settings)
    relevant.pop("rates", None)
    relevant["workspace"].pop("language", None)
    relevant["build"].pop("memory_limit_bytes", None)
    return hashlib.sha256(msgspec.json.encode(relevant, order="deterministic")).hexdigest()[:32]


def _build(workspace: Workspace, progress: Progress) -> None:
    origin = _origin(workspace)  # before the files are listed: what arrives in between is built next time
    files = Lake(workspace.lake).live_files()
    if not files:
        raise NothingImported(
            "There are no events yet.",
            hint="Import a file first: `percorso import FILE`.",
        )
    scratch = workspace.tmp / "build"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        # Loaded when there is something to build: every question would pay a third of a second for its kernels.
        builder = importlib.import_module("percorso.journeys.build")
        manifest: dict[str, Any] = builder.build_tables(
            builder.BuildInput(
                files=files,
                settings=workspace.settings,
                secret=workspace.secret,
                log=workspace.log,
                scratch=scratch,
                memory_bytes=workspace.memory_bytes,
            ),
            progress,
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    manifest |= origin | {"built_at": datetime.now(UTC).isoformat(timespec="seconds")}
    before: set[str] = set()
    with contextlib.suppress(Corrupt, FormatTooNew):
        old = open_log(workspace.log)
        before = _files_of(old.manifest) if old else set()
    swap_manifest(workspace.log, manifest)
    _remove_old(workspace.log, before, _files_of(manifest))


def _files_of(manifest: Mapping[str, Any]) -> set[str]:
    return {name for entry in [*manifest["buckets"], manifest["unidentified"]] for name in entry["files"].values()}


def _remove_old(folder: Path, before: set[str], used: set[str]) -> None:
    """Delete bucket files that no manifest names, an hour after the last one did.

    A reader that maps a file keeps it even when its name is gone; the grace is for readers that have read
    the manifest and not yet opened every file.
    """
    now = time.time()
    for name in before - used:
        with contextlib.suppress(FileNotFoundError):
            os.utime(folder / name)  # from now on it waits to be deleted
    for path in folder.glob("*.arrow"):
        if path.name not in used and now - path.stat().st_mtime > _GRACE_S:
            path.unlink(missing_ok=True)
    for path in folder.glob(".*.arrow.*"):
        with contextlib.suppress(FileNotFoundError):
            if now - path.stat().st_mtime > _GRACE_S:
                path.unlink()


def _report(log: JourneyLog, seconds: float, built: bool) -> BuildReport:
    manifest = log.manifest
    return BuildReport(
        events=int(manifest["n_events"]),
        persons=int(manifest["n_persons"]),
        sessions=int(manifest["n_sessions"]),
        journeys=int(manifest["n_journeys"]),
        unidentified=log.unidentified.n_events,
        duplicates=int(manifest["n_duplicates"]),
        seconds=round(seconds, 3),
        built=built,
        newest=datetime.fromtimestamp(log.as_of_us / 1e6, UTC).isoformat(timespec="seconds"),
    )
