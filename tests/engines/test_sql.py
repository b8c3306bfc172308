from __future__ import annotations

import contextlib
import json
import traceback
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.engines.select_only import check_select
from percorso.engines.sql import Part, SqlLimits, View, quote_text, run_select, view_sql
from percorso.errors import OperationError, SpecError, SqlRefused

LIMITS = SqlLimits(memory_bytes=200_000_000, time_s=20)
SECRET = "what stands in a file"


def views() -> dict[str, View]:
    people = pa.table({"person": ["a", "b", "a"], "n": [1, 2, 3], "at": pa.array([0, 1, 2], pa.timestamp("us", "UTC"))})
    columns = {"person": "person", "number": "n * 10", "time": '"at"'}
    parts = [Part(people.slice(0, 2), columns), Part(people.slice(2), columns)]
    return {
        "events": View(("person", "number", "time"), lambda: parts),
        "persons": View(("person",), lambda: [Part(people, {"person": "person"})]),
    }


def run(query: str, timezone: str = "UTC", **limits: Any) -> list[dict[str, Any]]:
    allowed = SqlLimits(**{"memory_bytes": LIMITS.memory_bytes, "time_s": LIMITS.time_s, **limits})
    rows: list[dict[str, Any]] = run_select(query, views(), timezone=timezone, limits=allowed).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("select sum(number) as total from events", [{"total": 60}]),
        ("SELECT SUM(Number) AS total FROM Events;", [{"total": 60}]),
        ("select person, count(*) as n from events group by all order by n desc limit 1", [{"person": "a", "n": 2}]),
        ("from events select count(distinct person) as n", [{"n": 2}]),
        ("-- how many?\nselect count(*) as n /* all */ from events", [{"n": 3}]),
        ("with x as (select * from events where number > 10) select count(*) as n from x", [{"n": 2}]),
        ("with recursive t(i) as (select 1 union select i + 1 from t where i < 3) select max(i) n from t", [{"n": 3}]),
        ("select e.number from events e join persons p using (person) where p.person = 'b'", [{"number": 20}]),
        ("select count(*) as n from events where person in (select person from persons)", [{"n": 3}]),
        ("select i from range(2) t(i) union all select unnest([7])", [{"i": 0}, {"i": 1}, {"i": 7}]),
        ("values (1)", [{"col0": 1}]),
        ("select * from (pivot events on person in ('a', 'b') using sum(number) group by time) limit 0", []),
        ("select count(*) as n from events a, lateral (select a.number) b", [{"n": 3}]),
        ("select count(*) as n from events tablesample 100%", [{"n": 3}]),
        ("select 'from ''/etc/passwd''; drop view x' as text", [{"text": "from '/etc/passwd'; drop view x"}]),
    ],
)  # fmt: skip
def test_a_select_is_answered(query: str, answer: list[dict[str, Any]]) -> None:
    assert run(query) == answer


def test_days_are_those_of_the_time_zone() -> None:
    (row,) = run("select date_trunc('day', time)::varchar as day from events limit 1", timezone="Europe/Rome")
    assert row["day"] == "1970-01-01 00:00:00+01"


@pytest.fixture
def outside(tmp_path: Path) -> dict[str, Path]:
    """Files that a query would like to read or write."""
    for name in ("f.csv", "f.json", "f.txt", "f.parquet"):
        (tmp_path / name).write_text(f"line\n{SECRET}\n")
    return {"dir": tmp_path, "csv": tmp_path / "f.csv", "json": tmp_path / "f.json", "txt": tmp_path / "f.txt"}


