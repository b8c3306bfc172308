"""What a bench on Spark needs around it: a cluster of its own, children that end in time, and eyes on their memory.

Everything runs on this machine and listens on 127.0.0.1; what is started is ended by its id.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT
from tests.cluster.processes import command_of, descendants, end
from tests.cluster.standalone import Standalone, spark_home

__all__ = ["CORES", "Watched", "cluster", "run_child", "settings_of", "spark_log", "telling", "worked_in"]

WORKERS = ("one", "two")
#: Each worker's executor: one core, a gigabyte for Java; Python comes on top.
CORES = 1
_LOOK_S = 0.5
_DRIVER, _EXECUTOR = "SparkSubmit", "CoarseGrainedExecutorBackend"


@contextlib.contextmanager
def cluster(scratch: Path, n_workers: int) -> Iterator[Standalone]:
    """A standalone master and so many workers of one core, gone with all that they wrote at the end."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cluster-", dir=scratch) as folder:
        found = Standalone(Path(folder), spark_home())
        # Workers use this very environment: an archive would be unpacked once for each executor, and measured, too.
        found.environment = {name: os.environ[name] for name in ("PERCORSO_CACHE",) if name in os.environ}
        try:
            found.start(WORKERS[:n_workers])
            yield found
        finally:
            found.stop()


def settings_of(far: Standalone, events: Path) -> dict[str, str]:
    """What a session on the cluster is told."""
    return {
        "spark.executor.memory": "1g",
        "spark.executor.cores": str(CORES),
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.sql.execution.pyspark.python": sys.executable,
        "spark.local.dir": str(far.folder / "driver"),
        **telling(events),
    }


def telling(folder: Path) -> dict[str, str]:
    """Settings with which Spark writes down what its tasks did."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.resolve().as_uri(),
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
    }


def run_child(module: str, *arguments: str, limit_s: float, watched: Watched | None = None) -> dict[str, Any]:
    """Run a module that prints JSON, in a process of its own, and end it with all that it started when it is late.

    Raises
    ------
    RuntimeError
        It failed, or took longer.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        command = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=errors, stdin=subprocess.DEVNULL)
        if watched is not None:
            watched.driver = process.pid
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{module} took longer than {limit_s:.0f} seconds") from None
        finally:
            end([process.pid, *descendants(process.pid)])
            process.wait()
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{errors.read()[-3000:]}")
        found: dict[str, Any] = json.loads(output.read().strip().splitlines()[-1])
        return found


@dataclass
class Watched:
    """Looks twice a second how much memory a cluster's executors and their driver hold, and how much of the disk.

    Resident memory counts pages that processes share in each of them; an executor's whole counts them once (Pss).

    Attributes
    ----------
    most : dict of str to int
        Largest bytes seen: an executor's Java, one of its Python workers, both with all workers of one executor, the
        driver's Python and Java, and what the cluster's folder took of the disk.
    """

    far: Standalone
    driver: int = 0
    most: dict[str, int] = field(default_factory=dict)
    looks: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Watched:
        self._thread = threading.Thread(target=self._watch, name="watched", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        assert self._thread is not None
        self._thread.join()

    def told(self) -> dict[str, int]:
        return dict(sorted(self.most.items())) | {"looks": self.looks}

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            self.looks += 1
            self._look()
            if self.looks % 4 == 0:
                self._note("disk_bytes", _taken(self.far.folder))

    def _look(self) -> None:
        for process in [*self.far.running.values()]:
            for pid in descendants(process.pid):
                if _EXECUTOR in " ".join(command_of(pid)):
                    self._executor(pid)
        if self.driver:
            self._note("driver_python_bytes", _memory(self.driver, "Rss"))
            own = descendants(self.driver)
            self._note("driver_java_bytes", sum(_memory(pid, "Rss") for pid in own if _DRIVER in _words(pid)))

    def _executor(self, java: int) -> None:
        python = [pid for pid in descendants(java) if "python" in _words(pid)]
        self._note("executor_java_bytes", _memory(java, "Rss"))
        self._note("python_worker_bytes", max((_memory(pid, "Rss") for pid in python), default=0))
        self._note("executor_bytes", sum(_memory(pid, "Pss") for pid in (java, *python)))

    def _note(self, name: str, value: int) -> None:
        self.most[name] = max(self.most.get(name, 0), value)


def _words(pid: int) -> str:
    return " ".join(command_of(pid))


def _memory(pid: int, kind: str) -> int:
    """Bytes of a process by the kernel's own sum; 0 where it is gone."""
    with contextlib.suppress(OSError):
        text = (Path("/proc") / str(pid) / "smaps_rollup").read_text()
        known = re.search(rf"^{kind}:\s+(\d+) kB", text, re.MULTILINE)
        return int(known[1]) * 1024 if known else 0
    return 0


def _taken(folder: Path) -> int:
    """What a folder takes of the disk while others write and delete in it."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(place) / name).stat().st_blocks * 512
    return total


def spark_log(folder: Path) -> list[dict[str, Any]]:
    """What Spark wrote down of the session that ended last; the log goes."""
    files = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_mtime)
    found = []
    for path in files[-1:]:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if '"SparkListenerTaskEnd"' in line or '"SparkListenerJobStart"' in line:
                    found.append(json.loads(line))
    shutil.rmtree(folder, ignore_errors=True)
    return found


def worked_in(events: Sequence[Mapping[str, Any]], window_ms: Sequence[int]) -> dict[str, Any]:
    """Jobs, tasks and bytes of a while, by Spark's own metrics."""
    first, last = window_ms
    jobs = [one for one in events if "Job ID" in one and first <= one["Submission Time"] <= last]
    tasks = [one for one in events if "Task Info" in one and first <= one["Task Info"]["Launch Time"] <= last]
    metrics = [one.get("Task Metrics") or {} for one in tasks]
    return {
        "jobs": len(jobs),
        "tasks": len(tasks),
        "failed_tasks": sum(bool(one["Task Info"]["Failed"]) for one in tasks),
        "task_s": sum(one.get("Executor Run Time", 0) for one in metrics) / 1000,
        "longest_task_s": max((one.get("Executor Run Time", 0) for one in metrics), default=0) / 1000,
        "to_driver_bytes": sum(one.get("Result Size", 0) for one in metrics),
        "shuffle_bytes": sum(one.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0) for one in metrics),
        "shuffle_rows": sum(one.get("Shuffle Write Metrics", {}).get("Shuffle Records Written", 0) for one in metrics),
        "spilled_bytes": sum(one.get("Disk Bytes Spilled", 0) for one in metrics),
    }
