"""Questions worked out by Apache Spark: the answers of this process, to the last digit."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from percorso.analyses.basis import Basis
from percorso.analyses.channels import ChannelsSpec, run_channels
from percorso.analyses.flow import FlowSpec, run_flow
from percorso.analyses.funnel import funnel_people, run_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.journeys import JourneysSpec, run_journeys
from percorso.analyses.kpis import KpisSpec, run_kpis
from percorso.analyses.map import MapSpec
from percorso.analyses.people import people_table
from percorso.analyses.result import Result
from percorso.analyses.retention import RetentionSpec, run_retention
from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec, run_stages
from percorso.analyses.timeouts import TimeoutsSpec
from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.engines.spark import SparkEngine, deal
from percorso.engines.task_counts import TaskCounts, tasks_told
from percorso.reports.spec import ReportSpec
from percorso.services.build import build_log, fresh_log
from percorso.services.customer import ask_customer
from percorso.services.kpis import ask_kpis
from percorso.services.map import ask_map
from percorso.services.people import FunnelCell, ask_people
from percorso.services.report import make_report
from percorso.services.segment import define_segment, people_of_segment
from percorso.services.stages import ask_stages
from percorso.services.suggest import suggest_timeout
from percorso.services.workspace import Workspace
from percorso.store.journey_log import Bucket, JourneyLog
from tests.analyses.contact_logs import build_shop, random_rows
from tests.log_builder import Row, build_test_log
from tests.services.shop_workspace import make_shop

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
        patch.chdir(tmp_path_factory.mktemp("spark"))  # it leaves folders where it runs
        builder = sql.SparkSession.builder
        where = builder.master("local[2]") if request.param == "classic" else builder.remote("local[2]")
        for name, value in {
            "spark.sql.execution.pyspark.python": sys.executable,
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


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    found = make_shop(tmp_path_factory.mktemp("workspace"))
    build_log(found)
    return found


BASIS = Basis()
STEPS = FunnelSpec(steps=("Product Viewed", "Order Completed"))
BUYERS = "count(event = Order Completed) >= 1"
OF_BUYERS = Scope(persons=BUYERS)
PERIOD = Scope(start="2024-03-03", end="2024-03-05")
#: The other sections ask what is asked here anyway.
SECTIONS = ("summary", "quality", "funnel", "places")
QUESTIONS: dict[str, Callable[[JourneyLog], Result]] = {
    "funnel": lambda log: run_funnel(STEPS, log, BASIS),
    "flow": lambda log: run_flow(FlowSpec(unit="place"), log, BASIS),
    "variants": lambda log: run_variants(VariantsSpec(unit="place", scope=Scope(per="person")), log, BASIS),
    "journeys": lambda log: run_journeys(JourneysSpec(), log, BASIS),
    "retention": lambda log: run_retention(RetentionSpec(), log, BASIS),
    "stages": lambda log: run_stages(StagesSpec(), log, BASIS),
    "channels": lambda log: run_channels(ChannelsSpec(), log, BASIS),
    "kpis": lambda log: run_kpis(KpisSpec(), log, BASIS),
}


SERVICES: dict[str, Callable[[Workspace, JourneyLog], Any]] = {
    "kpis": lambda workspace, log: ask_kpis(workspace, KpisSpec(scope=PERIOD, compare="previous"), log=log),
    "people": lambda workspace, log: ask_people(workspace, STEPS, FunnelCell(step=2), log=log),
    "segment": lambda workspace, log: define_segment(workspace, "buyers", BUYERS, log=log).answer,
    "a segment's people": lambda workspace, log: people_of_segment(workspace, "buyers", log=log),
    "stages of some": lambda workspace, log: ask_stages(workspace, StagesSpec(scope=OF_BUYERS), log=log),
    "suggest": lambda workspace, log: suggest_timeout(workspace, TimeoutsSpec(), log=log),
    "map": lambda workspace, log: ask_map(workspace, MapSpec(), log=log),
    "report": lambda workspace, log: make_report(workspace, ReportSpec(sections=SECTIONS), log=log).answers,
    "customer": lambda workspace, log: ask_customer(workspace, "u1", log=log).as_json(),
}


def check_equal(there: Any, here: Any) -> None:
    """To the last digit; of answers their tables, totals and warnings."""
    assert type(there) is type(here)
    if isinstance(here, Result):
        assert (there.totals, there.warnings) == (here.totals, here.warnings)
        here, there = here.tables, there.tables
    if isinstance(here, dict):
        assert there.keys() == here.keys()
        for name, answer in here.items():
            check_equal(there[name], answer)
    else:
        assert there.equals(here) if isinstance(here, pa.Table) else there == here


def check_services(workspace: Workspace, engine: SparkEngine) -> None:
    log = fresh_log(workspace)
    for ask in SERVICES.values():
        check_equal(ask(workspace, replace(log, engine=engine)), ask(workspace, log))


def test_answers_are_those_of_this_process(session: Any, shop: JourneyLog, workspace: Workspace) -> None:
    """One test, so that no second process starts a session of the kind."""
    engine = SparkEngine(session, tasks=2)
    far = replace(shop, engine=engine)
    for ask in QUESTIONS.values():
        check_equal(ask(far), ask(shop))
    task = funnel_people(FunnelSpec(steps=("Product Viewed",)), shop, 1)
    found = people_table(far, task)
    assert found.num_rows
    assert found.equals(people_table(shop, task))
    check_services(workspace, engine)
    assert os.getpid() not in set(engine.run(shop.buckets, lambda buckets: os.getpid()))
    # 50 MB that do not compress: no limit of Spark or Connect stands in the way of an answer.
    sizes = [len(answer) for answer in engine.run(shop.buckets, lambda buckets: os.urandom(25_000_000 * len(buckets)))]
    assert sum(sizes) == 25_000_000 * len(shop.buckets)
    check_exchange(shop, engine)
    check_progress(shop, engine)


def check_progress(log: JourneyLog, engine: SparkEngine) -> None:
    """While tasks are at work somebody hears of them, and at the end that it is over."""
    heard: list[TaskCounts | None] = []

    def hear(counts: TaskCounts | None) -> bool:
        heard.append(counts)
        return True

    with tasks_told(hear):
        assert list(engine.run(log.buckets, lambda buckets: time.sleep(5))) == [None, None]
    assert heard.pop() is None
    assert (0, 2) in [(one.done, one.total) for one in heard if one is not None]


def check_exchange(log: JourneyLog, engine: SparkEngine) -> None:
    """Rows that are alike come together, from whatever task; an answer may be large there, too."""
    keys = np.arange(40, dtype=np.uint64)

    def rows(buckets: Sequence[Bucket]) -> pa.Table:
        return pa.table({"key": np.tile(keys, len(buckets)), "bucket": np.repeat([b.index for b in buckets], 40)})

    def join(found: pa.Table) -> tuple[dict[int, list[int]], bytes]:
        of_key: dict[int, list[int]] = {}
        for key, bucket in zip(*(column.to_pylist() for column in found.columns), strict=True):
            of_key.setdefault(key, []).append(bucket)
        return of_key, os.urandom(9_000_000)

    answers = list(engine.exchange(log.buckets, rows, "key", join))
    together = [(key, sorted(found)) for of_key, _ in answers for key, found in of_key.items()]
    assert sorted(together) == [(key, [bucket.index for bucket in log.buckets]) for key in keys.tolist()]
    assert {len(large) for _, large in answers} == {9_000_000}


@pytest.mark.parametrize("n_parts", [1, 3, 5, 99])
def test_buckets_are_dealt_out_evenly_and_once(tmp_path: Path, n_parts: int) -> None:
    rows = [Row(person=f"p{one}", time=one, event="A") for one in range(400)]
    log = build_test_log(tmp_path, rows, n_buckets=16)
    parts = deal(log.buckets, n_parts)
    assert sorted(bucket.index for part in parts for bucket in part) == list(range(16))
    assert len(parts) == min(n_parts, 16)
    events = [sum(bucket.n_events for bucket in part) for part in parts]
    assert max(events) - min(events) <= max(bucket.n_events for bucket in log.buckets)
