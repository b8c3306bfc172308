"""Retention against its plain twin on shops that are really built, and against pandas on CDNOW."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses.kpis import KpisSpec, run_kpis
from percorso.analyses.people import people_table
from percorso.analyses.retention import WITHIN_DAYS, RetentionSpec, retention_people, run_retention
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.errors import NotFound, SpecError
from percorso.store.journey_log import JourneyLog
from tests.analyses.shop_lives import Person, ShopLife, day_of, micros, persons_of, shop, shop_lives
from tests.journeys.test_build import build
from tests.lake_builder import event
from tests.naive import retention as naive
from tests.naive import survival as naive_survival

UNITS = ("day", "week", "month")
TEXTS = ("order", "activity", 'event = "Product Viewed"')


#: Events of one campaign only, and how the plain twin says so.
WHERES = ("", "campaign = spring")


def is_in(one: dict[str, Any], where: str) -> bool:
    return not where or one["campaign"] == "spring"


def moments(
    person: Person, text: str, by_day: bool, unit: str, zone: str, as_of: int, where: str = ""
) -> list[naive.Moment]:
    """When somebody did something, in order."""
    found: list[naive.Moment] = []
    if text == "order":
        events = {one["number"]: one for one in person.events}
        for order in person.live_orders(as_of):
            day = day_of(order["time"], zone)
            key = day if by_day else order["event"]
            found.append(naive.Moment(naive.period_of(day, unit), key, is_in(events[order["event"]], where)))
        return found
    for one in person.events:
        wanted = one["direction"] == "inbound" if text == "activity" else one["event"] == "Product Viewed"
        if wanted and one["time"] <= as_of:
            period = naive.period_of(day_of(one["time"], zone), unit)
            found.append(naive.Moment(period, one["number"], is_in(one, where)))
    return found


def label_of(period: int, unit: str) -> str:
    if unit == "month":
        return f"{(period - 1) // 12}-{(period - 1) % 12 + 1:02d}"
    return date.fromordinal(period if unit == "day" else 7 * period + 1).isoformat()


@given(
    shop_lives(),
    st.sampled_from(TEXTS),
    st.sampled_from(TEXTS),
    st.sampled_from(UNITS),
    st.booleans(),
    st.booleans(),
    st.sampled_from(WHERES),
    st.sampled_from((1, 2)),
)
@settings(deadline=None, max_examples=40)
def test_cohorts_equal_the_plain_ones(
    life: ShopLife, start: str, back: str, unit: str, later: bool, recurring: bool, where: str, threads: int
) -> None:
    mode = "on-or-after" if later else "on"
    spec = RetentionSpec(
        start=start,
        back=back,
        unit=unit,
        mode=mode,
        recurring=recurring,
        periods=3,
        scope=Scope(timezone=life.zone, as_of=life.as_of, where=where),
    )
    with shop(life) as log:
        as_of = micros(life.as_of) if life.as_of else log.as_of_us
        persons = persons_of(log)
        answer = run_retention(spec, log, threads=threads)
        _people_agree(spec, log, answer.table.to_pylist())
    by_day = start == back == "order"
    starts, backs = (
        {name: moments(one, text, by_day, unit, life.zone, as_of, where) for name, one in persons.items()}
        for text in (start, back)
    )
    sizes, returned = naive.cohorts(starts, backs, periods=3, later=later, recurring=recurring)
    now = naive.period_of(day_of(as_of + 1, life.zone), unit)
    expected = {}
    for cohort, size in sizes.items():
        for k in range(4):
            count = returned.get((cohort, k), 0) if cohort + k < now else None
            expected[label_of(cohort, unit), k] = (size, count, cohort + k < now)
    found = {(r["cohort"], r["k"]): (r["size"], r["persons"], r["complete"]) for r in answer.table.to_pylist()}
    assert found == expected
    for row in answer.tables["average"].to_pylist():
        whole = [(size, count) for (_, k), (size, count, _) in expected.items() if k == row["k"] and count is not None]
        assert (row["size"], row["persons"]) == (sum(s for s, _ in whole), sum(c for _, c in whole))
        assert row["share"] == (None if not row["size"] else pytest.approx(row["persons"] / row["size"]))
    begun = {name: every if recurring else every[:1] for name, every in starts.items()}
    assert answer.totals["persons"] == sum(any(one.is_in for one in every) for every in begun.values())


def _people_agree(spec: RetentionSpec, log: JourneyLog, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["complete"]:
            came = people_table(log, retention_people(spec, log, row["cohort"], row["k"]))
            away = people_table(log, retention_people(spec, log, row["cohort"], row["k"], stayed=False))
            assert (len(came), len(came) + len(away)) == (row["persons"], row["size"])


@given(shop_lives(), st.sampled_from(WHERES))
@settings(deadline=None, max_examples=20)
def test_repeat_rates_equal_the_plain_ones(life: ShopLife, where: str) -> None:
    spec = RetentionSpec(scope=Scope(timezone=life.zone, as_of=life.as_of, where=where))
    with shop(life) as log:
        as_of = micros(life.as_of) if life.as_of else log.as_of_us
        persons, answer = persons_of(log), run_retention(spec, log)
    spans: list[naive_survival.Span] = []
    ages: list[int] = []
    for person in persons.values():
        orders = moments(person, "order", True, "day", life.zone, as_of, where)
        if orders and orders[0].is_in:
            first, today = orders[0].key, day_of(as_of, life.zone)
            again = [one.key for one in orders if one.is_in and one.key > first]
            ages.append((today - first).days)
            spans.append(((min(again, default=today) - first).days, "happened" if again else ""))
    rows = [row for row in answer.tables["repeat"].to_pylist() if row["cohort"] == ""]
    assert [row["within_days"] for row in rows] == (list(WITHIN_DAYS) if spans else [])
    for row in rows:
        longest = max(t for t, _ in spans)
        known = row["within_days"] <= longest or all(how for t, how in spans if t == longest)
        known &= naive_survival.watched_enough(ages, row["within_days"])
        rate = naive_survival.kaplan_meier(spans, row["within_days"]) if known else None
        assert row["rate"] == (None if rate is None else pytest.approx(rate))
        assert row["missing"] == (None if known else "too_young")
        assert row["size"] == len(spans)


def test_sixty_days_of_data_know_nothing_of_ninety(tmp_path: Path) -> None:
    """Ten customers; the last who was watched has ordered again, so the curve ends, at 100 % of nobody knows what."""
    rows = [event("2024-01-01T10:00:00", "Order Completed", user_id="anna", order_id="a1", value=10)]
    rows += [
        event(f"2024-02-{day:02d}T10:00:00", "Order Completed", user_id=f"p{day}", order_id=f"p{day}", value=10)
        for day in range(1, 10)
    ]
    rows.append(event("2024-03-01T10:00:00", "Order Completed", user_id="anna", order_id="a2", value=10))
    answer = run_retention(RetentionSpec(), build(tmp_path, rows))
    for row in answer.tables["repeat"].to_pylist():
        assert (row["rate"], row["low"], row["high"], row["missing"]) == (None, None, None, "too_young")


@pytest.mark.parametrize(("day", "rate"), [("2024-03-30", None), ("2024-03-31", 0.0)])
def test_ninety_days_are_watched_on_the_ninetieth(tmp_path: Path, day: str, rate: float | None) -> None:
    """Another order on the ninetieth day still counts, and somebody who was there until then has had the chance."""
    rows = [
        event("2024-01-01T10:00:00", "Order Completed", user_id="anna", order_id="a1", value=10),
        event(f"{day}T10:00:00", "Product Viewed", user_id="anna"),
    ]
    first = run_retention(RetentionSpec(), build(tmp_path, rows)).tables["repeat"].to_pylist()[0]
    assert (first["rate"], first["missing"]) == (rate, None if rate is not None else "too_young")


def test_shares_of_recurring_cohorts_stay_between_none_and_all(tmp_path: Path) -> None:
    """All four come back in each next month that is over: all there is, but of four persons only."""
    rows = [
        event(f"2024-{month:02d}-10T10:00:00", "Order Completed", user_id=who, order_id=f"{who}{month}", value=10)
        for who in ("anna", "bea", "carla", "dora")
        for month in (1, 2, 3, 4)
    ]
    rows.append(event("2024-05-20T10:00:00", "Product Viewed", user_id="anna"))
    average = run_retention(RetentionSpec(recurring=True, periods=2), build(tmp_path, rows)).tables["average"]
    one = average.to_pylist()[1]
    assert (one["persons"], one["size"], one["share"], one["high"]) == (12, 12, 1.0, 1.0)
    assert 0.2 < one["low"] < 0.6


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> JourneyLog:
    """Anna: two orders of one day, one in March. Bea: before tracking, by an import. Carla: cancelled."""
    rows = [
        event("2024-01-10T10:00:00", "Order Completed", user_id="anna", order_id="1", value=10, currency="EUR"),
        event("2024-01-10T18:00:00", "Order Completed", user_id="anna", order_id="2", value=10, currency="EUR"),
        event("2024-03-05T10:00:00", "Order Completed", user_id="anna", order_id="3", value=10, currency="EUR"),
        event("2021-06-01T10:00:00", "Order Completed", user_id="bea", order_id="4", value=10, currency="EUR"),
        event("2024-01-20T10:00:00", "Order Completed", user_id="bea", order_id="5", value=10, currency="EUR"),
        event("2024-01-21T10:00:00", "Order Completed", user_id="carla", order_id="6", value=10, currency="EUR"),
        event("2024-01-22T10:00:00", "Order Cancelled", user_id="carla", order_id="6"),
        event("2024-04-10T10:00:00", "Product Viewed", user_id="carla"),
    ]
    return build(tmp_path_factory.mktemp("few"), rows)


def test_history_before_the_period_counts(few: JourneyLog) -> None:
    """Bea is no new customer of January; Carla's order did not stay."""
    spec = RetentionSpec(periods=3, scope=Scope(start="2024-01-01", timezone="Europe/Rome"))
    rows = run_retention(spec, few).table.to_pylist()
    assert [(r["cohort"], r["size"], r["k"], r["persons"], r["complete"]) for r in rows] == [
        ("2024-01", 1, 0, 0, True),
        ("2024-01", 1, 1, 0, True),
        ("2024-01", 1, 2, 1, True),
        ("2024-01", 1, 3, None, False),
    ]
    early = run_retention(RetentionSpec(scope=Scope(timezone="Europe/Rome", as_of="2024-01-21")), few)
    assert early.totals["persons"] == 3


