"""What senders wrote on events, apart from the coded columns: the cold tables of the journey log.

They do not follow the persons. A row stands where its own time and its message key put it, in one table for each
UTC month and part of the keys, sorted by key; an event finds its row by time and key. So a row stays where it is
when its event goes to another person, and an import rewrites the months that it brings rows of and no others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.errors import Corrupt
from percorso.store.files import AnyPath
from percorso.store.log_files import MOST_TEXT_BYTES
from percorso.store.mapped import log_table

__all__ = ["COLD_COLUMNS", "Cold", "cold_parts", "month_key", "month_of_time", "one_array", "part_of_key"]

#: Text columns of the cold tables; before them stands `key` (uint64).
COLD_COLUMNS = ("message_id", "url", "referrer", "title", "text", "properties")

_EPOCH_YEAR = 1970
_DAY_US = 86_400_000_000
#: A cold table for each so many buckets (as a power of two) and month: its rows are smaller than a bucket's.
_FEWER_BITS = 1


def month_key(month: int) -> str:
    """Name of a month, counted from January 1970.

    Examples
    --------
    >>> month_key(650)
    '2024-03'
    """
    years, rest = divmod(month, 12)
    return f"{_EPOCH_YEAR + years:04d}-{rest + 1:02d}"


def month_of_time(time: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """UTC month of times (µs), counted from January 1970; shape (n,)."""
    if not len(time):
        return np.zeros(0, dtype=np.int32)
    # A division and a look-up; searching in a list of months takes three times as long.
    first, last = int(time.min()) // _DAY_US, int(time.max()) // _DAY_US
    months = np.arange(first, last + 1).astype("datetime64[D]").astype("datetime64[M]").astype(np.int32)
    return months[time // _DAY_US - first]


def cold_parts(bucket_bits: int) -> int:
    """Cold tables of one month, a power of two."""
    return 1 << max(bucket_bits - _FEWER_BITS, 0)


def part_of_key(key: npt.NDArray[np.uint64], n_parts: int) -> npt.NDArray[np.int32]:
    """Part of each message key: its top bits; shape (n,)."""
    bits = n_parts.bit_length() - 1
    return (key >> np.uint64(64 - bits)).astype(np.int32) if bits else np.zeros(len(key), dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Cold:
    """The cold tables of a log.

    Attributes
    ----------
    folder : AnyPath
        The journey log.
    files : mapping
        Month -> file of each part, None where a part has no rows of the month. As in the manifest.
    """

    folder: AnyPath
    files: Mapping[str, Sequence[str | None]]
    _open: dict[str, pa.RecordBatch] = field(default_factory=dict)

    def table(self, month: int, part: int) -> pa.RecordBatch | None:
        """A table, mapped into memory on first use; None where there is none."""
        name = (self.files.get(month_key(month)) or [None] * (part + 1))[part]
        if name is None:
            return None
        if name not in self._open:
            self._open[name] = log_table(self.folder, name)
        return self._open[name]

    def rows(self, time: npt.NDArray[np.int64], key: npt.NDArray[np.uint64], names: Sequence[str]) -> pa.Table:
        """Texts of some events.

        Parameters
        ----------
        time : int64, shape (n,)
            Times of the events, µs UTC.
        key : uint64, shape (n,)
            Their message keys.
        names : sequence of str
            Some of COLD_COLUMNS.

        Raises
        ------
        Corrupt
            A table that the manifest names cannot be read, or lacks one of the events.
        """
        month = month_of_time(time)
        order = np.lexsort((key, month))  # keys ascend in each table: neighbours are found beside each other
        parts, at = [], 0
        for here, part, events in self._groups(month[order], key[order]):
            table, wanted = self.table(here, part), key[order[at : at + events]]
            at += events
            keys = np.zeros(0, dtype=np.uint64) if table is None else table.column("key").to_numpy()
            place = np.searchsorted(keys, wanted)
            if table is None or place[-1] >= len(keys) or not np.array_equal(keys[place], wanted):
                raise Corrupt(
                    f"The journey log lacks texts of {month_key(here)}.",
                    hint="Run `percorso build --full`; the events themselves are in the lake.",
                )
            parts.append(table.select(list(names)).take(pa.array(place)))
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        columns = {}
        for name in names:
            found = [part.column(name) for part in parts] or [pa.array([], pa.string())]
            columns[name] = one_array(found).take(pa.array(back))
        return pa.table(columns)

    def _groups(self, month: npt.NDArray[np.int32], key: npt.NDArray[np.uint64]) -> list[tuple[int, int, int]]:
        """Month, part and number of events of each table that sorted events stand in."""
        if not len(key):
            return []
        n_parts = len(next(iter(self.files.values()), [None]))
        group = month.astype(np.int64) * n_parts + part_of_key(key, n_parts)
        heads = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
        sizes = np.diff(np.append(heads, len(group)))
        return [(*divmod(int(number), n_parts), int(size)) for number, size in zip(group[heads], sizes, strict=True)]


def one_array(parts: Sequence[pa.Array]) -> pa.Array:
    """The parts of a text column as one array; with 64-bit offsets only where they are needed."""
    plain = [
        part.cast(pa.string()) if pa.types.is_large_string(part.type) and part.nbytes <= MOST_TEXT_BYTES else part
        for part in parts
    ]
    wide = any(pa.types.is_large_string(part.type) for part in plain)
    if wide or sum(part.nbytes for part in plain) > MOST_TEXT_BYTES:
        plain = [part.cast(pa.large_string()) for part in plain]
    return plain[0] if len(plain) == 1 else pa.concat_arrays(plain)
