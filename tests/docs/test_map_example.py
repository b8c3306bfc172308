"""The worked example of docs/reference/map.md, told to the real build and asked again; its tables are those of code."""

from __future__ import annotations

import re

import pytest

from percorso.analyses.feedback import SCALES
from percorso.analyses.intervals import bounded_mean, nps_interval
from percorso.analyses.map import MapSpec, run_map
from percorso.analyses.map_lanes import ONLINE_ORDERS, SIGNALS
from percorso.analyses.result import Result
from percorso.services.build import fresh_log
from tests.docs.test_path_examples import tables_of
from tests.docs_tables import code_spans, table
from tests.lake_builder import event
from tests.workspaces import make_workspace

MAP = "reference/map.md"
NUMBERS = {"value": int, "score": float}


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Result:
    rows = []
    for person, time, kind, name, more in tables_of(MAP, "An example")[0]:
        given = dict(part.split("=", 1) for part in more.split())
        fields = {key: NUMBERS.get(key, str)(value) for key, value in given.items()}
        if "value" in fields:
            fields["currency"] = "EUR"
        rows.append(event(time, name, source=kind, source_kind=kind, user_id=person, **fields))
    return run_map(MapSpec(), fresh_log(make_workspace(tmp_path_factory.mktemp("shop"), rows)))


def test_stages(answer: Result) -> None:
    curve = {row["stage"]: row for row in answer.tables["feedback"].to_pylist() if row["kind"] == "all"}
    shown = []
    for row in answer.tables["stages"].to_pylist():
        point = curve.get(row["stage"])
        told = (f"{100 * point['satisfaction']:g}", str(point["n"])) if point else ("", "")
        shown.append((row["stage"], str(row["persons"]), str(row["orders"]), f"{row['value']} €", *told))
    assert shown == tables_of(MAP, "An example")[1]


def test_lanes(answer: Result) -> None:
    shown = [
        (row["stage"], row["lane"], row["item"], str(row["persons"]), f"{100 * row['share']:.0f} %")
        for row in answer.tables["cells"].to_pylist()
        if row["lane"] in ("channels", "categories")
    ]
    assert shown == tables_of(MAP, "An example")[2]


def test_scales_are_those_of_the_code() -> None:
    rows = {code_spans(row[0])[0] if code_spans(row[0]) else "other": row for row in table(MAP, "The emotion curve")}
    assert set(rows) == set(SCALES)
    for kind, (least, greatest) in SCALES.items():
        assert (float(rows[kind][1]), float(rows[kind][2].split(",")[0].split()[0])) == (least, greatest)


def test_tables_are_those_of_the_answer(answer: Result) -> None:
    assert [code_spans(row[0])[0] for row in table(MAP, "The answer")] == list(answer.tables)


def test_payments_of_the_example(answer: Result) -> None:
    payments = [row for row in answer.tables["signals"].to_pylist() if row["signal"] == "payment_failed"]
    assert [(row["n"], row["hits"], row["share"]) for row in payments] == [(1, None, None)]
    assert "payment_failed" not in answer.totals["signals_told"]


def test_signals_are_those_of_the_code() -> None:
    rows = {code_spans(row[0])[0]: row for row in table(MAP, "Technical trouble")}
    assert list(rows) == list(SIGNALS)
    for signal, (trouble, attempts) in SIGNALS.items():
        assert tuple(code_spans(rows[signal][1])) == trouble
        others = [name for name in attempts if name not in trouble]
        assert code_spans(rows[signal][2]) == (["payment_failure"] if others == [ONLINE_ORDERS] else others)


def test_intervals_of_the_docs() -> None:
    """Three times 5 of 5, and five promoters of five."""
    assert [round(100 * limit) for limit in bounded_mean(1.0, 3) or ()] == [44, 100]
    assert [round(limit) for limit in nps_interval(5, 0, 5) or ()] == [17, 100]


def test_feedback_columns(answer: Result) -> None:
    (row,) = (row for row in table(MAP, "The answer") if code_spans(row[0]) == ["feedback"])
    said = re.sub(r"\([^)]*\)", "", row[1])
    assert [name.strip() for name in said.split(",")] == answer.tables["feedback"].column_names
