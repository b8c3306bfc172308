"""Keep the journey log up to date: build it where it is missing or stale, one build at a time.

What reads events and logs is loaded when there is something to build or to ask: whether there is stands in a few small
files, and Arrow and the compiled loops take longer to load than these.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import importlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

import percorso
from percorso.errors import Busy, Corrupt, FormatTooNew, NothingImported
from percorso.identity.decisions import Folded
from percorso.journeys.progress import Progress
from percorso.language.said import said
from percorso.services.decisions import folded_decisions
from percorso.services.engine import asked_by, spark_engine, with_engine
from percorso.services.workspace import Workspace
from percorso.settings import Settings
from percorso.store.files import AnyPath, let_go, listed, make_folder, purge, remove
from percorso.store.lake_mark import lake_mark
from percorso.store.lock import exclusive_lock
from percorso.store.log_manifest import manifest_version, read_manifest, swap_manifest
from percorso.store.object_lock import PROBE

if TYPE_CHECKING:
    from percorso.journeys.build import Built
    from percorso.store.journey_log import JourneyLog
    from percorso.store.lake import LakeFile

__all__ = [
    "BuildReport",
    "build_log",
    "fresh_log",
    "is_stale",
    "purge_log",
    "rules_fingerprint",
    "settle_erasures",
]

#: Files of an earlier log are kept this long after a build, for readers that still hold its manifest.
_GRACE_S = 3600.0

#: How long a build waits for another one, which then has done its work.
_WAIT_S = 6 * 3600.0

#: What a log is made of and, when it changes, can change every event.
_EVERYTHING = ("rules", "key", "version")


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
    touched : int
        Events of persons that were built anew; all of them in a full build.
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
    touched: int
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
    erased = _erase_stored(workspace)
    with exclusive_lock(workspace.log / "build.lock", what="build", timeout_s=wait_s) as is_held:
        manifest = None if full else read_manifest(workspace.log)
        built, touched = manifest is None or _is_stale(workspace, manifest), 0
        try:
            if built:
                touched = _build(workspace, progress, is_held, full=full)
                manifest = read_manifest(workspace.log)
        except NothingImported:
            _forget_erased(workspace, {}, erased, is_held)
            raise
        assert manifest is not None
        _forget_erased(workspace, manifest, erased, is_held)
    return _report(manifest, time.monotonic() - started, built, touched)


def settle_erasures(workspace: Workspace) -> None:
    """Finish erasures that were begun: what comes next must not meet what they take away."""
    if any(workspace.erasures.glob("*.job")):
        with contextlib.suppress(NothingImported):
            build_log(workspace)


def _erase_stored(workspace: Workspace) -> tuple[Any, ...]:
    """Take away from lake and database what erasures under way ask for; returns them, for the log is still to come."""
    if not any(workspace.erasures.glob("*.job")):
        return ()
    # Loaded when there is something to erase: no question should pay for it.
    found: tuple[Any, ...] = importlib.import_module("percorso.services.erasure_job").erase_stored(workspace)
    return found


def _forget_erased(
    workspace: Workspace, manifest: Mapping[str, Any], jobs: tuple[Any, ...], is_held: Callable[[], bool]
) -> None:
    """End erasures once the log is another one: its old files go at once, readers or not."""
    if jobs:
        _check_held(is_held)
        purge_log(workspace.log, manifest)
        if not _has_its_state(workspace, manifest):  # nobody has overwritten what an earlier build knew
            shutil.rmtree(workspace.state, ignore_errors=True)
        importlib.import_module("percorso.services.erasure_job").close_jobs(workspace, jobs)


def _has_its_state(workspace: Workspace, manifest: Mapping[str, Any]) -> bool:
    """Does the identity state belong to the log? Not where a build died between the two, or nothing is left."""
    try:
        current = msgspec.json.decode((workspace.state / "current.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        return False
    return bool(manifest) and current.get("log") == manifest.get("state")


def purge_log(folder: AnyPath, manifest: Mapping[str, Any]) -> None:
    """Delete every file of the log that its manifest does not name, without grace; all of them where it names none.

    What the lock works with stays: others ask for it at the same time.
    """
    kept = {*(["manifest.json"] if manifest else []), *_texts_of(manifest)}
    purge(folder, kept, beginnings=("build.lock", PROBE))


def _texts_of(body: Any) -> set[str]:
    """All texts in a manifest, at any depth."""
    if isinstance(body, Mapping):
        return {text for value in body.values() for text in _texts_of(value)}
    if isinstance(body, list | tuple):
        return {text for value in body for text in _texts_of(value)}
    return {body} if isinstance(body, str) else set()


def fresh_log(
    workspace: Workspace,
    *,
    progress: Progress = lambda phase, done, total: None,
    when_busy: Callable[[JourneyLog], None] = lambda log: None,
) -> JourneyLog:
    """The journey log with the workspace's engine, built first where it is missing or stale.

    While another process builds, the last log answers, and `when_busy` is told so; where there is none yet,
    the question waits for it.
    """
    log = _opened(workspace)
    if log is not None and not is_stale(workspace, log) and not any(workspace.erasures.glob("*.job")):
        return with_engine(workspace, log)
    try:
        build_log(workspace, progress=progress, wait_s=_WAIT_S if log is None else 0.0)
    except Busy:
        if log is None:
            raise
        when_busy(log)
        return with_engine(workspace, log)
    log = _opened(workspace)
    assert log is not None
    return with_engine(workspace, log)


def _opened(workspace: Workspace) -> JourneyLog | None:
    log: JourneyLog | None = importlib.import_module("percorso.store.journey_log").open_log(workspace.log)
    return log


def is_stale(workspace: Workspace, log: JourneyLog) -> bool:
    """Was the log made of other events, by other rules, with another key or another Percorso?"""
    return _is_stale(workspace, log.manifest)


#: Sections of the settings that say how questions are asked and answers shown.
_OF_ASKING = ("rates", "map", "targets", "service", "engine", "storage")


def _is_stale(workspace: Workspace, manifest: Mapping[str, Any]) -> bool:
    return any(manifest.get(name) != value for name, value in _origin(workspace, folded_decisions(workspace)).items())


def _origin(workspace: Workspace, decisions: Folded) -> dict[str, object]:
    """What a log made now would be made of, as its manifest says it."""
    return {
        "lake": lake_mark(workspace.lake),
        "rules": rules_fingerprint(workspace.settings),
        # With another key the same persons have other ids: a restored secret.key makes the log stale.
        "key": hmac.digest(workspace.secret, b"journey log", "sha256").hex()[:16],
        "version": percorso.__version__,
        "decisions": decisions.fingerprint(),
    }


def rules_fingerprint(settings: Settings) -> str:
    """Hash of the settings that a log depends on: not those of asking and showing, nor the memory limit."""
    relevant = msgspec.to_builtins(settings)
    for section in _OF_ASKING:
        relevant.pop(section, None)
    for key in ("language", "name", "tax"):
        relevant["workspace"].pop(key, None)
    relevant["build"].pop("memory_limit_bytes", None)
    return hashlib.sha256(msgspec.json.encode(relevant, order="deterministic")).hexdigest()[:32]


def _check_held(is_held: Callable[[], bool]) -> None:
    """Before files are deleted: with a lock that has run out, they may be those of the next builder.

    Raises
    ------
    Busy
        It has run out. The next build deletes what this one leaves.
    """
    if not is_held():
        raise Busy(said("errors.build_lock_lost"), hint=said("errors.build_lock_lost_hint"))


def _build(workspace: Workspace, progress: Progress, is_held: Callable[[], bool], *, full: bool) -> int:
    """Build, and return the number of events of persons that were built anew."""
    decisions = folded_decisions(workspace)
    # Before the files are listed: what arrives in between is built next time.
    origin = _origin(workspace, decisions)
    files = importlib.import_module("percorso.store.lake").Lake(workspace.lake).live_files()
    if not files:
        raise NothingImported(said("errors.no_events"), hint=said("errors.import_first"))
    upon = manifest_version(workspace.log)
    old: JourneyLog | None = None
    with contextlib.suppress(Corrupt, FormatTooNew):
        old = _opened(workspace)
    before = None if full or old is None or not _same_rules(old, origin) else old
    built = _written(workspace, files, decisions, before, progress)
    manifest = built.manifest | origin | {"built_at": datetime.now(UTC).isoformat(timespec="seconds")}
    if old is not None and "traces" in old.manifest and _is_of_the_same(old.manifest, manifest):
        manifest.setdefault("traces", old.manifest["traces"])
    swap_manifest(workspace.log, manifest, upon)
    built.keep_state()
    _check_held(is_held)
    _remove_old(workspace.log, _files_of(old.manifest) if old else set(), _files_of(manifest))
    return int(built.events_built)


def _written(
    workspace: Workspace, files: Sequence[LakeFile], decisions: Folded, before: JourneyLog | None, progress: Progress
) -> Built:
    """The tables of a log, written by the workspace's engine."""
    scratch = workspace.tmp / "build"
    shutil.rmtree(scratch, ignore_errors=True)
    # Loaded when there is something to build: every question would pay a third of a second for its kernels.
    work = importlib.import_module("percorso.journeys.work").BuildInput(
        files=files,
        settings=workspace.settings,
        decisions=decisions,
        secret=workspace.secret,
        log=workspace.log,
        state=workspace.state,
        scratch=scratch,
        memory_bytes=workspace.memory_bytes,
        before=before,
    )
    if asked_by(workspace).name == "spark":
        progress("reading", 0, sum(file.rows for file in files))  # Spark takes a while to start
    spark = spark_engine(workspace)
    built: Built
    try:
        if spark is None:
            built = importlib.import_module("percorso.journeys.build").build_tables(work, progress)
        else:
            make_folder(workspace.log)
            cluster = importlib.import_module("percorso.journeys.spread.build")
            exchange = importlib.import_module("percorso.engines.spark_exchange").SparkExchange(
                spark.session, cluster.parts_for(sum(file.rows for file in files), spark.tasks)
            )
            with importlib.import_module("percorso.engines.faults").told_by(spark.session):
                built = cluster.build_on_cluster(work, exchange, progress)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return built


