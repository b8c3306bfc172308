"""What becomes of an order: parcel or pick-up, lateness, refusal, returns; then opinions, reviews, recommendations."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.demo.days import DAY, HOUR, MINUTE
from percorso.demo.files import euro, row
from percorso.demo.frictions import (
    COLLECT_WITHIN,
    DELIGHT,
    DELIVERY_FAILED,
    GIVE_UP,
    LATE,
    LATE_MONTHS,
    NOT_COLLECTED,
    NOT_IN_STOCK,
)
from percorso.demo.people import Customer
from percorso.demo.scene import Scene
from percorso.demo.service import open_case
from percorso.demo.texts import ENGLISH, review_text
from percorso.demo.visits import Basket

__all__ = ["NPS_ANSWERS", "Order", "Parcel", "ask_nps", "deliver", "fulfil", "pick_up", "recommend", "review"]

NPS_ANSWERS = 0.14
RETURNS = 0.035
REVIEWS = {"early": 0.2, "good": 0.05, "late": 0.09}
REFERRALS = {"early": 0.08, "good": 0.012, "late": 0.0}
COMES_BACK = {"early": 0.3, "good": 0.0, "late": 0.0}  # buys once more because of it

_CARRIERS = ("Bartolini", "GLS", "Poste")
_IN_VAIN = ("destinatario assente", "destinatario assente", "destinatario assente", "indirizzo incompleto")


@dataclass(frozen=True, slots=True)
class Order:
    """An order that was placed; `place` is site, app, phone or chat, `store` where it is picked up or ""."""

    number: str
    person: Customer
    time: int
    basket: Basket
    place: str
    store: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel's way, in local milliseconds; `mood` is early, good or late, `in_vain` a first try to deliver it."""

    shipped: int
    promised: int
    delivered: int
    mood: str
    refused: bool = False
    in_vain: int | None = None


def fulfil(scene: Scene, order: Order) -> str:
    """Hand the order over and hear what the customer says of it.

    Returns
    -------
    str
        "early" where it went so well that the customer comes back, else "".
    """
    scene.sales.append((order.time, order.basket.cents, order.place, order.person.persona.name))
    if order.store:
        pick_up(scene, order)
        return ""
    parcel = _parcel(scene, order)
    deliver(scene, order, parcel)
    if parcel.refused:
        return ""
    mood = parcel.mood
    if scene.rng.random() < (0.3 if mood == "late" else 0.035):
        asked_at = scene.period.working_time(parcel.promised if mood == "late" else parcel.shipped, 0.8)
        open_case(scene, order.person, asked_at, "consegna", order.number)
    ask_nps(scene, order, parcel)
    teaches = 3.0 if order.person.persona.name == "teacher" else 1.0
    if scene.rng.random() < REVIEWS[mood] * teaches:
        review(scene, order, parcel.delivered + int((1 + 9 * scene.rng.random()) * DAY), mood)
    if scene.rng.random() < REFERRALS[mood] * teaches:
        recommend(scene, order.person, parcel.delivered + int((1 + 20 * scene.rng.random()) * DAY))
    return "early" if scene.rng.random() < COMES_BACK[mood] else ""


# ------------------------------------------------------------------------------------------------- parcels


