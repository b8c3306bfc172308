"""Workspaces whose lake and log stand in an object store: the same answers, the same bytes."""

from __future__ import annotations

import gzip
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from percorso.cli.main import run
from percorso.errors import Busy, Corrupt, StorageFailed
from percorso.services import build as service
from percorso.services import erasure_job
from percorso.services.build import build_log, fresh_log
from percorso.services.erasure import erase_person
from percorso.services.workspace import Workspace, open_workspace
from percorso.store import object_lock
from percorso.store.files import listed
from percorso.store.journey_log import JourneyLog, open_log
from percorso.store.lake import Lake
from percorso.store.lake_erase import LakeEraser
from percorso.store.log_manifest import manifest_version, read_manifest, swap_manifest
from percorso.store.mapped import open_parquet
from percorso.store.objects import ObjectPath
from tests.engines.partitions import RandomPartitions
from tests.journeys.worlds import digests
from tests.lake_builder import event
from tests.storage import server as program
from tests.storage.conftest import Server
from tests.store.leases import Lease
from tests.workspaces import add_events, make_workspace

Remote = Callable[..., Workspace]

WEB = [
    event("2024-03-01T10:00:00", "Page Viewed", type="page", anonymous_id="a", url="https://shop.example/"),
    event("2024-03-01T10:01:00", "Product Viewed", anonymous_id="a"),
    event("2024-03-01T10:02:00", "Order Completed", anonymous_id="a", user_id="anna", order_id="1", value=900),
    event("2024-03-01T11:02:00", "Order Completed", user_id="bruno", order_id="2", value=700),
]
LATER = [event("2024-03-03T10:00:00", "Page Viewed", type="page", user_id="bruno", source="app and till")]
SHOP = "retentioneering_simple_shop"


def _log(workspace: Workspace) -> JourneyLog:
    log = open_log(workspace.log)
    assert log is not None
    return log


def _digests(log: JourneyLog) -> dict[str, str]:
    """Of every table; the manifest says when its lake was written."""
    found = digests(log)
    found["manifest"] = str([log.manifest["data_version"], log.manifest["n_persons"], log.manifest["sources"]])
    return found


def _names(workspace: Workspace) -> set[str]:
    return {one.path.name for one in listed(workspace.log)}


