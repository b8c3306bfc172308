"""How long each analysis, the map and the report take, warm, in one process over one opened log.

    python -m benchmarks.analyses WORKSPACE [--runs 3] [--only map,kpis]

Prints one JSON object: median wall seconds and processor seconds of each question with its target, and what the memory
of the machine could do: the events table of all buckets read once, in all cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import percorso
from percorso.engines.buckets import map_buckets
from percorso.reports.spec import ReportSpec
from percorso.services.report import make_report
from percorso.services.workspace import open_workspace
from percorso.store.journey_log import Bucket, JourneyLog, open_log

#: What every analysis is meant to take at most, at 20 million events on two cores.
TARGETS_S = {"map": 3.0, "report": 20.0}
TARGET_S = 1.0

#: A rule of persons, as a persona would have it.
PERSONA = 'n_orders >= 2 and count(event = "Product Viewed") >= 3 within 90d'


def questions(shop: percorso.Percorso) -> dict[str, Callable[[], Any]]:
    """Each question by its name."""
    return {
        "touchpoints": shop.touchpoints,
        "channels": shop.channels,
        "places": shop.places,
        "stages": shop.stages,
        "journeys": shop.journeys,
        "retention": shop.retention,
        "weekly retention of activity": lambda: shop.retention(start="activity", back="activity", unit="week"),
        "lifecycle": shop.lifecycle,
        "suggest timeout": shop.suggest_timeout,
        "kpis": shop.kpis,
        "compared kpis": lambda: shop.kpis(last="90d", compare="previous"),
        "channels of a persona": lambda: shop.channels(persons=PERSONA),
        "map": shop.map,
    }


def timed(ask: Callable[[], Any], runs: int) -> dict[str, Any]:
    """Median wall and processor seconds of warm runs."""
    ask()
    walls, cpus = [], []
    for _ in range(runs):
        began, cpu = time.perf_counter(), time.process_time()
        ask()
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
    return {"median_s": statistics.median(walls), "cpu_s": statistics.median(cpus), "runs_s": walls}


def read_all(log: JourneyLog) -> int:
    """Bytes of the hot columns of all events, each read once."""

    def task(bucket: Bucket) -> int:
        seen = 0
        for name in bucket.events.names:
            values = bucket.events.values(name)
            np.add.reduce(values.view(np.uint8), dtype=np.uint8)
            seen += values.nbytes
        return seen

    return sum(map_buckets(log, task))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    log = open_log(options.workspace / "log")
    if log is None:
        parser.error("that workspace has no journey log")
    shop = percorso.open(options.workspace)
    asked = questions(shop)
    asked["report"] = lambda: make_report(open_workspace(options.workspace), ReportSpec())
    only = [name for name in options.only.split(",") if name]
    found: dict[str, Any] = {"events": sum(bucket.n_events for bucket in log.buckets), "cores": os.cpu_count()}
    found["questions"] = {
        name: timed(ask, options.runs) | {"target_s": TARGETS_S.get(name, TARGET_S)}
        for name, ask in asked.items()
        if not only or name in only
    }
    found["memory"] = timed(lambda: read_all(log), options.runs) | {"bytes": read_all(log)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
