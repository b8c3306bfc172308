"""Random histories of a workspace, step by step: what arrives, what is decided, what goes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from percorso.identity.lookup import Identifier
from tests.journeys.worlds import World
from tests.lake_builder import event

__all__ = ["RULES", "STEPS", "take_step"]

START = datetime(2024, 3, 25)
SOURCES = {
    "web": "web",
    "app": "app",
    "shop": "server",
    "till": "pos",
    "kiosk": "web",
    "post": "delivery",
    "a-till": "pos",
}
NAMES = ["Page Viewed", "Product Viewed", "Product Added", "Order Completed", "Order Refunded", "Signed Out"]
USERS = ["u1", "u2", "u3", "u4"]
EMAILS = ["a@x.it", "b@x.it", "c@x.it"]
PHONES = ["+393471234567", "+393477654321"]
DEVICES = ["a1", "a2", "a3", "a4"]
ORDERS = ["o1", "o2", "o3"]

#: Small limits, so that a few events reach them.
RULES: Mapping[str, Any] = {
    "shared_sources": ("kiosk",),
    "hub_partners": 2,
    "limits": {"email": 2, "phone": 1},
    "largest_group": 5,
}
_OTHER_RULES: tuple[Mapping[str, Any], ...] = (
    RULES,
    {**RULES, "backfill_us": 3_600_000_000},
    {**RULES, "blocked_values": ("u1",)},
    {**RULES, "shared_sources": ()},
)

Row = Mapping[str, Any]


def some(rng: random.Random, values: list[str], share: float = 0.4) -> str | None:
    return rng.choice(values) if rng.random() < share else None


def one(rng: random.Random, **fields: Any) -> Row:
    """A random event; `fields` are given."""
    source = rng.choice([name for name in SOURCES if name != "a-till"])
    at = START + timedelta(hours=rng.randrange(24 * 12), minutes=rng.choice([0, 0, 1, 29, 31]))
    drawn: dict[str, Any] = {
        "source": source,
        "message_id": f"{rng.randrange(10**9)}",
        "user_id": some(rng, USERS, 0.3),
        "email": some(rng, EMAILS, 0.2),
        "phone": some(rng, PHONES, 0.1),
        "anonymous_id": some(rng, DEVICES, 0.6),
        "device_id": some(rng, ["d1", "d2"], 0.2),
        "order_id": some(rng, ORDERS, 0.3),
        "session_id": some(rng, ["s1", "s2"], 0.1),
        "url": f"https://shop.example/p/{rng.randrange(4)}",
        "value": rng.choice([None, 100, 250]),
        "traits": some(rng, ['{"plan":"a"}', '{"plan":"b","size":3}'], 0.1),
        "items": [{"product_id": "p1", "quantity": 1.0, "price": 100}] if rng.random() < 0.1 else None,
    }
    drawn |= fields
    name = drawn.pop("name", None) or rng.choice(NAMES)
    return event(drawn.pop("at", at), name, source_kind=SOURCES[drawn["source"]], **drawn)


def append(world: World, rng: random.Random) -> None:
    world.add([one(rng) for _ in range(rng.randint(1, 5))])


def late(world: World, rng: random.Random) -> None:
    world.add([one(rng, at=START - timedelta(days=rng.randrange(1, 95))) for _ in range(rng.randint(1, 2))])


def duplicate(world: World, rng: random.Random) -> None:
    known = world.every_row()
    if known:
        world.add([rng.choice(known)])


def conflict(world: World, rng: random.Random) -> None:
    """Another copy of a message: of both, the one received first counts."""
    known = world.every_row()
    if known:
        old = rng.choice(known)
        received = (START + timedelta(days=rng.randrange(-5, 30))).isoformat()
        world.add([one(rng, source=old["source"], message_id=old["message_id"], received_at=received)])


def merge(world: World, rng: random.Random) -> None:
    """Two identifiers on one event: of a user, or of somebody who has none."""
    user, phone = (rng.choice(USERS), None) if rng.random() < 0.5 else (None, rng.choice(PHONES))
    world.add([one(rng, user_id=user, email=rng.choice(EMAILS), phone=phone, source="shop")])


def share(world: World, rng: random.Random) -> None:
    """A number or an address with several people, or with one of them again: its standing may change either way."""
    kind, values = rng.choice([("phone", PHONES), ("email", EMAILS)])
    shared: dict[str, Any] = {"phone": None, "email": None} | {kind: rng.choice(values)}
    people = rng.sample(USERS, rng.randint(1, 4))
    world.add([one(rng, user_id=user, source="shop", **shared) for user in people])


def alias(world: World, rng: random.Random) -> None:
    user, former = rng.sample(USERS, 2)
    source = rng.choice(["shop", "web"])
    world.add([one(rng, user_id=user, previous_id=former, type="alias", source=source)])


def _ends(rng: random.Random) -> tuple[Identifier, Identifier]:
    every = [Identifier("user_id", "shop", user) for user in USERS]
    every += [Identifier("email", "", address) for address in EMAILS]
    a, b = rng.sample(every, 2)
    return a, b


def link(world: World, rng: random.Random) -> None:
    world.decided.append(("link", *_ends(rng)))


def unlink(world: World, rng: random.Random) -> None:
    again = rng.random() < 0.5 and world.decided
    ends = rng.choice(world.decided)[1:] if again else _ends(rng)
    world.decided.append(("unlink", *ends))


def order_of_nobody(world: World, rng: random.Random) -> None:
    """A delivery that carries an order number alone; its owner may come later."""
    nobody = dict.fromkeys(("user_id", "email", "phone", "anonymous_id", "device_id"))
    world.add([one(rng, source="post", name="Order Delivered", order_id=rng.choice(ORDERS), **nobody)])


def owner(world: World, rng: random.Random) -> None:
    order = rng.choice(ORDERS)
    world.add([one(rng, name="Order Completed", order_id=order, user_id=rng.choice(USERS), value=100)])


def erase(world: World, rng: random.Random) -> None:
    kind, values = rng.choice([("user_id", USERS), ("email", EMAILS), ("anonymous_id", DEVICES)])
    value = rng.choice(values)
    world.drop(lambda row: row[kind] == value)
    if not world.files:
        append(world, rng)


def new_words(world: World, rng: random.Random) -> None:
    number = rng.randrange(1000)
    words = {"url": f"https://shop.example/new/{number}", "utm_campaign": f"c{number}", "product_id": f"p{number}"}
    world.add([one(rng, name=f"Thing {number} Done", country="IT", **words)])


def new_source(world: World, rng: random.Random) -> None:
    """A source whose name comes before all others: ranks of sources shift."""
    world.add([one(rng, source="a-till")])


def change_rules(world: World, rng: random.Random) -> None:
    world.change_identity(**rng.choice(_OTHER_RULES))


#: By name.
STEPS: dict[str, Callable[[World, random.Random], None]] = {
    step.__name__: step
    for step in (
        append,
        late,
        duplicate,
        conflict,
        merge,
        share,
        alias,
        link,
        unlink,
        order_of_nobody,
        owner,
        erase,
        new_words,
        new_source,
        change_rules,
    )
}


def take_step(world: World, name: str, seed: int) -> None:
    """Change the world; the first step always brings events."""
    rng = random.Random(seed)
    if not world.files:
        world.add([one(rng) for _ in range(6)])
    STEPS[name](world, rng)
