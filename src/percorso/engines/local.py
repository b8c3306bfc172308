"""Run a task on every bucket of a journey log, in threads of this process.

Kernels release the GIL, so threads are enough: nothing is copied or pickled.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["default_threads", "fold_buckets", "map_buckets", "run_buckets"]

P = TypeVar("P")

#: Handing a part to another thread costs as much as counting some hundred thousand events.
_EVENTS_A_THREAD = 500_000


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


def fold_buckets(
    log: JourneyLog, task: Callable[[Bucket], P], merge: Callable[[P, P], P], empty: P, *, threads: int | None = None
) -> P:
    """``task`` of every bucket, merged. Each thread takes a run of buckets and merges its own.

    What a bucket takes in a quick question is less than what handing it from thread to thread costs, so only one
    partial a thread is handed on.

    Parameters
    ----------
    log : JourneyLog
    task : callable
        As in `map_buckets`.
    merge : callable
        Associative; called in the order of the buckets.
    empty : P
        What merges without effect.
    threads : int, optional
        Default: one for every half a million events, and no more than the cores this process may use.
    """

    def fold(buckets: Sequence[Bucket]) -> P:
        found = empty
        for bucket in buckets:
            found = merge(found, task(bucket))
        return found

    return functools.reduce(merge, run_buckets(log, fold, threads=threads), empty)


def run_buckets(log: JourneyLog, task: Callable[[Sequence[Bucket]], P], *, threads: int | None = None) -> list[P]:
    """``task`` of a run of buckets in each thread, in the order of the runs.

    For a task that adds to sums of its own, so that a bucket's are never made only to be added to others.

    Parameters
    ----------
    log : JourneyLog
    task : callable
        Called once in each thread, this one among them, with the buckets that are its part.
    threads : int, optional
        As of `fold_buckets`.
    """
    if threads is None:
        # Between kernels the threads take turns: a second one pays only where kernels have enough to do.
        threads = min(default_threads(), 1 + sum(bucket.n_events for bucket in log.buckets) // _EVENTS_A_THREAD)
    n_threads = max(1, min(threads, len(log.buckets)))
    if n_threads == 1:
        return [task(log.buckets)]
    mine, *others = _runs(log.buckets, n_threads)
    with ThreadPoolExecutor(len(others), thread_name_prefix="percorso") as pool:
        theirs = [pool.submit(task, run) for run in others]
        return [task(mine), *(part.result() for part in theirs)]


def _runs(buckets: Sequence[Bucket], n_runs: int) -> list[Sequence[Bucket]]:
    """The buckets in `n_runs` runs of about equally many events."""
    ends = np.cumsum([bucket.n_events for bucket in buckets])
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, n_runs) / n_runs, side="right")
    edges = [0, *cuts.tolist(), len(buckets)]
    return [buckets[start:end] for start, end in itertools.pairwise(edges)]
