"""How often each of many whole numbers occurs: a histogram that merges, kept as sorted keys and their counts.

What is counted by several things at once has one key for all of them, such as ``(group * n_times + time) * 3 + kind``;
so a partial is as large as there are different combinations, and never larger.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from percorso.kernels.arrays import I32, I64

__all__ = ["Tally", "merge_tallies", "tally", "tally_pairs"]

_DENSE, _SMALL = 4, 1 << 16  # an array of all pairs may have so many entries for each that is counted


def _nothing() -> I64:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of keys.

    Parameters
    ----------
    keys : int64 array, shape (n_keys,)
        Ascending, each once.
    counts : int64 array, shape (n_keys,)
        At least 1.
    """

    keys: I64 = field(default_factory=_nothing)
    counts: I64 = field(default_factory=_nothing)

    def of(self, first: int, last: int) -> Tally:
        """Keys from `first` to before `last`, counted from `first`."""
        begin, end = np.searchsorted(self.keys, (first, last))
        return Tally(self.keys[begin:end] - first, self.counts[begin:end])

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    def ranked(self, rank: int) -> int:
        """The key at a position, from 0, of all counted in ascending order."""
        return int(self.keys[np.searchsorted(np.cumsum(self.counts), rank, side="right")])


def tally(keys: I64, weights: I64 | None = None) -> Tally:
    """Count keys, in any order; with weights, add those up (keys whose sum is 0 are left out)."""
    if weights is None:
        found, counts = np.unique(keys, return_counts=True)
        return Tally(found, counts.astype(np.int64, copy=False))
    found, at = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(found), np.int64)
    np.add.at(sums, at, weights)
    kept = sums != 0
    return Tally(found[kept], sums[kept])


def tally_pairs(cell: I64, value: I32, width: int) -> Tally:
    """Count pairs as keys ``cell * width + value``; where they are few different ones, without sorting.

    Parameters
    ----------
    cell, value : integer, shape (n,)
        At least 0; values below `width`.
    width : int
    """
    if not len(cell):
        return Tally()
    inner = int(value.max()) + 1
    if (int(cell.max()) + 1) * inner > _DENSE * len(cell) + _SMALL:
        return tally(cell * width + value)
    counts = np.bincount(cell * inner + value).astype(np.int64, copy=False)
    found = np.flatnonzero(counts)
    return Tally(found // inner * width + found % inner, counts[found])


def merge_tallies(parts: Iterable[Tally]) -> Tally:
    """Many partials as one; in any order the same."""
    every = [part for part in parts if len(part.keys)]
    if not every:
        return Tally()
    n_bins = int(max(part.keys[-1] for part in every)) + 1
    if (
        n_bins <= max(_SMALL, _DENSE * sum(len(part.keys) for part in every))
        and min(part.keys[0] for part in every) >= 0
    ):
        bins = np.zeros(n_bins, np.int64)
        for part in every:
            bins[part.keys] += part.counts  # each key once
        found = np.flatnonzero(bins)
        return Tally(found, bins[found])
    return tally(np.concatenate([part.keys for part in every]), np.concatenate([part.counts for part in every]))
