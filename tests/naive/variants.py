"""Variants in plain Python: the twin of percorso.kernels.variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.naive.flow import Path


@dataclass
class Variant:
    cases: list[int] = field(default_factory=list)
    persons: set[int] = field(default_factory=set)
    eligible: int = 0
    converted: int = 0
    times: list[int] = field(default_factory=list)


def variants(
    cases: Mapping[int, Path], person: Mapping[int, int], converted: Mapping[int, bool]
) -> dict[tuple[str, ...], Variant]:
    """All cases by path. `converted` knows the cases that can convert, and whether they did."""
    found: dict[tuple[str, ...], Variant] = {}
    for case, path in cases.items():
        variant = found.setdefault(tuple(name for name, _ in path), Variant())
        variant.cases.append(case)
        variant.persons.add(person[case])
        variant.times.append(path[-1][1] - path[0][1])
        if case in converted:
            variant.eligible += 1
            variant.converted += converted[case]
    return found
