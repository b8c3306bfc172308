"""The same cluster through a server of Spark Connect, to which this process sends the archive itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from percorso.engines.session import spark_of, stop_spark
from percorso.engines.spark import SparkEngine
from percorso.engines.spark_choice import SparkChoice
from percorso.services.spark_pack import Packed
from percorso.store.journey_log import JourneyLog
from tests.cluster.conftest import SETTINGS
from tests.cluster.counted import Counted
from tests.cluster.questions import QUESTIONS, check_equal, people_of
from tests.cluster.standalone import Standalone


@pytest.fixture(scope="module")
def server(standalone: Standalone) -> Iterator[Standalone]:
    """It has the workers for itself: the session that other tests had is over."""
    stop_spark()
    yield standalone
    stop_spark()
    standalone.forget("server")


@pytest.fixture
def connect(server: Standalone, cluster: Standalone, packed: Packed) -> SparkEngine:
    if "server" not in server.running:
        server.start_server(SETTINGS)
    return spark_of(SparkChoice(master=server.server, archive=packed.file))


def test_answers_are_equal(connect: SparkEngine, cluster: Standalone, shop: JourneyLog) -> None:
    counts: dict[str, int] = {}
    far = replace(shop, engine=Counted(connect, cluster.folder, counts))
    for name in ("funnel", "channels", "kpis"):
        check_equal(QUESTIONS[name](far), QUESTIONS[name](shop))
    assert people_of("funnel", far).equals(people_of("funnel", shop))
    assert set(counts) == {"one", "two"}
