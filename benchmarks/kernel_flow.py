"""Directly-follows counts and variants beside the same question in DuckDB SQL, on generated events.

Run: ``.venv/bin/python benchmarks/kernel_flow.py [millions of events]``. The log is written to a temporary
folder and asked through `run_flow` and `run_variants`; DuckDB has the same events in memory as a table sorted by
person and time. Answers are checked for equality before times are told.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from percorso.analyses.flow import FlowSpec, run_flow
from percorso.analyses.spec import Scope
from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.store.journey_log import CODED_COLUMNS, LOG_FORMAT, JourneyLog, open_log, swap_manifest
from percorso.store.log_files import write_table

N_BUCKETS = 64
NAMES = (
    "Cart Viewed", "Checkout Started", "Coupon Applied", "Delivery Completed", "Order Completed", "Page Viewed",
    "Payment Failed", "Product Added", "Product List Viewed", "Product Viewed", "Products Searched", "Signed In",
)  # fmt: skip

PLAIN_SQL = """
select event as "from", following as "to", count(*) as n
from (select event, lead(event, 1, '(end)') over (partition by {case} order by time) as following from events)
group by all
"""

WHOLE_SQL = """
select event as "from", following as "to", count(*) as n, count(distinct person) as persons,
       quantile_disc(after - time, 0.5) as median, quantile_disc(after - time, 0.9) as p90
