"""Journeys, orders and stages: one pass over each person's events (definitions, sections 3 to 5).

The rules, in the order in which they are tried for an event, stand in docs/concepts/journeys-and-stages.md;
the numbers in brackets below are the numbers there. tests/naive/journeys.py says the same in plain Python.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.arrays import I8, I32, I64, U8
from percorso.kernels.compile import F64_OUT, I8_OUT, I32_OUT, I64_OUT, I64_OUT2, U8_OUT, kernel
from percorso.kernels.journey_orders import (
    STATUS_LIVE,
    change_order,
    find_order,
    latest_live,
    latest_open,
)
from percorso.kernels.journey_signals import (
    ADVOCATE,
    AWARE,
    CARE,
    CONSIDER,
    CONVERT,
    Q_ADVOCATE,
    Q_ADVOCATE_IF_GOOD,
    Q_CONVERT,
    Q_ORDER,
    is_about_an_order,
    resolve_signal,
)

__all__ = [
    "ADVOCATE",
    "AWARE",
    "BOTH",
    "CARE",
    "CONSIDER",
    "CONVERT",
    "FOLLOWING",
    "KIND_ORDER",
    "KIND_PURCHASE",
    "ORDERED",
    "JourneyInput",
    "JourneyRules",
    "cut_journeys",
]

# What else a journey can have reached. Stage models differ in what they make of it: one has a stage of its own
# for the order, another puts advocacy before care.
ORDERED = 6  # a purchase journey, from its order on
FOLLOWING = 7  # an order journey before any care or advocate signal
BOTH = 8  # an order journey with both

KIND_PURCHASE, KIND_ORDER = 0, 1


class JourneyRules(NamedTuple):
    """Durations in µs."""

    timeout: int
    outbound_lead: int
    after_order: int
    order_open: int


class JourneyInput(NamedTuple):
    """One bucket's events by person and total order, every array of shape (n_events,)."""

    offsets: npt.NDArray[np.int64]  # shape (n_persons + 1,)
    time: npt.NDArray[np.int64]  # µs UTC
    qualifies: npt.NDArray[np.int8]  # signal constants of percorso.journeys.signals
    inbound: npt.NDArray[np.uint8]
    goal: npt.NDArray[np.uint8]  # the event's name is a goal
    session: npt.NDArray[np.int32]  # -1 none
    session_start: npt.NDArray[np.uint8]
    engaged: npt.NDArray[np.uint8]  # stands in an engaged session
    order_ref: npt.NDArray[np.int64]  # hashes, 0 none
    cart_ref: npt.NDArray[np.int64]
    checkout_ref: npt.NDArray[np.int64]
    timeout: npt.NDArray[np.int64]  # of the event's category; 0: no category
    value: npt.NDArray[np.int64]  # minor units
    currency: npt.NDArray[np.int32]  # 0: no value
    score: npt.NDArray[np.float64]
    has_cart: npt.NDArray[np.uint8]
    copy: npt.NDArray[np.uint8]  # of an order: another record, of this person or another, counts for it


_EVENT = (I64_OUT, I64_OUT, I8_OUT, U8_OUT, U8_OUT, I32_OUT, U8_OUT, U8_OUT)
_DETAILS = (I64_OUT, I64_OUT, I64_OUT, I64_OUT, I64_OUT, I32_OUT, F64_OUT, U8_OUT, U8_OUT)
_INPUT = types.NamedTuple((*_EVENT, *_DETAILS), JourneyInput)
_RULES = types.NamedUniTuple(types.int64, 4, JourneyRules)
_OUTPUT = types.Tuple((I32_OUT, I32_OUT, I8_OUT, I8_OUT, U8_OUT, I64_OUT2, I64_OUT2))


