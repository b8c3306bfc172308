"""Intervals for what is estimated."""

from __future__ import annotations

import math

__all__ = ["FEW", "wilson"]

#: Fewer units than this and the answer says so.
FEW = 30

_Z_95 = 1.959963984540054


def wilson(hits: int, n: int) -> tuple[float, float] | None:
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
