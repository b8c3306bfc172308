"""Questions worked out by Apache Spark: the answers of this process, to the last digit."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from percorso.analyses.basis import Basis
from percorso.analyses.channels import ChannelsSpec, run_channels
from percorso.analyses.flow import FlowSpec, run_flow
from percorso.analyses.funnel import funnel_people, run_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.journeys import JourneysSpec, run_journeys
from percorso.analyses.kpis import KpisSpec, run_kpis
from percorso.analyses.people import people_table
from percorso.analyses.result import Result
from percorso.analyses.retention import RetentionSpec, run_retention
from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec, run_stages
from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.engines.spark import SparkEngine, deal
from percorso.store.journey_log import JourneyLog
from tests.analyses.contact_logs import build_shop, random_rows
from tests.log_builder import Row, build_test_log

# Spark looks for an older pandas, which nothing here uses; its gateway is closed when the process ends.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Failed to set spark:UserWarning"),  # it was set when the server started
]

#: In one process with its driver, and through the server of Spark Connect.
MASTERS = ("classic", "connect")


@pytest.fixture(scope="module", params=MASTERS)
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    java = os.environ.get("JAVA_HOME") or shutil.which("java")
    if importlib.util.find_spec("pyspark") is None or not java:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("Java or pyspark is not there: make setup-test")
    sql = importlib.import_module("pyspark.sql")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.chdir(tmp_path_factory.mktemp("spark"))  # it leaves folders where it runs
        builder = sql.SparkSession.builder
        where = builder.master("local[2]") if request.param == "classic" else builder.remote("local[2]")
        for name, value in {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.sql.warehouse.dir": str(Path.cwd() / "warehouse"),
        }.items():
            where = where.config(name, value)
        found = where.getOrCreate()
        yield found
        found.stop()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> JourneyLog:
    return build_shop(tmp_path_factory.mktemp("shop") / "log", random_rows(5, most=200))


BASIS = Basis()
QUESTIONS: dict[str, Callable[[JourneyLog], Result]] = {
    "funnel": lambda log: run_funnel(FunnelSpec(steps=("Product Viewed", "Order Completed")), log, BASIS),
    "flow": lambda log: run_flow(FlowSpec(unit="place"), log, BASIS),
    "variants": lambda log: run_variants(VariantsSpec(unit="place", scope=Scope(per="person")), log, BASIS),
    "journeys": lambda log: run_journeys(JourneysSpec(), log, BASIS),
    "retention": lambda log: run_retention(RetentionSpec(), log, BASIS),
    "stages": lambda log: run_stages(StagesSpec(), log, BASIS),
    "channels": lambda log: run_channels(ChannelsSpec(), log, BASIS),
    "kpis": lambda log: run_kpis(KpisSpec(), log, BASIS),
}


def test_answers_are_those_of_this_process(session: Any, shop: JourneyLog) -> None:
    """One test, so that no second process starts a session of the kind."""
    far = replace(shop, engine=SparkEngine(session, tasks=2))
    for name, ask in QUESTIONS.items():
        here, there = ask(shop), ask(far)
        assert here.tables.keys() == there.tables.keys()
        for table in here.tables:
            assert there.tables[table].equals(here.tables[table]), (name, table)
        assert (there.totals, there.warnings) == (here.totals, here.warnings), name
    task = funnel_people(FunnelSpec(steps=("Product Viewed",)), shop, 1)
    found = people_table(far, task)
    assert found.num_rows
    assert found.equals(people_table(shop, task))
    engine = SparkEngine(session, tasks=2)
    assert os.getpid() not in set(engine.run(shop.buckets, lambda buckets: os.getpid()))
    # 50 MB that do not compress: no limit of Spark or Connect stands in the way of an answer.
    sizes = [len(answer) for answer in engine.run(shop.buckets, lambda buckets: os.urandom(25_000_000 * len(buckets)))]
    assert sum(sizes) == 25_000_000 * len(shop.buckets)


@pytest.mark.parametrize("n_parts", [1, 3, 5, 99])
def test_buckets_are_dealt_out_evenly_and_once(tmp_path: Path, n_parts: int) -> None:
    rows = [Row(person=f"p{one}", time=one, event="A") for one in range(400)]
    log = build_test_log(tmp_path, rows, n_buckets=16)
    parts = deal(log.buckets, n_parts)
    assert sorted(bucket.index for part in parts for bucket in part) == list(range(16))
    assert len(parts) == min(n_parts, 16)
    events = [sum(bucket.n_events for bucket in part) for part in parts]
    assert max(events) - min(events) <= max(bucket.n_events for bucket in log.buckets)
