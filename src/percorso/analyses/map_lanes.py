"""The counted lanes of a journey map: what stands in each stage, of how many persons.

One task a bucket makes all of them, so that the columns are read while they are warm. Defined in
docs/reference/map.md.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.cells import CellPlan, Cells, contact_cells, event_cells, event_counts, plan_cells, sum_cells
from percorso.analyses.contacts import Contacts, contacts_of, inbound_values
from percorso.analyses.feedback import Feedback, FeedbackPlan, feedback_of, plan_feedback
from percorso.analyses.intervals import wilson
from percorso.analyses.jackknife import N_GROUPS, person_groups
from percorso.analyses.kpi_conversion import ONLINE
from percorso.analyses.orders_in import orders_in
from percorso.analyses.select import NO_MASK, ScopePlan, select_events
from percorso.engines.buckets import sum_buckets
from percorso.kernels.arrays import I64, U8, U64
from percorso.kernels.cells import count_stage_contacts, find_stages
from percorso.settings.stages import ORDER_SIGNAL
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = [
    "LANES",
    "SIGNALS",
    "Lane",
    "LaneCounts",
    "LanePlan",
    "count_lanes",
    "lane_rows",
    "plan_lanes",
    "signal_rows",
]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane that is counted.

    Parameters
    ----------
    column : str
        Column of events whose values are the items of the lane.
    counts : {"events", "contacts"}
        What an item is counted by, beside persons.
    direction : {"inbound", "outbound", ""}
        Only what the customer did, or what the shop did; "": both, counted without persons.
    """

    column: str
    counts: str
    direction: str


#: The lanes, by name, in the order of the map.
LANES: Mapping[str, Lane] = MappingProxyType(
    {
        "touchpoints": Lane("touchpoint", "events", "inbound"),
        "messages": Lane("touchpoint", "contacts", "outbound"),
        "places": Lane("place", "contacts", "inbound"),
        "channels": Lane("channel", "contacts", "inbound"),
        "pages": Lane("page", "events", "inbound"),
        "categories": Lane("category", "events", "inbound"),
        "campaigns": Lane("campaign", "contacts", "inbound"),
        "actions": Lane("event", "events", "inbound"),
        "events": Lane("event", "events", ""),
    }
)

#: What is not told apart in a lane.
OTHER = "(other)"

#: Orders on site and app, as the KPIs count them: each a payment that went well. A till or a call center has no such
#: attempts that anybody records.
ONLINE_ORDERS = "(orders on site and app)"

#: Technical signals: events that are the trouble, and those with which they make up all attempts; none: visits.
SIGNALS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "payment_failed": (("Payment Failed",), ("Payment Failed", ONLINE_ORDERS)),
        "sign_in_failed": (("Sign In Failed",), ("Signed In", "Sign In Failed")),
        "error_shown": (("Error Shown", "Application Crashed"), ()),
        "coupon_denied": (("Coupon Denied",), ("Coupon Applied", "Coupon Denied")),
        "delivery_failed": (("Delivery Failed",), ("Order Delivered", "Delivery Failed")),
        "not_collected": (("Order Not Collected",), ("Order Collected", "Order Not Collected")),
    }
)


@dataclass(frozen=True, slots=True)
class LanePlan:
    """Stages and values of all lanes for one log."""

    scope: ScopePlan
    basis: Basis
    cells: Mapping[str, CellPlan]
    feedback: FeedbackPlan

    @property
    def stages(self) -> tuple[str, ...]:
        return self.feedback.stages

    @property
    def told(self) -> tuple[str, ...]:
        """Signals of whose trouble the log has any: of the others nothing is known, not even that there is none."""
        names = set(self.cells["events"].values.values)
        return tuple(signal for signal, (trouble, _) in SIGNALS.items() if not names.isdisjoint(trouble))


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """What buckets add up to.

    Parameters
    ----------
    cells : mapping of str to Cells
        By lane.
    feedback : Feedback
    contacts, persons : int64 array, shape (n_stages, 256)
        Inbound contacts, and persons, of each stage and group of persons.
    online_orders : int64 array, shape (n_stages,)
        Orders on site and app, by the stage in which one pays.
    """

    cells: Mapping[str, Cells]
    feedback: Feedback
    contacts: I64
    persons: I64
    online_orders: I64


