"""Sessions of Spark: what keeps one from starting, other versions on workers, and a real one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from percorso.engines import faults
from percorso.engines import session as sessions
from percorso.engines.faults import collected, telling
from percorso.engines.java import check_java
from percorso.engines.session import spark_of, spark_package, stop_spark
from percorso.engines.spark import SparkEngine
from percorso.engines.spark_choice import (
    SparkChoice,
    check_archive,
    check_reachable,
    classic_settings,
    connect_settings,
)
from percorso.engines.spark_versions import differences, own_versions
from percorso.engines.workers import check_workers
from percorso.errors import Corrupt, EngineError, WorkLost
from percorso.services.build import build_log
from tests.analyses.contact_logs import build_shop, random_rows
from tests.services.shop_workspace import VIEW, make_shop

# Its gateway is closed when the process ends, and it looks for an older pandas.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def refusal(of: Callable[[], object]) -> EngineError:
    with pytest.raises(EngineError) as refused:
        of()
    return refused.value


# What is missing


def test_no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refusal(check_java)
    assert error.message == "Spark needs Java, and there is none."
    assert "openjdk-17-jre-headless" in error.hint
    assert "JAVA_HOME" in error.hint
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert str(tmp_path) in refusal(check_java).message


@pytest.mark.parametrize(
    ("said", "version"), [('openjdk version "11.0.2" 2019-01-15', "11"), ('java version "1.8.0_292"', "8")]
)
def test_an_old_java(said: str, version: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert refusal(check_java).message == f"Java {version} is too old: Spark needs 17."
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\" 2023-10-17' >&2\n")
    check_java()
    java.write_text("#!/bin/sh\nexit 1\n")
    assert "no Java" in refusal(check_java).message


def test_no_package_or_an_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    error = refusal(lambda: spark_package("local"))
    assert error.message == "A package that Spark needs is not installed: pyspark."
    assert error.hint == "Install it: pip install 'percorso[spark]'"
    monkeypatch.setitem(sys.modules, "pyspark", SimpleNamespace(__version__="3.5.1"))
    assert refusal(lambda: spark_package("local")).message.startswith("pyspark 3.5.1 is too old")


def test_a_part_of_the_package_that_connect_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.setitem(sys.modules, "grpc", None)
    assert "grpc" in refusal(lambda: spark_package("connect")).message


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("scheme", ["spark://", "sc://", "k8s://https://"])
def test_a_master_that_is_not_there(scheme: str, closed_port: int) -> None:
    begun = time.monotonic()
    error = refusal(lambda: check_reachable(SparkChoice(f"{scheme}127.0.0.1:{closed_port}")))
    assert time.monotonic() - begun < 5
    assert str(closed_port) in error.message
    assert "--engine local" in error.hint


def test_one_of_several_masters_is_enough(closed_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        check_reachable(SparkChoice(f"spark://127.0.0.1:{closed_port},127.0.0.1:{port}"))


def test_where_masters_listen() -> None:
    assert SparkChoice("sc://[::1]/;token=x").hosts == (("::1", 15002),)
    assert SparkChoice("k8s://https://one.example/path").hosts == (("one.example", 443),)
    assert SparkChoice("spark://a:1,b:2").hosts == (("a", 1), ("b", 2))
    assert SparkChoice("yarn").hosts == SparkChoice("local[2]").hosts == ()


def test_where_yarn_is_must_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HADOOP_CONF_DIR", raising=False)
    monkeypatch.delenv("YARN_CONF_DIR", raising=False)
    assert "HADOOP_CONF_DIR" in refusal(lambda: check_reachable(SparkChoice("yarn"))).hint
    monkeypatch.setenv("YARN_CONF_DIR", "/etc/hadoop")
    check_reachable(SparkChoice("yarn"))


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    missing = str(tmp_path / "environment.tar.gz")
    error = refusal(lambda: check_archive(SparkChoice("yarn", archive=missing)))
    assert missing in error.message
    assert "percorso spark pack" in error.hint
    check_archive(SparkChoice("local[2]", archive=missing))  # which has this Python
    check_archive(SparkChoice("yarn", archive="hdfs://host/environment.tar.gz"))


def test_what_sessions_are_told(tmp_path: Path) -> None:
    here = classic_settings(SparkChoice(settings=(("spark.ui.enabled", "true"),)), tmp_path)
    assert here["spark.driver.bindAddress"] == "127.0.0.1"
    assert here["spark.sql.execution.pyspark.python"] == sys.executable
    assert here["spark.ui.enabled"] == "true"
    assert here["spark.sql.warehouse.dir"].startswith(str(tmp_path))
    away = classic_settings(SparkChoice("spark://host:7077", archive="/e.tar.gz"), tmp_path)
    assert away["spark.archives"] == "/e.tar.gz#environment"
    assert away["spark.sql.execution.pyspark.python"] == "./environment/bin/python"
    assert "spark.driver.host" not in away
    named = SparkChoice("spark://127.0.0.1:7077", settings=(("spark.pyspark.python", "/opt/python"),))
    assert classic_settings(named, tmp_path)["spark.sql.execution.pyspark.python"] == "/opt/python"
    assert classic_settings(named, tmp_path)["spark.driver.host"] == "127.0.0.1"
    assert connect_settings(SparkChoice("sc://host", archive="/e.tar.gz")) == {
        "spark.sql.execution.pyspark.python": "./environment/bin/python"
    }


# Sessions that are none


class FakeSession:
    """Works tasks out here, and stands for a session that somebody may have stopped."""

    def __init__(self, master: str = "local[*]", *, answers: Sequence[str] | None = None) -> None:
        self.master, self.answers = master, answers
        self.is_stopped = False
        self.sparkContext = SimpleNamespace(defaultParallelism=1)
        self.conf = SimpleNamespace(get=lambda name, default: self.master, set=lambda name, value: None)

    def stop(self) -> None:
        self.is_stopped = True

    def range(self, *_: int) -> FakeSession:
        return self

    def mapInArrow(self, work: Callable[..., Any], schema: str) -> FakeSession:  # noqa: N802
        rows = [row for batch in work(iter(())) for row in batch.to_pylist()]
        self.rows = [SimpleNamespace(versions=one) for one in self.answers or [row["versions"] for row in rows]]
        return self

    def collect(self) -> list[Any]:
        return self.rows


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FakeSession]]:
    """Sessions that were made; a package that makes fakes."""
    made: list[FakeSession] = []

    def start(sql: Any, choice: SparkChoice, folder: Path) -> FakeSession:
        made.append(FakeSession(choice.master))
        return made[-1]

    sql = SimpleNamespace(SparkSession=SimpleNamespace(active=lambda: None))
    stop_spark()
    for name, fake in {
        "spark_package": lambda kind: sql,
        "check_java": lambda: None,
        "check_reachable": lambda choice: None,
        "_classic_session": start,
        "_connect_session": start,
    }.items():
        monkeypatch.setattr(sessions, name, fake)
    yield made
    stop_spark()


def test_a_session_is_kept_and_makes_room_for_another(started: list[FakeSession]) -> None:
    engine = spark_of(SparkChoice("local[2]"))
    assert spark_of(SparkChoice("local[2]")) is engine
    assert len(started) == 1
    assert engine.tasks == 1
    assert spark_of(SparkChoice("sc://host", tasks=7)).tasks == 7
    assert [one.is_stopped for one in started] == [True, False]
    started[1].stop()  # by somebody else
    spark_of(SparkChoice("sc://host", tasks=7))
    assert len(started) == 3


def test_machines_that_come_later_get_their_share(started: list[FakeSession]) -> None:
    choice = SparkChoice("spark://host:7077")
    assert spark_of(choice).tasks == 1
    started[0].sparkContext = SimpleNamespace(defaultParallelism=48)
    assert spark_of(choice).tasks == 48
    assert spark_of(replace(choice, tasks=7)).tasks == 7


def test_a_session_of_somebody_else(started: list[FakeSession], monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = FakeSession("local[2]")
    sql = SimpleNamespace(SparkSession=SimpleNamespace(active=lambda: theirs))  # also of another thread
    monkeypatch.setattr(sessions, "spark_package", lambda kind: sql)
    assert spark_of(SparkChoice("local[2]")).session is theirs
    stop_spark()
    assert not theirs.is_stopped
    assert "Another Spark session" in refusal(lambda: spark_of(SparkChoice("local[4]"))).message
    assert not started


def test_a_session_that_does_not_start(started: list[FakeSession], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(sql: Any, choice: SparkChoice, folder: Path) -> None:
        raise RuntimeError("at org.apache.spark.SparkContext")

    monkeypatch.setattr(sessions, "_classic_session", fail)
    error = refusal(lambda: spark_of(SparkChoice("local[2]")))
    assert error.message == "Spark at local[2] could not be started."
    assert "PERCORSO_DEBUG" in error.hint


def test_a_cluster_that_takes_for_ever(started: list[FakeSession], monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(sessions, "_classic_session", lambda *_: over.wait(30))
    error = refusal(lambda: spark_of(SparkChoice("yarn", wait_us=200_000)))
    over.set()
    assert error.message == "Spark at yarn did not start within 200ms."


def test_what_starts_is_not_heard(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with sessions._quiet(tmp_path / "log"):
        subprocess.run([sys.executable, "-c", "import sys; print('WARN', file=sys.stderr)"], check=True)
    print("heard", file=sys.stderr)
    assert capfd.readouterr().err == "heard\n"
    assert (tmp_path / "log").read_text() == "WARN\n"


# Versions


def test_workers_with_the_same_versions() -> None:
    assert check_workers(FakeSession()) == 1
    assert check_workers(FakeSession(answers=[json.dumps(own_versions())] * 3)) == 3


def test_workers_with_other_versions() -> None:
    mine = own_versions()
    theirs = mine | {"numpy": "1.0", "numba": ""}
    session = FakeSession(answers=[json.dumps(mine), json.dumps(theirs)])
    error = refusal(lambda: check_workers(session))
    assert f"numpy {mine['numpy']} here, 1.0 there" in error.message
    assert f"numba {mine['numba']} here, none there" in error.message
    assert "percorso spark pack" in error.hint


def test_a_worker_that_comes_later_is_asked_with_its_first_task(monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[int] = []

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        worked.append(1)
        yield from batches

    task = telling(work)
    list(task([]))
    monkeypatch.setattr(faults, "own_versions", lambda: own_versions() | {"numpy": "1.0"})
    with pytest.raises(faults.TaskFailedError) as failed:
        list(task([]))
    told = faults.task_error(failed.value)
    assert isinstance(told, EngineError)
    assert f"numpy {own_versions()['numpy']} here, 1.0 there" in told.message
    assert worked == [1]


def test_a_stage_that_spark_cannot_roll_back_is_begun_anew() -> None:
    text = "A shuffle map stage with indeterminate output was failed and retried. However, Spark cannot rollback it"
    theirs = type("SparkException", (Exception,), {"__module__": "pyspark.errors.exceptions"})
    assert isinstance(faults.task_error(theirs(text)), WorkLost)


def test_the_same_version_of_other_code() -> None:
    mine = own_versions()
    assert differences(mine, mine | {"code": "0"}) == [f"percorso {mine['percorso']} of other code"]
    assert differences(mine, mine) == []
    assert mine.keys() == {"Python", "percorso", "pyarrow", "numpy", "numba", "code"}


# A real session

#: A setting of the session before this one.
BEFORE = "spark.percorso.before"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkEngine]:
    java = os.environ.get("JAVA_HOME") or shutil.which("java")
    try:
        spark_package("local")
    except EngineError:
        java = None
    if not java:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("Java or pyspark is not there: make setup-test")
    folder = tmp_path_factory.mktemp("here")
    with contextlib.chdir(folder):
        spark_of(SparkChoice("local[1]", settings=((BEFORE, "another Python"),)))
        yield spark_of(SparkChoice("local[2]"))
        stop_spark()
    assert not list(folder.iterdir())


Work = Callable[[], object]


def ask(engine: SparkEngine, work: Work) -> list[Any]:
    """What two tasks say."""

    def answers(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.RecordBatch.from_pydict({"said": [str(work())]})

    return collected(engine.session, engine.session.range(0, 2, 1, 2).mapInArrow(telling(answers), "said string"))


def failing(error: Exception) -> Work:
    """As code within a function: workers do not have the tests."""

    def work() -> None:
        raise error

    return work


_ASK_AGAIN = """
import os, signal, sys
from percorso.engines.session import SparkOnDemand, spark_of
from percorso.engines.spark_choice import SparkChoice
from percorso.errors import EngineError
from percorso.store.journey_log import open_log
from pathlib import Path
from tests.cluster.processes import children

