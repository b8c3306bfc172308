"""Touchpoints against their plain twin on small shops, and against SQL on real data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses.basis import Basis
from percorso.analyses.orders_in import total_orders
from percorso.analyses.people import people_table
from percorso.analyses.select import plan_scope
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.analyses.touchpoints import TOUCHPOINT_ROLES, TouchpointsSpec, run_touchpoints, touchpoint_people
from percorso.errors import NotFound, SpecError
from percorso.services.sql import run_sql
from percorso.services.touchpoints import ask_touchpoints
from percorso.store.journey_log import JourneyLog
from tests.analyses.contact_logs import N_SHOPS
from tests.analyses.test_channels import SCOPES, asked, cents, check_conversion, check_jackknife
from tests.naive import channels as naive_channels
from tests.naive import touchpoints as naive
from tests.naive.flow import nearest_rank
from tests.real_data import Real

Shops = Callable[[int], tuple[JourneyLog, naive_channels.Log]]
SHOPS, ASKED = st.integers(0, N_SHOPS - 1), st.sampled_from(SCOPES)


@given(number=SHOPS, scope=ASKED, threads=st.sampled_from((1, 2)))
@settings(deadline=None, max_examples=30)
def test_rows_equal_the_plain_ones(shops: Shops, number: int, scope: dict[str, Any], threads: int) -> None:
    log, plain = shops(number)
    result = run_touchpoints(TouchpointsSpec(scope=Scope(**scope)), log, threads=threads)
    expected, outcomes = naive.answer(plain, asked(scope))
    rows = {row["touchpoint"]: row for row in result.table.to_pylist()}
    assert set(rows) == {name or "(none)" for name, one in expected.items() if one != naive.Touchpoint()}
    assert result.totals["journeys"] == len(outcomes)
    for name, row in rows.items():
        one = expected["" if name == "(none)" else name]
        check_row(row, one)
        check_conversion(row, one.journeys, plain, asked(scope))
    mix = {(row["touchpoint"], row["stage"]): row["events"] for row in result.tables["stages"].to_pylist()}
    assert mix == {(name, s or "(none)"): n for name, one in expected.items() for s, n in one.stages.items()}


def check_row(row: dict[str, Any], one: naive.Touchpoint) -> None:
    contacts = [len(each) for each in one.contacts_of.values()]
    assert (row["events"], row["contacts"], row["persons"]) == (one.events, sum(contacts), len(contacts))
    check_jackknife(row, contacts)
    outbound = one.events - one.inbound
    acted = "both" if outbound else "inbound"
    assert row["direction"] == (acted if one.inbound else "outbound" if outbound else None)
    places = {place or "(none)": n for place, n in one.places.items()}
    assert places.get(row["place"]) == max(places.values(), default=None)
    known = {stage: n for stage, n in one.stages.items() if stage}
    assert known.get(row["stage"]) == max(known.values(), default=None)
    for name in ("journeys", "converted", "open", "first", "last", "assist", "exits"):
        assert row[name] == len(one.journeys[name]), name
    times = list(one.durations.values())
    median = nearest_rank(times, 1, 2)
    assert row["median_s"] == (None if median is None else median / 1e6)
    assert row["total_s"] == (sum(times) / 1e6 if times else None)
    assert (row["orders"], row["value"] * 100) == (len(one.orders), cents(one.orders))
    assert (row["unidentified_orders"], row["unidentified_value"] * 100) == (
        len(one.unidentified),
        cents(one.unidentified),
    )


@given(number=SHOPS, scope=ASKED)
@settings(deadline=None, max_examples=15)
def test_people_behind_the_numbers(shops: Shops, number: int, scope: dict[str, Any]) -> None:
    log, plain = shops(number)
    expected, _ = naive.answer(plain, asked(scope))
    owner = {key: journey.person for key, journey in plain.journeys.items()}
    spec = TouchpointsSpec(scope=Scope(**scope))
    for name, one in expected.items():
        wanted = {
            "reached": set(one.contacts_of),
            "bought": {order.person for order in one.orders},
            "exited": {owner[key] for key in one.journeys["exits"]},
            **{role: {owner[key] for key in one.journeys[role]} for role in ("first", "last", "assist")},
        }
        assert set(wanted) == set(TOUCHPOINT_ROLES)
        for role, persons in wanted.items():
            found = people_table(log, touchpoint_people(spec, log, name or "(none)", role))
            assert set(found.column("person").to_pylist()) == persons, role


@given(number=SHOPS, scope=ASKED, by=st.sampled_from(("", "device", "person.kind")))
@settings(deadline=None, max_examples=20)
def test_totals_are_those_of_the_orders(shops: Shops, number: int, scope: dict[str, Any], by: str) -> None:
    log, _ = shops(number)
    persons, nobody = total_orders(plan_scope(Scope(**scope), log), log, Basis())
    result = run_touchpoints(TouchpointsSpec(scope=Scope(**scope, by=by)), log)
    rows = result.table.to_pylist()
    assert sum(row["orders"] for row in rows) == result.totals["orders"] == persons.orders
    assert sum(row["value"] for row in rows) * 100 == result.totals["value"] * 100 == persons.value
    assert sum(row["events"] for row in rows) == result.totals["events"]
    assert sum(row["exits"] for row in rows) == result.totals["abandoned"]
    if not by.startswith("person."):
        assert sum(row["unidentified_orders"] for row in rows) == nobody.orders


def test_spec_is_its_json() -> None:
    spec = TouchpointsSpec(scope=Scope(by="place"))
    assert spec_from_json(TouchpointsSpec, json.loads(json.dumps(spec_to_json(spec)))) == spec


def test_unknown_names_and_roles_are_told(shops: Shops) -> None:
    log, _ = shops(7)
    with pytest.raises(NotFound):
        touchpoint_people(TouchpointsSpec(), log, "chekout")
    with pytest.raises(SpecError, match="no role 'new'"):
        touchpoint_people(TouchpointsSpec(), log, "page", "new")


def test_real_data_by_sql(real: Real) -> None:
    """Counts, and the last inbound event of abandoned journeys, by DuckDB."""
    workspace = real("retentioneering_ecom").workspace
    result = ask_touchpoints(workspace, TouchpointsSpec())
    kept = "not (is_bot or is_heavy or is_future or is_same_order) and person is not null"
    told = run_sql(
        workspace,
        f"""select touchpoint, count(*) as events, count(distinct person) as persons,
        count(distinct (person, contact_no)) as contacts from events where {kept} group by all""",
    ).to_pylist()
    rows = {row["touchpoint"]: (row["events"], row["persons"], row["contacts"]) for row in result.table.to_pylist()}
    assert rows == {row["touchpoint"]: (row["events"], row["persons"], row["contacts"]) for row in told}
    (exits,) = run_sql(
        workspace,
        f"""select count(distinct j.journey_no) as n from journeys j join events e using (journey_no)
        where outcome = 'abandoned' and e.direction = 'inbound' and {kept.replace("person", "e.person")}""",
    ).to_pylist()
    assert sum(row["exits"] for row in result.table.to_pylist()) == exits["n"] == result.totals["abandoned"]
