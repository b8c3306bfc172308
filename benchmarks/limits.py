"""What the machine itself allows: memory, hashing, disk sync, sort, and the parsers that imports rest on.

    python -m benchmarks.limits WORK [--parquet F] [--csv F] [--ndjson F]

prints one JSON object; rates are the median of several runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pyarrow.csv
import pyarrow.parquet

SCAN_BYTES = 1 << 30
WRITE_BYTES = 256 << 20
HASH_BYTES = 256 << 20
SORT_ROWS = 5_000_000


def seconds(task: Callable[[], object], runs: int = 5) -> float:
    """Median wall time of `task` after one run that does not count."""
    task()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        task()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def memory_scan(threads: int) -> float:
    """Bytes per second that numpy reads from memory when it adds up numbers, over all threads."""
    parts = np.array_split(np.ones(SCAN_BYTES // 8, dtype=np.int64), threads)
    with ThreadPoolExecutor(threads) as pool:
        return SCAN_BYTES / seconds(lambda: sum(pool.map(np.sum, parts)))


def memory_copy(threads: int) -> float:
    """Bytes per second that numpy copies from memory to memory, over all threads."""
    parts = [(part, np.empty_like(part)) for part in np.array_split(np.ones(SCAN_BYTES // 8, dtype=np.int64), threads)]
    with ThreadPoolExecutor(threads) as pool:
        return SCAN_BYTES / seconds(lambda: list(pool.map(lambda pair: np.copyto(pair[1], pair[0]), parts)))


def sha256() -> float:
    """Bytes per second of SHA-256 in one thread, of large content."""
    content = os.urandom(HASH_BYTES)
    return HASH_BYTES / seconds(lambda: hashlib.sha256(content).digest())


def disk_sync(folder: Path) -> dict[str, float]:
    """Milliseconds of a small synced write, and bytes per second of a large one."""
    small, large, block = folder / "sync-small", folder / "sync-large", os.urandom(1 << 20)

    def write(path: Path, content: bytes, times: int) -> None:
        with path.open("wb") as stream:
            for _ in range(times):
                stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())

    try:
        return {
            "fsync_ms": 1_000 * seconds(lambda: write(small, b"x" * 4096, 1), runs=21),
            "write_bytes_per_s": WRITE_BYTES / seconds(lambda: write(large, block, WRITE_BYTES // len(block)), runs=3),
        }
    finally:
        small.unlink(missing_ok=True)
        large.unlink(missing_ok=True)


def sort_rows(folder: Path, threads: int) -> float:
    """Rows per second that DuckDB sorts by person and time: what bounds a build from below."""
    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {threads}")
        connection.execute("SET temp_directory = ?", [str(folder / "duckdb")])
        connection.execute(
            "CREATE TABLE rows AS SELECT hash(range) % 250000 AS person, hash(range + 1) AS time, range AS row "
            f"FROM range({SORT_ROWS})"
        )
        task = "CREATE OR REPLACE TABLE sorted AS SELECT * FROM rows ORDER BY person, time"
        return SORT_ROWS / seconds(lambda: connection.execute(task), runs=3)


def parsers(parquet: Path | None, csv: Path | None, ndjson: Path | None) -> dict[str, float]:
    """Rows per second of the bare parsers, with nothing done to the rows."""
    rates: dict[str, float] = {}
    if parquet:
        rows = pyarrow.parquet.ParquetFile(parquet).metadata.num_rows
        rates["parquet_rows_per_s"] = rows / seconds(lambda: pyarrow.parquet.read_table(parquet), runs=3)
    if csv:
        rows = pyarrow.csv.read_csv(csv).num_rows
        rates["csv_rows_per_s"] = rows / seconds(lambda: pyarrow.csv.read_csv(csv), runs=3)
    if ndjson:
        with ndjson.open("rb") as stream:
            lines = stream.readlines(256 << 20)
        decode = msgspec.json.Decoder().decode
        rates["json_rows_per_s"] = len(lines) / seconds(lambda: [decode(line) for line in lines], runs=3)
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    for name in ("--parquet", "--csv", "--ndjson"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    found = {
        "memory_scan_bytes_per_s": memory_scan(options.threads),
        "memory_copy_bytes_per_s": memory_copy(options.threads),
        "sha256_bytes_per_s": sha256(),
        "sort_rows_per_s": sort_rows(options.work, options.threads),
    }
    found |= disk_sync(options.work) | parsers(options.parquet, options.csv, options.ndjson)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
