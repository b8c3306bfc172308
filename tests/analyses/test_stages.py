"""Stages against their plain twin on small shops, against what is said of each customer, and against SQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses import stage_counts
from percorso.analyses.basis import Basis, basis_of
from percorso.analyses.customer import PersonRow, history_of
from percorso.analyses.orders_in import total_orders
from percorso.analyses.people import people_table
from percorso.analyses.select import plan_scope
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.analyses.stages import StagesSpec, run_stages, stage_people
from percorso.errors import NotFound, SpecError
from percorso.services.sql import run_sql
from percorso.services.stages import ask_stages
from percorso.settings.stages import STAGE_MODELS
from percorso.store.journey_log import FLAG_FUTURE, FLAG_SAME_ORDER, JourneyLog
from tests.analyses.contact_logs import N_SHOPS, SETTINGS
from tests.analyses.test_channels import SCOPES, asked
from tests.naive import channels as naive_channels
from tests.naive import stages as naive
from tests.naive.flow import nearest_rank
from tests.real_data import Real

Shops = Callable[[int], tuple[JourneyLog, naive_channels.Log]]
SHOPS, ASKED = st.integers(0, N_SHOPS - 1), st.sampled_from(SCOPES)
ORDER = [stage.key for stage in STAGE_MODELS["retail"].stages]


def rank(values: list[int], share: tuple[int, int]) -> float | None:
    value = nearest_rank(values, *share)
    return None if value is None else value / 1e6


@given(number=SHOPS, scope=ASKED, threads=st.sampled_from((1, 2)))
@settings(deadline=None, max_examples=30)
def test_rows_equal_the_plain_ones(shops: Shops, number: int, scope: dict[str, Any], threads: int) -> None:
    log, plain = shops(number)
    result = run_stages(StagesSpec(scope=Scope(**scope)), log, threads=threads)
    expected = naive.answer(plain, asked(scope), ORDER)
    for row in result.table.to_pylist():
        check_row(row, expected.stages[row["stage"]])
        check_moves(row, expected)
    moves = {(row["from"], row["to"]): row for row in result.tables["moves"].to_pylist()}
    assert set(moves) == set(expected.moves)
    for pair, found in expected.moves.items():
        assert moves[pair]["count"] == len(found)
        assert moves[pair]["persons"] == len({person for person, _ in found})
        assert moves[pair]["median_s"] == rank([gap for _, gap in found if gap is not None], (1, 2))
    exits = {(row["stage"], row["touchpoint"]): row["journeys"] for row in result.tables["exits"].to_pylist()}
    assert exits == {(stage, name): n for stage, one in expected.stages.items() for name, n in one.exits.items()}


def check_row(row: dict[str, Any], one: naive.Stage) -> None:
    assert (row["persons"], row["contacts"], row["events"]) == (len(one.persons), len(one.contacts), one.events)
    assert row["journeys"] == len(one.journeys)
    over = [time for time in one.stays if time is not None]
    assert (row["stays"], row["open_stays"]) == (len(one.stays), len(one.stays) - len(over))
    assert (row["median_s"], row["p90_s"]) == (rank(over, (1, 2)), rank(over, (9, 10)))
    further = [time for time in one.further.values() if time is not None]
    assert (row["entered"], row["further"]) == (len(one.further), len(further))
    assert (row["next_median_s"], row["next_p90_s"]) == (rank(further, (1, 2)), rank(further, (9, 10)))
    assert row["exits"] == sum(one.exits.values())
    assert (row["orders"], row["value"] * 100) == (len(one.orders), sum(one.orders))


def check_moves(row: dict[str, Any], expected: naive.Answer) -> None:
    at = ORDER.index(row["stage"])
    steps = {
        (-1 if source == naive.START else ORDER.index(source), ORDER.index(to)): len(found)
        for (source, to), found in expected.moves.items()
    }
    assert row["progressed"] == steps.get((at, at + 1), 0)
    assert row["skipped_ahead"] == sum(n for (source, to), n in steps.items() if source == at and to > at + 1)
    assert row["regressed"] == sum(n for (source, to), n in steps.items() if source == at and to < at)
    assert row["passed_over"] == sum(n for (source, to), n in steps.items() if source < at < to)


@given(number=SHOPS, scope=ASKED)
@settings(deadline=None, max_examples=15)
def test_people_behind_the_numbers(shops: Shops, number: int, scope: dict[str, Any]) -> None:
    log, plain = shops(number)
    expected, spec = naive.answer(plain, asked(scope), ORDER), StagesSpec(scope=Scope(**scope))
    result = run_stages(spec, log)

    def people(stage: str, role: str) -> set[str]:
        return set(people_table(log, stage_people(spec, log, stage, role)).column("person").to_pylist())

    for row in result.table.to_pylist():
        stage, at = row["stage"], ORDER.index(row["stage"])
        assert people(stage, "in") == expected.stages[stage].persons
        assert len(people(stage, "now")) == row["now"]
        assert bool(people(stage, "exited")) == bool(row["exits"])
        for role, wanted in (("progressed", [at + 1]), ("skipped", range(at + 2, 9)), ("regressed", range(at))):
            moved = {
                person
                for (source, to), found in expected.moves.items()
                if source == stage and ORDER.index(to) in wanted
                for person, _ in found
            }
            assert people(stage, role) == moved, role


@given(number=st.integers(1, N_SHOPS - 1), as_of=st.sampled_from(("", "2024-03-20", "2024-04-05")))
@settings(deadline=None, max_examples=15)
def test_stage_now_is_that_of_each_customer(shops: Shops, number: int, as_of: str) -> None:
    """Of customers without copies of orders, which a customer's page tells and no analysis counts."""
    log, plain = shops(number)
    spec = StagesSpec(scope=Scope(as_of=as_of, include_bots=True, include_heavy=True))
    as_of_us = run_stages(spec, log).as_of_us
    with_copies = {event.person for event in plain.events if event.flags & (FLAG_SAME_ORDER | FLAG_FUTURE)}
    now = {
        person: stage
        for stage in ORDER
        for person in people_table(log, stage_people(spec, log, stage, "now")).column("person").to_pylist()
    }
    for bucket in log.buckets:
        for row, person in enumerate(bucket.persons.arrow("person_id").to_pylist()):
            if person.hex() not in with_copies:
                told = history_of(PersonRow(bucket, row), SETTINGS, as_of_us=as_of_us)
                assert told.stage == now.get(person.hex(), "")


