"""KPIs of customers and of money: who is first, live, new and lost; what is not known; refunds of no known order."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.basis import basis_of
from percorso.analyses.kpis import KpiInputs, KpisSpec, run_kpis
from percorso.analyses.lifecycle import LifecycleSpec, run_lifecycle
from percorso.analyses.quality import QualitySpec, run_quality
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.kernels.kpi_events import first_contacts, first_times
from percorso.language.kpi_words import kpi_reason
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace, open_workspace
from tests.lake_builder import event
from tests.workspaces import make_workspace

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def told(at: str | datetime, name: str, user: str | None = None, source: str = "web", **fields: Any) -> dict[str, Any]:
    kinds = {"web": "web", "till": "pos", "shop": "server"}
    if user is not None:
        fields["user_id"] = user
    if "value" in fields:
        fields.setdefault("currency", "EUR")
    return event(at, name, source=source, source_kind=kinds[source], **fields)


def shop(folder: Path, rows: list[dict[str, Any]], toml: str = "") -> Workspace:
    workspace = make_workspace(folder / "shop", rows, timezone="UTC")
    if toml:
        file = workspace.folder / "percorso.toml"
        file.write_text(file.read_text(encoding="utf-8") + "\n" + toml, encoding="utf-8")
        workspace = open_workspace(workspace.folder)
    return workspace


def ask(workspace: Workspace, inputs: KpiInputs | None = None, **options: Any) -> Result:
    names = ("last", "compare", "every", "kpis")
    mine = {name: options.pop(name) for name in names if name in options}
    spec = KpisSpec(scope=Scope(timezone="UTC", **options), **mine)
    return run_kpis(spec, fresh_log(workspace), basis_of(workspace.settings), inputs)


def values(answer: Result, **only: str) -> dict[str, Any]:
    rows = answer.table.to_pylist()
    return {row["kpi"]: row["value"] for row in rows if all(row[name] == value for name, value in only.items())}


@pytest.fixture(scope="module")
def two_buyers(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Ann buys online, then in a store; Bob in a store alone."""
    rows = [
        told("2024-01-01T10:00", "Order Completed", "ann", value=1_000, order_id="1"),
        told("2024-03-01T10:00", "Order Completed", "ann", "till", value=2_000, order_id="2"),
        told("2024-03-02T10:00", "Order Completed", "bob", "till", value=3_000, order_id="3"),
        told("2024-03-05T10:00", "Order Completed", "bob", value=700, order_id="4"),
    ]
    return shop(tmp_path_factory.mktemp("two"), rows)


def test_a_condition_does_not_say_who_is_new(two_buyers: Workspace) -> None:
    of = ("orders_new", "revenue_new", "new_customers", "new_persons", "lifetime_value")
    apart = values(ask(two_buyers, by="place", start="2024-03-01", kpis=of), place="store")
    within = values(ask(two_buyers, where="place = store", start="2024-03-01", kpis=of))
    assert apart == within
    assert within == {"orders_new": 1, "revenue_new": 30, "new_customers": 1, "new_persons": 1, "lifetime_value": 37}


def test_places_used_are_those_of_all_contacts(two_buyers: Workspace) -> None:
    found = values(
        ask(two_buyers, where="place = store", kpis=("lifetime_value_one_place", "lifetime_value_two_places"))
    )
    assert found == {"lifetime_value_one_place": None, "lifetime_value_two_places": 37}