def plan_lanes(scope: ScopePlan, log: JourneyLog, basis: Basis) -> LanePlan:
    """Resolve the lanes for one log."""
    stages = tuple(stage.key for stage in basis.stages.stages)
    plans = {column: plan_cells(log, column, stages) for column in {lane.column for lane in LANES.values()}}
    cells = {name: plans[lane.column] for name, lane in LANES.items()}
    return LanePlan(scope, basis, cells, plan_feedback(log, basis.stages))


def count_lanes(plan: LanePlan, log: JourneyLog, *, threads: int | None = None) -> LaneCounts:
    """Count all lanes over all buckets."""
    return sum_buckets(log, lambda bucket: _count(plan, bucket), lambda parts: _together(plan, parts), threads=threads)


def _together(plan: LanePlan, every: Iterable[LaneCounts]) -> LaneCounts:
    parts = list(every)
    cells = {name: sum_cells(plan.cells[name], [part.cells[name] for part in parts]) for name in LANES}
    feedback = functools.reduce(Feedback.merge, (part.feedback for part in parts))
    rest = (sum(getattr(part, name) for part in parts) for name in ("contacts", "persons", "online_orders"))
    return LaneCounts(cells, feedback, *rest)


def _count(plan: LanePlan, bucket: Bucket) -> LaneCounts:
    mask = select_events(plan.scope, bucket).dense()
    keep = NO_MASK if mask is None else mask
    inbound = inbound_values(bucket)[bucket.events.values("direction")]
    of_direction = {"inbound": _both(keep, inbound.view(np.uint8)), "": keep}
    contacts = contacts_of(plan.scope, bucket)
    stages, of_contacts, persons = _by_group(plan, bucket, keep, contacts)
    cells = {
        name: _cells(plan.cells[name], lane, bucket, of_direction, (contacts, stages)) for name, lane in LANES.items()
    }
    feedback = feedback_of(plan.feedback, bucket, keep)
    return LaneCounts(cells, feedback, of_contacts, persons, _online_orders(plan, bucket))


def _online_orders(plan: LanePlan, bucket: Bucket) -> I64:
    """Orders on site and app by the stage in which one pays, int64 of shape (n_stages,).

    A model may tell orders from what leads to them; payments that failed stand before the order, and so do those that
    went well.
    """
    orders, found = bucket.table("orders"), orders_in(plan.scope, bucket, plan.basis)
    counts = np.zeros(len(plan.stages), np.int64)
    if not len(found):
        return counts
    online = np.array([name in ONLINE for name in orders.dictionary("place")], np.bool_)
    event = found.event[online[orders.values("place")[found.row]]]
    names = bucket.events.dictionary("stage")
    of_name = np.bincount(bucket.events.values("stage")[event], minlength=len(names))
    for name, n in zip(names, of_name.tolist(), strict=True):
        if name in plan.stages:
            counts[plan.stages.index(name)] += n
    ordered, paid = (plan.basis.stages.stage_of(signal) for signal in (ORDER_SIGNAL, "convert"))
    if ordered != paid:
        counts[paid] += counts[ordered]
        counts[ordered] = 0
    return counts


def _by_group(plan: LanePlan, bucket: Bucket, keep: U8, contacts: Contacts) -> tuple[U64, I64, I64]:
    """The stages of each contact, one bit each; inbound contacts, and persons, of each stage and group of persons."""
    events, names = bucket.events, bucket.events.dictionary("stage")
    contact, group = events.values("contact"), np.ascontiguousarray(person_groups(bucket))
    found = [np.zeros((len(names), N_GROUPS), np.int64) for _ in range(2)]
    seen = np.zeros(int(contact.max(initial=-1)) + 1, np.uint64)
    find_stages(bucket.offsets(), keep, events.values("stage"), contact, group, seen, found[1])
    stages = seen[contacts.number]
    count_stage_contacts(stages, contacts.person, contacts.inbound, group, found[0])
    total = [np.zeros((len(plan.stages), N_GROUPS), np.int64) for _ in range(2)]
    for local, name in enumerate(names):
        if name in plan.stages:
            for mine, target in zip(found, total, strict=True):
                target[plan.stages.index(name)] = mine[local]
    return stages, total[0], total[1]


