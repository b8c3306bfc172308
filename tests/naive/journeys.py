"""Plain twin of percorso.kernels.journeys: one person at a time, lists and objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

AWARE, CONSIDER, CONVERT, CARE, ADVOCATE = 1, 2, 3, 4, 5
ORDERED, FOLLOWING, BOTH = 6, 7, 8
ORDER, CANCEL, REFUND, RETURN, DELIVERED = 6, 11, 12, 13, 14
CARE_LIKE = (7, 10, 11, 12, 13, 14)


@dataclass
class Event:
    time: int
    qualifies: int
    inbound: bool = True
    goal: bool = False
    session: int = -1
    session_start: bool = False
    engaged: bool = False
    order_ref: int = 0
    cart_ref: int = 0
    checkout_ref: int = 0
    timeout: int = 0
    value: int = 0
    currency: int = 0
    score: float = float("nan")
    has_cart: bool = False
    copy: bool = False  # of an order that counts elsewhere


@dataclass
class Rules:
    timeout: int
    outbound_lead: int
    after_order: int
    order_open: int


@dataclass
class Journey:
    kind: str
    start: int
    end: int
    intent: int
    timeout: int
    first: int | None
    reached: int
    events: list[int] = field(default_factory=list)
    goal: int | None = None
    order: Order | None = None
    last_inbound: int | None = None
    categories: list[int] = field(default_factory=list)

    @property
    def closing(self) -> int:
        return self.intent + self.timeout


@dataclass
class Order:
    event: int
    journey: Journey
    purchase: Journey
    open_until: int
    status: str = "live"
    ended: int | None = None
    delivered: int | None = None
    returned: int | None = None
    refunded: int = 0
    cared: bool = False
    advocated: bool = False

    @property
    def live(self) -> bool:
        return self.status not in ("cancelled", "refunded")


@dataclass
class Told:
    """What was found out about one person."""

    journeys: list[Journey]
    orders: list[Order]
    journey_of: list[Journey | None]
    order_of: list[Order | None]
    signal: list[int]
    reached: list[int]
    is_order: list[bool]
    is_copy: list[bool]
    closes: list[bool]


def cut_journeys(events: list[Event], rules: Rules) -> Told:
    n = len(events)
    told = Told([], [], [None] * n, [None] * n, [0] * n, [0] * n, [False] * n, [False] * n, [False] * n)
    by_ref: dict[int, Order] = {}
    current: Journey | None = None
    last: dict[str, Any] | None = None
    waiting: list[int] = []
    openings: dict[int, Journey] = {}
    n_sessions = 0

    def add(i: int, journey: Journey, order: Order | None = None) -> None:
        told.journey_of[i], told.order_of[i], told.reached[i] = journey, order, journey.reached
        journey.events.append(i)
        journey.end = max(journey.end, events[i].time)
        if events[i].inbound:
            journey.last_inbound = i

    def open_purchase(i: int) -> Journey:
        t = events[i].time
        journey = Journey("purchase", t, t, t, rules.timeout, i, AWARE)
        told.journeys.append(journey)
        openings[i] = journey
        return journey

    for i, e in enumerate(events):
        n_sessions += e.session_start
        is_order = e.qualifies == ORDER and not e.copy
        is_copy = e.qualifies == ORDER and e.copy
        q = 4 if is_copy else e.qualifies
        told.is_order[i], told.is_copy[i] = is_order, is_copy
        named = by_ref.get(e.order_ref) if e.order_ref else None
        open_orders = [o for o in told.orders if o.open_until >= e.time]
        live_orders = [o for o in told.orders if o.live]
        s = _signal(e, q, named, open_orders, live_orders)
        if not e.inbound:
            s = CONVERT if is_order else 0
        elif s == AWARE and e.session_start and n_sessions > 1 and not told.orders:
            s = CONSIDER
        told.signal[i] = s
        care_like = q in CARE_LIKE

        if is_order:
            if current is not None and e.time >= current.closing:
                current = None
            if current is None:
                current = open_purchase(i)
            current.reached = ORDERED
            current.intent = e.time
            add(i, current)
            order_journey = Journey("order", e.time, e.time, e.time, 0, None, FOLLOWING)
            order = Order(i, order_journey, current, e.time + rules.order_open)
            order_journey.order = order
            told.journeys.append(order_journey)
            told.orders.append(order)
            told.order_of[i] = order
            if e.order_ref:
                by_ref[e.order_ref] = order
            last = {"event": e, "journey": current}
            if e.goal:
                told.closes[i] = True
                current.goal, current.order = i, order
                current = None
            continue

        if named is not None and s in (CONSIDER, CONVERT) and e.time - events[named.event].time <= rules.after_order:
            add(i, named.purchase, named)
            continue

        target = named
        if target is None and not e.order_ref:
            if s == ADVOCATE:
                open_live = [o for o in live_orders if o.open_until >= e.time]
                target = (open_live or live_orders)[-1]
            elif (s == CARE or (care_like and not e.inbound)) and open_orders:
                target = open_orders[-1]
        if target is not None:
            if care_like or s in (CARE, ADVOCATE):
                target.open_until = max(target.open_until, e.time + rules.order_open)
            target.cared = target.cared or s == CARE
            target.advocated = target.advocated or s == ADVOCATE
            target.journey.reached = {
                (False, False): FOLLOWING,
                (True, False): CARE,
                (False, True): ADVOCATE,
                (True, True): BOTH,
            }[target.cared, target.advocated]
            if named is not None:
                _change_order(target, e, q, events)
            if target.journey.first is None:
                target.journey.first = i
            add(i, target.journey, target)
            target.journey.intent = e.time
            continue

        if not e.inbound:
            if current is not None and e.time < current.closing:
                add(i, current)
            else:
                waiting.append(i)
            continue

        if last is not None and current is None and e.time - last["event"].time <= rules.after_order:
            o = last["event"]
            if (
                (e.session >= 0 and e.session == o.session)
                or (e.order_ref and e.order_ref == o.order_ref)
                or (e.cart_ref and e.cart_ref == o.cart_ref)
                or (e.checkout_ref and e.checkout_ref == o.checkout_ref)
            ):
                add(i, last["journey"])
                continue

        if current is not None and e.time >= current.closing:
            current = None
        if current is None:
            current = open_purchase(i)
        if s in (CONSIDER, CONVERT):
            current.reached = max(current.reached, s)
            if e.timeout:
                current.categories.append(e.timeout)
                current.timeout = max(current.categories)
        if s in (CONSIDER, CONVERT) or (e.engaged and e.session >= 0):
            current.intent = e.time
        add(i, current)
        if e.goal and not is_copy:
            told.closes[i] = True
            current.goal = i
            last = {"event": e, "journey": current}
            current = None

    for i in waiting:
        later = [k for k in openings if k > i]
        if later and openings[min(later)].start - events[i].time <= rules.outbound_lead:
            journey = openings[min(later)]
            told.journey_of[i], told.reached[i] = journey, AWARE
            journey.events.append(i)
    return told


def _signal(e: Event, q: int, named: Order | None, open_orders: list[Order], live_orders: list[Order]) -> int:
    simple = {2: CONSIDER, 4: CONVERT, 6: CONVERT, 7: CARE, 11: CARE, 12: CARE, 13: CARE, 14: CARE}
    if q in simple:
        return simple[q]
    if q == 3:
        return CONSIDER if e.engaged else AWARE
    if q == 5:
        return CONVERT if e.has_cart else AWARE
    if q == 8:
        return ADVOCATE if live_orders else CONSIDER
    if q == 9:
        return CONSIDER if not live_orders else ADVOCATE if e.score >= 4 else CARE
    if q == 10:
        return CARE if named or open_orders else CONSIDER
    return AWARE


def _change_order(order: Order, e: Event, q: int, events: list[Event]) -> None:
    if q == DELIVERED and order.delivered is None:
        order.delivered = e.time
    elif q == RETURN:
        order.returned = e.time if order.returned is None else order.returned
        order.status = "returned" if order.live else order.status
    elif not order.live:
        return
    elif q == CANCEL and order.delivered is None:
        order.status, order.ended = "cancelled", e.time
    elif q == REFUND:
        bought = events[order.event]
        whole = e.currency == 0
        if e.currency and e.currency == bought.currency:
            order.refunded += abs(e.value)
            whole = order.refunded >= bought.value
        if whole:
            order.status, order.ended = "refunded", e.time
        elif order.status == "live":
            order.status = "part_refunded"
