"""One pass over all rows of the lake: whose copies, clocks, sets and persons have changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U64
from percorso.kernels.compile import I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, U8_OUT, U64_IN, U64_IN2, U64_OUT, kernel

__all__ = [
    "changed_rows",
    "correct_times",
    "name_persons",
    "rows_with_bits",
    "set_bits",
    "set_statistics",
    "smallest_skews",
]

_NONE = np.iinfo(np.int64).max


@kernel(types.void(U64_IN2, I64_IN, U64_OUT))
def set_bits(keys: U64, rows: I64, bits: U64) -> None:
    """Mark keys in a bitmap by their low bits; `bits` has a power of two of words and is changed."""
    mask = np.uint64(bits.size * 64 - 1)
    for row in rows:
        at = keys[row, 0] & mask
        bits[np.int64(at >> np.uint64(6))] |= np.uint64(1) << (at & np.uint64(63))


@kernel(I64_OUT(U64_IN2, U8_IN, U64_IN, types.int64, types.int64))
def rows_with_bits(keys: U64, gone: U8, bits: U64, begin: int, end: int) -> I64:
    """Rows from `begin` to before `end` whose key is marked in the bitmap, with a few more, but not gone ones."""
    mask = np.uint64(bits.size * 64 - 1)
    n = 0
    found = np.empty(1024, dtype=np.int64)
    for row in range(begin, end):
        at = keys[row, 0] & mask
        if bits[np.int64(at >> np.uint64(6))] >> (at & np.uint64(63)) & np.uint64(1) and not gone[row]:
            if n == found.size:
                found = np.append(found, np.empty(n, dtype=np.int64))
            found[n] = row
            n += 1
    return found[:n].copy()


@kernel()
def _unit(row: int, stamp: I64, anonymous: I32, device: I32, day: int, days: int) -> Any:
    """A number for each device and UTC day of the event's own time, -1 without a device."""
    weak = anonymous[row] if anonymous[row] >= 0 else device[row]
    return np.int64(-1) if weak < 0 else np.int64(weak) * days + stamp[row] // day


@kernel(types.void(U8_IN, I64_IN, I64_IN, I32_IN, I32_IN, U8_IN, I64_IN, types.int64, types.int64, I64_OUT))
def smallest_skews(
    keep: U8,
    skew: I64,
    stamp: I64,
    anonymous: I32,
    device: I32,
    suspected: U8,
    units: I64,
    day: int,
    days: int,
    smallest: I64,
) -> None:
    """The smallest skew of each device and day in `units` (sorted); `suspected` marks their weak identifiers."""
    for row in range(keep.size):
        weak = anonymous[row] if anonymous[row] >= 0 else device[row]
        if weak < 0 or not suspected[weak] or not keep[row] or skew[row] == _NONE:
            continue
        unit = _unit(row, stamp, anonymous, device, day, days)
        at = np.searchsorted(units, unit)
        if at < units.size and units[at] == unit:
            smallest[at] = min(smallest[at], skew[row])


@kernel(
    types.void(
        I64_IN, I64_IN, I32_IN, I32_IN, U8_IN, I64_IN, I64_IN, types.int64, types.int64, types.int64, I64_OUT, U8_OUT
    )
)
def correct_times(
    stamp: I64,
    received: I64,
    anonymous: I32,
    device: I32,
    moved: U8,
    units: I64,
    offset: I64,
    first_new: int,
    day: int,
    days: int,
    time: I64,
    future: U8,
) -> None:
    """Time of every new row and of all rows of devices that are `moved`: skew out, future ones at received_at.

    Parameters
    ----------
    moved : uint8, shape (n_weak,)
    units, offset : int64, shape (n_units,)
        Devices and days, sorted, and the µs that are added to their events.
    first_new : int
        Rows from here on are new.
    time : int64, shape (n_rows,), out
    future : uint8, shape (n_rows,), out
    """
    hour = np.int64(3_600_000_000)
    for row in range(stamp.size):
        weak = anonymous[row] if anonymous[row] >= 0 else device[row]
        if row < first_new and (weak < 0 or not moved[weak]):
            continue
        t = stamp[row]
        if weak >= 0 and units.size > 0:
            unit = _unit(row, stamp, anonymous, device, day, days)
            at = np.searchsorted(units, unit)
            if at < units.size and units[at] == unit:
                t += offset[at]
        late = received[row] != _NONE and t > received[row] + hour
        future[row] = late
        time[row] = received[row] if late else t


