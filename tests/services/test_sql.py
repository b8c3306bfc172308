from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from percorso.analyses.flow import FlowSpec, run_flow
from percorso.engines.sql import SqlLimits, run_select
from percorso.errors import SpecError, SqlRefused
from percorso.services import sql as service
from percorso.services.build import fresh_log
from percorso.services.sql import run_sql
from percorso.services.sql_views import PERSONAL_COLUMNS, TABLES, log_views
from percorso.services.workspace import Workspace
from percorso.store.journey_log import FLAG_BOT, JourneyLog
from tests.docs_tables import DOCS, code_spans, table
from tests.lake_builder import event
from tests.log_builder import DAY, HOUR, Journey, Row, build_test_log
from tests.workspaces import make_workspace

PAGE = "reference/sql.md"
ANNA, BRUNO = "anna@posta.example", "bruno@posta.example"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Anna buys twice, with two addresses; Bruno looks; nobody pays cash; an order is cancelled, one comes back."""
    till = {"source": "till", "source_kind": "pos", "ref_space": "till"}
    euro = {"currency": "EUR"}
    rows = [
        event(
            "2024-03-01 10:00",
            "Product Viewed",
            user_id="u1",
            anonymous_id="browser-1",
            url="https://shop.example/p?e=anna",
        ),
        event("2024-03-01 10:10", "Order Completed", email=ANNA, user_id="u1", order_id="1", value=1250, **euro),
        event("2024-03-02 10:00", "Order Cancelled", user_id="u1", order_id="1"),
        event("2024-03-20 10:00", "Order Completed", user_id="u1", order_id="2", value=5000, currency="JPY"),
        event("2024-03-22 10:00", "Order Returned", user_id="u1", order_id="2"),
        event("2024-03-25 10:00", "Product Viewed", email=BRUNO, properties='{"note": "for bruno"}'),
        event("2024-03-25 11:00", "Order Completed", value=990, order_id="9", **euro, **till),
    ]
    return make_workspace(tmp_path_factory.mktemp("shop"), rows)


def rows_of(shop: Workspace, query: str, **options: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = run_sql(shop, query, **options).to_pylist()
    return rows


def test_amounts_are_in_units_of_their_currency(shop: Workspace) -> None:
    rows = rows_of(shop, "select value, currency from events where value is not null order by time")
    assert [(row["value"], row["currency"]) for row in rows] == [
        (Decimal("12.50"), "EUR"),
        (Decimal("5000.00"), "JPY"),
        (Decimal("9.90"), "EUR"),
    ]


def test_receipts_of_nobody_are_there(shop: Workspace) -> None:
    rows = rows_of(shop, "select person, place, is_order from events where value = 9.9")
    assert rows == [{"person": None, "place": "store", "is_order": True}]


def test_journeys_have_their_outcome(shop: Workspace) -> None:
    rows = rows_of(shop, "select kind, outcome, count(*) as n from journeys group by all order by all")
    assert [tuple(row.values()) for row in rows] == [
        ("order", "cancelled", 1),
        ("order", "returned", 1),
        ("purchase", "converted", 2),
        ("purchase", "open", 1),
    ]


def test_tables_join_by_their_numbers(shop: Workspace) -> None:
    rows = rows_of(
        shop,
        """select e.person = j.person and j.person = p.person as same, j.kind, count(*) as n,
            count(s.session_no) as sessions
        from events e join journeys j using (journey_no) join persons p on p.person = e.person
        left join sessions s using (session_no) group by all order by kind""",
    )
    assert rows == [
        {"same": True, "kind": "order", "n": 2, "sessions": 2},
        {"same": True, "kind": "purchase", "n": 4, "sessions": 4},
    ]
    assert rows_of(shop, "select count(*) as n, count(distinct journey_no) as d from journeys") == [{"n": 5, "d": 5}]


def test_times_are_of_the_workspaces_zone(shop: Workspace) -> None:
    query = "select strftime(min(time), '%H:%M') as text from events"
    assert rows_of(shop, query) == [{"text": "11:00"}]
    assert rows_of(shop, query, timezone="UTC") == [{"text": "10:00"}]


@pytest.fixture(scope="module")
def service_shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A late parcel and calls about it; a till receipt of nobody; an answer to a survey."""
    order = {"order_id": "1", "user_id": "u1"}
    promise = '{"promised_delivery": "2024-03-04", "accepts_marketing": true}'
    call = '{"duration": 95, "reason": "where is it"}'
    call_centre = {"source": "calls", "source_kind": "support", "ticket_id": "t1"}
    till = {"source": "till", "source_kind": "pos", "ref_space": "till"}
    rows = [
        event("2024-03-01 10:00", "Order Completed", value=1000, currency="EUR", properties=promise, **order),
        event("2024-03-05 10:00", "Call Ended", user_id="u1", properties=call, **call_centre),
        event("2024-03-05 11:00", "Call Ended", user_id="u1", properties='{"duration": "1:05"}', **call_centre),
        event("2024-03-06 09:00", "Order Delivered", source="post", source_kind="delivery", **order),
        event("2024-03-07 09:00", "Order Refunded", value=250, currency="EUR", **order),
        event("2024-03-08 09:00", "Survey Answered", user_id="u1", score=9.0, properties='{"survey": "NPS"}'),
        event("2024-03-09 09:00", "Order Completed", value=700, currency="JPY", order_id="7", loyalty_id=None, **till),
    ]
    return make_workspace(tmp_path_factory.mktemp("service"), rows)


