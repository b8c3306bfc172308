"""Keep the journey log up to date: build it where it is missing or stale, one build at a time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

import percorso
from percorso.errors import UserError
from percorso.journeys.build import BuildInput, Progress, build_tables
from percorso.services.workspace import Workspace
from percorso.settings import Settings
from percorso.store.journey_log import JourneyLog, open_log, swap_manifest
from percorso.store.lake import Lake
from percorso.store.lock import exclusive_lock

__all__ = ["BuildReport", "NothingImported", "build_log", "fresh_log"]

#: Files of an earlier log are kept this long after a build, for readers that still hold its manifest.
_GRACE_S = 3600.0


class NothingImported(UserError):
    """There are no events to build from."""

    code = "nothing_imported"


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build made; `built` is False where the log was up to date."""

    events: int
    persons: int
    sessions: int
    journeys: int
    duplicates: int
    seconds: float
    built: bool

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def build_log(
    workspace: Workspace, *, full: bool = False, progress: Progress = lambda phase, done, total: None
) -> BuildReport:
    """Bring the journey log up to date with lake and settings.

    Parameters
    ----------
    workspace : Workspace
    full : bool
        Build even if nothing has changed.
    progress : callable, optional
        Told phase, rows done and rows in all.

    Raises
    ------
    NothingImported
        The lake is empty.
    Busy
        Another process has been building for long.
    """
    started = time.monotonic()
    with exclusive_lock(workspace.log / "build.lock", what="build", timeout_s=6 * 3600.0):
        log = open_log(workspace.log)
        if log is None or full or _is_stale(workspace, log):
            _build(workspace, progress)
            built = True
        else:
            built = False
        log = open_log(workspace.log)
        assert log is not None
    return _report(log, time.monotonic() - started, built)


def fresh_log(workspace: Workspace, *, progress: Progress = lambda phase, done, total: None) -> JourneyLog:
    """The journey log, built first where it is missing or stale."""
    log = open_log(workspace.log)
    if log is None or _is_stale(workspace, log):
        build_log(workspace, progress=progress)
        log = open_log(workspace.log)
        assert log is not None
    return log


def _is_stale(workspace: Workspace, log: JourneyLog) -> bool:
    return (
        log.manifest.get("lake_version") != Lake(workspace.lake).version()
        or log.manifest.get("rules") != rules_fingerprint(workspace.settings)
        or log.manifest.get("version") != percorso.__version__
    )


def rules_fingerprint(settings: Settings) -> str:
    """Hash of the settings that a log depends on: all but rates, language and memory limit."""
    relevant = msgspec.to_builtins(settings)
    relevant.pop("rates", None)
    relevant["workspace"].pop("language", None)
    relevant["build"].pop("memory_limit_bytes", None)
    return hashlib.sha256(msgspec.json.encode(relevant, order="deterministic")).hexdigest()[:32]


def _build(workspace: Workspace, progress: Progress) -> None:
    lake = Lake(workspace.lake)
    version, files = lake.version(), lake.live_files()
    if not files:
        raise NothingImported(
            "There are no events yet.",
            hint="Import a file first: `percorso import FILE`.",
        )
    scratch = workspace.tmp / "build"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        manifest = build_tables(
            BuildInput(
                files=files,
                settings=workspace.settings,
                secret=workspace.secret,
                log=workspace.log,
                scratch=scratch,
            ),
            progress,
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    manifest |= {
        "lake_version": version,
        "rules": rules_fingerprint(workspace.settings),
        "version": percorso.__version__,
        "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    old = open_log(workspace.log)
    swap_manifest(workspace.log, manifest)
    _remove_old(workspace.log, _files_of(old.manifest) if old else set(), _files_of(manifest))


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
        duplicates=int(manifest["n_duplicates"]),
        seconds=round(seconds, 3),
        built=built,
    )
