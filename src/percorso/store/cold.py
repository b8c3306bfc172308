"""Where the rows of a bucket stand in its cold tables: one table for each UTC month of the events' time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.store.log_files import MOST_TEXT_BYTES

__all__ = [
    "COLD_COLUMNS",
    "OWN_ACTION",
    "OWN_HAS_CART",
    "OWN_INBOUND",
    "OWN_KNOWN",
    "ColdRows",
    "cold_rows",
    "month_key",
    "month_of_time",
    "one_array",
]

#: Columns of the cold tables as they are read: what the sender wrote, and what an event was before its
#: surroundings were known, so that its person can be built anew. `own` holds the OWN_ bits.
COLD_COLUMNS: Mapping[str, pa.DataType] = {
    **dict.fromkeys(("message_id", "url", "referrer", "title", "text", "properties", "traits"), pa.string()),
    **dict.fromkeys(("own_channel", "own_channel_rule"), pa.string()),
    "own": pa.uint8(),
    "qualifies": pa.int8(),
    "contact_kind": pa.int8(),
}

OWN_INBOUND = 1
OWN_ACTION = 2
OWN_KNOWN = 4  # the channel is of known origin
OWN_HAS_CART = 8

_EPOCH_YEAR = 1970
_DAY_US = 86_400_000_000


def month_key(month: int) -> str:
    """The table of a month, counted from January 1970.

    Examples
    --------
    >>> month_key(650)
    'cold.2024-03'
    """
    years, rest = divmod(month, 12)
    return f"cold.{_EPOCH_YEAR + years:04d}-{rest + 1:02d}"


def month_of_time(time: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """UTC month of times (µs), counted from January 1970; shape (n,)."""
    if not len(time):
        return np.zeros(0, dtype=np.int32)
    # A division and a look-up; searching in a list of months takes three times as long.
    first, last = int(time.min()) // _DAY_US, int(time.max()) // _DAY_US
    months = np.arange(first, last + 1).astype("datetime64[D]").astype("datetime64[M]").astype(np.int32)
    return months[time // _DAY_US - first]


@dataclass(frozen=True, slots=True)
class ColdRows:
    """The events of a bucket by month.

    Attributes
    ----------
    months : tuple of int
        Those with events, ascending, counted from January 1970.
    order : int64, shape (n_events,)
        Event rows by month, ascending inside a month.
    offsets : int64, shape (n_months + 1,)
        Where each month begins in `order`.
    """

    months: tuple[int, ...]
    order: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    def of_month(self, month: int) -> npt.NDArray[np.int64]:
        """Event rows of the month, ascending, shape (n_rows,); none where it has none."""
        if month not in self.months:
            return self.order[:0]
        position = self.months.index(month)
        return self.order[self.offsets[position] : self.offsets[position + 1]]

    def places(self) -> npt.NDArray[np.int64]:
        """Position of each event in `order`, shape (n_events,)."""
        places = np.empty(len(self.order), dtype=np.int64)
        places[self.order] = np.arange(len(self.order))
        return places


def cold_rows(time: npt.NDArray[np.int64]) -> ColdRows:
    """Events by month.

    Parameters
    ----------
    time : int64, shape (n_events,)
        µs UTC, in the order of the bucket's events.
    """
    month = month_of_time(time)
    if not len(month):
        return ColdRows((), np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64))
    first = int(month.min())
    group = month - first
    # A stable sort of 16-bit numbers is linear; a thousand years of months fit.
    narrow = group.astype(np.uint16) if int(group.max()) < 1 << 16 else group
    counts = np.bincount(group)
    present = np.flatnonzero(counts)
    return ColdRows(
        tuple(int(number) + first for number in present),
        np.argsort(narrow, kind="stable"),
        np.concatenate([[0], np.cumsum(counts[present])]).astype(np.int64),
    )


def plain_text(column: pa.Array) -> pa.Array:
    """A cold column as it is read: coded ones as text, texts with 64-bit offsets only where they need them."""
    if pa.types.is_dictionary(column.type):
        return column.dictionary_decode()
    if pa.types.is_large_string(column.type) and column.nbytes <= MOST_TEXT_BYTES:
        return column.cast(pa.string())
    return column


def one_array(parts: Sequence[pa.Array]) -> pa.Array:
    """The parts of a cold column as one array."""
    plain = [plain_text(part) for part in parts]
    wide = any(pa.types.is_large_string(part.type) for part in plain)
    if wide or (pa.types.is_string(plain[0].type) and sum(part.nbytes for part in plain) > MOST_TEXT_BYTES):
        plain = [part.cast(pa.large_string()) for part in plain]
    return plain[0] if len(plain) == 1 else pa.concat_arrays(plain)