@pytest.fixture(scope="module")
def regulars(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Sixty who buy every ten days for five months: twice on the site, then in a store."""
    begin, rows = datetime(2024, 1, 1), []
    for who in range(60):
        for day in range(0, 151, 10):
            at, source = begin + timedelta(days=day, minutes=who), "web" if day < 20 else "till"
            rows.append(told(at, "Order Completed", f"u{who}", source, value=100, order_id=f"{who}-{day}"))
    return shop(tmp_path_factory.mktemp("regulars"), rows)


def test_a_condition_does_not_make_customers_lost(regulars: Workspace) -> None:
    of = ("at_risk", "lost")
    assert (
        values(ask(regulars, kpis=of))
        == values(ask(regulars, where="place = site", kpis=of))
        == {"at_risk": 0, "lost": 0}
    )
    spec = LifecycleSpec(scope=Scope(timezone="UTC", where="place = site"))
    rows = run_lifecycle(spec, fresh_log(regulars), basis_of(regulars.settings)).tables["relationships"].to_pylist()
    assert {row["relationship"]: row["persons"] for row in rows}["lost"] == 0


def test_who_may_be_counted_is_in_before_the_end(tmp_path: Path) -> None:
    rows = [
        told("2024-03-01T10:00", "Newsletter Subscribed", "ann"),
        *(told("2024-03-02T10:00", "Product Viewed", user) for user in ("bob", "cle", "dan")),
        told("2024-03-03T10:00", "Page Viewed", anonymous_id="robot", user_agent=BOT),
        told("2024-03-03T11:00", "Order Completed", "ann", value=100, order_id="1"),
        told("2025-03-01T10:00", "Order Completed", "eve", value=100, order_id="2", received_at="2024-03-02T10:00"),
    ]
    workspace, of = shop(tmp_path, rows), ("opt_in_rate_email", "contactable_email", "persons")

    def told_of(**options: Any) -> tuple[Any, ...]:
        rows = ask(workspace, kpis=of, **options).table.to_pylist()
        by = {row["kpi"]: row for row in rows}
        return by["opt_in_rate_email"]["value"], by["opt_in_rate_email"]["n"], by["persons"]["value"]

    assert told_of() == (0.25, 4, 4)
    assert told_of(persons="orders >= 1") == (1, 1, 1)
    assert told_of(where="event = 'Newsletter Subscribed'") == (1, 1, 1)
    assert told_of(where="event = 'Product Viewed'") == (0, 3, 3)


def test_unknown_money_is_not_nothing(tmp_path: Path) -> None:
    rows = [
        told("2024-01-01T10:00", "Order Completed", "ann", value=1_000, order_id="1"),
        told("2024-01-02T10:00", "Order Completed", "bob", value=9_000, currency="USD", order_id="2"),
        told("2024-01-03T10:00", "Order Completed", "cle", order_id="3"),
        told("2024-01-03T10:00", "Order Completed", "dan", value=500, order_id="4"),
        told("2024-01-04T10:00", "Order Completed", "dan", order_id="5"),
    ]
    answer = ask(shop(tmp_path, rows), kpis=("lifetime_value", "lifetime_value_one_place", "new_customers"))
    found = {row["kpi"]: (row["value"], row["n"]) for row in answer.table.to_pylist()}
    assert found == {"lifetime_value": (10, 1), "lifetime_value_one_place": (10, 1), "new_customers": (4, 4)}


RATES = '[[rates]]\ncurrency = "USD"\nday = "2024-01-01"\nrate = 0.5\n'


@given(st.lists(st.lists(st.tuples(st.integers(-1, 2), st.booleans()), max_size=6), max_size=6), st.booleans())
def test_first_things_of_persons(persons: list[list[tuple[int, bool]]], everything: bool) -> None:
    """Time and contact of the first event that is in, plainly."""
    offsets = np.cumsum([0, *map(len, persons)]).astype(np.int64)
    flat = [one for events in persons for one in events]
    contact = np.array([number for number, _ in flat], np.int32)
    time = np.arange(len(flat), dtype=np.int64) * 10
    keep = np.zeros(0, np.uint8) if everything else np.array([kept for _, kept in flat], np.uint8)
    seen, numbers, at = [], [], 0
    for events in persons:
        mine = [(at + k, number) for k, (number, kept) in enumerate(events) if kept or everything or not len(keep)]
        seen.append(mine[0][0] * 10 if mine else np.iinfo(np.int64).max)
        numbers.append(next((number for _, number in mine if number >= 0), -1))
        at += len(events)
    assert first_times(offsets, time, keep).tolist() == seen
    assert first_contacts(offsets, contact, keep).tolist() == numbers


def test_each_refund_is_converted_by_itself(tmp_path: Path) -> None:
    """Three cents at 0.5 are 2 by half-even; nine are 4: three refunds give back 6, not 4."""
    rows = [told("2024-01-01T10:00", "Order Completed", "ann", value=2_000, currency="USD", order_id="1")]
    rows += [
        told(f"2024-01-0{day}T10:00", "Order Refunded", "ann", "shop", value=3, currency="USD", order_id="1")
        for day in (2, 3, 4)
    ]
    workspace = shop(tmp_path, rows, RATES)
    assert values(ask(workspace, kpis=("net_revenue", "lifetime_value"))) == {
        "net_revenue": 9.94,
        "lifetime_value": 9.94,
    }
    early = ask(workspace, kpis=("net_revenue",), as_of="2024-01-03T12:00")
    assert values(early) == {"net_revenue": 9.96}


@pytest.fixture(scope="module")
def credit_notes(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Refunds that name no order, another order's number, another currency; and some that all is well with."""
    rows = [
        told("2024-01-10T10:00", "Order Completed", "ann", value=10_000, order_id="1"),
        told("2024-01-11T10:00", "Order Refunded", "ann", "shop", value=1_000, order_id="1"),
        told("2024-02-01T10:00", "Order Refunded", "ann", "shop", value=300),
        told("2024-02-02T10:00", "Order Refunded", "ann", "shop", value=40, order_id="unheard-of"),
        told("2024-01-12T10:00", "Order Completed", None, "till", value=5_000, order_id="r1"),
        told("2024-02-03T10:00", "Order Refunded", None, "till", value=500),
        told("2024-01-13T10:00", "Order Completed", "bob", value=2_000, order_id="2"),
        told("2024-01-14T10:00", "Order Cancelled", "bob", "shop", order_id="2"),
        told("2024-01-15T10:00", "Order Refunded", "bob", "shop", value=2_000, order_id="2"),
    ]
    return shop(tmp_path_factory.mktemp("notes"), rows)


def test_refunds_of_no_known_order_are_off_net_revenue(credit_notes: Workspace) -> None:
    """170.00 sold; 10.00 and 20.00 back on orders, 8.40 on none, in February."""
    of = ("revenue", "net_revenue", "lifetime_value")
    answer = ask(credit_notes, kpis=of)
    assert values(answer) == {"revenue": 170, "net_revenue": 131.6, "lifetime_value": 90}
    assert (answer.totals["loose_refunds"], answer.totals["loose_refund_value"]) == (3, Decimal("8.40"))
    january = ask(credit_notes, kpis=of, start="2024-01-01", end="2024-01-31")
    assert values(january)["net_revenue"] == 140
    assert values(ask(credit_notes, kpis=of, start="2024-02-01"))["net_revenue"] == -8.4
    assert values(ask(credit_notes, kpis=of, where="place = store"))["net_revenue"] == 45


def test_quality_tells_of_refunds_of_no_known_order(credit_notes: Workspace) -> None:
    answer = run_quality(QualitySpec(), fresh_log(credit_notes), basis_of(credit_notes.settings))
    (found,) = [row for row in answer.tables["findings"].to_pylist() if row["finding"] == "loose_refunds"]
    assert (found["level"], found["count"], found["value"]) == ("problem", 3, Decimal("8.4000"))
    assert found["meaning"].startswith("3 refunds, worth €8.40, belong to no order that is known")


def test_churn_needs_orders_that_reach_back(regulars: Workspace) -> None:
    """They are lost after ten days; orders begin on 1 January."""
    of = ("churn_rate", "at_risk", "lost")
    whole = {row["kpi"]: row for row in ask(regulars, kpis=of).table.to_pylist()}
    assert (whole["churn_rate"]["value"], whole["churn_rate"]["note"]) == (None, kpi_reason("history_too_short"))
    assert (whole["at_risk"]["value"], whole["lost"]["value"]) == (0, 0)

    def of_days(start: str, end: str, compare: str = "") -> list[tuple[Any, Any]]:
        rows = ask(regulars, kpis=of, start=start, end=end, compare=compare).table.to_pylist()
        return [(row["value"], row["previous"]) for row in rows]

    assert of_days("2024-01-05", "2024-01-09") == [(None, None)] * 3
    assert of_days("2024-01-11", "2024-01-15") == [(None, None), (0, None), (0, None)]
    assert of_days("2024-01-12", "2024-01-15") == [(0, None), (0, None), (0, None)]
    assert of_days("2024-01-20", "2024-01-25", "previous") == [(0, 0), (0, 0), (0, 0)]
    assert of_days("2024-01-16", "2024-01-20", "previous") == [(0, None), (0, None), (0, None)]
    trend = ask(regulars, kpis=of, every="month").tables["trend"].to_pylist()
    churn = [row["value"] for row in trend if row["kpi"] == "churn_rate"]
    assert churn[0] is None
    assert set(churn[1:]) == {0}


def test_units_and_margin_of_new_and_returning(tmp_path: Path) -> None:
    def order(at: str, user: str | None, number: str, product: str, value: int) -> dict[str, Any]:
        source, item = "web" if user else "till", [{"product_id": product, "quantity": 1.0, "price": value}]
        return told(at, "Order Completed", user, source, order_id=number, value=value, items=item)

    rows = [
        order("2024-01-01T10:00", "ann", "1", "mug", 900),
        order("2024-01-05T10:00", "ann", "2", "cup", 700),
        order("2024-01-06T10:00", "bob", "3", "mug", 900),
        order("2024-01-07T10:00", None, "4", "mug", 900),
    ]
    of = ("units", "units_new", "units_returning", "margin", "margin_new", "margin_returning")
    found = values(ask(shop(tmp_path, rows), KpiInputs(costs={"mug": 300, "cup": 500}), kpis=of))
    assert [found[name] for name in of] == [4, 2, 1, 20, 12, 2]
