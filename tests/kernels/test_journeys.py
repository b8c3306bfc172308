"""The journey kernel against its plain twin, on random persons, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.kernels import journeys as kernel
from tests.naive import journeys as naive

RULES = naive.Rules(timeout=100, outbound_lead=30, after_order=10, order_open=60)
STATUS = ("live", "cancelled", "refunded", "returned", "part_refunded")

refs = st.sampled_from([0, 0, 0, 11, 12])


@st.composite
def persons(draw: st.DrawFn) -> list[list[naive.Event]]:
    every = []
    for _ in range(draw(st.integers(0, 3))):
        time, events = 0, []
        started: set[int] = set()
        for _ in range(draw(st.integers(1, 25))):
            time += draw(st.sampled_from([0, 1, 5, 9, 10, 11, 29, 31, 59, 60, 61, 99, 100, 101, 250]))
            session = draw(st.integers(-1, 3))
            event = naive.Event(
                time=time,
                qualifies=draw(st.integers(0, 15)),
                inbound=draw(st.sampled_from([True, True, True, False])),
                goal=False,
                session=session,
                session_start=session >= 0 and session not in started,
                engaged=draw(st.booleans()),
                order_ref=draw(refs),
                cart_ref=draw(refs),
                checkout_ref=draw(refs),
                timeout=draw(st.sampled_from([0, 0, 20, 100, 200])),
                value=draw(st.integers(-5, 5)),
                currency=draw(st.integers(0, 2)),
                score=draw(st.sampled_from([float("nan"), 3.0, 4.0, 5.0])),
                has_cart=draw(st.booleans()),
            )
            started.add(session)
            event.goal = (
                draw(st.sampled_from([True, True, False])) if event.qualifies == 6 else draw(st.integers(0, 9)) == 0
            )
            events.append(event)
        every.append(events)
    for ref in (11, 12):
        told = [e for events in every for e in events if e.qualifies == 6 and e.order_ref == ref]
        counts = draw(st.integers(-1, len(told) - 1))  # -1: the record that counts is nobody's
        for number, event in enumerate(told):
            event.copy = number != counts
    return every


def run(every: list[list[naive.Event]]) -> Any:
    flat = [event for events in every for event in events]

    def column(name: str, dtype: Any) -> Any:
        return np.array([getattr(event, name) for event in flat], dtype=dtype)

    lengths = [len(events) for events in every]
    data = kernel.JourneyInput(
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        time=column("time", np.int64),
        qualifies=column("qualifies", np.int8),
        inbound=column("inbound", np.uint8),
        goal=column("goal", np.uint8),
        session=column("session", np.int32),
        session_start=column("session_start", np.uint8),
        engaged=column("engaged", np.uint8),
        order_ref=column("order_ref", np.int64),
        cart_ref=column("cart_ref", np.int64),
        checkout_ref=column("checkout_ref", np.int64),
        timeout=column("timeout", np.int64),
        value=column("value", np.int64),
        currency=column("currency", np.int32),
        score=column("score", np.float64),
        has_cart=column("has_cart", np.uint8),
        copy=column("copy", np.uint8),
    )
    return kernel.cut_journeys(
        data, kernel.JourneyRules(RULES.timeout, RULES.outbound_lead, RULES.after_order, RULES.order_open)
    )


def _row(position: int | None, at: int) -> int:
    return -1 if position is None else at + position


@settings(max_examples=400, deadline=None)
@given(persons())
def test_equals_the_plain_twin(every: list[list[naive.Event]]) -> None:
    journey, order, signal, reached, marks, journeys, orders = run(every)
    at = 0
    n_journeys = n_orders = 0
    for p, events in enumerate(every):
        told = naive.cut_journeys(events, RULES)
        number = {id(j): n_journeys + k for k, j in enumerate(told.journeys)}
        order_number = {id(o): n_orders + k for k, o in enumerate(told.orders)}
        here = slice(at, at + len(events))
        assert signal[here].tolist() == told.signal
        assert journey[here].tolist() == [-1 if j is None else number[id(j)] for j in told.journey_of]
        assert order[here].tolist() == [-1 if o is None else order_number[id(o)] for o in told.order_of]
        assert reached[here].tolist() == told.reached
        assert (marks[here] & 1).astype(bool).tolist() == told.is_order
        assert (marks[here] & 2).astype(bool).tolist() == told.is_copy
        assert (marks[here] & 4).astype(bool).tolist() == told.closes
        for j in told.journeys:
            row = journeys[number[id(j)]].tolist()
            assert row == [
                p,
                0 if j.kind == "purchase" else 1,
                j.start,
                j.end,
                j.intent,
                j.timeout,
                -1 if j.goal is None else events[j.goal].time,
                _row(j.goal, at),
                _row(j.last_inbound, at),
                len(j.events),
                _row(j.first, at),
                -1 if j.order is None else order_number[id(j.order)],
                j.reached,
            ]
        for o in told.orders:
            assert orders[order_number[id(o)]].tolist() == [
                p,
                at + o.event,
                number[id(o.journey)],
                number[id(o.purchase)],
                STATUS.index(o.status),
                -1 if o.ended is None else o.ended,
                -1 if o.delivered is None else o.delivered,
                o.refunded,
                int(o.advocated),
                -1 if o.returned is None else o.returned,
            ]
        at += len(events)
        n_journeys += len(told.journeys)
        n_orders += len(told.orders)
    assert len(journeys) == n_journeys
    assert len(orders) == n_orders


ORDER, CONSIDER, CARE, REFUND = 6, 2, 7, 12


def bought(time: int, *, copy: bool = False, **more: Any) -> naive.Event:
    return naive.Event(time=time, qualifies=ORDER, goal=True, order_ref=11, copy=copy, **more)


def test_an_order_told_on_two_timelines_counts_on_one() -> None:
    """The site knew a user id, the shop system an e-mail address; nothing joins them."""
    site = [naive.Event(0, CONSIDER), bought(5, copy=True), naive.Event(6, REFUND, order_ref=11)]
    shop = [bought(7, inbound=False), naive.Event(20, CARE, order_ref=11)]
    journey, order, signal, _, marks, journeys, orders = run([site, shop])
    assert marks.tolist() == [0, 2, 0, 5, 0]
    assert signal.tolist() == [2, 3, 4, 3, 4]
    assert order.tolist() == [-1, -1, -1, 0, 0]
    assert journey[:3].tolist() == [0, 0, 0]  # one purchase journey, which nothing closes
    assert journeys[0, 6] == -1
    assert orders[:, :2].tolist() == [[1, 3]]
    assert orders[0, 4] == STATUS.index("live")  # the refund stands on the other timeline


def test_a_copy_on_the_same_timeline_belongs_to_its_order() -> None:
    before, after = bought(0, copy=True), bought(3, copy=True)
    journey, order, _, _, marks, journeys, orders = run([[before, bought(2), after]])
    assert marks.tolist() == [2, 5, 2]
    assert order.tolist() == [-1, 0, 0]
    assert journey.tolist() == [0, 0, 0]
    assert len(journeys) == 2
    assert len(orders) == 1


def test_orders_without_a_number_are_orders_of_their_own() -> None:
    events = [naive.Event(time, ORDER, goal=True) for time in (0, 1)]
    _, order, _, _, marks, _, orders = run([events, events])
    assert marks.tolist() == [5, 5, 5, 5]
    assert order.tolist() == [0, 1, 2, 3]
    assert len(orders) == 4
