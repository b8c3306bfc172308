"""`percorso funnel`, `flow`, `variants` and `people` on a small workspace: the JSON that must hold, errors, options."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from percorso.cli.main import run
from tests.services.shop_workspace import ADD, BUY, VIEW

pytestmark = pytest.mark.usefixtures("both_engines")

Captured = pytest.CaptureFixture[str]
STEPS = ("--step", VIEW, "--step", ADD, "--step", BUY)


def told(folder: Path, capsys: Captured, *arguments: str) -> Any:
    capsys.readouterr()
    assert run(["-w", str(folder), *arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_funnel_json(folder: Path, capsys: Captured) -> None:
    body = told(folder, capsys, "funnel", *STEPS, "--within", "7d")
    found = [{key: row[key] for key in ("step", "count", "share", "from_previous")} for row in body["steps"]]
    assert found == [
        {"step": VIEW, "count": 6, "share": 1.0, "from_previous": 1.0},
        {"step": ADD, "count": 5, "share": 5 / 6, "from_previous": 5 / 6},
        {"step": BUY, "count": 3, "share": 0.5, "from_previous": 0.6},
    ]


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        (("--include-bots",), [7, 5, 3]),
        (("--within", "1h"), [6, 5, 0]),
        (("--within", "none", "--start", "first"), [6, 5, 3]),
        (("--step-within", "1h", "--order", "strict"), [6, 5, 3]),
        (("--per", "journey"), [6, 5, 3]),
        (("--count", "totals"), [6, 5, 3]),
        (("--exclude", ADD, "--optional", ADD), [6, 5, 3]),
        (("--from", "2024-03-02", "--to", "2024-03-05"), [4, 4, 2]),
        (("--as-of", "2024-03-03T12:30"), [3, 3, 2]),  # Rome's time: the third buys at 13:00
        (("--where", "person.country = IT"), [3, 2, 1]),
    ],
)
def test_funnel_options(folder: Path, capsys: Captured, options: tuple[str, ...], counts: list[int]) -> None:
    body = told(folder, capsys, "funnel", *STEPS, *options)
    assert [row["count"] for row in body["steps"]] == counts


def test_flow_and_variants_json(folder: Path, capsys: Captured) -> None:
    edges = told(folder, capsys, "flow", "--per", "person")["edges"]
    assert {"from": "(start)", "to": VIEW, "count": 6}.items() <= edges[0].items()
    assert any(edge["to"] == "(end)" for edge in edges)
    body = told(folder, capsys, "variants", "--per", "person", "--top", "2")
    assert body["variants"][0]["path"] == [VIEW, ADD, BUY]
    assert body["variants"][0]["count"] == 3
    assert body["total"] == 6


def test_from_is_a_day_or_a_node(folder: Path, capsys: Captured) -> None:
    body = told(folder, capsys, "flow", "--steps", "1", "--from", VIEW, "--from", "2024-03-05", "--per", "person")
    assert {(row["to"], row["count"]) for row in body["links"]} == {(ADD, 1), ("(end)", 1)}


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("people", "funnel", *STEPS, "--at", "2"), 5),
        (("people", "funnel", *STEPS, "--at", ADD, "--dropped"), 2),
        (("people", "funnel", *STEPS, "--by", "person.country", "--at", "3", "--group", "IT"), 1),
        (("people", "flow", "--per", "person", "--edge", VIEW, ADD), 5),
        (
            (
                "people",
                "flow",
                "--per",
                "person",
                "--steps",
                "1",
                "--from",
                VIEW,
                "--edge",
                VIEW,
                ADD,
                "--position",
                "0",
            ),
            5,
        ),
        (("people", "variants", "--per", "person", "--node", VIEW, "--node", ADD), 2),
        (("people", "variants", "--per", "person", "--top", "1"), 3),
    ],
)
def test_people(folder: Path, capsys: Captured, arguments: tuple[str, ...], count: int) -> None:
    body = told(folder, capsys, *arguments)
    assert body["count"] == count
    assert len(body["people"]) == count
    assert all(len(row["person"]) == 32 for row in body["people"])


def test_table_for_people_and_csv_for_programs(folder: Path, capsys: Captured, tmp_path: Path) -> None:
    assert run(["-w", str(folder), "funnel", *STEPS]) == 0
    shown = capsys.readouterr().out
    assert "83.3 %" in shown
    assert " 1h" in shown
    assert "Warning: Only 6 persons entered" in shown
    file = tmp_path / "funnel.csv"
    assert run(["-w", str(folder), "funnel", *STEPS, "--output", str(file)]) == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["count"] for row in rows] == ["6", "5", "3"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("funnel",), "usage"),
        (("funnel", "--step", "A", "--within", "7"), "spec"),
        (("funnel", "--step", "A", "--where", "plac = x"), "spec"),
        (("funnel", "--step", "A", "--per", "visit"), "spec"),
        (("funnel", "--step", "A", "--per", "journey", "--count", "totals"), "spec"),
        (("people", "funnel", "--step", "A", "--at", "B"), "not_found"),
        (("flow", "--from", VIEW, "--from", ADD, "--steps", "2"), "spec"),
    ],
)
def test_mistakes(folder: Path, capsys: Captured, arguments: tuple[str, ...], code: str) -> None:
    capsys.readouterr()
    assert run(["-w", str(folder), *arguments, "--format", "json"]) == 2
    output = capsys.readouterr()
    assert json.loads(output.out)["error"]["code"] == code
    assert output.err.startswith("Error: ")
