"""`make bench-spark` runs: one section that asks and one that builds, over few events."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.report_spark import tables
from tests.cluster.standalone import spark_home

ROOT = Path(__file__).resolve().parents[2]


def test_the_bench_asks_builds_and_tells(folder: Path) -> None:
    spark_home()
    results = folder / "bench" / "spark.json"
    sizes = ("--events", "20000", "--build-events", "20000", "--runs", "1", "--limit", "300")
    places = ("--data", str(results.parent), "--scratch", str(folder / "bench-scratch"), "--results", str(results))
    command = [sys.executable, "-m", "benchmarks.spark", "--only", "overhead,build", *sizes, *places]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=580)
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(results.read_text(encoding="utf-8"))
    build, asked = found["build"][0], found["overhead"][0]
    assert build["local"]["log"] == build["spark"]["log"]
    assert build["stored"]["trace_bytes"]
    assert build["spark"]["spark"]["shuffle_bytes"] > build["spark"]["spark"]["to_driver_bytes"] > 0
    assert build["spark"]["memory"]["executor_bytes"] >= build["spark"]["memory"]["executor_java_bytes"] // 2 > 0
    assert not asked["questions"]["funnel"]["spark"]["shuffle_bytes"]
    for one in asked["questions"].values():
        assert one["spark"]["jobs"] >= one["travelled"]["runs"] > 0
        assert one["ratio"] > 1
    assert tables(found) in ran.stdout
    assert not list((folder / "bench-scratch").iterdir())
