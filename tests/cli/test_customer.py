"""`percorso customer ID`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from percorso.cli.main import run
from percorso.services.workspace import Workspace
from tests.lake_builder import event
from tests.workspaces import make_workspace

pytestmark = pytest.mark.usefixtures("both_engines")

Captured = pytest.CaptureFixture[str]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "customer.md"

RAW = ("user-1042", "anna.rossi@example.it", "+393471234456", "b-7721")
FAMILY = "+39 06 6982 1234"
ROWS = [
    event("2024-03-01T10:00:00", "Page Viewed", anonymous_id="b-7721", utm_source="google", utm_medium="cpc"),
    event("2024-03-01T10:00:40", "Product Viewed", anonymous_id="b-7721", product_id="guitar"),
    event(
        "2024-03-01T10:06:00",
        "Order Completed",
        anonymous_id="b-7721",
        user_id="user-1042",
        email="anna.rossi@example.it",
        phone="+393471234456",
        order_id="77",
        value=12900,
        currency="EUR",
    ),
    event("2024-03-03T10:00:00", "Order Refunded", user_id="user-1042", order_id="77", value=2900, currency="EUR"),
    event("2024-05-01T10:00:00", "Products Searched", user_id="user-1042"),
    *(event(f"2024-05-02T{hour:02d}:00:00", "Page Viewed", user_id="paola", phone=FAMILY) for hour in range(3)),
    *(event(f"2024-05-02T{hour:02d}:30:00", "Page Viewed", user_id="piero", phone=FAMILY) for hour in range(2)),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    shop = make_workspace(tmp_path_factory.mktemp("cli") / "shop", ROWS)
    assert run(["-w", str(shop.folder), "build"]) == 0
    return shop


def customer(workspace: Workspace, *arguments: str) -> int:
    return run(["-w", str(workspace.folder), "customer", *arguments])


def test_the_page_fits_a_terminal_and_a_pipe(workspace: Workspace, capsys: Captured) -> None:
    assert customer(workspace, "user-1042") == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert max(len(line) for line in told.out.splitlines()) <= 80
    assert "\x1b" not in told.out
    flat = [" ".join(line.split()) for line in told.out.splitlines()]
    assert "Relationship new customer (orders on one day)" in flat
    assert "Stage now consideration" in flat
    assert "Value 100.00 EUR from 1 order (129.00 before what was given back)" in flat
    assert "1 2024-03-01 11:06 site Paid Search part refunded 129.00 EUR 29.00" in flat
    assert "1 purchase 2024-03-01 6m converted 1 129.00 EUR Paid Search" in flat
    assert "email a•••@example.it 1 2024-03-01" in flat
    assert flat[-1] == "2024-05-01 12:00 3 Products Searched site Direct consideration"


def test_nothing_personal_is_shown_unasked(workspace: Workspace, capsys: Captured) -> None:
    for output in ("table", "json", "csv"):
        assert customer(workspace, "user-1042", "--format", output) == 0
        told = capsys.readouterr()
        assert not [value for value in RAW if value in told.out + told.err]
    assert customer(workspace, "user-1042", "--personal") == 0
    out = capsys.readouterr().out
    assert [value for value in RAW if value in out] == list(RAW)


def test_the_newest_events_are_shown(workspace: Workspace, capsys: Captured) -> None:
    assert customer(workspace, "user-1042", "--limit", "2") == 0
    out = capsys.readouterr().out
    assert "Product Viewed" not in out
    assert "3 earlier events not shown: raise --limit, or use --all." in out
    assert customer(workspace, "user-1042", "--limit", "2", "--all") == 0
    out = capsys.readouterr().out
    assert "Product Viewed" in out
    assert "not shown" not in out


def test_json_has_all_and_files_the_timeline(workspace: Workspace, capsys: Captured, tmp_path: Path) -> None:
    assert customer(workspace, "user-1042", "--format", "json", "--as-of", "2024-03-02") == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["relationship"], body["stage"], body["events"]) == ("new", "retention", 3)
    assert body["value"] == {"currency": "EUR", "gross": 129.0, "net": 129.0}
    assert body["as_of"] == "2024-03-02T22:59:59.999999Z"
    assert customer(workspace, "user-1042", "--format", "csv", "--limit", "1") == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["event"], row["journey"]) == ("Products Searched", "3")
    file = tmp_path / "anna.parquet"
    assert customer(workspace, "user-1042", "--output", str(file), "--all") == 0
    assert pq.read_table(file).num_rows == 5
    assert customer(workspace, "user-1042", "--format", "table", "--output", str(tmp_path / "anna.txt")) == 0
    assert (tmp_path / "anna.txt").read_text().startswith("Customer ")


def test_several_persons_are_listed(workspace: Workspace, capsys: Captured) -> None:
    assert customer(workspace, FAMILY) == 0
    out = capsys.readouterr().out
    assert "This is shared by 2 persons. Ask for one by its id: percorso -w " in out
    assert "6982" not in out
    one = out.split()[-1]
    assert customer(workspace, one) == 0
    assert capsys.readouterr().out.startswith(f"Person {one}")  # without an order nobody is a customer
    assert run(["--language", "it", "-w", str(workspace.folder), "customer", one]) == 0
    assert capsys.readouterr().out.startswith(f"Persona {one}")
    assert customer(workspace, FAMILY, "--format", "json") == 0
    persons = json.loads(capsys.readouterr().out)["persons"]
    assert [(entry["found_as"], entry["shared"]) for entry in persons] == [(["phone"], True)] * 2
    assert sorted(entry["events"] for entry in persons) == [2, 3]


def test_of_very_many_the_most_active_are_listed(
    workspace: Workspace, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("percorso.cli.customer._SHOWN_PERSONS", 1)
    assert customer(workspace, FAMILY) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "The 1 with most events are shown; --format json lists all. This is shared by 2 persons." in out
    assert customer(workspace, FAMILY, "--format", "json") == 0
    most = max(json.loads(capsys.readouterr().out)["persons"], key=lambda entry: int(entry["events"]))["person"]
    assert out.endswith(most[:12])


def test_mistakes_are_told_as_such(workspace: Workspace, capsys: Captured) -> None:
    assert customer(workspace, "nobody@example.it", "--format", "json") == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["code"] == "not_found"
    assert "nobody@example.it" not in told.out + told.err
    assert customer(workspace, "user-1042", "--type", "user") == 2
    assert "'user_id'" in capsys.readouterr().err
    assert customer(workspace, "user-1042", "--as-of", "yesterday") == 2
    assert "2024-01-31" in capsys.readouterr().err


def test_the_page_of_the_docs_is_what_comes(tmp_path: Path, capsys: Captured) -> None:
    anna = {"user_id": "user-1042", "order_id": "77"}
    rows = [
        ROWS[0],
        ROWS[1],
        event("2024-03-01T10:05:00", "Product Added", anonymous_id="b-7721", value=12900, currency="EUR"),
        ROWS[2],
        event("2024-03-05T10:06:00", "Order Delivered", source="parcels", source_kind="delivery", **anna),
        event("2024-03-20T10:06:00", "Product Reviewed", score=5.0, **anna),
        event("2024-05-01T10:00:00", "Product Viewed", user_id="user-1042"),
        event("2024-05-01T10:00:20", "Products Searched", user_id="user-1042"),
        event("2024-05-02T11:00:00", "Email Sent", user_id="somebody else", source="mail", source_kind="email"),
    ]
    shop = make_workspace(tmp_path / "docs", rows)
    assert customer(shop, "user-1042") == 0
    told = capsys.readouterr().out.splitlines()[1:]
    shown = PAGE.read_text(encoding="utf-8").partition("## Example\n\n```\n")[2].partition("```")[0].splitlines()[1:]
    assert shown
    assert told[: len(shown)] == shown
