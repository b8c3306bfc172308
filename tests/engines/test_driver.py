"""What comes back to the driver: facts about a log, and answers that do not grow with events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from percorso.analyses import funnel
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
from percorso.engines.buckets import fold_buckets
from percorso.kernels import quantiles
from percorso.store.journey_log import Bucket, JourneyLog
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


def wanderers(folder: Path, n_persons: int) -> JourneyLog:
    """Persons who all do something else: a path of A and B each, that of their number."""
    rows = [
        Row(person=f"p{number}", time=HOUR + at * MINUTE, event="AB"[int(bit)], session="s", journey="j")
        for number in range(n_persons)
        for at, bit in enumerate(f"{number:012b}")
    ]
    return build_test_log(folder, rows, n_buckets=4)


def largest_answers(ask: Callable[[JourneyLog], Any], log: JourneyLog) -> dict[str, int]:
    """Bytes of the largest answer that each asker gets; checks that the question is answered as in this process."""
    engine = RandomPartitions()
    here = ask(log)
    with pytest.MonkeyPatch.context() as patch:
        guard_buckets(patch)
        there = ask(replace(log, engine=engine))
    assert there.tables == here.tables
    return engine.received


def grown(ask: Callable[[JourneyLog], Any], make: Callable[[Path, int], JourneyLog], folder: Path) -> dict[str, int]:
    """How many bytes an answer is larger of ten times as many persons, where it is larger at all."""
    few, many = (largest_answers(ask, make(folder / str(n), n)) for n in (200, 2000))
    assert few.keys() == many.keys()
    # A count may take a byte more; one of each person's more would be 450 in a bucket.
    return {asker: size - few[asker] for asker, size in many.items() if size > few[asker] + 200}


@pytest.fixture
def small_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search for a median counts in bins, as it does among millions of values."""
    monkeypatch.setattr(quantiles, "COLLECT_LIMIT", 8)
    monkeypatch.setattr(quantiles, "BIN_LIMIT", 64)


@pytest.mark.usefixtures("small_searches")
@pytest.mark.parametrize("name", QUESTIONS)
def test_what_comes_back_does_not_grow_with_persons(name: str, tmp_path: Path) -> None:
    assert not grown(QUESTIONS[name], shop, tmp_path)


@pytest.mark.usefixtures("small_searches")
def test_what_comes_back_does_not_grow_with_paths(tmp_path: Path) -> None:
    assert not grown(QUESTIONS["variants"], wanderers, tmp_path)


@pytest.mark.usefixtures("small_searches")
@pytest.mark.parametrize("n_bytes", [1, 8])
def test_a_partial_that_carries_persons_is_seen_to_grow(
    n_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def carrying(log: JourneyLog, task: Any, merge: Any, empty: Any, **options: Any) -> Any:
        def loaded(bucket: Bucket) -> tuple[Any, bytes]:
            return task(bucket), bytes(n_bytes * bucket.n_persons)

        def merged(one: tuple[Any, bytes], other: tuple[Any, bytes]) -> tuple[Any, bytes]:
            return merge(one[0], other[0]), one[1] + other[1]

        return fold_buckets(log, loaded, merged, (empty, b""), **options)[0]

    monkeypatch.setattr(funnel, "fold_buckets", carrying)
    assert grown(QUESTIONS["funnel"], shop, tmp_path)


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