@kernel(types.void(I32_IN, U8_IN, I64_IN, U8_IN, U8_IN, I64_OUT, I64_OUT, U8_OUT))
def set_statistics(sset: I32, keep: U8, time: I64, client: U8, wanted: U8, count: I64, first: I64, trusted: U8) -> None:
    """Events, earliest time and trust of the wanted sets; the entries of the others stay as they are.

    Parameters
    ----------
    wanted : uint8, shape (n_sets,)
    count, first : int64, shape (n_sets,), out
    trusted : uint8, shape (n_sets,), out
        1: at least one event did not come from a browser or an app.
    """
    for s in range(wanted.size):
        if wanted[s]:
            count[s], first[s], trusted[s] = 0, _NONE, 0
    for row in range(sset.size):
        s = sset[row]
        if s < 0 or not wanted[s] or not keep[row]:
            continue
        count[s] += 1
        first[s] = min(first[s], time[row])
        if not client[row]:
            trusted[s] = 1


@kernel(types.void(U8_IN, U8_IN, I32_IN, I32_IN, I32_IN, I32_IN, U8_IN, types.int64, I32_OUT, U8_OUT))
def name_persons(
    affected: U8,
    keep: U8,
    sset: I32,
    person: I32,
    owner: I32,
    chosen: I32,
    found: U8,
    strong_rule: int,
    unit: I32,
    rule: U8,
) -> None:
    """Unit and rule of the affected rows: ``4 * code + kind``, as percorso.identity.placement tells.

    Parameters
    ----------
    person : int32, shape (n_sets,)
    owner, chosen : int32, shape (n_rows,)
        From the timelines.
    found : uint8, shape (n_rows,)
        Rule by timeline; of those that need a key row the unit is set by the caller.
    strong_rule : int
    unit : int32, shape (n_rows,), out
        -1: nobody yet, -2: a copy that does not count.
    rule : uint8, shape (n_rows,), out
    """
    for row in range(affected.size):
        if not affected[row]:
            continue
        s = sset[row]
        if not keep[row]:
            unit[row], rule[row] = -2, 0
        elif s >= 0 and person[s] >= 0:
            unit[row], rule[row] = 4 * person[s], strong_rule
        elif chosen[row] < 0:
            unit[row], rule[row] = -1, 0
        elif owner[row] >= 0:
            unit[row], rule[row] = 4 * owner[row], found[row]
        else:
            w = chosen[row]
            unit[row], rule[row] = 4 * (w >> 1) + (3 if w & 1 else 1), found[row]


@kernel(I64_OUT(I32_IN, I32_IN, U8_IN, U8_IN, I64_IN, I64_IN, U8_IN, U8_IN, U8_IN, U8_IN))
def changed_rows(
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
) -> I64:
    """Rows whose person, rule, time or standing differs from before, and new ones that count; ascending."""
    n = 0
    found = np.empty(1024, dtype=np.int64)
    old = unit_before.size
    for row in range(unit.size):
        if row < old:
            same = unit[row] == unit_before[row]
            if same and unit[row] != -2:
                same = rule[row] == rule_before[row] and time[row] == time_before[row]
                same = same and future[row] == future_before[row] and copy[row] == copy_before[row]
        else:
            same = unit[row] == -2
        if not same:
            if n == found.size:
                found = np.append(found, np.empty(n, dtype=np.int64))
            found[n] = row
            n += 1
    return found[:n].copy()
