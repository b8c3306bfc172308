"""The journey map against its plain twin on small shops, its curve against hand-made answers, its sums."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses.basis import Basis
from percorso.analyses.feedback import MILLION, feedback_of, feedback_rows, plan_feedback
from percorso.analyses.intervals import bounded_mean, nps_interval, wilson
from percorso.analyses.kpis import KpisSpec, run_kpis
from percorso.analyses.map import MAP_KPIS, MapSpec, run_map
from percorso.analyses.map_lanes import LANES, OTHER, count_lanes, lane_rows, plan_lanes, signal_rows
from percorso.analyses.orders_in import total_orders
from percorso.analyses.select import NO_MASK, plan_scope
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.errors import SpecError
from percorso.kernels.arrays import I64
from percorso.settings import MapGoal
from percorso.settings.stages import STAGE_MODELS
from percorso.store.journey_log import JourneyLog
from tests.analyses.contact_logs import N_SHOPS, SETTINGS, build_shop, plain_log, random_rows
from tests.analyses.test_channels import SCOPES, asked
from tests.journeys.worlds import build_files
from tests.lake_builder import event, lake_files
from tests.naive import map as naive
from tests.naive.channels import Log

Shops = Callable[[int], tuple[JourneyLog, Log]]
MODEL = STAGE_MODELS["retail"]
STAGES = tuple(stage.key for stage in MODEL.stages)
PAYMENTS = "payment_failed"
SURVEYS = (
    '{"survey": "nps"}',
    '{"survey": "nps", "survey_name": "delivery"}',
    '{"survey": "csat"}',
    '{"survey": "csat", "scale": 10}',
    '{"survey": "ces", "scale": 5}',
    "{}",
)


@given(number=st.integers(0, N_SHOPS - 1), scope=st.sampled_from(SCOPES), threads=st.sampled_from((1, 2)))
@settings(deadline=None, max_examples=40)
def test_cells_equal_the_plain_ones(shops: Shops, number: int, scope: dict[str, Any], threads: int) -> None:
    log, plain = shops(number)
    plan = plan_lanes(plan_scope(Scope(**scope), log), log, Basis())
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
    groups = (found.contacts, found.persons)
    assert tuple(map(by_stage_and_group, groups)) == naive.by_group(plain, asked(scope))


def by_stage_and_group(counts: I64) -> dict[tuple[str, int], int]:
    return {(STAGES[at], group): int(n) for (at, group), n in np.ndenumerate(counts) if n}


def test_the_rest_of_a_lane_is_added_up(shops: Shops) -> None:
    log, _ = shops(9)
    plan = plan_lanes(plan_scope(Scope(), log), log, Basis())
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
        properties = rng.choice(SURVEYS)
        fields = {"score": float(rng.randrange(0, 11)), "properties": properties, "message_id": f"s{n}"}
        fields |= {"source": "survey", "source_kind": "survey", "user_id": near.get("user_id")}
        if rng.random() < 0.5:
            fields["order_id"] = f"o{rng.randrange(8)}"
        rows.append(event(near["timestamp"].replace(tzinfo=None), name, **fields))
    for near in rng.sample(rows, min(len(rows), rng.choice((0, 3)))):
        who = {"user_id": near.get("user_id"), "source": "web", "source_kind": "web"}
        rows.append(event(near["timestamp"].replace(tzinfo=None), "Payment Failed", **who))
    return rows


@given(seed=st.integers(0, 10_000), scope=st.sampled_from(SCOPES))
@settings(deadline=None, max_examples=15)
def test_answers_stand_at_the_stage_they_are_about(memory: Path, seed: int, scope: dict[str, Any]) -> None:
    log = build_shop(memory / f"feedback-{seed}", scored_rows(seed))
    plain = plain_log(log)
    lanes = plan_lanes(plan_scope(Scope(**scope), log), log, Basis())
    found = count_lanes(lanes, log)
    plan = lanes.feedback
    placed = naive.feedback(plain, asked(scope), naive_answers(log, plain), MODEL.stages[MODEL.after_order].key)
    for at, stage in enumerate(STAGES):
        here = [one for one in placed if one.stage == stage]
        assert found.feedback.sums[at, -1].tolist() == plain_sums(here, found.feedback.sums[at, -1, 2])
        for position, kind in enumerate(plan.kinds):
            sums = found.feedback.sums[at, position]
            assert sums.tolist() == plain_sums([one for one in here if (one.kind, one.survey) == kind], sums[2])
    failed, paid = naive.payments(plain, asked(scope))
    rows = {row["stage"]: row for row in signal_rows(lanes, found, [0] * len(STAGES)) if row["signal"] == PAYMENTS}
    told = PAYMENTS in lanes.told
    assert told == any(event.coded["event"] == "Payment Failed" for event in plain.events if event.person)
    for stage in STAGES:
        n = failed[stage] + paid[stage]
        assert (stage in rows) == (n > 0)
        if n:
            assert (rows[stage].get("hits"), rows[stage]["n"]) == (failed[stage] if told else None, n)


def plain_sums(answers: list[naive.Placed], scores: Any) -> list[int]:
    """The sums of some answers; those of their scores, which depend on each scale, are taken as they are."""
    each = Counter(one.person for one in answers)
    share = sum(round(one.share * MILLION) for one in answers)
    good, bad = (sum(getattr(one, name) for one in answers) for name in ("good", "bad"))
    return [len(answers), share, int(scores), good, bad, sum(n * n for n in each.values())]


def naive_answers(log: JourneyLog, plain: Log) -> list[naive.Answered]:
    answers, first = [], 0
    for bucket in (*log.buckets, log.unidentified):
        details = {row["event"]: row for row in bucket.table("details").batch.to_pylist()}
        for n, score in enumerate(bucket.events.values("score").tolist()):
            if score == score:
                told = details.get(n, {})
                scale = told.get("scale")
                known = scale if scale is not None and scale == scale else None
                names = (told.get("survey", ""), told.get("survey_name", ""))
                answers.append(naive.Answered(plain.events[first + n], *names, known, score))
        first += bucket.n_events
    return answers


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=10)
def test_the_same_words_show_the_same_number(memory: Path, seed: int) -> None:
    """Over the stages the answers of a survey, and the payments, are those of the KPI of the same name."""
    log = build_shop(memory / f"feedback-{seed}", scored_rows(seed))
    answer = run_map(MapSpec(), log)
    told = run_kpis(KpisSpec(kpis=("nps", "csat", "ces", "payment_failure")), log)
    surveys = told.tables["surveys"].to_pylist() if "surveys" in told.tables else []
    for row in surveys:
        mine = [one for one in answer.tables["feedback"].to_pylist() if one["kind"] == row["kpi"]]
        mine = [one for one in mine if one["survey"] == row["survey"]]
        assert sum(one["n"] for one in mine) == row["n"]
        best = sum((one["nps"] if row["kpi"] == "nps" else one["good"]) * one["n"] for one in mine)
        assert row["value"] is None or best / row["n"] == pytest.approx(row["value"])
    (kpi,) = (row for row in told.table.to_pylist() if row["kpi"] == "payment_failure")
    payments = [row for row in answer.tables["signals"].to_pylist() if row["signal"] == PAYMENTS]
    hits = [row["hits"] for row in payments]
    if kpi["value"] is None:
        assert all(one is None for one in hits)
    else:
        assert (sum(hits), sum(row["n"] for row in payments)) == (round(kpi["value"] * kpi["n"]), kpi["n"])


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
    for row in told.values():
        assert row["low"] < row["high"] == 1.0 or row["low"] < row["satisfaction"] < row["high"]
    # Both answers are of one person: worth one.
    assert (told["retention", "all"]["low"], told["retention", "all"]["high"]) == bounded_mean(0.95, 1)


def test_equal_answers_have_an_interval_with_a_width(memory: Path) -> None:
    rows = [event("2024-03-01T10:00", "Page Viewed", user_id=f"p{n}") for n in range(3)]
    for n in range(3):
        fields = {"user_id": f"p{n}", "source": "survey", "source_kind": "survey"}
        rows.append(event(f"2024-03-02T1{n}:00", "Survey Answered", score=10, properties='{"survey":"nps"}', **fields))
    answer = run_map(MapSpec(), build_shop(memory / "equal", rows))
    (row,) = (row for row in answer.tables["feedback"].to_pylist() if row["kind"] == "nps")
    assert (row["satisfaction"], row["nps"], row["n"]) == (1.0, 100.0, 3)
    assert (row["low"], row["high"]) == pytest.approx((0.4385, 1.0), abs=1e-4)
    assert (row["nps_low"], row["nps_high"]) == pytest.approx((-6.6, 100.0), abs=0.05)
    (stage,) = (row for row in answer.tables["stages"].to_pylist() if row["persons"])
    assert (stage["contacts_each"], stage["contacts_low"], stage["contacts_high"]) == (2.0, None, None)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_intervals_of_answers_have_a_width_and_hold_the_value(good: int, passive: int, bad: int) -> None:
    n = good + passive + bad
    if not n:
        assert bounded_mean(0.5, 0) is nps_interval(0, 0, 0) is None
        return
    low, high = nps_interval(good, bad, n) or (0.0, 0.0)
    assert -100 <= low <= 100 * (good - bad) / n <= high <= 100
    assert low < high
    mean = (good + passive / 2) / n
    low, high = bounded_mean(mean, n) or (0.0, 0.0)
    assert 0 <= low <= mean <= high <= 1
    assert low < high
    mirrored = bounded_mean(1 - mean, n) or (0.0, 0.0)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high))


def test_the_latest_answer_of_a_person_counts(memory: Path) -> None:
    said = (("03", 3, "delivery"), ("04", 10, "delivery"), ("05", 2, "yearly"))
    rows = [event("2024-03-01T10:00", "Page Viewed", user_id="anna")]
    for day, score, name in said:
        fields = {"user_id": "anna", "source": "survey", "source_kind": "survey", "message_id": day}
        properties = f'{{"survey": "nps", "survey_name": "{name}"}}'
        rows.append(event(f"2024-03-{day}T10:00", "Survey Answered", score=score, properties=properties, **fields))
    answer = run_map(MapSpec(), build_shop(memory / "latest", rows))
    told = {(row["kind"], row["survey"]): row["nps"] for row in answer.tables["feedback"].to_pylist()}
    assert told == {("all", ""): None, ("nps", "delivery"): 100.0, ("nps", "yearly"): -100.0}


def test_a_till_says_nothing_of_payments(memory: Path) -> None:
    till = {"source": "pos", "source_kind": "pos", "user_id": "anna", "value": 10, "currency": "EUR"}
    rows = [event("2024-03-01T10:00", "Order Completed", order_id="o1", **till)]
    of_till = run_map(MapSpec(), build_shop(memory / "till", rows))
    assert (of_till.tables["signals"].num_rows, of_till.totals["signals_told"]) == (0, [])
    site = till | {"source": "web", "source_kind": "web"}
    rows.append(event("2024-03-02T10:00", "Order Completed", order_id="o2", **site))
    of_site = run_map(MapSpec(), build_shop(memory / "site", rows))
    (row,) = of_site.tables["signals"].to_pylist()
    assert (row["n"], row["hits"], row["share"]) == (1, None, None)
    rows.append(event("2024-03-02T09:59", "Payment Failed", user_id="anna", source="web", source_kind="web"))
    of_failed = run_map(MapSpec(), build_shop(memory / "failed", rows))
    (row,) = of_failed.tables["signals"].to_pylist()
    assert (row["n"], row["hits"], of_failed.totals["signals_told"]) == (2, 1, [PAYMENTS])


def test_kpis_of_orders_stand_where_orders_do(memory: Path) -> None:
    """A model that tells orders from what leads to them."""
    who = {"user_id": "anna", "source": "web", "source_kind": "web"}
    bought = {"order_id": "o1", "value": 10, "currency": "EUR"}
    rows = [event("2024-03-01T10:00", "Product Added", category="drums", **who)]
    rows += [event("2024-03-01T10:05", "Payment Failed", **who)]
    rows += [event("2024-03-01T10:09", "Order Completed", **who, **bought)]
    model = STAGE_MODELS["familiarity"]
    chosen = replace(SETTINGS, stages=model)
    folder = memory / "familiarity"
    log, _ = build_files(folder, lake_files(folder / "lake", rows), chosen)
    answer = run_map(MapSpec(), log, Basis(stages=model))
    (ordered,) = (row["stage"] for row in answer.tables["stages"].to_pylist() if row["orders"])
    stage_of = {row["kpi"]: row["stage"] for row in answer.tables["kpis"].to_pylist()}
    assert {stage_of[kpi] for kpi in MAP_KPIS["order"]} == {ordered} == {"purchase"}
    assert stage_of["cart_abandonment"] == "consideration"
    exits = {row["stage"]: row["exit_share"] for row in answer.tables["stages"].to_pylist()}
    # Nobody who ordered can leave without an order; who came to the cart could, and did not.
    assert (exits["purchase"], exits["consideration"]) == (None, 0.0)
    (row,) = answer.tables["signals"].to_pylist()
    assert (row["stage"], row["hits"], row["n"]) == ("consideration", 1, 2)


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
