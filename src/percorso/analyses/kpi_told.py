"""Of what the sources tell: a total of nothing is 0 where some source tells of such things, else missing.

A source tells of a kind of thing if the log has one of it up to the as-of time, whatever the question is limited to;
of a period before the first event of the log none does. It is looked up only where a total is of nothing, and once for
each kind of thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from percorso.analyses.kpi_plan import KpiPlan
from percorso.analyses.kpi_sums import KpiSums
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.kpi_values import Estimate, sum_of
from percorso.analyses.log_facts import Fact, ask_facts, first_of_all_us
from percorso.engines.buckets import is_far
from percorso.events.consent import CONSENT_CHANNELS
from percorso.kernels.arrays import I64, Bools
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["TOTALS", "Told", "Total", "or_nothing", "told_facts"]

_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Total:
    """When a total of nothing is 0.

    Parameters
    ----------
    thing : str
        What a source must tell of, one of `_TIMES`, or the name of an event.
    of : str
        The sum of things that may not tell what the total adds up: where there are any, the total of nothing is
        missing and not 0 (orders without a value are no revenue of 0).
    """

    thing: str
    of: str = ""


#: By KPI; micro-conversions are told by their own events. Ad costs are told by day, so nothing is filled in.
TOTALS = {
    "revenue": Total("values", "orders"),
    "net_revenue": Total("values", "orders"),
    "revenue_new": Total("values", "orders_new"),
    "revenue_returning": Total("values", "orders_returning"),
    "orders": Total("orders"),
    "net_orders": Total("orders"),
    "orders_new": Total("orders of persons"),
    "orders_returning": Total("orders of persons"),
    "units": Total("items", "orders"),
    "units_new": Total("items", "orders_new"),
    "units_returning": Total("items", "orders_returning"),
    "margin": Total("items", "orders"),
    "margin_new": Total("items", "orders_new"),
    "margin_returning": Total("items", "orders_returning"),
    **{f"contactable_{channel}": Total(f"consent_{channel}") for channel in CONSENT_CHANNELS},
    "persons": Total("persons"),
    "contacts": Total("persons"),
    "contacts_inbound": Total("persons"),
    "contacts_outbound": Total("outbound"),
    "sessions": Total("sessions"),
    "events": Total("persons"),
    "unidentified_events": Total("events"),
    "reach": Total("persons"),
    "new_persons": Total("persons"),
    "social_views": Total("Post Shown"),
    "at_risk": Total("orders of persons", "at_risk_not_known"),
    "lost": Total("orders of persons", "lost_not_known"),
    "points_earned": Total("Points Earned", "told_points_earned"),
    "points_redeemed": Total("Points Redeemed", "told_points_redeemed"),
    "points_expired": Total("Points Expired", "told_points_expired"),
    "points_expiring": Total("Points Earned"),
    "reviews": Total("Product Reviewed"),
    "referrals_sent": Total("Referral Sent"),
    "referrals_converted": Total("Referral Converted"),
    "referral_value": Total("Referral Converted", "referrals_converted"),
    "new_customers": Total("orders of persons"),
}


def or_nothing(kpi: Kpi, one: Estimate, found: KpiSums, cell: int, told: Told) -> Estimate:
    """The value of a KPI; of a total of nothing 0, where a source tells of such things."""
    if one.value is not None or kpi.how != "total" or kpi.needs == "spend":
        return one
    total = TOTALS.get(kpi.key, Total(""))
    if total.of and sum_of(found, total.of, cell).any():
        return one
    things = (total.thing,) if total.thing else kpi.told_by
    return Estimate(0.0, method="counted") if told.has_begun(cell) and any(map(told.of, things)) else one


class Told:
    """What the sources tell of up to the as-of time of a plan.

    Parameters
    ----------
    log : JourneyLog
    plan : KpiPlan
    """

    def __init__(self, log: JourneyLog, plan: KpiPlan) -> None:
        self._log = log
        self._plan = plan

    def has_begun(self, cell: int) -> bool:
        """Is there an event before the end of the cell's period?"""
        first = first_of_all_us(self._log)
        return first is not None and first < int(self._plan.ends[cell // self._plan.n_values])

    def of(self, thing: str) -> bool:
        """Is there a thing of the kind?"""
        as_of = self._plan.scope.as_of_us
        if not is_far(self._log):
            return _is_by(as_of, ask_facts(self._log, [_first_time(thing)])[0])
        # Looking takes a round through a cluster: all things are looked up in one.
        of_events, *others = ask_facts(self._log, told_facts())
        if thing in _TIMES:
            return _is_by(as_of, dict(zip(_TIMES, others, strict=True))[thing])
        return _is_by(as_of, (side.get(thing, _NEVER) for side in of_events))


def told_facts() -> list[Fact]:
    """What a cluster is asked for once: when the first event of each name was, and the first of all other things."""
    return [_FIRST_OF_EVENTS, *map(_first_time, _TIMES)]


def _is_by(time_us: int, firsts: Iterable[int]) -> bool:
    return min(firsts) <= time_us


@cache
def _first_time(thing: str) -> Fact:
    """When the first thing of a kind was, µs UTC; `_NEVER` where there is none."""
    times = _TIMES.get(thing) or partial(_named, column="event", name=thing)

    def of_buckets(buckets: Iterable[Bucket]) -> int:
        return _first(int(times(one).min(initial=_NEVER)) for one in buckets)

    return Fact(("first time", thing), of_buckets, _first)


def _first(times: Iterable[int]) -> int:
    return min(times, default=_NEVER)


def _named(bucket: Bucket, column: str, name: str) -> I64:
    """Times of events with a value in a coded column."""
    names = bucket.events.dictionary(column)
    if name not in names:
        return np.empty(0, np.int64)
    found: I64 = bucket.events.values("time")[bucket.events.values(column) == names.index(name)]
    return found


def _orders(bucket: Bucket) -> I64:
    found: I64 = bucket.table("orders").values("time")
    return found


def _values(bucket: Bucket) -> I64:
    orders = bucket.table("orders")
    known = np.array([bool(name) for name in orders.dictionary("currency")] + [False], np.bool_)
    has: Bools = known[orders.values("currency")]
    return _orders(bucket)[has]


def _items(bucket: Bucket) -> I64:
    found: I64 = bucket.events.values("time")[bucket.table("items").values("event")]
    return found


def _consents(bucket: Bucket, channel: str) -> I64:
    details = bucket.table("details")
    found: I64 = bucket.events.values("time")[details.values("event")[details.values(f"consent_{channel}") >= 0]]
    return found


def _seen(bucket: Bucket) -> I64:
    """First times of persons, or those of all events of nobody."""
    found: I64 = bucket.persons.values("first_time") if bucket.n_persons else bucket.events.values("time")
    return found


def _of_persons(times: Callable[[Bucket], I64]) -> Callable[[Bucket], I64]:
    return lambda bucket: times(bucket) if bucket.n_persons else np.empty(0, np.int64)


#: Times of the things of one bucket, int64 of shape (n,), in any order.
_TIMES: dict[str, Callable[[Bucket], I64]] = {
    "orders": _orders,
    "orders of persons": _of_persons(_orders),
    "values": _values,
    "items": _items,
    "persons": _of_persons(_seen),
    "events": _seen,
    "outbound": lambda bucket: _named(bucket, "direction", "outbound"),
    "sessions": lambda bucket: bucket.table("sessions").values("start"),
    **{f"consent_{channel}": partial(_consents, channel=channel) for channel in CONSENT_CHANNELS},
}


def _first_of_events(buckets: Iterable[Bucket]) -> dict[str, int]:
    return _first_of_each(map(_first_of_names, buckets))


def _first_of_names(bucket: Bucket) -> dict[str, int]:
    """When the first event of each name was."""
    names = bucket.events.dictionary("event")
    first = np.full(len(names), _NEVER, np.int64)
    np.minimum.at(first, bucket.events.values("event"), bucket.events.values("time"))
    return dict(zip(names, first.tolist(), strict=True))


def _first_of_each(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, time in part.items():
            total[name] = min(time, total.get(name, _NEVER))
    return total


_FIRST_OF_EVENTS = Fact("first times of events", _first_of_events, _first_of_each)
