"""KPIs of customers: who buys again, who is lost, and what a customer is worth so far."""

from __future__ import annotations

import numpy as np

from percorso.analyses.kpi_facts import Facts
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.person_orders import LiveOrders
from percorso.analyses.purchases import Purchases, purchases_of
from percorso.analyses.relationship import limits_of_purchases
from percorso.analyses.survival import CENSORED, HAPPENED, N_KINDS
from percorso.kernels.arrays import I64, Bools
from percorso.kernels.kpi_touches import bits_of_persons, lapses_of

__all__ = ["CHURN", "REPEAT", "VALUE", "add_churn", "add_repeat", "add_value"]


#: Sums of customers, as `lapses_of` has them.
_LAPSES = ("customers", "at_risk", "lost", "not_lost_before", "newly_lost")


def _repeat(days: int) -> Kpi:
    return Kpi(
        f"repeat_purchase_{days}",
        "retention",
        "share",
        "up",
        "within",
        "repeat",
        missing="no_first_orders",
        days=days,
    )


REPEAT: tuple[Kpi, ...] = (_repeat(90), _repeat(180), _repeat(365))

CHURN: tuple[Kpi, ...] = (
    Kpi(
        "churn_rate",
        "retention",
        "share",
        "down",
        "share",
        "newly_lost",
        "not_lost_before",
        missing="no_customers",
        reach="person",
    ),
    Kpi(
        "at_risk",
        "retention",
        "count",
        "down",
        "total",
        "at_risk",
        n="customers",
        missing="no_customers",
        reach="person",
    ),
    Kpi("lost", "retention", "count", "down", "total", "lost", n="customers", missing="no_customers", reach="person"),
)

VALUE: tuple[Kpi, ...] = (
    Kpi("new_customers", "across", "count", "up", "total", "new_customers", missing="no_first_orders"),
    Kpi(
        "lifetime_value",
        "across",
        "money",
        "up",
        "ratio",
        "new_value",
        "new_customers",
        n="new_customers_valued",
        missing="no_values",
    ),
    *(
        Kpi(
            f"lifetime_value_{name}",
            "across",
            "money",
            "up",
            "ratio",
            f"new_value_{name}",
            f"new_customers_{name}",
            n=f"new_customers_{name}_valued",
            missing="no_customers_so",
        )
        for name in ("one_place", "two_places", "three_places")
    ),
)


def _live(facts: Facts) -> LiveOrders:
    """Live orders of the bucket's persons that are in, as of now."""
    return facts.once("live", lambda: facts.live.only(_are_in(facts)))


def _are_in(facts: Facts) -> Bools:
    """Which live orders are orders that the question sees."""
    inside = np.zeros(len(facts.bucket.table("orders")), np.bool_)
    inside[facts.orders.row] = True
    found: Bools = inside[facts.live.row]
    return found


def _purchases(facts: Facts) -> Purchases:
    return facts.once("purchases", lambda: purchases_of(_live(facts), facts.plan.days))


def add_repeat(facts: Facts) -> None:
    """Days from the first purchase day to the second, or to today."""
    if facts.is_of_nobody:
        return
    found = _purchases(facts)
    first = np.flatnonzero(found.is_first())
    again = ~found.is_last()[first]
    until = np.full(len(first), len(facts.plan.days) - 1, np.int64)
    until[again] = found.day[first[again] + 1]
    cell = facts.cells(found.time_us[first], found.event[first], found.person[first])
    kind = np.where(again, HAPPENED, CENSORED)
    facts.add_spans("repeat", cell, (until - found.day[first]) * N_KINDS + kind)


def add_churn(facts: Facts) -> None:
    """Customers at risk and lost at the end of each period, and those who were not lost at its start."""
    lapse = facts.plan.lapse
    if facts.is_of_nobody or lapse is None:
        return
    found = _purchases(facts)
    limits = limits_of_purchases(lapse, facts.bucket, found)
    customers = found.person[found.is_first()]
    for start, end in zip(facts.plan.starts.tolist(), facts.plan.ends.tolist(), strict=True):
        edges = np.array([start - 1, end - 1], np.int64)
        today = lapse.days.position(edges)
        values = lapses_of(found.person, found.day, found.time_us, *limits, edges, today, len(customers))
        cell = facts.cells(np.full(len(customers), start, np.int64), None, customers)
        facts.add_columns(_LAPSES, cell, customers, values)


def add_value(facts: Facts) -> None:
    """Customers by their first order, and what all their orders are worth up to the as-of time."""
    if facts.is_of_nobody:
        return
    live = _live(facts)
    net: I64 = np.zeros(facts.bucket.n_persons, np.int64)
    np.add.at(net, live.person, facts.net[_are_in(facts)])
    first = np.flatnonzero(np.diff(live.person, prepend=np.int32(-1)) != 0)
    person = live.person[first]
    cell = facts.cells(live.time_us[first], live.event[first], person)
    places = _places_used(facts)[person]
    valued = _valued(facts, live)[person]
    kinds = (
        ("", places >= 0),
        ("_one_place", places <= 1),
        ("_two_places", places == 2),
        ("_three_places", places > 2),
    )
    for name, mine in kinds:
        facts.add(f"new_customers{name}", cell, person, only=mine)
        facts.add(f"new_value{name}", cell, person, net[person], only=mine)
        facts.add(f"new_customers{name}_valued", cell, person, only=mine & valued)


def _valued(facts: Facts, live: LiveOrders) -> Bools:
    """Persons with an order whose value is known, bool of shape (n_persons,)."""
    known = np.zeros(len(facts.bucket.table("orders")), np.bool_)
    known[facts.orders.row] = facts.orders.worth.known
    valued = np.zeros(facts.bucket.n_persons, np.bool_)
    valued[live.person[known[live.row]]] = True
    return valued


def _places_used(facts: Facts) -> I64:
    """In how many places each person has been, by contacts in which the customer acted; int64 of shape (n_persons,)."""
    contacts, place = facts.contacts, facts.contact_names(facts.plan.places.names)
    counts = contacts.inbound & (contacts.start_us <= facts.as_of_us) if facts.is_earlier else contacts.inbound
    bits = bits_of_persons(contacts.person, place, counts, facts.bucket.n_persons)
    return np.bitwise_count(bits).astype(np.int64)