def test_orders_tell_promise_delivery_and_contact(service_shop: Workspace) -> None:
    rows = rows_of(
        service_shop,
        """select status, value, refunded, epoch_us(promised_time) as promised, is_late, is_contacted, person is null as
        nobodys, strftime(contacted_time, '%d %H:%M') as contacted from orders order by time""",
    )
    end_of_day = 1709593200_000_000 - 1  # 5 March, midnight in Rome
    assert rows == [
        {
            "status": "part_refunded",
            "value": Decimal("10.00"),
            "refunded": Decimal("2.50"),
            "promised": end_of_day,
            "is_late": True,
            "is_contacted": True,
            "nobodys": False,
            "contacted": "05 11:00",
        },
        {
            "status": "live",
            "value": Decimal("700.00"),
            "refunded": Decimal("0.00"),
            "promised": None,
            "is_late": None,
            "is_contacted": False,
            "nobodys": True,
            "contacted": None,
        },
    ]


def test_details_stand_by_event(service_shop: Workspace) -> None:
    rows = rows_of(
        service_shop,
        """select event, duration_s, reason, survey, score, consent_email, consent_sms, person is not null as known,
        talk_no, order_no is not null as of_order from details order by time""",
    )
    talks = [row.pop("talk_no") for row in rows]
    assert talks[1] == talks[2] is not None
    assert talks[0] is talks[3] is None
    assert [tuple(row.values()) for row in rows] == [
        ("Order Completed", None, None, None, None, True, None, True, True),
        ("Call Ended", 95.0, "where is it", None, None, None, None, True, True),
        ("Call Ended", 65.0, None, None, None, None, None, True, True),
        ("Survey Answered", None, None, "nps", 9.0, None, None, True, False),
    ]


def personal_values(rows: object) -> list[str]:
    return [value for value in (ANNA, BRUNO, "u1", "browser-1", "shop.example", "for bruno") if f"{value}" in str(rows)]


@pytest.mark.parametrize("name", TABLES)
def test_nobody_is_named(shop: Workspace, name: str) -> None:
    assert personal_values(rows_of(shop, f"select * from {name}")) == []


def test_personal_data_are_shown_on_request(shop: Workspace) -> None:
    persons = rows_of(shop, "select * from persons order by n_orders desc", personal=True)
    assert (persons[0]["email"], persons[0]["user_id"], persons[0]["anonymous_id"]) == ([ANNA], ["u1"], ["browser-1"])
    assert (persons[1]["email"], persons[1]["user_id"]) == ([BRUNO], None)
    events = rows_of(shop, "select url, properties, message_id from events order by time", personal=True)
    assert events[0]["url"] == "https://shop.example/p?e=anna"
    assert events[-2]["properties"] == '{"note": "for bruno"}'
    joined = rows_of(
        shop,
        "select list_transform(email, lambda m: upper(m)) as mail from persons where n_orders > 1",
        personal=True,
    )
    assert joined == [{"mail": [ANNA.upper()]}]


