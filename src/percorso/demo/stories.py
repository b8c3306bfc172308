"""Customers whose stories are told whatever the seed: two who buy a guitar, two who commute.

They have fixed names, addresses and days, so that tests can say what their events must give:

- Bianca is lost: advertisement, video, comparison of prices; then slow pages and a card that fails. We see our half.
- Dario comes from a shop that lost him so, and is won: his guitar comes in three days instead of seven, with a note.
- Giulia and Marco commute: social ad, retargeting, newsletter, a mail opened at home, a search for the brand, a video,
  a call the next day, and an order by telephone. Giulia tells the agent her e-mail, Marco reads out the session's code.
"""

from __future__ import annotations

from datetime import date

from percorso.demo.catalogue import BY_SKU, USER_AGENTS, Product
from percorso.demo.days import DAY, HOUR, MINUTE, SECOND
from percorso.demo.files import amount
from percorso.demo.mailing import mail_row
from percorso.demo.messages import Visit, device_context, page
from percorso.demo.orders import Order, Parcel, ask_nps, deliver, recommend, review
from percorso.demo.origins import ORIGINS
from percorso.demo.people import Customer, Device
from percorso.demo.personas import PERSONAS
from percorso.demo.scene import Scene
from percorso.demo.service import contact, desk_order
from percorso.demo.visits import (
    ADDRESS,
    GUIDE,
    HELP,
    PAYMENT,
    SUMMARY,
    THANKS,
    Basket,
    view_cart,
)

__all__ = ["FIRST_STORY_NUMBER", "tell_stories"]

#: Numbers of these customers, above those of all others.
FIRST_STORY_NUMBER = 1_000_001

BEGINNER = next(persona for persona in PERSONAS if persona.name == "beginner")
GUITAR = BY_SKU["CH-AC-10"]
OTHER_GUITAR = BY_SKU["CH-CL-44"]
TRACKING = page("/ordini/stato", "Dov'è il mio ordine")
CODE = "S7KQ2M"


def tell_stories(scene: Scene) -> list[Customer]:
    """Tell them all; returns the customers."""
    return [_lost(scene), _won(scene), _by_email(scene), _by_code(scene)]


def _customer(number: int, first: str, last: str, email: str) -> Customer:
    """A customer with a telephone (Android) and nothing else."""
    number += FIRST_STORY_NUMBER
    phone = Device(
        f"storia-{first.lower()}", device_context("web", USER_AGENTS["android"][0]), phone=True, android=True
    )
    desktop = Device(f"storia-{first.lower()}-casa", device_context("web", USER_AGENTS["desktop"][0]))
    return Customer(
        number=number, first_name=first, last_name=last, email=email, telephone=f"+39315{number + 7_000_000}",
        account="", card="", persona=BEGINNER, region="Emilia-Romagna", store="Bologna", mobile=phone,
        desktop=desktop, app=None, newsletter=True,
    )  # fmt: skip


def _at(scene: Scene, day: date, hour: int, minute: int) -> int:
    return scene.period.number(day) * DAY + hour * HOUR + minute * MINUTE


def _look(visit: Visit, product: Product, load_ms: int) -> None:
    visit.track("Product Viewed", f'{product.json},"load_ms":{load_ms}', product.page)
    visit.wait(40)


# ----------------------------------------------------------------------------------------- the guitar buyer


def _lost(scene: Scene) -> Customer:
    bianca = _customer(0, "Bianca", "Chitarra", "bianca.chitarra@posta.example")
    _discover(scene, bianca, (date(2025, 5, 6), date(2025, 5, 8), date(2025, 5, 11)), load_ms=7_400)
    visit = Visit(scene, bianca.mobile, _at(scene, date(2025, 5, 13), 21, 30), ORIGINS["brand"])
    basket = Basket(((GUITAR, 1),))
    _look(visit, GUITAR, 8_100)
    _to_payment(visit, bianca, basket, "C-BIANCA")
    for _ in range(2):
        visit.track(
            "Payment Info Entered", f'"checkout_id":"C-BIANCA-k","payment_method":"carta",{_value(basket)}', PAYMENT
        )
        visit.wait(15)
        visit.track("Payment Failed", f'"checkout_id":"C-BIANCA-k","reason":"errore 3-D Secure",{_value(basket)}')
        visit.wait(30)
    scene.ledger.count("card-failure", hit=True, wrong=True)
    scene.ledger.lose("card-failure", visit.time, basket.cents, bianca.number)
    return bianca


