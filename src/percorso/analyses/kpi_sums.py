"""What KPIs add up: sums by cell and group of persons, and tallies of durations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from percorso.analyses.jackknife import N_GROUPS
from percorso.analyses.tallies import Tally, tally
from percorso.analyses.worth import Missing
from percorso.kernels.arrays import I32, I64, Bools
from percorso.kernels.kpi_sums import count_keys

__all__ = ["Adding", "KpiSums", "tallies_of"]

#: Up to so many keys of all cells, tallies are counted in bins instead of sorted.
_BINS = 1 << 18


@dataclass(frozen=True, slots=True)
class KpiSums:
    """What some buckets add up to.

    Parameters
    ----------
    sums : mapping of str to int64 array, shape (n_cells, 256)
        By cell and group of persons; a name that nothing was added to is not there.
    spans : mapping of str to tuple of (cell, Tally)
        Durations and how they ended.
    missing : tuple of Missing
        Orders without a rate.
    """

    sums: Mapping[str, I64] = field(default_factory=dict)
    spans: Mapping[str, tuple[tuple[int, Tally], ...]] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()

    def merge(self, other: KpiSums) -> KpiSums:
        sums = dict(self.sums)
        for name, more in other.sums.items():
            sums[name] = sums[name] + more if name in sums else more
        spans = dict(self.spans)
        for name, parts in other.spans.items():
            spans[name] = spans.get(name, ()) + parts
        return KpiSums(sums, spans, self.missing + other.missing)


class Adding:
    """Sums that grow, bucket by bucket, in one thread: nothing is made for one bucket alone and thrown away.

    Parameters
    ----------
    n_cells : int
    """

    def __init__(self, n_cells: int) -> None:
        self._n_cells = n_cells
        self._sums: dict[str, I64] = {}
        self._blocks: dict[tuple[str, ...], I64] = {}
        self._spans: dict[str, list[tuple[int, Tally]]] = {}
        self.missing: list[Missing] = []

    def sum_of(self, name: str) -> I64:
        """The sums of a name, to be added to."""
        found = self._sums.get(name)
        if found is None:
            found = self._sums[name] = np.zeros((self._n_cells, N_GROUPS), np.int64)
        return found

    def block_of(self, names: tuple[str, ...]) -> I64:
        """The sums of several names that are always added to together, int64 of shape (n_names, n_cells, 256)."""
        found = self._blocks.get(names)
        if found is None:
            found = self._blocks[names] = np.zeros((len(names), self._n_cells, N_GROUPS), np.int64)
            self._sums |= zip(names, found, strict=True)
        return found

    def add_spans(self, name: str, parts: Iterable[tuple[int, Tally]]) -> None:
        """More spans of cells."""
        self._spans.setdefault(name, []).extend(parts)

    def result(self) -> KpiSums:
        """The sums so far; nothing may be added afterwards."""
        return KpiSums(self._sums, {name: tuple(parts) for name, parts in self._spans.items()}, tuple(self.missing))


def tallies_of(
    cell: I32, keys: I64, wanted: Bools, n_cells: int, weights: I64 | None = None
) -> list[tuple[int, Tally]]:
    """The keys of each cell, counted; with weights, these are added up."""
    width = int(keys.max(initial=-1)) + 1
    if weights is None and n_cells * width <= _BINS:
        bins = np.zeros(n_cells * width, np.int64)
        if not count_keys(cell, keys, wanted, width, bins):
            return []
        found = np.flatnonzero(bins)
        every = Tally(found, bins[found])
    else:
        inside = cell >= 0 if not wanted.size else (cell >= 0) & wanted
        weights = None if weights is None else weights[inside]
        every = tally(cell[inside].astype(np.int64) * width + keys[inside], weights)
    if n_cells == 1:
        return [(0, every)] if len(every.keys) else []
    return [(one, every.of(one * width, (one + 1) * width)) for one in np.unique(every.keys // width).tolist()]
