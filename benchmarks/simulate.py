"""How fast `percorso simulate` writes the exports of its invented shop, and how much of the disk it takes meanwhile.

The files go to benchmarks/data and are removed afterwards.
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

from benchmarks.child import run_command
from benchmarks.common import DATA, PERCORSO, say

__all__ = ["SIMULATED_EVENTS", "measure_simulate"]

#: As many events as are measured: most of what the full shop has.
SIMULATED_EVENTS = 10_000_000

#: A customer of thirteen months brings some 312 events, his share of passing visitors and robots included.
EVENTS_A_CUSTOMER = 310

#: The most customers that the simulator takes.
MOST_CUSTOMERS = 38_000

#: Files while it works: as large as the result once more, and some room.
BYTES_AN_EVENT = 1_600


def measure_simulate(events: int) -> dict[str, Any]:
    """Simulate a shop of about so many events, with all cores.

    Returns
    -------
    dict
        Customers, events, seconds of the whole command, events a second, peak memory of its largest process, bytes
        written, and bytes that its folder took at most.
    """
    customers = min(MOST_CUSTOMERS, -(-events // EVENTS_A_CUSTOMER))
    folder = DATA / "simulated"
    shutil.rmtree(folder, ignore_errors=True)
    free = shutil.disk_usage(DATA).free
    if free < events * BYTES_AN_EVENT:
        raise SystemExit(f"{events * BYTES_AN_EVENT / 1e9:.0f} GB must be free to simulate {events:,} events.")
    say(f"simulating {customers:,} customers")
    try:
        with _Watched(folder) as watched:
            run = run_command([PERCORSO, "simulate", "--customers", str(customers), "--out", str(folder), "--json"])
        done = run.json
        return {
            "customers": customers,
            "events": done["events"],
            "seconds": run.seconds,
            "rate": done["events"] / run.seconds,
            "peak_bytes": run.peak_bytes,
            "written_bytes": sum(file["bytes"] for file in done["files"]),
            "disk_bytes": watched.most_bytes,
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Watched:
    """Looks once a second how much of the disk a folder takes."""

    def __init__(self, folder: Path) -> None:
        self.most_bytes = 0
        self._folder = folder
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            self.most_bytes = max(self.most_bytes, _taken(self._folder))
        self.most_bytes = max(self.most_bytes, _taken(self._folder))


def _taken(folder: Path) -> int:
    try:
        return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))
    except FileNotFoundError:  # a file went while it was looked at; so there will be less than before
        return 0
