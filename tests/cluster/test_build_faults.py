"""What goes wrong while a cluster builds: the right log all the same, or one clear error and the log before."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from percorso.engines.session import stop_spark
from percorso.engines.spark import SparkEngine
from percorso.engines.stalled import WAIT_KEY
from percorso.errors import Corrupt, EngineError, PercorsoError
from percorso.services import build as service
from percorso.services.build import build_log
from percorso.services.workspace import Workspace
from percorso.settings import EngineSettings
from percorso.store.log_manifest import read_manifest
from tests.cluster.conftest import WORKERS
from tests.cluster.faults import beside, executor_in, kill, kill_worker, worker_of
from tests.cluster.processes import descendants, end, is_alive, start, wait_for
from tests.cluster.questions import QUESTIONS
from tests.cluster.standalone import Standalone
from tests.cluster.watched import RESOLVE, SCAN, WRITE, Watch
from tests.cluster.workspaces import copy_of, differences, event_of_the_heavy, later_events, log_folder, log_of
from tests.storage import server as objects
from tests.workspaces import add_events

#: Of one build, whatever happens to it; the machine may be busy with other tests.
WITHIN_S = 240

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def due(engine: EngineSettings, spark: SparkEngine, built: Workspace, room: Path) -> Workspace:
    """A workspace with a log that a cluster built, and events that came since."""
    workspace = copy_of(built, room / "shop", engine)
    add_events(workspace, later_events(5))
    return workspace


@pytest.fixture
def anew(engine: EngineSettings, spark: SparkEngine, made: Workspace, room: Path) -> Workspace:
    """A workspace without a log."""
    return copy_of(made, room / "shop", engine)


def check_old_log(workspace: Workspace, before: dict[str, object]) -> None:
    """The manifest is the one before, nothing it names has changed, and the log answers."""
    assert read_manifest(workspace.log) == before
    assert QUESTIONS["funnel"](log_of(workspace)).table.num_rows


def check_error(error: PercorsoError) -> None:
    """One sentence and a hint, for people: no Java, and nothing out of the events."""
    text = f"{error} {error.hint}"
    assert error.hint
    hidden = ("java.", "traceback", "at org.", "error:", "u1", "a@x.it", "busy")
    assert not [word for word in hidden if word in text.lower()], text


@pytest.mark.parametrize(("step", "is_late"), [(SCAN, False), (WRITE, True)])
def test_an_executor_dies(anew: Workspace, cluster: Standalone, watch: Watch, step: str, is_late: bool) -> None:
    """While it reads the lake; and with a bucket's file half written, which stays behind as a draft."""
    watch.hold(step, is_late=is_late)
    report = beside(lambda: build_log(anew))
    kill(executor_in(cluster, watch.begun()[0]))
    drafts = [path.name for path in log_folder(anew).iterdir() if path.name.endswith(".partial")]
    watch.release()
    assert report.result(WITHIN_S).built
    assert differences(anew) == []
    assert bool(drafts) == is_late
    assert not set(drafts) & set(service._texts_of(log_of(anew).manifest))


def test_a_worker_dies_and_what_it_kept_with_it(due: Workspace, cluster: Standalone, watch: Watch) -> None:
    """What it had worked out is lost: the build begins anew with what is left of the cluster."""
    watch.hold(RESOLVE)
    report = beside(lambda: build_log(due))
    kill_worker(cluster, worker_of(cluster, watch.begun()[0]))
    watch.release()
    assert report.result(WITHIN_S).touched < report.result().events
    assert differences(due) == []
    assert sum(watch.tasks(SCAN).values()) > 1
    assert cluster.alive() == 1


def test_what_is_kept_on_shared_storage_outlives_its_worker(
    due: Workspace, cluster: Standalone, watch: Watch, room: Path
) -> None:
    """The files are right, and nothing that names a person stays behind."""
    kept = room / "kept"
    kept.mkdir()
    assert due.engine is not None
    told = {**due.engine.spark, "spark.checkpoint.dir": str(kept)}
    safe = replace(due, engine=replace(due.engine, spark=told))
    watch.hold(RESOLVE)
    report = beside(lambda: build_log(safe))
    kill_worker(cluster, worker_of(cluster, watch.begun()[0]))
    assert [path for path in kept.rglob("*") if path.is_file()]
    watch.release()
    assert report.result(WITHIN_S).touched < report.result().events
    assert differences(due) == []
    stop_spark()
    assert not [path for path in kept.rglob("*") if path.is_file()]


