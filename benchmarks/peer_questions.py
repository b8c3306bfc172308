"""Ask another tool's library the questions of :mod:`benchmarks.peers`; runs in the environment of the peers.

    .venv-peers/bin/python benchmarks/peer_questions.py retentioneering|pm4py|pm4py-polars PARQUET STEPS [--runs 5]

Loading and preparing the data is timed apart from the questions, which are asked of data that stand ready in
memory. Prints one JSON object. Imports nothing of Percorso.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

# Retentioneering reports each call to its makers if it finds this package. Here it finds none.
sys.modules["posthog"] = None  # type: ignore[assignment]

#: Where paths begin and end, in every answer to "follows".
START, END = "(start)", "(end)"

#: A question, and how its answer becomes one that can be compared.
Ask = tuple[Callable[[], Any], Callable[[Any], Any]]


def pairs_answer(pairs: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Directly-follows counts as JSON has them; pairs that never occur are left out."""
    return {f"{source}>{target}": int(count) for (source, target), count in pairs.items() if count}


def variants_answer(distinct: int, cases: int, top: list[tuple[list[str], int]]) -> dict[str, Any]:
    """How many paths and cases, and the most common paths.

    Of paths as frequent as the last of `top`, any may be the one that is there: of these only the count is told.
    """
    last = top[-1][1]
    paths = sorted((count, path) for path, count in top if count > last)
    return {"distinct": distinct, "cases": cases, "counts": [count for _, count in top], "paths": paths}


def measured(asks: Mapping[str, Ask], runs: int) -> dict[str, Any]:
    """Each question asked once to warm up and to read its answer, then `runs` times; getting rid of it is not timed."""
    found = {}
    for question, (ask, read) in asks.items():
        answer = read(ask())
        times = []
        for _ in range(runs):
            began = time.perf_counter()
            given = ask()
            times.append(time.perf_counter() - began)
            del given
        found[question] = {"median_s": statistics.median(times), "runs_s": times, "answer": answer}
    return found


def retentioneering_asks(parquet: str, steps: list[str]) -> dict[str, Ask]:
    """`funnel_data` and `transition_graph_data`, which count and draw nothing, over the three columns they need."""
    import pandas as pd
    from retentioneering import Eventstream

    frame = pd.read_parquet(parquet)
    frame["timestamp"] = pd.to_datetime(frame.pop("time"), unit="us")
    stream = Eventstream(frame.rename(columns={"person": "user_id"}))
    ends = {"path_start": START, "path_end": END}

    def pairs(matrix: Any) -> dict[str, int]:
        counts = matrix.rename(index=ends, columns=ends).stack().to_dict()
        return pairs_answer(counts)

    return {
        "funnel": (
            lambda: stream.funnel_data(steps=steps),
            lambda answer: [step["unique_paths"] for step in answer["steps"]],
        ),
        "follows": (lambda: stream.transition_graph_data(edge_weight="count"), pairs),
    }


def pandas_log(parquet: str) -> Any:
    """The log as PM4Py has it in a pandas frame."""
    import pandas as pd
    import pm4py

    frame = pd.read_parquet(parquet)
    frame["time"] = pd.to_datetime(frame["time"], unit="us", utc=True)
    frame["person"] = frame["person"].astype(str)
    return pm4py.format_dataframe(frame, case_id="person", activity_key="event", timestamp_key="time")


def polars_log(parquet: str) -> Any:
    """The log as PM4Py has it in a Polars frame, which it reads and sorts here and keeps in memory."""
    import pm4py
    import polars as pl

    frame = pl.scan_parquet(parquet).with_columns(pl.from_epoch("time", time_unit="us"))
    return pm4py.format_dataframe(frame, case_id="person", activity_key="event", timestamp_key="time")


def pm4py_asks(log: Any) -> dict[str, Ask]:
    import pm4py

    def pairs(answer: Any) -> dict[str, int]:
        follows, starts, ends = answer
        all_pairs = {**follows, **{(START, event): count for event, count in starts.items()}}
        return pairs_answer(all_pairs | {(event, END): count for event, count in ends.items()})

    def most_common(answer: dict[tuple[str, ...], int]) -> dict[str, Any]:
        common = sorted(answer.items(), key=lambda item: -item[1])[:20]
        return variants_answer(len(answer), sum(answer.values()), [(list(path), int(n)) for path, n in common])

    return {
        "follows": (lambda: pm4py.discover_dfg(log), pairs),
        "variants": (lambda: pm4py.get_variants(log), most_common),
    }


ASKS: dict[str, Callable[[str, list[str]], dict[str, Ask]]] = {
    "retentioneering": retentioneering_asks,
    "pm4py": lambda parquet, _: pm4py_asks(pandas_log(parquet)),
    "pm4py-polars": lambda parquet, _: pm4py_asks(polars_log(parquet)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=tuple(ASKS))
    parser.add_argument("parquet")
    parser.add_argument("steps", help="event names, separated by |")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    began = time.perf_counter()
    asks = ASKS[options.peer](options.parquet, options.steps.split("|"))
    loaded = time.perf_counter() - began
    questions = measured(asks, options.runs)
    print(json.dumps({"version": version(options.peer.split("-")[0]), "load_s": loaded, "questions": questions}))


if __name__ == "__main__":
    main()
