"""Live orders of persons as of a time, and what remains of their worth.

An order that is cancelled, or wholly refunded, is not live from that moment (definitions, section 4); what was given
back of it later than the as-of time has not been given back. The same for one person at a time, and as the outside
oracle of this module: :mod:`percorso.analyses.customer`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.worth import Worth, worth_of
from percorso.journeys.event_rules import EVENT_RULES
from percorso.journeys.signals import REFUND
from percorso.kernels.arrays import I32, I64, Bools
from percorso.store.journey_log import Bucket

__all__ = ["LiveOrders", "Refunds", "live_orders", "refunds_of"]

_NOT_LIVE = ("cancelled", "refunded")
_REFUNDS = frozenset(name for name, rule in EVENT_RULES.items() if rule.signal == REFUND)


@dataclass(frozen=True, slots=True)
class LiveOrders:
    """The live orders of a bucket's persons.

    Parameters
    ----------
    row : int64 array, shape (n,)
        Rows of the table `orders`, ascending: by person, then time.
    event, person : int32 arrays, shape (n,)
    time_us : int64 array, shape (n,)
    """

    row: I64
    event: I32
    person: I32
    time_us: I64

    def only(self, wanted: Bools) -> LiveOrders:
        """Some of them, by a bool of shape (n,)."""
        return LiveOrders(self.row[wanted], self.event[wanted], self.person[wanted], self.time_us[wanted])

    def net_worth(self, bucket: Bucket, basis: Basis, refunds: Refunds) -> Worth:
        """What each is worth after refunds, minor units of the workspace's currency.

        Each refund is converted by itself, at the rate of its order (definitions, section 8).
        """
        orders = bucket.table("orders")
        names, codes, value = orders.dictionary("currency"), orders.values("currency"), orders.values("value")
        gross = worth_of(value[self.row], names, codes[self.row], self.time_us, basis)
        by_order = refunds.taken > 0
        if not by_order.any():
            return gross
        order = refunds.order[by_order]
        worth = worth_of(refunds.taken[by_order], names, codes[order], orders.values("time")[order], basis)
        back = np.zeros(len(codes), np.int64)
        np.add.at(back, order, worth.minor)
        return Worth(np.maximum(gross.minor - back[self.row], 0), gross.known, gross.missing)

    def net_minor(self, bucket: Bucket, basis: Basis, as_of_us: int) -> I64:
        """The same up to a time as int64 of shape (n,), 0 where it is not known."""
        return self.net_worth(bucket, basis, refunds_of(bucket, as_of_us)).minor


def live_orders(bucket: Bucket, out_flags: int, as_of_us: int) -> LiveOrders:
    """The orders of the bucket's persons that are in by their flags, made by the as-of time and live at it."""
    orders = bucket.table("orders")
    event, time = orders.values("event"), orders.values("time")
    wanted = (orders.values("person") >= 0) & (time <= as_of_us) & ~_is_over(bucket, as_of_us)
    if out_flags:
        wanted &= (bucket.events.values("flags")[event] & np.uint16(out_flags)) == 0
    row = np.flatnonzero(wanted)
    return LiveOrders(row, event[row], orders.values("person")[row], time[row])


@dataclass(frozen=True, slots=True)
class Refunds:
    """Events of a bucket that give money back, up to a time, and which order takes how much of each.

    Parameters
    ----------
    row : int64 array, shape (n,)
        Of the events, ascending.
    order : int32 array, shape (n,)
        Row of the table `orders`; -1: none is known.
    taken, loose : int64 array, shape (n,)
        Minor units of the refund's currency: what lowers the order, and what belongs to no order that is known.
    """

    row: I64
    order: I32
    taken: I64
    loose: I64

    def loose_worth(self, bucket: Bucket, basis: Basis) -> tuple[I64, Worth]:
        """Rows of the refunds of no known order, and what they give back at the rate of their own day."""
        events, kept = bucket.events, (self.loose > 0) | (self.order < 0)
        row = self.row[kept]
        code, time = events.values("currency")[row], events.values("time")[row]
        return row, worth_of(self.loose[kept], events.dictionary("currency"), code, time, basis)


def refunds_of(bucket: Bucket, as_of_us: int) -> Refunds:
    """The refunds of a bucket up to the as-of time.

    A refund that names no order stands on the timeline of the latest one, but the build lets it lower none. How much of
    its refunds an order took is known in sum: refunds take their part of that in the order of their times. What
    remains is loose, unless the order is worth nothing any more.
    """
    orders, events = bucket.table("orders"), bucket.events
    row = _refund_rows(bucket)
    row = row[events.values("time")[row] <= as_of_us]
    order, amount = events.values("order")[row], np.abs(events.values("value")[row])
    taken, loose = np.zeros(len(row), np.int64), amount.copy()
    named = np.flatnonzero(order >= 0)
    if not len(named):
        return Refunds(row, order, taken, loose)
    loose[named[_is_over(bucket, as_of_us)[order[named]]]] = 0
    of_order = np.array(orders.dictionary("currency"), np.object_)[orders.values("currency")[order[named]]]
    of_event = np.array(events.dictionary("currency"), np.object_)[events.values("currency")[row[named]]]
    same = named[of_order == of_event]  # in another currency it could not be told from the order's worth
    same = same[np.argsort(order[same], kind="stable")]
    running = np.cumsum(amount[same]) - amount[same]
    first = np.flatnonzero(np.diff(order[same], prepend=np.int32(-1)) != 0)
    before = running - np.repeat(running[first], np.diff(np.append(first, len(same))))
    counted: I64 = orders.values("refunded")[order[same]]
    taken[same] = np.clip(counted - before, 0, amount[same])
    return Refunds(row, order, taken, np.maximum(loose - taken, 0))


def _refund_rows(bucket: Bucket) -> I64:
    """Rows of the events that give money back, ascending."""
    events = bucket.events
    is_refund = np.array([name in _REFUNDS for name in events.dictionary("event")], np.bool_)
    if not is_refund.any():
        return np.empty(0, np.int64)
    found: I64 = np.flatnonzero(is_refund[events.values("event")])
    return found


def _is_over(bucket: Bucket, as_of_us: int) -> Bools:
    """Which orders were cancelled or wholly refunded by the as-of time, bool of shape (n_orders,)."""
    orders = bucket.table("orders")
    ended = orders.values("ended")
    over = (ended != -1) & (ended <= as_of_us)
    if len(ended):
        gone = np.array([name in _NOT_LIVE for name in orders.dictionary("status")], np.bool_)
        over &= gone[orders.values("status")]
    found: Bools = over
    return found
