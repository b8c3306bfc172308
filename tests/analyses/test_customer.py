"""A person's history: what is asked as of a time is what a log of the events until then says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses.customer import history_of, persons_between
from percorso.analyses.customer_view import value_of
from percorso.analyses.history import AMBASSADOR_US, History, HistoryOrder, relationship_of
from percorso.settings import DAY_US, Rate, Settings, StageModel
from percorso.settings.stages import STAGE_MODELS
from percorso.store.journey_log import JourneyLog
from tests.journeys.test_build import build
from tests.lake_builder import event

START = datetime(2024, 3, 1)
LEAST, GREATEST = bytes(16), bytes([255] * 16)

#: Nothing of these looks ahead: no session gets engaged by what comes later, no message waits for a journey.
NAMES = [
    "Products Searched",
    "Order Completed",
    "Order Cancelled",
    "Order Refunded",
    "Order Returned",
    "Order Delivered",
    "Order Shipped",
    "Ticket Opened",
    "Product Reviewed",
]


def micros(time: datetime) -> int:
    return int(time.replace(tzinfo=UTC).timestamp()) * 1_000_000


def history(log: JourneyLog, as_of: datetime, known: Settings | None = None) -> History:
    (where,) = persons_between(log, LEAST, GREATEST)
    return history_of(where, known or Settings(), as_of_us=micros(as_of))


@st.composite
def lives(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What one person does at a till: orders, and what becomes of each."""
    rows: list[dict[str, Any]] = []
    at, orders = START, [""]
    for number in range(draw(st.integers(1, 12))):
        at += timedelta(days=draw(st.sampled_from([0, 1, 9, 29, 30, 31, 70])), minutes=draw(st.integers(1, 9)))
        name = draw(st.sampled_from(NAMES))
        order = draw(st.sampled_from(orders))
        if name == "Order Completed":
            order = f"o{number}"
            orders.append(order)
        elif name.startswith("Order") and not order:
            continue  # a message about nothing waits for the next journey
        rows.append(
            event(
                at,
                name,
                user_id="u",
                source_kind="pos",
                order_id=order if name.startswith("Order") else None,
                value=draw(st.sampled_from([None, 50, 100])) if "Order" in name else None,
                score=draw(st.sampled_from([None, 2.0, 5.0])) if name == "Product Reviewed" else None,
                properties=draw(
                    st.sampled_from([None, '{"promised_at":"2024-03-09"}', '{"promised_at":"2024-05-01"}'])
                ),
            )
        )
    return rows


