"""Passes over the rows of the lake: whose copies, clocks, sets and persons have changed.

What looks for few among many writes every row's number and steps on only where it is wanted: a branch that is
hard to foretell, or an array that grows inside the loop, would cost five times as much.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U64
from percorso.kernels.compile import I32_IN, I64_IN, I64_OUT, U8_IN, U8_OUT, U64_IN, U64_IN2, U64_OUT, kernel

__all__ = [
    "add_to_sets",
    "changed_rows",
    "correct_times",
    "rows_marked",
    "rows_of_devices",
    "rows_of_part",
    "rows_with_bits",
    "rows_with_marks",
    "set_bits",
    "smallest_skews",
]

_NONE = np.iinfo(np.int64).max
_BLOCK = 4096


@kernel()
def _room(found: I64, n: int) -> Any:
    """`found`, with room for another block after the first n."""
    if n + _BLOCK <= found.size:
        return found
    grown = np.empty(2 * found.size, dtype=np.int64)
    grown[:n] = found[:n]
    return grown


@kernel()
def _bit(bits: U64, at: np.uint64) -> Any:
    return np.int64((bits[np.int64(at >> np.uint64(6))] >> (at & np.uint64(63))) & np.uint64(1))


@kernel(types.void(U64_IN2, I64_IN, U64_OUT))
def set_bits(keys: U64, rows: I64, bits: U64) -> None:
    """Mark keys in a bitmap by the low bits of both words; `bits` has a power of two of words and is changed."""
    mask = np.uint64(bits.size * 64 - 1)
    for row in rows:
        for word in range(2):
            at = keys[row, word] & mask
            bits[np.int64(at >> np.uint64(6))] |= np.uint64(1) << (at & np.uint64(63))


@kernel(I64_OUT(U64_IN2, U8_IN, U64_IN, types.int64, types.int64))
def rows_with_bits(keys: U64, gone: U8, bits: U64, begin: int, end: int) -> I64:
    """Rows from `begin` to before `end` whose key is marked in the bitmap, with a few more, but not gone ones."""
    mask = np.uint64(bits.size * 64 - 1)
    found, n = np.empty(2 * _BLOCK, dtype=np.int64), 0
    for start in range(begin, end, _BLOCK):
        found = _room(found, n)
        last = n
        for row in range(start, min(start + _BLOCK, end)):
            found[last] = row
            last += _bit(bits, keys[row, 0] & mask)
        for k in range(n, last):
            row = found[k]
            found[n] = row
            n += _bit(bits, keys[row, 1] & mask) & int(gone[row] == 0)
    return found[:n].copy()


@kernel(I64_OUT(U64_IN2, U8_IN, types.int64, types.int64, types.int64, types.int64))
def rows_of_part(keys: U64, gone: U8, part: int, n_parts: int, begin: int, end: int) -> I64:
    """Rows from `begin` to before `end` that are not gone and whose key belongs to a part of all keys."""
    found, n = np.empty(2 * _BLOCK, dtype=np.int64), 0
    for start in range(begin, end, _BLOCK):
        found = _room(found, n)
        for row in range(start, min(start + _BLOCK, end)):
            found[n] = row
            n += int(gone[row] == 0) & int(keys[row, 1] % np.uint64(n_parts) == np.uint64(part))
    return found[:n].copy()


@kernel(I64_OUT(I32_IN, U8_IN, types.int64, types.int64, types.int64))
def rows_marked(codes: I32, marked: U8, shift: int, begin: int, end: int) -> I64:
    """Rows from `begin` to before `end` whose code, with `shift` added, is marked; 0 is never to be marked."""
    found, n = np.empty(2 * _BLOCK, dtype=np.int64), 0
    for start in range(begin, end, _BLOCK):
        found = _room(found, n)
        for row in range(start, min(start + _BLOCK, end)):
            found[n] = row
            n += int(marked[codes[row] + shift] != 0)
    return found[:n].copy()


@kernel(I64_OUT(U8_IN, types.uint8, types.int64, types.int64))
def rows_with_marks(marks: U8, wanted: int, begin: int, end: int) -> I64:
    """Rows from `begin` to before `end` with one of the wanted marks."""
    found, n = np.empty(2 * _BLOCK, dtype=np.int64), 0
    for start in range(begin, end, _BLOCK):
        found = _room(found, n)
        for row in range(start, min(start + _BLOCK, end)):
            found[n] = row
            n += int(marks[row] & wanted != 0)
    return found[:n].copy()


@kernel(I64_OUT(I32_IN, I32_IN, U8_IN, types.int64, types.int64))
def rows_of_devices(anonymous: I32, device: I32, marked: U8, begin: int, end: int) -> I64:
    """Rows from `begin` to before `end` of marked devices; a row's device is its first weak identifier."""
    found, n = np.empty(2 * _BLOCK, dtype=np.int64), 0
    for start in range(begin, end, _BLOCK):
        found = _room(found, n)
        for row in range(start, min(start + _BLOCK, end)):
            weak = anonymous[row] if anonymous[row] >= 0 else device[row]
            if weak >= 0 and marked[weak]:
                found[n] = row
                n += 1
    return found[:n].copy()


