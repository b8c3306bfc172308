"""The journey map against its plain twin on small shops, its curve against hand-made answers, its sums."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses.basis import Basis
from percorso.analyses.feedback import MILLION, feedback_of, feedback_rows, plan_feedback
from percorso.analyses.intervals import wilson
from percorso.analyses.map import MAP_KPIS, MapSpec, run_map
from percorso.analyses.map_lanes import LANES, OTHER, count_lanes, lane_rows, plan_lanes
from percorso.analyses.orders_in import total_orders
from percorso.analyses.select import NO_MASK, plan_scope
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.errors import SpecError
from percorso.settings import MapGoal
from percorso.settings.stages import STAGE_MODELS
from percorso.store.journey_log import JourneyLog
from tests.analyses.contact_logs import build_shop, plain_log, random_rows
from tests.analyses.contact_shops import N_SHOPS, shops
from tests.analyses.test_channels import SCOPES, asked
from tests.lake_builder import event
from tests.naive import map as naive
from tests.naive.channels import Log

__all__ = ["shops"]

Shops = Callable[[int], tuple[JourneyLog, Log]]
MODEL = STAGE_MODELS["retail"]
STAGES = tuple(stage.key for stage in MODEL.stages)


@given(number=st.integers(0, N_SHOPS - 1), scope=st.sampled_from(SCOPES), threads=st.sampled_from((1, 2)))
@settings(deadline=None, max_examples=40)
def test_cells_equal_the_plain_ones(shops: Shops, number: int, scope: dict[str, Any], threads: int) -> None:
    log, plain = shops(number)
    plan = plan_lanes(plan_scope(Scope(**scope), log), log, MODEL)
    found = count_lanes(plan, log, threads=threads)
    expected = naive.lanes(plain, asked(scope))
    told = {}
    for lane in naive.LANES:
        values = plan.cells[lane].values.values
        for at, stage in enumerate(STAGES):
            for item, name in enumerate(values):
                number_of, persons = (
                    int(part[at, item]) for part in (found.cells[lane].number, found.cells[lane].persons)
                )
                if number_of:
                    told[stage, lane, name] = number_of, persons
    assert told == {key: (cell.number, len(cell.persons)) for key, cell in expected.items()}
    contacts = Counter(
        (stage, contact)
        for stage, contact in {
            (row.coded["stage"], row.contact)
            for row in plain.events
            if row.person and row.contact and asked(scope).known(row, plain) and asked(scope).inside(row.time)
        }
    )
    firsts: dict[Any, bool] = {}
    for row in plain.events:
        if row.contact and row.person and asked(scope).known(row, plain) and asked(scope).inside(row.time):
            firsts.setdefault(row.contact, row.inbound)
    for at, stage in enumerate(STAGES):
        assert found.contacts[at].sum() == sum(1 for one, contact in contacts if one == stage and firsts[contact])


def test_the_rest_of_a_lane_is_added_up(shops: Shops) -> None:
    log, _ = shops(9)
    plan = plan_lanes(plan_scope(Scope(), log), log, MODEL)
    found = count_lanes(plan, log)
    persons = [100] * len(STAGES)
    every = lane_rows(plan, found, persons, top=100, lanes=list(LANES))
    short = lane_rows(plan, found, persons, top=1, lanes=list(LANES))
    for stage in STAGES:
        for lane in LANES:
            whole = [row for row in every if (row["stage"], row["lane"]) == (stage, lane)]
            cut = [row for row in short if (row["stage"], row["lane"]) == (stage, lane)]
            assert sum(row["number"] for row in cut) == sum(row["number"] for row in whole)
            assert [row["item"] for row in cut] in (
                [],
                [whole[0]["item"]] if whole else [],
                [*(row["item"] for row in whole[:1]), OTHER],
            )
            for row in whole:
                assert (row["low"], row["high"]) == wilson(row["persons"], 100)


def scored_rows(seed: int) -> list[dict[str, Any]]:
    """A random shop whose customers also answer, with and without an order, on told and untold scales."""
    rng = random.Random(seed)
    rows = random_rows(seed, most=80)
    for n in range(rng.randrange(12)):
        near = rng.choice(rows)
        name = rng.choice(("Survey Answered", "Survey Answered", "Product Reviewed"))
        properties = rng.choice(('{"survey": "nps"}', '{"survey": "csat"}', '{"survey": "ces", "scale": 5}', "{}"))
        fields = {"score": float(rng.randrange(0, 11)), "properties": properties, "message_id": f"s{n}"}
        fields |= {"source": "survey", "source_kind": "survey", "user_id": near.get("user_id")}
        if rng.random() < 0.5:
            fields["order_id"] = f"o{rng.randrange(8)}"
        rows.append(event(near["timestamp"].replace(tzinfo=None), name, **fields))
    return rows


@given(seed=st.integers(0, 10_000), scope=st.sampled_from(SCOPES))
@settings(deadline=None, max_examples=15)
def test_answers_stand_at_the_stage_they_are_about(memory: Path, seed: int, scope: dict[str, Any]) -> None:
    log = build_shop(memory / f"feedback-{seed}", scored_rows(seed))
    plain = plain_log(log)
    plan = plan_feedback(log, MODEL)
    limits = plan_scope(Scope(**scope), log)
    lanes = plan_lanes(limits, log, MODEL)
    found = count_lanes(lanes, log).feedback
    answers = naive_answers(log, plain)
    expected = naive.feedback(plain, asked(scope), answers, MODEL.stages[MODEL.after_order].key)
    for at, stage in enumerate(STAGES):
        for kind_at, kind in enumerate(plan.kinds):
            mine = {share: n for (one, name, share), n in expected.items() if (one, name) == (stage, kind)}
            sums = found.sums[at, kind_at].sum(axis=1).tolist()
            assert sums[0] == sum(mine.values())
            assert sums[1] == sum(round(share * MILLION) * n for share, n in mine.items())
    assert sum(expected.values()) == int(found.sums[:, :, 0].sum())


def naive_answers(log: JourneyLog, plain: Log) -> list[naive.Answered]:
    answers, first = [], 0
    for bucket in (*log.buckets, log.unidentified):
        details = {row["event"]: row for row in bucket.table("details").batch.to_pylist()}
        for n, score in enumerate(bucket.events.values("score").tolist()):
            if score == score:
                told = details.get(n, {})
                scale = told.get("scale")
                known = scale if scale is not None and scale == scale else None
                answers.append(naive.Answered(plain.events[first + n], told.get("survey", ""), known, score))
        first += bucket.n_events
    return answers


def test_a_review_of_five_stars_praises_what_came_before_it(memory: Path) -> None:
    who = {"user_id": "anna"}
    rows = [
        event("2024-03-01T10:00", "Product Viewed", **who),
        event("2024-03-01T10:05", "Order Completed", order_id="o1", value=1000, currency="EUR", **who),
        event("2024-03-04T10:00", "Order Delivered", order_id="o1", source="post", source_kind="delivery", **who),
        event("2024-03-09T10:00", "Product Reviewed", order_id="o1", score=5.0, **who),
        event("2024-03-09T11:00", "Survey Answered", order_id="o1", score=9.0, properties='{"survey":"nps"}', **who),
    ]
    log = build_shop(memory / "five-stars", rows)
    plan = plan_feedback(log, MODEL)
    total = None
    for bucket in log.buckets:
        part = feedback_of(plan, bucket, NO_MASK)
        total = part if total is None else total.merge(part)
    assert total is not None
    told = {(row["stage"], row["kind"]): row for row in feedback_rows(plan, total)}
    assert set(told) == {("retention", "all"), ("retention", "review"), ("retention", "nps")}
    assert told["retention", "review"]["satisfaction"] == 1.0
    assert told["retention", "nps"]["satisfaction"] == 0.9
    assert told["retention", "nps"]["nps"] == 100.0
    assert told["retention", "all"]["satisfaction"] == pytest.approx(0.95)


@given(number=st.integers(0, N_SHOPS - 1), scope=st.sampled_from(SCOPES))
@settings(deadline=None, max_examples=10)
def test_the_map_reconciles(shops: Shops, number: int, scope: dict[str, Any]) -> None:
    log, _ = shops(number)
    basis = Basis()
    answer = run_map(MapSpec(scope=Scope(**scope)), log, basis)
    of_persons, of_nobody = total_orders(plan_scope(Scope(**scope), log), log, basis)
    stages = answer.tables["stages"].to_pylist()
    assert [row["stage"] for row in stages] == list(STAGES)
    assert sum(row["orders"] for row in stages) == answer.totals["orders"] == of_persons.orders
    assert sum(row["value"] * 100 for row in stages) == answer.totals["value"] * 100 == of_persons.value
    assert answer.totals["unidentified_orders"] == of_nobody.orders
    known = {kpi for kpis in MAP_KPIS.values() for kpi in kpis}
    assert {row["kpi"] for row in answer.tables["kpis"].to_pylist()} == known


def test_goals_of_another_persona_are_left_out(shops: Shops) -> None:
    log, _ = shops(3)
    goals = [
        MapGoal("awareness", customer="find out"),
        MapGoal("conversion", brand="sell", persona="beginners"),
        MapGoal("nowhere", brand="lost"),
    ]
    answer = run_map(MapSpec(), log, goals=goals)
    assert [row["stage"] for row in answer.tables["goals"].to_pylist()] == ["awareness"]
    scope = Scope(persona="beginners", persons="n_orders >= 0")
    of_persona = run_map(MapSpec(scope=scope), log, goals=goals)
    assert [row["stage"] for row in of_persona.tables["goals"].to_pylist()] == ["awareness", "conversion"]


def test_a_map_has_stages_as_columns_and_nothing_else() -> None:
    with pytest.raises(SpecError, match="broken down by stage"):
        MapSpec(scope=Scope(by="channel"))
    with pytest.raises(SpecError, match="told apart"):
        MapSpec(top=0)
    spec = MapSpec(top=3, scope=Scope(where="place = store"))
    assert spec_from_json(MapSpec, spec_to_json(spec)) == spec
