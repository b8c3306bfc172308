"""Results: tables, JSON, notebook; exact quantiles; intervals; ids."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.durations import N_BINS, count_in_bins, ranked_values
from percorso.analyses.intervals import wilson
from percorso.analyses.people import hex_ids, people_table
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.analyses.units import units_of
from tests.log_builder import Row, build_test_log, person_id


def result_of(rows: int) -> Result:
    table = pa.table({"name": ["<b>"] * rows, "share": [0.5] * rows, "path": [["a", "b"]] * rows})
    return Result({"rows": table}, Scope(), "v1", 0, {"total": rows}, ("Too few.",))


def test_json_can_be_written() -> None:
    body = json.loads(json.dumps(result_of(1).as_json()))
    assert body["rows"] == [{"name": "<b>", "share": 0.5, "path": ["a", "b"]}]
    assert body["total"] == 1
    assert body["as_of"] == "1970-01-01T00:00:00Z"
    assert body["data_version"] == "v1"
    assert body["warnings"] == ["Too few."]
    assert body["spec"]["analysis"] == "scope"


def test_notebook_shows_a_table_and_escapes() -> None:
    shown = result_of(101)._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert "a → b" in shown
    assert "1 more rows" in shown
    assert "Too few." in shown


def test_to_pandas() -> None:
    assert result_of(2).to_pandas()["share"].tolist() == [0.5, 0.5]


@given(st.lists(st.integers(0, 2**53 - 1) | st.integers(0, 40), max_size=60), st.integers(1, 4))
def test_ranked_values_are_those_of_the_sorted_list(values: list[int], n_parts: int) -> None:
    parts = np.array_split(np.array(values, np.int64), n_parts)
    bins = np.zeros(N_BINS, np.int64)
    for part in parts:
        bins += count_in_bins(part)
    ordered = sorted(values)
    n = len(ordered)
    expected = (ordered[(n + 1) // 2 - 1], ordered[(9 * n + 9) // 10 - 1]) if n else None
    assert ranked_values(bins, parts) == expected


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_against_newcombe(hits: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I, method 3."""
    interval = wilson(hits, n)
    assert interval is not None
    assert [round(limit, 4) for limit in interval] == [low, high]


def test_wilson_of_nothing() -> None:
    assert wilson(0, 0) is None


@given(st.lists(st.binary(min_size=16, max_size=16)))
def test_hex_ids(ids: list[bytes]) -> None:
    array = pa.array([b"0" * 16, *ids], pa.binary(16)).slice(1)
    assert hex_ids(array).to_pylist() == [one.hex() for one in ids]


def test_people_table(tmp_path: Path) -> None:
    rows = [Row(person=f"p{at}", time=at, event="Order Completed") for at in range(9)]
    log = build_test_log(tmp_path, rows)
    table = people_table(log, lambda bucket: bucket.persons.values("first_time") % 2 == 0)
    assert set(table.column("person").to_pylist()) == {person_id(f"p{at}").hex() for at in range(0, 9, 2)}
    assert table.column("n_orders").to_pylist() == [1] * 5
    assert people_table(log, lambda bucket: np.zeros(bucket.n_persons, np.bool_)).num_rows == 0


@pytest.mark.parametrize("per", ["person", "journey", "session"])
def test_units(tmp_path: Path, per: str) -> None:
    rows = [
        Row(person=f"p{at % 3}", time=at, event="A", session=f"s{at % 2}" if at % 5 else "", journey=f"j{at % 4}")
        for at in range(40)
    ]
    log = build_test_log(tmp_path, rows, n_buckets=1)
    bucket = log.buckets[0]
    units = units_of(bucket, per)
    order = np.arange(bucket.n_events) if units.persons is None else units.rows
    if per == "person":
        assert units.offsets.tolist() == bucket.offsets().tolist()
    else:
        of_event = bucket.events.values(per)
        for unit in range(len(units)):
            inside = order[units.offsets[unit] : units.offsets[unit + 1]]
            assert inside.tolist() == np.flatnonzero(of_event == unit).tolist()