@settings(max_examples=25, deadline=None)
@given(lives(), st.data())
def test_as_of_a_time_is_what_was_known_then(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    if not rows:
        return
    folder = tmp_path_factory.mktemp("life")
    known = data.draw(st.integers(1, len(rows)))
    cut = rows[known - 1]["timestamp"].replace(tzinfo=None)
    whole, part = build(folder / "whole", rows), build(folder / "part", rows[:known])
    assert history(whole, cut) == history(part, cut)


def test_persons_are_found_between_ids(tmp_path: Path) -> None:
    rows = [event("2024-03-01T10:00:00", "Page Viewed", user_id=f"u{number}") for number in range(200)]
    log = build(tmp_path, rows)
    every = [where.person for where in persons_between(log, LEAST, GREATEST)]
    assert len(every) == 200
    assert every == sorted(every)
    for person in every[:20]:
        (found,) = persons_between(log, bytes.fromhex(person), bytes.fromhex(person))
        assert found.person == person
    inside = [where.person for where in persons_between(log, bytes.fromhex(every[7]), bytes.fromhex(every[90]))]
    assert inside == every[7:91]
    assert persons_between(log, bytes([254] * 16), bytes([254] * 16)) == []


DESK = {"source": "help", "source_kind": "support", "user_id": "u"}


def test_orders_are_late_contacted_and_advocated(tmp_path: Path) -> None:
    told = {"user_id": "u", "order_id": "o"}
    rows = [
        event("2024-03-01T10:00:00", "Order Completed", properties='{"promised_delivery":"2024-03-04"}', **told),
        event("2024-03-04T18:00:00", "Call Ended", **DESK),
        event("2024-03-05T01:00:00", "Order Delivered", **told),
        event("2024-03-08T10:00:00", "Product Reviewed", user_id="u", score=5.0),
    ]
    log = build(tmp_path, rows)

    def flags(as_of: str) -> tuple[str, ...]:
        (order,) = history(log, datetime.fromisoformat(as_of)).orders
        return order.flags

    assert flags("2024-03-04") == ()
    assert flags("2024-03-05") == ("contacted",)
    assert flags("2024-03-06") == ("late", "contacted")
    assert flags("2024-03-09") == ("late", "contacted", "advocated")


@pytest.mark.parametrize(("delivered", "late"), [("2024-03-04T22:59:00", False), ("2024-03-04T23:00:00", True)])
def test_a_promise_is_kept_on_its_day(tmp_path: Path, delivered: str, late: bool) -> None:
    """An hour named that day does not count; midnight in Rome does."""
    told = {"user_id": "u", "order_id": "o"}
    rows = [
        event("2024-03-01T10:00:00", "Order Completed", **told),
        event("2024-03-02T10:00:00", "Order Shipped", properties='{"promised_at":"2024-03-04T15:00:00Z"}', **told),
        event(delivered, "Order Delivered", **told),
    ]
    (order,) = history(build(tmp_path, rows), datetime(2024, 3, 9)).orders
    assert order.is_late == late
    assert order.promised_us == micros(datetime(2024, 3, 4, 15))


def order(day: int, status: str = "live", value: int = 1000, refunded: int = 0, currency: str = "EUR") -> HistoryOrder:
    return HistoryOrder(1, day * DAY_US, "store", "Store POS", status, value, refunded, currency, None)


@pytest.mark.parametrize(
    ("orders", "advocated", "expected"),
    [
        ([], [], "prospect"),
        ([], [300], "prospect"),
        ([order(10, "cancelled")], [], "prospect"),
        ([order(10, "refunded")], [], "prospect"),
        ([order(10)], [], "new"),
        ([order(10), order(10)], [], "new"),
        ([order(10, "returned"), order(10, "cancelled"), order(11, "refunded")], [], "new"),
        ([order(10), order(11, "part_refunded")], [], "repeat"),
        ([order(10)], [399], "ambassador"),
        ([order(10), order(11)], [401 - 365], "ambassador"),
        ([order(10), order(11)], [400 - 365], "repeat"),
    ],
)
def test_relationships(orders: list[HistoryOrder], advocated: list[int], expected: str) -> None:
    """Definitions, section 5; as of day 400."""
    times = [day * DAY_US for day in advocated]
    assert relationship_of(orders, times, as_of_us=400 * DAY_US, timezone="UTC") == expected
    assert AMBASSADOR_US == 365 * DAY_US


def test_days_are_those_of_the_workspace() -> None:
    """22:30 and 23:30 UTC are two days in Rome and one in Greenwich."""
    half, hour = DAY_US // 48, DAY_US // 24
    orders = [replace(order(0), time_us=22 * hour + half), replace(order(0), time_us=23 * hour + half)]
    zones = {zone: relationship_of(orders, [], as_of_us=DAY_US, timezone=zone) for zone in ("Europe/Rome", "UTC")}
    assert zones == {"Europe/Rome": "repeat", "UTC": "new"}


def test_value_is_converted_at_the_orders_day() -> None:
    rates = (Rate("1970-01-08", "USD", 0.5), Rate("1970-01-21", "USD", 2.0))
    known = Settings(rates=rates)
    orders = [order(10, currency="USD", refunded=400), order(21, currency="USD"), order(300, currency="USD"), order(5)]
    value = value_of(orders, known)
    assert (value.gross, value.net, value.without_rate) == (500 + 2000 + 1000, 300 + 2000 + 1000, ("USD",))


@pytest.mark.parametrize("model", STAGE_MODELS.values(), ids=lambda model: model.name)
def test_after_an_order_the_stage_is_the_models(tmp_path: Path, model: StageModel) -> None:
    log = build(tmp_path, [event("2024-03-01T10:00:00", "Order Completed", user_id="u", order_id="1", value=5)])
    known = Settings(stages=model)
    assert history(log, START + timedelta(days=2), known).stage == model.stages[model.after_order].key
    assert history(log, START + timedelta(days=32), known).stage == ""