def _parcel(scene: Scene, order: Order) -> Parcel:
    """When it goes and comes."""
    rng, period = scene.rng, scene.period
    shipped = period.working_time(order.time, 0.4 + 0.8 * rng.random())
    guitar = order.basket.main.category in ("Chitarre", "Bassi", "Pianoforti", "Batterie")
    promised = (shipped // DAY + (7 if guitar else 5)) * DAY + 18 * HOUR
    month = period.days[order.time // DAY].month
    hit = order.person.is_southern and month in LATE_MONTHS
    u = rng.random()
    late = u < LATE[0 if hit else 1]
    scene.ledger.count("late-delivery", hit=hit, wrong=late)
    if late:
        delivered = period.working_time(promised, 1 + 5 * rng.random())
        refused = rng.random() < GIVE_UP["late"]
        if refused and u >= LATE[1]:
            scene.ledger.lose("late-delivery", delivered, order.basket.cents, order.person.number)
        in_vain = None if refused else _in_vain(scene, shipped, delivered)
        return Parcel(shipped, promised, delivered, "late", refused, in_vain)
    if rng.random() < DELIGHT:
        return Parcel(shipped, promised, period.working_time(shipped, 1.2), "early")
    delivered = min(period.working_time(shipped, 2 + (2.6 if guitar else 1.4) * rng.random()), promised - HOUR)
    return Parcel(shipped, promised, delivered, "good", in_vain=_in_vain(scene, shipped, delivered))


def _in_vain(scene: Scene, shipped: int, delivered: int) -> int | None:
    """When the carrier came first and nobody opened: on the working day before, which the parcel's time allows for."""
    period, luck = scene.period, scene.luck
    if luck.random() >= DELIVERY_FAILED:
        return None
    day = delivered // DAY - 1
    while day > shipped // DAY and not period.is_open[min(day, len(period.is_open) - 1)]:
        day -= 1
    return day * DAY + int((9 + 9 * luck.random()) * HOUR) if day > shipped // DAY else None


def deliver(scene: Scene, order: Order, parcel: Parcel, *, returns: float = RETURNS) -> None:
    """The carrier's line; `returns` is how likely the goods come back."""
    rng = scene.rng
    back = not parcel.refused and rng.random() < returns
    came_back = scene.period.working_time(parcel.delivered, 9 + 10 * rng.random()) if back else None
    paid_back = parcel.delivered + 3 * DAY if parcel.refused else came_back + 2 * DAY if came_back else None
    if parcel.in_vain is not None:
        scene.ledger.attempt("delivery", parcel.in_vain, failed=True)
    if not parcel.refused:
        scene.ledger.attempt("delivery", parcel.delivered, failed=False)
    _line(
        scene,
        parcel.shipped,
        order,
        carrier=_CARRIERS[int(rng.random() * len(_CARRIERS))],
        shipped=parcel.shipped,
        promised=parcel.promised,
        in_vain=parcel.in_vain,
        delivered=None if parcel.refused else parcel.delivered,
        outcome="rifiutato" if parcel.refused else "consegnato",
        cancelled=parcel.delivered if parcel.refused else None,
        returned=came_back,
        refunded=paid_back,
        reason="in ritardo" if parcel.refused else "non va bene" if back else "",
        note="sì" if parcel.mood == "early" else "",
    )


def pick_up(scene: Scene, order: Order) -> None:
    """An order that waits in a shop, unless the goods are not there after all."""
    rng, period = scene.rng, scene.period
    hit = order.place == "app"
    u = rng.random()
    missing = u < NOT_IN_STOCK[0 if hit else 1]
    scene.ledger.count("not-in-stock", hit=hit, wrong=missing)
    ready = period.working_time(order.time, 0.3 + rng.random())
    if missing:
        if u >= NOT_IN_STOCK[1]:
            scene.ledger.lose("not-in-stock", ready, order.basket.cents, order.person.number)
        _line(
            scene, ready, order, outcome="annullato", cancelled=ready, refunded=ready + DAY,
            reason="non disponibile",
        )  # fmt: skip
        if rng.random() < 0.5:
            open_case(scene, order.person, ready + 3 * HOUR, "ritiro", order.number)
        return
    collected = period.opening_moment(rng, min((ready + int((0.2 + 3 * rng.random()) * DAY)) // DAY, period.n_days))
    collected = max(collected, ready + 20 * MINUTE)
    pleased = rng.random() < REVIEWS["good"] / 2
    if not pleased and scene.luck.random() < NOT_COLLECTED:
        given_up = period.working_time(ready, COLLECT_WITHIN)
        scene.ledger.attempt("pick-up", given_up, failed=True)
        _line(
            scene, ready, order, ready=ready, not_collected=given_up, outcome="non ritirato", refunded=given_up + DAY,
            reason="non ritirato",
        )  # fmt: skip
        return
    scene.ledger.attempt("pick-up", collected, failed=False)
    _line(scene, ready, order, ready=ready, collected=collected, outcome="ritirato")
    if pleased:
        review(scene, order, collected + DAY, "good")


def _line(
    scene: Scene,
    t: int,
    order: Order,
    *,
    carrier: str = "",
    shipped: int | None = None,
    promised: int | None = None,
    ready: int | None = None,
    in_vain: int | None = None,
    delivered: int | None = None,
    collected: int | None = None,
    not_collected: int | None = None,
    outcome: str = "",
    cancelled: int | None = None,
    returned: int | None = None,
    refunded: int | None = None,
    reason: str = "",
    note: str = "",
) -> None:
    """One line of the deliveries' export; what lies after the export's day is not known yet."""
    period = scene.period

    def known(moment: int | None) -> str:
        return period.italian(moment) if moment is not None and moment < period.end else ""

    cells = row(
        ";", order.number, "ritiro" if order.store else "spedizione", carrier, order.person.region, order.store,
        known(shipped), period.italian_day(promised) if promised is not None else "",
        known(ready), known(in_vain), scene.luck.choice(_IN_VAIN) if known(in_vain) else "", known(delivered),
        known(collected), known(not_collected), outcome, known(cancelled), known(returned), known(refunded),
        euro(order.basket.cents) if refunded is not None else "", reason, note,
    )  # fmt: skip
    scene.rows["deliveries"].append((t, cells))


# ------------------------------------------------------------------------------------------------ opinions


def ask_nps(scene: Scene, order: Order, parcel: Parcel, *, score: int | None = None, words: str = "") -> None:
    """ "Would you recommend us", two days after the parcel; 14 % answer."""
    rng, period = scene.rng, scene.period
    asked = parcel.delivered + 2 * DAY
    head = ("consegna", "nps", "10")
    line = row(";", period.iso_local(asked), "invio", *head, "", "", order.person.email, order.number, "", "")
    scene.rows["surveys"].append((asked, line))
    if score is None:
        if rng.random() >= NPS_ANSWERS:
            return
        centre = {"early": 9.7, "good": 8.3, "late": 4.2}[parcel.mood]
        score = max(0, min(10, round(rng.gauss(centre, 0.6 if parcel.mood == "early" else 1.7))))
        words = (
            review_text(rng, _mood_of(parcel.mood, score), english=rng.random() < ENGLISH) if rng.random() < 0.5 else ""
        )
    answered = asked + int((0.1 + 30 * rng.random()) * HOUR)
    line = row(
        ";", period.iso_local(answered), "risposta", *head, str(score), words, order.person.email, order.number, "", ""
    )
    scene.rows["surveys"].append((answered, line))


def _mood_of(mood: str, score: int) -> str:
    """The words that go with a score."""
    if mood == "good":
        return "good" if score >= 8 else "fair" if score >= 6 else "bad"
    return mood


def review(scene: Scene, order: Order, t: int, mood: str, *, stars: int | None = None, words: str = "") -> None:
    """A review: most on the shop's own page after it asked for one, some on a site of others, by name of nobody."""
    rng, words_given = scene.rng, bool(words)
    if stars is None:
        u = rng.random()
        stars = {"early": 5 if u < 0.95 else 4, "good": 5 if u < 0.55 else 4 if u < 0.83 else 3, "late": 1 + (u < 0.5)}[
            mood
        ]
        kind = mood if mood != "good" else "good" if stars >= 4 else "fair"
        words = review_text(rng, kind, english=rng.random() < ENGLISH)
    own = words_given or rng.random() < 0.75
    site = "legnocorda" if own else "opinioni.example"
    number, email = (order.number, order.person.email) if own else ("", "")
    asked = "sì" if own else "no"
    cells = row(";", scene.period.iso_local(t), site, number, email, order.basket.main.sku, str(stars), asked, words)
    scene.rows["reviews"].append((t, cells))


def recommend(scene: Scene, person: Customer, t: int, *, buys: float = 0.25) -> None:
    """A code for a friend; `buys` is how likely the friend buys."""
    code = f"AMICO-{person.number:06d}"
    period = scene.period
    scene.rows["referrals"].append((t, row(";", period.iso_local(t), "inviato", person.email, code)))
    if scene.rng.random() < buys:
        then = t + int((2 + 20 * scene.rng.random()) * DAY)
        scene.rows["referrals"].append((then, row(";", period.iso_local(then), "convertito", person.email, code)))
