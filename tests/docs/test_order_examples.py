"""The worked example of "One order counts once" (docs/concepts/journeys-and-stages.md), told to the real build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from percorso.store.journey_log import FLAG_GOAL, FLAG_ORDER, FLAG_SAME_ORDER, JourneyLog
from tests.docs.test_concept_examples import ANNA, build, persons, table
from tests.lake_builder import event

SITE = {"source": "web", "source_kind": "web", "user_id": "1042"}
SHOP = {"source": "shop system", "source_kind": "server", "email": ANNA}
ORDER = {"order_id": "77", "value": 5900, "currency": "EUR"}


def told_twice() -> list[dict[str, Any]]:
    return [
        event("2025-05-05T18:02", "Product Added", **SITE),
        event("2025-05-05T18:10", "Order Completed", **SITE, **ORDER),
        event("2025-05-05T18:11", "Order Completed", **SHOP, **ORDER),
    ]


def marks(events: list[dict[str, Any]]) -> list[int]:
    return [row["flags"] & (FLAG_ORDER | FLAG_SAME_ORDER | FLAG_GOAL) for row in events]


def purchases(log: JourneyLog) -> list[tuple[int, int]]:
    """Events and value of every purchase journey."""
    found = [row for row in table(log, "journeys") if row["kind"] == "purchase"]
    return sorted((row["n_events"], row["value"]) for row in found)


def test_the_order_counts_once_though_nothing_joins_its_two_customers(tmp_path: Path) -> None:
    log = build(tmp_path, told_twice())
    user, address = persons(log)
    assert marks(user) == [0, FLAG_SAME_ORDER]
    assert marks(address) == [FLAG_ORDER | FLAG_GOAL]
    assert len(table(log, "orders")) == 1
    assert purchases(log) == [(1, 5900), (2, 0)]


def test_joined_it_is_one_journey_that_ends_with_the_record_of_the_shop_system(tmp_path: Path) -> None:
    both = event("2025-05-09T09:00", "Email Delivered", source="mail", source_kind="email", user_id="1042", email=ANNA)
    log = build(tmp_path, [*told_twice(), both])
    [anna] = persons(log)
    assert marks(anna) == [0, FLAG_SAME_ORDER, FLAG_ORDER | FLAG_GOAL, 0]
    assert len(table(log, "orders")) == 1
    assert purchases(log) == [(3, 5900)]


def test_a_receipt_that_names_nobody_takes_part(tmp_path: Path) -> None:
    till = event("2025-05-05T18:12", "Order Completed", source="till", source_kind="pos", **ORDER)
    log = build(tmp_path, [*told_twice(), till])
    user, address = persons(log)  # the site was the first to name somebody with the order's number
    assert marks(user) == [0, FLAG_SAME_ORDER, FLAG_ORDER | FLAG_GOAL]
    assert marks(address) == [FLAG_SAME_ORDER]
    assert len(table(log, "orders")) == 1
