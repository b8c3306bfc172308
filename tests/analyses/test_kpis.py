"""KPIs: questions, the plain twin on random shops, invariances, and DuckDB's SQL on real data as outside oracle."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from percorso.analyses.basis import basis_of
from percorso.analyses.kpi_people import kpi_people
from percorso.analyses.kpis import KPIS, KpiInputs, KpisSpec, run_kpis
from percorso.analyses.opening_hours import OpeningHours
from percorso.analyses.people import people_table
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.errors import SettingsError, SpecError
from percorso.services.build import fresh_log, is_stale
from percorso.services.kpis import ask_kpis
from percorso.services.sql import run_sql
from percorso.services.workspace import Workspace, open_workspace
from percorso.settings import Target
from percorso.store.journey_log import JourneyLog
from tests.lake_builder import event
from tests.naive import kpis as naive
from tests.real_data import Real
from tests.workspaces import make_workspace

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 60

#: Counts as analyses do.
IN = "not (is_bot or is_heavy or is_future or is_same_order)"


def values(answer: Result) -> dict[str, Any]:
    return {row["kpi"]: row["value"] for row in answer.table.to_pylist()}


def acts(seed: int) -> list[naive.Act]:
    """A random shop: a few customers on site and in store, over sixty days."""
    draw = random.Random(seed)
    found = []
    for n in range(draw.randint(3, 12)):
        now = int(FIRST.timestamp() * 1e6)
        for _ in range(draw.randint(1, 12)):
            now += draw.choice((60, 3_600, 86_400, 5 * 86_400)) * 1_000_000 + draw.randint(1, 10**6)
            name = draw.choice(("Page Viewed", "Product Added", "Product Added", "Order Completed", "Payment Failed"))
            buys, fails = name == "Order Completed", name == "Payment Failed"
            found.append(
                naive.Act(
                    person=f"c{n}",
                    time=now,
                    name=name,
                    product="" if fails else draw.choice(("", "a", "b")),
                    category="" if fails else draw.choice(("", "x", "y")),
                    place="store" if buys and draw.random() < 0.4 else "site",
                    value=draw.choice((None, 1_000, 2_550)) if buys else None,
                )
            )
    return found


def told(found: list[naive.Act]) -> list[dict[str, Any]]:
    rows = []
    for n, act in enumerate(found):
        fields: dict[str, Any] = {"user_id": act.person, "product_id": act.product or None}
        fields["category"] = act.category or None
        if act.name == "Order Completed":
            fields["order_id"] = f"o{n}"
        if act.value is not None:
            fields |= {"value": act.value, "currency": "EUR"}
        if act.place == "store":
            fields |= {"source": "till", "source_kind": "pos"}
        rows.append(event(datetime.fromtimestamp(act.time / 1e6, UTC).replace(tzinfo=None), act.name, **fields))
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_the_plain_twin_counts_the_same(tmp_path: Path, seed: int) -> None:
    found = acts(seed)
    workspace = make_workspace(tmp_path / "shop", told(found), timezone="UTC")
    log = fresh_log(workspace)
    first, last = FIRST + timedelta(days=5), FIRST + timedelta(days=40)
    spec = KpisSpec(scope=Scope(start=first.date().isoformat(), end=last.date().isoformat()))
    now = values(run_kpis(spec, log, basis_of(workspace.settings)))
    start, end = (int(day.timestamp() * 1e6) for day in (first, last + timedelta(days=1)))
    mine = naive.inside(found, start, end)
    bought = naive.orders(mine)
    tells = naive.orders(found)
    assert now["orders"] == naive.total(len(bought), tells)
    known = [act for act in bought if act.value is not None]
    valued = [act for act in tells if act.value is not None]
    revenue = naive.total(naive.revenue(mine) / 100, valued)
    assert now["revenue"] == (revenue if known or not bought else None)
    assert now["persons"] == naive.active(mine)
    assert now["average_order_value"] == pytest.approx(naive.average_order_value(mine))
    assert now["orders_new"] == naive.total(naive.new_orders(found, start, end), tells)
    failed, tried = naive.payment_failure(mine)
    if any(act.name == "Payment Failed" for act in found):
        assert now["payment_failure"] == (failed / tried if tried else None)
    opened, left = naive.carts(found, start, end, log.as_of_us)
    assert now["cart_abandonment"] == (left / opened if opened else None)


def test_any_order_of_arrival_gives_the_same(tmp_path: Path) -> None:
    rows = told(acts(3))
    shuffled = rows[:]
    random.Random(1).shuffle(shuffled)
    answers = []
    for name, given in (("one", rows), ("two", shuffled)):
        workspace = make_workspace(tmp_path / name, given)
        (workspace.folder / "secret.key").write_bytes(b"0" * 32)
        log = fresh_log(open_workspace(workspace.folder))
        answers.append(run_kpis(KpisSpec(every="week"), log, basis_of(workspace.settings)))
    assert values(answers[0]) == values(answers[1])
    assert answers[0].tables["trend"].equals(answers[1].tables["trend"])


def test_threads_do_not_matter(ecom: Ecom) -> None:
    one, two = (run_kpis(KpisSpec(), ecom.log, threads=n) for n in (1, 3))
    assert one.table.equals(two.table)


class Ecom:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.log: JourneyLog = fresh_log(workspace)

    def sql(self, query: str) -> Any:
        return next(iter(run_sql(self.workspace, query).to_pylist()[0].values()))


@pytest.fixture(scope="module")
def ecom(real: Real) -> Ecom:
    return Ecom(real("retentioneering_ecom").workspace)


@pytest.fixture(scope="module")
def olist(real: Real) -> Ecom:
    return Ecom(real("olist_classified_reviews").workspace)


SPRING = Scope(start="2024-03-01", end="2024-04-30", timezone="Europe/Rome")
BETWEEN = "between timestamptz '2024-03-01 00:00 Europe/Rome' and timestamptz '2024-04-30 23:59:59.999999 Europe/Rome'"
WHEN = f"{IN} and time {BETWEEN}"
BEGAN = f"start_time {BETWEEN}"


def test_duckdb_counts_the_same(ecom: Ecom) -> None:
    now = values(run_kpis(KpisSpec(scope=SPRING), ecom.log))
    assert now["orders"] == ecom.sql(f"select count(*) from events where is_order and {WHEN}")
    assert now["persons"] == ecom.sql(f"select count(distinct person) from events where {WHEN}")
    assert now["events"] == ecom.sql(f"select count(*) from events where person is not null and {WHEN}")
    assert now["sessions"] == ecom.sql(f"select count(*) from sessions where {BEGAN}")
    bounced = f"select avg((not is_engaged)::int) from sessions where {BEGAN}"
    assert now["bounce_rate"] == pytest.approx(ecom.sql(bounced))
    wished = f"select count(distinct person) from events where event = 'Product Added to Wishlist' and {WHEN}"
    assert now["wish_list_persons"] == ecom.sql(wished)
    tried = f"(event = 'Payment Failed' or is_order) and {WHEN}"
    failed = f"select avg((event = 'Payment Failed')::int) from events where {tried}"
    assert now["payment_failure"] == pytest.approx(ecom.sql(failed))
    journeys = f"select avg((outcome = 'converted')::int) from journeys where kind = 'purchase' and {BEGAN}"
    assert now["conversion_rate"] == pytest.approx(ecom.sql(journeys), abs=0.02)


def test_duckdb_finds_the_same_late_parcels(olist: Ecom) -> None:
    """Olist: delivered after the promised day; Brazilian days and reals, one order a person."""
    spec = KpisSpec(scope=Scope(timezone="America/Sao_Paulo"))
    now = values(run_kpis(spec, olist.log, basis_of(olist.workspace.settings)))
    known = "delivered_time is not null and promised_time is not null"
    days = "delivered_time::date > promised_time::date"
    assert now["late_delivery"] == pytest.approx(olist.sql(f"select avg(({days})::int) from orders where {known}"))
    assert now["revenue"] == float(olist.sql(f"select sum(value) from events where is_order and {IN}"))
    assert now["reviews"] == olist.sql(f"select count(*) from events where event = 'Product Reviewed' and {IN}")
    stars = olist.sql(f"select avg(score) from events where event = 'Product Reviewed' and {IN}")
    assert now["mean_rating_unasked"] == pytest.approx(stars)


def test_totals_reconcile_with_sql_and_break_downs_with_the_whole(ecom: Ecom) -> None:
    whole = run_kpis(KpisSpec(), ecom.log)
    assert whole.totals["orders"] == ecom.sql(f"select count(*) from events where is_order and {IN}")
    by_place = run_kpis(KpisSpec(scope=Scope(by="place"), kpis=("orders",)), ecom.log)
    assert sum(by_place.table.column("value").to_pylist()) == whole.totals["orders"]
    trend = run_kpis(KpisSpec(every="month", kpis=("orders", "sessions")), ecom.log).tables["trend"].to_pylist()
    for key in ("orders", "sessions"):
        assert sum(row["value"] or 0 for row in trend if row["kpi"] == key) == values(whole)[key]


def test_the_earlier_period_is_measured_at_the_same_age(ecom: Ecom) -> None:
    spec = KpisSpec(last="30d", compare="previous")
    answer = run_kpis(spec, ecom.log)
    earlier = answer.totals["earlier_period"]
    shift = datetime.fromisoformat(answer.totals["period"]["start"]) - datetime.fromisoformat(earlier["start"])
    as_of = (datetime.fromtimestamp(ecom.log.as_of_us / 1e6, UTC) - shift).isoformat()
    alone = KpisSpec(scope=Scope(start=earlier["start"], end=earlier["end"], as_of=as_of))
    then = values(run_kpis(alone, ecom.log))
    for row in answer.table.to_pylist():
        if row["previous"] is not None and row["kpi"] not in ("churn_rate", "at_risk", "lost"):
            assert row["previous"] == pytest.approx(then[row["kpi"]]), row["kpi"]


def test_people_behind_a_kpi_are_those_it_counts(ecom: Ecom) -> None:
    spec = KpisSpec(scope=SPRING)
    now = values(run_kpis(spec, ecom.log))
    for key in ("wish_list_persons", "new_customers", "at_risk"):
        task, _ = kpi_people(spec, ecom.log, basis_of(ecom.workspace.settings), key)
        assert people_table(ecom.log, task).num_rows == now[key]
    with pytest.raises(SpecError, match="no list of persons"):
        kpi_people(spec, ecom.log, basis_of(ecom.workspace.settings), "time_to_convert")


def test_money_that_nobody_told_is_not_nothing(ecom: Ecom) -> None:
    """No order of this data set has a value: no revenue of 0.00."""
    rows = {row["kpi"]: row for row in run_kpis(KpisSpec(), ecom.log).table.to_pylist()}
    for key in ("revenue", "net_revenue", "average_order_value", "lifetime_value"):
        assert rows[key]["value"] is None
        assert rows[key]["note"]
    assert all(row["note"] for row in rows.values() if row["value"] is None)


def test_a_break_down_that_makes_no_sense_is_refused_by_name(ecom: Ecom) -> None:
    answer = run_kpis(KpisSpec(scope=Scope(by="channel"), kpis=("lost", "orders")), ecom.log)
    lost = [row for row in answer.table.to_pylist() if row["kpi"] == "lost"]
    assert [(row["value"], row["note"]) for row in lost] == [(None, "cannot be broken down by this field")]


SPEND = {"day": [19_783, 19_783], "currency": ["EUR", "EUR"], "cost": [30_000, 10_000], "impressions": [80_000, None]}


def test_ad_costs(tmp_path: Path) -> None:
    """1 March 2024: 400.00, of which 300.00 showed ads 80,000 times; one new customer, who came by an ad."""
    rows = [
        event("2024-03-01T10:00", "Page Viewed", user_id="ann", url="https://shop.example/?gclid=1", click_id="gclid"),
        event("2024-03-01T10:05", "Order Completed", user_id="ann", order_id="1", value=5_000, currency="EUR"),
    ]
    workspace = make_workspace(tmp_path / "shop", rows)
    kinds = (pa.date32(), pa.string(), pa.int64(), pa.int64())
    spend = pa.table({name: pa.array(column, kind) for (name, column), kind in zip(SPEND.items(), kinds, strict=True)})
    spec = KpisSpec(scope=Scope(start="2024-03-01", end="2024-03-01", timezone="Europe/Rome"))
    inputs = KpiInputs(spend=spend)
    now = values(run_kpis(spec, fresh_log(workspace), basis_of(workspace.settings), inputs))
    # The day is over at the as-of time, which is before its noon: days count by their noon.
    later = replace(spec, scope=replace(spec.scope, end="2024-03-02"))
    assert now["ad_cost"] is None
    more = [*rows, event("2024-03-02T10:00", "Page Viewed", user_id="bob")]
    other = make_workspace(tmp_path / "later", more)
    now = values(run_kpis(later, fresh_log(other), basis_of(other.settings), inputs))
    assert (now["ad_cost"], now["ad_impressions"], now["cost_per_thousand"]) == (400, 80_000, 3.75)
    assert (now["cost_per_acquisition"], now["return_on_spend"], now["value_to_cost"]) == (400, 0.125, 0.125)


def test_answers_of_surveys_are_not_pooled(tmp_path: Path) -> None:
    rows = []
    for n, (survey, score) in enumerate((("delivery", 10), ("delivery", 3), ("delivery", 9), ("service", 8))):
        said = f'{{"survey_type":"nps","survey_name":"{survey}"}}'
        rows.append(
            event(f"2024-03-0{n + 1}T10:00", "Survey Answered", user_id=f"p{n}", score=float(score), properties=said)
        )
    rows.append(event("2024-03-08T10:00", "Survey Answered", user_id="p1", score=7.0, properties=rows[1]["properties"]))
    answer = run_kpis(KpisSpec(), fresh_log(make_workspace(tmp_path / "shop", rows)))
    (nps,) = [row for row in answer.table.to_pylist() if row["kpi"] == "nps"]
    assert nps["value"] is None
    assert "never pooled" in nps["note"]
    found = {row["survey"]: (row["value"], row["n"]) for row in answer.tables["surveys"].to_pylist()}
    expected = naive.nps([("p0", 0, 10), ("p1", 1, 3), ("p2", 2, 9), ("p1", 3, 7)])
    assert expected is not None
    assert found == {"delivery": (pytest.approx(100 * expected[0] / expected[1]), 3), "service": (0.0, 1)}


def test_units_and_margin(tmp_path: Path) -> None:
    items = [{"product_id": "a", "quantity": 2.0, "price": 1_000}, {"product_id": "b", "quantity": 0.5, "price": 800}]
    rows = [
        event(
            "2024-03-01T10:00", "Order Completed", user_id="ann", order_id="1", value=2_400, currency="EUR", items=items
        ),
        event("2024-03-02T10:00", "Order Completed", user_id="bob", order_id="2", value=500, currency="EUR"),
    ]
    log = fresh_log(make_workspace(tmp_path / "shop", rows))
    answer = run_kpis(KpisSpec(), log, inputs=KpiInputs(costs={"a": 600, "b": 300}))
    rows_of = {row["kpi"]: row for row in answer.table.to_pylist()}
    assert (rows_of["units"]["value"], rows_of["units"]["n"]) == (2.5, 1)
    assert (rows_of["margin"]["exact"], rows_of["margin"]["n"]) == (Decimal("10.50"), 1)
    assert rows_of["margin_rate"]["value"] == pytest.approx(10.5 / 24)
    half = run_kpis(KpisSpec(kpis=("margin",)), log, inputs=KpiInputs(costs={"a": 600}))
    assert half.table.column("value").to_pylist() == [None]


def test_opening_hours() -> None:
    """Asked on Friday at 18:30, answered on Monday at 9:10; Monday to Friday, 9 to 19: forty minutes."""
    hours = OpeningHours("Europe/Rome", (0, 1, 2, 3, 4), 9 * 3_600, 19 * 3_600)
    asked, answered = (
        pa.array([int(datetime.fromisoformat(text).timestamp() * 1e6)]).to_numpy()
        for text in ("2024-03-29T18:30+01:00", "2024-04-01T09:10+02:00")
    )
    assert hours.seconds(asked, answered).tolist() == [40 * 60]
    assert OpeningHours("Europe/Rome").seconds(asked, answered).tolist() == [(answered[0] - asked[0]) // 1_000_000]


def test_targets(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "shop", told(acts(3)))
    log = fresh_log(workspace)
    targets = (
        Target("orders", 10**6),
        Target("payment_failure", 1.0),
        Target("orders", 1.0, "2020-01-01", "2020-02-01"),
    )
    answer = run_kpis(KpisSpec(), log, inputs=KpiInputs(targets=targets))
    found = {row["kpi"]: row["on_target"] for row in answer.table.to_pylist() if row["target"] is not None}
    assert found == {"orders": False, "payment_failure": True}
    with (workspace.folder / "percorso.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[targets]]\nkpi = "orders"\nvalue = 1\n')
    with_target = open_workspace(workspace.folder)
    assert not is_stale(with_target, log)
    shown = {row["kpi"]: row["target"] for row in ask_kpis(with_target, KpisSpec()).table.to_pylist()}
    assert shown["orders"] == 1
    with (workspace.folder / "percorso.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[targets]]\nkpi = "oders"\nvalue = 1\n')
    with pytest.raises(SettingsError, match="no such KPI") as caught:
        ask_kpis(open_workspace(workspace.folder), KpisSpec())
    assert "orders" in caught.value.hint


def test_specs_make_the_round_trip_and_refuse_what_cannot_be() -> None:
    spec = KpisSpec(scope=SPRING, compare="last-year", every="week", kpis=("revenue", "nps"))
    assert spec_from_json(KpisSpec, spec_to_json(spec)) == spec
    assert [kpi.key for kpi in spec.chosen()] == ["revenue", "nps"]
    for wrong, said in (
        ({"kpis": ("revenu",)}, "no KPI"),
        ({"compare": "previous"}, "needs a period"),
        ({"last": "30d", "scope": SPRING}, "twice"),
        ({"last": "12h"}, "number of days"),
        ({"last": "1d", "compare": "before"}, "compare with"),
        ({"every": "year"}, "no period"),
    ):
        with pytest.raises(SpecError, match=said):
            KpisSpec(**wrong)


def test_keys_are_apart() -> None:
    assert len({kpi.key for kpi in KPIS}) == len(KPIS)
    assert all(kpi.missing for kpi in KPIS)
