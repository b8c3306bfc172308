"""Codes that hold for all buckets: dictionaries are a bucket's own, so a plan maps them when a query starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["GlobalCodes", "global_codes"]


@dataclass(frozen=True, slots=True)
class GlobalCodes:
    """Values of a column over all buckets, and each bucket's way to them.

    Parameters
    ----------
    table, column : str
    values : tuple of str
        Sorted by bytes; a global code is a position here.
    of_bucket : dict of int to int32 array
        By ``bucket.index``: global code of each local code.
    """

    table: str
    column: str
    values: tuple[str, ...]
    of_bucket: dict[int, npt.NDArray[np.int32]]

    def lut(self, bucket: Bucket) -> npt.NDArray[np.int32]:
        """Global code of each local code of the bucket, int32 of shape (n_local,)."""
        return self.of_bucket[bucket.index]


def global_codes(
    log: JourneyLog, column: str, *, table: str = "events", rename: Callable[[str], str] | None = None
) -> GlobalCodes:
    """Map the codes of a column in every bucket to global ones.

    Parameters
    ----------
    log : JourneyLog
    column : str
        A coded column.
    table : str
    rename : callable, optional
        Applied to each distinct value first; values that become equal get one code.
    """
    local = {bucket.index: bucket.table(table).dictionary(column) for bucket in log.buckets}
    if rename is not None:
        names = {value: rename(value) for value in set().union(*local.values())}
        local = {index: tuple(names[value] for value in values) for index, values in local.items()}
    every = sorted(set().union(*local.values()), key=str.encode)
    code = {value: position for position, value in enumerate(every)}
    luts = {
        index: np.fromiter((code[value] for value in values), dtype=np.int32, count=len(values))
        for index, values in local.items()
    }
    return GlobalCodes(table, column, tuple(every), luts)
