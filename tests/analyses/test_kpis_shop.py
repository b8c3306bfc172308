"""Every KPI of a small shop against its value by hand.

In a period, ever, broken down, of some persons, under a condition, beside the period before. The shop is
shop_of_kpis.py, the values are values_of_kpis.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from percorso.analyses.basis import basis_of
from percorso.analyses.kpis import KPIS, KpiInputs, KpisSpec, run_kpis
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.language.kpi_words import kpi_reason
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog
from tests.analyses.shop_of_kpis import COSTS, PERSONS, SPEND, shop_of_kpis
from tests.analyses.values_of_kpis import (
    BY_FIRST_CHANNEL,
    BY_PLACE,
    OF_TWO_ORDERS,
    ON_THE_SITE,
    SINCE_FEBRUARY,
    SURVEYS,
    VALUES,
    Told,
)
from tests.workspaces import make_workspace

ZONE = "Europe/Rome"
MARCH: dict[str, Any] = {"start": "2024-03-01", "end": "2024-03-31"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, JourneyLog]:
    workspace = make_workspace(tmp_path_factory.mktemp("shop") / "shop", shop_of_kpis(), timezone=ZONE)
    return workspace, fresh_log(workspace)


def ask(shop: tuple[Workspace, JourneyLog], kpis: tuple[str, ...] = (), compare: str = "", **scope: Any) -> Result:
    workspace, log = shop
    spec = KpisSpec(scope=Scope(**{"timezone": ZONE} | scope), kpis=kpis, compare=compare)
    return run_kpis(spec, log, basis_of(workspace.settings), KpiInputs(costs=COSTS, spend=SPEND))


def told(answer: Result) -> dict[str, tuple[Told, int]]:
    """Value, or why there is none, and n of each KPI."""
    rows = answer.table.to_pylist()
    return {row["kpi"]: (row["note"] if row["value"] is None else row["value"], row["n"]) for row in rows}


def expected(values: dict[str, tuple[Told, int]]) -> dict[str, Any]:
    return {
        key: (kpi_reason(value) if isinstance(value, str) else pytest.approx(value, rel=1e-9, abs=1e-9), n)
        for key, (value, n) in values.items()
    }


def differing(found: dict[str, Any], hand: dict[str, Any]) -> dict[str, Any]:
    return {key: (found.get(key), value) for key, value in hand.items() if found.get(key) != value}


def test_every_kpi_has_a_value_by_hand() -> None:
    assert list(VALUES) == [kpi.key for kpi in KPIS]
    assert {row["user_id"] for row in shop_of_kpis()} == {*PERSONS, None}


def test_a_period(shop: tuple[Workspace, JourneyLog]) -> None:
    hand = expected({key: (value, n) for key, (value, n, _, _) in VALUES.items()})
    assert differing(told(ask(shop, **MARCH)), hand) == {}


def test_the_whole_time(shop: tuple[Workspace, JourneyLog]) -> None:
    hand = expected({key: (value, n) for key, (_, _, value, n) in VALUES.items()})
    assert differing(told(ask(shop)), hand) == {}


def test_each_survey_has_its_response_rate(shop: tuple[Workspace, JourneyLog]) -> None:
    rows = ask(shop, ("survey_response",), **MARCH).tables["surveys"].to_pylist()
    assert {row["survey"]: (row["value"], row["n"]) for row in rows} == expected(SURVEYS)


@pytest.mark.parametrize(("by", "hand"), [("place", BY_PLACE), ("person.first_channel", BY_FIRST_CHANNEL)])
def test_break_downs(shop: tuple[Workspace, JourneyLog], by: str, hand: dict[str, dict[str, float]]) -> None:
    found: dict[str, dict[str, float | None]] = {}
    for row in ask(shop, tuple(hand), by=by, **MARCH).table.to_pylist():
        found.setdefault(row["kpi"], {})[row[by]] = row["value"]
    found = {key: {name: found[key].get(name) for name in values} for key, values in hand.items()}
    assert differing(found, {key: pytest.approx(values) for key, values in hand.items()}) == {}


def test_some_persons(shop: tuple[Workspace, JourneyLog]) -> None:
    found = told(ask(shop, tuple(OF_TWO_ORDERS), persons="n_orders >= 2", **MARCH))
    assert differing(found, expected(OF_TWO_ORDERS)) == {}


def test_a_condition(shop: tuple[Workspace, JourneyLog]) -> None:
    assert differing(told(ask(shop, tuple(ON_THE_SITE), where="place = site")), expected(ON_THE_SITE)) == {}


def test_the_period_before(shop: tuple[Workspace, JourneyLog]) -> None:
    rows = ask(shop, tuple(SINCE_FEBRUARY), "previous", **MARCH).table.to_pylist()
    hand = {key: None if value is None else pytest.approx(value) for key, value in SINCE_FEBRUARY.items()}
    assert differing({row["kpi"]: row["difference"] for row in rows}, hand) == {}
