"""What comes back to the driver: facts about a log, and answers that do not grow with events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from percorso.analyses.basis import Basis
from percorso.analyses.channels import ChannelsSpec, run_channels
from percorso.analyses.codes import global_codes
from percorso.analyses.flow import FlowSpec, run_flow
from percorso.analyses.funnel import run_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.log_facts import column_values, first_of_persons_us, last_of_persons_us
from percorso.analyses.scope_warnings import with_scope_warnings
from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec, run_stages
from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.kernels import quantiles
from percorso.store.journey_log import JourneyLog
from tests.engines.partitions import RandomPartitions, guard_buckets
from tests.log_builder import HOUR, MINUTE, Row, build_test_log

BASIS = Basis()
QUESTIONS: dict[str, Callable[[JourneyLog], Any]] = {
    "funnel": lambda log: run_funnel(FunnelSpec(steps=("A", "B")), log, BASIS),
    "funnel by": lambda log: run_funnel(FunnelSpec(steps=("A", "B"), scope=Scope(by="place")), log, BASIS),
    "flow": lambda log: run_flow(FlowSpec(unit="event", scope=Scope(per="person")), log, BASIS),
    "variants": lambda log: run_variants(VariantsSpec(unit="event", scope=Scope(per="person")), log, BASIS),
    "channels": lambda log: run_channels(ChannelsSpec(), log, BASIS),
    "stages": lambda log: run_stages(StagesSpec(), log, BASIS),
}


def shop(folder: Path, n_persons: int) -> JourneyLog:
    """Persons who do the same, each at a pace of its own."""
    rows = []
    for number in range(n_persons):
        who: dict[str, Any] = {"person": f"p{number}", "session": "s", "journey": "j"}
        first = {"place": "site", "channel": "Direct", "stage": "consideration", "direction": "inbound"}
        rows.append(Row(time=HOUR, event="A", coded=first, **who))
        rows.append(Row(time=HOUR + MINUTE * (1 + number), event="B", coded=first | {"stage": "conversion"}, **who))
    return build_test_log(folder, rows, n_buckets=4)


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_comes_back_does_not_grow_with_persons(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantiles, "COLLECT_LIMIT", 8)
    monkeypatch.setattr(quantiles, "BIN_LIMIT", 64)
    told = []
    for n_persons in (200, 2000):
        engine = RandomPartitions()
        log = shop(tmp_path / str(n_persons), n_persons)
        here = QUESTIONS[name](log)
        with pytest.MonkeyPatch.context() as patch:
            guard_buckets(patch)
            there = QUESTIONS[name](replace(log, engine=engine))
        assert there.tables == here.tables
        # A search among ten times as many takes a round more, of as many bytes.
        told.append(engine.received / engine.runs)
    assert told[1] < 1.3 * told[0]


def test_facts_are_asked_once(tmp_path: Path) -> None:
    engine = RandomPartitions()
    log = replace(shop(tmp_path, 9), engine=engine)
    assert column_values(log, "event") == ("A", "B")
    assert column_values(log, "kind", table="journeys", with_nobody=True)
    assert global_codes(log, "place").values == ("site",)
    assert engine.runs == 1
    assert (first_of_persons_us(log), last_of_persons_us(log)) == (HOUR, HOUR + 9 * MINUTE)
    assert engine.runs == 1


@pytest.mark.parametrize(
    ("start", "end", "is_said", "runs"),
    [
        ("1969-01-01", "1969-12-31", True, 0),
        ("1970-01-01", "1970-01-01", False, 1),
        ("1970-01-02", "", True, 0),
    ],
)
def test_an_empty_period_is_mostly_known_from_the_manifest(
    tmp_path: Path, start: str, end: str, is_said: bool, runs: int
) -> None:
    log = shop(tmp_path, 9)
    engine = RandomPartitions()
    spec = FunnelSpec(steps=("A", "B"))
    answer = run_funnel(spec, log)
    scope = Scope(start=start, end=end)
    told = with_scope_warnings(answer, scope, replace(log, engine=engine), is_empty=True)
    assert (len(told.warnings) > len(answer.warnings)) == is_said
    assert engine.runs == runs
