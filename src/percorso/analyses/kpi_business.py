"""KPIs of the business: revenue, orders, units, margin, and who may be written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from percorso.analyses.kpi_facts import Facts, only_cells
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.orders_in import orders_in
from percorso.events.consent import CONSENT_CHANNELS
from percorso.events.zones import days_of
from percorso.kernels.arrays import I32, I64, Bools

__all__ = ["CONTACTABLE", "KPIS", "add_business", "add_contactable", "net_values", "new_customer_orders"]

#: Quantities may be fractions (metres, kilograms): they are counted in thousandths.
THOUSAND = 1_000

KPIS: tuple[Kpi, ...] = (
    Kpi("revenue", "business", "money", "up", "total", "revenue", n="valued", missing="no_values"),
    Kpi("net_revenue", "business", "money", "up", "total", "net_revenue", n="net_of", missing="no_values"),
    Kpi("revenue_new", "business", "money", "up", "total", "revenue_new", n="valued_new", missing="no_values"),
    Kpi(
        "revenue_returning",
        "business",
        "money",
        "up",
        "total",
        "revenue_returning",
        n="valued_returning",
        missing="no_values",
    ),
    Kpi("orders", "business", "count", "up", "total", "orders", missing="no_orders"),
    Kpi("net_orders", "business", "count", "up", "total", "net_orders", n="orders", missing="no_orders"),
    Kpi("orders_new", "business", "count", "up", "total", "orders_new", missing="no_new_customers"),
    Kpi("orders_returning", "business", "count", "up", "total", "orders_returning", missing="no_returning_customers"),
    Kpi(
        "units", "business", "count", "up", "total", "units", n="orders_with_items", missing="no_items", scale=THOUSAND
    ),
    *(
        Kpi(
            f"units_{name}",
            "business",
            "count",
            "up",
            "total",
            f"units_{name}",
            n=f"orders_with_items_{name}",
            missing="no_items",
            scale=THOUSAND,
        )
        for name in ("new", "returning")
    ),
    Kpi(
        "margin", "business", "money", "up", "total", "margin", n="orders_with_costs", missing="no_costs", needs="costs"
    ),
    *(
        Kpi(
            f"margin_{name}",
            "business",
            "money",
            "up",
            "total",
            f"margin_{name}",
            n=f"orders_with_costs_{name}",
            missing="no_costs",
            needs="costs",
        )
        for name in ("new", "returning")
    ),
    Kpi(
        "margin_rate",
        "business",
        "share",
        "up",
        "ratio",
        "margin",
        "margin_value",
        n="orders_with_costs",
        missing="no_costs",
        needs="costs",
    ),
    Kpi(
        "unidentified_share",
        "business",
        "share",
        "down",
        "ratio",
        "unidentified_revenue",
        "revenue",
        n="valued",
        missing="no_values",
    ),
)

#: Channels whose opt-in and opt-out rates are told.
RATED_CHANNELS = ("email", "sms")

CONTACTABLE: tuple[Kpi, ...] = (
    *(
        Kpi(
            f"contactable_{channel}",
            "business",
            "count",
            "up",
            "total",
            f"contactable_{channel}",
            n=f"consent_known_{channel}",
            missing="no_consents",
            reach="person",
        )
        for channel in CONSENT_CHANNELS
    ),
    *(
        Kpi(
            f"opt_in_rate_{channel}",
            "business",
            "share",
            "up",
            "share",
            f"opted_in_{channel}",
            f"could_opt_in_{channel}",
            missing="no_consents",
            reach="person",
        )
        for channel in RATED_CHANNELS
    ),
    *(
        Kpi(
            f"opt_out_rate_{channel}",
            "business",
            "share",
            "down",
            "share",
            f"opted_out_{channel}",
            f"contactable_before_{channel}",
            missing="no_contactable",
            reach="person",
        )
        for channel in RATED_CHANNELS
    ),
)


def add_business(facts: Facts, costs: Mapping[str, int] | None = None) -> None:
    """Orders and what they are worth; those of nobody too.

    Parameters
    ----------
    facts : Facts
    costs : mapping of str to int, optional
        What a unit of a product costs the shop, minor units of the workspace's currency.
    """
    orders = facts.orders
    cell = facts.order_cell
    value, row = orders.worth.minor, orders.row
    net, live = net_values(facts)
    facts.add("orders", cell, orders.person, row=row)
    facts.add("revenue", cell, orders.person, value, row=row)
    facts.add("valued", cell, orders.person, only=orders.worth.known, row=row)
    facts.add("net_of", cell, orders.person, only=orders.worth.known, row=row)
    facts.add("net_revenue", cell, orders.person, net, row=row)
    facts.add("net_orders", cell, orders.person, row=row, only=live)
    if facts.is_of_nobody:
        facts.add("unidentified_revenue", cell, orders.person, value, row=row)
        facts.add("unidentified_orders", cell, orders.person, row=row)
    else:
        for name, mine in _by_customer(facts):
            inside = only_cells(cell, mine)
            facts.add(f"orders_{name}", inside, orders.person)
            facts.add(f"revenue_{name}", inside, orders.person, value)
            facts.add(f"valued_{name}", inside, orders.person, only=orders.worth.known)
        facts.sum_of("unidentified_revenue")
    _add_loose_refunds(facts)
    _add_items(facts, cell, costs)


def _add_loose_refunds(facts: Facts) -> None:
    """Refunds that name no order that is known: off the net on their own day, at the rate of that day."""
    rows, worth = facts.refunds.loose_worth(facts.bucket, facts.plan.basis)
    if not len(rows):
        return
    person = facts.person_of(rows)
    cell = only_cells(facts.cells(facts.time_of(rows), rows, person), facts.is_in(rows))
    facts.add("net_of", cell, person, only=worth.known, row=rows)
    facts.add("net_revenue", cell, person, -worth.minor, row=rows)
    facts.add("loose_refunds", cell, person, row=rows)
    facts.add("loose_refund_value", cell, person, worth.minor, row=rows)
    facts.tell(worth.missing)


def net_values(facts: Facts) -> tuple[I64, Bools]:
    """What each order is worth after refunds up to the as-of time, and whether it is live; 0 where it is not."""
    orders = facts.orders
    if facts.is_of_nobody:
        return orders.worth.minor, np.ones(len(orders), np.bool_)
    live = facts.live
    n = len(facts.bucket.table("orders"))
    net, is_live = np.zeros(n, np.int64), np.zeros(n, np.bool_)
    net[live.row] = facts.net.minor
    is_live[live.row] = True
    return net[orders.row], is_live[orders.row]


def _by_customer(facts: Facts) -> tuple[tuple[str, Bools], tuple[str, Bools]]:
    """Which orders are of new customers, and which of returning ones."""
    is_new = facts.once("orders of new customers", lambda: new_customer_orders(facts))
    return ("new", is_new), ("returning", ~is_new)


def new_customer_orders(facts: Facts) -> Bools:
    """Which orders are of their person's first day with an order, whatever the condition."""
    orders, every, scope = facts.orders, facts.orders, facts.plan.scope
    if not len(orders):
        return np.zeros(0, np.bool_)
    if scope.condition is not None:
        every = orders_in(replace(scope, condition=None), facts.bucket, facts.plan.basis)
    day = days_of(orders.time_us, facts.plan.timezone)
    first = np.flatnonzero(np.diff(every.person, prepend=np.int32(-2)) != 0)
    first_day = np.zeros(facts.bucket.n_persons, np.int64)
    first_day[every.person[first]] = days_of(every.time_us[first], facts.plan.timezone)
    found: Bools = day == first_day[orders.person]
    return found


