"""The same cluster through a server of Spark Connect, to which this process sends the archive itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from percorso.engines.session import spark_of, stop_spark
from percorso.engines.spark import SparkEngine
from percorso.engines.spark_choice import SparkChoice
from percorso.services.build import build_log
from percorso.services.spark_pack import Packed
from percorso.services.workspace import Workspace
from percorso.settings import EngineSettings
from percorso.store.journey_log import JourneyLog
from tests.cluster.conftest import SETTINGS
from tests.cluster.counted import Counted
from tests.cluster.questions import QUESTIONS, check_equal, people_of
from tests.cluster.standalone import Standalone
from tests.cluster.workspaces import copy_of, differences, later_events
from tests.workspaces import add_events


@pytest.fixture(scope="module")
def front(standalone: Standalone) -> Iterator[Standalone]:
    """It has the workers for itself: the session that other tests had is over."""
    stop_spark()
    yield standalone
    stop_spark()
    standalone.forget("server")


@pytest.fixture
def connect(front: Standalone, cluster: Standalone, packed: Packed) -> SparkEngine:
    if "server" not in front.running:
        front.start_server(SETTINGS)
    return spark_of(SparkChoice(master=front.server, archive=packed.file))


def test_answers_are_equal(connect: SparkEngine, cluster: Standalone, shop: JourneyLog) -> None:
    counts: dict[str, int] = {}
    far = replace(shop, engine=Counted(connect, cluster.folder, counts))
    for name in ("funnel", "channels", "kpis"):
        check_equal(QUESTIONS[name](far), QUESTIONS[name](shop))
    assert people_of("funnel", far).equals(people_of("funnel", shop))
    assert set(counts) == {"one", "two"}


def test_a_build_is_equal(connect: SparkEngine, front: Standalone, packed: Packed, made: Workspace, room: Path) -> None:
    workspace = copy_of(made, room / "shop", EngineSettings(name="spark", master=front.server, archive=packed.file))
    assert build_log(workspace).built
    assert differences(workspace) == []
    add_events(workspace, later_events(4))
    report = build_log(workspace)
    assert 0 < report.touched < report.events
    assert differences(workspace) == []
