"""The table `details` of a log, and what orders take from it."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from percorso.events.details import CODED_DETAILS, NO_DETAIL, DetailSource, detail_of
from percorso.store.journey_log import Bucket, JourneyLog
from tests.journeys.random_events import of_others, one
from tests.journeys.test_build import build
from tests.lake_builder import event

ORDER = {"user_id": "u1", "order_id": "1"}
POST = {"source": "post", "source_kind": "delivery"}
DESK = {"source": "help", "source_kind": "support"}


def rows_of(log: JourneyLog, table: str) -> list[dict[str, Any]]:
    return [row for bucket in (*log.buckets, log.unidentified) for row in bucket.table(table).batch.to_pylist()]


def promise(told: str) -> str:
    return json.dumps({"promised_at": told})


def day(number: int) -> int:
    return (19782 + number) * 86_400_000_000  # of March 2024


def test_the_promise_of_the_order_itself_counts(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01 10:00", "Order Confirmed", properties=promise("2024-03-03T00:00:00Z"), **ORDER, **POST),
        event("2024-03-01 10:01", "Order Completed", properties=promise("2024-03-04T00:00:00Z"), **ORDER),
        event("2024-03-02 10:00", "Order Shipped", properties=promise("2024-03-05T00:00:00Z"), **ORDER, **POST),
    ]
    (order,) = rows_of(build(tmp_path, rows), "orders")
    assert order["promised"] == day(4)


def test_else_the_first_promise_of_another_event_of_the_order(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01 10:01", "Order Completed", **ORDER),
        event("2024-03-02 10:00", "Order Shipped", properties=promise("2024-03-05T00:00:00Z"), **ORDER, **POST),
        event("2024-03-03 10:00", "Order Updated", properties=promise("2024-03-09T00:00:00Z"), **ORDER, **POST),
        event("2024-03-04 10:00", "Order Completed", user_id="u1", order_id="2"),
    ]
    assert [order["promised"] for order in rows_of(build(tmp_path, rows), "orders")] == [day(5), -1]


def test_the_first_contact_with_service_about_an_order(tmp_path: Path) -> None:
    rows = [
        event("2024-02-27 10:00", "Ticket Opened", **ORDER, **DESK),
        event("2024-03-01 10:00", "Order Completed", **ORDER),
        event("2024-03-02 10:00", "Message Received", **ORDER, **DESK),
        event("2024-03-03 00:00", "Call Ended", user_id="u1", **DESK),  # about the latest open order
        event("2024-03-04 10:00", "Ticket Opened", **ORDER, **DESK),
        event("2024-03-05 10:00", "Order Completed", user_id="u1", order_id="2"),
    ]
    assert [order["contacted"] for order in rows_of(build(tmp_path, rows), "orders")] == [day(3), -1]


def test_a_conversation_begins_with_its_first_event(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01 10:00", "Ticket Opened", user_id="u1", ticket_id="t", **DESK),
        event("2024-03-01 10:01", "Product Viewed", user_id="u1"),
        event("2024-03-01 10:02", "Ticket Opened", user_id="u1", ticket_id="other", **DESK),
        event("2024-03-01 10:03", "Message Received", user_id="u1", ticket_id="t", properties='{"bot":1}', **DESK),
        event("2024-03-01 10:04", "Call Ended", user_id="u1", properties='{"duration":5}', **DESK),
    ]
    found = [(row["event"], row["talk"], row["automatic"]) for row in rows_of(build(tmp_path, rows), "details")]
    assert found == [(0, 0, 0), (2, 2, 0), (3, 0, 1), (4, -1, 0)]


def test_receipts_of_nobody_have_details_too(tmp_path: Path) -> None:
    till = {"source": "till", "source_kind": "pos"}
    rows = [
        event("2024-03-01 10:00", "Order Completed", order_id="1", properties=promise("2024-03-04T00:00:00Z"), **till)
    ]
    log = build(tmp_path, rows)
    assert [order["promised"] for order in log.unidentified.table("orders").batch.to_pylist()] == [day(4)]
    assert [row["promised"] for row in log.unidentified.table("details").batch.to_pylist()] == [day(4)]


@pytest.mark.parametrize("seed", range(3))
def test_every_event_has_the_details_that_it_says(tmp_path: Path, seed: int) -> None:
    """Row by row in plain Python; an event and its row are matched by time, name and what they say."""
    rng = random.Random(seed)
    rows = [{**of_others(rng), "message_id": str(number)} for number in range(120)] + [
        dict(one(rng)) for _ in range(40)
    ]
    log = build(tmp_path, rows)
    expected: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        source = DetailSource(
            row["name"],
            row["name"],
            row["source_kind"],
            row.get("properties") or "",
            row.get("traits") or "",
            row.get("consent") or "",
            channel=row.get("channel") or "",
            member=row["name"] == "Order Completed" and bool(row.get("loyalty_id")),
        )
        found = detail_of(source, timezone="Europe/Rome")
        if found is not None:
            expected[said(row["name"], {**NO_DETAIL, **found})] += 1
    got: Counter[tuple[object, ...]] = Counter()
    for bucket in (*log.buckets, log.unidentified):
        got += Counter(said(name, row) for name, row in details_of(bucket))
    nothing = {key for key in got if key[1:] == said("", NO_DETAIL)[1:]}  # in a conversation, and no more
    for key in nothing:
        del got[key]
    assert got == expected
    assert len(got) > 5


def said(name: str, row: Mapping[str, object]) -> tuple[object, ...]:
    return name, *(str(row[field]) for field in NO_DETAIL)


def details_of(bucket: Bucket) -> list[tuple[str, dict[str, object]]]:
    names = bucket.events.arrow("event").to_pylist()
    rows = bucket.table("details").batch.to_pylist()
    assert all(bucket.table("details").is_coded(name) for name in CODED_DETAILS)
    return [(names[row["event"]], row) for row in rows]
