"""The lifecycle, relationships and churn against their plain twin, and against history."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses import relationship
from percorso.analyses.customer import PersonRow, history_of
from percorso.analyses.history import AMBASSADOR_US, HistoryOrder, relationship_of
from percorso.analyses.lifecycle import LifecycleSpec, lifecycle_people, run_lifecycle
from percorso.analyses.lifecycle_counts import STATES
from percorso.analyses.people import people_table
from percorso.analyses.person_orders import live_orders
from percorso.analyses.relationship import ALL_RELATIONSHIPS, knows_lost, lapse_limits, limits_of, relationship_codes
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.analyses.survival import kaplan_meier
from percorso.errors import NotFound, SpecError
from percorso.kernels.churn import count_churn
from percorso.settings import Settings, WorkspaceSettings
from tests.analyses.shop_lives import Person, ShopLife, day_of, micros, persons_of, shop, shop_lives
from tests.analyses.test_retention import label_of
from tests.journeys.test_build import build
from tests.lake_builder import event
from tests.naive import lifecycle as naive
from tests.naive import retention as naive_retention


def advocated(person: Person, as_of: int) -> list[int]:
    return [one["time"] for one in person.events if one["signal"] == "advocate" and one["time"] <= as_of]


@given(shop_lives(), st.sampled_from(("day", "week", "month")), st.sampled_from((1, 2)))
@settings(deadline=None, max_examples=20)
def test_intervals_equal_the_plain_ones(life: ShopLife, unit: str, threads: int) -> None:
    spec = LifecycleSpec(unit=unit, scope=Scope(timezone=life.zone, as_of=life.as_of))
    with shop(life) as log:
        as_of = micros(life.as_of) if life.as_of else log.as_of_us
        persons, answer = persons_of(log), run_lifecycle(spec, log, threads=threads)
        rows = answer.table.to_pylist()
        for row in [row for row in rows if row["active"] or row["dormant"]][:6]:
            for state in STATES:
                if row[state] is not None:
                    people = people_table(log, lifecycle_people(spec, log, state, row["interval"]))
                    assert len(people) == row[state]
        for row in answer.tables["relationships"].to_pylist():
            assert len(people_table(log, lifecycle_people(spec, log, row["relationship"]))) == row["persons"]
    active = {
        name: {
            naive_retention.period_of(day_of(one["time"], life.zone), unit)
            for one in person.events
            if one["direction"] == "inbound" and one["time"] <= as_of
        }
        for name, person in persons.items()
    }
    by_label = {label_of(n, unit): n for mine in active.values() for m in mine for n in range(m, m + 3)}
    now = naive_retention.period_of(day_of(as_of + 1, life.zone), unit)
    for row in rows:
        interval = by_label.get(row["interval"], -1)
        expected = naive.states({name: mine for name, mine in active.items() if mine}, interval)
        complete = interval < now if interval >= 0 else row["complete"]
        assert row["complete"] == complete
        assert {name: row[name] for name in STATES} == (expected if complete else expected | {"dormant": None})
        assert row["active"] == sum(interval in mine for mine in active.values())
    times = [len({n for n in mine if n < now}) for mine in active.values()]
    sticky = {row["intervals"]: row["persons"] for row in answer.tables["stickiness"].to_pylist() if row["persons"]}
    assert sticky == {n: times.count(n) for n in set(times) if n}


@given(shop_lives(), st.sampled_from(((9, 40), (0, 1), (200, 300), None)))
@settings(deadline=None, max_examples=20)
def test_relationships_equal_history_and_the_plain_ones(life: ShopLife, limits: tuple[int, int] | None) -> None:
    with shop(life) as log, pytest.MonkeyPatch.context() as patch:
        as_of = micros(life.as_of) if life.as_of else log.as_of_us
        patch.setattr(relationship, "FEW", 0)
        patch.setattr(relationship, "limits_of", lambda curve: limits)
        lapse = lapse_limits(log, life.zone, as_of)
        persons = persons_of(log)
        known = Settings(workspace=WorkspaceSettings(timezone=life.zone))
        for bucket in log.buckets:
            codes = relationship_codes(bucket, live_orders(bucket, 0, as_of), lapse, as_of_us=as_of)
            for row in range(bucket.n_persons):
                history = history_of(PersonRow(bucket, row), known, as_of_us=as_of, lapse=lapse)
                assert history.relationship == ALL_RELATIONSHIPS[codes[row]]
        found = {
            person.hex(): ALL_RELATIONSHIPS[code]
            for bucket in log.buckets
            for person, code in zip(
                bucket.persons.arrow("person_id").to_pylist(),
                relationship_codes(bucket, live_orders(bucket, 0, as_of), lapse, as_of_us=as_of).tolist(),
                strict=True,
            )
        }
    for name, person in persons.items():
        orders = person.live_orders(as_of)
        days = [day_of(order["time"], life.zone).toordinal() for order in orders]
        praised, today = advocated(person, as_of), day_of(as_of, life.zone).toordinal()
        recent = any(time > as_of - AMBASSADOR_US for time in praised)
        assert found[name] == naive.relationship(days, recent, today, *(limits or (10**6, 10**6)))
        orders_of = [HistoryOrder(n, one["time"], "", "", "live", 1, 0, "EUR", None) for n, one in enumerate(orders)]
        told = relationship_of(orders_of, praised, as_of_us=as_of, timezone=life.zone, limits_days=limits)
        assert found[name] == told


@given(
    st.dictionaries(st.integers(0, 4), st.sets(st.integers(0, 12), min_size=1, max_size=4), max_size=4),
    st.lists(st.integers(0, 15), min_size=2, max_size=5, unique=True),
    st.integers(0, 4),
    st.integers(3, 14),
)
@settings(max_examples=500)
def test_churn_equals_the_plain_one(bought: dict[int, set[int]], edges: list[int], limit: int, today: int) -> None:
    rows = [(person, day) for person in sorted(bought) for day in sorted(bought[person]) if day <= today]
    person, day = (np.array([row[i] for row in rows], np.int32) for i in (0, 1))
    bounds = np.array(sorted(edges), np.int64)
    active, lost = np.zeros(len(bounds) - 1, np.int64), np.zeros(len(bounds) - 1, np.int64)
    count_churn(person, day, np.full(len(rows), limit, np.int32), bounds, today, active, lost)
    purchases = {str(p): [d for d in days if d <= today] for p, days in bought.items()}
    for k, (first, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        if first <= today + 1:
            assert (active[k], lost[k]) == naive.churn(purchases, first, end, today, limit)


def test_limits_are_those_of_who_orders_again() -> None:
    """100 customers: 50 order again, one a day from day 1 to 50; 50 never do and are watched for 400 days."""
    time = np.array([*range(1, 51), 400], np.int64)
    events, censored = np.r_[np.ones(50, np.int64), 0], np.r_[np.zeros(50, np.int64), 50]
    assert limits_of(kaplan_meier(time, events, censored)) == (40, 48)
    assert limits_of(kaplan_meier(time[-1:], events[-1:], censored[-1:])) is None


def shop_rows(n: int, category: str, gap: int) -> list[dict[str, Any]]:
    """So many customers of a category who order twice, `gap` days apart, and so many who order once, in January."""
    rows = []
    for at in range(2 * n):
        person = f"{category}{at}"
        for days in (0, gap)[: 2 - at % 2]:
            moment = date.fromordinal(date(2024, 1, 1 + at % 28).toordinal() + days)
            rows.append(
                event(
                    f"{moment}T10:00:00",
                    "Order Completed",
                    user_id=person,
                    order_id=f"{person}.{days}",
                    category=category,
                )
            )
    return rows


def test_categories_and_seasons_have_limits_where_there_is_enough(tmp_path: Path) -> None:
    rows = [*shop_rows(120, "Coffee", 10), *shop_rows(40, "Sofas", 300)]
    rows.append(event("2025-06-01T10:00:00", "Product Viewed", user_id="x"))
    log = build(tmp_path, rows)
    table = lapse_limits(log, "Europe/Rome", log.as_of_us).table.to_pylist()
    found = {(row["category"], row["season"]): (row["orders"], row["at_risk_days"]) for row in table}
    assert found[("Coffee", "")] == (360, 10)
    assert found[("Coffee", "Dec-Feb")][1] == 10
    assert ("Sofas", "") not in found
    assert found[("", "")][0] == 480
    # A sofa's buyer is late by everybody's limits, not by those of coffee.
    answer = run_lifecycle(LifecycleSpec(scope=Scope(timezone="Europe/Rome", as_of="2024-02-20")), log)
    codes = {row["relationship"]: row["persons"] for row in answer.tables["relationships"].to_pylist()}
    assert codes["lost"] > 0
    assert sum(codes.values()) == answer.totals["persons"] == 320


def test_nobody_is_known_as_lost_before_the_data_reach_back(tmp_path: Path) -> None:
    """40 order twice, 35 days apart, from 1 January on, so that "lost" is after 35 days: who is lost from an interval
    on is known if it begins on 6 February or later, more than 35 days after the first order."""
    rows = shop_rows(40, "Coffee", 35)
    rows.append(event("2024-06-03T10:00:00", "Product Viewed", user_id="x"))
    log = build(tmp_path, rows)
    answer = run_lifecycle(LifecycleSpec(scope=Scope(timezone="Europe/Rome")), log)
    assert answer.tables["limits"].to_pylist()[0]["lost_days"] == 35
    found = {row["interval"]: row for row in answer.table.to_pylist()}
    for early in ("2024-01", "2024-02"):
        assert [found[early][name] for name in ("lost", "churn", "low", "high", "missing")] == [
            *[None] * 4,
            "too_young",
        ]
    assert found["2024-03"]["customers"] > found["2024-03"]["lost"] > 0
    assert [found[late]["missing"] for late in ("2024-03", "2024-04", "2024-05", "2024-06")] == [
        *[None] * 3,
        "not_over",
    ]
    assert any("in 2 of 6 intervals: orders do not reach back 35 days" in text for text in answer.warnings)
    whole = {
        start: run_lifecycle(LifecycleSpec(scope=Scope(start=start, timezone="Europe/Rome")), log).totals["lost"]
        for start in ("2024-01-15", "2024-03-01")
    }
    assert whole["2024-01-15"] is None
    assert whole["2024-03-01"] > 0
    lapse = lapse_limits(log, "Europe/Rome", log.as_of_us)
    days = {day: micros(f"2024-02-{day:02d}T00:00:00+01:00") for day in (5, 6)}
    assert {day: knows_lost(lapse, start) for day, start in days.items()} == {5: False, 6: True}


def test_without_limits_nothing_is_known(tmp_path: Path) -> None:
    log = build(tmp_path, [event("2024-03-01T10:00:00", "Order Completed", user_id="a", order_id="1")])
    lapse = lapse_limits(log, "Europe/Rome", log.as_of_us)
    assert not knows_lost(lapse, log.as_of_us)
    assert not knows_lost(lapse, int(np.iinfo(np.int64).min))
    (row,) = run_lifecycle(LifecycleSpec(unit="day"), log).table.to_pylist()
    assert row["missing"] == "not_over"
    later = [event("2024-03-01T10:00:00", "Order Completed", user_id="a", order_id="1")]
    later.append(event("2024-03-02T10:00:00", "Product Viewed", user_id="a"))
    first = run_lifecycle(LifecycleSpec(unit="day"), build(tmp_path / "later", later)).table.to_pylist()[0]
    assert (first["lost"], first["missing"]) == (None, "no_limits")


def test_a_person_of_before_tracking_is_not_new(tmp_path: Path) -> None:
    rows = [
        event("2021-06-01T10:00:00", "Order Completed", user_id="bea", order_id="4", source_kind="server"),
        event("2024-01-20T10:00:00", "Product Viewed", user_id="bea"),
        event("2024-01-20T10:00:00", "Email Delivered", user_id="dora"),
        event("2024-03-20T10:00:00", "Product Viewed", user_id="carla"),
    ]
    log = build(tmp_path, rows)
    spec = LifecycleSpec(scope=Scope(start="2024-01-01", end="2024-02-29"))
    rows_of = {row["interval"]: row for row in run_lifecycle(spec, log).table.to_pylist()}
    assert list(rows_of) == ["2024-01", "2024-02"]
    assert {name: rows_of["2024-01"][name] for name in ("active", "new", "resurrecting")} == {
        "active": 1,
        "new": 0,
        "resurrecting": 1,
    }
    assert rows_of["2024-02"]["dormant"] == 1


def test_wrong_questions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        LifecycleSpec(unit="year")
    with pytest.raises(SpecError):
        LifecycleSpec(scope=Scope(by="place"))
    log = build(tmp_path, [event("2024-03-01T10:00:00", "Product Viewed", user_id="a")])
    with pytest.raises(SpecError, match="no relationship"):
        lifecycle_people(LifecycleSpec(), log, "dormant")
    with pytest.raises(NotFound, match="no interval"):
        lifecycle_people(LifecycleSpec(), log, "new", "2031-01")
    with pytest.raises(NotFound, match="not ended"):
        lifecycle_people(LifecycleSpec(), log, "dormant", "2024-03")


def test_spec_is_its_json() -> None:
    spec = LifecycleSpec(unit="week", scope=Scope(end="2024-03-01"))
    assert spec_from_json(LifecycleSpec, json.loads(json.dumps(spec_to_json(spec)))) == spec
