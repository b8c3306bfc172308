"""Journeys against their plain twin on shops that are really built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses.customer import PersonRow, history_of
from percorso.analyses.journeys import JourneysSpec, journeys_people, run_journeys
from percorso.analyses.journeys_counts import LENGTHS, span_bin
from percorso.analyses.outcomes import ALL_OUTCOMES
from percorso.analyses.people import people_table
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.errors import NotFound, SpecError
from percorso.settings import Settings, WorkspaceSettings
from percorso.store.journey_log import FLAG_BOT, FLAG_FUTURE, FLAG_HEAVY, FLAG_SAME_ORDER, JourneyLog
from tests.analyses.shop_lives import ShopLife, day_of, micros, persons_of, shop, shop_lives
from tests.journeys.test_build import build
from tests.lake_builder import event
from tests.naive import journey_lengths as naive
from tests.naive import survival as naive_survival
from tests.naive.flow import nearest_rank

OUT = FLAG_BOT | FLAG_HEAVY | FLAG_FUTURE | FLAG_SAME_ORDER


def outcome_of(journey: dict[str, Any], orders: list[dict[str, Any]], as_of: int) -> str:
    if journey["kind"] == "purchase":
        if -1 != journey["goal_time"] <= as_of:
            return "converted"
        return "abandoned" if journey["intent"] + journey["timeout"] <= as_of else "open"
    (order,) = [one for one in orders if one["journey"] == journey["number"]]
    if -1 != order["returned"] <= as_of:
        return "returned"
    over = -1 != order["ended"] <= as_of
    if over and order["status"] == "refunded" and -1 != order["delivered"] <= order["ended"]:
        return "returned"
    return "cancelled" if over else "kept"


def plain_journeys(log: JourneyLog, zone: str, as_of: int) -> list[dict[str, Any]]:
    """Every journey with its outcome and lengths."""
    found = []
    for name, person in persons_of(log).items():
        for journey in person.journeys:
            rows = [
                naive.Row(
                    number=one["number"],
                    time=one["time"],
                    day=day_of(one["time"], zone),
                    contact=one["contact"] if one["contact"] >= 0 else None,
                    session=one["session"] if one["session"] >= 0 else None,
                    kept=not one["flags"] & OUT,
                )
                for one in person.events
                if one["journey"] == journey["number"]
            ]
            goal = journey["goal_event"] if journey["goal_event"] >= 0 else None
            lengths = dict(zip(LENGTHS, naive.measures(rows, as_of, goal), strict=True))
            if journey["start"] <= as_of:
                found.append(journey | lengths | {"person": name, "outcome": outcome_of(journey, person.orders, as_of)})
    return found


@given(shop_lives(), st.sampled_from(("", "purchase", "order")), st.sampled_from((1, 2)))
@settings(deadline=None, max_examples=25)
def test_journeys_equal_the_plain_ones(life: ShopLife, kind: str, threads: int) -> None:
    spec = JourneysSpec(kind=kind, by="first_place", scope=Scope(timezone=life.zone, as_of=life.as_of))
    with shop(life) as log:
        as_of = micros(life.as_of) if life.as_of else log.as_of_us
        every = [one for one in plain_journeys(log, life.zone, as_of) if kind in ("", one["kind"])]
        answer = run_journeys(spec, log, threads=threads)
        for row in answer.table.to_pylist():
            group = row["first_place"]
            mine = [one for one in every if (one["first_place"], one["outcome"]) == (group, row["outcome"])]
            assert row["journeys"] == len(mine)
            people = people_table(log, journeys_people(spec, log, row["outcome"], group=group))
            assert len(people) == len({one["person"] for one in mine})
    assert answer.totals["journeys"] == len(every)
    _lengths_agree(answer.tables["lengths"].to_pylist(), every)
    _conversion_agrees(answer.tables["conversion"].to_pylist(), every, as_of)
    _curve_agrees(answer.tables["curve"].to_pylist(), every, as_of)
    _times_agree(answer.tables["times"].to_pylist(), every)
    bars = [row for row in answer.tables["histogram"].to_pylist() if row["measure"] == "events"]
    assert sum(row["journeys"] for row in bars) == len(every)


def _lengths_agree(rows: list[dict[str, Any]], every: list[dict[str, Any]]) -> None:
    for row in rows:
        mine = [
            one[row["measure"]]
            for one in every
            if (one["first_place"], one["outcome"]) == (row["first_place"], row["outcome"])
        ]
        assert row["n"] == len(mine)
        assert row["median"] == nearest_rank(mine, 1, 2)
        assert row["p90"] == nearest_rank(mine, 9, 10)
        assert row["mean"] == pytest.approx(sum(mine) / len(mine))
        assert (row["median_low"] is None) == (len(mine) < 6)


def _conversion_agrees(rows: list[dict[str, Any]], every: list[dict[str, Any]], as_of: int) -> None:
    for row in rows:
        mine = [one for one in every if (one["kind"], one["first_place"]) == ("purchase", row["first_place"])]
        spans = _spans(mine, as_of)
        assert row["opened"] == len(spans)
        longest = max(time for time, _ in spans)
        # Each has a time-out of its own: a journey is old if its age is beyond it.
        if naive_survival.watched_enough([as_of - one["start"] - one["timeout"] for one in mine], 0):
            assert row["conversion"] == pytest.approx(naive_survival.incidence(spans, longest))
            assert row["missing"] is None
        else:
            assert (row["conversion"], row["low"], row["high"], row["missing"]) == (None, None, None, "too_young")
        assert row["converted_share"] == pytest.approx(sum(how == "happened" for _, how in spans) / len(spans))


def _spans(journeys: list[dict[str, Any]], as_of: int) -> list[naive_survival.Span]:
    found: list[naive_survival.Span] = []
    for one in journeys:
        end, how = {
            "converted": (one["goal_time"], "happened"),
            "abandoned": (one["intent"] + one["timeout"], "otherwise"),
            "open": (as_of, ""),
        }[one["outcome"]]
        found.append((int(span_bin(np.array([end - one["start"]]))[0]), how))
    return found


def _curve_agrees(rows: list[dict[str, Any]], every: list[dict[str, Any]], as_of: int) -> None:
    for row in rows:
        mine = [one for one in every if (one["kind"], one["first_place"]) == ("purchase", row["first_place"])]
        spans, within = _spans(mine, as_of), row["within_s"] * 1_000_000
        last = int(span_bin(np.array([within - 1]))[0])
        longest = max(time for time, _ in spans)
        known = last <= longest or all(how for time, how in spans if time == longest)
        if known and naive_survival.watched_enough([as_of - one["start"] for one in mine], within):
            assert row["conversion"] == pytest.approx(naive_survival.incidence(spans, last))
        else:
            assert (row["conversion"], row["low"], row["high"]) == (None, None, None)


def test_one_that_was_watched_does_not_stand_for_fifty_that_just_opened(tmp_path: Path) -> None:
    """51 journeys, one converted on day 20, 50 opened that day: 100 % is what the curve would say, and nobody knows."""
    rows = [
        event("2024-03-01T10:00:00", "Product Viewed", user_id="old"),
        event("2024-03-21T10:00:00", "Order Completed", user_id="old", order_id="1", value=100),
    ]
    rows += [event(f"2024-03-21T10:{at:02d}:00", "Product Viewed", user_id=f"p{at}") for at in range(50)]
    answer = run_journeys(JourneysSpec(), build(tmp_path, rows))
    (row,) = answer.tables["conversion"].to_pylist()
    assert (row["opened"], row["converted"], row["open"]) == (51, 1, 50)
    assert (row["conversion"], row["low"], row["high"], row["missing"]) == (None, None, None, "too_young")
    assert any(text.startswith("Conversion is left out in 1 of 1 rows") for text in answer.warnings)
    told = {one["within_s"]: one["conversion"] for one in answer.tables["curve"].to_pylist()}
    assert set(told.values()) == {None}
    # A time-out later the fifty are abandoned: now it is known, and it is the plain share.
    rows.append(event("2024-04-25T10:00:00", "Email Delivered", user_id="old"))
    later = run_journeys(JourneysSpec(), build(tmp_path / "later", rows)).tables["conversion"].to_pylist()[0]
    assert (later["conversion"], later["missing"]) == (pytest.approx(1 / 51), None)


def _times_agree(rows: list[dict[str, Any]], every: list[dict[str, Any]]) -> None:
    for row in rows:
        mine = [
            one["goal_time"] - one["start"]
            for one in every
            if (one["first_place"], one["outcome"]) == (row["first_place"], "converted")
        ]
        median, p90 = (nearest_rank(mine, *share) for share in ((1, 2), (9, 10)))
        assert median is not None
        assert p90 is not None
        assert (row["n"], row["median_s"], row["p90_s"]) == (len(mine), median / 1e6, p90 / 1e6)


@given(shop_lives())
@settings(deadline=None, max_examples=10)
def test_outcomes_are_those_of_the_customers_page(life: ShopLife) -> None:
    """Outside oracle of another way through the log: one person at a time."""
    spec = JourneysSpec(scope=Scope(timezone=life.zone, as_of=life.as_of))
    known = Settings(workspace=WorkspaceSettings(timezone=life.zone))
    with shop(life) as log:
        totals = run_journeys(spec, log).totals
        as_of = micros(life.as_of) if life.as_of else log.as_of_us
        every = [
            journey.outcome
            for bucket in log.buckets
            for row in range(bucket.n_persons)
            for journey in history_of(PersonRow(bucket, row), known, as_of_us=as_of).journeys
        ]
    assert {name: totals[name] for name in ALL_OUTCOMES} == {name: every.count(name) for name in ALL_OUTCOMES}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> JourneyLog:
    """Anna looks, comes back and buys; asks about the order and praises it. Bea looks; Carla is still at it."""
    rows = [
        event("2024-03-01T10:00:00", "Product Viewed", user_id="anna", session_id="1", category="Shoes"),
        event("2024-03-01T10:01:00", "Product Viewed", user_id="anna", session_id="1", category="Shoes"),
        event("2024-03-03T10:00:00", "Product Viewed", user_id="anna", session_id="2", utm_medium="email"),
        event("2024-03-03T12:00:00", "Order Completed", user_id="anna", session_id="3", order_id="1", value=5000),
        event("2024-03-06T10:00:00", "Order Delivered", user_id="anna", order_id="1"),
        event("2024-03-07T10:00:00", "Ticket Opened", user_id="anna", order_id="1"),
        event("2024-03-09T10:00:00", "Product Reviewed", user_id="anna", order_id="1", score=5.0),
        event("2024-03-02T10:00:00", "Product Viewed", user_id="bea"),
        event("2024-04-20T10:00:00", "Product Viewed", user_id="carla"),
    ]
    return build(tmp_path_factory.mktemp("journeys"), rows)


def test_lengths_and_times_of_one_journey(log: JourneyLog) -> None:
    answer = run_journeys(JourneysSpec(kind="purchase", scope=Scope(timezone="Europe/Rome")), log)
    lengths = {
        row["measure"]: row["median"] for row in answer.tables["lengths"].to_pylist() if row["outcome"] == "converted"
    }
    assert lengths == {
        "events": 4,
        "contacts": 3,
        "sessions": 3,
        "active_days": 2,
        "contacts_to_convert": 3,
        "sessions_to_convert": 3,
        "active_days_to_convert": 2,
    }
    (times,) = answer.tables["times"].to_pylist()
    assert times["median_s"] == 50 * 3600
    assert {name: answer.totals[name] for name in ("converted", "abandoned", "open")} == {
        "converted": 1,
        "abandoned": 1,
        "open": 1,
    }
    assert answer.totals["orders"] == 1


def test_flags_of_orders(log: JourneyLog) -> None:
    flags = {
        row["flag"]: (row["journeys"], row["of"])
        for row in run_journeys(JourneysSpec(kind="order"), log).tables["flags"].to_pylist()
    }
    assert (flags["contacted"], flags["advocated"]) == ((1, 1), (1, 1))
    before = run_journeys(JourneysSpec(kind="order", scope=Scope(as_of="2024-03-06")), log)
    assert {row["flag"]: row["journeys"] for row in before.tables["flags"].to_pylist()}["contacted"] == 0


def test_late_is_delivered_after_the_promised_day(tmp_path: Path) -> None:
    """Promised for 4 March: on that day is in time, in Rome's time too; without a promise nothing is known."""
    rows = []
    for number, delivered in (("1", "2024-03-04T22:30:00"), ("2", "2024-03-04T23:30:00"), ("3", "2024-03-09T10:00:00")):
        told = {} if number == "3" else {"properties": json.dumps({"promised_at": "2024-03-04T10:00:00Z"})}
        rows.append(event("2024-03-01T10:00:00", "Order Completed", user_id=number, order_id=number, **told))
        rows.append(event(delivered, "Order Delivered", user_id=number, order_id=number))
    spec = JourneysSpec(kind="order", scope=Scope(timezone="Europe/Rome"))
    (late, *_) = run_journeys(spec, build(tmp_path, rows)).tables["flags"].to_pylist()
    assert (late["flag"], late["journeys"], late["of"]) == ("late", 1, 2)


