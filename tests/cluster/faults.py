"""What can happen to a cluster while it works: done by a test, to processes of its own cluster alone."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from tests.cluster.processes import folder_of, wait_for
from tests.cluster.standalone import Standalone

__all__ = ["beside", "executor_in", "kill", "kill_worker", "worker_of"]

T = TypeVar("T")


def beside(ask: Callable[[], T]) -> Future[T]:
    """What `ask` says, in another thread: the test goes on meanwhile."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(ask())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def worker_of(cluster: Standalone, place: Path) -> str:
    """The worker in whose folder a task works."""
    return place.resolve().relative_to(cluster.folder.resolve()).parts[0]


def executor_in(cluster: Standalone, place: Path) -> int:
    """The executor that works in a folder: its Java process."""
    worker = worker_of(cluster, place)
    return next(pid for pid in cluster.executors(worker) if (own := folder_of(pid)) and own.samefile(place))


def kill(pid: int) -> None:
    """At once, without a word."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_worker(cluster: Standalone, worker: str) -> None:
    """The worker's process; its executors notice and go by themselves. Until the master knows."""
    before = cluster.alive()
    kill(cluster.running[worker].pid)
    cluster.forget(worker)
    wait_for("the master to notice", lambda: cluster.alive() == before - 1)
