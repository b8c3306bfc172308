"""Plain twin of percorso.kernels.segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["contacts_before", "moved"]

Run = tuple[int, int, int]  # start, to, length


def moved(
    source: Sequence[int], out: Sequence[int], runs: Sequence[Run], change: Callable[[int, int], int]
) -> list[int]:
    """`out` with the runs of `source` in it, each value as ``change(run, value)``."""
    result = list(out)
    for number, (start, to, length) in enumerate(runs):
        result[to : to + length] = [change(number, value) for value in source[start : start + length]]
    return result


def contacts_before(groups: Sequence[Sequence[int]]) -> list[int]:
    """Contacts before each group, and in all; -1 is no contact."""
    seen: set[int] = set()
    before = [0]
    for contacts in groups:
        seen |= {contact for contact in contacts if contact >= 0}
        before.append(len(seen))
    return before
