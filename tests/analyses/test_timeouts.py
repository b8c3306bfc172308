"""Time-outs against their plain twin: they must not depend on the time-out under which the log was cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from percorso.analyses import timeouts
from percorso.analyses.people import people_table
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.analyses.timeouts import CANDIDATES_DAYS, TimeoutsSpec, run_timeouts, timeouts_people
from percorso.errors import SpecError
from percorso.settings import DAY_US, BuildSettings, JourneySettings, Settings
from percorso.store.journey_log import FLAG_ENGAGED, FLAG_GOAL
from tests.analyses.shop_lives import Person, ShopLife, micros, persons_of, shop, shop_lives
from tests.journeys.test_build import build
from tests.journeys.worlds import build_files
from tests.lake_builder import event, lake_files
from tests.naive import timeouts as naive


def steps_of(person: Person) -> list[naive.Step]:
    """Events of purchase journeys, but for those that follow the goal in the journey that it closed."""
    steps: list[naive.Step] = []
    purchases = {one["number"]: one for one in person.journeys if one["kind"] == "purchase"}
    for one in person.events:
        journey = purchases.get(one["journey"])
        if journey is None or (-1 != journey["goal_event"] < one["number"]):
            continue
        if one["flags"] & FLAG_GOAL:
            steps.append((one["time"], "goal"))
        elif one["direction"] == "inbound":
            intent = one["signal"] in ("consider", "convert") or (one["flags"] & FLAG_ENGAGED and one["session"] >= 0)
            steps.append((one["time"], "intent" if intent else "there"))
    return steps


@given(shop_lives())
@settings(deadline=None, max_examples=20)
def test_timeouts_equal_the_plain_ones(life: ShopLife) -> None:
    spec = TimeoutsSpec(scope=Scope(timezone=life.zone, as_of=life.as_of))
    with shop(life) as log:
        as_of = micros(life.as_of) if life.as_of else log.as_of_us
        persons, rows = persons_of(log), run_timeouts(spec, log).table.to_pylist()
        people = [len(people_table(log, timeouts_people(spec, log, days))) for days in CANDIDATES_DAYS]
    for row, count in zip(rows, people, strict=True):
        each = [naive.cut(steps_of(one), row["timeout_days"] * DAY_US, as_of) for one in persons.values()]
        for name in ("journeys", "converted", "abandoned", "open", "cut_off"):
            assert row[name] == sum(one[name] for one in each)
        assert row["persons"] == count == sum(one["cut_off"] > 0 for one in each)


@given(life=shop_lives())
@settings(deadline=None, max_examples=6)
def test_the_current_setting_changes_nothing_and_is_predicted(
    life: ShopLife, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A log cut at 7 days and one cut at 90 give one answer; the one at 90 has the journeys that the answer says."""
    answers, counts = [], {}
    for days in (7, 90):
        known = Settings(build=BuildSettings(bucket_bits=1), journeys=JourneySettings(timeout_us=days * DAY_US))
        folder = tmp_path_factory.mktemp("cut")
        log = build_files(folder, lake_files(folder / "lake", life.rows), known)[0]
        answers.append(run_timeouts(TimeoutsSpec(), log).table.to_pylist())
        counts[days] = sum(one["kind"] == "purchase" for person in persons_of(log).values() for one in person.journeys)
    assert answers[0] == answers[1]
    assert {row["timeout_days"]: row["journeys"] for row in answers[0] if row["timeout_days"] in counts} == counts


def shop_of(tmp_path: Path, gaps: list[int]) -> list[dict[str, object]]:
    """One customer for each gap: looks, comes back after so many days and buys."""
    rows = []
    for n, days in enumerate(gaps):
        month, day = divmod(days, 28)
        rows.append(event("2024-01-01T10:00:00", "Product Viewed", user_id=f"u{n}", category="Sofas"))
        rows.append(
            event(
                f"2024-{1 + month:02d}-{1 + day:02d}T10:00:00",
                "Order Completed",
                user_id=f"u{n}",
                order_id=str(n),
                category="Sofas",
            )
        )
    return rows


def test_planted_silences_are_found(tmp_path: Path) -> None:
    """Of 40 buyers 36 come back within 20 days, 3 after 25, one after 91: 5 % are cut off by 30 days, not by 21."""
    log = build(tmp_path, shop_of(tmp_path, [*range(4, 20), *range(20), 25, 25, 25, 84]))
    answer = run_timeouts(TimeoutsSpec(), log)
    cut = {row["timeout_days"]: row["cut_off"] for row in answer.table.to_pylist()}
    assert (cut[21], cut[30], cut[90], cut[120]) == (4, 1, 1, 0)
    assert answer.totals["recommended_days"] == 30
    assert "30 days cut off 2.5 %" in answer.totals["reason"]
    assert "21 days would cut off 10.0 %" in answer.totals["reason"]
    assert run_timeouts(TimeoutsSpec(at_most=0.2), log).totals["recommended_days"] == 21


def test_categories_are_told_where_there_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = build(tmp_path, shop_of(tmp_path, [25] * 32))
    assert run_timeouts(TimeoutsSpec(), log).tables["categories"].num_rows == 0
    monkeypatch.setattr(timeouts, "ENOUGH", 32)
    rows = run_timeouts(TimeoutsSpec(), log).tables["categories"].to_pylist()
    assert [(row["category"], row["timeout_days"], row["cut_off"]) for row in rows][:4] == [
        ("Sofas", 7, 32),
        ("Sofas", 14, 32),
        ("Sofas", 21, 32),
        ("Sofas", 30, 0),
    ]
    assert [row["timeout_days"] for row in rows if row["recommended"]] == [30]


def test_too_few_conversions_recommend_nothing(tmp_path: Path) -> None:
    answer = run_timeouts(TimeoutsSpec(), build(tmp_path, shop_of(tmp_path, [3, 4])))
    assert answer.totals["recommended_days"] is None
    assert answer.warnings


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(SpecError):
        TimeoutsSpec(at_most=5)
    with pytest.raises(SpecError):
        TimeoutsSpec(scope=Scope(by="place"))


def test_spec_is_its_json() -> None:
    spec = TimeoutsSpec(at_most=0.1, scope=Scope(end="2024-03-01"))
    assert spec_from_json(TimeoutsSpec, json.loads(json.dumps(spec_to_json(spec)))) == spec