ATTACKS = (
    "select * from read_csv('{csv}')",
    "select * from read_csv_auto('{csv}')",
    "select * from READ_CSV('{csv}')",
    "select * from system.main.read_csv('{csv}')",
    "select * from read_text('{txt}')",
    "select * from read_blob('{txt}')",
    "select * from read_json('{json}')",
    "select * from read_json_objects('{json}')",
    "select * from read_ndjson('{json}')",
    "select * from read_parquet('{dir}/f.parquet')",
    "select * from parquet_scan('{dir}/f.parquet')",
    "select * from parquet_metadata('{dir}/f.parquet')",
    "select * from read_duckdb('{dir}/x.db')",
    "select * from sniff_csv('{csv}')",
    "select * from glob('{dir}/*')",
    "from '{csv}'",
    "from \"{csv}\"",
    "select * from '{csv}'",
    "select * from '{dir}/*.csv'",
    "select * from 'https://example.com/x.csv'",
    "select * from 's3://bucket/x.parquet'",
    "select * from read_csv('https://example.com/x.csv')",
    "select (select count(*) from '{csv}')",
    "select * from events where exists (from '{csv}')",
    "select * from events union all select * from read_csv('{csv}')",
    "select * from events join read_csv('{csv}') on true",
    "with x as (from read_csv('{csv}')) from x",
    "with \"{csv}\" as (select 1) select * from (select 1) a, read_csv('{csv}')",
    "select * from (with \"{csv}\" as (select 1 as a) from \"{csv}\") x, '{csv}' y",
    "with x as (copy (select 1) to '{dir}/out.csv') select 1",
    "with x as (insert into events values (1) returning *) from x",
    "with x as (delete from events returning *) from x",
    "with x as (update events set number = 0 returning *) from x",
    "copy events to '{dir}/out.csv'",
    "copy (select 1) to '{dir}/out.csv'",
    "copy events from '{csv}'",
    "export database '{dir}/out'",
    "import database '{dir}'",
    "attach '{dir}/x.db'",
    "attach ':memory:' as m",
    "detach memory",
    "use main",
    "set memory_limit = '99GB'",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "reset lock_configuration",
    "pragma enable_profiling",
    "pragma database_list",
    "install httpfs",
    "force install httpfs from 'https://example.com'",
    "load httpfs",
    "load '{dir}/evil.duckdb_extension'",
    "update extensions",
    "create table t as select 1",
    "create view t as select 1",
    "create or replace view events as select 1",
    "create macro m() as 1",
    "create secret (type s3)",
    "create function f() as table select 1",
    "drop view events",
    "alter table events rename to x",
    "comment on view events is 'x'",
    "insert into events values (1)",
    "delete from events",
    "truncate events",
    "merge into events using persons on true when matched then delete",
    "begin",
    "checkpoint",
    "vacuum",
    "call pragma_version()",
    "call read_csv('{csv}')",
    "prepare p as select 1",
    "execute p",
    "explain select 1",
    "explain analyze select 1",
    "describe events",
    "show tables",
    "show all tables",
    "summarize events",
    "select * from (describe events)",
    "select * from (show tables)",
    "select * from duckdb_settings()",
    "select * from duckdb_tables()",
    "select * from duckdb_secrets()",
    "select * from duckdb_functions()",
    "select * from information_schema.tables",
    "select * from pg_catalog.pg_class",
    "select * from sqlite_master",
    "select * from pragma_table_info('events')",
    "select * from main._events_0",
    "select * from _events_0",
    "select * from temp.events",
    "select * from query('select 1')",
    "select * from query_table('events')",
    "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "select * from python_arrow_scan(1, 2, 3)",
    "select * from arrow_scan(1, 2, 3)",
    "select * from pandas_scan(1)",
    "select * from seq_scan('events')",
    "select * from test_all_types()",
    "select * from which_secret('x', 's3')",
    "select current_setting('memory_limit')",
    "select getenv('HOME')",
    "select write_log('x')",
    "select nextval('x')",
    "select sleep_ms(1)",
    "select * from LIMITS",
    "select * from views",
    "select 1; select 2",
    "select 1; copy (select 1) to '{dir}/out.csv'",
    "select 1; ; install httpfs",
    "select * from (pivot events on person using sum(number))",
)  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_else_is_possible(attack: str, outside: dict[str, Path]) -> None:
    before = sorted(path.name for path in outside["dir"].iterdir())
    with pytest.raises((SqlRefused, SpecError)) as caught:
        run(attack.format(**outside))
    assert caught.value.exit_code == 2
    assert SECRET not in json.dumps(caught.value.as_dict())
    assert sorted(path.name for path in outside["dir"].iterdir()) == before


