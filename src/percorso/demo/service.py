"""Service and assisted sales: calls, chats, tickets, and the order desk that takes orders by telephone and chat."""

from __future__ import annotations

from percorso.demo.days import DAY, HOUR, MINUTE
from percorso.demo.files import euro, row
from percorso.demo.people import Customer
from percorso.demo.scene import Scene
from percorso.demo.texts import HEARD_OF_US, QUESTIONS, answer_text
from percorso.demo.visits import Basket

__all__ = ["CSAT_ANSWERS", "HEARD_ANSWERS", "contact", "desk_order", "open_case", "tell_source"]

CSAT_ANSWERS = 0.22
HEARD_ANSWERS = 0.38
AGENT = "assistenza@legnocorda.example"

_WAYS = ("telefono", "chat", "email", "whatsapp")


def open_case(scene: Scene, person: Customer, t: int, reason: str, order: str = "", *, code: str = "") -> None:
    """Somebody asks: by telephone, chat, e-mail or WhatsApp; some must ask twice."""
    rng = scene.rng
    u = rng.random()
    way = _WAYS[1 if code and u < 0.7 else 0 if u < 0.38 else 1 if u < 0.6 else 2 if u < 0.85 else 3]
    t = scene.period.opening_moment(rng, min(t // DAY, scene.period.n_days)) if way == "telefono" else t
    automatic = way in ("email", "chat") and rng.random() < 0.45
    repeated = rng.random() < (0.25 if automatic else 0.08)
    contact(scene, person, t, way, reason, order, code=code, automatic=automatic)
    if repeated:
        later = scene.period.working_time(t, 1 + 3 * rng.random())
        contact(scene, person, later, "telefono", reason, order, satisfied=False)


def contact(
    scene: Scene,
    person: Customer,
    t: int,
    way: str,
    reason: str,
    order: str = "",
    *,
    code: str = "",
    automatic: bool = False,
    satisfied: bool = True,
    words: str | None = None,
    certain: bool = False,
) -> None:
    """One contact with service, as its tool exports it; then it asks how it was, and 22 % answer.

    With `certain` the agent writes down the e-mail or code, measures the time, and sends no survey.
    """
    rng, period = scene.rng, scene.period
    ticket = scene.reference("ticket", "A")
    talk = way in ("telefono", "chat")
    seconds = str(int(60 + 600 * rng.random() * rng.random())) if talk and (certain or rng.random() < 0.9) else ""
    waits = 20 * 1000 if talk else int((0.5 + 20 * rng.random()) * HOUR)
    answered, robot = t + waits, t + 5_000 if automatic else None
    solved = period.working_time(answered, 0.02) if way == "email" else answered + 15 * MINUTE
    named = certain or way != "telefono" or rng.random() < 0.6
    who = person.email if named and not code else ""
    number = person.telephone if not who and not code else ""
    cells = row(
        ";", ticket, way, period.italian(t), reason, order, who, number, code, seconds,
        period.italian(robot) if robot is not None else "", period.italian(answered), period.italian(solved), AGENT,
        words if words is not None else rng.choice(QUESTIONS[reason]),
    )  # fmt: skip
    scene.rows["support"].append((t, cells))
    if who and not certain:
        _ask_csat(scene, person, solved, ticket, slow=automatic or not satisfied)


def _ask_csat(scene: Scene, person: Customer, t: int, ticket: str, *, slow: bool) -> None:
    """Satisfaction with service, 1 to 5."""
    rng, period = scene.rng, scene.period
    asked = t + HOUR
    head = ("assistenza", "csat", "5")
    scene.rows["surveys"].append(
        (asked, row(";", period.iso_local(asked), "invio", *head, "", "", person.email, "", ticket, ""))
    )
    if rng.random() >= CSAT_ANSWERS:
        return
    score = (
        1 + (rng.random() < 0.6) + (rng.random() < 0.3) if slow else 3 + (rng.random() < 0.85) + (rng.random() < 0.6)
    )
    words = answer_text(rng, "slow" if slow else "solved")
    then = asked + int(20 * rng.random() * HOUR)
    line = row(";", period.iso_local(then), "risposta", *head, str(score), words, person.email, "", ticket, "")
    scene.rows["surveys"].append((then, line))


def desk_order(
    scene: Scene, person: Customer, t: int, basket: Basket, way: str, *, email: bool = True, code: str = ""
) -> str:
    """An order that an employee writes down; returns its number."""
    number = scene.reference("order", "T")
    shipping = 2990 if basket.bulky else 590 if basket.cents < 9900 else 0
    name = f"{person.first_name} {person.last_name}"
    who = person.email if email else ""
    phone = person.telephone if email and scene.rng.random() < 0.6 else ""
    lines = [
        row(
            ";", number, scene.period.italian(t), way, name, who, phone, code, product.sku, product.name,
            product.category, str(quantity), euro(product.price), euro(shipping), euro(basket.cents), "Marta",
        )
        for product, quantity in basket.lines
    ]  # fmt: skip
    scene.rows["orders"].append((t, "".join(lines)))
    person.orders.append(number)
    return number


def tell_source(scene: Scene, person: Customer, t: int, said: str = "") -> None:
    """ "How did you hear of us", asked at the sign-up."""
    period = scene.period
    head = ("come ci hai conosciuto", "fonte", "")
    scene.rows["surveys"].append((t, row(";", period.iso_local(t), "invio", *head, "", "", person.email, "", "", "")))
    if said or scene.rng.random() < HEARD_ANSWERS:
        said = said or scene.rng.choice(HEARD_OF_US)
        then = t + 20_000
        line = row(";", period.iso_local(then), "fonte", *head, "", said, person.email, "", "", "")
        scene.rows["surveys"].append((then, line))
