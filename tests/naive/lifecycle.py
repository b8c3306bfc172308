"""The lifecycle in plain Python: the twin of percorso.analyses.lifecycle, relationship and kernels.churn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

STATES = ("new", "returning", "resurrecting", "dormant")


def states(active: Mapping[str, set[int]], interval: int) -> dict[str, int]:
    """How many persons are in each state, from the intervals in which each was active."""
    counts = dict.fromkeys(STATES, 0)
    for mine in active.values():
        if interval in mine:
            state = "new" if min(mine) == interval else "returning" if interval - 1 in mine else "resurrecting"
            counts[state] += 1
        elif interval - 1 in mine:
            counts["dormant"] += 1
    return counts


def relationship(days: Sequence[int], advocated: bool, today: int, at_risk: int, lost: int) -> str:
    """As a day ends, from the days on which somebody bought."""
    bought = sorted({day for day in days if day <= today})  # two orders of one day are one purchase
    if not bought:
        return "prospect"
    if today - bought[-1] > lost:
        return "lost"
    if today - bought[-1] > at_risk:
        return "at_risk"
    if advocated:
        return "ambassador"
    return "repeat" if len(bought) > 1 else "new"


def churn(purchases: Mapping[str, Sequence[int]], first: int, end: int, today: int, lost: int) -> tuple[int, int]:
    """Customers who are not lost as day `first` begins, and those of them who are as the day before `end` is over."""

    def now(days: Sequence[int], day: int) -> str:
        return relationship(days, False, day, lost, lost)

    before = [days for days in purchases.values() if now(days, first - 1) not in ("prospect", "lost")]
    return len(before), sum(now(days, min(end - 1, today)) == "lost" for days in before)
