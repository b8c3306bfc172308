"""Flows in plain Python: the twin of percorso.kernels.paths, .flow and .quantiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

START, END = "(start)", "(end)"

#: Nodes of a case with their times, in order.
Path = list[tuple[str, int]]


@dataclass
class Row:
    """One event, as far as paths look at it. None: the event has no such thing."""

    person: int
    time: int
    node: str
    case: int | None
    contact: int | None = None
    kept: bool = True


@dataclass
class Edge:
    count: int = 0
    persons: set[int] = field(default_factory=set)
    gaps: list[int] = field(default_factory=list)


def paths(rows: Iterable[Row], *, by_contact: bool = False, collapse: bool = False) -> dict[int, Path]:
    """The path of every case that has a node. Rows come in the order of the log."""
    found: dict[int, Path] = {}
    met: set[tuple[int, int]] = set()
    for row in rows:
        if not row.kept or row.case is None or row.node == "":
            continue
        if by_contact:
            if row.contact is None or (row.case, row.contact) in met:
                continue
            met.add((row.case, row.contact))
        path = found.setdefault(row.case, [])
        if collapse and path and path[-1][0] == row.node:
            continue
        path.append((row.node, row.time))
    return found


def edges(cases: Mapping[int, Path], person: Mapping[int, int]) -> dict[tuple[str, str], Edge]:
    """What follows what, directly, with start and end."""
    found: dict[tuple[str, str], Edge] = {}
    for case, path in cases.items():
        names = [START, *(name for name, _ in path), END]
        for i in range(len(names) - 1):
            edge = found.setdefault((names[i], names[i + 1]), Edge())
            edge.count += 1
            edge.persons.add(person[case])
            if 0 < i < len(path):
                edge.gaps.append(path[i][1] - path[i - 1][1])
    return found


def steps(cases: Mapping[int, Path], n: int, *, start: str = "", to: str = "") -> dict[tuple[int, str, str], int]:
    """Links by position from the first `start` forward, or from the first `to` backward (positions fall from -1)."""
    found: dict[tuple[int, str, str], int] = {}
    for path in cases.values():
        names = [name for name, _ in path]
        if (start or to) not in names:
            continue
        first = names.index(start or to)
        line = [*names[first:], END] if start else [*reversed(names[: first + 1]), START]
        line = line[: n + 1]
        for p in range(len(line) - 1):
            link = (p, line[p], line[p + 1]) if start else (-p - 1, line[p + 1], line[p])
            found[link] = found.get(link, 0) + 1
    return found


def nearest_rank(values: Sequence[int], numerator: int, denominator: int) -> int | None:
    """The smallest value that at least this share of the values does not exceed."""
    for value in sorted(values):
        if sum(other <= value for other in values) * denominator >= numerator * len(values):
            return value
    return None
