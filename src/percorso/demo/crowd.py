"""Those of whom the shop knows little: passing visitors, robots, customers who pay cash, the tablet on the counter."""

from __future__ import annotations

from percorso.demo.catalogue import BOT_AGENTS, PRODUCTS, STORES, USER_AGENTS, products
from percorso.demo.days import DAY
from percorso.demo.files import row
from percorso.demo.messages import Visit, device_context
from percorso.demo.origins import ORIGINS
from percorso.demo.people import Customer, Device, make_device
from percorso.demo.scene import Scene
from percorso.demo.store import receipt
from percorso.demo.texts import comment_text
from percorso.demo.visits import Basket, add_to_cart, look, sign_in, view_cart, wander

__all__ = ["comment", "crawl", "pass_by", "pay_cash", "share_tablet"]

_SHARES = {
    "search": 4, "shopping": 2, "prices": 1, "social": 3, "retargeting": 1, "video": 1, "video-ad": 1, "brand": 1,
    "direct": 3, "organic-social": 1, "instagram": 1, "forum": 1, "bing": 1, "assistant": 1,
}  # fmt: skip
_ORIGINS = tuple(name for name, share in _SHARES.items() for _ in range(share))
_KINDS = ("android", "android", "android", "ios", "ios", "desktop", "desktop")
_CASH = products(
    "PL-MX-12 PL-MX-12 CO-EL-10 CO-EL-10 CO-AC-12 CO-EL-3P CO-BA-45 CA-JK-03 AC-CR-01 TR-CH-01 LE-PI-01 LI-ME-01 "
    "FL-SO-01 UK-SO-01 CU-CH-01 BA-5A-03 AN-SA-10 PE-OV-01 RI-ME-06 CH-CL-34 CH-CL-44 RI-PU-01 TA-61-01 VI-12-01"
)
#: Of each product those of its category.
_ALIKE = [tuple(other for other in PRODUCTS if other.category == product.category) for product in PRODUCTS]
STRINGS_AD = 0.1  # of passing visits while the week of strings is advertised
BLOCKED = 0.01  # of passing visits carry a user id that is nobody's
_BLOCKED = ("null", "guest", "undefined")
TABLET_CONTEXT = device_context("web", USER_AGENTS["tablet"][0])


def pass_by(scene: Scene, visits: int) -> None:
    """`visits` visits of people who buy nothing here: most see one page."""
    rng, period = scene.rng, scene.period
    random = rng.random
    left = visits
    while left > 0:
        kind = _KINDS[int(random() * len(_KINDS))]
        device = make_device(rng, kind)
        day = period.online_day(rng)
        goods = _ALIKE[int(random() * len(_ALIKE))]
        while left > 0 and day < period.n_days:
            left -= 1
            origin = ORIGINS[_ORIGINS[int(random() * len(_ORIGINS))]]
            if day in period.strings_week and random() < STRINGS_AD:
                origin = ORIGINS["strings-ad"]
            blocked = random() < BLOCKED
            user = _BLOCKED[int(random() * len(_BLOCKED))] if blocked else ""
            visit = Visit(scene, device, period.moment(rng, day), origin, user)
            u = random()
            wander(scene, visit, goods, 0 if u < 0.38 else int(1 + 12 * random() * random()))
            if u > 0.965:
                _fill_cart(scene, visit)
            if random() > 0.42:
                break
            day += int(random() * 9)


def _fill_cart(scene: Scene, visit: Visit) -> None:
    """A cart that is left."""
    basket = Basket(((PRODUCTS[int(scene.rng.random() * len(PRODUCTS))], 1),))
    cart = scene.reference("cart", "C")
    add_to_cart(scene, visit, basket, cart)
    if scene.rng.random() < 0.6:
        view_cart(visit, basket, cart)


def crawl(scene: Scene, visits: int) -> None:
    """Robots read the catalogue, a page every two seconds."""
    rng, period = scene.rng, scene.period
    for _ in range(visits):
        agent = BOT_AGENTS[int(rng.random() * len(BOT_AGENTS))]
        robot = Device(f"{rng.getrandbits(64):016x}", device_context("web", agent))
        day = int(rng.random() * period.n_days)
        visit = Visit(scene, robot, day * DAY + int(7_200_000 + rng.random() * (DAY - 9_000_000)))
        for _ in range(5 + int(rng.random() * 25)):
            look(scene, visit, PRODUCTS[int(rng.random() * len(PRODUCTS))])
            visit.wait(2)


def pay_cash(scene: Scene, receipts: int) -> None:
    """Receipts of nobody."""
    rng, period = scene.rng, scene.period
    for _ in range(receipts):
        lines = {product.sku: (product, 1) for product in rng.choices(_CASH, k=1 + int(rng.random() * 3))}
        t = period.opening_moment(rng, period.shop_day(rng))
        receipt(scene, None, t, Basket(tuple(lines.values())), STORES[int(rng.random() * len(STORES))])


def share_tablet(scene: Scene, people: list[Customer], visits: int) -> None:
    """The tablet on the counter of each shop: some sign in, few sign out, and the next one takes it."""
    rng, period = scene.rng, scene.period
    for _ in range(visits):
        person = people[int(rng.random() * len(people))]
        tablet = Device(f"banco-{person.store.lower()}", TABLET_CONTEXT, "tablet", holder=person.number)
        visit = Visit(scene, tablet, period.opening_moment(rng, period.shop_day(rng)))
        wander(scene, visit, person.persona.shop_goods, 1 + int(rng.random() * 3))
        if "account" in person.known and person.account and rng.random() < 0.6:
            sign_in(scene, visit, person)
            wander(scene, visit, person.persona.shop_goods, 1)
            if rng.random() < 0.5:
                visit.track("Signed Out")
                visit.user = ""


def comment(scene: Scene, comments: int) -> None:
    """What strangers write and click under the shop's posts."""
    rng, period = scene.rng, scene.period
    for _ in range(comments):
        t = period.moment(rng, period.online_day(rng))
        network = "instagram" if rng.random() < 0.7 else "facebook"
        writes = rng.random() < 0.3
        post = f"{network[:2]}-{t // DAY // 3:03d}"
        profile = f"{network[:2]}:{rng.getrandbits(40):010x}"
        words = comment_text(rng) if writes else ""
        cells = row(",", period.iso_local(t), network, post, "commento" if writes else "clic", profile, words)
        scene.rows["social"].append((t, cells))
