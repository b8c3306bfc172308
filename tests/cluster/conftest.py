"""One cluster for all tests of this folder: started when the first needs it, ended after the last."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from percorso.engines.session import spark_of, stop_spark
from percorso.engines.spark import SparkEngine
from percorso.engines.spark_choice import SparkChoice
from percorso.services.spark_pack import Packed, pack_environment
from percorso.store.journey_log import JourneyLog
from tests.analyses.contact_logs import build_shop, random_rows
from tests.cluster.counted import Counted
from tests.cluster.standalone import Standalone, spark_home

WORKERS = ("one", "two")

#: Small executors that start quickly; the archive is copied once less.
SETTINGS = (
    ("spark.executor.memory", "512m"),
    ("spark.executor.cores", "1"),
    ("spark.executor.extraJavaOptions", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"),
    ("spark.files.useFetchCache", "false"),
    ("spark.scheduler.minRegisteredResourcesRatio", "1.0"),
)

_WARNINGS = (
    "ignore::FutureWarning",  # Spark looks for an older pandas, which nothing here uses
    "ignore::DeprecationWarning",
    "ignore::ResourceWarning",  # its gateway is closed when the process ends
    "ignore:Failed to set spark:UserWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for warning in _WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """For what the cluster writes: the environment several times, gigabytes, so not in memory."""
    disk = Path("/var/tmp")
    with tempfile.TemporaryDirectory(prefix="percorso-cluster-", dir=disk if disk.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture(scope="package")
def packed(folder: Path) -> Packed:
    """What `percorso spark pack` makes of the environment that the tests run in."""
    spark_home()
    return pack_environment(folder / "environment.tar.gz")


@pytest.fixture(scope="package")
def unpacked(folder: Path, packed: Packed) -> Path:
    """The environment in a folder that nobody knew of when it was packed."""
    place = folder / "unpacked here"
    place.mkdir()
    subprocess.run(["tar", "-xzf", packed.file, "-C", str(place)], check=True)
    return place


@pytest.fixture(scope="package")
def standalone(folder: Path) -> Iterator[Standalone]:
    """The cluster, whatever state tests have left it in."""
    found = Standalone(folder, spark_home())
    try:
        found.start(WORKERS)
        yield found
    finally:
        stop_spark()
        found.stop()


@pytest.fixture
def cluster(standalone: Standalone) -> Standalone:
    """The cluster with both of its workers."""
    for worker in WORKERS:
        if worker not in standalone.running:
            shutil.rmtree(standalone.work_of(worker), ignore_errors=True)
            standalone.start_worker(worker)
    standalone.wait_for_workers(len(WORKERS))
    return standalone


@pytest.fixture
def spark(cluster: Standalone, packed: Packed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> SparkEngine:
    """A session on the cluster, whose workers have nothing but the archive that is shipped with it."""
    monkeypatch.chdir(folder)
    own = ("spark.local.dir", str(folder / "driver"))
    return spark_of(SparkChoice(master=cluster.master, archive=packed.file, settings=(*SETTINGS, own)))


@pytest.fixture(scope="package")
def counts() -> dict[str, int]:
    """Tasks by worker."""
    return {}


@pytest.fixture
def far(spark: SparkEngine, cluster: Standalone, counts: dict[str, int]) -> Counted:
    """The session's engine, which counts the tasks of each worker."""
    return Counted(spark, cluster.folder, counts)


@pytest.fixture(scope="package")
def shop(folder: Path) -> JourneyLog:
    """A small shop with all kinds of contacts, in two buckets."""
    return build_shop(folder / "shop" / "log", random_rows(5, most=200))
