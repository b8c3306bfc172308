from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses import path_counts, variants
from percorso.analyses.people import people_table
from percorso.analyses.spec import Scope
from percorso.analyses.variants import VariantsSpec, run_variants, variant_people
from percorso.errors import Corrupt, NotFound, SpecError
from percorso.kernels.arrays import U64
from percorso.store.journey_log import FLAG_GOAL, JourneyLog
from tests.analyses.path_logs import OUT, PathLog, path_logs
from tests.log_builder import DAY, HOUR, Journey, Row, build_test_log, person_id
from tests.naive import flow
from tests.naive import variants as naive

PER = st.sampled_from(("person", "journey", "session"))
UNIT = st.sampled_from(("event", "place"))


def conversions(log: PathLog, per: str) -> dict[int, bool]:
    """Cases that can convert, and whether they did."""
    cases = log.cases(per)
    if per == "journey":
        known = {(j.person, j.name): j for j in log.journeys}
        return {n: 0 <= known[k].goal_time <= log.as_of for k, n in cases.items() if known[k].kind == "purchase"}
    goals = [row for row in log.rows if row.flags & FLAG_GOAL and not row.flags & OUT]
    reached = {(row.person, row.person if per == "person" else row.session) for row in goals}
    return {n: key in reached for key, n in cases.items()}


@given(path_logs(), PER, UNIT, st.booleans(), st.integers(1, 4), st.sampled_from((1, 2)))
@settings(deadline=None, max_examples=50)
def test_variants_equal_the_plain_ones(
    log: PathLog, per: str, unit: str, collapse: bool, top: int, threads: int
) -> None:
    spec = VariantsSpec(unit=unit, collapse=collapse, top=top, scope=Scope(per=per))
    with tempfile.TemporaryDirectory() as folder:
        opened = build_test_log(Path(folder), log.rows, journeys=log.journeys, n_buckets=3)
        result = run_variants(spec, opened, threads=threads)
        shown = result.table.to_pylist()
        people = [people_table(opened, variant_people(spec, opened, row["path"])) for row in shown]
        others = people_table(opened, variant_people(spec, opened, None))
        counts = run_variants(replace(spec, counts_only=True), opened, threads=threads)
    assert counts.totals == result.totals
    for name, table in result.tables.items():
        assert counts.tables[name].equals(table.drop_columns(["median_s"]))
    paths = flow.paths(log.plain(per=per, unit=unit), by_contact=unit == "place", collapse=collapse)
    person = log.person_of_case(per)
    expected = naive.variants(paths, person, conversions(log, per))

    assert result.totals["total"] == len(paths)
    assert result.totals["distinct"] == len(expected)
    assert result.totals["persons"] == len({person[case] for case in paths})
    assert len(shown) == min(top, len(expected))
    assert [r["count"] for r in shown] == sorted((len(v.cases) for v in expected.values()), reverse=True)[:top]
    covered = 0
    for row, found in zip(shown, people, strict=True):
        variant = expected[tuple(row["path"])]
        covered += len(variant.cases)
        assert row["count"] == len(variant.cases)
        assert row["share"] == pytest.approx(len(variant.cases) / len(paths))
        assert row["cumulative"] == pytest.approx(covered / len(paths))
        assert row["persons"] == len(variant.persons) == len(found)
        assert row["converted"] == variant.converted
        rate = variant.converted / variant.eligible if variant.eligible else None
        assert row["conversion"] == (None if rate is None else pytest.approx(rate))
        median = flow.nearest_rank(variant.times, 1, 2)
        assert median is not None
        assert row["median_s"] == median / 1e6
    rest = [v for path, v in expected.items() if list(path) not in [row["path"] for row in shown]]
    other = result.tables["other"].to_pylist()
    assert len(other) == (1 if paths else 0)
    for row in other:
        times = flow.nearest_rank([t for v in rest for t in v.times], 1, 2)
        assert (row["variants"], row["count"]) == (len(rest), sum(len(v.cases) for v in rest))
        assert row["converted"] == sum(v.converted for v in rest)
        assert row["median_s"] == (None if times is None else times / 1e6)
    assert len(others) == len({p for v in rest for p in v.persons})


