"""KPIs of money spent on advertising, and of research before orders: what comes from beside the events of a bucket."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from percorso.analyses.jackknife import N_GROUPS
from percorso.analyses.kpi_facts import Facts, only_cells
from percorso.analyses.kpi_plan import KpiPlan
from percorso.analyses.kpi_sums import KpiSums
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.researched import count_researched
from percorso.analyses.worth import worth_of
from percorso.journeys.channel_names import CHANNELS
from percorso.kernels.arrays import I64
from percorso.kernels.kpi_sums import periods_of, seconds_between
from percorso.kernels.kpi_touches import last_touches
from percorso.time import localise, zone_of

__all__ = ["RESEARCH", "SPEND", "VISITS", "add_attributed", "add_researched", "add_visits", "spend_sums"]

#: A contact this long before an order has nothing to do with it any more.
TOUCH_US = 30 * 86_400_000_000

_PAID = frozenset(channel.name for channel in CHANNELS if channel.ownership == "paid")
_DAY_US = 86_400_000_000

SPEND: tuple[Kpi, ...] = (
    Kpi(
        "ad_impressions",
        "awareness",
        "count",
        "up",
        "total",
        "impressions",
        missing="no_impressions",
        reach="whole",
        needs="spend",
    ),
    Kpi(
        "cost_per_thousand",
        "awareness",
        "money",
        "down",
        "fixed",
        "seen_cost",
        "impressions",
        missing="no_impressions",
        reach="whole",
        needs="spend",
        scale=1 / 1_000,
    ),
    Kpi(
        "ad_cost",
        "money",
        "money",
        "neither",
        "total",
        "ad_cost",
        n="ad_days",
        missing="no_spend_period",
        reach="whole",
        needs="spend",
    ),
    Kpi(
        "cost_per_acquisition",
        "money",
        "money",
        "down",
        "cost",
        "ad_cost",
        "new_customers",
        missing="no_first_orders",
        reach="whole",
        needs="spend",
    ),
    Kpi(
        "return_on_spend",
        "money",
        "ratio",
        "up",
        "return",
        "attributed",
        "ad_cost",
        n="orders_attributed",
        missing="no_spend_period",
        reach="whole",
        needs="spend",
    ),
    Kpi(
        "value_to_cost",
        "across",
        "ratio",
        "up",
        "return",
        "new_value",
        "ad_cost",
        "new_customers",
        n="new_customers_valued",
        missing="no_spend_period",
        reach="whole",
        needs="spend",
    ),
)

RESEARCH: tuple[Kpi, ...] = (
    Kpi(
        "research_online_buy_in_store",
        "across",
        "share",
        "neither",
        "share",
        "researched_online",
        "orders_in_store",
        missing="no_store_orders",
        reach="whole",
    ),
    Kpi(
        "research_in_store_buy_online",
        "across",
        "share",
        "neither",
        "share",
        "researched_in_store",
        "orders_on_site_and_app",
        missing="no_online_orders",
        reach="whole",
    ),
    Kpi(
        "research_coverage",
        "across",
        "share",
        "up",
        "share",
        "store_orders_known",
        "store_orders_any",
        missing="no_store_orders",
    ),
)

VISITS: tuple[Kpi, ...] = (
    Kpi("time_per_visit", "across", "duration", "neither", "median", "time_per_visit", missing="no_sessions"),
)


def add_attributed(facts: Facts) -> None:
    """Value of orders whose last contact that is not direct, in their journey and within 30 days, was paid for."""
    if facts.is_of_nobody:
        return
    orders, events, channels = facts.orders, facts.bucket.events, facts.plan.channels
    told = np.array([name not in ("", "Direct") for name in channels.values] + [False], np.bool_)
    paid_for = np.array([name in _PAID for name in channels.values] + [False], np.bool_)
    mine = np.flatnonzero(facts.order_cell >= 0)
    cell, person, event = facts.order_cell[mine], orders.person[mine], orders.event[mine]
    bought = np.zeros(facts.bucket.n_persons, np.bool_)
    bought[person] = True
    of_buyers = np.flatnonzero(bought.take(facts.contacts.person))
    contacts, code = facts.contacts.only(of_buyers), facts.contact_names(channels)[of_buyers]
    touch = last_touches(
        contacts.person,
        contacts.row,
        contacts.start_us,
        events.values("journey")[contacts.row],
        contacts.inbound & told[code],
        person,
        event,
        orders.time_us[mine],
        facts.bucket.table("orders").values("purchase")[orders.row[mine]],
        TOUCH_US,
    )
    paid = np.append(paid_for[code], False)[touch]  # -1, no contact, reads the last entry
    facts.add("orders_attributed", cell, person, only=paid)
    facts.add("attributed", cell, person, orders.worth.minor[mine], only=paid)


def spend_sums(plan: KpiPlan, spend: pa.Table) -> KpiSums:
    """What advertising cost in each period; a day belongs to the period in which it begins.

    Parameters
    ----------
    plan : KpiPlan
    spend : pyarrow.Table
        day (date32), cost (minor units of `currency`), currency, impressions (null: not said).
    """
    day = spend.column("day").cast(pa.int32()).to_numpy().astype(np.int64)
    zone = zone_of(plan.timezone)
    days, at = np.unique(day, return_inverse=True)
    midnight = np.array([localise(one * _DAY_US, zone).us for one in days.tolist()], np.int64)
    time = midnight[at] if len(days) else np.empty(0, np.int64)
    # A period may begin within a day: the day counts where its noon lies, so that no day is lost or counted twice.
    cell = periods_of(np.ascontiguousarray(time + _DAY_US // 2), plan.starts, plan.ends)
    coded = spend.column("currency").combine_chunks().dictionary_encode()
    cost = spend.column("cost").to_numpy().astype(np.int64)
    codes = coded.indices.to_numpy(zero_copy_only=False)
    worth = worth_of(cost, tuple(coded.dictionary.to_pylist()), codes, time, plan.basis)
    seen = spend.column("impressions").fill_null(-1).to_numpy().astype(np.int64)
    sums: dict[str, I64] = {}
    for name, weight, wanted in (
        ("ad_cost", worth.minor, worth.known),
        ("ad_days", np.ones(len(cell), np.int64), worth.known),
        ("seen_cost", worth.minor, worth.known & (seen >= 0)),
        ("impressions", seen, seen >= 0),
    ):
        total = np.zeros((plan.n_cells, N_GROUPS), np.int64)
        inside = wanted & (cell >= 0)
        # Of nobody in particular: all in one group, and never in a jackknife.
        np.add.at(total[:, 0], cell[inside] * plan.n_values, weight[inside])
        if inside.any():
            sums[name] = total
    return KpiSums(sums)


def add_researched(facts: Facts) -> None:
    """Store orders after a look online, and the reverse, as `places` counts them; and how many orders that is of."""
    orders = facts.orders
    table = facts.bucket.table("orders")
    in_store = np.array([name == "store" for name in table.dictionary("place")], np.bool_)
    store = in_store[table.values("place")[orders.row]] if len(in_store) else np.zeros(len(orders), np.bool_)
    cell = only_cells(facts.order_cell, store)
    facts.add("store_orders_any", cell, orders.person, row=orders.row)
    if facts.is_of_nobody:
        return
    facts.add("store_orders_known", cell, orders.person)
    if facts.plan.by is not None or "store" not in facts.plan.places.names.values:
        return
    for at, (start, end) in enumerate(zip(facts.plan.starts.tolist(), facts.plan.ends.tolist(), strict=True)):
        scope = replace(facts.plan.scope, start_us=start, end_us=min(end, facts.as_of_us + 1), limits_time=True)
        counts = count_researched(replace(facts.plan.places, scope=scope), facts.bucket, facts.plan.basis).counts
        pairs = (("orders_in_store", "researched_online"), ("orders_on_site_and_app", "researched_in_store"))
        for (every, researched), found in zip(pairs, counts, strict=True):
            facts.sum_of(every)[at, 0] += found[0]
            facts.sum_of(researched)[at, 0] += found[2]


def add_visits(facts: Facts) -> None:
    """How long sessions last; of one with a single event nothing is known."""
    if facts.is_of_nobody:
        return
    sessions = facts.bucket.table("sessions")
    seconds = facts.whole.once(
        "seconds of sessions", lambda: seconds_between(sessions.values("start"), sessions.values("end"))
    )
    facts.add_spans("time_per_visit", facts.session_cell, seconds, only=sessions.values("n_events") > 1)
