"""The most frequent paths of each group, and what all paths come to: what variants keep of a log.

There may be about as many paths as cases. On a cluster the tasks deal them out among themselves, so that the driver
sees of each part the most frequent alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from percorso.analyses.path_counts import HashedCases, VariantPartial, count_variants, sum_variants
from percorso.analyses.paths import PathPlan
from percorso.engines.buckets import exchange_buckets, is_far, sum_buckets
from percorso.kernels.arrays import I64
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["PathTops", "count_tops"]


@dataclass(frozen=True, slots=True)
class PathTops:
    """The most frequent paths of each group, and sums over all paths.

    Parameters
    ----------
    top : VariantPartial
        By group, the most frequent first, equal ones by hash; its persons and open journeys are those of all paths.
    counts : int64, shape (n_groups, 4)
        As of `VariantPartial`, of all paths of each group.
    distinct : int64, shape (n_groups,)
        How many paths each group has.
    """

    top: VariantPartial
    counts: I64
    distinct: I64


def count_tops(
    plan: PathPlan, cases_of: Callable[[Bucket], HashedCases], log: JourneyLog, most: int, threads: int | None
) -> PathTops:
    """Count all paths, and keep the `most` frequent of each group."""
    n_groups = 1 if plan.by is None else len(plan.by.values)

    def count(bucket: Bucket) -> VariantPartial:
        return count_variants(plan, cases_of(bucket), bucket)

    if not is_far(log):
        return _tops(sum_buckets(log, count, sum_variants, threads=threads), most, n_groups)
    parts = exchange_buckets(
        log,
        lambda buckets: sum_variants(map(count, buckets)).table(),
        "hash_a",
        lambda rows: _tops(VariantPartial.of_table(rows), most, n_groups),
    )
    return _together(parts, most, n_groups)


def _tops(found: VariantPartial, most: int, n_groups: int) -> PathTops:
    sums = [np.bincount(found.group, weights=column, minlength=n_groups) for column in found.counts.T]
    distinct = np.bincount(found.group, minlength=n_groups)
    return PathTops(found.take(_top_rows(found, most)), np.stack(sums, axis=1).astype(np.int64), distinct)


def _together(parts: Sequence[PathTops], most: int, n_groups: int) -> PathTops:
    """What parts say that have no path in common."""
    top = sum_variants(part.top for part in parts)
    counts, distinct = np.zeros((n_groups, 4), np.int64), np.zeros(n_groups, np.int64)
    for part in parts:
        counts += part.counts
        distinct += part.distinct
    return PathTops(top.take(_top_rows(top, most)), counts, distinct)


def _top_rows(found: VariantPartial, most: int) -> I64:
    """Rows of the `most` frequent paths of each group; ties by hash, so always the same ones."""
    rows, cases = np.arange(len(found), dtype=np.int64), found.cases
    if not found.group.any() and len(rows) > most:
        least = np.partition(cases, -most)[-most]
        rows = np.flatnonzero(cases >= least).astype(np.int64)
    order = rows[np.lexsort((found.hash_b[rows], found.hash_a[rows], -cases[rows], found.group[rows]))]
    group = found.group[order]
    return order[np.arange(len(order)) - np.searchsorted(group, group) < most]
