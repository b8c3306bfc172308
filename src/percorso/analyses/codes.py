"""Codes that hold for all buckets: dictionaries are a bucket's own, so a plan gives each value a code of its own.

A plan holds the values alone, however many buckets there are; each bucket's way to them is looked up where the bucket
is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from percorso.analyses.log_facts import column_values
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["GlobalCodes", "global_codes"]


@dataclass(frozen=True, slots=True)
class GlobalCodes:
    """Values of a column over all buckets, and each bucket's way to them.

    Parameters
    ----------
    table, column : str
    values : tuple of str
        Sorted by bytes, unless a plan has an order of its own; a global code is a position here.
    other : int, optional
        Code of what is not among the values; None: there is no such thing.
    """

    table: str
    column: str
    values: tuple[str, ...]
    other: int | None = None
    _codes: dict[str, int] = field(default_factory=dict, compare=False, repr=False)
    _of_bucket: dict[int, npt.NDArray[np.int32]] = field(default_factory=dict, compare=False, repr=False)

    def __reduce__(self) -> tuple[type[GlobalCodes], tuple[str, str, tuple[str, ...], int | None]]:
        """What is handed to another process finds the way from its own buckets."""
        return GlobalCodes, (self.table, self.column, self.values, self.other)

    def lut(self, bucket: Bucket) -> npt.NDArray[np.int32]:
        """Global code of each local code of the bucket, int32 of shape (n_local,)."""
        found = self._of_bucket.get(bucket.index)
        if found is None:
            codes, local = self._code_of(), bucket.table(self.table).dictionary(self.column)
            if self.other is None:
                found = np.fromiter((codes[value] for value in local), np.int32, len(local))
            else:
                found = np.fromiter((codes.get(value, self.other) for value in local), np.int32, len(local))
            self._of_bucket[bucket.index] = found
        return found

    def _code_of(self) -> dict[str, int]:
        if len(self._codes) != len(self.values):
            # Threads may come here at once: each writes the same.
            self._codes.update(zip(self.values, range(len(self.values)), strict=True))
        return self._codes


def global_codes(log: JourneyLog, column: str, *, table: str = "events", with_nobody: bool = False) -> GlobalCodes:
    """Give the values of a column codes that hold in every bucket.

    Parameters
    ----------
    log : JourneyLog
    column : str
        A coded column.
    table : str
    with_nobody : bool
        Those of the unidentified too.
    """
    return GlobalCodes(table, column, column_values(log, column, table=table, with_nobody=with_nobody))
