"""The questions of the benchmark in other engines' words: the best plain form we know of each.

Every function returns named forms of one question. The benchmark runs them all, checks that they agree, and
compares with the fastest.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "clickhouse_follows_sql",
    "clickhouse_funnel_sql",
    "clickhouse_tables_sql",
    "duckdb_follows_sql",
    "duckdb_funnel_sql",
    "duckdb_tables_sql",
]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def clickhouse_tables_sql(parquet: str, threads: int) -> list[str]:
    """A MergeTree in the order of the question, one part, event names as a dictionary."""
    return [
        "CREATE DATABASE bench ENGINE = Atomic",
        "CREATE TABLE bench.events (person UInt32, time UInt64, event LowCardinality(String)) "
        "ENGINE = MergeTree ORDER BY (person, time)",
        f"INSERT INTO bench.events SELECT person, time, event FROM file({quoted(parquet)}, Parquet) "
        f"SETTINGS max_threads = {threads}",
        "OPTIMIZE TABLE bench.events FINAL",
    ]


def duckdb_tables_sql(parquet: str, scratch: str, threads: int) -> list[str]:
    """A native table sorted by person and time; DuckDB compresses the names by itself."""
    return [
        f"SET threads = {threads}",
        f"SET temp_directory = {quoted(scratch)}",
        f"CREATE TABLE events AS SELECT person, time, event FROM read_parquet({quoted(parquet)}) ORDER BY person, time",
    ]


def clickhouse_funnel_sql(steps: Sequence[str], window_us: int, threads: int) -> dict[str, str]:
    """Persons by the furthest step that `windowFunnel` finds, as rows (level, persons), level >= 1."""
    conditions = ", ".join(f"event = {quoted(step)}" for step in steps)
    names = ", ".join(quoted(step) for step in steps)
    forms = {}
    for label, setting in (("hash", ""), ("in order", "optimize_aggregation_in_order = 1, ")):
        forms[f"windowFunnel, aggregation {label}"] = (
            "SELECT level, count() FROM ("
            f"SELECT person, windowFunnel({window_us})(time, {conditions}) AS level FROM bench.events "
            f"WHERE event IN ({names}) GROUP BY person) WHERE level > 0 GROUP BY level ORDER BY level "
            f"SETTINGS {setting}max_threads = {threads}"
        )
    return forms


def clickhouse_follows_sql(threads: int) -> dict[str, str]:
    """Directly-follows counts as rows (event, next, count); next is '(end)' after a person's last event."""
    frame = "PARTITION BY person ORDER BY time ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"
    lead = (
        "SELECT event, following, count() FROM ("
        f"SELECT event, leadInFrame(event, 1, '(end)') OVER ({frame}) AS following FROM bench.events) "
        f"GROUP BY event, following SETTINGS max_threads = {threads}"
    )
    arrays = (
        "SELECT pair.1, pair.2, count() FROM (SELECT arrayJoin(arrayZip(names, "
        "arrayPushBack(arrayPopFront(names), toLowCardinality('(end)')))) AS pair FROM ("
        "SELECT person, groupArray(event) AS names FROM (SELECT person, event FROM bench.events ORDER BY person, time) "
        f"GROUP BY person)) GROUP BY pair.1, pair.2 SETTINGS max_threads = {threads}, optimize_aggregation_in_order = 1"
    )
    return {"leadInFrame": lead, "groupArray": arrays}


def duckdb_funnel_sql(steps: Sequence[str], window_us: int) -> dict[str, str]:
    """The same answer as `windowFunnel` in plain SQL: rows (level, persons), level >= 1."""
    return {"joins": _funnel_joins_sql(steps, window_us), "window functions": _funnel_windows_sql(steps, window_us)}


def _funnel_joins_sql(steps: Sequence[str], window_us: int) -> str:
    """For every first step, the earliest second step within the window, and so on."""
    parts = [f"reached1 AS (SELECT person, time AS began, time FROM events WHERE event = {quoted(steps[0])})"]
    for level, step in enumerate(steps[1:], 2):
        parts.append(
            f"reached{level} AS (SELECT r.person, r.began, min(e.time) AS time FROM reached{level - 1} r "
            f"JOIN events e ON e.person = r.person AND e.event = {quoted(step)} "
            f"AND e.time >= r.time AND e.time <= r.began + {window_us} GROUP BY r.person, r.began)"
        )
    levels = " UNION ALL ".join(
        f"SELECT DISTINCT person, {level} AS level FROM reached{level}" for level in range(1, len(steps) + 1)
    )
    return (
        f"WITH {', '.join(parts)}, furthest AS (SELECT person, max(level) AS level FROM ({levels}) GROUP BY person) "
        "SELECT level, count(*) FROM furthest GROUP BY level ORDER BY level"
    )


def _funnel_windows_sql(steps: Sequence[str], window_us: int) -> str:
    """For every event, the latest start from which each step has been reached so far."""
    names = ", ".join(quoted(step) for step in steps)
    over = "OVER (PARTITION BY person ORDER BY time ROWS UNBOUNDED PRECEDING)"
    parts = [
        f"chosen AS (SELECT person, time, event FROM events WHERE event IN ({names}))",
        f"level1 AS (SELECT *, max(CASE WHEN event = {quoted(steps[0])} THEN time END) {over} AS began1 FROM chosen)",
    ]
    for level, step in enumerate(steps[1:], 2):
        arrived = f"event = {quoted(step)} AND time - began{level - 1} <= {window_us}"
        parts.append(
            f"level{level} AS (SELECT *, max(CASE WHEN {arrived} THEN began{level - 1} END) {over} AS began{level} "
            f"FROM level{level - 1})"
        )
    last = len(steps)
    cases = " ".join(f"WHEN began{level} IS NOT NULL THEN {level}" for level in range(last, 0, -1))
    return (
        f"WITH {', '.join(parts)}, furthest AS (SELECT person, max(CASE {cases} ELSE 0 END) AS level "
        f"FROM level{last} GROUP BY person) "
        "SELECT level, count(*) FROM furthest WHERE level > 0 GROUP BY level ORDER BY level"
    )


def duckdb_follows_sql() -> dict[str, str]:
    """Directly-follows counts as rows (event, next, count); next is '(end)' after a person's last event."""
    return {
        "lead()": (
            "SELECT event, following, count(*) FROM (SELECT event, "
            "lead(event, 1, '(end)') OVER (PARTITION BY person ORDER BY time) AS following FROM events) "
            "GROUP BY event, following"
        )
    }