def test_the_lake_is_read_only_for_identifiers(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(*_: object) -> None:
        raise AssertionError("the lake is read")

    monkeypatch.setattr(service, "_read_identifiers", unread)
    assert rows_of(shop, "select person from persons", personal=True)
    with pytest.raises(AssertionError, match="the lake is read"):
        rows_of(shop, "select * from persons", personal=True)


def test_hidden_columns_are_told(shop: Workspace) -> None:
    with pytest.raises(SpecError) as caught:
        rows_of(shop, "select email from persons")
    assert "--personal" in caught.value.hint
    with pytest.raises(SqlRefused):
        rows_of(shop, "select * from read_text('/etc/hostname')", personal=True)


def test_counts_agree_with_the_analyses(shop: Workspace) -> None:
    """Flow's first edges, in SQL."""
    edges = run_flow(FlowSpec(), fresh_log(shop)).table.to_pylist()
    expected = {row["to"]: row["count"] for row in edges if row["from"] == "(start)"}
    rows = rows_of(
        shop,
        """select event, count(*) as n from (
            select event, row_number() over (partition by journey_no order by time) as i
            from events where journey_no is not null
        ) where i = 1 group by all""",
    )
    assert {row["event"]: row["n"] for row in rows} == expected


# ------------------------------------------------------------------------------------------ views over any log


@pytest.fixture
def log(tmp_path: Path) -> JourneyLog:
    rows = [
        Row(person="anna", time=-5, event="home", journey="j", contact=3, session="s", coded={"prop.size": "L"}),
        Row(person="anna", time=HOUR, event="order", journey="j", value=1_234_567, coded={"currency": "KWD"}, score=4),
        Row(person="bea", time=DAY, event="home", flags=FLAG_BOT, value=5, coded={"currency": "EUR"}),
    ]
    journeys = [Journey(person="anna", name="j", goal_time=HOUR, value=-100, currency="EUR")]
    return build_test_log(tmp_path, rows, journeys=journeys)


def ask(log: JourneyLog, query: str) -> list[dict[str, Any]]:
    limits = SqlLimits(memory_bytes=500_000_000, time_s=30)
    rows: list[dict[str, Any]] = run_select(query, log_views(log), timezone="UTC", limits=limits).to_pylist()
    return rows


def test_decimals_have_as_many_places_as_any_currency_needs(log: JourneyLog) -> None:
    rows = ask(log, "select value, currency from events order by time")
    assert [row["value"] for row in rows] == [None, Decimal("1234.567"), Decimal("0.050")]
    assert str(rows[2]["value"]) == "0.050"
    assert ask(log, "select value from journeys")[0]["value"] == Decimal("-1.00")


def test_columns_are_decoded(log: JourneyLog) -> None:
    (row, *_) = ask(log, "select *, epoch_us(time) as us from events order by time")
    assert (row["event"], row["us"], row["prop_size"], row["contact_no"] & 0xFFFFFFFF) == ("home", -5, "L", 3)
    assert row["place"] is None
    assert row["score"] is None
    assert ask(log, "select sum(score) as s from events") == [{"s": 4.0}]
    assert [r["is_bot"] for r in ask(log, "select is_bot from events order by time")] == [False, False, True]
    assert ask(log, "select count(*) as n, count(distinct person) as p from events") == [{"n": 3, "p": 2}]


@pytest.mark.parametrize("name", TABLES)
def test_no_column_needs_quotes(log: JourneyLog, name: str) -> None:
    for column in log_views(log)[name].columns:
        assert ask(log, f"select {column} from {name} where {column} is null limit 0") == []


@pytest.mark.parametrize("name", TABLES)
def test_columns_are_known_beforehand(log: JourneyLog, name: str) -> None:
    limits = SqlLimits(memory_bytes=500_000_000, time_s=30)
    found = run_select(f"select * from {name}", log_views(log), timezone="UTC", limits=limits)
    assert log_views(log)[name].columns == tuple(found.column_names)


# ------------------------------------------------------------------------------------------------------- docs


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_documented(shop: Workspace, name: str) -> None:
    documented = [code_spans(row[0])[0] for row in table(PAGE, name)]
    assert documented == run_sql(shop, f"select * from {name} limit 0").column_names


def test_personal_columns_are_documented(shop: Workspace) -> None:
    documented = {row[0]: tuple(code_spans(row[1])) for row in table(PAGE, "Personal data")}
    assert documented == PERSONAL_COLUMNS
    for name, columns in PERSONAL_COLUMNS.items():
        usual = run_sql(shop, f"select * from {name} limit 0").column_names
        assert run_sql(shop, f"select * from {name} limit 0", personal=True).column_names == [*usual, *columns]


def documented_queries() -> list[str]:
    text = (DOCS / PAGE).read_text(encoding="utf-8")
    in_quotes = re.findall(r'sql\(?\s?"(select[^"]*)"', text)
    return [*in_quotes, *re.findall(r"```sql\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("query", documented_queries())
def test_documented_queries_run(shop: Workspace, query: str) -> None:
    assert run_sql(shop, query, personal=True).num_columns >= 1


def test_there_are_documented_queries() -> None:
    assert len(documented_queries()) == 9