def _both(keep: U8, other: U8) -> U8:
    return other if not keep.size else keep & other


def _cells(
    plan: CellPlan, lane: Lane, bucket: Bucket, keeps: Mapping[str, U8], contacts: tuple[Contacts, U64]
) -> Cells:
    if lane.counts == "contacts":
        inbound = contacts[0].inbound
        return contact_cells(plan, bucket, *contacts, inbound if lane.direction == "inbound" else ~inbound)
    if not lane.direction:
        return event_counts(plan, bucket, keeps[""])
    return event_cells(plan, bucket, keeps[lane.direction])


def lane_rows(
    plan: LanePlan, found: LaneCounts, persons: Sequence[int], *, top: int, lanes: Sequence[str]
) -> list[dict[str, Any]]:
    """The cells as rows: for each stage and lane the `top` items by persons, the rest in "(other)".

    Parameters
    ----------
    persons : sequence of int, shape (n_stages,)
        Persons in each stage: shares are of them.
    """
    rows: list[dict[str, Any]] = []
    for name in lanes:
        cells, values = found.cells[name], plan.cells[name].values.values
        for stage, key in enumerate(plan.stages):
            order = np.lexsort((np.arange(len(values)), -cells.number[stage], -cells.persons[stage]))
            order = order[cells.number[stage][order] > 0]
            for rank, item in enumerate(order[:top].tolist()):
                n = int(cells.persons[stage, item])
                low, high = wilson(n, persons[stage]) or (None, None)
                share = n / persons[stage] if persons[stage] else None
                number = int(cells.number[stage, item])
                rows.append(_row(key, name, rank + 1, values[item], number, n, share, low, high))
            rest = order[top:]
            if len(rest):
                number = int(cells.number[stage, rest].sum())
                rows.append(_row(key, name, top + 1, OTHER, number, None, None, None, None, len(rest)))
    return rows


def _row(
    stage: str,
    lane: str,
    rank: int,
    item: str,
    number: int,
    persons: int | None,
    share: float | None,
    low: float | None,
    high: float | None,
    items: int = 1,
) -> dict[str, Any]:
    return {
        "stage": stage,
        "lane": lane,
        "rank": rank,
        "item": item,
        "items": items,
        "number": number,
        "persons": persons,
        "share": share,
        "low": low,
        "high": high,
    }


def signal_rows(plan: LanePlan, found: LaneCounts, sessions: Sequence[int]) -> list[dict[str, Any]]:
    """Technical signals of each stage that occur: trouble, attempts, share with its interval.

    Of a signal of which the log has no trouble at all, only the attempts: that nobody tells of it says nothing.

    Parameters
    ----------
    sessions : sequence of int, shape (n_stages,)
        Visits to site and app in each stage: what errors are counted against.
    """
    cells, names = found.cells["events"], plan.cells["events"].values.values
    rows: list[dict[str, Any]] = []
    for stage, key in enumerate(plan.stages):
        counts = dict(zip(names, cells.number[stage].tolist(), strict=True))
        counts[ONLINE_ORDERS] = int(found.online_orders[stage])
        for signal, (trouble, attempts) in SIGNALS.items():
            hits = sum(counts.get(name, 0) for name in trouble)
            of = sum(counts.get(name, 0) for name in attempts) if attempts else sessions[stage]
            if not of or not (hits or attempts):
                continue
            row = {"stage": key, "signal": signal, "n": of}
            if signal in plan.told:
                low, high = wilson(min(hits, of), of) or (None, None)
                row |= {"hits": hits, "share": hits / of, "low": low, "high": high}
            rows.append(row)
    return rows
