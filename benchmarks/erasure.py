"""Erase one person of a workspace and say how long each part took:

    python -m benchmarks.erasure WORKSPACE [--about 50] [--more-suppressed 0]

The person is the one whose number of events comes closest to `--about`. With `--more-suppressed`, so many random
hashes of events, and a tenth of them of identifiers, are added to the suppression list, as if others had been
erased before. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from percorso.services import erasure, erasure_job
from percorso.services.workspace import Workspace, open_workspace
from percorso.store import database
from percorso.store.journey_log import JourneyLog, open_log

__all__ = ["main"]


def person_with(log: JourneyLog, about: int) -> str:
    """Id of the identified person with the number of events closest to `about`."""
    best: tuple[int, str] | None = None
    for bucket in log.buckets:
        away = np.abs(np.diff(bucket.offsets()) - about)
        known = pc.equal(bucket.persons.arrow("kind"), "identified").to_numpy(zero_copy_only=False)
        away = np.where(known, away, np.iinfo(np.int64).max)
        if len(away) and (best is None or away.min() < best[0]):
            at = int(away.argmin())
            best = int(away[at]), bucket.persons.arrow("person_id")[at].as_py().hex()
    if best is None:
        raise SystemExit("that workspace has no persons")
    return best[1]


def timed(module: Any, name: str, into: dict[str, float]) -> None:
    """Replace a function of a module by one that adds up the time it takes."""
    real: Callable[..., Any] = getattr(module, name)

    def run(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return real(*arguments, **named)
        finally:
            into[name] = into.get(name, 0.0) + time.perf_counter() - began

    setattr(module, name, run)


def erase(workspace: Workspace, about: int) -> dict[str, Any]:
    log = open_log(workspace.log)
    if log is None:
        raise SystemExit("that workspace has no journey log: build it first")
    person, spent = person_with(log, about), dict[str, float]()
    timed(erasure, "_begin", spent)
    timed(erasure_job, "erase_stored", spent)
    began = time.perf_counter()
    report = erasure.erase_person(workspace, person, kind="person", author="bench", reason="measured")
    whole = time.perf_counter() - began
    return {
        "events": report.events,
        "elsewhere": report.elsewhere,
        "whole_s": whole,
        "plan_s": spent["_begin"],
        "lake_s": spent["erase_stored"],
        "build_s": whole - spent["_begin"] - spent["erase_stored"],
    }


def suppress_more(workspace: Workspace, hashes: int) -> None:
    now = time.time_ns() // 1_000
    with database.open_database(workspace.database) as opened, opened.writing() as connection:
        rows, identifiers = ([os.urandom(16) for _ in range(n)] for n in (hashes, hashes // 10))
        database.suppressions.add_suppressions(connection, "row", rows, erased_us=now)
        database.suppressions.add_suppressions(connection, "identifier", identifiers, erased_us=now)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.erasure", description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--about", type=int, default=50, help="events")
    parser.add_argument("--more-suppressed", type=int, default=0, help="random hashes")
    options = parser.parse_args(arguments)
    workspace = open_workspace(options.workspace)
    found = erase(workspace, options.about)
    if options.more_suppressed:
        suppress_more(workspace, options.more_suppressed)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
