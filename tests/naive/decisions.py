"""What holds after decisions by hand, the plain way."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["fold", "joined"]


def fold(decisions: Iterable[tuple[str, str, str]]) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """Forced and forbidden pairs after (kind, a, b) in order: a step up or down for each, never past +1 or -1."""
    level: dict[frozenset[str], int] = {}
    for kind, a, b in decisions:
        pair = frozenset((a, b))
        level[pair] = max(-1, min(1, level.get(pair, 0) + (1 if kind == "link" else -1)))
    return {pair for pair in level if level[pair] == 1}, {pair for pair in level if level[pair] == -1}


def joined(pairs: Iterable[frozenset[str]], a: str, b: str) -> bool:
    """Do pairs lead from a to b?"""
    reached = {a}
    for _ in range(100):
        for pair in pairs:
            if pair & reached:
                reached |= pair
    return b in reached
