"""KPIs of service, delivery, loyalty, consent and feedback on a shop small enough to count by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from percorso.analyses.basis import basis_of
from percorso.analyses.kpis import KpiInputs, KpisSpec, run_kpis
from percorso.analyses.opening_hours import OpeningHours
from percorso.analyses.spec import Scope
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from tests.lake_builder import event
from tests.workspaces import make_workspace

MARCH = KpisSpec(scope=Scope(start="2024-03-01", end="2024-03-31", timezone="UTC"))


def said(**properties: Any) -> dict[str, Any]:
    return {"properties": json.dumps(properties, sort_keys=True)}


def order(person: str, number: str, at: str, **fields: Any) -> dict[str, Any]:
    named = {"user_id": person, "order_id": number, "value": 1_000, "currency": "EUR"}
    return event(at, "Order Completed", **(named | fields))


def about(person: str, at: str, name: str, **fields: Any) -> dict[str, Any]:
    return event(at, name, user_id=person, **fields)


def shop() -> list[dict[str, Any]]:
    asks = {"source": "desk", "source_kind": "support"}
    return [
        # Three orders: one late, one early and sent back, one on the promised day.
        order("ann", "1", "2024-03-01T10:00", **said(promised="2024-03-05"), loyalty_id="card1"),
        about("ann", "2024-03-06T12:00", "Order Delivered", order_id="1"),
        order("bob", "2", "2024-03-02T10:00", **said(promised="2024-03-06")),
        about("bob", "2024-03-04T12:00", "Order Delivered", order_id="2"),
        about("bob", "2024-03-10T12:00", "Order Returned", order_id="2"),
        order("cid", "3", "2024-03-03T10:00", **said(promised="2024-03-07")),
        about("cid", "2024-03-07T23:00", "Order Delivered", order_id="3"),
        # Ann asks twice about her order within a week; the first reply is automatic, the second one is not.
        about("ann", "2024-03-05T10:00", "Ticket Opened", order_id="1", ticket_id="t1", **asks),
        about("ann", "2024-03-05T10:01", "Message Received", ticket_id="t1", **asks, **said(automatic=True)),
        about("ann", "2024-03-05T12:00", "Message Received", ticket_id="t1", **asks),
        about("ann", "2024-03-06T10:00", "Ticket Resolved", ticket_id="t1", **asks),
        about("ann", "2024-03-08T10:00", "Ticket Opened", order_id="1", ticket_id="t2", **asks),
        # Cid asks without naming an order.
        about("cid", "2024-03-12T10:00", "Ticket Opened", ticket_id="t3", **asks, **said(reason="opening hours")),
        # Points, consents, reviews, surveys, recommendations.
        about("ann", "2024-03-01T10:01", "Points Earned", **said(points=120, expires="2024-05-01")),
        about("ann", "2024-03-09T10:00", "Points Redeemed", **said(points=20.5)),
        about("ann", "2024-02-01T10:00", "Newsletter Subscribed"),
        about("bob", "2024-03-02T10:05", "Newsletter Subscribed"),
        about("ann", "2024-03-20T10:00", "Unsubscribed"),
        about("bob", "2024-03-05T09:00", "Review Requested"),
        about("bob", "2024-03-07T09:00", "Product Reviewed", score=2.0),
        about("cid", "2024-03-09T09:00", "Product Reviewed", score=5.0),
        about("ann", "2024-03-07T09:00", "Survey Sent", **said(survey_type="csat", survey_name="delivery")),
        about("bob", "2024-03-07T09:30", "Survey Sent", **said(survey_type="csat", survey_name="delivery")),
        about(
            "ann", "2024-03-07T19:00", "Survey Answered", score=4.0, **said(survey_type="csat", survey_name="delivery")
        ),
        about("cid", "2024-03-11T09:00", "Referral Sent"),
        about("cid", "2024-03-15T09:00", "Referral Converted", value=2_500, currency="EUR"),
        about("dan", "2024-04-20T10:00", "Page Viewed"),
    ]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("shop") / "shop", shop(), timezone="UTC")


@pytest.fixture(scope="module")
def rows(workspace: Workspace) -> dict[str, dict[str, Any]]:
    answer = run_kpis(MARCH, fresh_log(workspace), basis_of(workspace.settings))
    return {row["kpi"]: row for row in answer.table.to_pylist()}


@pytest.mark.parametrize(
    ("kpi", "value", "n"),
    [
        ("late_delivery", 1 / 3, 3),
        ("early_delivery", 1 / 3, 3),
        ("return_rate", 1 / 3, 3),
        ("contact_rate", 1, 3),  # what names no order is about the latest open one
        ("repeat_contact", 1 / 3, 3),
        ("first_answer", 2 * 3_600, 1),
        ("resolution", 24 * 3_600, 1),
        ("loyalty_order_share", 1 / 3, 1),
        ("loyalty_value_share", 1 / 3, 1),
        ("points_earned", 120, 1),
        ("points_redeemed", 20.5, 1),
        ("points_expiring", 120, 1),
        ("contactable_email", 1, 2),
        ("opt_in_rate_email", 1 / 2, 2),
        ("opt_out_rate_email", 1, 1),
        ("newsletter_persons", 1, 1),
        ("review_rate", 1, 1),
        ("reviews", 2, 2),
        ("mean_rating_asked", 2, 1),
        ("mean_rating_unasked", 5, 1),
        ("csat", 1, 1),
        ("survey_response", 1 / 2, 2),
        ("referrals_sent", 1, 1),
        ("referrals_converted", 1, 1),
        ("referral_value", 25, 1),
        ("new_customers", 3, 3),
    ],
)
def test_by_hand(rows: dict[str, dict[str, Any]], kpi: str, value: float, n: int) -> None:
    assert (rows[kpi]["value"], rows[kpi]["n"]) == (pytest.approx(value), n)


def test_answers_wait_only_while_service_is_open(workspace: Workspace) -> None:
    """Asked at 10:00, answered at 12:00, service opens at 11:00: an hour."""
    inputs = KpiInputs(hours=OpeningHours("UTC", tuple(range(7)), 11 * 3_600, 19 * 3_600))
    answer = run_kpis(MARCH, fresh_log(workspace), basis_of(workspace.settings), inputs)
    found = {row["kpi"]: row["value"] for row in answer.table.to_pylist()}
    assert found["first_answer"] == 3_600


def test_as_of_an_earlier_time_what_came_later_has_not_happened(workspace: Workspace) -> None:
    spec = KpisSpec(scope=Scope(start="2024-03-01", end="2024-03-31", timezone="UTC", as_of="2024-03-09"))
    answer = run_kpis(spec, fresh_log(workspace), basis_of(workspace.settings))
    found = {row["kpi"]: row["value"] for row in answer.table.to_pylist()}
    assert found["return_rate"] == 0
    assert found["contactable_email"] == 2
    assert found["referrals_sent"] is None
