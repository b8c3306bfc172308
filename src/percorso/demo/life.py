"""What a customer does in the period: purchases on the site, in the shops, at the order desk, and what leads there."""

from __future__ import annotations

import math
from heapq import heapify, heappop, heappush

from percorso.demo.catalogue import Product
from percorso.demo.days import DAY, HOUR, MINUTE
from percorso.demo.files import row
from percorso.demo.frictions import CART_LOST, GIVE_UP, SLOW_GUITARS
from percorso.demo.mailing import mail_row, origin_of, send_newsletters, send_text
from percorso.demo.messages import Visit
from percorso.demo.orders import Order, fulfil
from percorso.demo.origins import EFFECTS, ORIGINS, REMINDER, Origin
from percorso.demo.people import Customer, Device
from percorso.demo.scene import Scene
from percorso.demo.service import desk_order, open_case
from percorso.demo.store import receipt
from percorso.demo.visits import (
    HELP,
    HOME,
    Basket,
    Checkout,
    add_to_cart,
    check_out,
    load_ms,
    sign_in,
    slow_month,
    view_cart,
    wander,
)

__all__ = ["live"]

SIGNS_IN = 0.35  # of the visits of those with an account
BASE_RETURN = 0.72  # of those who leave at the last step for no reason of ours and come back
SWITCHES = 0.5  # of the purchases of those with the app, begun there and ended on the site, or the other way round
ATTEMPTS = 3


def live(scene: Scene, person: Customer) -> None:
    """All of it, in no order of time."""
    rng, persona = scene.rng, person.persona
    months = scene.period.months / 13
    purchases = [_plan(scene, person) for _ in range(_how_many(scene, persona.purchases * months))]
    first = min(day for day, _ in purchases)
    idle = [(scene.period.online_day(rng), "look") for _ in range(_poisson(scene, persona.idle * months))]
    plan = purchases + idle
    heapify(plan)
    while plan:
        day, what = heappop(plan)
        again = _do(scene, person, day, what)
        if again is not None and again < scene.period.n_days:
            heappush(plan, (again, "online"))
    if person.newsletter:
        _subscribe(scene, person, first)
    if persona.name in ("teacher", "gigging musician") and rng.random() < 0.12:
        _workshop(scene, person)


def _poisson(scene: Scene, mean: float) -> int:
    limit, count, product = math.exp(-mean), 0, scene.rng.random()
    while product > limit:
        count += 1
        product *= scene.rng.random()
    return count


def _how_many(scene: Scene, mean: float) -> int:
    """At least one; `mean` on average."""
    return 1 + _poisson(scene, mean - 1) if mean > 1 else 1


def _basket(scene: Scene, person: Customer, goods: tuple[Product, ...]) -> Basket:
    random = scene.rng.random
    wanted: dict[str, tuple[Product, int]] = {}
    for _ in range(person.persona.lines[int(random() * len(person.persona.lines))]):
        product = goods[int(random() * len(goods))]
        wanted[product.sku] = (product, 2 if product.price < 3000 and random() < 0.3 else 1)
    return Basket(tuple(wanted.values()))


