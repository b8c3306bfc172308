"""Cohorts in plain Python: the twin of percorso.analyses.retention and kernels.activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

#: When somebody began or came back: number of the period, and what tells order within it.
Moment = tuple[int, Any]


def period_of(day: date, unit: str) -> int:
    """Days, weeks from Monday, months: numbers that ascend by one."""
    if unit == "month":
        return day.year * 12 + day.month
    return day.toordinal() if unit == "day" else (day.toordinal() - 1) // 7  # ordinal 1 was a Monday


def cohorts(
    starts: Mapping[str, Sequence[Moment]],
    backs: Mapping[str, Sequence[Moment]],
    *,
    periods: int,
    later: bool = False,
    recurring: bool = False,
) -> tuple[dict[int, int], dict[tuple[int, int], int]]:
    """Sizes by cohort, and persons who came back by cohort and k. Moments come in order."""
    sizes: dict[int, int] = {}
    returned: dict[tuple[int, int], int] = {}
    for person, every in starts.items():
        firsts = dict(reversed(every))  # of equal periods the first one stays
        if not recurring:
            firsts = dict([every[0]] if every else [])
        for period, key in firsts.items():
            sizes[period] = sizes.get(period, 0) + 1
            after = {p - period for p, k in backs.get(person, ()) if p > period or (p == period and k > key)}
            for k in range(periods + 1):
                if any(n >= k for n in after) if later else k in after:
                    returned[period, k] = returned.get((period, k), 0) + 1
    return sizes, returned