def test_a_condition_makes_nobody_new(tmp_path: Path) -> None:
    """Anna first ordered on the site, then twice in the store; Bea first in the store, then on the site and there."""
    orders = (
        *(("anna", "01-10", "web"), ("anna", "02-10", "pos"), ("anna", "03-10", "pos")),
        *(("bea", "02-20", "pos"), ("bea", "03-01", "web"), ("bea", "03-20", "pos")),
    )
    rows = [
        event(
            f"2024-{day}T10:00:00", "Order Completed", user_id=who, order_id=f"{who}{day}", source_kind=kind, value=10
        )
        for who, day, kind in orders
    ]
    log = build(tmp_path, rows)
    scope = Scope(where="place = store")
    answer = run_retention(RetentionSpec(periods=1, scope=scope), log)
    assert [(row["cohort"], row["size"]) for row in answer.table.to_pylist()[:1]] == [("2024-02", 1)]
    assert answer.totals["persons"] == 1
    (new,) = run_kpis(KpisSpec(scope=scope, kpis=("new_customers",)), log).table.to_pylist()
    assert new["value"] == 1
    recurring = run_retention(RetentionSpec(periods=1, recurring=True, scope=scope), log)
    assert {row["cohort"]: row["size"] for row in recurring.table.to_pylist()} == {"2024-02": 2, "2024-03": 2}