def _won(scene: Scene) -> Customer:
    dario = _customer(1, "Dario", "Chitarra", "dario.chitarra@posta.example")
    _discover(scene, dario, (date(2025, 3, 3), date(2025, 3, 5), date(2025, 3, 8)), load_ms=1_400)
    visit = Visit(scene, dario.mobile, _at(scene, date(2025, 3, 10), 21, 30), ORIGINS["brand"])
    basket = Basket(((GUITAR, 1),))
    _look(visit, GUITAR, 1_300)
    _to_payment(visit, dario, basket, "C-DARIO")
    visit.track("Payment Info Entered", f'"checkout_id":"C-DARIO-k","payment_method":"carta",{_value(basket)}', PAYMENT)
    visit.wait(20)
    number = scene.reference("order", "")
    placed = visit.time
    visit.track(
        "Order Completed",
        f'"order_id":"{number}","checkout_id":"C-DARIO-k","revenue":{amount(basket.cents)},"shipping":0.00,'
        f'"currency":"EUR","shipping_method":"corriere","products":[{{{GUITAR.json},"quantity":1}}]',
    )
    visit.wait(2)
    visit.page(THANKS, f'"order_id":"{number}"')
    dario.orders.append(number)
    order = Order(number, dario, placed, basket, "site")
    scene.sales.append((placed, basket.cents, "site", "beginner"))
    shipped = _at(scene, date(2025, 3, 11), 9, 0)
    parcel = Parcel(shipped, shipped + 7 * DAY, _at(scene, date(2025, 3, 13), 10, 20), "early")
    deliver(scene, order, parcel, returns=0.0)
    words = "Promessa in sette giorni, arrivata in tre, con un biglietto scritto a mano. La consiglio a tutti."
    ask_nps(scene, order, parcel, score=10, words=words)
    review(scene, order, _at(scene, date(2025, 3, 17), 20, 0), "early", stars=5, words=words)
    recommend(scene, dario, _at(scene, date(2025, 3, 20), 19, 0), buys=1.0)
    return dario


def _discover(scene: Scene, person: Customer, days: tuple[date, date, date], *, load_ms: int) -> None:
    """An advertisement and a guide; a video and reviews; prices compared."""
    visit = Visit(scene, person.mobile, _at(scene, days[0], 20, 10), ORIGINS["social"])
    visit.page(GUIDE)
    visit.wait(60)
    visit.track("Guide Read")
    visit.wait(20)
    _look(visit, GUITAR, load_ms)
    visit = Visit(scene, person.mobile, _at(scene, days[1], 21, 0), ORIGINS["video"])
    _look(visit, GUITAR, load_ms)
    visit.track("Video Started", GUITAR.json)
    visit.wait(120)
    visit.track("Review Read", GUITAR.json)
    visit = Visit(scene, person.mobile, _at(scene, days[2], 13, 15), ORIGINS["prices"])
    _look(visit, GUITAR, load_ms)
    _look(visit, OTHER_GUITAR, load_ms)
    visit.track("Products Compared", f'"products":[{{{GUITAR.json}}},{{{OTHER_GUITAR.json}}}]')


def _to_payment(visit: Visit, person: Customer, basket: Basket, cart: str) -> None:
    visit.track("Product Added", f'"cart_id":"{cart}",{GUITAR.json},"quantity":1')
    visit.wait(20)
    view_cart(visit, basket, cart)
    visit.wait(20)
    visit.track("Checkout Started", f'"checkout_id":"{cart}-k",{_value(basket)}', ADDRESS)
    visit.wait(40)
    visit.identify(f'"email":"{person.email}"')
    visit.track("Shipping Info Entered", f'"checkout_id":"{cart}-k","step":1,"shipping_method":"corriere"')
    visit.track("Checkout Step Viewed", f'"checkout_id":"{cart}-k","step":2,"shipping":0.00,{_value(basket)}', SUMMARY)
    visit.wait(30)