choice, log = SparkChoice("local[1]"), open_log(Path(sys.argv[1]))

def ask(task=len):
    return sum(SparkOnDemand(choice).run(log.buckets, task))

def end_java():
    (java,) = children(os.getpid())
    os.kill(java, signal.SIGKILL)

assert ask() == len(log.buckets)
end_java()
assert ask() == len(log.buckets)
print("answered")
engine = spark_of(choice)
end_java()
try:
    list(engine.run(log.buckets, len))
except EngineError as error:
    print(error.message, error.hint)
assert ask() == len(log.buckets)
print("answered")
"""


def test_who_asks_again_when_java_has_died_gets_an_answer(engine: SparkEngine, tmp_path: Path) -> None:
    log = build_shop(tmp_path / "log", random_rows(5, most=20))
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SPARK_LOCAL_DIRS": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ASK_AGAIN, str(log.folder)],
        env=surroundings, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    lost = "The connection to Spark was lost. Ask again; nothing was changed."
    assert told.stdout.splitlines() == ["answered", lost, "answered"], told.stderr[-2000:]


def test_a_session_leaves_its_settings_to_no_other(engine: SparkEngine) -> None:
    assert engine.session.conf.get(BEFORE, "") == ""


FAULTS: list[tuple[Work, str]] = [
    (failing(MemoryError()), "A worker of Spark ran out of memory."),
    (failing(OSError(28, "No space left on device")), "The disk of a worker of Spark is full."),
    (failing(PermissionError(13, "Denied", "/home/anna")), "A worker of Spark was refused by its machine: Denied."),
    (failing(ValueError("anna@example.com")), "A task failed on Spark: ValueError."),
    (failing(ImportError("None", name="polars")), "Spark's workers do not have what is here: they have no polars."),
    (lambda: os._exit(1), "A worker of Spark was lost while it worked."),
]


@pytest.mark.parametrize(("work", "message"), FAULTS)
def test_what_fails_in_a_task_is_one_clear_error(engine: SparkEngine, work: Work, message: str) -> None:
    error = refusal(lambda: ask(engine, work))
    assert error.message == message
    assert error.hint


def test_an_error_of_ours_comes_back_as_it_was(engine: SparkEngine) -> None:
    with pytest.raises(Corrupt) as caught:
        ask(engine, failing(Corrupt("The file is damaged.", hint="Build it anew.", fields={"file": "a.arrow"})))
    assert caught.value.as_dict() == {
        "code": "corrupt",
        "message": "The file is damaged.",
        "hint": "Build it anew.",
        "fields": {"file": "a.arrow"},
    }


def test_ctrl_c_cancels_what_runs(engine: SparkEngine) -> None:
    assert len(ask(engine, lambda: 1)) == 2  # workers are there
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started in the background ignores it
    threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT)).start()
    begun = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            ask(engine, lambda: time.sleep(120))
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(ask(engine, lambda: 1)) == 2
    assert time.monotonic() - begun < 60


def test_a_worker_of_other_versions_is_refused(engine: SparkEngine, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.metadata as m\nof = m.version\n"
        "m.version = lambda name: '1.0' if name == 'numpy' else of(name)\n"
    )
    stop_spark()
    try:
        choice = SparkChoice("local[2]", settings=(("spark.executorEnv.PYTHONPATH", str(tmp_path)),))
        assert "1.0 there" in refusal(lambda: spark_of(choice)).message
    finally:
        stop_spark()


def test_a_command_says_the_same_and_nothing_of_java(tmp_path: Path) -> None:
    build_log(make_shop(tmp_path / "shop"))
    (tmp_path / "here").mkdir()
    answers = []
    for engine in ("local", "spark"):
        arguments = ["percorso", "-w", "../shop", "--engine", engine, "funnel", "--step", VIEW, "--json"]
        script = f"import sys; from percorso.cli.main import main; sys.argv = {arguments!r}; main()"
        said = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            cwd=tmp_path / "here",
            timeout=180,
            check=False,
        )
        answers.append((said.returncode, said.stdout, said.stderr))
    assert answers[0][0] == 0
    assert answers[0] == answers[1]
    assert not list((tmp_path / "here").iterdir())
