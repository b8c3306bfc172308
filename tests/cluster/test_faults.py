"""What goes wrong while a cluster answers: the right answer all the same, or one clear error, within a while."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from percorso.engines.session import stop_spark
from percorso.engines.spark import SparkEngine
from percorso.engines.stalled import WAIT_KEY
from percorso.engines.workers import check_workers
from percorso.errors import Corrupt, EngineError
from percorso.store.journey_log import JourneyLog, open_log
from tests.cluster.conftest import WORKERS
from tests.cluster.counted import Held
from tests.cluster.faults import beside, executor_in, kill, kill_worker, worker_of
from tests.cluster.questions import QUESTIONS, check_equal
from tests.cluster.standalone import Standalone

#: Of one question, whatever happens to it; the machine may be busy with other tests.
WITHIN_S = 120

_PYTHON = "spark.sql.execution.pyspark.python"


def ask(log: JourneyLog, engine: Any) -> Any:
    return QUESTIONS["funnel"](replace(log, engine=engine))


def test_an_executor_dies_while_it_works(
    spark: SparkEngine, cluster: Standalone, shop: JourneyLog, tmp_path: Path
) -> None:
    held = Held(spark, tmp_path / "held")
    answer = beside(lambda: ask(shop, held))
    kill(executor_in(cluster, held.begun(2)[0]))
    held.release()
    check_equal(answer.result(WITHIN_S), ask(shop, None))


def test_an_unreadable_bucket(spark: SparkEngine, shop: JourneyLog, tmp_path: Path) -> None:
    """A task's own error comes as it is: the hint says how to mend it, and nothing is told of Java."""
    shutil.copytree(str(shop.folder), tmp_path / "log")
    log = open_log(tmp_path / "log")
    assert log is not None
    file = tmp_path / "log" / log.buckets[0].meta["files"]["events"]
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(Corrupt) as caught:
        ask(log, spark)
    assert file.name in str(caught.value)
    assert "percorso build --full" in caught.value.hint
    assert "java" not in str(caught.value).lower()


@pytest.fixture
def other_python(spark: SparkEngine, other_environment: Path) -> Iterator[Path]:
    """An environment to be changed, which workers use as long as the test lasts."""
    before = spark.session.conf.get(_PYTHON)
    spark.session.conf.set(_PYTHON, str(other_environment / "bin" / "python"))
    yield other_environment
    spark.session.conf.set(_PYTHON, before)


@pytest.mark.parametrize("change", ["version", "code"])
def test_workers_with_another_percorso(spark: SparkEngine, other_python: Path, change: str) -> None:
    package = other_python / "lib" / "percorso"
    own = package.resolve()
    package.unlink()
    shutil.copytree(own, package)
    about = next((other_python / "lib").glob("percorso-*.dist-info"))
    if change == "version":
        (about.parent / "percorso-9.9.9.dist-info").mkdir()
        text = (about / "METADATA").read_text(encoding="utf-8").replace("\nVersion: ", "\nVersion: 9.9.", 1)
        (about.parent / "percorso-9.9.9.dist-info" / "METADATA").write_text(text, encoding="utf-8")
        about.unlink()
    else:
        (package / "time.py").write_text("# other code\n", encoding="utf-8")
    with pytest.raises(EngineError) as caught:
        check_workers(spark.session)
    assert "percorso" in str(caught.value)
    assert "percorso spark pack" in caught.value.hint


def test_a_full_disk(
    spark: SparkEngine, other_python: Path, shop: JourneyLog, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What a question writes on a worker are compiled kernels, where the environment has none that fit."""
    full = tmp_path / "full"
    full.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(full)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only who may mount file systems has a small one to fill")
    request.addfinalizer(lambda: subprocess.run(["umount", "-l", str(full)], check=True))
    (other_python / "cache").unlink()
    (other_python / "cache").symlink_to(full)
    with pytest.raises(EngineError) as caught:
        ask(shop, spark)
    assert "disk" in str(caught.value).lower()
    assert caught.value.hint


def test_workers_die_one_after_the_other(
    spark: SparkEngine, cluster: Standalone, shop: JourneyLog, tmp_path: Path
) -> None:
    """The other goes on; without any, Spark itself would wait for ever."""
    held = Held(spark, tmp_path / "held")
    answer = beside(lambda: ask(shop, held))
    gone = worker_of(cluster, held.begun(2)[0])
    kill_worker(cluster, gone)
    held.release()
    check_equal(answer.result(WITHIN_S), ask(shop, None))
    assert cluster.alive() == 1
    check_equal(ask(shop, spark), ask(shop, None))
    for worker in set(WORKERS) - {gone}:
        kill_worker(cluster, worker)
    spark.session.conf.set(WAIT_KEY, "3000000")
    with pytest.raises(EngineError) as caught:
        beside(lambda: ask(shop, spark)).result(WITHIN_S)
    assert "had no worker for us within 3s" in str(caught.value)
    assert caught.value.hint
    stop_spark()  # its session has been told not to wait
