"""Ask every bucket of a journey log, wherever its engine works: in threads of this process, or in tasks of a cluster.

A task is a function of buckets alone: it holds plans and codes, never a log, and what it gives back adds up in any
order. So an answer does not depend on how the buckets were dealt out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

import pyarrow as pa

from percorso.engines import local
from percorso.store.journey_log import Bucket, BucketEngine, JourneyLog

__all__ = [
    "ExchangeEngine",
    "engine_of",
    "exchange_buckets",
    "fold_apart",
    "fold_buckets",
    "is_far",
    "map_buckets",
    "run_buckets",
    "sum_buckets",
]

P = TypeVar("P")
Q = TypeVar("Q")


@runtime_checkable
class ExchangeEngine(BucketEngine, Protocol):
    """An engine whose tasks hand rows to each other, so that nobody has those of all."""

    def exchange(
        self,
        buckets: Sequence[Bucket],
        task: Callable[[Sequence[Bucket]], pa.Table],
        by: str,
        join: Callable[[pa.Table], P],
    ) -> Iterable[P]:
        """Deal the rows that `task` makes of the buckets out by the unsigned integers of a column, and yield what
        `join` says of each part that has rows; equal integers come to the same part.
        """
        ...


def engine_of(log: JourneyLog) -> BucketEngine | None:
    """Where the log's buckets are asked; None: in this process."""
    return log.engine


def is_far(log: JourneyLog) -> bool:
    """Are the log's buckets asked elsewhere than in this process, so that asking takes a round to there and back?"""
    return engine_of(log) is not None


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


def sum_buckets(
    log: JourneyLog,
    task: Callable[[Bucket], P],
    add_up: Callable[[Iterable[P]], P],
    *,
    threads: int | None = None,
) -> P:
    """``task`` of every bucket, all added up at once.

    As `fold_buckets` for what adds up faster many at a time, or takes long in a bucket; a cluster's tasks add up
    what their own buckets say.

    Parameters
    ----------
    log : JourneyLog
    task : callable
        As in `map_buckets`.
    add_up : callable
        Makes one of many, in any order, and of such ones too.
    threads : int, optional
        As of `map_buckets`.
    """
    engine = engine_of(log)
    if engine is None:
        return add_up(local.map_buckets(log.buckets, task, threads))
    return add_up(engine.run(log.buckets, lambda buckets: add_up(map(task, buckets))))


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


def fold_apart(
    log: JourneyLog,
    task: Callable[[Bucket], P],
    merge: Callable[[P, P], P],
    empty: P,
    nobody: Callable[[Bucket], Q],
    *,
    threads: int | None = None,
) -> tuple[P, Q]:
    """As `fold_buckets`, and beside it what another task says of the bucket of the unidentified.

    Parameters
    ----------
    log, task, merge, empty, threads
        As of `fold_buckets`.
    nobody : callable
        Called with the bucket of the unidentified.
    """
    engine = engine_of(log)
    if engine is None:
        return fold_buckets(log, task, merge, empty, threads=threads), nobody(log.unidentified)
    apart = log.unidentified.index

    def fold(buckets: Sequence[Bucket]) -> tuple[P, list[Q]]:
        of_persons, of_nobody = empty, []
        for bucket in buckets:
            if bucket.index == apart:
                of_nobody.append(nobody(bucket))
            else:
                of_persons = merge(of_persons, task(bucket))
        return of_persons, of_nobody

    parts = list(engine.run((*log.buckets, log.unidentified), fold))
    (of_nobody,) = (one for _, found in parts for one in found)
    return functools.reduce(merge, (of_persons for of_persons, _ in parts), empty), of_nobody


def run_buckets(
    log: JourneyLog, task: Callable[[Sequence[Bucket]], P], *, with_nobody: bool = False, threads: int | None = None
) -> list[P]:
    """``task`` of runs of buckets that are all buckets together.

    For a task that adds to sums of its own, so that a bucket's are never made only to be added to others.

    Parameters
    ----------
    log : JourneyLog
    task : callable
        Called once for each run of buckets, how many and which is the engine's choice.
    with_nobody : bool
        The bucket of the unidentified is one of them.
    threads : int, optional
        As of `fold_buckets`.
    """
    engine, apart = engine_of(log), (log.unidentified,) if with_nobody else ()
    if engine is None:
        parts = local.run_buckets(log.buckets, task, threads)
        return [*parts, task(apart)] if apart else parts
    return list(engine.run((*log.buckets, *apart), task))


def exchange_buckets(
    log: JourneyLog, task: Callable[[Sequence[Bucket]], pa.Table], by: str, join: Callable[[pa.Table], P]
) -> list[P]:
    """What `join` says of the rows that buckets make, each row at one place with all that are like it.

    For what grows with events, so that the driver must not see it.

    Parameters
    ----------
    log : JourneyLog
    task : callable
        As in `run_buckets`; gives rows of the same columns.
    by : str
        A column of unsigned integers: what is alike has the same there.
    join : callable
        Called with rows in any order; how often, and which, is the engine's choice: without rows never.
    """
    engine = engine_of(log)
    if isinstance(engine, ExchangeEngine):
        return list(engine.exchange(log.buckets, task, by, join))
    rows = pa.concat_tables(run_buckets(log, task))
    return [join(rows)] if rows.num_rows else []
