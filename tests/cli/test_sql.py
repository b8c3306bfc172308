from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from percorso.cli.main import run

Captured = pytest.CaptureFixture[str]
REVENUE = "select event, sum(value) as revenue, count(*) as n from events where is_order group by all"


def test_json_is_a_list_of_rows(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "sql", REVENUE, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"event": "Order Completed", "revenue": 75.0, "n": 3}]


def test_a_table_is_for_people(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "sql", REVENUE]) == 0
    head, row, *_, below = capsys.readouterr().out.splitlines()
    assert head.split() == ["event", "revenue", "n"]
    assert row.split() == ["Order", "Completed", "75.00", "3"]
    assert below == "1 row"


def test_csv_and_parquet_keep_decimals(shop: str, capsys: Captured, tmp_path: Path) -> None:
    assert run(["-w", shop, "sql", REVENUE, "--format", "csv"]) == 0
    assert next(csv.DictReader(capsys.readouterr().out.splitlines()))["revenue"] == "75.00"
    assert run(["-w", shop, "sql", REVENUE, "--output", str(tmp_path / "r.parquet")]) == 0
    assert str(pq.read_table(tmp_path / "r.parquet").column("revenue")[0]) == "75.00"


def test_what_is_refused_is_told_to_programs_too(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "sql", "copy events to 'x.csv'", "--format", "json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["code"] == "sql_refused"
    assert "Only SELECT is allowed" in told.err


def test_personal_data_on_request_only(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "sql", "select user_id from persons"]) == 2
    assert "--personal" in capsys.readouterr().err
    assert run(["-w", shop, "sql", "select user_id from persons", "--personal", "--format", "json"]) == 0
    assert {"user_id": ["u0"]} in json.loads(capsys.readouterr().out)


def test_time_is_limited(shop: str, capsys: Captured) -> None:
    endless = "select count(*) from range(10000000000) a, range(1000) b where a.range % 7 = b.range"
    assert run(["-w", shop, "sql", endless, "--time-limit", "300ms"]) == 2
    assert "longer than 0.3 seconds" in capsys.readouterr().err
    assert run(["-w", shop, "sql", "select 1", "--time-limit", "300"]) == 2
    assert "not a duration" in capsys.readouterr().err
