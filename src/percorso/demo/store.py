"""The tills of six shops: receipts with and without a card, and the code on them that asks for an opinion."""

from __future__ import annotations

from percorso.demo.files import euro, row
from percorso.demo.people import Customer
from percorso.demo.scene import Scene
from percorso.demo.texts import answer_text
from percorso.demo.visits import Basket

__all__ = ["CODE_ANSWERS", "NUMBER", "WRONG_CLOCK", "receipt", "receipt_code"]

#: Stands for the receipt's number until all receipts of the day are known: numbers start again every morning.
NUMBER = "\0"

CODE_ANSWERS = 0.018
RETURNS = 0.015
CARD_SHOWN = 0.9  # of those who have one

#: Store and till whose clock stayed on summer time after the change, until somebody noticed.
WRONG_CLOCK = ("Torino", "2")
WRONG_CLOCK_DAYS = 16

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def receipt_code(scene: Scene) -> str:
    """The code on a receipt: no two are equal."""
    n = scene.block * 1_000_003 + scene.number("receipt") * 7_919
    digits = ""
    for _ in range(7):
        n, digit = divmod(n, len(_LETTERS))
        digits += _LETTERS[digit]
    return f"LC-{digits}"


def receipt(scene: Scene, person: Customer | None, t: int, basket: Basket, store: str) -> None:
    """A purchase in a shop; `person` None for somebody whom the shop does not know."""
    rng = scene.rng
    till = "1" if rng.random() < 0.6 else "2"
    card = person.card if person is not None and rng.random() < CARD_SHOWN else ""
    code = receipt_code(scene)
    shown = _shown_time(scene, store, till, t)
    head = (store, till, scene.period.italian_day(shown), scene.period.clock(shown), NUMBER, "VENDITA")
    total = euro(basket.cents)
    lines = [
        row(
            ";", *head, product.sku, product.name, product.category, str(quantity), euro(product.price), total, card,
            code,
        )
        for product, quantity in basket.lines
    ]  # fmt: skip
    scene.rows["till"].append((t, "".join(lines)))
    scene.takings.append((t, basket.cents, bool(card), person.persona.name if person is not None else ""))
    if rng.random() < RETURNS:
        _return(scene, t + int((1 + 12 * rng.random()) * 86_400_000), basket, store)
    if rng.random() < CODE_ANSWERS:
        _answer(scene, t, code)
    if card and person is not None:
        _points(scene, person, t, basket.cents, store)


def _return(scene: Scene, t: int, basket: Basket, store: str) -> None:
    """The dearest thing is brought back; the receipt of it has no card."""
    t = scene.period.opening_moment(scene.rng, t // 86_400_000)
    product = basket.main
    cells = row(
        ";", store, "1", scene.period.italian_day(t), scene.period.clock(t), NUMBER, "RESO", product.sku, product.name,
        product.category, "-1", euro(product.price), euro(-product.price), "", receipt_code(scene),
    )  # fmt: skip
    scene.rows["till"].append((t, cells))


def _shown_time(scene: Scene, store: str, till: str, t: int) -> int:
    """What the till prints."""
    if (store, till) != WRONG_CLOCK:
        return t
    changes = scene.period.clock_changes
    wrong = any(change <= t < change + WRONG_CLOCK_DAYS * 86_400_000 for change in changes)
    return t + 3_600_000 if wrong else t


def _answer(scene: Scene, t: int, code: str) -> None:
    """The opinion after a visit to a shop, from 1 to 5."""
    when = t + int((1 + 40 * scene.rng.random()) * 3_600_000)
    score = 3 + (scene.rng.random() < 0.85) + (scene.rng.random() < 0.55)
    words = answer_text(scene.rng, "store")
    line = row(
        ";", scene.period.iso_local(when), "risposta", "codice sullo scontrino", "csat", "5", str(score), words, "",
        "", "", code,
    )  # fmt: skip
    scene.rows["surveys"].append((when, line))


def _points(scene: Scene, person: Customer, t: int, cents: int, store: str) -> None:
    """One point for each euro."""
    if "card" not in person.known:
        person.known.add("card")
        line = row(
            ";", scene.period.iso_local(t - 60_000), "iscrizione", person.card, person.email,
            person.telephone if scene.rng.random() < 0.7 else "", "", "sì" if person.newsletter else "no", store,
        )  # fmt: skip
        scene.rows["loyalty"].append((t - 60_000, line))
    points = str(cents // 100)
    if points != "0":
        line = row(";", scene.period.iso_local(t), "accredito", person.card, "", "", points, "", store)
        scene.rows["loyalty"].append((t, line))
    if scene.rng.random() < 0.04:
        line = row(";", scene.period.iso_local(t + 1000), "utilizzo", person.card, "", "", "100", "", store)
        scene.rows["loyalty"].append((t + 1000, line))