@pytest.mark.parametrize(
    "attack", [a for a in ATTACKS if a.startswith(("select", "from", "with")) and "all_types" not in a]
)
def test_the_database_is_locked_even_without_the_check(
    attack: str, outside: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the check to let it pass, the engine would still not read or write a file."""
    before = sorted(path.name for path in outside["dir"].iterdir())
    monkeypatch.setattr("percorso.engines.sql.check_select", lambda query, tables: tuple(tables))
    try:
        told = str(run(attack.format(**outside)))
    except (SqlRefused, SpecError, OperationError) as error:
        told = json.dumps(error.as_dict())
    assert SECRET not in told
    assert sorted(path.name for path in outside["dir"].iterdir()) == before


@pytest.mark.parametrize(
    ("query", "error", "says", "hint"),
    [
        ("select nubmer from events", SpecError, "nubmer", "Columns of events: person, number, time."),
        ("select * from evnts", SpecError, "There is no table 'evnts'.", "Did you mean 'events'?"),
        ("selec 1", SpecError, "This is no SQL", "Write one SELECT."),
        ("select frobnicate(1)", SpecError, "frobnicate", ""),
        ("", SpecError, "There is no statement.", "such as"),
        ("  -- nothing", SpecError, "There is no statement.", "such as"),
        ("select 1; select 2", SqlRefused, "more than one statement", "one SELECT"),
        ("copy events to 'x'", SqlRefused, "not COPY", "Nothing can be written"),
        ("with x as (copy (select 1) to 'x') select 1", SqlRefused, "not COPY", "Nothing can be written"),
        ("from read_csv('x')", SqlRefused, "read_csv is not allowed", "Tables: events, persons"),
        ("select * from main.events", SqlRefused, "'main.events' is out of reach", "without a schema"),
        ("select $1", SpecError, "", ""),
    ],
)  # fmt: skip
def test_mistakes_are_explained(query: str, error: type[Exception], says: str, hint: str) -> None:
    with pytest.raises(error) as caught:
        run(query)
    assert isinstance(caught.value, SqlRefused | SpecError)
    assert says in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "column",
    [
        "person::int",
        '(\'{"a": "\' || person)::json',
        "strptime(person, '%Y')",
        "json_extract('{}', '$[' || person)",
        "regexp_matches('x', '(' || person)",
        "date_part(person, current_date)",
        "(person || person)::uuid",
        "printf(person || '%d', 'x')",
        "case when error(person) is null then 1 end",
        "ERROR(person)",
        "main.error(person)",
    ],
)
def test_errors_hold_no_value_of_the_data(column: str) -> None:
    """Each fails on a row; DuckDB quotes it, with and without quotation marks, in errors of several classes."""
    people = pa.table({"person": ["anna.rossi"]})
    view = {"events": View(("person",), lambda: [Part(people, {"person": "person"})])}
    with pytest.raises((SpecError, SqlRefused)) as caught:
        run_select(f"select {column} from events", view, timezone="UTC", limits=LIMITS)
    assert "anna" not in "".join(traceback.format_exception(caught.value))


def test_time_is_limited() -> None:
    with pytest.raises(SpecError, match=r"took longer than 0.2 seconds"):
        run("select count(*) from range(10000000000) a, range(1000) b where hash(a.range + b.range) = 1", time_s=0.2)


def test_memory_is_limited() -> None:
    with pytest.raises(OperationError, match="needs more memory"):
        run("select list(range) from range(100000000)", memory_bytes=30_000_000)


def test_only_the_tables_named_are_prepared() -> None:
    def broken() -> list[Part]:
        raise AssertionError("not asked for")

    prepared = views() | {"persons": View(("person",), broken)}
    assert run_select("select 1 as one from events limit 1", prepared, timezone="UTC", limits=LIMITS).num_rows == 1


def test_tables_are_told_in_their_order() -> None:
    tables = {"events": ("a",), "persons": ("b",)}
    assert check_select("select * from PERSONS, events, (select 1) x", tables) == ("events", "persons")
    assert check_select("with events as (select 1) select * from events", tables) == ()


@given(st.text(max_size=30))
@settings(deadline=None)
def test_no_text_crashes_the_check(text: str) -> None:
    with contextlib.suppress(SqlRefused, SpecError):
        check_select(text, {"events": ("a",)})


@given(st.text(max_size=20))
@settings(deadline=None, max_examples=40)
def test_names_and_texts_are_quoted(text: str) -> None:
    if "\0" in text:
        return
    part = Part(pa.table({"x": [1]}), {text or "x": quote_text(text)})
    view = {"events": View((text or "x",), lambda: [part])}
    found = run_select("select * from events", view, timezone="UTC", limits=LIMITS)
    assert found.to_pylist() == [{text or "x": text}]
    assert view_sql("a", [{"b": "1"}]) == 'create view "a" as select 1 as "b" from "_a_0"'