def test_the_whole_way_is_that_of_a_folder(
    remote: Remote, data: Callable[[str], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two imports, builds, questions, an erasure: bytes of the log and answers are those of a local workspace."""
    lines = gzip.decompress(next(data(SHOP).glob("*.csv.gz")).read_bytes()).decode().splitlines(keepends=True)
    for number, part in enumerate((lines[1:20_000], lines[20_000:])):
        (tmp_path / f"events-{number}.csv").write_text("".join([lines[0], *part]))
    local, there = make_workspace(tmp_path / "local"), remote()
    (local.folder / "secret.key").write_bytes(b"k" * 32)
    local = open_workspace(local.folder)
    questions = (
        ["funnel", "--step", "touchpoint:catalog", "--step", "touchpoint:cart", "--json"],
        ["flow", "--json"],
        ["kpis", "--json"],
        ["sql", "SELECT count(*) AS n, count(DISTINCT person) AS persons FROM events", "--json"],
        ["rejected", "--json"],
    )
    for number in range(2):
        found = []
        for workspace in (local, there):
            line = ["-w", str(workspace.folder)]
            assert run([*line, "import", str(tmp_path / f"events-{number}.csv"), "--source", "web shop"]) == 0
            assert run([*line, "build"]) == 0
            capfd.readouterr()
            assert [run([*line, *question]) for question in questions] == [0] * len(questions), capfd.readouterr().err
            found.append((capfd.readouterr().out, _digests(_log(workspace))))
        assert found[0] == found[1]
    assert build_log(there).built is False
    for workspace in (local, there):
        erase_person(workspace, _someone(workspace), author="dpo", reason="asked for")
    assert _digests(_log(local)) == _digests(_log(there))
    assert len(Lake(there.lake).imports()) == 2
    assert not any((there.folder / name).exists() and list((there.folder / name).iterdir()) for name in ("lake", "log"))


def _someone(workspace: Workspace) -> str:
    """An identifier that one person of the shop has."""
    found: set[str] = set()
    for file in Lake(workspace.lake).live_files():
        with open_parquet(file.path) as parquet:
            found.update(parquet.read(columns=["user_id"]).column(0).drop_null().to_pylist())
    return min(found)


def test_an_import_touches_few_files(remote: Remote) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    assert build_log(workspace).events == 4
    before = _names(workspace)
    add_events(workspace, LATER)
    report = build_log(workspace)
    assert (report.events, report.touched) == (5, 2)
    assert len(_names(workspace) - before) < len(before)
    anew = remote("anew")
    add_events(anew, [*WEB, *LATER])
    build_log(anew)
    assert _digests(_log(anew)) == _digests(_log(workspace))


def test_tasks_elsewhere_open_buckets_with_their_own_credentials(remote: Remote) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    build_log(workspace)
    log = _log(workspace)
    engine = RandomPartitions()
    counts = list(engine.run(log.buckets, lambda part: sum(bucket.n_events for bucket in part)))
    assert sum(counts) == 4
    sent = pickle.dumps((log.folder, Lake(workspace.lake).live_files()))
    assert program.SECRET.encode() not in sent
    assert program.KEY.encode() not in sent
    assert len(sent) < 3_000


def test_old_files_wait_for_their_readers_and_go(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    build_log(workspace)
    old = _log(workspace)
    add_events(workspace, LATER)
    build_log(workspace)
    assert sum(len(bucket.events) for bucket in old.buckets) == 4  # a reader of the log before
    left = _names(workspace)
    build_log(workspace, full=True)
    assert _names(workspace) == left
    monkeypatch.setattr(service, "_GRACE_S", -100.0)
    build_log(workspace, full=True)
    manifest = read_manifest(workspace.log)
    assert manifest is not None
    assert _names(workspace) == {*service._files_of(manifest), "manifest.json", "leaving.json", "build.lock"}


def test_an_erasure_leaves_nothing_behind(remote: Remote, server: Server, tmp_path: Path) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    build_log(workspace)
    erase_person(workspace, "anna", author="dpo", reason="asked for")
    objects = [*listed(workspace.lake, deep=True), *listed(workspace.log, deep=True)]
    assert len([one for one in objects if "/events/_delta_log/" in str(one.path)]) == 3
    manifest = read_manifest(workspace.log)
    assert manifest is not None
    named = service._files_of(manifest)
    assert {one.path.name for one in listed(workspace.log) if one.path.name.endswith(".arrow")} == named
    live = {file.path.name for file in Lake(workspace.lake).live_files()}
    copies = {path.name for path in server.cache.glob("*/*") if "part-1-" in path.name or path.suffix == ".arrow"}
    assert copies <= named | live | {one.path.name for one in objects}
    assert Lake(workspace.lake).live_files()[0].rows == 1


def test_a_build_that_dies_while_files_go_up_leaves_the_log_as_it_was(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    build_log(workspace)
    before = _digests(_log(workspace))
    add_events(workspace, LATER)
    upload, left = ObjectPath.upload, [3]

    def breaks_off(path: ObjectPath, file: Path) -> None:
        left[0] -= 1
        if not left[0]:
            raise StorageFailed("The object store cannot be used (no answer).")
        upload(path, file)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectPath, "upload", breaks_off)
        with pytest.raises(StorageFailed, match="no answer"):
            build_log(workspace)
    assert _digests(_log(workspace)) == before
    assert build_log(workspace).events == 5


def test_an_import_that_breaks_off_leaves_nothing(
    remote: Remote, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    before = {one.path for one in listed(workspace.lake, deep=True) if one.path.name.endswith(".parquet")}
    upload, sent = ObjectPath.upload, []

    def breaks_off(path: ObjectPath, file: Path) -> None:
        sent.append(path)
        if path.parent.name == "imports":
            raise StorageFailed("The object store cannot be used (no answer).")
        upload(path, file)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectPath, "upload", breaks_off)
        with pytest.raises(StorageFailed, match="no answer"):
            add_events(workspace, LATER)
    assert len(sent) == 2
    assert {one.path for one in listed(workspace.lake, deep=True) if one.path.name.endswith(".parquet")} == before
    assert list((server.cache / "drafts").iterdir()) == []
    assert build_log(workspace).events == 4


def test_a_commit_whose_answer_is_lost_counts(remote: Remote, server: Server, tmp_path: Path) -> None:
    """The store takes the commit; whoever imports hears of an error, and the file is there."""
    workspace = remote(bucket=server.bucket(program.MUTE))
    file = tmp_path / "events.csv"
    file.write_text(
        "time,event,user_id\n2024-03-01T10:00:00Z,Page Viewed,anna\n2024-03-01T10:01:00Z,Product Viewed,bruno\n"
    )
    line = ["-w", str(workspace.folder), "import", str(file), "--source", "web"]
    assert run(line) == 1
    assert len(Lake(workspace.lake).imports()) == 1
    assert build_log(workspace).events == 2
    assert run(line) == 0  # was imported before
    assert len(Lake(workspace.lake).imports()) == 1
    assert build_log(workspace).built is False


def test_an_erasure_that_is_held_up_leaves_the_next_writer_alone(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    build_log(workspace)
    assert isinstance(workspace.lake, ObjectPath)
    lock, theirs = workspace.lake / "write.lock", workspace.lake / "events" / "source=web" / "part-9-new.parquet"
    monkeypatch.setattr(object_lock, "LEASE_S", 2.0)
    clean = LakeEraser._clean_files

    def held_up(eraser: LakeEraser, table: Any) -> None:
        if theirs not in [one.path for one in listed(theirs.parent)]:
            lock.write_bytes(b'{"what": "import", "pid": 7, "host": "h", "since": "s"}')  # as one who found it over
            theirs.write_bytes(b"not committed yet")
            time.sleep(1.0)
        clean(eraser, table)

    with monkeypatch.context() as patch:
        patch.setattr(LakeEraser, "_clean_files", held_up)
        with pytest.raises(Busy, match="another process"):
            erase_person(workspace, "anna", author="dpo", reason="asked for")
    assert theirs.read_bytes() == b"not committed yet"
    lock.write_bytes(b"{}")
    assert build_log(workspace).events == 1  # what was begun is finished
    assert not list(workspace.erasures.glob("*.job"))
    assert theirs not in [one.path for one in listed(theirs.parent)]


@pytest.mark.parametrize("lost_while", ["erase", "clean"])
def test_an_erasure_that_has_lost_the_log_leaves_the_next_build_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost_while: str
) -> None:
    workspace = make_workspace(tmp_path / "local", WEB)
    build_log(workspace)
    before, lock = {one.path for one in listed(workspace.lake / "events" / "source=web")}, Lease()
    workspace.tmp.mkdir(exist_ok=True)
    (workspace.tmp / "build").write_bytes(b"of the next build")
    own = getattr(LakeEraser, lost_while)

    def held_up(eraser: LakeEraser, *told: Any, **options: Any) -> None:
        own(eraser, *told, **options)
        lock.is_held = False

    with monkeypatch.context() as patch:
        patch.setattr(erasure_job, "exclusive_lock", lock)
        patch.setattr(LakeEraser, lost_while, held_up)
        with pytest.raises(Busy, match="another process"):
            erase_person(workspace, "anna", author="dpo", reason="asked for")
    assert (workspace.tmp / "build").exists()
    assert (before <= {one.path for one in listed(workspace.lake / "events" / "source=web")}) == (lost_while == "erase")
    assert build_log(workspace).events == 1
    assert not list(workspace.erasures.glob("*.job"))


def test_an_erasure_takes_nothing_of_a_lock_that_others_wait_for(remote: Remote) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    build_log(workspace)
    assert isinstance(workspace.log, ObjectPath)
    of_others = {"build.lock.now", "probe-0815"}
    for name in (*of_others, "else"):
        (workspace.log / name).write_bytes(b"1")
    erase_person(workspace, "anna", author="dpo", reason="asked for")
    assert {name for name in _names(workspace) if not name.endswith(".arrow")} == {
        *of_others,
        "build.lock",
        "manifest.json",
    }


def test_a_manifest_that_changed_meanwhile_is_not_overwritten(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    build_log(workspace)
    add_events(workspace, LATER)
    other = {**_log(workspace).manifest, "built_at": "by another one"}

    def overtaken(folder: Any, manifest: Any, over: str) -> None:
        assert over == manifest_version(folder)
        swap_manifest(folder, other)
        swap_manifest(folder, manifest, over)

    with monkeypatch.context() as patch:
        patch.setattr(service, "swap_manifest", overtaken)
        with pytest.raises(Busy, match="Another build has replaced"):
            build_log(workspace)
    assert _log(workspace).manifest == other
    assert build_log(workspace).events == 5


def test_the_same_holds_in_a_folder(tmp_path: Path) -> None:
    swap_manifest(tmp_path, {"format": 0}, "")
    version = manifest_version(tmp_path)
    swap_manifest(tmp_path, {"format": 1}, version)
    with pytest.raises(Busy):
        swap_manifest(tmp_path, {"format": 2}, version)
    assert (tmp_path / "manifest.json").read_text() == '{\n "format": 1\n}'


def test_of_two_builders_one_waits_or_is_told(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    inside, goes_on = threading.Event(), threading.Event()

    def slow(folder: Any, manifest: Any, over: str) -> None:
        inside.set()
        assert goes_on.wait(30)
        swap_manifest(folder, manifest, over)

    monkeypatch.setattr(service, "swap_manifest", slow)
    first = threading.Thread(target=build_log, args=(workspace,))
    first.start()
    assert inside.wait(30)
    with pytest.raises(Busy, match="build by process"):
        build_log(workspace, wait_s=0.0)
    goes_on.set()
    first.join()
    assert build_log(workspace).built is False


def test_builders_in_processes_of_their_own_make_one_log(remote: Remote) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    command = "import sys; from percorso.cli.main import run; sys.exit(run(sys.argv[1:]))"
    line = [sys.executable, "-c", command, "-w", str(workspace.folder), "build"]
    running = [subprocess.Popen(line, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert sum(len(bucket.events) for bucket in _log(workspace).buckets) == 4
    assert build_log(workspace).built is False


def test_a_store_that_ignores_conditions_gets_nothing(remote: Remote, server: Server) -> None:
    workspace = remote(bucket=server.bucket("careless"))
    with pytest.raises(StorageFailed, match="overwrites"):
        add_events(workspace, WEB)
    with pytest.raises(StorageFailed, match="overwrites"):
        build_log(workspace)
    assert isinstance(workspace.lake, ObjectPath)
    assert list(workspace.lake.parent.listed()) == []


def test_only_the_log_may_stand_there(remote: Remote, server: Server) -> None:
    workspace = remote(lake='""')
    add_events(workspace, WEB)
    build_log(workspace)
    assert (workspace.folder / "lake" / "events").is_dir()
    assert sum(len(bucket.events) for bucket in fresh_log(workspace).buckets) == 4


def test_a_damaged_object_is_told_and_a_full_build_mends_it(remote: Remote, server: Server) -> None:
    workspace = remote()
    add_events(workspace, WEB)
    build_log(workspace)
    name = str(_log(workspace).buckets[0].meta["files"]["events"])
    (workspace.log / name).write_bytes(b"damaged")
    for path in server.cache.glob("*/*.arrow"):
        path.unlink()
    with pytest.raises(Corrupt, match="cannot be read") as caught:
        _log(workspace).buckets[0].table("events")
    assert "--full" in caught.value.hint
    build_log(workspace, full=True)
    assert sum(len(bucket.events) for bucket in _log(workspace).buckets) == 4


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_credentials_stand_nowhere(
    remote: Remote,
    server: Server,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    workspace = remote()
    add_events(workspace, WEB)
    assert run(["-w", str(workspace.folder), "build"]) == 0
    assert run(["-w", str(workspace.folder), "kpis", "--json"]) == 0
    monkeypatch.setenv("PERCORSO_DEBUG", "1")
    before = os.environ[name]
    monkeypatch.setenv(name, "WRONG-CREDENTIAL")
    assert run(["-w", str(workspace.folder), "build"]) == 1
    told = capfd.readouterr()
    assert "AWS_ACCESS_KEY_ID" in told.err
    monkeypatch.setenv(name, before)
    shown = told.out + told.err + caplog.text + repr(workspace) + repr(_log(workspace))
    stored = [one.path.read_bytes() for place in (workspace.lake, workspace.log) for one in listed(place, deep=True)]
    kept = [path.read_bytes() for path in workspace.folder.rglob("*") if path.is_file()]
    copies = [path.read_bytes() for path in server.cache.rglob("*") if path.is_file()]
    for secret in (program.KEY, program.SECRET, "WRONG-CREDENTIAL"):
        assert secret not in shown
        assert not any(secret.encode() in content for content in (*stored, *kept, *copies))


def test_other_places_of_files_need_no_full_build(remote: Remote, tmp_path: Path) -> None:
    """How files are reached is no rule: another cache or endpoint leaves the log as it is."""
    workspace = remote()
    add_events(workspace, WEB)
    build_log(workspace)
    settings = replace(workspace.settings, storage=replace(workspace.settings.storage, cache=str(tmp_path / "other")))
    assert build_log(replace(workspace, settings=settings)).built is False
