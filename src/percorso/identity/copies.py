"""Which copy of a message counts, and when it happened (definitions, sections 6 and 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.engines.ranges import in_ranges
from percorso.identity.rows import MISSING, SKEW_LIMIT_US, SKEWED, RowFiles
from percorso.kernels.interning import duplicate_groups
from percorso.kernels.rows import correct_times, rows_with_bits, set_bits, smallest_skews

__all__ = ["Skews", "find_skews", "keep_one_copy", "place_in_time"]

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_DAYS = 10_000_000  # more than there are days in the years 1 to 9999
_LEAST_BITS, _MOST_BITS = 16, 28  # of the bitmap of keys: 8 KiB to 32 MiB
_BITS_PER_KEY = 5  # log2: one key in 32 bits, so that few rows are looked at in vain

#: Scratch memory that comparing a key takes.
_BYTES_PER_KEY = 48


def keep_one_copy(
    rows: RowFiles,
    keep: npt.NDArray[np.uint8],
    gone: npt.NDArray[np.uint8],
    touched: npt.NDArray[np.int64],
    memory_bytes: int,
) -> None:
    """Set `keep` on the copy of each message that counts: least received_at (none last), then least row hash.

    Parameters
    ----------
    keep : uint8, shape (n_rows,), changed
    gone : uint8, shape (n_rows,)
        1: the row's file has left the lake.
    touched : int64, shape (n_touched,)
        Rows that are new or gone; only copies of these are compared.
    """
    keys = rows.column("key")
    keep[touched] = 0
    if 4 * len(touched) > rows.n_rows:
        suspects = np.flatnonzero(gone == 0)
    else:
        width = min(max(len(touched).bit_length() + _BITS_PER_KEY, _LEAST_BITS), _MOST_BITS)
        bits = np.zeros(1 << (width - 6), dtype=np.uint64)
        set_bits(keys, touched, bits)
        found = in_ranges(rows.n_rows, lambda begin, end: rows_with_bits(keys, gone, bits, begin, end))
        suspects = np.concatenate(found)
    n_parts = 1 + len(suspects) * _BYTES_PER_KEY // max(memory_bytes, 1)
    for part in range(n_parts):
        inside = suspects if n_parts == 1 else suspects[keys[suspects, 1] % np.uint64(n_parts) == part]
        keep[inside] = 1
        whole = len(inside) == rows.n_rows
        copies, group = duplicate_groups(np.ascontiguousarray(keys if whole else keys[inside]), _part_bits(len(inside)))
        if len(copies):
            copies = inside[copies]
            keep[copies] = 0
            keep[_firsts(rows, copies, group)] = 1


def _firsts(rows: RowFiles, copies: npt.NDArray[np.int64], group: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The row of each group that counts."""
    received, row_key = rows.column("received")[copies], rows.column("row_key")[copies]
    big = row_key.byteswap()  # row keys are bytes: compare them as big-endian numbers
    order = np.lexsort((copies, big[:, 1], big[:, 0], received, group))
    first = np.r_[True, group[order][1:] != group[order][:-1]]
    return copies[order[first]]


def _part_bits(n_rows: int) -> int:
    """How finely to scatter rows so that a part fits the processor's cache."""
    return min(max(0, n_rows.bit_length() - 11), 16)


@dataclass(frozen=True, slots=True)
class Skews:
    """By how much the clocks of devices are put right: sorted units (device and UTC day) and µs to add."""

    units: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]

    def devices_that_differ(self, other: Skews, n_weak: int) -> npt.NDArray[np.uint8]:
        """Weak identifiers with another offset on some day, uint8 by code."""
        mine = set(zip(self.units.tolist(), self.offset.tolist(), strict=True))
        theirs = set(zip(other.units.tolist(), other.offset.tolist(), strict=True))
        moved = np.zeros(n_weak, dtype=np.uint8)
        for unit, _ in mine ^ theirs:
            moved[unit // _DAYS] = 1
        return moved


def find_skews(rows: RowFiles, keep: npt.NDArray[np.uint8], n_weak: int) -> Skews:
    """Offset of a device and UTC day: the smallest received_at - sent_at, where beyond five minutes."""
    skewed = rows.reference(SKEWED)
    if skewed is None:
        return Skews(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    skew, stamp = rows.column("skew"), rows.column("stamp")
    anonymous, device = rows.column("anonymous"), rows.column("device")
    found = np.flatnonzero((skewed != 0) & (keep == 1) & ((anonymous >= 0) | (device >= 0)))
    weak = np.where(anonymous[found] >= 0, anonymous[found], device[found]).astype(np.int64)
    units = np.unique(weak * _DAYS + np.floor_divide(stamp[found], _DAY_US))
    if not len(units):
        return Skews(units, units)
    suspected = np.zeros(n_weak, dtype=np.uint8)
    suspected[weak] = 1
    smallest = np.full(len(units), MISSING, dtype=np.int64)
    smallest_skews(keep, skew, stamp, anonymous, device, suspected, units, _DAY_US, _DAYS, smallest)
    beyond = np.abs(smallest) > SKEW_LIMIT_US
    return Skews(units[beyond], smallest[beyond])


def place_in_time(
    rows: RowFiles,
    skews: Skews,
    moved: npt.NDArray[np.uint8],
    first_new: int,
    time: npt.NDArray[np.int64],
    future: npt.NDArray[np.uint8],
) -> None:
    """Fill in `time` and `future` of new rows and of rows of devices whose clock is now put right otherwise."""
    correct_times(
        rows.column("stamp"),
        rows.column("received"),
        rows.column("anonymous"),
        rows.column("device"),
        moved,
        skews.units,
        skews.offset,
        first_new,
        _DAY_US,
        _DAYS,
        time,
        future,
    )
