"""KPIs of periods: answers of each, nothing and not known, too young to tell, surveys each by itself."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from percorso.analyses.basis import basis_of
from percorso.analyses.kpi_told import TOTALS
from percorso.analyses.kpis import KPIS, KpisSpec, run_kpis
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.services.build import fresh_log
from percorso.store.journey_log import JourneyLog
from tests.lake_builder import event
from tests.naive import kpis as naive
from tests.workspaces import make_workspace

MARCH = datetime(2024, 3, 1)
MONTHS = (("2024-02-01", "2024-02-29"), ("2024-03-01", "2024-03-31"))


def log_of(folder: Path, rows: list[dict[str, Any]]) -> JourneyLog:
    return fresh_log(make_workspace(folder, rows, timezone="UTC"))


def ask(log: JourneyLog, *kpis: str, start: str = "", end: str = "", by: str = "", **more: Any) -> Result:
    scope = Scope(start=start, end=end, by=by, timezone="UTC", as_of=more.pop("as_of", ""))
    return run_kpis(KpisSpec(scope=scope, kpis=kpis, **more), log)


def rows_of(answer: Result, table: str = "kpis") -> dict[str, dict[str, Any]]:
    return {row.get("survey", row["kpi"]): row for row in answer.tables[table].to_pylist()}


def told(at: datetime | str, name: str, person: str, survey: str = "", kind: str = "", **fields: Any) -> dict[str, Any]:
    said = {"survey_name": survey, "survey_type": kind}
    properties = json.dumps({key: value for key, value in said.items() if value}, sort_keys=True)
    time = at if isinstance(at, str) else at.isoformat()
    return event(time, name, user_id=person, properties=properties, **fields)


@pytest.mark.parametrize("seed", range(3))
def test_each_period_has_its_own_latest_answers(tmp_path: Path, seed: int) -> None:
    """Many persons answer now in one month, now in the other, or in both, or more than once."""
    draw = random.Random(seed)
    answers = sorted(
        (f"p{draw.randrange(40)}", draw.randrange(60 * 24), draw.randint(0, 10)) for _ in range(draw.randint(20, 80))
    )
    answers = sorted(answers, key=lambda one: one[1])
    first = datetime(2024, 2, 1)
    rows = [
        told(first + timedelta(hours=hour, seconds=n), "Survey Answered", person, "rel", "nps", score=float(score))
        for n, (person, hour, score) in enumerate(answers)
    ]
    log = log_of(tmp_path / "shop", [*rows, event("2024-04-30T10:00", "Page Viewed", user_id="z")])
    trend = ask(log, "nps", every="month").tables["trend"].to_pylist()
    months = {row["period"]: (row["n"], row["value"]) for row in trend}
    for start, end in MONTHS:
        since, until = (datetime.fromisoformat(day) for day in (start, end))
        mine = [one for one in answers if since <= first + timedelta(hours=one[1]) < until + timedelta(days=1)]
        net, n = naive.nps(mine) or (0, 0)
        expected = (n, pytest.approx(100 * net / n) if n else None)
        row = rows_of(ask(log, "nps", start=start, end=end))["nps"]
        assert (row["n"], row["value"]) == expected == months[start[:7]]


def test_everybody_asked_for_a_review_counts(tmp_path: Path) -> None:
    """Every other person was asked in the month before."""
    rows = [event("2024-04-30T10:00", "Page Viewed", user_id="z")]
    for n in range(20):
        at = datetime(2024, 2 + n % 2, 10, 10, n)
        rows.append(event(at, "Review Requested", user_id=f"p{n}"))
        rows.append(event(at + timedelta(days=2), "Product Reviewed", user_id=f"p{n}", score=5.0))
    log = log_of(tmp_path / "shop", rows)
    for start, end in MONTHS:
        row = rows_of(ask(log, "review_rate", start=start, end=end))["review_rate"]
        assert (row["value"], row["n"]) == (1.0, 10)


def viewed(person: str, at: datetime) -> list[dict[str, Any]]:
    return [event(at + timedelta(minutes=minute), "Product Viewed", user_id=person) for minute in (0, 1)]


def bought(person: str, at: datetime, **more: Any) -> dict[str, Any]:
    named = {"user_id": person, "order_id": f"{person} {at}", "value": 100, "currency": "EUR"}
    return event(at, "Order Completed", **(named | more))


def test_conversion_is_told_of_what_could_be_watched(tmp_path: Path) -> None:
    """The time-out is 30 days. Of 51 journeys one opened 40 days ago and was bought after 20, the others today."""
    old = [*viewed("old", MARCH), bought("old", MARCH + timedelta(days=20))]
    young = [row for n in range(50) for row in viewed(f"p{n}", MARCH + timedelta(days=40, minutes=n))]
    log = log_of(tmp_path / "shop", [*old, *young])
    row = rows_of(ask(log, "conversion_rate"))["conversion_rate"]
    assert (row["value"], row["n"], row["note"]) == (None, 51, "too few began long enough ago")
    trend = ask(log, "conversion_rate", every="month").tables["trend"].to_pylist()
    assert [(one["period"], one["value"], one["n"]) for one in trend] == [("2024-03", 1.0, 1), ("2024-04", None, 50)]


def test_repeat_purchase_is_told_of_what_could_be_watched(tmp_path: Path) -> None:
    rows = [bought("old", MARCH), bought("old", MARCH + timedelta(days=80))]
    rows += [bought(f"p{n}", MARCH + timedelta(days=100, minutes=n)) for n in range(40)]
    log = log_of(tmp_path / "shop", rows)
    assert rows_of(ask(log, "repeat_purchase_90"))["repeat_purchase_90"]["value"] is None
    row = rows_of(ask(log, "repeat_purchase_90", end="2024-03-31"))["repeat_purchase_90"]
    assert (row["value"], row["n"]) == (1.0, 1)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> JourneyLog:
    """One order in the first week, whose value is known, one in the last, whose value is not; visits in between."""
    rows = [
        bought("ann", MARCH),
        event("2024-03-12T10:00", "Page Viewed", user_id="ann"),
        event("2024-03-14T10:00", "Page Viewed", user_id="bob"),
        bought("bob", datetime(2024, 3, 27), value=None),
        event("2024-03-31T10:00", "Page Viewed", user_id="bob"),
    ]
    return log_of(tmp_path_factory.mktemp("quiet") / "shop", rows)


def test_a_total_of_nothing_is_nothing_where_a_source_tells(quiet: JourneyLog) -> None:
    week = {"start": "2024-03-08", "end": "2024-03-14", "compare": "previous"}
    found = rows_of(ask(quiet, **week))
    for key, before in (("orders", 1), ("revenue", 1), ("net_orders", 1), ("orders_new", 1), ("new_customers", 1)):
        row = found[key]
        assert (row["value"], row["previous"], row["difference"], row["note"]) == (0, before, -before, ""), key
    assert found["revenue"]["exact"] == 0
    assert found["unidentified_events"]["value"] == 0
    for key in ("reviews", "units", "points_earned", "contacts_outbound", "referral_value", "average_order_value"):
        assert (found[key]["value"], bool(found[key]["note"])) == (None, True), key


def test_what_cannot_be_added_up_is_no_nothing(quiet: JourneyLog) -> None:
    found = rows_of(ask(quiet, start="2024-03-25", end="2024-03-31"))
    assert found["orders"]["value"] == 1
    assert found["revenue"]["value"] is None
    assert found["revenue_returning"]["value"] == 0


def test_before_a_source_told_of_it_nothing_is_known(quiet: JourneyLog) -> None:
    """The week before the first order, as it stood then."""
    found = rows_of(ask(quiet, "orders", start="2024-03-01", end="2024-03-07", compare="previous"))
    assert (found["orders"]["value"], found["orders"]["previous"]) == (1, None)


def test_a_trend_of_totals_has_no_gaps(quiet: JourneyLog) -> None:
    trend = ask(quiet, "orders", "revenue", "bounce_rate", every="week").tables["trend"].to_pylist()
    assert [row["value"] for row in trend if row["kpi"] == "orders"] == [1, 0, 0, 0, 1]
    assert [row["value"] for row in trend if row["kpi"] == "revenue"] == [1, 0, 0, 0, None]


def test_a_break_down_leaves_out_what_has_nothing(quiet: JourneyLog) -> None:
    answer = ask(quiet, "orders", by="event", every="week")
    assert {row["event"] for row in answer.table.to_pylist()} == {"Order Completed"}
    trend = answer.tables["trend"].to_pylist()
    assert [(row["event"], row["value"]) for row in trend] == [("Order Completed", value) for value in (1, 0, 0, 0, 1)]


def test_every_total_has_its_rule() -> None:
    for kpi in KPIS:
        if kpi.how == "total" and kpi.needs != "spend":
            assert kpi.key in TOTALS or kpi.told_by, kpi.key
    assert set(TOTALS) <= {kpi.key for kpi in KPIS if kpi.how == "total"}


def test_open_journeys_are_not_lost(tmp_path: Path) -> None:
    """Two places: 20 of 20 bought. One place: 4 given up 40 days ago, 40 of the last days are still open."""
    rows = viewed("z", MARCH + timedelta(days=45))
    for n in range(20):
        at = MARCH + timedelta(minutes=n)
        rows += [*viewed(f"p{n}", at), bought(f"p{n}", at + timedelta(days=3), source="till", source_kind="pos")]
    for n in range(44):
        rows += viewed(f"q{n}", MARCH + timedelta(days=0 if n < 4 else 40, minutes=n))
    log = log_of(tmp_path / "shop", rows)
    found = rows_of(ask(log, "conversion_one_place", "conversion_two_places"))
    assert (found["conversion_one_place"]["value"], found["conversion_one_place"]["n"]) == (0.0, 4)
    assert (found["conversion_two_places"]["value"], found["conversion_two_places"]["n"]) == (1.0, 20)
    # Two weeks on none could have been given up: what is closed is what was bought.
    young = rows_of(ask(log, "conversion_two_places", as_of="2024-03-15"))["conversion_two_places"]
    assert (young["value"], young["note"]) == (None, "too few began long enough ago")


def test_each_survey_is_answered_by_its_own_answers(tmp_path: Path) -> None:
    """Both go to ten persons: nobody answers one, nine the other; p3 is reminded of it, and sees it again in June."""
    rows = [event("2024-07-30T10:00", "Page Viewed", user_id="z")]
    for n in range(10):
        at = MARCH + timedelta(hours=n)
        rows.append(told(at, "Survey Sent", f"p{n}", "relation", "nps"))
        rows.append(told(at + timedelta(days=1), "Survey Sent", f"p{n}", "delivery", "csat"))
        if n:
            answered = at + timedelta(days=3)
            rows.append(told(answered, "Survey Answered", f"p{n}", "delivery", "csat", score=5.0))
    rows.append(told(MARCH + timedelta(days=2), "Survey Shown", "p3", "delivery", "csat"))
    rows.append(told(MARCH + timedelta(days=100), "Survey Shown", "p3", "delivery", "csat"))
    log = log_of(tmp_path / "shop", rows)
    answer = ask(log, "survey_response")
    row = rows_of(answer)["survey_response"]
    assert (row["value"], "never pooled" in row["note"]) == (None, True)
    found = {name: (row["value"], row["n"]) for name, row in rows_of(answer, "surveys").items()}
    assert found == {"relation": (0.0, 10), "delivery": (pytest.approx(9 / 11), 11)}
    june = ask(log, "survey_response", start="2024-06-01", end="2024-06-30")
    row = rows_of(june)["survey_response"]
    assert (row["value"], row["n"]) == (0.0, 1)  # the one survey of that month


def test_a_survey_without_a_name(tmp_path: Path) -> None:
    """Asks that do not say which survey they are wait for any answer."""
    rows = [told(MARCH + timedelta(hours=n), "Survey Sent", f"p{n}") for n in range(4)]
    rows.append(told(MARCH + timedelta(days=2), "Survey Answered", "p1", "relation", "nps", score=9.0))
    rows.append(told(MARCH + timedelta(days=40), "Survey Answered", "p2", "relation", "nps", score=9.0))
    row = rows_of(ask(log_of(tmp_path / "shop", rows), "survey_response"))["survey_response"]
    assert (row["value"], row["n"]) == (0.25, 4)


def test_reasons_name_what_is_missing(tmp_path: Path) -> None:
    rows = [event(MARCH + timedelta(days=n), "Product Reviewed", user_id=f"p{n}", score=4.0) for n in range(3)]
    rows += [event(MARCH + timedelta(days=n), "Page Viewed", user_id=f"q{n}") for n in range(3)]
    workspace = make_workspace(tmp_path / "shop", rows)
    found = rows_of(run_kpis(KpisSpec(), fresh_log(workspace), basis_of(workspace.settings)))
    assert found["mean_rating_unasked"]["value"] == 4
    assert found["mean_rating_asked"]["note"] == "no review in the period that was asked for and has stars"
    assert found["progression_3"]["note"] == "no purchase journey that opened in the period stood at this stage"