def _add_items(facts: Facts, cell: I32, costs: Mapping[str, int] | None) -> None:
    """Units of orders that say what was bought, and margin where the cost of everything in the order is known."""
    items, orders = facts.bucket.table("items"), facts.orders
    if not len(items) or not len(orders):
        return
    begin = np.searchsorted(items.values("event"), orders.event, side="left")
    end = np.searchsorted(items.values("event"), orders.event, side="right")
    has = end > begin
    inside = only_cells(cell, has)
    quantity = np.rint(items.values("quantity") * THOUSAND).astype(np.int64)
    facts.add("orders_with_items", inside, orders.person, row=orders.row)
    units = _between(quantity, begin, end)
    facts.add("units", inside, orders.person, units, row=orders.row)
    for name, mine in () if facts.is_of_nobody else _by_customer(facts):
        of_these = only_cells(inside, mine)
        facts.add(f"orders_with_items_{name}", of_these, orders.person)
        facts.add(f"units_{name}", of_these, orders.person, units)
    if costs is None:
        return
    products = items.dictionary("product_id")
    cost = np.array([costs.get(product, -1) for product in products], np.int64)[items.values("product_id")]
    known = has & (_between((cost < 0).astype(np.int64), begin, end) == 0) & orders.worth.known
    spent = (_between(np.maximum(cost, 0) * quantity, begin, end) + THOUSAND // 2) // THOUSAND
    inside = only_cells(cell, known)
    facts.add("orders_with_costs", inside, orders.person, row=orders.row)
    margin = orders.worth.minor - spent
    facts.add("margin", inside, orders.person, margin, row=orders.row)
    facts.add("margin_value", inside, orders.person, orders.worth.minor, row=orders.row)
    for name, mine in () if facts.is_of_nobody else _by_customer(facts):
        of_these = only_cells(inside, mine)
        facts.add(f"orders_with_costs_{name}", of_these, orders.person)
        facts.add(f"margin_{name}", of_these, orders.person, margin)


def _between(values: I64, begin: I64, end: I64) -> I64:
    """Sums of values from `begin` to before `end`."""
    running = np.append(np.int64(0), np.cumsum(values))
    found: I64 = running[end] - running[begin]
    return found


def add_contactable(facts: Facts) -> None:
    """Who may be written to at the end of each period, by channel, and who changed their mind in it.

    Of persons with an event that is in; what they last said counts whatever the condition.
    """
    if facts.is_of_nobody:
        return
    details = facts.bucket.table("details")
    event = details.values("event")
    inside = facts.by_now(event) if facts.is_earlier else np.ones(len(event), np.bool_)
    if facts.keep_any is not None:
        inside &= facts.keep_any[event] != 0
    everybody = np.arange(facts.bucket.n_persons, dtype=np.int32)
    for start, end in zip(facts.plan.starts.tolist(), facts.plan.ends.tolist(), strict=True):
        # One instant inside the period stands for it: persons have no time of their own.
        cell = facts.cells(np.full(len(everybody), start, np.int64), None, everybody)
        seen = facts.seen_us < end
        for channel in CONSENT_CHANNELS:
            said = details.values(f"consent_{channel}")
            mine = np.flatnonzero(inside & (said >= 0))
            _add_channel(facts, channel, cell, (event[mine], said[mine] == 1), (start, end), seen)


def _add_channel(
    facts: Facts, channel: str, cell: I32, said: tuple[I32, Bools], period: tuple[int, int], seen: Bools
) -> None:
    """Members of one channel: `said` are the events with consent, and whether it is a yes."""
    row, yes = said
    n = facts.bucket.n_persons
    everybody = np.arange(n, dtype=np.int32)
    has_rate = channel in RATED_CHANNELS
    if not len(row):
        if has_rate:  # nobody here said anything, and could have
            facts.add(f"could_opt_in_{channel}", cell, everybody, only=seen)
        return
    person, time = facts.person_of(row), facts.time_of(row)
    before, after = (_consent(person, yes, time < limit, n) for limit in period)
    facts.add(f"contactable_{channel}", cell, everybody, only=seen & (after == 1))
    facts.add(f"consent_known_{channel}", cell, everybody, only=seen & (after >= 0))
    if not has_rate:
        return
    facts.add(f"contactable_before_{channel}", cell, everybody, only=seen & (before == 1))
    facts.add(f"opted_in_{channel}", cell, everybody, only=seen & (before != 1) & (after == 1))
    facts.add(f"could_opt_in_{channel}", cell, everybody, only=seen & (before != 1))
    facts.add(f"opted_out_{channel}", cell, everybody, only=seen & (before == 1) & (after == 0))


def _consent(person: I32, yes: Bools, wanted: Bools, n_persons: int) -> I64:
    """What each person last said: 1 yes, 0 no, -1 nothing; int64 of shape (n_persons,)."""
    state = np.full(n_persons, -1, np.int64)
    state[person[wanted]] = yes[wanted]  # rows ascend, so the last one stays
    return state