def test_break_down_is_by_the_start(few: JourneyLog) -> None:
    spec = RetentionSpec(periods=1, scope=Scope(timezone="Europe/Rome", by="place"))
    rows = run_retention(spec, few).table.to_pylist()
    assert {row["place"] for row in rows} == {"site"}
    assert len(people_table(few, retention_people(spec, few, "2024-01", group="site"))) == 1
    with pytest.raises(NotFound, match="Nothing has place 'shop'"):
        retention_people(spec, few, "2024-01", group="shop")


def test_cut_cohorts_and_few_persons_are_told(few: JourneyLog) -> None:
    spec = RetentionSpec(scope=Scope(start="2024-01-05", timezone="Europe/Rome"))
    said = run_retention(spec, few).warnings
    assert any("fewer than 30" in text for text in said)
    assert any("begins or ends within a month" in text for text in said)


@pytest.mark.parametrize(
    "wrong",
    [{"unit": "year"}, {"mode": "after"}, {"periods": 0}, {"periods": 61}, {"start": " "}, {"back": "place ="}],
)
def test_wrong_questions_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        RetentionSpec(**wrong)


def test_wrong_cells_are_refused(few: JourneyLog) -> None:
    spec = RetentionSpec(periods=3, scope=Scope(timezone="Europe/Rome"))
    with pytest.raises(NotFound, match="no cohort"):
        retention_people(spec, few, "2031-01")
    with pytest.raises(NotFound, match="not ended"):
        retention_people(spec, few, "2024-01", 3)
    with pytest.raises(SpecError, match="no period"):
        retention_people(spec, few, "2024-01", 9)