def test_no_worker_is_left(due: Workspace, spark: SparkEngine, cluster: Standalone, watch: Watch) -> None:
    """One error in bounded time; the log before answers, and with workers again the build is right."""
    before = read_manifest(due.log)
    assert before is not None
    watch.hold(WRITE)
    report = beside(lambda: build_log(due))
    watch.begun()
    spark.session.conf.set(WAIT_KEY, "3000000")
    for worker in WORKERS:
        kill_worker(cluster, worker)
    watch.release()
    with pytest.raises(EngineError) as caught:
        report.result(WITHIN_S)
    check_error(caught.value)
    check_old_log(due, before)
    stop_spark()  # its session has been told not to wait
    for worker in WORKERS:
        cluster.start_worker(worker)
    cluster.wait_for_workers(len(WORKERS))
    assert build_log(due).built
    assert differences(due) == []


@pytest.mark.parametrize("is_cut", [True, False])
def test_an_unreadable_file_of_the_lake(due: Workspace, is_cut: bool) -> None:
    """One without its end, which the driver reads, and one whose rows are none, which a task reads."""
    before = read_manifest(due.log)
    assert before is not None
    file = max((due.folder / "lake").rglob("*.parquet"), key=lambda path: path.stat().st_size)
    content = file.read_bytes()
    end_bytes = int.from_bytes(content[-8:-4], "little") + 8
    rows = content[:-end_bytes]
    file.write_bytes(rows if is_cut else content[:4] + b"\xff" * (len(rows) - 4) + content[-end_bytes:])
    with pytest.raises(Corrupt) as caught:
        build_log(due)
    check_error(caught.value)
    assert file.name in str(caught.value)
    check_old_log(due, before)


