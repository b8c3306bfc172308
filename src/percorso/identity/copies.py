"""Which copy of a message counts, and when it happened (definitions, sections 6 and 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.engines.ranges import in_ranges
from percorso.identity.rows import MISSING, SKEW_LIMIT_US, SKEWED, RowFiles
from percorso.kernels.interning import duplicate_groups
from percorso.kernels.rows import (
    correct_times,
    rows_of_devices,
    rows_of_part,
    rows_with_bits,
    set_bits,
    smallest_skews,
)

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
    lost: npt.NDArray[np.int64],
    first_new: int,
    memory_bytes: int,
) -> None:
    """Set `keep` on the copy of each message that counts: least received_at (none last), then least row hash.

    Parameters
    ----------
    keep : uint8, shape (n_rows,), changed
        Of new rows 0.
    gone : uint8, shape (n_rows,)
        1: the row's file has left the lake.
    lost : int64, shape (n_lost,)
        Old rows that have left since the last build.
    first_new : int
        Rows from here on are new. Only copies of new and lost rows are compared.
    """
    keys, n_touched = rows.column("key"), len(lost) + rows.n_rows - first_new
    keep[lost] = 0
    suspects = None  # all rows
    if 4 * n_touched <= rows.n_rows:
        suspects = _suspects(rows, gone, lost, first_new)
    n_parts = 1 + (rows.n_rows if suspects is None else len(suspects)) * _BYTES_PER_KEY // max(memory_bytes, 1)
    for part in range(n_parts):
        if suspects is not None:
            inside = suspects if n_parts == 1 else suspects[keys[suspects, 1] % np.uint64(n_parts) == part]
        elif n_parts == 1:
            inside = None if not gone.any() else np.flatnonzero(gone == 0)
        else:
            inside = _of_part(rows, gone, part, n_parts)
        _keep_firsts(rows, keep, inside)


def _suspects(
    rows: RowFiles, gone: npt.NDArray[np.uint8], lost: npt.NDArray[np.int64], first_new: int
) -> npt.NDArray[np.int64]:
    """Every row that counts and has the key of a new or lost row, and some others; ascending."""
    keys, touched = rows.column("key"), np.concatenate([lost, np.arange(first_new, rows.n_rows)])
    width = min(max(len(touched).bit_length() + _BITS_PER_KEY, _LEAST_BITS), _MOST_BITS)
    bits = np.zeros(1 << (width - 6), dtype=np.uint64)
    set_bits(keys, touched, bits)
    return np.concatenate(in_ranges(rows.n_rows, lambda begin, end: rows_with_bits(keys, gone, bits, begin, end)))


def _of_part(rows: RowFiles, gone: npt.NDArray[np.uint8], part: int, n_parts: int) -> npt.NDArray[np.int64]:
    """Rows that are not gone and whose keys belong to a part of all keys."""
    keys = rows.column("key")
    found = in_ranges(rows.n_rows, lambda begin, end: rows_of_part(keys, gone, part, n_parts, begin, end))
    return np.concatenate(found)


def _keep_firsts(rows: RowFiles, keep: npt.NDArray[np.uint8], inside: npt.NDArray[np.int64] | None) -> None:
    """Set `keep` on some rows, or on all; of those that are copies of each other, on one. No other row has a copy."""
    keys = rows.column("key")
    keep[slice(None) if inside is None else inside] = 1
    keys = np.ascontiguousarray(keys if inside is None else keys[inside])
    copies, group = duplicate_groups(keys, _part_bits(len(keys)))
    if len(copies):
        copies = copies if inside is None else inside[copies]
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
    """By how much the clocks of devices are put right: sorted units (device and UTC day) and µs to add.

    A unit is ``code * _DAYS + day``; a day before 1970, which clocks without a battery show, counts from the end.
    """

    units: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]

    def devices_that_differ(self, other: Skews, n_weak: int) -> npt.NDArray[np.uint8]:
        """Weak identifiers with another offset on some day, uint8 by code."""
        moved = np.zeros(n_weak, dtype=np.uint8)
        for mine, theirs in ((self, other), (other, self)):
            if len(mine.units):
                at = np.minimum(np.searchsorted(theirs.units, mine.units), max(len(theirs.units) - 1, 0))
                same = np.zeros(len(mine.units), dtype=np.bool_)
                if len(theirs.units):
                    same = (theirs.units[at] == mine.units) & (theirs.offset[at] == mine.offset)
                moved[mine.units[~same] // _DAYS] = 1
        return moved


def find_skews(rows: RowFiles, keep: npt.NDArray[np.uint8], n_weak: int) -> Skews:
    """Offset of a device and UTC day: the smallest received_at - sent_at, where beyond five minutes."""
    skewed, nothing = rows.reference(SKEWED), np.zeros(0, dtype=np.int64)
    if skewed is None:
        return Skews(nothing, nothing)
    skew, stamp = rows.column("skew"), rows.column("stamp")
    anonymous, device = rows.column("anonymous"), rows.column("device")
    found = np.concatenate([part.start + np.flatnonzero(skewed[part] & keep[part]) for part in rows.chunks()])
    weak = np.where(anonymous[found] >= 0, anonymous[found], device[found]).astype(np.int64)
    found, weak = found[weak >= 0], weak[weak >= 0]
    units = np.unique(weak * _DAYS + stamp[found] // _DAY_US % _DAYS)
    if not len(units):
        return Skews(nothing, nothing)
    suspected = np.zeros(n_weak, dtype=np.uint8)
    suspected[weak] = 1
    smallest = np.full(len(units), MISSING, dtype=np.int64)
    for of_devices in in_ranges(rows.n_rows, lambda begin, end: _of_devices(rows, suspected, begin, end)):
        smallest_skews(of_devices, keep, skew, stamp, anonymous, device, units, _DAY_US, _DAYS, smallest)
    beyond = np.abs(smallest) > SKEW_LIMIT_US
    return Skews(units[beyond], smallest[beyond])


def _of_devices(rows: RowFiles, marked: npt.NDArray[np.uint8], begin: int, end: int) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = rows_of_devices(rows.column("anonymous"), rows.column("device"), marked, begin, end)
    return found


def place_in_time(
    rows: RowFiles,
    skews: Skews,
    moved: npt.NDArray[np.uint8],
    first_new: int,
    time: npt.NDArray[np.int64],
    future: npt.NDArray[np.uint8],
) -> npt.NDArray[np.int64]:
    """Fill in `time` and `future` of new rows and of rows of devices whose clock is now put right otherwise.

    Returns
    -------
    int64
        Old rows of such devices, ascending.
    """
    old = [np.zeros(0, dtype=np.int64)]
    if moved.any():
        old = in_ranges(first_new, lambda begin, end: _of_devices(rows, moved, begin, end))
    stamp, received = rows.column("stamp"), rows.column("received")
    anonymous, device = rows.column("anonymous"), rows.column("device")

    def correct(some: npt.NDArray[np.int64], begin: int, end: int) -> None:
        correct_times(
            some,
            begin,
            end,
            stamp,
            received,
            anonymous,
            device,
            skews.units,
            skews.offset,
            _DAY_US,
            _DAYS,
            time,
            future,
        )

    in_ranges(rows.n_rows - first_new, lambda begin, end: correct(old[0][:0], first_new + begin, first_new + end))
    some = np.concatenate(old)
    correct(some, 0, 0)
    return some
