"""The orders that a question sees, and their worth: the one place from which all analyses count them.

An order is in if the event that counts as its order is in: by period, as-of time, flags, condition and persons. So
orders and value of any two analyses with one scope are equal. Receipts of nobody are orders too; they are counted
apart, and out as soon as a question is about persons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.select import ScopePlan, select_events
from percorso.analyses.worth import Missing, Worth, amount, missing_rate_warnings, worth_of
from percorso.engines.buckets import fold_apart, fold_buckets
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.language.said import said
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["OrderTotals", "OrdersIn", "count_orders", "order_fields", "orders_in", "total_orders"]

#: Which events of a bucket a question takes orders from, beside its scope: bool of shape (n_events,).
Inside: TypeAlias = Callable[[Bucket], Bools]


@dataclass(frozen=True, slots=True)
class OrdersIn:
    """Orders of one bucket that are in.

    Parameters
    ----------
    row : int64 array, shape (n_orders,)
        Rows of the table `orders`, ascending.
    event : int32 array, shape (n_orders,)
        The event that counts as the order.
    person : int32 array, shape (n_orders,)
        -1 in the bucket of the unidentified.
    time_us : int64 array, shape (n_orders,)
    worth : Worth
        In the workspace's currency, before refunds.
    """

    row: I64
    event: I32
    person: I32
    time_us: I64
    worth: Worth

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True)
class OrderTotals:
    """Orders and their value in minor units of the workspace's currency; `valueless` have none that is known."""

    orders: int = 0
    value: int = 0
    valueless: int = 0
    missing: tuple[Missing, ...] = ()

    def merge(self, other: OrderTotals) -> OrderTotals:
        return OrderTotals(
            self.orders + other.orders,
            self.value + other.value,
            self.valueless + other.valueless,
            self.missing + other.missing,
        )


def orders_in(plan: ScopePlan, bucket: Bucket, basis: Basis) -> OrdersIn:
    """The orders of a bucket that are in; of the unidentified bucket, the receipts of nobody."""
    orders = bucket.table("orders")
    event = orders.values("event")
    rows = np.flatnonzero(_is_in(plan, bucket, event))
    time = orders.values("time")[rows]
    worth = worth_of(
        orders.values("value")[rows], orders.dictionary("currency"), orders.values("currency")[rows], time, basis
    )
    return OrdersIn(rows, event[rows], orders.values("person")[rows], time, worth)


def _is_in(plan: ScopePlan, bucket: Bucket, event: I32) -> Bools:
    selection = select_events(plan, bucket)
    inside = np.ones(len(event), np.bool_)
    if selection.limits_time:
        time = bucket.events.values("time")[event]
        inside &= (time >= selection.start_us) & (time < selection.end_us)
    if selection.out_flags:
        inside &= (bucket.events.values("flags")[event] & selection.out_flags) == 0
    if selection.mask is not None:
        mask: U8 = selection.mask
        inside &= mask[event] != 0
    return inside


def count_orders(plan: ScopePlan, bucket: Bucket, basis: Basis, inside: Inside | None = None) -> OrderTotals:
    """Orders and value of one bucket; with `inside` only orders on those events."""
    found = orders_in(plan, bucket, basis)
    wanted = np.ones(len(found), np.bool_) if inside is None else inside(bucket)[found.event]
    known = int((found.worth.known & wanted).sum())
    n = int(wanted.sum())
    return OrderTotals(n, int(found.worth.minor[wanted].sum()), n - known, found.worth.missing)


def total_orders(
    plan: ScopePlan, log: JourneyLog, basis: Basis, *, inside: Inside | None = None, threads: int | None = None
) -> tuple[OrderTotals, OrderTotals]:
    """Orders and value of persons, and of nobody; the second is empty where the question is about persons."""

    def count(bucket: Bucket) -> OrderTotals:
        return count_orders(plan, bucket, basis, inside)

    if plan.is_of_persons or inside:
        return fold_buckets(log, count, OrderTotals.merge, OrderTotals(), threads=threads), OrderTotals()
    return fold_apart(log, count, OrderTotals.merge, OrderTotals(), count, threads=threads)


def order_fields(of_persons: OrderTotals, of_nobody: OrderTotals, basis: Basis) -> tuple[dict[str, Any], list[str]]:
    """The totals that every answer shows, by their names in it, and what is to be said of them.

    Returns
    -------
    fields : dict
        ``currency``; ``orders`` and ``value`` of persons; ``unidentified_orders`` and ``unidentified_value``.
    warnings : list of str
    """
    fields = {
        "currency": basis.currency,
        "orders": of_persons.orders,
        "value": amount(of_persons.value, basis.currency),
        "unidentified_orders": of_nobody.orders,
        "unidentified_value": amount(of_nobody.value, basis.currency),
    }
    both = of_persons.merge(of_nobody)
    warnings: list[str] = list(missing_rate_warnings(both.missing, basis))
    lacking = both.valueless - sum(one.orders for one in both.missing)
    if lacking:
        warnings.append(said("warnings.valueless", n=lacking))
    return fields, warnings
