from __future__ import annotations

import csv
import json
import re

import pytest

from percorso.cli.main import run

pytestmark = pytest.mark.usefixtures("both_engines")

Captured = pytest.CaptureFixture[str]


def test_a_table_is_for_people(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "variants", "--top", "2"]) == 0
    told = capsys.readouterr().out
    rows = [re.split(r"\s{2,}", line.strip()) for line in told.splitlines()]
    assert rows[0] == ["count", "share", "coverage", "conversion", "low", "high", "median", "path"]
    assert rows[1][0] == "3"
    assert rows[1][-1] == "Product Viewed > Product Added > Order Completed"
    assert rows[1][1:4] == ["50.0 %", "50.0 %", "100.0 %"]
    assert rows[3][-1] == "(other: 1 variant)"
    assert "6 journeys with a path, 3 different ones." in told
    assert "Warning: " in told


def test_json_holds_paths_counts_and_total(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "variants", "--top", "1", "--format", "json"]) == 0
    body = json.loads(capsys.readouterr().out)
    (variant,) = body["variants"]
    assert variant["path"] == ["Product Viewed", "Product Added", "Order Completed"]
    assert (variant["count"], body["total"], body["distinct"]) == (3, 6, 3)
    assert [(row["variants"], row["count"]) for row in body["other"]] == [(2, 3)]


def test_csv_joins_paths(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "variants", "--format", "csv"]) == 0
    row = next(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert row["path"] == "Product Viewed > Product Added > Order Completed"


def test_a_break_down_stands_first(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "variants", "--by", "country"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["country", "count"]


def test_a_wrong_question_is_explained(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "variants", "--outcome", "converted", "--per", "person"]) == 2
    assert "Ask per journey instead." in capsys.readouterr().err
