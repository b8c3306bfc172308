"""Random events of few people in many ways, so that whatever tells who it was meets whatever else does."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from percorso.settings import BuildSettings, IdentitySettings, Settings
from tests.lake_builder import event

__all__ = [
    "COUPONS",
    "DEVICES",
    "EMAILS",
    "NOBODY",
    "ORDERS",
    "OTHER_RULES",
    "PHONES",
    "RULES",
    "SOURCES",
    "START",
    "TICKETS",
    "USERS",
    "Row",
    "of_others",
    "one",
    "settings_of",
    "some_time",
]

START = datetime(2024, 3, 25)  # within a week the clocks of half the world are put forward
SOURCES = {
    "web": "web",
    "app": "app",
    "shop": "server",
    "till": "pos",
    "kiosk": "web",
    "post": "delivery",
    "mail": "email",
    "help": "support",
    "a-till": "pos",
}
NAMES = ["Page Viewed", "Product Viewed", "Product Added", "Order Completed", "Order Refunded", "Signed Out"]
NAMES_OF = {
    "mail": ["Email Delivered", "Email Opened", "Email Link Clicked", "Unsubscribed", "Newsletter Subscribed"],
    "help": ["Ticket Opened", "Chat Started", "Call Ended", "Order Returned", "Message Received", "Survey Answered"],
    "post": ["Order Shipped", "Order Delivered", "Order Returned"],
}
USERS = ["u1", "u2", "u3", "u4"]
EMAILS = ["a@x.it", "b@x.it", "c@x.it"]
PHONES = ["+393471234567", "+393477654321"]
DEVICES = ["a1", "a2", "a3", "a4"]
ORDERS = ["o1", "o2", "o3"]
TICKETS = ["t1", "t2"]
COUPONS = ["GIFT-1", "GIFT-2"]
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1"
TRAITS = ['{"plan":"a"}', '{"plan":"b","size":3}', '{"plan":null,"email":"x@y.it"}', '{"Size":1.50,"a":{"z":1,"b":2}}']
#: What becomes details on events that can bear them.
DETAILS = [
    '{"duration":95,"reason":"late parcel","color":"red"}',
    '{"call_duration":"4:05","sms_consent":"no"}',
    '{"promised_at":"2024-04-02","reason":"z"}',
    '{"estimated_delivery":"2024-05-02T12:00:00Z","points":3}',
    '{"is_auto":true,"reason":"write to a@x.it"}',
]
ITEMS = [
    [{"product_id": "p1", "quantity": 1.0, "price": 100}],
    [{"product_id": "p2", "name": "è", "quantity": 2.0}, {"sku": "s", "brand": "b", "category": "c", "variant": "v"}],
]

#: Who is not told: an event that only a reference key can place, or none.
NOBODY: dict[str, Any] = dict.fromkeys(
    ("user_id", "loyalty_id", "email", "phone", "card_token", "other_ids", "anonymous_id", "device_id")
)

#: Small limits, so that a few events reach them.
RULES: Mapping[str, Any] = {
    "shared_sources": ("kiosk",),
    "own_types": ("club",),
    "single_use_coupons": ("gift-[0-9]+",),
    "hub_partners": 2,
    "limits": {"email": 2, "phone": 1},
    "largest_group": 5,
}
OTHER_RULES: Sequence[Mapping[str, Any]] = (
    RULES,
    {**RULES, "backfill_us": 3_600_000_000},
    {**RULES, "blocked_values": ("u1",)},
    {**RULES, "shared_sources": ()},
    {**RULES, "own_types": (), "single_use_coupons": ()},
)

Row = Mapping[str, Any]


def settings_of(rules: Mapping[str, Any]) -> Settings:
    """Few buckets, so that people share them, and a property and heavy persons among the little there is."""
    build = BuildSettings(bucket_bits=1, coded_properties=("color",), heavy_person_events=12)
    return Settings(build=build, identity=IdentitySettings(**rules))


def some_time(rng: random.Random) -> datetime:
    """In one of four months, often the same minute as another."""
    days = rng.choice([0, 0, 0, 36, 75, 160])
    hours, minutes = rng.choice([rng.randrange(24 * 8), 12, 13]), rng.choice([0, 0, 1, 29, 31])
    return START + timedelta(days=days, hours=hours, minutes=minutes)


def one(rng: random.Random, **fields: Any) -> Row:
    """A random event; `fields` are given."""
    source = fields.get("source") or rng.choice([name for name in SOURCES if name != "a-till"])
    at = fields.get("at") or some_time(rng)
    drawn = {
        "at": at,
        "source": source,
        "name": rng.choice(NAMES_OF.get(source, NAMES)),
        "message_id": f"{rng.randrange(10**9)}",
        "sequence": rng.choice([0, 0, 0, 1, 2]),
        "url": f"https://shop.example/p/{rng.randrange(4)}",
        "value": rng.choice([None, 100, 250]),
        **_clocks(rng, at),
        **_identifiers(rng),
        **_references(rng),
        **_words(rng),
    }
    drawn |= fields
    return event(drawn.pop("at"), drawn.pop("name"), source_kind=SOURCES[source], **drawn)


def _some(rng: random.Random, values: Sequence[Any], share: float) -> Any:
    return rng.choice(values) if rng.random() < share else None


def _clocks(rng: random.Random, at: datetime) -> dict[str, Any]:
    """Now and then a device whose clock is wrong, or an event that lies in the future."""
    if rng.random() < 0.6:
        return {"received_at": _some(rng, [at.isoformat()], 0.3)}
    sent = at + timedelta(minutes=rng.choice([0, 0, 1]))
    received = sent + timedelta(minutes=rng.choice([0, 1, 4, 6, 60, 600, -7, -50, -600]))
    return {"sent_at": _some(rng, [sent.isoformat()], 0.8), "received_at": received.isoformat()}


def _identifiers(rng: random.Random) -> dict[str, Any]:
    return {
        "id_space": rng.choice(["shop"] * 9 + ["till"]),
        "user_id": _some(rng, USERS, 0.25),
        "loyalty_id": _some(rng, ["L1", "l2"], 0.08),
        "email": _some(rng, EMAILS, 0.15),
        "phone": _some(rng, PHONES, 0.1),
        "card_token": _some(rng, ["C1", "C2"], 0.05),
        "other_ids": _some(rng, ['{"club":"k1"}', '{"club":"k2","else":"e"}'], 0.05),
        "anonymous_id": _some(rng, DEVICES, 0.55),
        "device_id": _some(rng, ["d1", "d2"], 0.2),
    }


def _references(rng: random.Random) -> dict[str, Any]:
    return {
        "ref_space": rng.choice(["shop"] * 9 + ["till"]),
        "order_id": _some(rng, ORDERS, 0.25),
        "return_id": _some(rng, ["r1"], 0.05),
        "ticket_id": _some(rng, TICKETS, 0.1),
        "conversation_id": _some(rng, ["v1", "v2"], 0.06),
        "coupon": _some(rng, [*COUPONS, "SUMMER"], 0.08),
        "cart_id": _some(rng, ["b1", "b2"], 0.1),
        "checkout_id": _some(rng, ["k1"], 0.06),
        "session_id": _some(rng, ["s1", "s2"], 0.1),
    }


def _words(rng: random.Random) -> dict[str, Any]:
    """What is said of it: rarely much."""
    if rng.random() < 0.4:
        return {}
    return {
        "traits": _some(rng, TRAITS, 0.2),
        "items": _some(rng, ITEMS, 0.2),
        "properties": _some(rng, ['{"color":"red"}', '{"color":["ü"],"x":1}', *DETAILS], 0.7),
        "consent": _some(rng, ['{"email":true,"sms":false}', '{"analytics":true}', '["push"]'], 0.1),
        "user_agent": _some(rng, [BOT, PHONE], 0.2),
        "referrer": _some(rng, ["https://www.google.com/", "https://news.example/a"], 0.2),
        "utm_source": _some(rng, ["news", "ads"], 0.15),
        "utm_medium": _some(rng, ["cpc", "email"], 0.15),
        "click_id": _some(rng, ["gclid"], 0.05),
        "channel": _some(rng, ["Affiliates"], 0.05),
        "place": _some(rng, ["store"], 0.05),
        "direction": _some(rng, ["outbound"], 0.05),
        "product_id": _some(rng, ["p1", "p2"], 0.2),
        "category": _some(rng, ["shoes"], 0.1),
        "country": _some(rng, ["FR"], 0.1),
        "currency": _some(rng, ["USD"], 0.1),
        "score": _some(rng, [4.5, 9.0], 0.1),
        "title": _some(rng, ["t"], 0.1),
        "text": _some(rng, ["", "hi", "bello è"], 0.2),
    }


def of_others(rng: random.Random) -> Row:
    """An event of one of many people, none of whom the other events know."""

    def some_of(letter: str, n: int, share: float) -> str | None:
        return f"{letter}{rng.randrange(n)}" if rng.random() < share else None

    nobodys = ("loyalty_id", "card_token", "other_ids", "conversation_id", "return_id", "coupon", "previous_id")
    return one(
        rng,
        user_id=some_of("U", 60, 0.3),
        email=some_of("M", 60, 0.2),
        phone=f"+3934700000{rng.randrange(40):02}" if rng.random() < 0.1 else None,
        anonymous_id=some_of("A", 80, 0.6),
        device_id=some_of("D", 50, 0.3),
        order_id=some_of("O", 60, 0.25),
        ticket_id=some_of("T", 40, 0.1),
        **dict.fromkeys(nobodys),
    )
