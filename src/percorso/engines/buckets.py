"""Ask every bucket of a journey log, wherever its engine works: in threads of this process, or in tasks of a cluster.

A task is a function of buckets alone: it holds plans and codes, never a log, and what it gives back adds up in any
order. So an answer does not depend on how the buckets were dealt out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from percorso.engines import local
from percorso.store.journey_log import Bucket, BucketEngine, JourneyLog

__all__ = ["engine_of", "fold_buckets", "map_buckets", "run_buckets"]

P = TypeVar("P")


def engine_of(log: JourneyLog) -> BucketEngine | None:
    """Where the log's buckets are asked; None: in this process."""
    return log.engine


def map_buckets(log: JourneyLog, task: Callable[[Bucket], P], *, threads: int | None = None) -> Iterator[P]:
    """Yield ``task(bucket)`` for every bucket, in the order of the buckets.

    Where a task fails, those that have not begun are cancelled and its error is raised; the same in this process when
    the caller stops iterating.

    Parameters
    ----------
    log : JourneyLog
    task : callable
        Called with one bucket; must not change anything it shares with other calls.
    threads : int, optional
        In this process. Default: the cores it may use. 1 runs in the calling thread.

    Yields
    ------
    P
        The task's answer, one a bucket.
    """
    engine = engine_of(log)
    if engine is None:
        yield from local.map_buckets(log.buckets, task, threads)
        return

    def answers(buckets: Sequence[Bucket]) -> list[tuple[int, P]]:
        return [(bucket.index, task(bucket)) for bucket in buckets]

    found: dict[int, P] = {}
    for part in engine.run(log.buckets, answers):
        found |= dict(part)
    yield from (found[bucket.index] for bucket in log.buckets)


def fold_buckets(
    log: JourneyLog, task: Callable[[Bucket], P], merge: Callable[[P, P], P], empty: P, *, threads: int | None = None
) -> P:
    """``task`` of every bucket, merged; each thread or cluster's task merges its own buckets.

    What a bucket takes in a quick question is less than what handing it on costs, so only one partial for each
    run of buckets is handed on.

    Parameters
    ----------
    log : JourneyLog
    task : callable
        As in `map_buckets`.
    merge : callable
        Associative and commutative.
    empty : P
        What merges without effect.
    threads : int, optional
        In this process. Default: one for every half a million events, and no more than the cores it may use.
    """

    def fold(buckets: Sequence[Bucket]) -> P:
        found = empty
        for bucket in buckets:
            found = merge(found, task(bucket))
        return found

    return functools.reduce(merge, run_buckets(log, fold, threads=threads), empty)


def run_buckets(log: JourneyLog, task: Callable[[Sequence[Bucket]], P], *, threads: int | None = None) -> list[P]:
    """``task`` of runs of buckets that are all buckets together.

    For a task that adds to sums of its own, so that a bucket's are never made only to be added to others.

    Parameters
    ----------
    log : JourneyLog
    task : callable
        Called once for each run of buckets, how many and which is the engine's choice.
    threads : int, optional
        As of `fold_buckets`.
    """
    engine = engine_of(log)
    if engine is None:
        return local.run_buckets(log.buckets, task, threads)
    return list(engine.run(log.buckets, task))
