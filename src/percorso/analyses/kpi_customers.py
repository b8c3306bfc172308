"""KPIs of customers: who buys again, who is lost, and what a customer is worth so far.

Who is new, live, lost, and what is a first or a last order, is decided from all orders of the persons that are in. A
condition then says who is counted: new customers by their first order, others by having an event that is in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.kpi_facts import Facts, only_cells
from percorso.analyses.kpi_plan import KpiPlan
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.purchases import Purchases, purchases_of
from percorso.analyses.relationship import NEVER, LapseLimits, knows_lost, limits_of_purchases
from percorso.analyses.retention_plan import WITHIN_DAYS
from percorso.analyses.survival import CENSORED, HAPPENED, N_KINDS
from percorso.kernels.arrays import I32, I64, Bools
from percorso.kernels.kpi_touches import bits_of_persons, lapses_of

__all__ = [
    "CHURN",
    "PLACES_USED",
    "REPEAT",
    "TOO_SHORT",
    "VALUE",
    "NewCustomers",
    "add_churn",
    "add_repeat",
    "add_value",
    "new_customers",
    "too_short",
]

#: Customers by how many places they used: one, two, three or more.
PLACES_USED = ("one_place", "two_places", "three_places")

#: Why nobody is known to be lost, as a key of ``kpi_missing`` in the language files.
TOO_SHORT = "history_too_short"

#: Sums of customers, and in which column of `lapses_of` each stands.
_LAPSES = ("at_risk_of", "at_risk", "lost_of", "lost", "not_lost_before", "newly_lost")
_COLUMNS = (0, 1, 0, 2, 3, 4)


def _repeat(days: int) -> Kpi:
    return Kpi(
        f"repeat_purchase_{days}",
        "retention",
        "share",
        "up",
        "within",
        "repeat",
        also=f"repeat_old_{days}",
        missing="no_first_orders",
        days=days,
    )


REPEAT: tuple[Kpi, ...] = tuple(_repeat(days) for days in WITHIN_DAYS)

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
        n="at_risk_of",
        missing="no_customers",
        reach="person",
    ),
    Kpi("lost", "retention", "count", "down", "total", "lost", n="lost_of", missing="no_customers", reach="person"),
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
        "new_customers_valued",
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
            f"new_customers_{name}_valued",
            missing="no_customers_so",
        )
        for name in PLACES_USED
    ),
)


@dataclass(frozen=True, slots=True)
class NewCustomers:
    """Persons of a bucket with a live order, by their first.

    Parameters
    ----------
    person : int32 array, shape (n_customers,)
        Ascending.
    cell : int32 array, shape (n_customers,)
        Where the first order is counted; -1: nowhere.
    time_us : int64 array, shape (n_customers,)
        Of the first order.
    places : int64 array, shape (n_customers,)
        Position in PLACES_USED.
    valued : bool array, shape (n_customers,)
        The value of each live order is known.
    """

    person: I32
    cell: I32
    time_us: I64
    places: I64
    valued: Bools


def new_customers(facts: Facts) -> NewCustomers:
    """Customers by their first order, up to the as-of time."""
    return facts.once("new customers", lambda: _new_customers(facts))


def _new_customers(facts: Facts) -> NewCustomers:
    live = facts.live
    first = np.flatnonzero(np.diff(live.person, prepend=np.int32(-1)) != 0)
    person, event, time = live.person[first], live.event[first], live.time_us[first]
    cell = only_cells(facts.cells(time, event, person), facts.is_in(event))
    places = np.clip(_places_used(facts)[person], 1, len(PLACES_USED)) - 1
    valued = np.ones(facts.bucket.n_persons, np.bool_)
    valued[live.person[~facts.net.known]] = False
    return NewCustomers(person, cell, time, places, valued[person])


def _purchases(facts: Facts) -> Purchases:
    return facts.once("purchases", lambda: purchases_of(facts.live, facts.plan.days))


def add_repeat(facts: Facts) -> None:
    """Days from the first purchase day to the second, or to today."""
    if facts.is_of_nobody:
        return
    found = _purchases(facts)
    first = np.flatnonzero(found.is_first())
    again = ~found.is_last()[first]
    until = np.full(len(first), len(facts.plan.days) - 1, np.int64)
    until[again] = found.day[first[again] + 1]
    event = found.event[first]
    cell = only_cells(facts.cells(found.time_us[first], event, found.person[first]), facts.is_in(event))
    kind = np.where(again, HAPPENED, CENSORED)
    facts.add_spans("repeat", cell, (until - found.day[first]) * N_KINDS + kind)
    age = len(facts.plan.days) - 1 - found.day[first]
    for days in WITHIN_DAYS:
        facts.add(f"repeat_old_{days}", cell, found.person[first], only=age >= days)


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
        if facts.plan.scope.condition is not None:
            cell = only_cells(cell, facts.seen_us[customers] < end)
        known = np.array(_known(facts.plan, lapse, start, end), np.int32)
        for at in (0, 2):
            if not known[at]:  # nobody is lost, for all that is known: that is no 0
                _mark(facts, f"{_LAPSES[at + 1]}_not_known", start)
        facts.add_columns(_LAPSES, cell, customers, values.take(_COLUMNS, axis=1) * known)


def _mark(facts: Facts, name: str, start: int) -> None:
    """Leave word in all cells of a period."""
    plan = facts.plan
    at = int(np.searchsorted(plan.starts, start))
    facts.sum_of(name)[at * plan.n_values : (at + 1) * plan.n_values, 0] += 1


def _known(plan: KpiPlan, lapse: LapseLimits, start: int, end: int) -> tuple[bool, ...]:
    """Which of _LAPSES are known: orders must reach back one limit before those counted are at risk, or lost.

    Who is lost grows with the data until they do, and whoever would be lost counts as at risk: so a period to compare
    with must be that old as a whole.
    """
    if plan.is_compared:
        return (knows_lost(lapse, start),) * len(_LAPSES)
    at_risk, lost = knows_lost(lapse, end - 1, "at_risk_days"), knows_lost(lapse, end - 1)
    return at_risk, at_risk, lost, lost, *([knows_lost(lapse, start)] * 2)


def too_short(plan: KpiPlan) -> dict[str, str]:
    """KPIs of CHURN that the data do not reach back far enough for, and why; of a plan of one period."""
    if plan.lapse is None or (plan.lapse.lost == NEVER).all():
        return {}
    known = dict(zip(_LAPSES, _known(plan, plan.lapse, int(plan.starts[0]), int(plan.ends[0])), strict=True))
    return {kpi.key: TOO_SHORT for kpi in CHURN if not known[kpi.top]}


def add_value(facts: Facts) -> None:
    """Customers by their first order, and what all their orders are worth up to the as-of time."""
    if facts.is_of_nobody:
        return
    new, live = new_customers(facts), facts.live
    of_person: I64 = np.zeros(facts.bucket.n_persons, np.int64)
    np.add.at(of_person, live.person, facts.net.minor)
    net = of_person[new.person]
    facts.add("new_customers", new.cell, new.person)
    for name, mine in (("", new.valued), *((f"_{name}", new.places == at) for at, name in enumerate(PLACES_USED))):
        facts.add(f"new_customers{name}_valued", new.cell, new.person, only=mine & new.valued)
        facts.add(f"new_value{name}", new.cell, new.person, net, only=mine & new.valued)


def _places_used(facts: Facts) -> I64:
    """In how many places each person has been, by contacts in which the customer acted; int64 of shape (n_persons,)."""
    contacts, place = facts.contacts_any, facts.contact_names_any(facts.plan.places.names)
    counts = contacts.inbound & (contacts.start_us <= facts.as_of_us) if facts.is_earlier else contacts.inbound
    bits = bits_of_persons(contacts.person, place, counts, facts.bucket.n_persons)
    return np.bitwise_count(bits).astype(np.int64)
