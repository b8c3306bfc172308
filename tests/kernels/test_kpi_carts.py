"""Carts against their plain twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.kernels.kpi_carts import BOUGHT, LEFT, UNDECIDED, find_carts
from tests.naive import kpis as naive

DAY = naive.DAY_US
AS_OF = 40 * DAY
PRODUCTS = ("", "a", "b", "c")
CATEGORIES = ("", "x", "y")


@st.composite
def acts(draw: st.DrawFn) -> list[naive.Act]:
    """Up to three persons who put things in and order, with equal times, in the total order of each person."""
    found = []
    for person in "pqr"[: draw(st.integers(0, 3))]:
        now = 0
        for _ in range(draw(st.integers(0, 8))):
            now += draw(st.sampled_from((0, 1, DAY, 4 * DAY, 7 * DAY, 7 * DAY + 1)))
            found.append(
                naive.Act(
                    person=person,
                    time=now,
                    name=draw(st.sampled_from(("Product Added", "Product Added", "Order Completed"))),
                    product=draw(st.sampled_from(PRODUCTS)),
                    category=draw(st.sampled_from(CATEGORIES)),
                )
            )
    return found


def columns(rows: list[tuple[int, naive.Act]]) -> Any:
    person = [ord(act.person) - ord("p") for _, act in rows]
    product = [PRODUCTS.index(act.product) for _, act in rows]
    category = [CATEGORIES.index(act.category) for _, act in rows]
    return [
        np.array(person, np.int32),
        np.array([row for row, _ in rows], np.int32),
        np.array([act.time for _, act in rows], np.int64),
        np.arange(len(rows) + 1, dtype=np.int64),
        np.array(product, np.int32),
        np.array(category, np.int32),
    ]


@given(acts(), st.integers(0, 30), st.integers(1, 60))
def test_carts_are_those_of_the_plain_twin(found: list[naive.Act], first: int, length: int) -> None:
    numbered = list(enumerate(found))
    added = columns([(row, act) for row, act in numbered if act.name == "Product Added"])
    ordered = columns([(row, act) for row, act in numbered if act.name == "Order Completed"])
    opened, state = find_carts(*(*added, *ordered, naive.WEEK_US, AS_OF))
    start, end = first * DAY, (first + length) * DAY
    time = added[2][opened]
    inside = (time >= start) & (time < end) & (state != UNDECIDED)
    counted = int(inside.sum()), int((inside & (state != BOUGHT)).sum())
    assert counted == naive.carts(found, start, end, AS_OF)


def test_no_carts() -> None:
    nothing = columns([])
    opened, state = find_carts(*(*nothing, *nothing, naive.WEEK_US, AS_OF))
    assert len(opened) == len(state) == 0


@pytest.mark.parametrize(("age", "expected"), [(naive.WEEK_US, LEFT), (naive.WEEK_US - 1, UNDECIDED)])
def test_a_cart_as_old_as_the_window_is_decided(age: int, expected: int) -> None:
    cart = columns([(0, naive.Act("p", AS_OF - age, "Product Added", "a"))])
    _, state = find_carts(*(*cart, *columns([]), naive.WEEK_US, AS_OF))
    assert state.tolist() == [expected]


def test_a_cart_of_several_products_is_bought_by_any_of_them() -> None:
    one, two = naive.Act("p", 0, "Product Added", "a"), naive.Act("p", DAY, "Product Added", "b")
    order = naive.Act("p", 2 * DAY, "Order Completed", "b")
    opened, state = find_carts(*(*columns([(0, one), (1, two)]), *columns([(2, order)]), naive.WEEK_US, AS_OF))
    assert opened.tolist() == [0]
    assert state.tolist() == [BOUGHT]
