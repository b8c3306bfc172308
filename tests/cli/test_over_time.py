"""`percorso journeys`, `retention`, `lifecycle`, `suggest timeout`, and the people behind them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from percorso.cli.main import run

pytestmark = pytest.mark.usefixtures("both_engines")

Captured = pytest.CaptureFixture[str]


def said(folder: Path, capsys: Captured, *arguments: str) -> str:
    capsys.readouterr()
    assert run(["-w", str(folder), *arguments]) == 0
    return capsys.readouterr().out


def told(folder: Path, capsys: Captured, *arguments: str) -> Any:
    return json.loads(said(folder, capsys, *arguments, "--json"))


def test_journeys(folder: Path, capsys: Captured) -> None:
    body = told(folder, capsys, "journeys")
    assert (body["journeys"], body["converted"], body["open"], body["kept"]) == (9, 3, 3, 3)
    (row,) = body["conversion"]
    assert (row["opened"], row["converted"], row["value"]) == (6, 3, 75)
    assert (body["orders"], body["value"]) == (3, 75)
    text = said(folder, capsys, "journeys", "--by", "first_channel")
    for title in ("How they end", "Conversion", "Time to convert", "Length", "Orders"):
        assert title in text


def test_journeys_csv_holds_the_first_table(folder: Path, capsys: Captured) -> None:
    rows = list(csv.DictReader(said(folder, capsys, "journeys", "--kind", "order", "--format", "csv").splitlines()))
    assert [(row["outcome"], row["journeys"]) for row in rows] == [("kept", "3"), ("returned", "0"), ("cancelled", "0")]


def test_retention(folder: Path, capsys: Captured) -> None:
    body = told(folder, capsys, "retention", "--unit", "day", "--periods", "2")
    assert [(row["cohort"], row["size"], row["persons"]) for row in body["cohorts"] if row["k"] == 1] == [
        ("2024-03-01", 1, 0),
        ("2024-03-02", 1, 0),
        ("2024-03-03", 1, 0),
    ]
    assert {row["cohort"] for row in body["repeat"]} == {"", "2024-03-01", "2024-03-02", "2024-03-03"}
    text = said(folder, capsys, "retention", "--unit", "day", "--by", "country")
    assert "Cohorts" in text
    assert "Ordered again" in text
    options = ("--start", "event = 'Product Viewed'", "--return", "activity", "--recurring", "--mode", "on-or-after")
    assert told(folder, capsys, "retention", *options)["persons"] == 6


def test_lifecycle(folder: Path, capsys: Captured) -> None:
    body = told(folder, capsys, "lifecycle", "--unit", "day", "--from", "2024-03-02")
    assert [row["new"] for row in body["intervals"]][:3] == [1, 1, 1]
    found = {row["relationship"]: row["persons"] for row in body["relationships"]}
    assert (found["prospect"], found["new"]) == (3, 3)
    text = said(folder, capsys, "lifecycle", "--unit", "day")
    assert "Relationships now" in text
    assert "too little to say who is at risk" in text


def test_suggest_timeout(folder: Path, capsys: Captured) -> None:
    body = told(folder, capsys, "suggest", "timeout")
    assert body["converted"] == 3
    assert body["recommended_days"] is None
    assert [row["timeout_days"] for row in body["timeouts"]] == [7, 14, 21, 30, 45, 60, 90, 120, 180]
    assert said(folder, capsys, "suggest", "timeout", "--at-most", "0.2").startswith("No recommendation.")


@pytest.mark.parametrize(
    ("question", "count"),
    [
        (("journeys", "--outcome", "converted"), 3),
        (("journeys", "--outcome", "open", "--by", "place", "--group", "site"), 3),
        (("retention", "--cohort", "2024-03"), 3),
        (("retention", "--unit", "day", "--cohort", "2024-03-01", "--k", "1", "--away"), 1),
        (("lifecycle", "--what", "new"), 3),
        (("lifecycle", "--unit", "day", "--what", "new", "--interval", "2024-03-02"), 1),
        (("timeout", "--days", "7"), 0),
    ],
)
def test_people(folder: Path, capsys: Captured, question: tuple[str, ...], count: int) -> None:
    body = told(folder, capsys, "people", *question)
    assert body["count"] == count
    assert len(body["people"]) == count


@pytest.mark.parametrize(
    "question",
    [
        ("journeys", "--kind", "trip"),
        ("retention", "--unit", "year"),
        ("lifecycle", "--unit", "year"),
        ("suggest", "timeout", "--at-most", "5"),
        ("people", "journeys", "--outcome", "won"),
        ("people", "retention", "--cohort", "1999-01"),
    ],
)
def test_wrong_questions_are_explained(folder: Path, capsys: Captured, question: tuple[str, ...]) -> None:
    assert run(["-w", str(folder), *question]) == 2
    assert "Hint: " in capsys.readouterr().err
