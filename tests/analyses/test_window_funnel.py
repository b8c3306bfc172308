"""The funnel against ClickHouse's windowFunnel (chdb), on random and on real logs.

windowFunnel lets one event be two steps, so steps here are distinct names. It takes simultaneous events by step, as
we do.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import chdb
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from percorso.analyses.funnel import run_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.settings.durations import parse_duration_us
from tests.analyses.funnel_logs import counts_of, random_rows
from tests.log_builder import Row, build_test_log


def window_funnel(folder: Path, rows: Sequence[Row], steps: Sequence[str], within: str) -> list[int]:
    """Persons who reached each step, by ClickHouse."""
    file = folder / "rows.parquet"
    columns = {
        "person": [row.person for row in rows],
        "time": pa.array([row.time for row in rows], pa.uint64()),
        "event": [row.event for row in rows],
    }
    pq.write_table(pa.table(columns), file)
    conditions = ", ".join(f"event = '{step}'" for step in steps)
    answer = chdb.query(
        f"SELECT level, count() AS n FROM (SELECT person, "
        f"windowFunnel({parse_duration_us(within)})(time, {conditions}) AS level "
        f"FROM file('{file}', Parquet) GROUP BY person) GROUP BY level",
        "JSONCompact",
    )
    levels = {int(level): int(n) for level, n in json.loads(str(answer))["data"]}
    return [sum(n for level, n in levels.items() if level >= step) for step in range(1, len(steps) + 1)]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("coarse", [True, False])
def test_random_logs(tmp_path: Path, seed: int, coarse: bool) -> None:
    rows = random_rows(seed, 3000, names="ABCDEFG", n_persons=150, coarse=coarse)
    log = build_test_log(tmp_path / "log", rows)
    for steps, within in ((("A", "B", "C", "D"), "1d"), (("B", "A"), "5h"), (("A", "B", "C", "D", "E"), "3d")):
        ours = run_funnel(FunnelSpec(steps=steps, within=within), log)
        assert counts_of(ours) == window_funnel(tmp_path, rows, steps, within)


def real_rows(file: Path) -> list[Row]:
    with gzip.open(file) as stream:
        table = pa_csv.read_csv(stream, convert_options=pa_csv.ConvertOptions(column_types={"timestamp": pa.string()}))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    columns = (table.column(name).to_pylist() for name in ("user_id", "event", "timestamp"))
    return [
        Row(
            person=str(user),
            event=event,
            time=(datetime.fromisoformat(text).replace(tzinfo=UTC) - epoch) // timedelta(microseconds=1),
        )
        for user, event, text in zip(*columns, strict=True)
    ]


@pytest.mark.parametrize(
    ("folder", "file", "steps"),
    [
        (
            "retentioneering_simple_shop",
            "simple-onlineshop.csv.gz",
            ("catalog", "cart", "delivery_choice", "payment_choice", "payment_done"),
        ),
        ("retentioneering_ecom", "ecom.csv.gz", ("catalog", "product_view", "add_to_cart", "cart", "shipping_details")),
    ],
)
def test_real_logs(data: Callable[[str], Path], tmp_path: Path, folder: str, file: str, steps: tuple[str, ...]) -> None:
    rows = real_rows(data(folder) / file)
    log = build_test_log(tmp_path / "log", rows)
    for within in ("30m", "7d", "90d"):
        ours = counts_of(run_funnel(FunnelSpec(steps=steps, within=within), log))
        assert ours == window_funnel(tmp_path, rows, steps, within)
        assert ours[0] > ours[-1] > 0
