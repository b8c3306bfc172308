"""Intervals for what is estimated."""

from __future__ import annotations

import math

__all__ = ["FEW", "bounded_mean", "nps_interval", "wilson"]

#: Fewer units than this and the answer says so.
FEW = 30

_Z_95 = 1.959963984540054


def wilson(hits: float, n: float) -> tuple[float, float] | None:
    """Wilson's 95 % score interval of a share, without continuity correction; None for n = 0.

    ::

        (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n)

    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> [round(limit, 4) for limit in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    if n == 0:
        return None
    share, z2 = hits / n, _Z_95 * _Z_95
    middle = share + z2 / (2 * n)
    half = _Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    # None and all are limits themselves, which rounding would miss by the last digit.
    low = max(0.0, (middle - half) / scale) if hits else 0.0
    return low, min(1.0, (middle + half) / scale) if hits < n else 1.0


def bounded_mean(mean: float, n: float) -> tuple[float, float] | None:
    """95 % interval of a mean of values from 0 to 1; None for n = 0.

    Wilson's interval with the mean as share. Values between 0 and 1 with mean m vary by at most m (1 − m), as zeros and
    ones do (Bhatia and Davis 2000, doi:10.1080/00029890.2000.12005203), so it is never too narrow on that account; it
    has a width where all values are equal, and never leaves 0 to 1.

    Parameters
    ----------
    mean : float
        From 0 to 1.
    n : float
        How many independent values; see `effective_n` of percorso.analyses.feedback for several of one person.

    Examples
    --------
    >>> [round(limit, 4) for limit in bounded_mean(1.0, 3)], [round(limit, 4) for limit in bounded_mean(0.5, 2)]
    ([0.4385, 1.0], [0.0945, 0.9055])
    """
    return wilson(mean * n, n)


def nps_interval(promoters: int, detractors: int, n: int) -> tuple[float, float] | None:
    """Adjusted Wald 95 % interval of a net promoter score, from −100 to 100; None for n = 0.

    Three answers are added, 3/4 a promoter and 3/4 a detractor, so that it has a width where all answers are equal ::

        p = (promoters + 3/4)/(n + 3),  d = (detractors + 3/4)/(n + 3)
        100 (p − d ± z √((p + d − (p − d)²)/(n + 3)))

    The score itself is always in it. Rocks (2016), The American Statistician 70(4), 365-372; arXiv:1601.07235.

    Examples
    --------
    >>> [round(limit, 1) for limit in nps_interval(100, 40, 200)], [round(limit, 1) for limit in nps_interval(5, 0, 5)]
    ([18.8, 40.3], [17.5, 100.0])
    """
    if n == 0:
        return None
    score = (promoters - detractors) / n
    up, down = (promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)
    net = up - down
    half = _Z_95 * math.sqrt((up + down - net * net) / (n + 3))
    return 100 * max(-1.0, min(net - half, score)), 100 * min(1.0, max(net + half, score))
