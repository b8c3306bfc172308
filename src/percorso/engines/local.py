"""Run a task on every bucket of a journey log, in threads of this process.

Kernels release the GIL, so threads are enough: nothing is copied or pickled.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["default_threads", "map_buckets"]

P = TypeVar("P")


def default_threads() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def map_buckets(log: JourneyLog, task: Callable[[Bucket], P], *, threads: int | None = None) -> Iterator[P]:
    """Yield ``task(bucket)`` for every bucket, in the order of the buckets.

    The order makes merges deterministic, whatever thread ends first. When a task fails, those that have
    not begun are cancelled and its error is raised; the same when the caller stops iterating.

    Parameters
    ----------
    log : JourneyLog
    task : callable
        Called with one bucket; must not change anything it shares with other calls.
    threads : int, optional
        Default: the cores this process may use. 1 runs in the calling thread.

    Yields
    ------
    P
        The task's answer, one a bucket.
    """
    n_threads = min(default_threads() if threads is None else threads, len(log.buckets))
    if n_threads <= 1:
        yield from map(task, log.buckets)
        return
    with ThreadPoolExecutor(n_threads, thread_name_prefix="percorso") as pool:
        futures: list[Future[P]] = [pool.submit(task, bucket) for bucket in log.buckets]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()
