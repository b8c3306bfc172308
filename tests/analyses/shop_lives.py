"""Random small shops for analyses over time, built as any other, and their logs as plain lists."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from percorso.store.journey_log import JourneyLog
from tests.journeys.test_build import build
from tests.lake_builder import event

__all__ = ["ZONES", "Person", "ShopLife", "day_of", "micros", "persons_of", "shop", "shop_lives"]

ZONES = ("Europe/Rome", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Sao_Paulo")
BASE = datetime(2024, 3, 25, 9, tzinfo=UTC)
NAMES = (
    *("Page Viewed", "Product Viewed", "Product Viewed", "Product Added", "Order Completed", "Order Completed"),
    *("Email Delivered", "Order Cancelled", "Order Delivered", "Product Reviewed", "Ticket Opened"),
)
GAPS_H = (0, 1, 5, 13, 24, 24 * 7, 24 * 21, 24 * 30, 24 * 100)  # some are as long as a time-out that is tried


@dataclass(frozen=True)
class ShopLife:
    """Events of a few customers, a zone to ask in, and an as-of time ("": none)."""

    rows: list[dict[str, Any]]
    zone: str
    as_of: str


@st.composite
def shop_lives(draw: st.DrawFn) -> ShopLife:
    """Orders on one day and on several, cancelled and delivered ones, long silences; days near changes of clocks."""
    rows, times = [], []
    for person in ("a", "b", "c")[: draw(st.integers(1, 3))]:
        now, order = BASE + timedelta(hours=draw(st.sampled_from((0, 14, 24 * 5 + 14)))), 0
        for number in range(draw(st.integers(1, 8))):
            now += timedelta(hours=draw(st.sampled_from(GAPS_H)), minutes=draw(st.sampled_from((0, 0, 7, 45))))
            name = draw(st.sampled_from(NAMES))
            order += name == "Order Completed"
            more: dict[str, Any] = {"session_id": draw(st.sampled_from((None, "s1", "s2")))}
            more["utm_campaign"] = draw(st.sampled_from((None, "spring")))
            if name.startswith("Order") and order:
                more |= {"order_id": f"{person}{order}"}
            if name == "Order Completed":
                more |= {"value": 1000 * order, "currency": "EUR"}
            if name == "Product Reviewed":
                more |= {"score": 5.0}
            rows.append(event(now.replace(tzinfo=None), name, user_id=person, message_id=f"{person}-{number}", **more))
            times.append(now)
    as_of = draw(st.sampled_from(("", draw(st.sampled_from(times)).isoformat())))
    return ShopLife(rows, draw(st.sampled_from(ZONES)), as_of)


@contextmanager
def shop(life: ShopLife) -> Iterator[JourneyLog]:
    """Its journey log, for a while."""
    with tempfile.TemporaryDirectory() as folder:
        yield build(Path(folder), life.rows)


@dataclass(frozen=True)
class Person:
    """One person's rows of the log's tables; `number` of an event is its row in the bucket."""

    events: list[dict[str, Any]]
    journeys: list[dict[str, Any]]
    orders: list[dict[str, Any]]

    def live_orders(self, as_of: int) -> list[dict[str, Any]]:
        """Made by then, neither cancelled nor wholly refunded by then."""
        return [
            order
            for order in self.orders
            if order["time"] <= as_of
            and not (order["status"] in ("cancelled", "refunded") and -1 != order["ended"] <= as_of)
        ]


def persons_of(log: JourneyLog) -> dict[str, Person]:
    """Everybody, by id."""
    found = {}
    for bucket in log.buckets:
        tables = {name: bucket.table(name).batch.to_pylist() for name in ("events", "journeys", "orders", "persons")}
        for number, one in enumerate(tables["events"]):
            one["number"] = number
        for number, one in enumerate(tables["journeys"]):
            one["number"] = number
        for at, person in enumerate(tables["persons"]):
            mine = tables["events"][person["start"] : person["start"] + person["n_events"]]
            found[person["person_id"].hex()] = Person(
                mine, *([row for row in tables[name] if row["person"] == at] for name in ("journeys", "orders"))
            )
    return found


def day_of(time_us: int, zone: str) -> date:
    """The day that a clock of the zone shows."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)).astimezone(ZoneInfo(zone)).date()


def micros(text: str) -> int:
    """An ISO time with an offset as µs UTC."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
