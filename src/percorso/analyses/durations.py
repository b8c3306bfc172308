"""Exact median and 90th percentile of one list of durations, spread over buckets, fast.

Where `quantiles` serves any number of groups, this serves a few large ones. Each bucket counts its durations in
bins that grow with them (32 to each doubling); the bins of all buckets say in which the wanted value lies, and only
that bin's durations are sorted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from percorso.kernels.arrays import I64

__all__ = ["N_BINS", "count_in_bins", "nearest_ranks", "ranked_values"]

# The bin of a duration is the top of its bits as a float: sign and exponent, and 5 bits of mantissa.
_DROPPED_BITS = 47
_FIRST = 1023 << 5  # of 1 µs
_LAST_POWER = 63

#: Bin 0 is for durations of 0.
N_BINS = (_LAST_POWER << 5) + 1


def count_in_bins(durations: I64) -> I64:
    """How many durations each bin has, int64 of shape (N_BINS,).

    Parameters
    ----------
    durations : int64, shape (n,)
        µs, at least 0.
    """
    top = durations.astype(np.float64).view(np.int64) >> _DROPPED_BITS
    np.maximum(top - (_FIRST - 1), 0, out=top)
    return np.bincount(top, minlength=N_BINS).astype(np.int64, copy=False)


def nearest_ranks(n: int) -> tuple[int, int]:
    """Positions, in ascending order from 0, of median and 90th percentile of n > 0 values.

    Nearest rank (Hyndman and Fan's type 1): the smallest value that at least this share of the values does not exceed.
    """
    return -(-n // 2) - 1, -(-9 * n // 10) - 1


def ranked_values(bins: I64, parts: Sequence[I64]) -> tuple[int, int] | None:
    """Median and 90th percentile; None without durations.

    Parameters
    ----------
    bins : int64, shape (N_BINS,)
        Counts over all `parts`.
    parts : sequence of int64 arrays
        The durations.
    """
    ends = np.cumsum(bins)
    if ends[-1] == 0:
        return None
    first, second = (_ranked(ends, rank, parts) for rank in nearest_ranks(int(ends[-1])))
    return first, second


def _ranked(ends: I64, rank: int, parts: Sequence[I64]) -> int:
    position = int(np.searchsorted(ends, rank, side="right"))
    before = int(ends[position - 1]) if position else 0
    low, high = _edge(position), _edge(position + 1)
    inside = np.concatenate([part[(part >= low) & (part < high)] for part in parts])
    return int(np.partition(inside, rank - before)[rank - before])


def _edge(position: int) -> float:
    """Smallest duration of a bin."""
    if position == 0:
        return 0.0
    return float(np.array([(position + _FIRST - 1) << _DROPPED_BITS], dtype=np.int64).view(np.float64)[0])
