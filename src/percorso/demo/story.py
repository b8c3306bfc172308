"""What Legnocorda's customers did in three months: visits, orders, receipts and newsletters, from a seed.

Each customer has random numbers of their own, so that a sample of 100 customers tells the same stories as
the first 100 of a larger one.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from percorso.demo.deeds import Customer, Deed, Device, Mail, Order, Receipt, Story, WebEvent
from percorso.demo.shop import (
    BOT_AGENTS,
    CAMPAIGNS,
    FIRST_NAMES,
    LAST_NAMES,
    ORIGINS,
    PERSONAS,
    PRODUCTS,
    STORES,
    USER_AGENTS,
    Origin,
    Persona,
    Product,
)

__all__ = ["ROME", "tell"]

ROME = ZoneInfo("Europe/Rome")
FIRST_DAY = date(2025, 9, 1)
LAST_MOMENT = datetime(2025, 11, 30, 22, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as it is going to be: `depth` says how far it gets, see :func:`_visit`."""

    device: Device
    start: datetime
    origin: Origin
    depth: int
    wanted: tuple[tuple[Product, int], ...]
    email: str = ""  # who signs in or checks out; "" for nobody
    number: int = 0  # of the order it ends in; 0 for none


def tell(customers: int, seed: int) -> Story:
    """The whole story, each kind of deed in time order.

    Parameters
    ----------
    customers : int
        How many people have a name; anonymous visitors, cash receipts and robots come in proportion.
    seed : int
        Equal seeds tell equal stories.
    """
    people = [_customer(number, seed) for number in range(customers)]
    deeds: list[Deed] = []
    for person in people:
        deeds.extend(_life(person, random.Random(f"{seed}:life:{person.number}")))
    deeds.extend(_family_phone(people[:2], random.Random(f"{seed}:family")))
    deeds.extend(_shop_tablet(people[2 : 2 + max(customers // 12, 4)], random.Random(f"{seed}:tablet")))
    deeds.extend(_strangers(customers * 2, random.Random(f"{seed}:strangers")))
    deeds.extend(_robots(max(customers // 20, 4), random.Random(f"{seed}:robots")))
    deeds.extend(_cash(customers // 2, random.Random(f"{seed}:cash")))
    kept = sorted((deed for deed in deeds if deed.time <= LAST_MOMENT), key=lambda deed: deed.time)
    return Story(
        web=tuple(deed for deed in kept if isinstance(deed, WebEvent)),
        orders=tuple(deed for deed in kept if isinstance(deed, Order)),
        receipts=tuple(deed for deed in kept if isinstance(deed, Receipt)),
        mails=tuple(deed for deed in kept if isinstance(deed, Mail)),
    )


def _device(rng: random.Random, kind: str) -> Device:
    clock_error_s = rng.choice((7_200, -10_800)) if rng.random() < 0.02 else 0
    return Device(str(uuid.UUID(int=rng.getrandbits(128), version=4)), rng.choice(USER_AGENTS[kind]), clock_error_s)


def _customer(number: int, seed: int) -> Customer:
    rng = random.Random(f"{seed}:customer:{number}")
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    if number == 1:  # the second half of the family that shares a phone
        last = _customer(0, seed).last_name
    persona = rng.choices(PERSONAS, [persona.share for persona in PERSONAS])[0]
    return Customer(
        number=number,
        first_name=first,
        last_name=last,
        email=f"{first}.{last}{number}@posta.example".replace(" ", "").lower(),
        phone=f"+39 315 {rng.randrange(10**6, 10**7)}",
        card=f"LC{700_000 + number * 7}" if rng.random() < 0.4 else "",
        persona=persona,
        phone_device=_device(rng, "phone"),
        desktop=_device(rng, "desktop"),
        newsletter=rng.random() < 0.55,
    )


def _moment(rng: random.Random, day: date) -> datetime:
    """A waking hour of the day, Italian time, as UTC."""
    hour = rng.choices(range(7, 24), [1, 2, 3, 3, 3, 3, 4, 4, 3, 3, 4, 5, 6, 7, 8, 6, 2])[0]
    local = datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60), tzinfo=ROME)
    return local.astimezone(UTC) + timedelta(milliseconds=rng.randrange(1000))


def _opening_hour(rng: random.Random, day: date) -> datetime:
    weekday = day - timedelta(days=1) if day.weekday() == 6 else day  # closed on Sundays
    hour = rng.choice((9, 10, 11, 12, 15, 16, 17, 18, 19))
    return datetime(weekday.year, weekday.month, weekday.day, hour, rng.randrange(60), tzinfo=ROME).astimezone(UTC)


def _life(person: Customer, rng: random.Random) -> Iterator[Deed]:
    for attempt in range(rng.randint(*person.persona.journeys)):
        early = person.persona.name == "school parent"
        day = FIRST_DAY + timedelta(days=rng.randrange(25 if early else 85))
        yield from _journey(person, rng, day, attempt)
    if person.newsletter:
        yield from _newsletters(person, rng)


def _journey(person: Customer, rng: random.Random, day: date, attempt: int) -> Iterator[Deed]:
    """Visits that look ever closer, then perhaps an order on the site or a purchase in a shop."""
    persona = person.persona
    wanted = _basket(rng, persona)
    buys, in_store = rng.random() < persona.buys, rng.random() < persona.in_store
    visits = rng.randint(*persona.visits)
    for visit in range(visits):
        last = visit == visits - 1
        device = person.desktop if rng.random() < 0.35 else person.phone_device
        origin = ORIGINS[rng.choice(persona.first if visit == 0 and attempt == 0 else persona.later)]
        depth = rng.randint(0, 2 + visit) if not last else (6 if buys and not in_store else rng.randint(1, 5))
        start = _moment(rng, day)
        number = 1001 + person.number * 10 + attempt if depth >= 6 else 0
        email = person.email if depth >= 4 or rng.random() < 0.25 else ""
        events = list(_visit(rng, Visit(device, start, origin, min(depth, 6), wanted, email, number)))
        yield from events
        if number:
            yield from _after_order(_order(rng, person, events[-1].time, wanted, number), device, rng)
        day += timedelta(days=rng.choice((0, 1, 1, 2, 3, 5)))
    if buys and in_store:
        identified = rng.random()
        yield Receipt(
            store=STORES[person.number % len(STORES)],
            time=_opening_hour(rng, day + timedelta(days=rng.randrange(4))),
            lines=wanted,
            card=person.card if identified < 0.7 else "",
            email=person.email if identified > 0.4 else "",
        )


def _basket(rng: random.Random, persona: Persona) -> tuple[tuple[Product, int], ...]:
    liked = [product for product in PRODUCTS if product.category in persona.categories]
    lines = [(rng.choice(liked), 1)]
    if rng.random() < 0.4:
        extra = rng.choice([product for product in PRODUCTS if product.price_cents < 3000])
        if extra != lines[0][0]:
            lines.append((extra, rng.choice((1, 1, 2, 3))))
    return tuple(lines)


def _properties(product: Product, quantity: int = 1) -> dict[str, object]:
    return {
        "product_id": product.sku,
        "sku": product.sku,
        "name": product.name,
        "category": product.category,
        "price": product.price_cents / 100,
        "quantity": quantity,
        "currency": "EUR",
    }


def _visit(rng: random.Random, visit: Visit) -> Iterator[WebEvent]:
    """One visit: 0 landing, 1 list or search, 2 product, 3 cart, 4 checkout, 5 payment details, 6 order."""
    product = visit.wanted[0][0]
    direct_hit = visit.origin.campaign.startswith("shopping") or rng.random() < 0.3
    path, title = (product.path, product.name) if direct_hit else ("/", "Legnocorda")
    now = visit.start
    yield WebEvent(visit.device, now, "", path, title, "", visit.origin)
    for name, path, title, properties in _steps(rng, visit):
        now += timedelta(seconds=rng.randint(6, 140), milliseconds=rng.randrange(1000))
        known = visit.email if name == "Signed In" or path.startswith("/checkout") else ""
        yield WebEvent(visit.device, now, name, path, title, known, None, properties)


def _steps(rng: random.Random, visit: Visit) -> Iterator[tuple[str, str, str, dict[str, object]]]:
    """Name, path, title and properties of what is done after landing."""
    product = visit.wanted[0][0]
    if visit.email and visit.depth < 4:
        yield "Signed In", "/account", "Il tuo account", {}
    if visit.depth >= 1 and rng.random() < 0.3:
        yield "Products Searched", "/cerca", "Cerca", {"query": product.category.lower()}
    elif visit.depth >= 1:
        yield "Product List Viewed", f"/{product.category.lower()}", product.category, {"category": product.category}
    if visit.depth >= 2:
        for seen in (*rng.sample(PRODUCTS, rng.randrange(3)), product):
            yield "Product Viewed", seen.path, seen.name, _properties(seen)
    if visit.depth >= 3:
        for item, quantity in visit.wanted:
            yield "Product Added", item.path, item.name, _properties(item, quantity)
        yield "Cart Viewed", "/carrello", "Carrello", {"products": _lines(visit.wanted)}
    if visit.depth >= 4:
        yield from _checkout(rng, visit)


def _checkout(rng: random.Random, visit: Visit) -> Iterator[tuple[str, str, str, dict[str, object]]]:
    checkout: dict[str, object] = {"checkout_id": f"ck-{rng.getrandbits(40):010x}"}
    value = sum(item.price_cents * quantity for item, quantity in visit.wanted) / 100
    content = {**checkout, "currency": "EUR", "products": _lines(visit.wanted)}
    yield "Checkout Started", "/checkout", "Cassa", {**content, "value": value}
    yield "Checkout Step Completed", "/checkout/spedizione", "Spedizione", {**checkout, "step": 1}
    if visit.depth >= 5:
        yield "Payment Info Entered", "/checkout/pagamento", "Pagamento", {**checkout, "step": 2}
        if rng.random() < 0.08:
            yield "Payment Failed", "/checkout/pagamento", "Pagamento", {**checkout, "reason": "card_declined"}
    if visit.number:
        done = {**content, "order_id": str(visit.number), "revenue": value}
        yield "Order Completed", "/checkout/grazie", "Grazie!", done


def _lines(wanted: tuple[tuple[Product, int], ...]) -> list[dict[str, object]]:
    return [_properties(item, quantity) for item, quantity in wanted]


def _order(
    rng: random.Random, person: Customer, placed: datetime, wanted: tuple[tuple[Product, int], ...], number: int
) -> Order:
    total = sum(product.price_cents * quantity for product, quantity in wanted)
    bulky = any(product.bulky for product, _ in wanted)
    coupon = "BENVENUTO10" if rng.random() < 0.12 else ""
    fate = rng.random()
    return Order(
        number=number,
        customer=person,
        time=placed + timedelta(seconds=rng.randint(1, 9)),
        lines=wanted,
        shipping_cents=1990 if bulky else (0 if total >= 4900 else 490),
        coupon=coupon,
        discount_cents=round(total / 10) if coupon else 0,
        cancelled=fate < 0.04,
        refunded_cents=total if 0.04 <= fate < 0.09 else 0,
    )


def _after_order(order: Order, device: Device, rng: random.Random) -> Iterator[Deed]:
    yield order
    if rng.random() < 0.2 and not order.cancelled:
        product = order.lines[0][0]
        rating = rng.choice((5, 5, 5, 4, 4, 3, 1))
        written = {"product_id": product.sku, "rating": rating, "review_id": f"r{order.number}"}
        later = order.time + timedelta(days=rng.randint(9, 20), minutes=rng.randrange(600))
        yield WebEvent(
            device, later, "Product Reviewed", product.path, product.name, order.customer.email, None, written
        )


def _newsletters(person: Customer, rng: random.Random) -> Iterator[Deed]:
    for campaign in CAMPAIGNS:
        day = date.fromisoformat(campaign.day)
        sent = datetime(day.year, day.month, day.day, campaign.hour, rng.randrange(20), tzinfo=ROME).astimezone(UTC)
        if rng.random() < 0.02:
            yield Mail(sent, campaign.name, person.email, "rimbalzata")
            continue
        yield Mail(sent, campaign.name, person.email, "inviata")
        if rng.random() < 0.45:
            opened = sent + timedelta(minutes=rng.randint(2, 2_000))
            yield Mail(opened, campaign.name, person.email, "aperta")
            if rng.random() < 0.3:
                clicked = opened + timedelta(seconds=rng.randint(5, 90))
                yield Mail(clicked, campaign.name, person.email, "cliccata")
                origin = Origin("newsletter", "email", campaign.name)
                arrived = clicked + timedelta(seconds=3)
                basket = _basket(rng, person.persona)
                yield from _visit(rng, Visit(person.phone_device, arrived, origin, rng.randint(0, 3), basket))
        if rng.random() < 0.02:
            yield Mail(sent + timedelta(hours=3), campaign.name, person.email, "disiscritto")
            return


def _family_phone(family: list[Customer], rng: random.Random) -> Iterator[WebEvent]:
    """Two people, one phone: each signs in, looks around, and mostly signs out."""
    phone = _device(rng, "phone")
    for week in range(10):
        yield from _turn(family[week % len(family)], phone, _moment(rng, FIRST_DAY + timedelta(days=7 * week + 2)), rng)


def _shop_tablet(people: list[Customer], rng: random.Random) -> Iterator[WebEvent]:
    """The tablet on the counter in Bologna: one customer after the other."""
    tablet = _device(rng, "tablet")
    for turn, person in enumerate(people):
        yield from _turn(person, tablet, _opening_hour(rng, FIRST_DAY + timedelta(days=turn * 3 % 88)), rng)


def _turn(person: Customer, device: Device, start: datetime, rng: random.Random) -> Iterator[WebEvent]:
    product = rng.choice(PRODUCTS)
    yield WebEvent(device, start, "Signed In", "/account", "Il tuo account", person.email)
    seen = start + timedelta(seconds=rng.randint(20, 90))
    yield WebEvent(device, seen, "Product Viewed", product.path, product.name, person.email, None, _properties(product))
    if rng.random() < 0.8:  # the others forget
        left = seen + timedelta(seconds=rng.randint(30, 300))
        yield WebEvent(device, left, "Signed Out", "/account", "Il tuo account", person.email)


def _strangers(count: int, rng: random.Random) -> Iterator[WebEvent]:
    for _ in range(count):
        persona = rng.choices(PERSONAS, [persona.share for persona in PERSONAS])[0]
        device = _device(rng, rng.choice(("phone", "phone", "desktop")))
        start = _moment(rng, FIRST_DAY + timedelta(days=rng.randrange(90)))
        depth = rng.choices(range(5), [45, 20, 22, 9, 4])[0]
        origin = ORIGINS[rng.choice(persona.first)]
        yield from _visit(rng, Visit(device, start, origin, depth, _basket(rng, persona)))


def _robots(count: int, rng: random.Random) -> Iterator[WebEvent]:
    for _ in range(count):
        device = Device(str(uuid.UUID(int=rng.getrandbits(128), version=4)), rng.choice(BOT_AGENTS))
        now = _moment(rng, FIRST_DAY + timedelta(days=rng.randrange(90)))
        for product in rng.sample(PRODUCTS, 12):
            now += timedelta(milliseconds=rng.randint(300, 2_000))
            yield WebEvent(device, now, "", product.path, product.name)


def _cash(count: int, rng: random.Random) -> Iterator[Receipt]:
    """Receipts of nobody in particular: a few returns, and now and then a school that buys by the dozen."""
    small = [product for product in PRODUCTS if product.price_cents < 10_000]
    recorder = next(product for product in PRODUCTS if product.sku == "FL-SO-01")
    for _ in range(count):
        time = _opening_hour(rng, FIRST_DAY + timedelta(days=rng.randrange(90)))
        lines = tuple((product, rng.choice((1, 1, 1, 2))) for product in rng.sample(small, rng.choice((1, 1, 2, 3))))
        if rng.random() < 0.03:
            lines = ((recorder, rng.choice((75, 90, 120))),)
        yield Receipt(rng.choice(STORES), time, lines, returned=rng.random() < 0.05)
