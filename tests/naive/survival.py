"""Survival in plain Python: the twin of percorso.analyses.survival."""

from __future__ import annotations

from collections.abc import Sequence

#: One that is watched: until when, and how it ended: "happened", "otherwise" or "" (only watched until then).
Span = tuple[int, str]


def watched_enough(ages: Sequence[int], within: int) -> bool:
    """Did 30 begin so long ago, or of fewer than 30 at least one?"""
    old = [age for age in ages if age >= within]
    return len(old) >= 30 or (len(ages) < 30 and len(old) >= 1)


def kaplan_meier(spans: Sequence[Span], time: int) -> float:
    """Share for whom it has happened by `time`."""
    survival = 1.0
    for t in sorted({t for t, how in spans if how == "happened" and t <= time}):
        at_risk = sum(1 for u, _ in spans if u >= t)
        survival *= 1 - spans.count((t, "happened")) / at_risk
    return 1 - survival


def incidence(spans: Sequence[Span], time: int) -> float:
    """The same where some end otherwise."""
    survival, share = 1.0, 0.0
    for t in sorted({t for t, how in spans if how and t <= time}):
        at_risk = sum(1 for u, _ in spans if u >= t)
        share += survival * spans.count((t, "happened")) / at_risk
        survival *= 1 - (spans.count((t, "happened")) + spans.count((t, "otherwise"))) / at_risk
    return share
