"""Exact order statistics over all buckets, in as many passes as needed (mostly two): medians and what is round them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from percorso.engines.buckets import sum_buckets
from percorso.kernels.arrays import I32, I64
from percorso.kernels.quantiles import Pass, Round, advance, observe, start_ranks, start_round
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["GroupedValues", "find_quantiles", "find_ranked", "median_interval", "summary_ranks"]

#: What one bucket yields, the same each time: group (-1: none) and value (at least 0) of each thing measured.
GroupedValues: TypeAlias = Callable[[Bucket], tuple[I32, I64]]

_EXACT = 1_000  # up to so many values the binomial is summed; beyond, the normal is as good to a rank
_Z_95 = 1.959963984540054
_MISS = Fraction(1, 40)  # 2.5 % on either side


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
    return _search(start_round(counts), log, values, threads)


def find_ranked(log: JourneyLog, values: GroupedValues, counts: I64, ranks: I64, *, threads: int | None = None) -> I64:
    """The values at given positions of every group.

    Parameters
    ----------
    log, values, counts, threads
        As of `find_quantiles`.
    ranks : int64, shape (n_groups, n_targets)
        Positions in ascending order from 0.

    Returns
    -------
    int64, shape (n_groups, n_targets)
        -1 where a group has no value.
    """
    return _search(start_ranks(counts, ranks), log, values, threads)


def _search(step: Round, log: JourneyLog, values: GroupedValues, threads: int | None) -> I64:
    while not step.done:
        now = step
        outcome = sum_buckets(log, lambda bucket: observe(now, *values(bucket)), _outcome, threads=threads)  # noqa: B023
        step = advance(step, outcome)
    return step.values()


def _outcome(parts: Iterable[Pass]) -> Pass:
    return functools.reduce(Pass.merge, parts)


@functools.lru_cache(maxsize=4096)
def median_interval(n: int) -> tuple[int, int] | None:
    """Positions, from 0, of the two values between which the median of the population lies with 95 % or more.

    The largest r with P(B < r) ≤ 2.5 %, B binomial with n and one half: values number r and n + 1 - r in ascending
    order. No assumption on the distribution. None where n is too small: fewer than six values never reach 95 %.

    Hahn and Meeker (1991), Statistical Intervals, 5.2; Conover (1999), Practical Nonparametric Statistics, 3.2.

    Examples
    --------
    >>> median_interval(10), median_interval(5)
    ((1, 8), None)
    """
    rank = _binomial_rank(n) if n <= _EXACT else math.floor((n - _Z_95 * math.sqrt(n)) / 2 + 0.5)
    return (rank - 1, n - rank) if rank else None


def _binomial_rank(n: int) -> int:
    below, rank, limit = 0, 0, _MISS * 2**n
    while rank <= n and below + math.comb(n, rank) <= limit:
        below += math.comb(n, rank)
        rank += 1
    return rank


def summary_ranks(counts: I64) -> I64:
    """Positions of low end, median, high end of the median's interval, and 90th percentile.

    Parameters
    ----------
    counts : int64, shape (n_groups,)

    Returns
    -------
    int64, shape (n_groups, 4)
        Where there is no interval its ends are the first and the last value: `median_interval` says so.
    """
    ranks = np.zeros((len(counts), 4), np.int64)
    for group, n in enumerate(counts.tolist()):
        if n:
            low, high = median_interval(n) or (0, n - 1)
            ranks[group] = low, -(-n // 2) - 1, high, -(-9 * n // 10) - 1
    return ranks