from (
    select event, person, time, lead(event, 1, '(end)') over steps as following, lead(time) over steps as after
    from events window steps as (partition by {case} order by time)
)
group by all
"""

VARIANTS_SQL = """
select path, count(*) as n
from (select journey, list(event order by time) as path from events group by journey)
group by path order by n desc limit 10
"""


def main() -> None:
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    with tempfile.TemporaryDirectory() as folder:
        log, table = generate(Path(folder), int(millions * 1e6))
        compare(log, table)


def generate(folder: Path, n_events: int) -> tuple[JourneyLog, pa.Table]:
    """A log of persons with 20 events and two journeys on average, and the same as one table."""
    rng = np.random.default_rng(7)
    weights = rng.dirichlet(np.ones(len(NAMES)) * 2)
    each, persons = n_events // N_BUCKETS, max(n_events // N_BUCKETS // 20, 1)
    metas, columns = [], []
    for index in range(N_BUCKETS):
        starts = np.concatenate([[0], np.sort(rng.choice(np.arange(1, each), persons - 1, replace=False))])
        person = np.repeat(np.arange(persons), np.diff(np.append(starts, each))).astype(np.int32)
        event = rng.choice(len(NAMES), each, p=weights).astype(np.uint8)
        moment = np.cumsum(rng.integers(1, 3_600_000_000, each))
        within = np.arange(each) - starts[person]
        journey = person * 2 + (within >= 10).astype(np.int32)
        metas.append(_write(folder, index, starts, event, moment, journey.astype(np.int32)))
        columns.append((person + index * persons, journey + 2 * index * persons, moment, event))
    nobody = _write(folder, N_BUCKETS, *(np.zeros(0, kind) for kind in (np.int64, np.uint8, np.int64, np.int32)))
    swap_manifest(
        folder,
        {"format": LOG_FORMAT, "data_version": "bench", "as_of_us": 2**60, "buckets": metas, "unidentified": nobody},
    )
    log = open_log(folder)
    assert log is not None
    whole = [np.concatenate(column) for column in zip(*columns, strict=True)]
    table = pa.table(
        {
            "person": whole[0],
            "journey": whole[1],
            "time": whole[2],
            "event": pa.DictionaryArray.from_arrays(whole[3], pa.array(NAMES)),
        }
    )
    return log, table


def _write(folder: Path, index: int, starts: Any, event: Any, moment: Any, journey: Any) -> dict[str, Any]:
    n, persons, journeys = len(event), len(starts), int(journey.max(initial=-1)) + 1
    minus_one = np.full(n, -1, np.int32)
    nothing = pa.DictionaryArray.from_arrays(np.zeros(n, np.uint8), pa.array([""]))
    coded = dict.fromkeys(CODED_COLUMNS, nothing) | {"event": pa.DictionaryArray.from_arrays(event, pa.array(NAMES))}
    events = {"time": moment, **coded, "session": minus_one, "contact": minus_one, "journey": journey}
    kind = pa.DictionaryArray.from_arrays(np.zeros(journeys, np.uint8), pa.array(["purchase"]))
    ends = np.zeros(journeys, np.int64)
    tables = {
        "events": events | {"flags": np.zeros(n, np.uint16)},
        "persons": {"start": np.asarray(starts, np.int64)},
        "journeys": {
            "person": (np.arange(journeys) // 2).astype(np.int32),
            "kind": kind,
            "intent": ends,
            "timeout": ends,
            "goal_time": ends - 1,
        },
    }
    files = {name: write_table(folder, name, pa.RecordBatch.from_pydict(body)) for name, body in tables.items()}
    return {"index": index, "n_events": n, "n_persons": persons, "files": files, "flag_counts": {}}


def compare(log: JourneyLog, table: pa.Table) -> None:
    connection = duckdb.connect(":memory:", config={"threads": 2})
    connection.register("arrow", table)
    connection.execute("create table events as select * from arrow")
    for case in ("person", "journey"):
        scope = Scope(per=case)
        plain_sql, whole_sql = PLAIN_SQL.format(case=case), WHOLE_SQL.format(case=case)
        theirs, sql_s = timed(lambda: connection.sql(plain_sql).to_arrow_table(), 3)  # noqa: B023
        ours, plain_s = timed(lambda: run_flow(FlowSpec(counts_only=True, scope=scope), log), 9)  # noqa: B023
        assert edges_of(ours.table, "count") == edges_of(theirs, "n")
        print(f"flow per {case}, counts: DuckDB {sql_s:.3f} s, Percorso {plain_s:.4f} s: {sql_s / plain_s:.0f}x")
        theirs, sql_s = timed(lambda: connection.sql(whole_sql).to_arrow_table(), 1)  # noqa: B023
        ours, whole_s = timed(lambda: run_flow(FlowSpec(scope=scope), log), 3)  # noqa: B023
        assert edges_of(ours.table, "count", "persons") == edges_of(theirs, "n", "persons")
        assert edges_of(ours.table, "median_s", "p90_s") == edges_of(theirs, "median", "p90", scale=1e6)
        print(f"with persons and times: DuckDB {sql_s:.3f} s, Percorso {whole_s:.3f} s: {sql_s / whole_s:.0f}x")
    theirs, sql_s = timed(lambda: connection.sql(VARIANTS_SQL).to_arrow_table(), 1)
    found, found_s = timed(lambda: run_variants(VariantsSpec(top=10), log), 3)
    assert [row["count"] for row in found.table.to_pylist()] == theirs.column("n").to_pylist()
    distinct = found.totals["distinct"]
    print(
        f"variants per journey ({distinct:,} distinct): DuckDB {sql_s:.3f} s; {found_s:.3f} s ({sql_s / found_s:.1f}x)"
    )


def edges_of(table: pa.Table, *columns: str, scale: float = 1) -> dict[Any, list[Any]]:
    """Values of each edge, but for those from the start, which the SQL does not ask for."""
    rows = [row for row in table.to_pylist() if row["from"] != "(start)"]
    return {(row["from"], row["to"]): [row[name] and row[name] / scale for name in columns] for row in rows}


def timed(ask: Callable[[], Any], runs: int) -> tuple[Any, float]:
    """The answer, and the median time of `runs` after one to warm up."""
    answer = ask()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return answer, sorted(times)[len(times) // 2]


if __name__ == "__main__":
    main()
