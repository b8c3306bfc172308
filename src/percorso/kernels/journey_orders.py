"""The orders of a person while journeys are cut: how they are found, and what changes them.

Orders are rows of `orders` as `percorso.kernels.journeys.cut_journeys` returns them; those of a person stand
together, in the order in which they were made.
"""

from __future__ import annotations

from percorso.kernels.arrays import I32, I64
from percorso.kernels.compile import kernel
from percorso.kernels.journey_signals import Q_CANCEL, Q_DELIVERED, Q_REFUND, Q_RETURN

__all__ = [
    "STATUS_CANCELLED",
    "STATUS_LIVE",
    "STATUS_PART_REFUNDED",
    "STATUS_REFUNDED",
    "STATUS_RETURNED",
    "change_order",
    "find_order",
    "latest_live",
    "latest_open",
]

STATUS_LIVE, STATUS_CANCELLED, STATUS_REFUNDED, STATUS_RETURNED, STATUS_PART_REFUNDED = 0, 1, 2, 3, 4


@kernel()
def find_order(ref: int, person: int, slot_order: I64, slot_ref: I64, slot_person: I64) -> int:
    """Slot of (person, ref) in the open-addressing table, or the empty slot (order -1) where it belongs."""
    mask = slot_order.size - 1
    at = ((ref ^ (person * 0x9E3779B97F4A7C)) * 0x2545F4914F6CDD) & mask
    while slot_order[at] >= 0 and (slot_ref[at] != ref or slot_person[at] != person):
        at = (at + 1) & mask
    return at


@kernel()
def _is_live(status: int) -> bool:
    return bool(status != STATUS_CANCELLED and status != STATUS_REFUNDED)


@kernel()
def latest_open(order_end: I64, first: int, n: int, time: int) -> int:
    """The latest of the orders `first` to `n` whose journey still runs at `time`, or -1."""
    for o in range(n - 1, first - 1, -1):
        if order_end[o] >= time:
            return o
    return -1


@kernel()
def latest_live(orders: I64, order_end: I64, first: int, n: int, time: int) -> int:
    """The latest live one whose journey still runs at `time`, else the latest live one, or -1."""
    latest = -1
    for o in range(n - 1, first - 1, -1):
        if _is_live(orders[o, 4]):
            if order_end[o] >= time:
                return o
            if latest < 0:
                latest = o
    return latest


@kernel()
def change_order(orders: I64, o: int, q: int, time: int, i: int, value: I64, currency: I32) -> bool:
    """Let the event `i`, which names the order `o`, change its state; True where that ends its being live."""
    was_live = _is_live(orders[o, 4])
    if q == Q_DELIVERED and orders[o, 6] < 0:
        orders[o, 6] = time
    elif q == Q_CANCEL and was_live and orders[o, 6] < 0:
        orders[o, 4], orders[o, 5] = STATUS_CANCELLED, time
    elif q == Q_RETURN:
        if orders[o, 9] < 0:
            orders[o, 9] = time
        if was_live:
            orders[o, 4] = STATUS_RETURNED
    elif q == Q_REFUND and was_live:
        event = orders[o, 1]
        whole = currency[i] == 0
        if not whole and currency[i] == currency[event]:
            orders[o, 7] += abs(value[i])
            whole = orders[o, 7] >= value[event]
        if whole:
            orders[o, 4], orders[o, 5] = STATUS_REFUNDED, time
        elif orders[o, 4] == STATUS_LIVE:
            orders[o, 4] = STATUS_PART_REFUNDED
    return was_live and not _is_live(orders[o, 4])
