from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses import edges, flow
from percorso.analyses.flow import END, START, FlowSpec, flow_people, run_flow
from percorso.analyses.people import people_table
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.errors import NotFound, SpecError
from percorso.store.journey_log import JourneyLog
from tests.analyses.path_logs import PathLog, path_logs
from tests.log_builder import DAY, HOUR, Journey, Row, build_test_log, person_id
from tests.naive import flow as naive

PER = st.sampled_from(("person", "journey", "session"))
UNIT = st.sampled_from(("event", "place"))


def build(log: PathLog, folder: str, n_buckets: int = 3) -> JourneyLog:
    return build_test_log(Path(folder), log.rows, journeys=log.journeys, n_buckets=n_buckets)


def answer(spec: FlowSpec, log: JourneyLog, threads: int = 1) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = run_flow(spec, log, threads=threads).table.to_pylist()
    return rows


def expected_edges(log: PathLog, spec: FlowSpec) -> dict[tuple[str, str], naive.Edge]:
    rows = log.plain(per=spec.scope.per, unit=spec.unit, bots=spec.scope.include_bots)
    paths = naive.paths(rows, by_contact=spec.unit == "place", collapse=spec.collapse)
    return naive.edges(paths, log.person_of_case(spec.scope.per))


@given(path_logs(), PER, UNIT, st.booleans(), st.booleans(), st.sampled_from((1, 2)))
@settings(deadline=None, max_examples=50)
def test_flow_equals_the_plain_one(log: PathLog, per: str, unit: str, collapse: bool, bots: bool, threads: int) -> None:
    spec = FlowSpec(unit=unit, collapse=collapse, scope=Scope(per=per, include_bots=bots))
    with tempfile.TemporaryDirectory() as folder:
        opened = build(log, folder)
        found = answer(spec, opened, threads)
        counted = answer(
            FlowSpec(unit=unit, collapse=collapse, counts_only=True, scope=Scope(per=per, include_bots=bots)), opened
        )
        people = {
            (row["from"], row["to"]): people_table(opened, flow_people(spec, opened, row["from"], row["to"]))
            for row in found
        }
    expected = expected_edges(log, spec)
    assert {(r["from"], r["to"]): r["count"] for r in counted} == {e: v.count for e, v in expected.items()}
    assert len(found) == len(expected)
    for row in found:
        edge = expected[row["from"], row["to"]]
        outgoing = sum(other.count for (source, _), other in expected.items() if source == row["from"])
        assert row["count"] == edge.count
        assert row["probability"] == pytest.approx(edge.count / outgoing)
        assert row["persons"] == len(edge.persons)
        assert len(people[row["from"], row["to"]]) == len(edge.persons)
        for share, column in (((1, 2), "median_s"), ((9, 10), "p90_s")):
            time = naive.nearest_rank(edge.gaps, *share)
            assert row[column] == (None if time is None else time / 1e6)


SCOPES = st.fixed_dictionaries(
    {},
    optional={
        "where": st.sampled_from(("device = phone", "place is missing", "event != home")),
        "start": st.just("1970-01-01T00:00:00.000001Z"),
        "end": st.just("1970-01-02T00:00:00Z"),
        "as_of": st.just("1970-01-01T02:00:00Z"),
        "include_bots": st.booleans(),
    },
)
CHOICES = st.sampled_from(({}, {"kind": "purchase"}, {"kind": "order"}, {"outcome": "abandoned"}, {"collapse": True}))


@given(path_logs(), PER, UNIT, SCOPES, CHOICES)
@settings(deadline=None, max_examples=50)
def test_counts_only_are_the_same_counts(
    log: PathLog, per: str, unit: str, scope: dict[str, Any], choice: dict[str, Any]
) -> None:
    """The fast pass and the full one go different ways through filters."""
    if per != "journey" and choice.keys() & {"kind", "outcome"}:
        return
    spec = FlowSpec(unit=unit, scope=Scope(per=per, **scope), **choice)
    with tempfile.TemporaryDirectory() as folder:
        opened = build(log, folder)
        whole = answer(spec, opened)
        plain = answer(replace(spec, counts_only=True), opened)
    assert plain == [{name: row[name] for name in ("from", "to", "count", "probability")} for row in whole]


