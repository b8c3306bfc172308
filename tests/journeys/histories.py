"""Random histories of a workspace, step by step: what arrives, what is decided, what goes."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from percorso.identity.lookup import Identifier
from tests.journeys.random_events import (
    COUPONS,
    DEVICES,
    EMAILS,
    NOBODY,
    ORDERS,
    OTHER_RULES,
    PHONES,
    START,
    TICKETS,
    USERS,
    one,
    some_time,
)
from tests.journeys.worlds import World

__all__ = ["STEPS", "take_step"]


def append(world: World, rng: random.Random) -> None:
    world.add([one(rng) for _ in range(rng.randint(1, 5))])


def late(world: World, rng: random.Random) -> None:
    """Before all others, often of a device that has logins since."""
    days = rng.choice([1, 3, 40, 94])
    world.add([one(rng, at=START - timedelta(days=days, hours=hour)) for hour in range(rng.randint(1, 2))])


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


def _ends(world: World, rng: random.Random) -> tuple[Identifier, Identifier]:
    """Two that an event holds, two users, or any two."""
    kinds = (("user_id", "shop", USERS), ("email", "", EMAILS), ("phone", "", PHONES))
    every = [Identifier(kind, space, value) for kind, space, values in kinds for value in values]
    told = [[one for one in every if row[one.kind] == one.value] for row in world.every_row()]
    together = [ends for ends in told if len(ends) > 1]
    choice = rng.choice([together, [every[: len(USERS)]], [every]])
    a, b = rng.sample(rng.choice(choice or [every]), 2)
    return a, b


def link(world: World, rng: random.Random) -> None:
    world.decided.append(("link", *_ends(world, rng)))


def unlink(world: World, rng: random.Random) -> None:
    again = rng.random() < 0.4 and world.decided
    ends = rng.choice(world.decided)[1:] if again else _ends(world, rng)
    world.decided.append(("unlink", *ends))


def _key(rng: random.Random) -> dict[str, Any]:
    """A reference key, mostly an order number."""
    keys: list[tuple[str, list[str]]] = [
        ("ticket_id", TICKETS),
        ("coupon", COUPONS),
        ("conversation_id", ["v1"]),
        ("return_id", ["r1"]),
    ]
    kind, values = rng.choice(keys) if rng.random() < 0.4 else ("order_id", ORDERS)
    return {"order_id": None, kind: rng.choice(values), "ref_space": "shop"}


def reference_of_nobody(world: World, rng: random.Random) -> None:
    """A delivery that carries an order number alone, or a talk about a ticket; its owner may come later."""
    world.add([one(rng, source=rng.choice(["post", "help"]), **NOBODY | _key(rng))])


def owner(world: World, rng: random.Random) -> None:
    """Whose an order, a ticket, a coupon is; another may have been first, or come before."""
    waiting = [row for row in world.every_row() if row["order_id"] and all(row[name] is None for name in NOBODY)]
    key = {"order_id": rng.choice(waiting)["order_id"], "ref_space": "shop"} if waiting else _key(rng)
    at = some_time(rng) - timedelta(days=rng.choice([0, 0, 60]))
    world.add([one(rng, at=at, name="Order Completed", user_id=rng.choice(USERS), value=100, **key)])


def wrong_clock(world: World, rng: random.Random) -> None:
    """A device tells that its clock is wrong, or not as wrong as it seemed: other events of its day move."""
    known = [row for row in world.every_row() if row["anonymous_id"] or row["device_id"]]
    old = rng.choice(known) if known else one(rng, anonymous_id="a1")
    sent = old["timestamp"].replace(tzinfo=None) + timedelta(minutes=rng.choice([0, 1]))
    received = sent + timedelta(minutes=rng.choice([0, -8, 30, 400]))
    device = {name: old[name] for name in ("anonymous_id", "device_id", "id_space")}
    clocks = {"sent_at": sent.isoformat(), "received_at": received.isoformat()}
    world.add([one(rng, at=sent, **NOBODY | device | clocks)])


def sign_in(world: World, rng: random.Random) -> None:
    world.add([one(rng, name="Signed In", source="web", anonymous_id=rng.choice(DEVICES), user_id=rng.choice(USERS))])


def sign_out(world: World, rng: random.Random) -> None:
    """Just before an event of the same browser, which may belong to a login."""
    known = [row for row in world.every_row() if row["anonymous_id"]]
    next_ = rng.choice(known) if known else one(rng, anonymous_id="a1")
    at = next_["timestamp"].replace(tzinfo=None) - timedelta(minutes=rng.choice([0, 1]))
    browser = {name: next_[name] for name in ("anonymous_id", "id_space")}
    world.add([one(rng, at=at, name="Signed Out", source="web", **NOBODY | browser)])


def erase(world: World, rng: random.Random) -> None:
    kind, values = rng.choice([("user_id", USERS), ("email", EMAILS), ("anonymous_id", DEVICES)])
    value = rng.choice(values)
    world.drop(lambda row: row[kind] == value)
    if not world.files:
        append(world, rng)


def withdraw(world: World, rng: random.Random) -> None:
    """An import is taken back, and another may take its place."""
    world.take_back(rng.choice(world.files))
    if not world.files or rng.random() < 0.5:
        append(world, rng)


def new_words(world: World, rng: random.Random) -> None:
    number = rng.randrange(1000)
    words = {"url": f"https://shop.example/new/{number}", "utm_campaign": f"c{number}", "product_id": f"p{number}"}
    world.add([one(rng, name=f"Thing {number} Done", country="IT", **words)])


def new_source(world: World, rng: random.Random) -> None:
    """A source whose name comes before all others: ranks of sources shift."""
    world.add([one(rng, source="a-till")])


def change_rules(world: World, rng: random.Random) -> None:
    world.change_identity(**rng.choice(OTHER_RULES))


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
        reference_of_nobody,
        owner,
        wrong_clock,
        sign_in,
        sign_out,
        erase,
        withdraw,
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
