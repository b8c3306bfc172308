"""The same questions to Retentioneering and PM4Py, from the same Parquet file, each in an environment of its own.

The others keep their data in memory as frames, so they are asked there, warm; Percorso is asked through its Python
package, warm as well. The answers are compared before a ratio is told:

- funnel: four steps in order, anything between them, no window (Retentioneering knows none); persons at each step.
  A person reaches a step where her path holds all steps up to it in this order: that is Retentioneering's definition
  in its own words, and Percorso's of an ordered funnel without a window;
- follows: directly-follows counts of all events of a person, with where paths begin and end;
- variants: all different paths of persons; how many, of how many cases, and the twenty most common.

No two events of a person have the same time in the file (`benchmarks.peer_file` sees to it), so no tool has to choose
an order.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, Run, run_command, run_module
from benchmarks.common import DATA, WORK, fresh_workspace, percorso, say

__all__ = ["PEERS", "measure_peers"]

#: Each is a process of its own. PM4Py takes frames of pandas or of Polars.
PEERS = ("retentioneering", "pm4py", "pm4py-polars")
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


def measure_peers(generated: Path, runs: int) -> dict[str, Any]:
    """Write the file, import it and ask all.

    Parameters
    ----------
    generated : Path
        A workspace whose resolved persons become the file that all read.
    runs : int
        Warm runs of each question.
    """
    if not _PYTHON.exists():
        raise SystemExit("The other tools are not installed: `make setup-peers` first.")
    parquet = WORK / "peers.parquet"
    say("one file for all tools")
    run_module("benchmarks.peer_file", str(generated), str(parquet))
    workspace = DATA / "peers" / "workspace"
    imported, built = _import(parquet, workspace)
    found = ask_all(parquet, workspace, runs)
    found["Percorso"] |= {"import_s": imported.seconds, "build_s": built.seconds}
    return found


def _import(parquet: Path, workspace: Path) -> tuple[Run, Run]:
    shutil.rmtree(workspace, ignore_errors=True)
    fresh_workspace(workspace)
    mapping = WORK / "peers.toml"
    mapping.write_text(_MAPPING, encoding="utf-8")
    imported = percorso(workspace, "import", str(parquet), "--mapping", str(mapping))
    return imported, percorso(workspace, "build")


def ask_all(parquet: Path, workspace: Path, runs: int) -> dict[str, Any]:
    """Ask Percorso, then each of the others; raises where two answers differ.

    Raises
    ------
    RuntimeError
        Two tools answer differently: then no ratio means anything.
    """
    asked = ("|".join(STEPS), "--runs", str(runs))
    say("questions to Percorso")
    ours = _with_peak(run_module("benchmarks.peer_percorso", str(workspace), *asked))
    found: dict[str, Any] = {"events": ours["events"], "Percorso": ours}
    script = str(ROOT / "benchmarks" / "peer_questions.py")
    for peer in PEERS:
        say(f"questions to {peer}")
        found[peer] = _with_peak(run_command([str(_PYTHON), script, peer, str(parquet), *asked]))
        for question, theirs in found[peer]["questions"].items():
            if theirs["answer"] != ours["questions"][question]["answer"]:
                raise RuntimeError(f"answers differ: {question} of {peer}")
    for tool in ("Percorso", *PEERS):
        for question in found[tool]["questions"].values():
            del question["answer"]
    return found


def _with_peak(run: Run) -> dict[str, Any]:
    return {**run.json, "peak_bytes": run.peak_bytes}
