"""The quality of a workspace's data, against the user's own SQL and files that are wrong on purpose."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from percorso.analyses.quality import QualitySpec
from percorso.analyses.spec import Scope
from percorso.services.imports import ImportRequest, import_files
from percorso.services.quality import ask_quality
from percorso.services.sql import run_sql
from percorso.services.workspace import Workspace, open_workspace
from percorso.store.lake import Lake
from tests.lake_builder import event
from tests.workspaces import make_workspace

pytestmark = pytest.mark.usefixtures("both_engines")

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    rows = []
    for day in range(1, 29):
        rows.append(event(f"2024-03-{day:02d} 10:00", "Product Viewed", user_id=f"u{day % 9}"))
        rows.append(event(f"2024-03-{day:02d} 10:01", "Product Viewed", anonymous_id=f"b{day}"))
        rows.append(event(f"2024-03-{day:02d} 11:00", "Product Viewed", anonymous_id="robot", user_agent=BOT))
        value = {"value": 1000 + day, "currency": "EUR"} if day % 7 else {}
        currency = {"currency": "USD"} if day == 13 else {}
        who = {"user_id": f"u{day % 9}"} if day % 2 else {}
        till = {"source": "till", "source_kind": "pos", "order_id": f"r{day}", "place": "store"}
        rows.append(event(f"2024-03-{day:02d} 18:00", "Order Completed", **till, **value | currency, **who))
    # A copy of an order, and a phone whose clock is two hours late.
    rows.append(event("2024-03-05 18:00", "Order Completed", user_id="u5", order_id="r5", value=1005, currency="EUR"))
    for minute in range(3):
        late = {"received_at": f"2024-03-06 12:0{minute}", "sent_at": f"2024-03-06 10:0{minute}"}
        rows.append(event(f"2024-03-06 10:0{minute}", "Product Viewed", anonymous_id="late", **late))
    return make_workspace(tmp_path_factory.mktemp("shop"), rows)


SOURCES_SQL = """
select source, count(*) as events, count(*) filter (is_bot) as bots, count(*) filter (person is null) as unidentified,
    count(*) filter (is_same_order) as order_copies, count(*) filter (is_order) as orders,
    count(*) filter (is_order and person is null) as unidentified_orders,
    min(time) as first_event, max(time) as newest_event
from events where time >= '{start}' and time < '{end}' group by source order by source
"""


@pytest.mark.parametrize(("start", "end"), [("2024-01-01", "2025-01-01"), ("2024-03-10", "2024-03-16")])
def test_equals_the_same_in_sql(workspace: Workspace, start: str, end: str) -> None:
    scope = Scope(start=start, end=f"{end}T00:00", timezone="Europe/Rome")
    answer = ask_quality(workspace, QualitySpec(scope=scope))
    told = {row["source"]: row for row in answer.table.to_pylist()}
    for row in run_sql(workspace, SOURCES_SQL.format(start=start, end=end)).to_pylist():
        counted = {name: row[name] for name in row if not name.endswith("_event")}
        assert {name: told[row["source"]][name] for name in counted} == counted
        if start == "2024-01-01":
            assert told[row["source"]]["first_event"] == row["first_event"]
            assert told[row["source"]]["newest_event"] == row["newest_event"]


def test_value_is_that_of_every_question(workspace: Workspace) -> None:
    totals = ask_quality(workspace, QualitySpec()).totals
    query = "select person is null as nobody, sum(value) as value from orders where currency = 'EUR' group by 1"
    value = {row["nobody"]: row["value"] for row in run_sql(workspace, query).to_pylist()}
    assert (totals["value"], totals["unidentified_value"]) == (value[False], value[True])
    assert totals["orders"] + totals["unidentified_orders"] == 28


def test_findings(workspace: Workspace) -> None:
    answer = ask_quality(workspace, QualitySpec())
    found = {(row["finding"], row["source"]): row["count"] for row in answer.tables["findings"].to_pylist()}
    assert found == {
        ("corrected_clocks", "web"): 3,
        ("order_copies", "web"): 1,
        ("unvalued_orders", "till"): 4,
        ("unidentified_orders", ""): 14,
        ("weak_persons", ""): 29,
        ("bots", ""): 28,
        ("missing_rate", ""): 1,
    }
    assert any("USD" in warning for warning in answer.warnings)
    plain, with_bots = answer.tables["bots"].to_pylist()
    assert with_bots["events"] - plain["events"] == 28
    assert with_bots["persons"] - plain["persons"] == 1
    assert with_bots["value"] == plain["value"] == answer.totals["value"] + answer.totals["unidentified_value"]
    assert plain["value"].as_tuple().exponent == -2
    assert isinstance(plain["value"], Decimal)


def test_clocks_are_counted_within_the_period(workspace: Workspace) -> None:
    def corrected(start: str, end: str) -> int:
        rows = ask_quality(workspace, QualitySpec(scope=Scope(start=start, end=end))).table.to_pylist()
        return sum(row["corrected"] for row in rows)

    assert [corrected(*days) for days in (("", ""), ("2024-03-06", "2024-03-06"), ("2024-03-07", ""))] == [3, 3, 0]


def test_imports_and_rejected_rows(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "shop")
    file = tmp_path / "orders.csv"
    lines = ["order,time,total,email", "1,2024-01-01 10:00,10.00,a@example.com", "2,some day,10.00,b@example.com"]
    file.write_text("\n".join([*lines, "3,2024-01-03 10:00,ten,c@example.com", *lines[1:2], ""]))
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        "[source]\nname = 'till'\nkind = 'pos'\n[events]\nname = 'Order Completed'\n[columns]\n"
        "order_id = 'order'\ntimestamp = 'time'\nrevenue = 'total'\nemail = 'email'\n"
    )
    import_files(workspace, ImportRequest(files=(str(file),), format="auto", source="till"))
    answer = ask_quality(open_workspace(workspace.folder), QualitySpec())
    (row,) = answer.table.to_pylist()
    (record,) = Lake(workspace.lake).imports()
    assert (row["rows"], row["rejected"], row["files"]) == (record.rows, record.rejected, 1)
    assert row["rejected"] >= 1
    assert sum(one["rows"] for one in answer.tables["rejected"].to_pylist()) == row["rejected"]
    assert row["last_import"] == record.imported_at