@given(path_logs(), PER)
@settings(deadline=None, max_examples=30)
def test_many_nodes_are_counted_the_same(log: PathLog, per: str) -> None:
    """Above the bound of the square of cells edges are counted by number."""
    spec = FlowSpec(counts_only=True, scope=Scope(per=per))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        opened = build(log, folder)
        in_square = answer(spec, opened)
        patch.setattr(flow, "SQUARE_NODES", 1)
        assert answer(spec, opened) == in_square
    assert edges.SQUARE_NODES > 1


@given(path_logs(), PER, st.integers(1, 4), st.booleans(), st.integers(1, 3))
@settings(deadline=None, max_examples=50)
def test_steps_equal_the_plain_ones(log: PathLog, per: str, n_steps: int, forward: bool, top: int) -> None:
    end = "from_node" if forward else "to_node"
    spec = FlowSpec(steps=n_steps, top=99, **{end: "home"}, scope=Scope(per=per))  # type: ignore[arg-type]
    few = FlowSpec(steps=n_steps, top=top, **{end: "home"}, scope=Scope(per=per))  # type: ignore[arg-type]
    rows = log.plain(per=per, unit="event")
    expected = naive.steps(naive.paths(rows), n_steps, **{"start" if forward else "to": "home"})
    with tempfile.TemporaryDirectory() as folder:
        opened = build(log, folder)
        if not any(row.event == "home" for row in log.rows):
            with pytest.raises(NotFound):
                answer(spec, opened)
            return
        result = run_flow(spec, opened)
        shown = answer(few, opened)
        people = [
            people_table(opened, flow_people(spec, opened, row["from"], row["to"], position=row["position"]))
            for row in result.table.to_pylist()
        ]
    found = {(r["position"], r["from"], r["to"]): r["count"] for r in result.table.to_pylist()}
    assert found == expected
    assert all(len(table) >= 1 for table in people)
    first = 0 if forward else -1
    assert result.totals["cases"] == sum(c for (p, _, _), c in expected.items() if p == first)
    for position in {p for p, _, _ in expected}:
        at = [r for r in shown if r["position"] == position]
        assert sum(r["count"] for r in at) == sum(c for (p, _, _), c in expected.items() if p == position)
        far = {r["to" if forward else "from"] for r in at} - {START, END, "(other)"}
        assert len(far) <= top


@pytest.fixture
def shop(tmp_path: Path) -> JourneyLog:
    """Anna: home, home, cart, order in one journey, and beside it an order journey; Bea: home, cart."""
    rows = [
        Row(person="anna", time=0, event="home", journey="j1", contact=0, coded={"device": "phone"}),
        Row(person="anna", time=HOUR, event="home", journey="j1", contact=0),
        Row(person="anna", time=HOUR, event="parcel", journey="o0", contact=1),
        Row(person="anna", time=2 * HOUR, event="cart", journey="j1", contact=0),
        Row(person="anna", time=4 * HOUR, event="order", journey="j1", contact=0),
        Row(person="bea", time=0, event="home", journey="j1", contact=0),
        Row(person="bea", time=3 * HOUR, event="cart", journey="j1", contact=0),
    ]
    journeys = [
        Journey(person="anna", name="j1", goal_time=4 * HOUR),
        Journey(person="anna", name="o0", kind="order"),
        Journey(person="bea", name="j1", timeout=HOUR),
    ]
    return build_test_log(tmp_path / "log", rows, journeys=journeys, as_of=10 * DAY)