@given(number=SHOPS, scope=ASKED, by=st.sampled_from(("", "device", "person.kind")))
@settings(deadline=None, max_examples=20)
def test_totals_are_those_of_the_orders(shops: Shops, number: int, scope: dict[str, Any], by: str) -> None:
    log, _ = shops(number)
    persons, nobody = total_orders(plan_scope(Scope(**scope), log), log, Basis())
    result = run_stages(StagesSpec(scope=Scope(**scope, by=by)), log)
    rows = result.table.to_pylist()
    assert sum(row["orders"] for row in rows) == result.totals["orders"] == persons.orders
    assert sum(row["value"] for row in rows) * 100 == result.totals["value"] * 100 == persons.value
    assert (result.totals["unidentified_orders"], result.totals["unidentified_value"] * 100) == (
        nobody.orders,
        nobody.value,
    )
    assert sum(row["exits"] for row in rows) == result.totals["abandoned"]
    assert sum(row["now"] for row in rows) == result.totals["now"]


@given(number=SHOPS)
@settings(deadline=None, max_examples=10)
def test_a_group_of_persons_has_what_a_condition_on_them_has(shops: Shops, number: int) -> None:
    log, _ = shops(number)
    broken = run_stages(StagesSpec(scope=Scope(by="person.kind")), log).table.to_pylist()
    for kind in ("identified", "anonymous"):
        alone = run_stages(StagesSpec(scope=Scope(where=f"person.kind = {kind}")), log).table.to_pylist()
        for one in alone:
            for group in (g for g in broken if g["person.kind"] == kind and g["stage"] == one["stage"]):
                differs = {name for name in one if one[name] != group[name]}
                ends = ("", "_low", "_high")
                assert differs <= {f"{share}{end}" for share in ("share", "exit_share") for end in ends}


def test_models_of_many_stages_are_counted_the_same(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    log, _ = shops(N_SHOPS - 1)
    spec = StagesSpec(scope=Scope(start="2024-03-01", end="2024-04-10"))
    with_bits = run_stages(spec, log)
    monkeypatch.setattr(stage_counts, "MOST_STAGES", 0)  # as if there were more stages than bits
    assert run_stages(spec, log).tables == with_bits.tables


def test_spec_is_its_json() -> None:
    spec = StagesSpec(scope=Scope(by="place"))
    assert spec_from_json(StagesSpec, json.loads(json.dumps(spec_to_json(spec)))) == spec


def test_unknown_stages_and_roles_are_told(shops: Shops) -> None:
    log, _ = shops(7)
    with pytest.raises(NotFound, match="no stage 'convertion'"):
        stage_people(StagesSpec(), log, "convertion")
    with pytest.raises(SpecError, match="no role 'bought'"):
        stage_people(StagesSpec(), log, "conversion", "bought")
    with pytest.raises(SpecError, match="at a stage or at none"):
        stage_people(StagesSpec(), log, "(none)")


def test_real_data_by_sql(real: Real) -> None:
    """Moves between consecutive different stages of a person, by window functions in DuckDB."""
    workspace = real("retentioneering_ecom").workspace
    result = ask_stages(workspace, StagesSpec())
    kept = "not (is_bot or is_heavy or is_future or is_same_order) and person is not null"
    counted = run_sql(
        workspace,
        f"""select stage, count(*) as events, count(distinct person) as persons from events
        where {kept} and stage is not null group by all""",
    ).to_pylist()
    rows = {row["stage"]: row for row in result.table.to_pylist()}
    for row in counted:
        assert (rows[row["stage"]]["events"], rows[row["stage"]]["persons"]) == (row["events"], row["persons"])
    assert np.sum([row["exits"] for row in rows.values()]) == result.totals["abandoned"]
    (journeys,) = run_sql(
        workspace, "select count(*) as n from journeys where kind = 'purchase' and outcome = 'abandoned'"
    ).to_pylist()
    assert result.totals["abandoned"] <= journeys["n"]
    assert basis_of(workspace.settings).stages.name == result.totals["model"]