@pytest.mark.parametrize("what", ["trace", "bucket"])
def test_an_unreadable_file_of_the_log_before(due: Workspace, what: str) -> None:
    """A build upon it says so; one that begins anew mends it."""
    log = log_of(due)
    largest = max(log.buckets, key=lambda bucket: bucket.n_events)
    names = [largest.meta["files"]["events"]] if what == "bucket" else list(log.manifest["traces"].values())
    add_events(due, [event_of_the_heavy()])  # whose bucket is the largest
    for name in names:
        os.truncate(log_folder(due) / name, (log_folder(due) / name).stat().st_size // 2)
    with pytest.raises(Corrupt) as caught:
        build_log(due)
    check_error(caught.value)
    assert any(name in str(caught.value) for name in names)
    assert "percorso build --full" in caught.value.hint
    assert build_log(due, full=True).built
    assert differences(due) == []


def test_a_full_disk(due: Workspace, watch: Watch, request: pytest.FixtureRequest) -> None:
    """The log's: it has room for the log that is there, and not for the next one."""
    before = read_manifest(due.log)
    assert before is not None
    log, kept = log_folder(due), due.folder / "kept"
    log.rename(kept)
    log.mkdir()
    mount_small(log, sum(-(-path.stat().st_size // 4096) * 4096 for path in kept.iterdir()) + 16 * 4096, request)
    shutil.copytree(kept, log, dirs_exist_ok=True)
    with pytest.raises(EngineError) as caught:
        build_log(due, full=True)
    check_error(caught.value)
    assert "disk" in str(caught.value).lower()
    check_old_log(due, before)


def mount_small(folder: Path, size: int, request: pytest.FixtureRequest) -> None:
    """A file system of so many bytes, until the test is over."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only who may mount file systems has a small one to fill")
    request.addfinalizer(lambda: subprocess.run(["umount", "-l", str(folder)], check=True))


@pytest.fixture
def others(cluster: Standalone, room: Path) -> Iterator[Callable[[dict[str, str]], None]]:
    """Puts workers with other surroundings in the place of the two, for the test."""

    def put(environment: dict[str, str]) -> None:
        stop_spark()
        for worker in WORKERS:
            cluster.forget(worker)
        cluster.wait_for_workers(0)
        for worker in WORKERS if environment else ():
            cluster.start_worker(worker, environment)
        cluster.wait_for_workers(len(WORKERS) if environment else 0)

    yield put
    put({})  # the next test starts its own


def test_the_disk_of_workers_is_full(
    due: Workspace, others: Callable[[dict[str, str]], None], room: Path, request: pytest.FixtureRequest
) -> None:
    """What is on its way between tasks finds no room."""
    before = read_manifest(due.log)
    assert before is not None
    small = room / "small"
    small.mkdir()
    mount_small(small, 16 * 4096, request)
    others({"SPARK_LOCAL_DIRS": str(small)})
    with pytest.raises(EngineError) as caught:
        build_log(due)
    check_error(caught.value)
    assert "disk" in str(caught.value).lower()
    check_old_log(due, before)


def test_workers_that_may_not_read_the_store(
    engine: EngineSettings,
    made: Workspace,
    others: Callable[[dict[str, str]], None],
    remote: Callable[..., Workspace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The driver may, and its keys do not travel: one error, which says nothing of them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", objects.KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", objects.SECRET)
    there = replace(remote("there"), engine=engine)
    add_events(there, later_events(7))
    others({"AWS_SECRET_ACCESS_KEY": "another secret"})
    with pytest.raises(PercorsoError) as caught:
        build_log(there)
    check_error(caught.value)
    assert "secret" not in f"{caught.value} {caught.value.hint}"
    assert objects.SECRET not in f"{caught.value} {caught.value.hint}"
    assert read_manifest(there.log) is None


def test_workers_with_another_percorso(due: Workspace, other_environment: Path) -> None:
    """They are refused before the first task of the build."""
    before = read_manifest(due.log)
    assert before is not None
    package = other_environment / "lib" / "percorso"
    own = package.resolve()
    package.unlink()
    shutil.copytree(own, package)
    (package / "time.py").write_text("# other code\n", encoding="utf-8")
    assert due.engine is not None
    told = {**due.engine.spark, "spark.pyspark.python": str(other_environment / "bin" / "python")}
    with pytest.raises(EngineError) as caught:
        build_log(replace(due, engine=replace(due.engine, spark=told)))
    check_error(caught.value)
    assert "percorso spark pack" in caught.value.hint
    check_old_log(due, before)


_DRIVER = """
import sys
from pathlib import Path
from percorso.cli.main import run
from percorso.engines import spark_exchange
from tests.cluster.watched import Watch, WatchedExchange
own, watch = spark_exchange.SparkExchange, Watch(Path(sys.argv[1]))
watch.hold(sys.argv[2], is_late=True)
spark_exchange.SparkExchange = lambda *told: WatchedExchange(own(*told), watch)
sys.exit(run(["-w", sys.argv[3], "build"]))
"""


@pytest.fixture
def driver(due: Workspace, watch: Watch, room: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``percorso build`` in a process of its own, which stops where it has half of a bucket written."""
    stop_spark()  # the cluster has one core a worker, and this process would keep them
    assert due.engine is not None
    file = due.folder / "percorso.toml"
    text = file.read_text(encoding="utf-8").replace('name = "local"', 'name = "spark"')
    text = text.replace('master = "local[*]"', f'master = "{due.engine.master}"')
    own = "".join(f'"{key}" = "{value}"\n' for key, value in due.engine.spark.items())
    file.write_text(text.replace("[engine.spark]\n", f"[engine.spark]\n{own}"), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT / "src"), str(_ROOT)])}
    command = [sys.executable, "-W", "ignore", "-c", _DRIVER, str(watch.folder), WRITE, str(due.folder)]
    process = start(command, environment, room, room / "driver.log")
    yield process
    end([process.pid, *descendants(process.pid)])
    process.wait(10)


def test_the_driver_dies_and_is_started_again(
    due: Workspace, driver: subprocess.Popen[bytes], watch: Watch, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log before is in use until the next build is done; what was left behind goes when its time is over."""
    before = read_manifest(due.log)
    assert before is not None
    known = {path.name for path in Path(str(due.log)).iterdir()}
    watch.begun()
    others = descendants(driver.pid)
    os.kill(driver.pid, signal.SIGKILL)
    wait_for("its Java to follow", lambda: not [pid for pid in others if is_alive(pid)])
    watch.release()
    check_old_log(due, before)
    left = {path.name for path in Path(str(due.log)).iterdir()} - known
    assert any(name.endswith(".partial") for name in left), left
    monkeypatch.setattr(service, "_GRACE_S", -100.0)
    assert build_log(due).touched < log_of(due).manifest["n_events"]
    assert differences(due) == []
    used = service._files_of(log_of(due).manifest)
    assert {path.name for path in Path(str(due.log)).iterdir()} - used == {"build.lock", "manifest.json"}
