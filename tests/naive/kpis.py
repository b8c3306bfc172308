"""KPIs, plainly: lists and loops, one KPI a function. Twin of percorso.analyses.kpis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DAY_US = 86_400_000_000
WEEK_US = 7 * DAY_US


@dataclass(frozen=True)
class Act:
    """What a person did; `value` in minor units, None: not known."""

    person: str
    time: int
    name: str
    product: str = ""
    category: str = ""
    place: str = ""
    value: int | None = None


def inside(acts: Iterable[Act], start: int, end: int) -> list[Act]:
    return [act for act in acts if start <= act.time < end]


def orders(acts: Iterable[Act]) -> list[Act]:
    return [act for act in acts if act.name == "Order Completed"]


def revenue(acts: Iterable[Act]) -> int:
    return sum(act.value or 0 for act in orders(acts))


def total(found: float, told: Sequence[Act]) -> float | None:
    """A total; None where nobody ever told of such things."""
    return found if told else None


def active(acts: Iterable[Act]) -> int:
    return len({act.person for act in acts})


def average_order_value(acts: Iterable[Act]) -> float | None:
    known = [act.value for act in orders(acts) if act.value is not None]
    return sum(known) / len(known) / 100 if known else None


def payment_failure(acts: Sequence[Act]) -> tuple[int, int]:
    """Failed, and attempted."""
    failed = sum(act.name == "Payment Failed" for act in acts)
    return failed, failed + sum(act.place in ("site", "app") for act in orders(acts))


def new_orders(acts: Iterable[Act], start: int, end: int) -> int:
    """Orders of the period on their person's first day with an order; days are those of UTC."""
    found = 0
    for order in inside(orders(acts), start, end):
        first = min(other.time for other in orders(acts) if other.person == order.person)
        found += order.time // DAY_US == first // DAY_US
    return found


def carts(acts: Sequence[Act], start: int, end: int, as_of: int) -> tuple[int, int]:
    """Carts opened in the period that are a week old, and those of them that were left."""
    opened, left = 0, 0
    for person in sorted({act.person for act in acts}):
        for begun, bought in _carts_of([act for act in acts if act.person == person]):
            if start <= begun < end and as_of - begun >= WEEK_US:
                opened += 1
                left += not bought
    return opened, left


def _carts_of(acts: Sequence[Act]) -> list[tuple[int, bool]]:
    found: list[tuple[int, bool]] = []
    cart: list[Act] = []
    for act in acts:
        if act.name == "Product Added":
            if cart and act.time - cart[-1].time > WEEK_US:
                found.append((cart[0].time, False))
                cart = []
            cart.append(act)
        elif act.name == "Order Completed" and cart and act.time - cart[0].time <= WEEK_US and _shares(cart, act):
            found.append((cart[0].time, True))
            cart = []
    return [*found, (cart[0].time, False)] if cart else found


def _shares(cart: Sequence[Act], order: Act) -> bool:
    products = {act.product for act in cart} - {""}
    if products and order.product:
        return order.product in products
    categories = {act.category for act in cart} - {""}
    if categories and order.category:
        return order.category in categories
    return True


def nps(answers: Sequence[tuple[str, int, float]]) -> tuple[int, int] | None:
    """Promoters less detractors, and answers, of (person, time, score): the latest of each person."""
    latest = {person: score for person, _, score in answers}
    net = sum((score >= 9) - (score <= 6) for score in latest.values())
    return (net, len(latest)) if latest else None


def jackknife(tops: Sequence[float], bottoms: Sequence[float]) -> float:
    """Half the width of the 95 % interval of Σ top / Σ bottom without Student's factor: √variance."""
    n = len(tops)
    thetas = [(sum(tops) - a) / (sum(bottoms) - b) for a, b in zip(tops, bottoms, strict=True)]
    mean = sum(thetas) / n
    return float(((n - 1) / n * sum((theta - mean) ** 2 for theta in thetas)) ** 0.5)
