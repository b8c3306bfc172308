"""The same questions to Percorso, ClickHouse and DuckDB, in one process and in turns, so that ratios are fair.

    python -m benchmarks.questions WORKSPACE WORK [--runs 7] [--threads 2]

The other engines get the persons as Percorso resolved them, in tables sorted by person and time. The answers
are compared before anything is timed. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from chdb import session as clickhouse

import percorso
from benchmarks.question_sql import (
    clickhouse_follows_sql,
    clickhouse_funnel_sql,
    clickhouse_tables_sql,
    duckdb_follows_sql,
    duckdb_funnel_sql,
    duckdb_tables_sql,
)
from percorso.store.journey_log import FLAG_BOT, FLAG_HEAVY, Bucket, JourneyLog, open_log

STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
WINDOW = "7d"
WINDOW_US = 7 * 86_400_000_000

Ask = Callable[[], Any]
Answer = dict[Any, int]


@dataclass(frozen=True, slots=True)
class Timing:
    """Median seconds of the warm runs, and all of them."""

    median_s: float
    runs_s: list[float]


def export(log: JourneyLog, target: Path) -> int:
    """Write (person, time, event) of every identified event that analyses count by default; return how many."""
    schema = pa.schema([("person", pa.uint32()), ("time", pa.uint64()), ("event", pa.string())])
    rows, first_person = 0, 0
    with pq.ParquetWriter(target, schema) as writer:
        for bucket in log.buckets:
            batch = bucket_rows(bucket, first_person)
            writer.write_table(batch.cast(schema))
            rows += batch.num_rows
            first_person += bucket.n_persons
    return rows


def bucket_rows(bucket: Bucket, first_person: int) -> pa.Table:
    offsets = bucket.offsets()
    person = np.repeat(np.arange(bucket.n_persons, dtype=np.uint32) + np.uint32(first_person), np.diff(offsets))
    counted = (bucket.events.values("flags") & (FLAG_BOT | FLAG_HEAVY)) == 0
    table = pa.table({"person": person, "time": bucket.events.arrow("time"), "event": bucket.events.arrow("event")})
    return table.filter(pa.array(counted))


def levels_to_steps(levels: Mapping[int, int]) -> Answer:
    """Persons who reached at least each step, from persons by furthest step."""
    return {step: sum(n for level, n in levels.items() if level >= step) for step in range(1, len(STEPS) + 1)}


def percorso_asks(workspace: Path) -> dict[str, tuple[Ask, Callable[[Any], Answer]]]:
    shop = percorso.open(workspace)

    def follows(table: pa.Table) -> Answer:
        rows = table.select(["from", "to", "count"]).to_pylist()
        return {(row["from"], row["to"]): row["count"] for row in rows if row["from"] != "(start)"}

    return {
        "funnel": (
            lambda: shop.funnel(list(STEPS), within=WINDOW).table,
            lambda table: dict(enumerate(table.column("count").to_pylist(), 1)),
        ),
        "follows": (lambda: shop.flow("event", per="person", counts_only=True).table, follows),
    }


def clickhouse_asks(parquet: Path, folder: Path, threads: int) -> dict[str, dict[str, tuple[Ask, Any]]]:
    shutil.rmtree(folder, ignore_errors=True)
    session = clickhouse.Session(str(folder))
    for statement in clickhouse_tables_sql(str(parquet), threads):
        session.query(statement)

    def ask(statement: str) -> Ask:
        return lambda: json.loads(str(session.query(statement, "JSONCompact")))["data"]

    return questions(ask, clickhouse_funnel_sql(STEPS, WINDOW_US, threads), clickhouse_follows_sql(threads))


def duckdb_asks(parquet: Path, scratch: Path, threads: int) -> dict[str, dict[str, tuple[Ask, Any]]]:
    connection = duckdb.connect()
    for statement in duckdb_tables_sql(str(parquet), str(scratch), threads):
        connection.execute(statement)

    def ask(statement: str) -> Ask:
        return lambda: connection.execute(statement).fetchall()

    return questions(ask, duckdb_funnel_sql(STEPS, WINDOW_US), duckdb_follows_sql())


def questions(
    ask: Callable[[str], Ask], funnels: Mapping[str, str], follows: Mapping[str, str]
) -> dict[str, dict[str, tuple[Ask, Any]]]:
    def steps(rows: list[tuple[Any, Any]]) -> Answer:
        return levels_to_steps({int(level): int(n) for level, n in rows})

    def pairs(rows: list[tuple[str, str, Any]]) -> Answer:
        return {(before, after): int(n) for before, after, n in rows}

    return {
        "funnel": {form: (ask(statement), steps) for form, statement in funnels.items()},
        "follows": {form: (ask(statement), pairs) for form, statement in follows.items()},
    }


def measure(asks: Mapping[str, tuple[Ask, Callable[[Any], Answer]]], runs: int) -> tuple[dict[str, Timing], Answer]:
    """Check that all answers are equal, then time the askers in turns.

    Raises
    ------
    RuntimeError
        Two engines answer differently: then no ratio means anything.
    """
    answers = {label: read(ask()) for label, (ask, read) in asks.items()}
    first = next(iter(answers.values()))
    different = [label for label, answer in answers.items() if answer != first]
    if different:
        raise RuntimeError(f"answers differ: {different} from {next(iter(answers))}")
    times: dict[str, list[float]] = {label: [] for label in asks}
    for _ in range(runs):
        for label, (ask, _read) in asks.items():
            began = time.perf_counter()
            ask()
            times[label].append(time.perf_counter() - began)
    return {label: Timing(statistics.median(each), each) for label, each in times.items()}, first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    log = open_log(options.workspace / "log")
    if log is None:
        parser.error("that workspace has no journey log")
    parquet = options.work / "resolved.parquet"
    rows = export(log, parquet)
    ours = percorso_asks(options.workspace)
    theirs = {
        "ClickHouse": clickhouse_asks(parquet, options.work / "clickhouse", options.threads),
        "DuckDB": duckdb_asks(parquet, options.work / "duckdb", options.threads),
    }
    found: dict[str, Any] = {"events": rows, "steps": list(STEPS), "questions": {}}
    for question, own in ours.items():
        asks = {"Percorso": own}
        for engine, forms in theirs.items():
            asks |= {f"{engine}: {form}": ask for form, ask in forms[question].items()}
        timings, answer = measure(asks, options.runs)
        found["questions"][question] = {
            "timings": {label: asdict(timing) for label, timing in timings.items()},
            "rows": len(answer),
            "answer": list(answer.values()) if question == "funnel" else sum(answer.values()),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
