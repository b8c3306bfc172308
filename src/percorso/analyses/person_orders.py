"""Live orders of persons as of a time, and what remains of their worth.

An order that is cancelled, or wholly refunded, is not live from that moment (definitions, section 4); what was given
back of it later than the as-of time has not been given back. The same for one person at a time, and as the outside
oracle of this module: :mod:`percorso.analyses.customer`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.worth import worth_of
from percorso.journeys.event_rules import EVENT_RULES
from percorso.journeys.signals import REFUND
from percorso.kernels.arrays import I32, I64, Bools
from percorso.store.journey_log import Bucket

__all__ = ["LiveOrders", "live_orders"]

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

    def net_minor(self, bucket: Bucket, basis: Basis, as_of_us: int) -> I64:
        """What each is worth after refunds up to the as-of time, minor units of the workspace's currency; (n,).

        0 where it is not known.
        """
        orders = bucket.table("orders")
        currency, codes = orders.dictionary("currency"), orders.values("currency")[self.row]
        gross = worth_of(orders.values("value")[self.row], currency, codes, self.time_us, basis)
        refunded = _refunded(bucket, as_of_us)[self.row]
        back = worth_of(refunded, currency, codes, self.time_us, basis)
        net: I64 = np.maximum(gross.minor - back.minor, 0)
        return net


def live_orders(bucket: Bucket, out_flags: int, as_of_us: int) -> LiveOrders:
    """The orders of the bucket's persons that are in by their flags, made by the as-of time and live at it."""
    orders = bucket.table("orders")
    event, time, ended = orders.values("event"), orders.values("time"), orders.values("ended")
    gone = np.array([name in _NOT_LIVE for name in orders.dictionary("status")], np.bool_)
    over = (ended != -1) & (ended <= as_of_us)
    if len(event):
        over &= gone[orders.values("status")]
    wanted = (orders.values("person") >= 0) & (time <= as_of_us) & ~over
    if out_flags:
        wanted &= (bucket.events.values("flags")[event] & np.uint16(out_flags)) == 0
    row = np.flatnonzero(wanted)
    return LiveOrders(row, event[row], orders.values("person")[row], time[row])


def _refunded(bucket: Bucket, as_of_us: int) -> I64:
    """What was given back of each order by the as-of time, in minor units of its own currency; (n_orders,)."""
    orders, events = bucket.table("orders"), bucket.events
    in_all: I64 = orders.values("refunded")
    back = np.zeros(len(in_all), np.int64)
    is_refund = np.array([name in _REFUNDS for name in events.dictionary("event")], np.bool_)
    if not in_all.any() or not is_refund.any():
        return back
    row = np.flatnonzero(is_refund[events.values("event")])
    row = row[(events.values("order")[row] >= 0) & (events.values("time")[row] <= as_of_us)]
    order = events.values("order")[row]
    of_order = np.array(orders.dictionary("currency"), np.object_)[orders.values("currency")[order]]
    of_event = np.array(events.dictionary("currency"), np.object_)[events.values("currency")[row]]
    same = of_order == of_event
    np.add.at(back, order[same], np.abs(events.values("value")[row[same]]))
    return np.minimum(back, in_all)  # the build knows how much of it counted
