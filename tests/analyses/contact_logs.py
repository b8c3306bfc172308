"""Small shops with several places and channels, built for real, and their rows as the plain twins take them."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from percorso.settings import BuildSettings, Settings
from percorso.store.journey_log import Bucket, JourneyLog
from tests.journeys.worlds import build_files
from tests.lake_builder import event, lake_files
from tests.naive.channels import Event, Journey, Log, Order

__all__ = ["N_SHOPS", "SETTINGS", "build_shop", "plain_log", "random_rows"]

#: Shops that tests choose from, by the fixture `shops`; the first has no events at all.
N_SHOPS = 16

SETTINGS = Settings(build=BuildSettings(bucket_bits=1))
START = datetime(2024, 3, 1)
WEB = ("Page Viewed", "Product Viewed", "Product Viewed", "Products Searched", "Product Added", "Order Completed")
OF_KIND = {
    "web": WEB,
    "app": WEB,
    "pos": ("Order Completed", "Store Visited"),
    "server": ("Order Completed", "Order Refunded"),
    "email": ("Email Sent", "Email Sent", "Email Opened", "Email Link Clicked"),
    "support": ("Call Started", "Chat Started", "Ticket Opened"),
    "delivery": ("Order Shipped", "Order Delivered"),
}
ORIGINS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"utm_source": "instagram", "utm_medium": "paid_social"},
    {"utm_source": "newsletter", "utm_medium": "email"},
    {"referrer": "https://www.google.com/"},
)
CATEGORIES = ("", "guitars", "drums", "keys")
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1"
LAPTOP = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def random_rows(seed: int, *, most: int = 120) -> list[dict[str, Any]]:
    """Up to so many events of a few persons over three months, with runs of events that make sessions."""
    rng = random.Random(seed)
    rows: list[dict[str, Any]] = []
    limit = rng.randrange(1, most)
    while len(rows) < limit:
        rows += _run(rng, rng.choice([*OF_KIND, "web", "web", "app", "pos"]))
    return rows


def _run(rng: random.Random, kind: str) -> list[dict[str, Any]]:
    """Some events of one source within an hour or two."""
    # Some begin with a day: periods and intervals do too, and 51 days on one of them ends.
    minute = rng.choice((0, rng.randrange(24 * 60)))
    at = START + timedelta(days=rng.choice([0, 1, 2, 5, 20, 40, 51, 60, 90]), minutes=minute)
    user = rng.choice(["u1", "u1", "u2", "u3", "u4", None])
    agent = rng.choice([PHONE, LAPTOP, LAPTOP, None, BOT if rng.random() < 0.1 else None])
    rows = []
    for n in range(rng.choice([1, 1, 2, 4]) if kind in ("web", "app") else 1):
        name = rng.choice(OF_KIND[kind])
        at += timedelta(minutes=rng.choice([0, 1, 5, 29, 31]))
        fields: dict[str, Any] = {"category": rng.choice(CATEGORIES) or None, "sequence": n}
        if kind in ("web", "app"):
            fields |= {"anonymous_id": f"{user}-{agent and agent[13:19]}", "user_agent": agent, **rng.choice(ORIGINS)}
            fields["url"] = f"https://shop.example/p/{rng.choice('abc')}"
        if name.startswith("Order "):
            fields |= {"order_id": f"o{rng.randrange(8)}" if rng.random() < 0.7 else None}
        if name == "Order Completed":
            fields |= {"value": rng.choice([None, 100, 2550]), "currency": rng.choice(["EUR", "EUR", "EUR", "USD"])}
            fields["items"] = rng.choice([None, [{"sku": "a", "category": "drums"}, {"sku": "b", "category": "keys"}]])
        if fields.get("value") is None:
            fields.pop("currency", None)
        if kind == "support":
            fields["ticket_id"] = rng.choice([None, "t1", "t2"])
        fields |= {"source": kind, "source_kind": kind, "user_id": user, "message_id": f"{rng.random()}"}
        rows.append(event(at, name, **fields))
    return rows


def build_shop(folder: Path, rows: list[dict[str, Any]]) -> JourneyLog:
    """Build a log of the rows."""
    return build_files(folder, lake_files(folder / "lake", rows), SETTINGS)[0]


def plain_log(log: JourneyLog, currency: str = "EUR") -> Log:
    """The log as the plain twins take it; amounts in other currencies than `currency` are not known."""
    events: list[Event] = []
    journeys: dict[tuple[int, int], Journey] = {}
    orders: list[Order] = []
    for bucket in (*log.buckets, log.unidentified):
        first = len(events)
        own = _events(bucket, first)
        events += own
        journeys |= _journeys(bucket, own, first)
        for row in bucket.table("orders").batch.to_pylist():
            value = row["value"] if row["currency"] == currency else None
            at = first + row["event"]
            person = own[row["event"]].person
            orders.append(Order(at, person, row["time"], value, _key(bucket, row["purchase"])))
    return Log(events, journeys, orders, log.as_of_us)


def _key(bucket: Bucket, number: int) -> tuple[int, int] | None:
    return (bucket.index, number) if number >= 0 else None


def _events(bucket: Bucket, first: int) -> list[Event]:
    offsets = bucket.offsets().tolist() if bucket.n_persons else []
    persons = [person.hex() for person in bucket.persons.arrow("person_id").to_pylist()]
    owner = [persons[p] for p in range(len(persons)) for _ in range(offsets[p + 1] - offsets[p])]
    lines: dict[int, set[str]] = {}
    for item in bucket.table("items").batch.to_pylist():
        lines.setdefault(item["event"], set()).add(item["category"])
    told = {}
    if "details" in bucket.meta["files"]:
        told = {row["event"]: row.get("duration_s") for row in bucket.table("details").batch.to_pylist()}
    found = []
    for n, row in enumerate(bucket.events.batch.to_pylist()):
        seconds = told.get(n)
        found.append(
            Event(
                at=first + n,
                person=owner[n] if persons else "",
                time=row["time"],
                contact=_key(bucket, row["contact"]),
                journey=_key(bucket, row["journey"]),
                in_session=row["session"] >= 0,
                flags=row["flags"],
                coded={name: value for name, value in row.items() if isinstance(value, str)},
                categories=frozenset({row["category"], *lines.get(n, ())} - {""}),
                duration_us=None if seconds is None or seconds != seconds else round(seconds * 1e6),
            )
        )
    return found


def _journeys(bucket: Bucket, events: list[Event], first: int) -> dict[tuple[int, int], Journey]:
    found = {}
    for n, row in enumerate(bucket.table("journeys").batch.to_pylist()):
        found[bucket.index, n] = Journey(
            person=events[row["first_event"]].person if row["first_event"] >= 0 else "",
            purchase=row["kind"] == "purchase",
            start=row["start"],
            closes=row["intent"] + row["timeout"],
            timeout=row["timeout"],
            goal_time=None if row["goal_time"] == -1 else row["goal_time"],
            goal_at=None if row["goal_event"] < 0 else first + row["goal_event"],
            first_at=None if row["first_event"] < 0 else first + row["first_event"],
        )
    return found
