"""One cluster for all tests of this folder: started when the first needs it, ended after the last."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from percorso.engines import spark_exchange
from percorso.engines.session import spark_of, stop_spark
from percorso.engines.spark import SparkEngine
from percorso.engines.spark_choice import SparkChoice
from percorso.engines.spark_exchange import SparkExchange
from percorso.services.build import build_log
from percorso.services.spark_pack import Packed, pack_environment
from percorso.services.workspace import Workspace, open_workspace
from percorso.settings import EngineSettings
from percorso.store.journey_log import JourneyLog
from tests.analyses.contact_logs import build_shop, random_rows
from tests.cluster.counted import Counted
from tests.cluster.processes import is_alive
from tests.cluster.standalone import Standalone, spark_home
from tests.cluster.watched import Watch, WatchedExchange
from tests.cluster.workspaces import copy_of, make_shop
from tests.storage import server as objects
from tests.storage.conftest import endpoint, remote, server  # noqa: F401

WORKERS = ("one", "two")

#: Small executors that start quickly; an archive is copied once less.
SETTINGS = (
    ("spark.executor.memory", "512m"),
    ("spark.executor.cores", "1"),
    ("spark.executor.extraJavaOptions", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"),
    ("spark.files.useFetchCache", "false"),
    ("spark.scheduler.minRegisteredResourcesRatio", "1.0"),
    ("spark.locality.wait", "0"),
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
    disk = Path("/var/tmp" if Path("/var/tmp").is_dir() else tempfile.gettempdir())
    for left in disk.glob("percorso-cluster-*"):  # by a run that was killed
        if not is_alive(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"percorso-cluster-{os.getpid()}-", dir=disk) as made:
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
    """The cluster, whatever state tests have left it in; its workers alone know the way into the object store."""
    keys = {"AWS_ACCESS_KEY_ID": objects.KEY, "AWS_SECRET_ACCESS_KEY": objects.SECRET}
    found = Standalone(folder, spark_home(), environment=keys)
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
def engine(cluster: Standalone, unpacked: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> EngineSettings:
    """The cluster, as a workspace's settings name it.

    Its workers use the unpacked archive, which spares every new executor a quarter of a minute; that it can be shipped
    is tested in test_archive.py and test_through_connect.py.
    """
    monkeypatch.chdir(folder)
    own = {"spark.local.dir": str(folder / "driver"), "spark.pyspark.python": str(unpacked / "bin" / "python")}
    return EngineSettings(name="spark", master=cluster.master, spark=dict(SETTINGS) | own)


@pytest.fixture
def spark(engine: EngineSettings) -> SparkEngine:
    """The session on the cluster, begun where there is none."""
    return spark_of(SparkChoice(master=engine.master, settings=tuple(sorted(engine.spark.items()))))


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


@pytest.fixture
def other_environment(unpacked: Path, tmp_path: Path) -> Path:
    """An environment like the workers', to be changed."""
    place = tmp_path / "environment"
    (place / "lib").mkdir(parents=True)
    shutil.copytree(unpacked / "bin", place / "bin")
    for part in (unpacked / "lib").iterdir():
        (place / "lib" / part.name).symlink_to(part)
    (place / "cache").symlink_to(unpacked / "cache")
    return place


@pytest.fixture(scope="package")
def made(folder: Path) -> Workspace:
    """A workspace with some hundred events and no log; to be copied."""
    return make_shop(folder / "made")


@pytest.fixture
def built(engine: EngineSettings, made: Workspace, folder: Path) -> Workspace:
    """The same with the log that the cluster has built; to be copied."""
    place = folder / "built"
    if not place.exists():
        build_log(copy_of(made, folder / "being built", engine))
        (folder / "being built").rename(place)
    return open_workspace(place)


@pytest.fixture
def room(memory: Path) -> Iterator[Path]:
    """A folder in memory where there is one: workers bring each file of a log onto the disk."""
    with tempfile.TemporaryDirectory(dir=memory) as made:
        yield Path(made)


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Sees, and may hold, the steps of builds on the cluster."""
    (tmp_path / "watch").mkdir()
    watch = Watch(tmp_path / "watch")
    own = SparkExchange
    monkeypatch.setattr(spark_exchange, "SparkExchange", lambda *told: WatchedExchange(own(*told), watch))
    return watch
