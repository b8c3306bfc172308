"""Expected value of a customer: the plain twin, a plain mean where nobody is cut off, pandas as outside oracle."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.basis import basis_of
from percorso.analyses.jackknife import N_GROUPS, t_975
from percorso.analyses.kpi_expected import DAYS, expected_of
from percorso.analyses.kpis import KpisSpec, run_kpis
from percorso.analyses.spec import Scope
from percorso.analyses.tallies import tally
from percorso.services.build import fresh_log
from tests.lake_builder import event
from tests.naive import kpi_expected as naive
from tests.workspaces import make_workspace

TODAY = 800

lives = st.lists(
    st.lists(st.tuples(st.integers(0, TODAY), st.integers(0, 5_000)), min_size=1, max_size=5), min_size=1, max_size=8
)


def told(customers: dict[str, list[tuple[int, int]]], group: dict[str, int]) -> tuple[Any, Any]:
    """Both tallies, as `add_expected` makes them of customers who used one place."""
    value, weights, watched = [], [], []
    for name, orders in customers.items():
        first = min(day for day, _ in orders)
        watched.append(min(TODAY - first, DAYS) * N_GROUPS + group[name])
        for day, worth in orders:
            if day - first <= DAYS:
                value.append((day - first) * N_GROUPS + group[name])
                weights.append(worth)
    return tally(np.array(value, np.int64), np.array(weights, np.int64)), tally(np.array(watched, np.int64))


@given(lives, st.integers(1, 6))
def test_equals_its_plain_twin(orders: list[list[tuple[int, int]]], n_groups: int) -> None:
    customers = {f"c{n}": one for n, one in enumerate(orders)}
    group = {name: n * 7 % n_groups for n, name in enumerate(customers)}
    found = expected_of(*told(customers, group), 0)
    expected = naive.expected_value(customers, TODAY)
    assert found.n == len(customers)
    assert (found.value is None) == (expected is None)
    if found.value is None or expected is None:
        return
    assert found.value == pytest.approx(float(expected))
    thetas = naive.jackknife(customers, group, TODAY)
    if len(thetas) < 2:
        assert found.half_width is None
        return
    g, mean = len(thetas), math.fsum(thetas) / len(thetas)
    variance = (g - 1) / g * math.fsum((theta - mean) ** 2 for theta in thetas)
    assert found.half_width == pytest.approx(t_975(g - 1) * math.sqrt(variance), abs=1e-6)


def test_thirty_must_have_been_watched() -> None:
    def of(n: int, n_old: int) -> float | None:
        customers = {f"c{k}": [(TODAY - (DAYS if k < n_old else 100), 1_000)] for k in range(n)}
        return expected_of(*told(customers, dict.fromkeys(customers, 3)), 0).value

    assert of(40, 29) is None
    assert of(40, 30) == 1_000
    assert of(29, 1) == 1_000
    assert of(29, 0) is None


def shop(folder: Path, n: int, days: int, seed: int) -> tuple[Any, pd.DataFrame]:
    """A random shop of so many customers over so many days, and its orders as a table."""
    draw = np.random.default_rng(seed)
    rows, orders = [], []
    begin = datetime(2021, 1, 1, 12, tzinfo=UTC)
    for k in range(n):
        first = int(draw.integers(0, days))
        for day in sorted({first, *(first + draw.integers(0, 500, draw.integers(0, 5))).tolist()}):
            if day <= 1_000:
                worth = int(draw.integers(100, 9_999))
                orders.append((f"c{k}", day, worth))
    for number, (person, day, worth) in enumerate(orders):
        at = (begin + timedelta(days=day)).replace(tzinfo=None)
        fields: dict[str, Any] = {"user_id": person, "value": worth, "currency": "EUR", "order_id": f"o{number}"}
        if number % 4 == 0:
            fields |= {"source": "till", "source_kind": "pos"}
        rows.append(event(at, "Order Completed", **fields))
    rows.append(event((begin + timedelta(days=1_000)).replace(tzinfo=None), "Page Viewed", user_id="somebody"))
    workspace = make_workspace(folder / "shop", rows, timezone="UTC")
    return workspace, pd.DataFrame(orders, columns=["person", "day", "worth"])


def answered(workspace: Any) -> dict[str, dict[str, Any]]:
    keys = ("expected_value_12m", *(f"expected_value_12m_{n}_place{'s' * (n != 'one')}" for n in ("one", "two")))
    spec = KpisSpec(scope=Scope(timezone="UTC"), kpis=(*keys, "new_customers"))
    answer = run_kpis(spec, fresh_log(workspace), basis_of(workspace.settings))
    return {row["kpi"]: row for row in answer.table.to_pylist()}


def test_with_nobody_cut_off_it_is_the_plain_mean(tmp_path: Path) -> None:
    """Pandas: who began 365 days ago or more, and what each spent within 365 days."""
    workspace, orders = shop(tmp_path, 60, 630, 1)
    orders["since"] = orders.day - orders.groupby("person").day.transform("min")
    within = orders[orders.since <= DAYS]
    row = answered(workspace)["expected_value_12m"]
    assert row["n"] == orders.person.nunique()
    assert row["value"] == pytest.approx(within.worth.sum() / 100 / row["n"])
    assert row["low"] < row["value"] < row["high"]


def test_pandas_says_the_same_where_many_are_young(tmp_path: Path) -> None:
    workspace, orders = shop(tmp_path, 150, 990, 2)
    first = orders.groupby("person").day.min()
    orders["since"] = orders.day - orders.person.map(first)
    watched = 1_000 - first
    assert (watched < DAYS).mean() > 0.2
    by_day = orders[orders.since <= DAYS].groupby("since").worth.sum()
    expected = sum(worth / (watched >= day).sum() for day, worth in by_day.items()) / 100
    found = answered(workspace)
    assert found["expected_value_12m"]["value"] == pytest.approx(expected)
    at_two = orders.groupby("person").worth.count()  # both places or one: the parts make up all
    parts = [found[f"expected_value_12m_{name}"]["n"] for name in ("one_place", "two_places")]
    assert sum(parts) == len(at_two) == found["expected_value_12m"]["n"]


def test_whose_value_is_not_known_is_left_out(tmp_path: Path) -> None:
    rows = [
        event("2022-01-01T10:00", "Order Completed", user_id="ann", order_id="1", value=1_000, currency="EUR"),
        event("2022-01-01T10:00", "Order Completed", user_id="bob", order_id="2", value=5_000, currency="USD"),
        event("2022-01-01T10:00", "Order Completed", user_id="eve", order_id="3"),
        event("2024-01-01T10:00", "Page Viewed", user_id="ann"),
    ]
    row = answered(make_workspace(tmp_path / "shop", rows, timezone="UTC"))["expected_value_12m"]
    assert (row["value"], row["n"]) == (10, 1)
