"""Exact medians and 90th percentiles over all buckets, in as many passes as needed (mostly two)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeAlias

from percorso.engines.local import map_buckets
from percorso.kernels.arrays import I32, I64
from percorso.kernels.quantiles import advance, observe, start_round
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["GroupedValues", "find_quantiles"]

#: What one bucket yields, the same each time: group (-1: none) and value (at least 0) of each thing measured.
GroupedValues: TypeAlias = Callable[[Bucket], tuple[I32, I64]]


def find_quantiles(log: JourneyLog, values: GroupedValues, counts: I64, *, threads: int | None = None) -> I64:
    """Median and 90th percentile of every group's values: nearest rank, so values that occur.

    Parameters
    ----------
    log : JourneyLog
    values : callable
        Called anew for each bucket and pass, so that the values never stand in memory at once.
    counts : int64, shape (n_groups,)
        How many values each group has over all buckets.
    threads : int, optional

    Returns
    -------
    int64, shape (n_groups, 2)
        -1 where a group has no value.
    """
    step = start_round(counts)
    while not step.done:
        now = step
        passes = map_buckets(log, lambda bucket: observe(now, *values(bucket)), threads=threads)  # noqa: B023
        step = advance(step, functools.reduce(lambda left, right: left.merge(right), passes))
    return step.values()
