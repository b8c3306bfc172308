"""Intervals by person for means and ratios: the delete-a-group jackknife over 256 groups of persons.

A person's group is the last byte of its id, a keyed hash: random, the same on every engine, and the sums of a group
are integers that add up over buckets. One pass, 256 numbers a sum, equal to the last digit however it was split.

The estimate θ = Σ numerator / Σ denominator; θ₍g₎ is the same without group g. With G groups that have persons ::

    variance = (G − 1)/G · Σ (θ₍g₎ − mean θ₍·₎)²,   interval = θ ± t(0.975, G − 1) · √variance

Kott (2001), The delete-a-group jackknife, Journal of Official Statistics 17(4), 521-526.

A share cannot leave 0 to 1, so its interval is made on the scale of log odds and taken back (the delta method; with
"xlogit" the R package survey, SUDAAN and SPSS do the same) ::

    logit(θ) ± t(0.975, G − 1) · √variance / (θ (1 − θ))

Where all or none have it, or all groups alike, there is no variance to learn from: Wilson's interval with the groups
that have persons as its units, which are never more than the persons. Such intervals are compared in Korn and
Graubard (1998), Confidence intervals for proportions with small expected number of positive counts estimated from
survey data, Survey Methodology 24(2), 193-201.
"""

from __future__ import annotations

import math

import numpy as np

from percorso.analyses.intervals import wilson
from percorso.kernels.arrays import F64, I64, U8
from percorso.store.journey_log import Bucket

__all__ = ["N_GROUPS", "half_width", "person_groups", "ratio_interval", "share_interval", "sum_by_group", "t_975"]

N_GROUPS = 256

_NO_WIDTH = 1e-12

_Z = 1.959963984540054

#: The quantile where the expansion is not good enough, degrees of freedom 1 to 4 (any table of Student's t).
_T_FEW = (12.706204736432095, 4.302652729911275, 3.182446305284263, 2.7764451051977987)


def t_975(df: int) -> float:
    """The 97.5 % quantile of Student's t; error below 0.0003 (and 1e-9 for 255 degrees of freedom).

    Abramowitz and Stegun, 26.7.5. A library for this one number would cost every question half a second of start-up.

    Examples
    --------
    >>> round(t_975(255), 6), round(t_975(5), 2)
    (1.969311, 2.57)
    """
    if df <= len(_T_FEW):
        return _T_FEW[df - 1]
    z: float = _Z
    terms: tuple[float, ...] = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + math.fsum(term / df**power for power, term in enumerate(terms, start=1))


def person_groups(bucket: Bucket) -> U8:
    """Group of each person of a bucket, uint8 of shape (n_persons,)."""
    ids = bucket.persons.arrow("person_id")
    data = ids.buffers()[1]
    if not len(ids) or data is None:
        return np.zeros(0, np.uint8)
    every = np.frombuffer(memoryview(data), np.uint8, 16 * len(ids), 16 * ids.offset)
    return every[15::16]


def sum_by_group(group: U8, values: I64) -> I64:
    """Sums of each group, int64 of shape (256,); exact."""
    sums = np.zeros(N_GROUPS, np.int64)
    np.add.at(sums, group, values)
    return sums


def ratio_interval(numerator: I64, denominator: I64) -> tuple[float, float] | None:
    """95 % interval of Σ numerator / Σ denominator; None with fewer than two groups that count.

    Parameters
    ----------
    numerator, denominator : int64, shape (256,)
        Sums of each group of persons.

    Examples
    --------
    >>> ratio_interval(np.r_[3, 5, np.zeros(254, np.int64)], np.r_[10, 10, np.zeros(254, np.int64)])
    (-0.8706204736432096, 1.6706204736432095)
    """
    half = _of_ratio(numerator, denominator)
    if half is None:
        return None
    theta = int(numerator.sum()) / int(denominator.sum())
    return theta - half, theta + half


def share_interval(hits: I64, of: I64) -> tuple[float, float] | None:
    """95 % interval of Σ hits / Σ of where hits are some of them: from 0 to 1, and never without a width.

    Parameters
    ----------
    hits, of : int64, shape (256,)
        Sums of each group of persons, 0 ≤ hits ≤ of.

    Returns
    -------
    tuple of float or None
        None with fewer than two groups that have any.

    Examples
    --------
    >>> one, two = np.r_[9, 8, np.zeros(254, np.int64)], np.r_[10, 10, np.zeros(254, np.int64)]
    >>> [round(end, 3) for end in share_interval(one, two)], [round(end, 3) for end in share_interval(two, two)]
    ([0.037, 0.999], [0.342, 1.0])
    """
    groups, total, every = int((of != 0).sum()), int(hits.sum()), int(of.sum())
    half = _of_ratio(hits, of)
    if half is None:
        return None
    theta = total / every
    # A variance that is nothing but rounding is none.
    if total in (0, every) or half < _NO_WIDTH:
        return wilson(theta * groups, groups)
    middle, half = math.log(theta / (1 - theta)), half / (theta * (1 - theta))
    return _expit(middle - half), _expit(middle + half)


def _expit(x: float) -> float:
    """The share whose log odds are `x`; of any size, without overflow."""
    return 0.5 * (1 + math.tanh(x / 2))


def half_width(thetas: F64) -> float | None:
    """Half the width of the 95 % interval of an estimate, t · √variance.

    Parameters
    ----------
    thetas : float64, shape (n,)
        The estimate without each group; not finite: without that group there is none, and it is passed over.

    Returns
    -------
    float or None
        None with fewer than two groups.

    Examples
    --------
    >>> round(half_width(np.array([0.3, 0.5])), 4)
    1.2706
    """
    thetas = thetas[np.isfinite(thetas)]
    n = len(thetas)
    if n < 2:
        return None
    variance = (n - 1) / n * float(((thetas - thetas.mean()) ** 2).sum())
    return t_975(n - 1) * math.sqrt(variance)


def _of_ratio(numerator: I64, denominator: I64) -> float | None:
    """`half_width` of the ratio; None with fewer than two groups that count."""
    counts = np.flatnonzero((denominator != 0) | (numerator != 0))
    total, of = int(numerator.sum()), int(denominator.sum())
    if len(counts) < 2 or of == 0:
        return None
    left, left_of = total - numerator[counts], of - denominator[counts]
    usable = left_of != 0
    return half_width(left[usable] / left_of[usable])