def _is_of_the_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Are two logs made of the same: were they built by different engines, or again?"""
    return all(before.get(name) == now[name] for name in ("lake", "decisions", "data_version", *_EVERYTHING))


def _same_rules(log: JourneyLog, origin: Mapping[str, object]) -> bool:
    """May a build stand upon this log? Other events and decisions touch what they can reach, other rules everything."""
    return all(log.manifest.get(name) == origin[name] for name in _EVERYTHING)


def _files_of(manifest: Mapping[str, Any]) -> set[str]:
    return {text for text in _texts_of(manifest) if text.endswith(".arrow")}


def _remove_old(folder: AnyPath, before: set[str], used: set[str]) -> None:
    """Delete bucket files that no manifest names, an hour after the last one did.

    A reader that maps a file keeps it even when its name is gone; the grace is for readers that have read
    the manifest and not yet opened every file.
    """
    now = time.time()
    there, old = listed(folder), []
    waiting = let_go(folder, before - used, {one.path.name for one in there} - used)
    for one in there:
        name = one.path.name
        since = waiting.get(name, one.changed_ns / 1e9)
        is_draft = name.startswith(".") and ".arrow." in name
        if (is_draft or name.endswith(".arrow")) and name not in used and now - since > _GRACE_S:
            old.append(one.path)
    remove(old)


def _report(manifest: Mapping[str, Any], seconds: float, built: bool, touched: int) -> BuildReport:
    return BuildReport(
        events=int(manifest["n_events"]),
        persons=int(manifest["n_persons"]),
        sessions=int(manifest["n_sessions"]),
        journeys=int(manifest["n_journeys"]),
        unidentified=int(manifest["unidentified"]["n_events"]),
        duplicates=int(manifest["n_duplicates"]),
        seconds=round(seconds, 3),
        built=built,
        touched=touched,
        newest=datetime.fromtimestamp(int(manifest["as_of_us"]) / 1e6, UTC).isoformat(timespec="seconds"),
    )
