"""The same questions to Retentioneering and PM4Py, from the same Parquet file, each in an environment of its own.

Both keep their data in memory as pandas frames, so both are asked there, warm; Percorso is asked through its Python
package, warm as well. The answers are compared before a ratio is told:

- funnel: four steps in order, no window (Retentioneering knows none); persons at each step;
- follows: directly-follows counts of all events of a person;
- variants: all different paths of persons; how many, of how many cases, and the counts of the twenty most common.
"""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, run_command, run_module
from benchmarks.common import DATA, WORK, fresh_workspace, percorso, say

__all__ = ["PEERS", "measure_peers"]

PEERS = ("retentioneering", "pm4py")
STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
_PYTHON = ROOT / ".venv-peers" / "bin" / "python"

_MAPPING = """\
source = "peers"
kind = "other"

[event]
column = "event"

[timestamp]
column = "time"
format = "unix_us"
timezone = "UTC"

[columns]
user_id = "person"
"""


def measure_peers(events: int, generated: Path, runs: int) -> dict[str, Any]:
    """Ask all three; raises where two answers differ.

    Parameters
    ----------
    events : int
    generated : Path
        A workspace with so many events, whose resolved persons become the file that all three read.
    runs : int
        Warm runs of each question.
    """
    if not _PYTHON.exists():
        raise SystemExit("The other tools are not installed: `make setup-peers` first.")
    parquet = WORK / "peers.parquet"
    say(f"one file of {events:,} events for all three")
    run_module("benchmarks.peer_file", str(generated), str(parquet))
    workspace = DATA / "peers" / "workspace"
    shutil.rmtree(workspace, ignore_errors=True)
    fresh_workspace(workspace)
    mapping = WORK / "peers.toml"
    mapping.write_text(_MAPPING, encoding="utf-8")
    percorso(workspace, "import", str(parquet), "--mapping", str(mapping))
    percorso(workspace, "build")
    say("questions to Percorso")
    ours = run_module("benchmarks.peers", str(workspace), "--runs", str(runs)).json
    found: dict[str, Any] = {"events": ours["events"], "Percorso": ours}
    for peer in PEERS:
        say(f"questions to {peer}")
        script = str(ROOT / "benchmarks" / "peer_questions.py")
        command = [str(_PYTHON), script, peer, str(parquet), "|".join(STEPS), "--runs", str(runs)]
        found[peer] = run_command(command).json
        for question, theirs in found[peer]["questions"].items():
            if theirs["answer"] != ours["questions"][question]["answer"]:
                raise RuntimeError(f"answers differ: {question} of {peer}")
    for each in (found["Percorso"], *(found[peer] for peer in PEERS)):
        for question in each["questions"].values():
            del question["answer"]
    return found


def _asks(workspace: Path) -> dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]]:
    import percorso as package

    shop = package.open(workspace)

    def pairs(table: Any) -> Any:
        rows = table.select(["from", "to", "count"]).to_pylist()
        return {
            f"{row['from']}>{row['to']}": row["count"]
            for row in rows
            if row["from"] != "(start)" and row["to"] != "(end)"
        }

    return {
        "funnel": (
            lambda: shop.funnel(list(STEPS), start="first"),
            lambda answer: answer.table.column("count").to_pylist(),
        ),
        "follows": (lambda: shop.flow("event", per="person", counts_only=True), lambda answer: pairs(answer.table)),
        "variants": (
            lambda: shop.variants("event", per="person", top=20),
            lambda answer: {
                "distinct": answer.totals["distinct"],
                "cases": answer.totals["total"],
                "top": answer.table.column("count").to_pylist(),
            },
        ),
    }


def main() -> None:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    began = time.perf_counter()
    asks = _asks(options.workspace)
    found: dict[str, Any] = {"load_s": time.perf_counter() - began, "questions": {}}
    for question, (ask, read) in asks.items():
        first = ask()
        times = []
        for _ in range(options.runs):
            began = time.perf_counter()
            ask()
            times.append(time.perf_counter() - began)
        found["questions"][question] = {
            "median_s": statistics.median(times),
            "runs_s": times,
            "answer": read(first),
        }
    import percorso as package

    found["events"] = package.open(options.workspace).sql("select count(*) n from events").to_pylist()[0]["n"]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