@kernel(_OUTPUT(_INPUT, _RULES))
def cut_journeys(events: JourneyInput, rules: JourneyRules) -> tuple[I32, I32, I8, I8, U8, I64, I64]:
    """Put every event into its journey and give it signal and stage.

    Parameters
    ----------
    events : JourneyInput
    rules : JourneyRules

    Returns
    -------
    journey, order : int32, shape (n_events,)
        -1: none.
    signal : int8, shape (n_events,)
        Resolved signal, 0 for outbound events.
    reached : int8, shape (n_events,)
        What names the event's stage: the furthest of AWARE, CONSIDER, CONVERT and ORDERED in a purchase
        journey, FOLLOWING, CARE, ADVOCATE or BOTH in an order journey; 0: no journey.
    marks : uint8, shape (n_events,)
        1: the event counts as its order; 2: a copy of one that counts elsewhere; 4: closes a purchase journey.
    journeys : int64, shape (n_journeys, 13)
        person, kind, start, end, intent, timeout, goal_time, goal_event, last_inbound, n_events,
        first_event, order, reached.
    orders : int64, shape (n_orders, 10)
        person, event, journey, purchase journey, status, ended, delivered, refunded, advocated, returned.
        Times are -1 where it has not happened.
    """
    n = events.time.size
    n_persons = events.offsets.size - 1
    journey = np.full(n, -1, dtype=np.int32)
    order = np.full(n, -1, dtype=np.int32)
    signal = np.zeros(n, dtype=np.int8)
    reached = np.zeros(n, dtype=np.int8)
    marks = np.zeros(n, dtype=np.uint8)
    pending = np.zeros(n, dtype=np.uint8)

    n_order_events = 0
    n_inbound = 0
    for i in range(n):
        n_order_events += events.qualifies[i] == Q_ORDER and not events.copy[i]
        n_inbound += events.inbound[i] != 0
    size = 16
    while size < 2 * n_order_events + 2:
        size *= 2
    slot_order = np.full(size, -1, dtype=np.int64)  # the orders made so far, by person and reference
    slot_ref = np.zeros(size, dtype=np.int64)
    slot_person = np.zeros(size, dtype=np.int64)

    js = np.zeros((n_inbound + 2 * n_order_events, 13), dtype=np.int64)
    os_ = np.zeros((n_order_events, 10), dtype=np.int64)
    order_end = np.zeros(n_order_events, dtype=np.int64)
    n_journeys = 0
    n_orders = 0

    for p in range(n_persons):
        current = -1  # the open purchase journey
        current_category = np.int64(0)
        closed = -1  # the purchase journey that the last order closed
        closed_at = np.int64(0)
        closed_session = np.int32(-1)
        closed_order = closed_cart = closed_checkout = np.int64(0)
        first_order = n_orders
        n_live = 0
        latest_end = np.int64(-(2**62))
        n_sessions = 0
        for i in range(events.offsets[p], events.offsets[p + 1]):
            t = events.time[i]
            q = events.qualifies[i]
            ref = events.order_ref[i]
            n_sessions += events.session_start[i]

            is_order = q == Q_ORDER
            if is_order and events.copy[i]:
                # What counts stands elsewhere, maybe on another person's timeline: then this names no order here.
                is_order = False
                marks[i] |= 2
                q = Q_CONVERT

            named = -1  # the order of this person that it names
            if ref != 0 and n_orders > first_order:
                named = slot_order[find_order(ref, p, slot_order, slot_ref, slot_person)]
            running = -1
            liked = -1
            if n_orders > first_order and named < 0:
                if t <= latest_end:
                    running = latest_open(order_end, first_order, n_orders, t)
                if n_live > 0 and (q == Q_ADVOCATE or q == Q_ADVOCATE_IF_GOOD):
                    liked = latest_live(os_, order_end, first_order, n_orders, t)

            # Signal: what it qualifies for, in its surroundings.
            s = 0
            if events.inbound[i]:
                s = resolve_signal(
                    q,
                    events.engaged[i] != 0,
                    events.has_cart[i] != 0,
                    events.score[i],
                    n_live > 0,
                    named >= 0 or running >= 0,
                )
                if s == AWARE and events.session_start[i] and n_sessions > 1 and n_orders == first_order:
                    s = CONSIDER
            elif is_order:
                s = CONVERT
            signal[i] = s
            care = is_about_an_order(q)
            intent = s == CONSIDER or s == CONVERT or (events.engaged[i] and events.session[i] >= 0)

            if is_order:  # (1)
                if current >= 0 and t >= js[current, 4] + js[current, 5]:
                    current = -1
                if current < 0:
                    current = n_journeys
                    n_journeys += 1
                    js[current, 0], js[current, 1], js[current, 2] = p, KIND_PURCHASE, t
                    js[current, 4], js[current, 5] = t, rules.timeout
                    js[current, 6] = js[current, 7] = js[current, 8] = js[current, 11] = -1
                    js[current, 10] = i
                    current_category = np.int64(0)
                js[current, 3] = js[current, 4] = t
                js[current, 9] += 1
                js[current, 12] = ORDERED
                if events.inbound[i]:
                    js[current, 8] = i
                journey[i], order[i], reached[i] = current, n_orders, ORDERED
                marks[i] |= 1
                o, j = n_orders, n_journeys
                n_orders += 1
                n_journeys += 1
                js[j, 0], js[j, 1], js[j, 2], js[j, 3], js[j, 4] = p, KIND_ORDER, t, t, t
                js[j, 6] = js[j, 7] = js[j, 8] = js[j, 10] = -1
                js[j, 11], js[j, 12] = o, FOLLOWING
                os_[o, 0], os_[o, 1], os_[o, 2], os_[o, 3], os_[o, 4] = p, i, j, current, STATUS_LIVE
                os_[o, 5] = os_[o, 6] = os_[o, 9] = -1
                order_end[o] = t + rules.order_open
                latest_end = max(latest_end, order_end[o])
                n_live += 1
                if ref != 0:
                    at = find_order(ref, p, slot_order, slot_ref, slot_person)
                    slot_order[at], slot_ref[at], slot_person[at] = o, ref, p
                closed_at, closed_session = t, events.session[i]
                closed_order, closed_cart, closed_checkout = ref, events.cart_ref[i], events.checkout_ref[i]
                closed = current
                if events.goal[i]:
                    marks[i] |= 4
                    js[current, 6], js[current, 7], js[current, 11] = t, i, o
                    current = -1
                continue

            target = -1  # the order whose journey takes the event
            if named >= 0:
                fresh = t - events.time[os_[named, 1]] <= rules.after_order
                if (s == CONSIDER or s == CONVERT) and fresh:  # (2)
                    j = os_[named, 3]
                    journey[i], order[i], reached[i] = j, named, js[j, 12]
                    js[j, 3], js[j, 8] = max(js[j, 3], t), i
                    js[j, 9] += 1
                    continue
                target = named  # (3)
            elif ref == 0 and s == ADVOCATE:  # (4)
                target = liked
            elif ref == 0 and (s == CARE or (care and not events.inbound[i])):  # (4)
                target = running

            if target >= 0:
                o = target
                j = os_[o, 2]
                if care or s == CARE or s == ADVOCATE:
                    order_end[o] = max(order_end[o], t + rules.order_open)
                    latest_end = max(latest_end, order_end[o])
                if s == CARE or s == ADVOCATE:
                    js[j, 12] = s if js[j, 12] == FOLLOWING or js[j, 12] == s else BOTH
                if s == ADVOCATE:
                    os_[o, 8] = 1
                if named >= 0 and change_order(os_, o, q, t, i, events.value, events.currency):
                    n_live -= 1
                journey[i], order[i], reached[i] = j, o, js[j, 12]
                js[j, 3], js[j, 4] = max(js[j, 3], t), t
                js[j, 9] += 1
                if js[j, 10] < 0:
                    js[j, 10] = i
                if events.inbound[i]:
                    js[j, 8] = i
                continue

            if not events.inbound[i]:  # (5)
                if current >= 0 and t < js[current, 4] + js[current, 5]:
                    journey[i], reached[i] = current, js[current, 12]
                    js[current, 3] = t
                    js[current, 9] += 1
                else:
                    pending[i] = 1
                continue

            if closed >= 0 and t - closed_at <= rules.after_order and current < 0:  # (6)
                same = events.session[i] >= 0 and events.session[i] == closed_session
                same = same or (ref != 0 and ref == closed_order)
                same = same or (events.cart_ref[i] != 0 and events.cart_ref[i] == closed_cart)
                same = same or (events.checkout_ref[i] != 0 and events.checkout_ref[i] == closed_checkout)
                if same:
                    journey[i], reached[i] = closed, js[closed, 12]
                    js[closed, 3], js[closed, 8] = t, i
                    js[closed, 9] += 1
                    continue

            if current >= 0 and t >= js[current, 4] + js[current, 5]:  # (7)
                current = -1
            if current < 0:
                current = n_journeys
                n_journeys += 1
                js[current, 0], js[current, 1], js[current, 2] = p, KIND_PURCHASE, t
                js[current, 4], js[current, 5] = t, rules.timeout
                js[current, 6] = js[current, 7] = js[current, 11] = -1
                js[current, 10] = i
                js[current, 12] = AWARE
                current_category = np.int64(0)
            far = min(s, CONVERT) if s <= CONVERT else AWARE
            js[current, 12] = max(js[current, 12], far)
            js[current, 3], js[current, 8] = t, i
            js[current, 9] += 1
            if (s == CONSIDER or s == CONVERT) and events.timeout[i] > 0:
                current_category = max(current_category, events.timeout[i])
                js[current, 5] = current_category
            if intent:
                js[current, 4] = t
            journey[i], reached[i] = current, js[current, 12]
            if events.goal[i] and not marks[i] & 2:  # a copy of an order closes nothing
                marks[i] |= 4
                js[current, 6], js[current, 7] = t, i
                closed, closed_at, closed_session = current, t, events.session[i]
                closed_order, closed_cart, closed_checkout = ref, events.cart_ref[i], events.checkout_ref[i]
                current = -1

        # Outbound contacts outside a journey belong to the next one if it opens soon. (5)
        coming = -1
        for i in range(events.offsets[p + 1] - 1, events.offsets[p] - 1, -1):
            j = journey[i]
            if j >= 0 and js[j, 1] == KIND_PURCHASE and js[j, 10] == i:
                coming = j
            if pending[i] and coming >= 0 and js[coming, 2] - events.time[i] <= rules.outbound_lead:
                journey[i], reached[i] = coming, AWARE
                js[coming, 9] += 1
    return journey, order, signal, reached, marks, js[:n_journeys].copy(), os_[:n_orders].copy()
