"""The units of paths and attempts: which events belong to each person, journey or session of a bucket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.kernels.units import rows_by_unit
from percorso.store.journey_log import Bucket

__all__ = ["NO_ROWS", "Units", "units_of"]

#: What kernels receive for "rows as they stand": an array of no elements.
NO_ROWS: npt.NDArray[np.int32] = np.empty(0, dtype=np.int32)

_TABLE = {"journey": "journeys", "session": "sessions"}


@dataclass(frozen=True, slots=True)
class Units:
    """Events of each unit of one bucket, in the total order.

    Parameters
    ----------
    offsets : int64 array, shape (n_units + 1,)
        Unit u has ``rows[offsets[u] : offsets[u + 1]]``.
    rows : int32 array, shape (n_kept,) or (0,)
        Event rows; of no elements: rows are 0, 1, 2, … themselves (units are persons).
    persons : int32 array, shape (n_units,), or None
        Person of each unit; None: unit u is person u.
    """

    offsets: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    persons: npt.NDArray[np.int32] | None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def person_mask(self, of_unit: npt.NDArray[np.bool_], n_persons: int) -> npt.NDArray[np.bool_]:
        """Persons with at least one of the marked units, bool of shape (n_persons,)."""
        if self.persons is None:
            return of_unit
        mask = np.zeros(n_persons, dtype=np.bool_)
        mask[self.persons[of_unit]] = True
        return mask


def units_of(bucket: Bucket, per: str) -> Units:
    """The units of a bucket.

    Parameters
    ----------
    bucket : Bucket
    per : {"person", "journey", "session"}
        A journey is a purchase journey or an order journey; events of none are in no unit.
    """
    if per == "person":
        return Units(bucket.offsets(), NO_ROWS, None)
    table = bucket.table(_TABLE[per])
    rows, offsets = rows_by_unit(bucket.events.values(per), len(table))
    return Units(offsets, rows, table.values("person"))
