"""What people do on site and app: look round, sign in, fill the cart, check out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from percorso.demo.catalogue import PRODUCTS, Product
from percorso.demo.days import DAY
from percorso.demo.files import amount
from percorso.demo.frictions import (
    BULKY_EXIT,
    CARD_FAILURE,
    GIVE_UP,
    REPEATED_LOGIN,
    SIGN_IN_FAILED,
    SLOW_MONTHS,
    WRONG_AGAIN,
)
from percorso.demo.messages import Visit, page, product_list
from percorso.demo.people import Customer, Device
from percorso.demo.scene import Scene

__all__ = ["Basket", "Checkout", "add_to_cart", "check_out", "load_ms", "sign_in", "slow_month", "wander"]

HOME = page("/", "Legnocorda: strumenti musicali, accessori, riparazioni")
CART = page("/carrello", "Il tuo carrello")
ADDRESS = page("/cassa/indirizzo", "Cassa: indirizzo")
SUMMARY = page("/cassa/riepilogo", "Cassa: riepilogo e spedizione")
PAYMENT = page("/cassa/pagamento", "Cassa: pagamento")
THANKS = page("/conferma-ordine", "Grazie")
SIGN_IN = page("/accedi", "Accedi")
SEARCH = page("/cerca", "Cerca")
GUIDE = page("/guide/la-prima-chitarra", "Come scegliere la prima chitarra")
STORES_PAGE = page("/negozi", "I nostri negozi")
HELP = page("/assistenza", "Assistenza: il tuo codice di sessione")
LISTS = {
    category: page(f"/categoria/{category.lower()}", category)
    for category in dict.fromkeys(product.category for product in PRODUCTS)
}
_QUERIES = {product.sku: f'"query":"{product.name.split()[0].lower()}"' for product in PRODUCTS}
_LIST = {category: f'"list_id":"{category.lower()}","category":"{category}"' for category in LISTS}
_INFO = ("Review Read", "Video Started", "Product List Filtered", "Product Added to Wishlist", "Availability Checked")


@dataclass(frozen=True, slots=True)
class Basket:
    """Goods that somebody wants: products with quantities."""

    lines: tuple[tuple[Product, int], ...]

    @property
    def cents(self) -> int:
        return sum(product.price * quantity for product, quantity in self.lines)

    @property
    def bulky(self) -> bool:
        return any(product.bulky for product, _ in self.lines)

    @property
    def main(self) -> Product:
        """The dearest."""
        return max((product for product, _ in self.lines), key=lambda product: product.price)


@dataclass(frozen=True, slots=True)
class Checkout:
    """How an attempt to buy ended: "ordered", "left" (may come back), or "lost" to a friction."""

    outcome: str
    time: int
    order: str = ""
    shipping: int = 0


def slow_month(scene: Scene, t: int) -> bool:
    """Is it one of the months of the slow pages?"""
    return scene.period.days[t // DAY].month in SLOW_MONTHS


def load_ms(scene: Scene, device: Device, product: Product, t: int) -> int:
    """How long the page of a product took to load."""
    noise = scene.rng.random()
    if product.category == "Chitarre" and device.phone and device.source == "web" and slow_month(scene, t):
        return int(5_400 + 4_200 * noise)
    return int(900 + 1_500 * noise * noise)


def look(scene: Scene, visit: Visit, product: Product) -> None:
    """A product page."""
    ms = load_ms(scene, visit.device, product, visit.time)
    visit.track("Product Viewed", f'{product.json},"load_ms":{ms}', product.page)


def land(scene: Scene, visit: Visit, product: Product) -> None:
    """The first page: what an advertisement shows, else the home page or a list."""
    origin, u = visit.origin, scene.rng.random()
    if origin.ad in ("shopping-chitarre", "catalogo") or (origin.ad == "retargeting" and u < 0.7):
        look(scene, visit, product)
    elif origin.ad in ("inizia-a-suonare", "video-liutai"):
        visit.page(GUIDE)
    elif u < 0.45 and visit.device.source == "web":
        visit.track("Product List Viewed", _LIST[product.category], LISTS[product.category])
    else:
        visit.page(HOME)


def wander(scene: Scene, visit: Visit, goods: Sequence[Product], steps: int) -> None:
    """Land and look at `steps` further things, mostly products out of `goods`."""
    random = scene.rng.random
    product = goods[int(random() * len(goods))]
    land(scene, visit, product)
    for _ in range(steps):
        visit.wait(6 + 110 * random() * random())
        u = random()
        if u < 0.60:
            if u < 0.30:
                product = goods[int(random() * len(goods))]
            look(scene, visit, product)
        elif u < 0.76:
            visit.track("Product List Viewed", _LIST[product.category], LISTS[product.category])
        elif u < 0.84:
            visit.track("Products Searched", _QUERIES[product.sku], SEARCH)
        elif u < 0.96:
            visit.track(_INFO[int(random() * len(_INFO))], product.json)
        elif u < 0.98:
            visit.page(STORES_PAGE)
            visit.track("Store Locator Viewed")
        else:
            visit.page(GUIDE)
            visit.track("Guide Read")


def sign_in(scene: Scene, visit: Visit, person: Customer) -> None:
    """Sign in to the account, or make it first. Some are asked again and again, and do not mind."""
    random = scene.rng.random
    visit.page(SIGN_IN)
    visit.wait(4 + 20 * random())
    if "account" in person.known:
        _mistype(scene, visit)
        scene.ledger.attempt("sign-in", visit.time, failed=False)
    visit.user = person.account
    visit.identify(f'"email":"{person.email}","firstName":"{person.first_name}","lastName":"{person.last_name}"')
    if "account" in person.known:
        visit.track("Signed In", '"method":"password"')
    else:
        person.known.add("account")
        consent = "true" if person.newsletter else "false"
        visit.track("Signed Up", f'"method":"email","email_consent":{consent}')
        ask_how(scene, person, visit.time)
    again = random() < REPEATED_LOGIN
    scene.ledger.count("repeated-login", hit=True, wrong=again)
    if again:
        visit.wait(40 + 200 * random())
        scene.ledger.attempt("sign-in", visit.time, failed=False)
        visit.track("Signed In", '"method":"password"')


def _mistype(scene: Scene, visit: Visit) -> None:
    """A wrong password, now and then two of them."""
    rate = SIGN_IN_FAILED
    while scene.luck.random() < rate:
        scene.ledger.attempt("sign-in", visit.time, failed=True)
        visit.track("Sign In Failed", '"method":"password","reason":"password errata"')
        visit.wait(5 + 15 * scene.luck.random())
        rate = WRONG_AGAIN


def ask_how(scene: Scene, person: Customer, t: int) -> None:
    """ "How did you hear of us": on the last page of the sign-up; 38 % answer."""
    scene.asked_how.append((t, person))


def add_to_cart(scene: Scene, visit: Visit, basket: Basket, cart: str) -> None:
    """Look at the goods and put them in the cart."""
    for product, quantity in basket.lines:
        visit.wait(5 + 40 * scene.rng.random())
        look(scene, visit, product)
        visit.wait(8 + 60 * scene.rng.random())
        visit.track("Product Added", f'"cart_id":"{cart}",{product.json},"quantity":{quantity}')


def view_cart(visit: Visit, basket: Basket | None, cart: str) -> None:
    """The cart; None for an empty one."""
    goods = product_list(basket.lines) if basket is not None else ""
    value = f',"value":{amount(basket.cents)},"currency":"EUR"' if basket is not None else ""
    visit.track("Cart Viewed", f'"cart_id":"{cart}","products":[{goods}]{value}', CART)


def check_out(
    scene: Scene, visit: Visit, person: Customer, basket: Basket, cart: str, pickup_store: str = ""
) -> Checkout:
    """From the cart to the order, past the last step where delivery costs show, and past the payment."""
    random = scene.rng.random
    view_cart(visit, basket, cart)
    visit.wait(6 + 30 * random())
    checkout = f'"checkout_id":"{cart}-k","value":{amount(basket.cents)},"currency":"EUR"'
    visit.track("Checkout Started", f'{checkout},"products":[{product_list(basket.lines)}]', ADDRESS)
    visit.wait(10 + 60 * random())
    _introduce(scene, visit, person)
    method = "ritiro in negozio" if pickup_store else "corriere"
    visit.track("Shipping Info Entered", f'"checkout_id":"{cart}-k","step":1,"shipping_method":"{method}"')
    shipping = 0 if pickup_store else 2990 if basket.bulky else 590 if basket.cents < 9900 else 0
    visit.track(
        "Checkout Step Viewed",
        f'"checkout_id":"{cart}-k","step":2,"shipping":{amount(shipping)},"value":{amount(basket.cents)},'
        f'"currency":"EUR","category":"{basket.main.category}"',
        SUMMARY,
    )
    visit.wait(8 + 40 * random())
    outcome = _last_step(scene, visit, person, basket)
    if outcome == "":
        outcome = _pay(scene, visit, person, basket, cart)
    if outcome:
        return Checkout(outcome, visit.time)
    order = scene.reference("order", "")
    _order(scene, visit, person, basket, cart, (order, shipping, method))
    return Checkout("ordered", visit.time, order, shipping)


def _introduce(scene: Scene, visit: Visit, person: Customer) -> None:
    """The address form: the tracker learns who it is."""
    if person.account and not visit.user and scene.rng.random() < 0.55:
        sign_in(scene, visit, person)
        return
    phone = f',"phone":"{person.telephone}"' if scene.rng.random() < 0.5 else ""
    if not visit.user or phone:
        visit.identify(f'"email":"{person.email}"{phone}')


def _last_step(scene: Scene, visit: Visit, person: Customer, basket: Basket) -> str:
    """ "" for going on, "left", or "lost" to the delivery cost that shows only here."""
    hit, base = BULKY_EXIT
    u = scene.rng.random()
    leaves = u < (hit if basket.bulky else base)
    scene.ledger.count("bulky-delivery-cost", hit=basket.bulky, wrong=leaves)
    if u < base:
        return "left"
    if not leaves:
        return ""
    scene.ledger.lose("bulky-delivery-cost", visit.time, basket.cents, person.number)
    return "lost"


def _pay(scene: Scene, visit: Visit, person: Customer, basket: Basket, cart: str) -> str:
    """ "" for paid, "left", or "lost" to a card that fails."""
    random = scene.rng.random
    by_card = random() < 0.74
    method = "carta" if by_card else "paypal"
    said = f'"checkout_id":"{cart}-k","payment_method":"{method}","value":{amount(basket.cents)},"currency":"EUR"'
    visit.track("Payment Info Entered", said, PAYMENT)
    visit.wait(5 + 20 * random())
    if not by_card:
        return ""
    hit, base = CARD_FAILURE
    u, android = random(), visit.device.android
    fails = u < (hit if android else base)
    scene.ledger.count("card-failure", hit=android, wrong=fails)
    if not fails:
        return ""
    visit.track("Payment Failed", f'{said},"reason":"{"errore 3-D Secure" if u >= base else "carta rifiutata"}"')
    if random() < GIVE_UP["card-failure"]:
        if u < base:
            return "left"
        scene.ledger.lose("card-failure", visit.time, basket.cents, person.number)
        return "lost"
    visit.wait(30 + 60 * random())
    visit.track("Payment Info Entered", said.replace('"carta"', '"paypal"'))
    visit.wait(10)
    return ""


def _order(scene: Scene, visit: Visit, person: Customer, basket: Basket, cart: str, made: tuple[str, int, str]) -> None:
    order, shipping, method = made
    cents = basket.cents
    card = f'"loyalty_id":"{person.card}",' if person.card and visit.user and scene.rng.random() < 0.6 else ""
    visit.track(
        "Order Completed",
        f'"order_id":"{order}","checkout_id":"{cart}-k",{card}"revenue":{amount(cents)},"shipping":{amount(shipping)},'
        f'"tax":{amount(round((cents + shipping) * 22 / 122))},"total":{amount(cents + shipping)},"currency":"EUR",'
        f'"shipping_method":"{method}","products":[{product_list(basket.lines)}]',
    )
    visit.wait(2)
    visit.page(THANKS, f'"order_id":"{order}"')
    person.orders.append(order)
