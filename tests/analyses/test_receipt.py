"""Flow and variants of a real log beside what PM4Py 2.7.23.11 computed (reference.json of the data set `receipt`)."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from percorso.analyses.flow import END, START, FlowSpec, run_flow
from percorso.analyses.spec import Scope
from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.store.journey_log import JourneyLog
from tests.log_builder import Row, build_test_log

PERSON = Scope(per="person")
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@pytest.fixture(scope="module")
def receipt(data: Callable[[str], Path]) -> Path:
    return data("receipt")


@pytest.fixture(scope="module")
def reference(receipt: Path) -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((receipt / "reference.json").read_text(encoding="utf-8"))
    return answers


@pytest.fixture(scope="module")
def log(receipt: Path, tmp_path_factory: pytest.TempPathFactory) -> JourneyLog:
    """A person a case; equal times stay in file order, as the reference's."""
    with open(receipt / "receipt.csv", encoding="utf-8", newline="") as stream:
        rows = [
            Row(
                person=line["case:concept:name"],
                time=(datetime.fromisoformat(line["time:timestamp"]) - EPOCH) // timedelta(microseconds=1),
                event=line["concept:name"],
            )
            for line in csv.DictReader(stream)
        ]
    return build_test_log(tmp_path_factory.mktemp("receipt"), rows, n_buckets=8)


@pytest.mark.parametrize("counts_only", [False, True])
def test_directly_follows_counts(log: JourneyLog, reference: dict[str, Any], counts_only: bool) -> None:
    result = run_flow(FlowSpec(counts_only=counts_only, scope=PERSON), log)
    found = {(row["from"], row["to"]): row["count"] for row in result.table.to_pylist()}
    expected = {(edge["from"], edge["to"]): edge["count"] for edge in reference["dfg"]}
    expected |= {(START, name): count for name, count in reference["start"].items()}
    expected |= {(name, END): count for name, count in reference["end"].items()}
    assert found == expected
    assert result.totals["cases"] == reference["cases"]
    assert result.totals["nodes"] == reference["events"]


def test_variants(log: JourneyLog, reference: dict[str, Any]) -> None:
    result = run_variants(VariantsSpec(top=1_000, scope=PERSON), log)
    found = {tuple(row["path"]): row["count"] for row in result.table.to_pylist()}
    assert found == {tuple(variant["path"]): variant["count"] for variant in reference["variants"]}
    assert result.totals["total"] == reference["cases"]
    assert [row["count"] for row in result.table.to_pylist()] == sorted(found.values(), reverse=True)


def test_top_variants_and_the_others_are_all(log: JourneyLog, reference: dict[str, Any]) -> None:
    result = run_variants(VariantsSpec(top=5, scope=PERSON), log)
    counts = sorted((variant["count"] for variant in reference["variants"]), reverse=True)
    assert [row["count"] for row in result.table.to_pylist()] == counts[:5]
    (other,) = result.tables["other"].to_pylist()
    assert (other["variants"], other["count"]) == (len(counts) - 5, sum(counts[5:]))
    assert result.totals["coverage"] == pytest.approx(sum(counts[:5]) / reference["cases"])
