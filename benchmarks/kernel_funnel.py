"""The funnel beside ClickHouse's windowFunnel on the same made-up events: equal answers, then times.

    python -m benchmarks.kernel_funnel [--events 20000000] [--persons 1000000] [--threads 2] [--runs 5] [--flagged]

It makes a journey log without a lake and asks the analysis itself, so that the loop can be worked on without a
build; `make bench` measures the whole product. Prints what a plain scan of the columns the loop reads costs: its limit.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from chdb import session as clickhouse

from percorso.analyses.funnel import run_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.engines.buckets import map_buckets
from percorso.store.journey_log import (
    FLAG_BOT,
    LOG_FORMAT,
    Bucket,
    JourneyLog,
    open_log,
    swap_manifest,
)
from percorso.store.log_files import coded_column, write_table

DAY_US = 86_400_000_000
N_BUCKETS = 64
NAMES = (
    "Cart Viewed",
    "Checkout Started",
    "Email Opened",
    "Order Completed",
    "Page Viewed",
    "Payment Info Entered",
    "Product Added",
    "Product List Viewed",
    "Product Viewed",
    "Products Searched",
    "Signed In",
    "Store Visited",
)
SHARES = (5, 6, 5, 4, 30, 3, 8, 10, 20, 6, 2, 1)
STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
SPEC = FunnelSpec(steps=STEPS, within="7d")


def write_log(folder: Path, n_events: int, n_persons: int, bot_share: float) -> JourneyLog:
    """Events of persons at random times of 90 days, in `N_BUCKETS` buckets."""
    rng = np.random.default_rng(7)
    metas = [
        write_bucket(folder, index, n_events // N_BUCKETS, n_persons // N_BUCKETS, bot_share, rng)
        for index in range(N_BUCKETS + 1)
    ]
    manifest = {"format": LOG_FORMAT, "data_version": "made-up", "as_of_us": 90 * DAY_US}
    swap_manifest(folder, manifest | {"buckets": metas[:-1], "unidentified": metas[-1]})
    log = open_log(folder)
    assert log is not None
    return log


def write_bucket(
    folder: Path, index: int, n_events: int, n_persons: int, bot_share: float, rng: np.random.Generator
) -> dict[str, Any]:
    cuts = np.sort(rng.integers(0, n_events + 1, n_persons - 1))
    starts = np.concatenate([[0], cuts]).astype(np.int64)
    ends = np.append(starts[1:], n_events)
    person = np.repeat(np.arange(n_persons), ends - starts)
    times = rng.integers(0, 90 * DAY_US, n_events)
    times = times[np.lexsort((times, person))]
    codes = rng.choice(len(NAMES), n_events, p=np.array(SHARES) / 100)
    flags = np.where(rng.random(n_events) < bot_share, FLAG_BOT, 0).astype(np.uint16)
    events = {"time": pa.array(times), "event": coded_column(codes, pa.array(NAMES)), "flags": pa.array(flags)}
    persons = {"start": pa.array(starts), "n_events": pa.array((ends - starts).astype(np.int32))}
    files = {
        "events": write_table(folder, "events", pa.RecordBatch.from_pydict(events)),
        "persons": write_table(folder, "persons", pa.RecordBatch.from_pydict(persons)),
    }
    counts = {str(FLAG_BOT): int((flags != 0).sum())}
    return {"index": index, "n_events": n_events, "n_persons": n_persons, "files": files, "flag_counts": counts}


def load_clickhouse(log: JourneyLog, folder: Path, threads: int) -> clickhouse.Session:
    """The events that count, in a table sorted by person and time."""
    target = folder / "events.parquet"
    schema = pa.schema([("person", pa.uint32()), ("time", pa.uint64()), ("event", pa.string())])
    with pq.ParquetWriter(target, schema) as writer:
        for bucket in log.buckets:
            of_person = np.repeat(np.arange(bucket.n_persons), np.diff(bucket.offsets())) + bucket.index * 10**7
            table = pa.table(
                {"person": of_person, "time": bucket.events.arrow("time"), "event": bucket.events.arrow("event")}
            ).cast(schema)
            writer.write_table(table.filter(pa.array(bucket.events.values("flags") == 0)))
    session = clickhouse.Session(str(folder / "clickhouse"))
    session.query(f"SET max_threads = {threads}")
    session.query("CREATE DATABASE b ENGINE = Atomic")
    session.query(
        "CREATE TABLE b.events (person UInt32, time UInt64, event LowCardinality(String)) "
        "ENGINE = MergeTree ORDER BY (person, time)"
    )
    session.query(f"INSERT INTO b.events SELECT * FROM file('{target}', Parquet)")
    session.query("OPTIMIZE TABLE b.events FINAL")
    return session


def window_funnel(session: clickhouse.Session, threads: int) -> list[int]:
    conditions = ", ".join(f"event = '{step}'" for step in STEPS)
    answer = session.query(
        f"SELECT level, count() FROM (SELECT person, windowFunnel({7 * DAY_US})(time, {conditions}) AS level "
        f"FROM b.events GROUP BY person) GROUP BY level ORDER BY level SETTINGS max_threads = {threads}",
        "CSV",
    )
    levels = {int(line.split(",")[0]): int(line.split(",")[1]) for line in str(answer).split()}
    return [sum(n for level, n in levels.items() if level >= step) for step in range(1, len(STEPS) + 1)]


def scan(log: JourneyLog, threads: int) -> int:
    """Read the columns the loop reads, and nothing else."""

    def add_up(bucket: Bucket) -> int:
        codes = bucket.events.values("event")
        words = codes[: len(codes) // 8 * 8].view(np.int64)
        return int(bucket.events.values("time").sum()) + int(words.sum())

    return sum(map_buckets(log, add_up, threads=threads))


def median_s(ask: Callable[[], Any], runs: int) -> float:
    ask()
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        ask()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--flagged", action="store_true", help="let 3 % of events be bots', which are left out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = write_log(folder, options.events, options.persons, 0.03 if options.flagged else 0.0)
        session = load_clickhouse(log, folder, options.threads)
        ours = run_funnel(SPEC, log, threads=options.threads).table.column("count").to_pylist()
        theirs = window_funnel(session, options.threads)
        if ours != theirs:
            raise SystemExit(f"answers differ: {ours} {theirs}")
        print(f"{options.events:,} events, {options.persons:,} persons, {options.threads} threads: {ours}")
        loop = median_s(lambda: run_funnel(SPEC, log, threads=options.threads), options.runs)
        limit = median_s(lambda: scan(log, options.threads), options.runs)
        clickhouse_s = median_s(lambda: window_funnel(session, options.threads), options.runs)
        print(f"percorso      {loop * 1e3:8.1f} ms")
        print(f"windowFunnel  {clickhouse_s * 1e3:8.1f} ms, {clickhouse_s / loop:.1f} times as long")
        print(f"memory scan   {limit * 1e3:8.1f} ms, {loop / limit:.1f} times as fast")


if __name__ == "__main__":
    main()
