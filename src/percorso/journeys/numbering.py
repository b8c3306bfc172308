"""Persons as numbers: each person's rank by id among those that a build writes, and the bucket it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.identity.placement import Placement
from percorso.identity.state import IdentityState
from percorso.identity.units import unit_ids
from percorso.settings.kinds import MOST_BUCKET_BITS

__all__ = ["Persons", "bucket_bits", "buckets_of", "number_persons"]

#: As many events has the mean bucket at most: a question pays for every bucket, a build holds some in memory at once.
_MOST_EVENTS = 1_500_000
#: Enough that every core of a small machine has its part of a build.
_FEWEST_BITS = 3

#: Units of this kind (code & 3) have a strong identifier.
_IDENTIFIED = 0


@dataclass(frozen=True, slots=True)
class Persons:
    """Persons in the order of their ids.

    Attributes
    ----------
    ids : uint8, shape (n_persons, 16)
    identified : uint8, shape (n_persons,)
    bounds : int64, shape (n_buckets + 1,)
        Rank of each bucket's first person, and the number of persons.
    """

    ids: npt.NDArray[np.uint8]
    identified: npt.NDArray[np.uint8]
    bounds: npt.NDArray[np.int64]
    _rank: npt.NDArray[np.int32]  # by unit; -1 for units that are not among them

    def rank(self, unit: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Rank of the person of each row; -1: nobody, -2: a copy, or a person that is not among them."""
        return np.where(unit < 0, unit, self._rank[np.maximum(unit, 0)])

    def parts(self, person: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Bucket of each row by the rank of its person; nobody's after the last, -1 for rows that go nowhere."""
        part = np.searchsorted(self.bounds, person, side="right").astype(np.int32) - 1
        part[person == -1] = len(self.bounds) - 1
        part[person == -2] = -1
        return part


def bucket_bits(chosen: int | None, n_events: int) -> int:
    """Buckets of a log, as a power of two: as chosen, else by the number of events that count.

    Of nothing else, so that a log built in steps has the buckets of one that was built at once.

    Examples
    --------
    >>> [2 ** bucket_bits(None, n_events) for n_events in (1_000, 12_000_000, 12_000_001, 20_000_000)]
    [8, 8, 16, 16]
    """
    if chosen is not None:
        return chosen
    wanted = -(-n_events // _MOST_EVENTS)
    return min(max((wanted - 1).bit_length(), _FEWEST_BITS), MOST_BUCKET_BITS)


def number_persons(
    state: IdentityState, placement: Placement, units: npt.NDArray[np.int64], *, secret: bytes, bits: int
) -> Persons:
    """Rank the persons of some units, int64, shape (n_units,), all different and >= 0."""
    ids = unit_ids(state, (placement.pair_w, placement.pair_row), units, secret=secret)
    order = np.lexsort(ids.view(">u8").reshape(-1, 2).T[::-1])
    rank = np.full(int(units.max(initial=0)) + 1, -2, dtype=np.int32)
    rank[units[order]] = np.arange(len(units), dtype=np.int32)
    ids = ids[order]
    bounds = np.searchsorted(buckets_of(ids, bits), np.arange(2**bits + 1)).astype(np.int64)
    return Persons(ids, ((units[order] & 3) == _IDENTIFIED).astype(np.uint8), bounds, rank)


def buckets_of(ids: npt.NDArray[np.uint8], bits: int) -> npt.NDArray[np.int64]:
    """Bucket of each person: the top bits of its id, shape (n,)."""
    top: npt.NDArray[np.int64] = ids[:, :2].astype(np.int64) @ np.array([256, 1]) >> (16 - bits)
    return top
