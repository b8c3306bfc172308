"""Cohorts in plain Python: the twin of percorso.analyses.retention and kernels.activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple


class Moment(NamedTuple):
    """When somebody began or came back."""

    period: int
    key: Any  # tells order
    is_in: bool = True  # the condition lets it in


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
    """Sizes by cohort, and persons who came back by cohort and k. Moments come in order.

    Who begins is decided from all moments; those who began with one that is in are in a cohort, and come back with
    such ones.
    """
    sizes: dict[int, int] = {}
    returned: dict[tuple[int, int], int] = {}
    for person, every in starts.items():
        begun = every if recurring else every[:1]
        firsts = {m.period: m.key for m in reversed(begun) if m.is_in}  # of equal periods the first one stays
        for period, key in firsts.items():
            sizes[period] = sizes.get(period, 0) + 1
            came = [m for m in backs.get(person, ()) if m.is_in]
            after = {m.period - period for m in came if m.period > period or (m.period == period and m.key > key)}
            for k in range(periods + 1):
                if any(n >= k for n in after) if later else k in after:
                    returned[period, k] = returned.get((period, k), 0) + 1
    return sizes, returned