def _value(basket: Basket) -> str:
    return f'"value":{amount(basket.cents)},"currency":"EUR"'


# --------------------------------------------------------------------------------------------- the commuters


def _by_email(scene: Scene) -> Customer:
    giulia = _customer(2, "Giulia", "Pendolare", "giulia.pendolare@posta.example")
    _commute(scene, giulia, date(2025, 2, 3))
    called = _at(scene, date(2025, 2, 7), 10, 30)
    _call(scene, giulia, called, "")
    number = _order_by_phone(scene, giulia, called + 8 * MINUTE, "")
    _hand_over(scene, giulia, number, called, date(2025, 2, 12))
    return giulia


def _by_code(scene: Scene) -> Customer:
    marco = _customer(3, "Marco", "Pendolare", "marco.pendolare@posta.example")
    _commute(scene, marco, date(2025, 1, 13), code=CODE)
    called = _at(scene, date(2025, 1, 17), 10, 30)
    _call(scene, marco, called, CODE)
    number = _order_by_phone(scene, marco, called + 8 * MINUTE, CODE)
    visit = Visit(scene, marco.mobile, _at(scene, date(2025, 1, 20), 8, 5))
    visit.track("Order Status Viewed", f'"order_id":"{number}"', TRACKING)
    _hand_over(scene, marco, number, called, date(2025, 1, 22))
    return marco


def _commute(scene: Scene, person: Customer, monday: date, *, code: str = "") -> None:
    """Monday and Tuesday on the train, Thursday evening at home."""
    start = _at(scene, monday, 8, 5)
    visit = Visit(scene, person.mobile, start, ORIGINS["social"])
    visit.page(GUIDE)
    visit = Visit(scene, person.mobile, start + DAY, ORIGINS["retargeting"])
    _look(visit, GUITAR, 1_500)
    visit.identify(f'"email":"{person.email}"')
    visit.track("Newsletter Subscribed", '"list":"notizie"')
    sent = start + 3 * DAY + 10 * HOUR
    mail_row(scene, sent, "primi-accordi", person.email, "inviata")
    mail_row(scene, sent + 3 * HOUR, "primi-accordi", person.email, "aperta")
    visit = Visit(scene, person.mobile, sent + 3 * HOUR + 10 * MINUTE, ORIGINS["brand"])
    _look(visit, GUITAR, 1_200)
    visit.track("Video Started", GUITAR.json)
    visit.wait(180)
    visit.track("Video Completed", GUITAR.json)
    visit.wait(20)
    if code:
        visit.page(HELP)
        visit.track("Help Viewed", f'"conversation_id":"{code}"')


def _call(scene: Scene, person: Customer, t: int, code: str) -> None:
    """The agent asks for the e-mail, or for the code."""
    contact(
        scene, person, t, "telefono", "consiglio", code=code, words="Ho visto il video: quale chitarra per iniziare?",
        certain=True,
    )  # fmt: skip


def _order_by_phone(scene: Scene, person: Customer, t: int, code: str) -> str:
    basket = Basket(((GUITAR, 1),))
    scene.sales.append((t, basket.cents, "phone", "beginner"))
    return desk_order(scene, person, t, basket, "telefono", email=not code, code=code)


def _hand_over(scene: Scene, person: Customer, number: str, ordered: int, day: date) -> None:
    order = Order(number, person, ordered, Basket(((GUITAR, 1),)), "phone")
    shipped = ordered + DAY + 5 * HOUR
    deliver(scene, order, Parcel(shipped, shipped + 7 * DAY, _at(scene, day, 10, 0) + 30 * SECOND, "good"), returns=0.0)
