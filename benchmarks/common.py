"""What all measured steps share: folders, the command line, medians. Imports nothing heavy, see child.py."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, Run, run_command

__all__ = ["DATA", "PERCORSO", "WORK", "fresh_workspace", "median", "percorso", "repeated", "say"]

DATA = ROOT / "benchmarks" / "data"
WORK = ROOT / "benchmarks" / ".work"
PERCORSO = str(Path(sys.executable).with_name("percorso"))


def say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {text}", flush=True)


def percorso(workspace: Path, *arguments: str) -> Run:
    return run_command([PERCORSO, "-w", str(workspace), *arguments])


def fresh_workspace(workspace: Path) -> None:
    percorso(workspace, "init", "--currency", "EUR", "--timezone", "Europe/Rome", "--language", "en")


def median(runs: Sequence[Run]) -> dict[str, Any]:
    """Median seconds and largest peak of several runs."""
    return {
        "seconds": statistics.median(each.seconds for each in runs),
        "all_seconds": [each.seconds for each in runs],
        "peak_bytes": max(each.peak_bytes for each in runs),
    }


def repeated(run: Callable[[], Run], times: int) -> dict[str, Any]:
    """The same of one run, repeated."""
    return median([run() for _ in range(times)])
