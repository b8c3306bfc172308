"""Ask another tool's library the questions of :mod:`benchmarks.peers`; runs in the environment of the peers.

    .venv-peers/bin/python benchmarks/peer_questions.py retentioneering|pm4py PARQUET STEPS [--runs 5]

Loading and preparing the data is timed apart from the questions, which are asked of data that stand ready in
memory. Prints one JSON object. Imports nothing of Percorso.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

# Retentioneering reports each call to its makers if it finds this package. Here it finds none.
sys.modules["posthog"] = None  # type: ignore[assignment]

Ask = Callable[[], Any]


def retentioneering_asks(parquet: str, steps: list[str]) -> dict[str, tuple[Ask, Callable[[Any], Any]]]:
    import pandas as pd
    from retentioneering import Eventstream

    frame = pd.read_parquet(parquet)
    frame["timestamp"] = pd.to_datetime(frame.pop("time"), unit="us")
    stream = Eventstream(frame.rename(columns={"person": "user_id"}))
    _ = stream.df

    def pairs(matrix: Any) -> Any:
        found = {}
        for source, row in matrix.to_dict(orient="index").items():
            for target, count in row.items():
                if count and source != "path_start" and target != "path_end":
                    found[f"{source}>{target}"] = int(count)
        return found

    return {
        "funnel": (
            lambda: stream.funnel_data(steps=steps),
            lambda answer: [step["unique_paths"] for step in answer["steps"]],
        ),
        "follows": (lambda: stream.transition_graph_data(edge_weight="count"), pairs),
    }


def pm4py_asks(parquet: str, steps: list[str]) -> dict[str, tuple[Ask, Callable[[Any], Any]]]:
    import pandas as pd
    import pm4py

    frame = pd.read_parquet(parquet)
    frame["time"] = pd.to_datetime(frame["time"], unit="us", utc=True)
    frame["person"] = frame["person"].astype(str)
    log = pm4py.format_dataframe(frame, case_id="person", activity_key="event", timestamp_key="time")

    def most_common(answer: Any) -> Any:
        counts = sorted(
            (len(cases) if isinstance(cases, list) else int(cases) for cases in answer.values()), reverse=True
        )
        return {"distinct": len(counts), "cases": sum(counts), "top": counts[:20]}

    return {
        "follows": (
            lambda: pm4py.discover_dfg(log),
            lambda answer: {f"{source}>{target}": int(count) for (source, target), count in answer[0].items()},
        ),
        "variants": (lambda: pm4py.get_variants(log), most_common),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=("retentioneering", "pm4py"))
    parser.add_argument("parquet")
    parser.add_argument("steps", help="event names, separated by |")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    began = time.perf_counter()
    make = retentioneering_asks if options.peer == "retentioneering" else pm4py_asks
    asks = make(options.parquet, options.steps.split("|"))
    found: dict[str, Any] = {"version": version(options.peer), "load_s": time.perf_counter() - began, "questions": {}}
    for question, (ask, read) in asks.items():
        answer = read(ask())  # warms up
        times = []
        for _ in range(options.runs):
            began = time.perf_counter()
            ask()
            times.append(time.perf_counter() - began)
        found["questions"][question] = {"median_s": statistics.median(times), "runs_s": times, "answer": answer}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