def _origin(scene: Scene, person: Customer, *, first: bool, t: int) -> Origin:
    persona = person.persona
    names = persona.first if first else persona.later
    name = names[int(scene.rng.random() * len(names))]
    if name == "newsletter":
        return ORIGINS["direct"] if not person.newsletter else origin_of("notizie")
    if name == "strings-ad":
        return ORIGINS["strings-ad" if t // DAY in scene.period.strings_week else "direct"]
    return ORIGINS[name]


def _visit(scene: Scene, person: Customer, t: int, origin: Origin, goods: tuple[Product, ...], steps: int) -> Visit:
    """A visit that looks round; some sign in."""
    device = person.any_device(t, scene.rng)
    if device.source == "app":
        origin = ORIGINS["direct"]
    person.brought_by.append(origin.effect)
    visit = _begin(scene, person, device, t, origin)
    wander(scene, visit, goods, steps)
    return visit


def _begin(scene: Scene, person: Customer, device: Device, t: int, origin: Origin) -> Visit:
    visit = Visit(scene, device, t, origin)
    if device.source == "app" and "account" in person.known:
        visit.user = person.account  # apps stay signed in
    elif person.account and "account" in person.known and scene.rng.random() < SIGNS_IN:
        sign_in(scene, visit, person)
        visit.wait(5)
    return visit


def _plan(scene: Scene, person: Customer) -> tuple[int, str]:
    """A purchase: the day, and where."""
    rng, persona, period = scene.rng, person.persona, scene.period
    u = rng.random()
    what = "online" if u < persona.online else "phone" if u < persona.online + persona.phone else "store"
    if persona.school:
        return period.school_day(rng), what
    return (period.online_day(rng) if what == "online" else period.shop_day(rng)), what


def _do(scene: Scene, person: Customer, day: int, what: str) -> int | None:
    """What was planned for a day; returns the day of a further purchase out of delight, or None."""
    rng, persona = scene.rng, person.persona
    person.brought_by.clear()
    if what == "look":
        t = scene.period.moment(rng, day)
        _visit(scene, person, t, _origin(scene, person, first=False, t=t), persona.site_goods, int(rng.random() * 6))
    elif what == "phone":
        _call_and_buy(scene, person, day)
    elif what == "store":
        _shop_in_store(scene, person, day)
    else:
        return _shop_online(scene, person, day, _basket(scene, person, persona.site_goods))
    return None


def _credit(scene: Scene, person: Customer, t: int, basket: Basket) -> None:
    """Decide what the purchase is owed to: the first visit on its way that it would not have been made without."""
    if t >= scene.period.end:
        return
    owed = next((name for name in person.brought_by if name and scene.rng.random() < EFFECTS[name]), "")
    counted = scene.caused.setdefault(owed, [0, 0])
    counted[0] += 1
    counted[1] += basket.cents


# ------------------------------------------------------------------------------------------------- in the shops


def _shop_in_store(scene: Scene, person: Customer, day: int) -> None:
    rng = scene.rng
    basket = _basket(scene, person, person.persona.shop_goods)
    if rng.random() < (0.5 if basket.cents > 5000 else 0.12):
        _research(scene, person, day, (basket.main,), 1 + int(rng.random() * 2))
    store = person.store if rng.random() < 0.9 else "Milano"
    t = scene.period.opening_moment(rng, day)
    receipt(scene, person, t, basket, store)
    _credit(scene, person, t, basket)


def _research(scene: Scene, person: Customer, day: int, goods: tuple[Product, ...], visits: int) -> None:
    """Visits in the days before; some ask."""
    rng, persona = scene.rng, person.persona
    days = [day]
    for _ in range(visits):
        days.append(max(0, days[-1] - int(rng.random() * 4)))
    pool = goods * 3 + persona.site_goods
    for number, before in enumerate(reversed(days[1:])):
        t = scene.period.moment(rng, before)
        origin = _origin(scene, person, first=number == 0, t=t)
        visit = _visit(scene, person, t, origin, pool, 1 + int(rng.random() * 7))
    if visits and rng.random() < persona.asks:
        _ask(scene, person, visit)


def _ask(scene: Scene, person: Customer, visit: Visit) -> None:
    """A question before buying; some read out the code of the session, and then the agent knows the visit."""
    code = ""
    if scene.rng.random() < 0.4:
        code = scene.reference("code", "S")
        visit.page(HELP)
        visit.track("Help Viewed", f'"conversation_id":"{code}"')
        visit.wait(20)
    reason = "disponibilità" if scene.rng.random() < 0.6 else "consiglio"
    open_case(scene, person, visit.time + 5 * MINUTE, reason, code=code)


def _call_and_buy(scene: Scene, person: Customer, day: int) -> None:
    """Look on the site, call or write, and order there and then."""
    rng = scene.rng
    basket = _basket(scene, person, person.persona.site_goods)
    _research(scene, person, day, (basket.main,), 1 + int(rng.random() * 3))
    u = rng.random()
    way = "telefono" if u < 0.55 else "whatsapp" if u < 0.85 else "chat"
    t = scene.period.opening_moment(rng, min(day + 1, scene.period.n_days))
    number = desk_order(scene, person, t, basket, way)
    _credit(scene, person, t, basket)
    fulfil(scene, Order(number, person, t, basket, "phone" if way == "telefono" else "chat"))


# --------------------------------------------------------------------------------------------- on site and app


def _shop_online(scene: Scene, person: Customer, day: int, basket: Basket) -> int | None:
    """Research, cart, checkout; returns the day of a further purchase out of delight, or None."""
    rng, persona = scene.rng, person.persona
    _research(scene, person, day, (basket.main,), rng.randint(*persona.visits) - 1)
    t = scene.period.moment(rng, day)
    u = rng.random()
    device = person.phone(t) if u < 0.74 else person.desktop
    if person.app is not None and rng.random() < 0.64:
        device = person.app
    if _slow_page(scene, person, t, device, basket) or _cart_is_lost(scene, person, t, device, basket):
        return None
    done = _attempts(scene, person, t, device, basket)
    if done is None or done.outcome != "ordered":
        return None
    _credit(scene, person, done.time, basket)
    store = _pickup_store(person, device, basket)
    place = "app" if device.source == "app" else "site"
    if store and person.sms:
        send_text(scene, person, scene.period.working_time(done.time, 1), "ordine-pronto")
    delighted = fulfil(scene, Order(done.order, person, done.time, basket, place, store))
    return day + 15 + int(rng.random() * 60) if delighted else None


def _pickup_store(person: Customer, device: Device, basket: Basket) -> str:
    """Where the order is picked up, "" for a parcel; by device and goods, so that each attempt says the same."""
    wants = person.persona.name == "gigging musician" and not basket.bulky
    return person.store if wants and (device.source == "app" or basket.cents < 4000) else ""


def _slow_page(scene: Scene, person: Customer, t: int, device: Device, basket: Basket) -> bool:
    """Does the buyer leave at the slow page of a guitar?"""
    phone_guitar = device.phone and device.source == "web" and basket.main.category == "Chitarre"
    if not phone_guitar:
        return False
    hit = slow_month(scene, t)
    leaves = hit and scene.rng.random() < SLOW_GUITARS
    scene.ledger.count("slow-guitar-pages", hit=hit, wrong=leaves)
    if not leaves:
        return False
    visit = _begin(scene, person, device, t, _origin(scene, person, first=False, t=t))
    product = basket.main
    for _ in range(2):
        visit.track("Product Viewed", f'{product.json},"load_ms":{load_ms(scene, device, product, t)}', product.page)
        visit.wait(9)
    scene.ledger.lose("slow-guitar-pages", t, basket.cents, person.number)
    return True


def _cart_is_lost(scene: Scene, person: Customer, t: int, device: Device, basket: Basket) -> bool:
    """Begun in the app and ended on the site, or the other way round: is the cart gone, and the buyer with it?"""
    rng = scene.rng
    if person.app is None or rng.random() >= SWITCHES:
        return False
    cart = scene.reference("cart", "C")
    other = person.phone(t) if device.source == "app" else person.app
    begun = t - int((0.6 + 10 * rng.random()) * HOUR)
    visit = Visit(scene, other, begun, user=person.account)
    if "account" not in person.known:
        visit.user = ""
        sign_in(scene, visit, person)
    add_to_cart(scene, visit, basket, cart)
    view_cart(visit, basket, cart)
    gone = rng.random() < CART_LOST
    scene.ledger.count("cart-lost", hit=True, wrong=gone)
    then = Visit(scene, device, t - 4 * MINUTE, user=person.account)
    then.page(HOME)
    then.wait(10)
    view_cart(then, None if gone else basket, cart)
    if not gone or rng.random() >= GIVE_UP["cart-lost"]:
        return False
    scene.ledger.lose("cart-lost", then.time, basket.cents, person.number)
    return True


def _attempts(scene: Scene, person: Customer, t: int, device: Device, basket: Basket) -> Checkout | None:
    """Up to three attempts to buy; between them a mail reminds subscribers of their cart."""
    rng = scene.rng
    origin = ORIGINS["direct"] if device.source == "app" else _origin(scene, person, first=False, t=t)
    done: Checkout | None = None
    for _ in range(ATTEMPTS):
        cart = scene.reference("cart", "C")
        person.brought_by.append(origin.effect)
        visit = _begin(scene, person, device, t, origin)
        add_to_cart(scene, visit, basket, cart)
        done = check_out(scene, visit, person, basket, cart, _pickup_store(person, device, basket))
        if done.outcome != "left" or rng.random() > BASE_RETURN:
            return done
        t, origin = done.time + int((0.7 + 40 * rng.random()) * HOUR), ORIGINS["direct"]
        if person.newsletter and rng.random() < 0.5:
            t, origin = _reminded(scene, person, done.time), origin_of(REMINDER)
    return done


def _reminded(scene: Scene, person: Customer, t: int) -> int:
    """The mail about the cart is opened and clicked; when the visit begins."""
    sent = t + 4 * HOUR
    clicked = sent + int(20 * HOUR * scene.rng.random())
    mail_row(scene, sent, REMINDER, person.email, "inviata")
    mail_row(scene, clicked, REMINDER, person.email, "aperta")
    mail_row(scene, clicked + 2_000, REMINDER, person.email, "cliccata")
    return clicked + 4_000


# -------------------------------------------------------------------------------------------------- other things


def _subscribe(scene: Scene, person: Customer, first_purchase: int) -> None:
    """Newsletters: from before the period, or from a sign-up on the site a few days before the first purchase."""
    if "newsletter" in person.known:
        send_newsletters(scene, person, 0)
        return
    t = scene.period.moment(scene.rng, max(0, min(first_purchase, scene.period.n_days - 1) - 3))
    visit = Visit(scene, person.phone(t), t, _origin(scene, person, first=True, t=t))
    wander(scene, visit, person.persona.site_goods, 2)
    visit.identify(f'"email":"{person.email}"')
    visit.track("Newsletter Subscribed", '"list":"notizie"')
    mail_row(scene, t + 10 * MINUTE, "benvenuto", person.email, "inviata")
    send_newsletters(scene, person, t)


def _workshop(scene: Scene, person: Customer) -> None:
    """The luthiers' days in store, in October and April."""
    period = scene.period
    for number, day in enumerate(period.days[: period.n_days]):
        if (day.month, day.day) in ((10, 19), (4, 12)) and period.is_open[number]:
            t = number * DAY + (10 + int(scene.rng.random() * 7)) * HOUR
            cells = row(";", period.iso_local(t), "laboratorio liutai", person.store, person.email)
            scene.rows["events"].append((t, cells))
