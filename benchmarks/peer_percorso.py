"""Ask Percorso the questions of :mod:`benchmarks.peers`, through its Python package.

    python -m benchmarks.peer_percorso WORKSPACE STEPS [--runs 5]

Prints one JSON object, as :mod:`benchmarks.peer_questions` does for the other tools, whose clock it uses.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import percorso
from benchmarks.peer_questions import Ask, measured, pairs_answer, variants_answer
from percorso import Result


def _pairs(answer: Result) -> dict[str, int]:
    rows = answer.table.select(["from", "to", "count"]).to_pylist()
    return pairs_answer({(row["from"], row["to"]): row["count"] for row in rows})


def _most_common(answer: Result) -> dict[str, object]:
    top = [(row["path"], row["count"]) for row in answer.table.select(["path", "count"]).to_pylist()]
    return variants_answer(answer.totals["distinct"], answer.totals["total"], top)


def asks(shop: percorso.Percorso, steps: list[str]) -> dict[str, Ask]:
    """Counts alone, as the others give them. Without a window it is all one which first step starts the clock."""
    return {
        "funnel": (
            lambda: shop.funnel(steps, within="", counts_only=True),
            lambda answer: answer.table.column("count").to_pylist(),
        ),
        "follows": (lambda: shop.flow("event", per="person", counts_only=True), _pairs),
        "variants": (lambda: shop.variants("event", per="person", top=20, counts_only=True), _most_common),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("steps", help="event names, separated by |")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    began = time.perf_counter()
    shop = percorso.open(options.workspace)
    opened = time.perf_counter() - began
    events = shop.sql("select count(*) n from events").to_pylist()[0]["n"]
    questions = measured(asks(shop, options.steps.split("|")), options.runs)
    print(json.dumps({"version": percorso.__version__, "events": events, "load_s": opened, "questions": questions}))


if __name__ == "__main__":
    main()