def test_the_period_is_that_of_opening_and_conditions_are_on_the_first_event(log: JourneyLog) -> None:
    def opened(**scope: Any) -> int:
        return int(run_journeys(JourneysSpec(kind="purchase", scope=Scope(**scope)), log).totals["journeys"])

    assert opened(start="2024-03-02", end="2024-03-31") == 1
    assert opened(where="category = Shoes") == 1
    assert opened(where="event = 'Order Completed'") == 0


def test_only_persons_of_a_rule(log: JourneyLog) -> None:
    spec = JourneysSpec(kind="purchase", scope=Scope(persons="orders >= 1"))
    assert run_journeys(spec, log).totals["journeys"] == 1


@pytest.mark.parametrize("wrong", [{"kind": "trip"}, {"by": "url"}, {"scope": Scope(by="place")}])
def test_wrong_questions_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        JourneysSpec(**wrong)


def test_wrong_cells_are_refused(log: JourneyLog) -> None:
    with pytest.raises(SpecError, match="no outcome"):
        journeys_people(JourneysSpec(), log, "won")
    with pytest.raises(NotFound, match="first_place 'shop'"):
        journeys_people(JourneysSpec(by="first_place"), log, "converted", group="shop")


def test_an_empty_log_has_no_journeys(tmp_path: Path) -> None:
    empty = build(tmp_path, [event("2024-03-01T10:00:00", "Email Delivered", user_id="a")])
    answer = run_journeys(JourneysSpec(), empty)
    assert answer.totals["journeys"] == 0
    assert all(table.num_rows == 0 for table in answer.tables.values())


def test_spec_is_its_json() -> None:
    spec = JourneysSpec(kind="order", by="first_channel", scope=Scope(end="2024-03-01"))
    assert spec_from_json(JourneysSpec, json.loads(json.dumps(spec_to_json(spec)))) == spec