def test_worked_example(shop: JourneyLog) -> None:
    result = run_flow(FlowSpec(scope=Scope(per="journey", timezone="UTC")), shop)
    found = [tuple(row.values()) for row in result.table.to_pylist()]
    assert found == [
        ("home", "cart", 2, 2 / 3, 2, 3600.0, 10800.0),
        ("(start)", "home", 2, 2 / 3, 2, None, None),
        ("cart", "order", 1, 1 / 2, 1, 7200.0, 7200.0),
        ("cart", "(end)", 1, 1 / 2, 1, None, None),
        ("home", "home", 1, 1 / 3, 1, 3600.0, 3600.0),
        ("order", "(end)", 1, 1.0, 1, None, None),
        ("parcel", "(end)", 1, 1.0, 1, None, None),
        ("(start)", "parcel", 1, 1 / 3, 1, None, None),
    ]
    assert result.totals == {"cases": 3, "nodes": 7, "persons": 2}


def test_kind_and_outcome_choose_journeys(shop: JourneyLog) -> None:
    def begins(kind: str = "", outcome: str = "", as_of: str = "") -> dict[str, int]:
        rows = answer(FlowSpec(kind=kind, outcome=outcome, scope=Scope(per="journey", as_of=as_of)), shop)
        return {row["to"]: row["count"] for row in rows if row["from"] == START}

    assert begins(kind="order") == {"parcel": 1}
    assert begins(kind="purchase") == {"home": 2}
    assert begins(outcome="converted") == {"home": 1}
    assert begins(outcome="abandoned") == {"home": 1}
    assert begins(outcome="open") == {}
    assert begins(outcome="open", as_of="1970-01-01T03:30:00Z") == {"home": 2}


def test_break_down_is_by_the_first_node_of_the_case(shop: JourneyLog) -> None:
    rows = answer(FlowSpec(scope=Scope(per="journey", by="device")), shop)
    assert {(r["device"], r["from"], r["to"]) for r in rows if r["from"] == START} == {
        ("", START, "home"),
        ("", START, "parcel"),
        ("phone", START, "home"),
    }
    phone = {(r["from"], r["to"]): (r["count"], r["probability"]) for r in rows if r["device"] == "phone"}
    assert phone["home", "cart"] == (1, 1 / 2)
    people = people_table(
        shop, flow_people(FlowSpec(scope=Scope(per="journey", by="device")), shop, "home", "cart", group="phone")
    )
    assert people.column("person").to_pylist() == [person_id("anna").hex()]
    with pytest.raises(NotFound, match="No path has device 'tablet'"):
        flow_people(FlowSpec(scope=Scope(per="journey", by="device")), shop, "home", "cart", group="tablet")


def test_period_cuts_paths(shop: JourneyLog) -> None:
    rows = answer(FlowSpec(kind="purchase", scope=Scope(per="journey", start="1970-01-01T01:30:00Z")), shop)
    assert {(r["from"], r["to"]): r["count"] for r in rows if START in r.values()} == {(START, "cart"): 2}


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": "url"},
        {"kind": "trip"},
        {"outcome": "won"},
        {"outcome": "converted", "scope": Scope(per="person")},
        {"kind": "order", "outcome": "converted"},
        {"steps": 3},
        {"steps": 3, "from_node": "home", "to_node": "cart"},
        {"steps": -1},
        {"from_node": "home"},
        {"steps": 3, "from_node": "home", "scope": Scope(per="journey", by="device")},
        {"steps": 3, "from_node": "home", "top": 0},
    ],
)
def test_wrong_questions_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        FlowSpec(**wrong)


def test_unknown_node_is_told_with_the_nearest(shop: JourneyLog) -> None:
    with pytest.raises(NotFound) as caught:
        run_flow(FlowSpec(steps=2, from_node="hom"), shop)
    assert "'home'" in caught.value.hint


def test_spec_is_its_json() -> None:
    spec = FlowSpec(
        unit="stage", collapse=True, steps=3, to_node="order", scope=Scope(per="person", where="place = store")
    )
    body = json.loads(json.dumps(spec_to_json(spec)))
    assert body["analysis"] == "flow"
    assert spec_from_json(FlowSpec, body) == spec