@given(path_logs(), st.sampled_from(("converted", "abandoned", "open")))
@settings(deadline=None, max_examples=40)
def test_outcomes_add_up_to_all_purchase_journeys(log: PathLog, outcome: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        opened = build_test_log(Path(folder), log.rows, journeys=log.journeys, n_buckets=2)

        def total(**choice: str) -> int:
            return int(run_variants(VariantsSpec(**choice), opened).totals["total"])  # type: ignore[arg-type]

        assert sum(total(outcome=each) for each in ("converted", "abandoned", "open")) == total(kind="purchase")
        assert total(kind="purchase") + total(kind="order") == total()
        chosen = run_variants(VariantsSpec(outcome=outcome), opened)
    for row in chosen.table.to_pylist():
        assert row["converted"] == (row["count"] if outcome == "converted" else 0)


@given(path_logs(), st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_buckets_do_not_matter(log: PathLog, n_buckets: int) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        spec = VariantsSpec(top=3, scope=Scope(per="person", by="device"))
        whole = run_variants(spec, build_test_log(Path(one), log.rows, journeys=log.journeys, n_buckets=1))
        parts = run_variants(spec, build_test_log(Path(many), log.rows, journeys=log.journeys, n_buckets=n_buckets))
    assert parts.totals == whole.totals
    assert [t.to_pylist() for t in parts.tables.values()] == [t.to_pylist() for t in whole.tables.values()]


@pytest.fixture
def shop(tmp_path: Path) -> JourneyLog:
    """Three persons go home > cart > order, one of them twice; two leave; one order journey."""
    rows, journeys = [], []
    for number, person in enumerate(("anna", "bea", "carla", "anna", "dora", "emma")):
        name, start = f"j{number}", number * DAY
        path = ("home", "cart", "order") if number < 4 else ("home",) if number == 4 else ("home", "home")
        goal = start + 2 * HOUR if number < 4 else -1
        journeys.append(Journey(person=person, name=name, goal_time=goal, timeout=HOUR))
        rows += [
            Row(person=person, time=start + i * HOUR, event=event, journey=name, coded={"device": "phone"} if i else {})
            for i, event in enumerate(path)
        ]
    rows.append(Row(person="anna", time=DAY, event="parcel", journey="o0"))
    journeys.append(Journey(person="anna", name="o0", kind="order"))
    return build_test_log(tmp_path / "log", rows, journeys=journeys, as_of=30 * DAY)


def test_worked_example(shop: JourneyLog) -> None:
    result = run_variants(VariantsSpec(top=2), shop)
    assert result.as_json()["variants"] == [
        {
            "path": ["home", "cart", "order"],
            "count": 4,
            "share": 4 / 7,
            "converted": 4,
            "conversion": 1.0,
            "low": pytest.approx(0.5101, abs=1e-4),
            "high": 1.0,
            "median_s": 7200.0,
            "cumulative": 4 / 7,
            "persons": 3,
        },
        {
            "path": result.table.to_pylist()[1]["path"],  # three paths stand at one: which is shown a hash decides
            "count": 1,
            "share": 1 / 7,
            "converted": 0,
            **{name: result.table.to_pylist()[1][name] for name in ("conversion", "low", "high", "median_s")},
            "cumulative": 5 / 7,
            "persons": 1,
        },
    ]
    assert result.totals == {"total": 7, "distinct": 4, "persons": 5, "coverage": 5 / 7}
    (other,) = result.tables["other"].to_pylist()
    assert (other["variants"], other["count"]) == (2, 2)


def test_collapse_joins_paths(shop: JourneyLog) -> None:
    result = run_variants(VariantsSpec(collapse=True), shop)
    assert {tuple(row["path"]): row["count"] for row in result.table.to_pylist()}["home",] == 2
    assert result.totals["distinct"] == 3


def test_order_journeys_have_no_conversion(shop: JourneyLog) -> None:
    (row,) = run_variants(VariantsSpec(kind="order"), shop).table.to_pylist()
    assert (row["path"], row["converted"], row["conversion"]) == (["parcel"], 0, None)


def test_break_down_has_its_own_top_and_shares(shop: JourneyLog) -> None:
    result = run_variants(VariantsSpec(top=1, scope=Scope(per="journey", by="event")), shop)
    rows = [(row["event"], row["path"], row["share"], row["cumulative"]) for row in result.table.to_pylist()]
    assert rows == [("home", ["home", "cart", "order"], 4 / 6, 4 / 6), ("parcel", ["parcel"], 1.0, 1.0)]
    assert [(row["event"], row["variants"], row["count"]) for row in result.tables["other"].to_pylist()] == [
        ("home", 2, 2),
        ("parcel", 0, 0),
    ]
    spec = VariantsSpec(scope=Scope(per="journey", by="event"))
    people = people_table(shop, variant_people(spec, shop, ["home"], group="home"))
    assert people.column("person").to_pylist() == [person_id("dora").hex()]


def test_open_journeys_are_told(shop: JourneyLog) -> None:
    result = run_variants(VariantsSpec(scope=Scope(per="journey", as_of="1970-01-06T01:30:00Z")), shop)
    few = "Only 7 journeys: shares of fewer than 30 say little."
    assert result.warnings == ("1 of 6 purchase journeys are still open: conversion can only rise.", few)
    assert run_variants(VariantsSpec(), shop).warnings == (few,)


def test_hashes_that_meet_are_found_out(shop: JourneyLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """If all names had one hash, paths of one length would be taken for one variant."""

    def same(names: Any, kind: bytes) -> U64:
        return np.full((len(names), 2), 7, np.uint64)

    monkeypatch.setattr(path_counts, "_digests", same)
    with pytest.raises(Corrupt, match="share the hash of a path"):
        run_variants(VariantsSpec(), shop)


def test_equal_first_halves_are_told_apart() -> None:
    cases = path_counts.HashedCases.__new__(path_counts.HashedCases)
    for name, value in {
        "hash_a": np.array([5, 5, 5, 9], np.uint64),
        "hash_b": np.array([1, 2, 3, 1], np.uint64),
        "length": np.array([1, 1, 1, 1], np.int32),
    }.items():
        object.__setattr__(cases, name, value)
    known = np.array([9, 5, 5], np.uint64), np.array([1, 2, 1], np.uint64)
    assert variants._rank(cases, known).tolist() == [2, 1, -1, 0]


def test_wrong_questions_are_refused(shop: JourneyLog) -> None:
    with pytest.raises(SpecError, match="At least one"):
        VariantsSpec(top=0)
    with pytest.raises(NotFound, match="no event 'hom'"):
        variant_people(VariantsSpec(), shop, ["hom"])
