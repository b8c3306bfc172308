"""Run tasks on buckets in threads of this process.

Kernels release the GIL, so threads are enough: nothing is copied or pickled.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from percorso.store.journey_log import Bucket

__all__ = ["default_threads", "map_buckets", "run_buckets"]

P = TypeVar("P")

#: Handing a part to another thread costs as much as counting some hundred thousand events.
_EVENTS_A_THREAD = 500_000


def default_threads() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def map_buckets(buckets: Sequence[Bucket], task: Callable[[Bucket], P], threads: int | None) -> Iterator[P]:
    """As `percorso.engines.buckets.map_buckets`: merges are deterministic, whatever thread ends first."""
    n_threads = min(default_threads() if threads is None else threads, len(buckets))
    if n_threads <= 1:
        yield from map(task, buckets)
        return
    with ThreadPoolExecutor(n_threads, thread_name_prefix="percorso") as pool:
        futures: list[Future[P]] = [pool.submit(task, bucket) for bucket in buckets]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def run_buckets(buckets: Sequence[Bucket], task: Callable[[Sequence[Bucket]], P], threads: int | None) -> list[P]:
    """As `percorso.engines.buckets.run_buckets`: a run in each thread, this one among them, in their order."""
    if threads is None:
        # Between kernels the threads take turns: a second one pays only where kernels have enough to do.
        threads = min(default_threads(), 1 + sum(bucket.n_events for bucket in buckets) // _EVENTS_A_THREAD)
    n_threads = max(1, min(threads, len(buckets)))
    if n_threads == 1:
        return [task(buckets)]
    mine, *others = _runs(buckets, n_threads)
    with ThreadPoolExecutor(len(others), thread_name_prefix="percorso") as pool:
        theirs = [pool.submit(task, run) for run in others]
        return [task(mine), *(part.result() for part in theirs)]


def _runs(buckets: Sequence[Bucket], n_runs: int) -> list[Sequence[Bucket]]:
    """The buckets in `n_runs` runs of about equally many events."""
    ends = np.cumsum([bucket.n_events for bucket in buckets])
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, n_runs) / n_runs, side="right")
    edges = [0, *cuts.tolist(), len(buckets)]
    return [buckets[start:end] for start, end in itertools.pairwise(edges)]