@kernel()
def _unit(row: int, stamp: I64, anonymous: I32, device: I32, day: int, days: int) -> Any:
    """A number >= 0 for each device and UTC day of the event's own time (some before 1970), -1 without a device."""
    weak = anonymous[row] if anonymous[row] >= 0 else device[row]
    return np.int64(-1) if weak < 0 else np.int64(weak) * days + stamp[row] // day % days


@kernel(types.void(I64_IN, U8_IN, I64_IN, I64_IN, I32_IN, I32_IN, I64_IN, types.int64, types.int64, I64_OUT))
def smallest_skews(
    rows: I64,
    keep: U8,
    skew: I64,
    stamp: I64,
    anonymous: I32,
    device: I32,
    units: I64,
    day: int,
    days: int,
    smallest: I64,
) -> None:
    """The smallest skew of each device and day in `units` (sorted) among some rows."""
    for row in rows:
        if not keep[row] or skew[row] == _NONE:
            continue
        unit = _unit(row, stamp, anonymous, device, day, days)
        at = np.searchsorted(units, unit)
        if at < units.size and units[at] == unit:
            smallest[at] = min(smallest[at], skew[row])


@kernel(
    types.void(
        I64_IN,
        types.int64,
        types.int64,
        I64_IN,
        I64_IN,
        I32_IN,
        I32_IN,
        I64_IN,
        I64_IN,
        types.int64,
        types.int64,
        I64_OUT,
        U8_OUT,
    )
)
def correct_times(
    rows: I64,
    begin: int,
    end: int,
    stamp: I64,
    received: I64,
    anonymous: I32,
    device: I32,
    units: I64,
    offset: I64,
    day: int,
    days: int,
    time: I64,
    future: U8,
) -> None:
    """Time of some rows: skew out, future ones at received_at.

    Parameters
    ----------
    rows : int64
    begin, end : int
        Rows from `begin` to before `end` as well.
    units, offset : int64, shape (n_units,)
        Devices and days, sorted, and the µs that are added to their events.
    time : int64, shape (n_rows,), out
    future : uint8, shape (n_rows,), out
    """
    hour = np.int64(3_600_000_000)
    for k in range(rows.size + end - begin):
        row = rows[k] if k < rows.size else begin + k - rows.size
        t = stamp[row]
        if units.size > 0:
            unit = _unit(row, stamp, anonymous, device, day, days)
            at = np.searchsorted(units, unit)
            if at < units.size and units[at] == unit:
                t += offset[at]
        late = received[row] != _NONE and t > received[row] + hour
        future[row] = late
        time[row] = received[row] if late else t


@kernel(types.void(I64_IN, types.int64, types.int64, I32_IN, U8_IN, I64_IN, U8_IN, I64_OUT, I64_OUT, U8_OUT))
def add_to_sets(
    rows: I64, begin: int, end: int, sset: I32, keep: U8, time: I64, client: U8, count: I64, first: I64, trusted: U8
) -> None:
    """Add some rows, and those from `begin` to before `end`, to events, earliest time and trust of their sets.

    Parameters
    ----------
    count, first : int64, shape (n_sets,), in and out
    trusted : uint8, shape (n_sets,), in and out
        1: at least one event did not come from a browser or an app.
    """
    for k in range(rows.size + end - begin):
        row = rows[k] if k < rows.size else begin + k - rows.size
        s = sset[row]
        if s < 0 or not keep[row]:
            continue
        count[s] += 1
        first[s] = min(first[s], time[row])
        if not client[row]:
            trusted[s] = 1


@kernel(
    I64_OUT(
        U8_IN,
        types.uint8,
        I32_IN,
        I32_IN,
        U8_IN,
        U8_IN,
        I64_IN,
        I64_IN,
        U8_IN,
        U8_IN,
        U8_IN,
        U8_IN,
        types.int64,
        types.int64,
    )
)
def changed_rows(
    marks: U8,
    wanted: int,
    unit: I32,
    unit_before: I32,
    rule: U8,
    rule_before: U8,
    time: I64,
    time_before: I64,
    future: U8,
    future_before: U8,
    copy: U8,
    copy_before: U8,
    begin: int,
    end: int,
) -> I64:
    """Rows with a wanted mark whose person, rule, time or standing differs from before, and new ones that count."""
    found, n = np.empty(2 * _BLOCK, dtype=np.int64), 0
    old = unit_before.size
    for start in range(begin, end, _BLOCK):
        found = _room(found, n)
        last = n
        for row in range(start, min(start + _BLOCK, end)):
            found[last] = row
            last += int(marks[row] & wanted != 0)
        for k in range(n, last):
            row = found[k]
            if row < old:
                same = unit[row] == unit_before[row]
                if same and unit[row] != -2:
                    same = rule[row] == rule_before[row] and time[row] == time_before[row]
                    same = same and future[row] == future_before[row] and copy[row] == copy_before[row]
            else:
                same = unit[row] == -2
            found[n] = row
            n += int(not same)
    return found[:n].copy()