def test_spec_is_its_json() -> None:
    spec = RetentionSpec(start="activity", unit="week", recurring=True, periods=4, scope=Scope(start="2024-01-01"))
    assert spec_from_json(RetentionSpec, json.loads(json.dumps(spec_to_json(spec)))) == spec


DATA = Path(os.environ.get("PERCORSO_TEST_DATA", "")) / "cdnow" / "CDNOW_sample.txt"


@pytest.fixture(scope="module")
def purchases() -> pd.DataFrame:
    if not DATA.is_file():
        pytest.skip("needs the CDNOW sample in $PERCORSO_TEST_DATA/cdnow")
    frame = pd.read_csv(DATA, sep=r"\s+", header=None, usecols=[1, 2], names=["id", "day"], dtype=str)
    return frame.assign(day=pd.to_datetime(frame["day"], format="%Y%m%d")).drop_duplicates()


@pytest.fixture(scope="module")
def cdnow(purchases: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> JourneyLog:
    rows = [
        event(f"{day:%Y-%m-%d}T12:00:00", "Order Completed", user_id=one, order_id=f"{one}-{n}", source_kind="server")
        for n, (one, day) in enumerate(zip(purchases["id"], purchases["day"], strict=True))
    ]
    return build(tmp_path_factory.mktemp("cdnow"), rows)


def test_cdnow_as_published_and_as_pandas_has_it(purchases: pd.DataFrame, cdnow: JourneyLog) -> None:
    """2,357 customers who first bought in January to March 1997; in the 39 weeks to 30 September 1,411 of them did not
    buy again (Fader, Hardie and Lee 2005, doi:10.1287/mksc.1040.0098: 946 bought at least once more)."""
    spec = RetentionSpec(periods=17, scope=Scope(as_of="1998-06-30"))
    answer = run_retention(spec, cdnow)
    assert answer.totals["persons"] == 2357
    early = run_retention(RetentionSpec(scope=Scope(as_of="1997-09-30")), cdnow)
    first = purchases.groupby("id")["day"].transform("min")
    again = purchases[(purchases["day"] > first) & (purchases["day"] <= "1997-09-30")]["id"].nunique()
    assert again == 946
    assert early.totals["persons"] == 2357
    month = purchases["day"].dt.year * 12 + purchases["day"].dt.month
    begun = month.groupby(purchases["id"]).transform("min")
    later = purchases[purchases["day"] > first].assign(cohort=begun, k=month - begun)
    expected = later.drop_duplicates(["id", "k"]).groupby(["cohort", "k"]).size().to_dict()
    for row in answer.table.to_pylist():
        if row["complete"]:
            cohort = 1997 * 12 + int(row["cohort"][-2:])
            assert row["persons"] == expected.get((cohort, row["k"]), 0)
    # Everybody is watched for 365 days, so Kaplan-Meier is the plain share.
    since = (purchases["day"] - first).dt.days
    second = since[since > 0].groupby(purchases["id"]).min()
    for row in answer.tables["repeat"].to_pylist()[: len(WITHIN_DAYS)]:
        assert row["rate"] == pytest.approx((second <= row["within_days"]).sum() / 2357)


def test_more_people_come_back_in_a_longer_time(cdnow: JourneyLog) -> None:
    """Invariance: on-or-after falls with k, and is never below on."""
    on, later = (
        {(r["cohort"], r["k"]): r["persons"] for r in run_retention(RetentionSpec(mode=mode), cdnow).table.to_pylist()}
        for mode in ("on", "on-or-after")
    )
    for (cohort, k), persons in later.items():
        if persons is not None:
            assert persons >= on[cohort, k]
            assert k == 0 or persons <= later[cohort, k - 1]


RETAIL = Path(os.environ.get("PERCORSO_TEST_DATA", "")) / "uci_online_retail_II_2009_2010" / "online_retail.parquet"


def test_online_retail_as_pandas_has_it(tmp_path: Path) -> None:
    """UCI Online Retail II: invoices of known customers but for cancellations, first and later orders by week."""
    if not RETAIL.is_file():
        pytest.skip("needs Online Retail II in $PERCORSO_TEST_DATA")
    frame = pd.read_parquet(RETAIL, columns=["Invoice", "InvoiceDate", "Customer ID"]).dropna()
    frame = frame[~frame["Invoice"].str.startswith("C")].assign(at=lambda f: pd.to_datetime(f["InvoiceDate"]))
    orders = frame.groupby(["Customer ID", "Invoice"], as_index=False)["at"].min()
    rows = [
        event(f"{at:%Y-%m-%dT%H:%M:%S}", "Order Completed", user_id=f"{one:.0f}", order_id=number, source_kind="server")
        for one, number, at in orders.itertuples(index=False)
    ]
    log = build(tmp_path, rows)
    found = {
        (row["cohort"], row["k"]): (row["size"], row["persons"])
        for row in run_retention(RetentionSpec(unit="week", periods=30), log).table.to_pylist()
        if row["complete"]
    }
    week = orders["at"].dt.to_period("W").dt.start_time
    begun = week.groupby(orders["Customer ID"]).transform("min")
    later = orders.assign(cohort=begun, k=(week - begun).dt.days // 7).query("k > 0")
    came = later.drop_duplicates(["Customer ID", "k"]).groupby(["cohort", "k"]).size().to_dict()
    sizes = begun.groupby(orders["Customer ID"]).first().value_counts().to_dict()
    assert sum(size for (_, k), (size, _) in found.items() if k == 0) > 4_000
    for (cohort, k), cell in found.items():
        if k:
            start = pd.Timestamp(cohort)
            assert cell == (sizes[start], came.get((start, k), 0))
