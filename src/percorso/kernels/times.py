"""Read times from Arrow string buffers, and put wall-clock times on the UTC line.

The readers accept only texts that are plainly right; any other cell is left to the scalar reader, which
decides. So they are fast without having opinions of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.compile import BOOL_IN, I32_IN, I64_IN, I64_OUT, U8_IN, U8_OUT, kernel

__all__ = [
    "AT_OFFSET",
    "IRREGULAR",
    "OP_BLANK",
    "OP_DAY",
    "OP_FRACTION",
    "OP_HOUR",
    "OP_LITERAL",
    "OP_MINUTE",
    "OP_MONTH",
    "OP_SECOND",
    "OP_SHORT_YEAR",
    "OP_YEAR",
    "WALL_CLOCK",
    "localise_times",
    "read_iso_times",
    "read_pattern_times",
    "shift_to_local",
]

Ints = npt.NDArray[np.int64]
Ints32 = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

#: What a reader says of a cell: a wall-clock time, an instant, or not for this reader.
WALL_CLOCK, AT_OFFSET, IRREGULAR = 0, 1, 2

#: Steps of a pattern: (operation, byte of a literal or fixed number of digits).
OP_LITERAL, OP_BLANK, OP_YEAR, OP_SHORT_YEAR, OP_MONTH, OP_DAY, OP_HOUR, OP_MINUTE, OP_SECOND, OP_FRACTION = range(10)

_SECOND_US = 1_000_000
_DAY_US = 86_400_000_000
_0, _9, _DOT, _COMMA, _COLON, _DASH, _PLUS, _BLANK = 48, 57, 46, 44, 58, 45, 43, 32
_T, _SMALL_T, _Z, _SMALL_Z = 84, 116, 90, 122


@kernel(inline="always")
def _is_digit(c: Any) -> bool:
    return bool(_0 <= c <= _9)


@kernel()
def _two_digits(data: Bytes, at: Any) -> Any:
    """The number of two digits at `at`; -1 where there is none."""
    a, b = data[at], data[at + 1]
    if _is_digit(a) and _is_digit(b):
        return (np.int64(a) - _0) * 10 + (np.int64(b) - _0)
    return np.int64(-1)


@kernel()
def _days_since_epoch(year: Any, month: Any, day: Any) -> Any:
    """Days from 1970-01-01 to a day of the Gregorian calendar; a very negative number for no such day.

    Years are counted from March, so that the leap day is a year's last: 153 days are five months.
    """
    if month < 1 or month > 12 or day < 1 or day > 31:
        return np.int64(-(1 << 40))
    if day > 28:
        leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
        if month == 2:
            last = 29 if leap else 28
        elif month == 4 or month == 6 or month == 9 or month == 11:
            last = 30
        else:
            last = 31
        if day > last:
            return np.int64(-(1 << 40))
    y = year - 1 if month <= 2 else year
    era = y // 400
    of_era = y - era * 400
    from_march = month - 3 if month > 2 else month + 9
    of_year = (153 * from_march + 2) // 5 + day - 1
    return np.int64(era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468)


@kernel()
def _wall_us(year: Any, month: Any, day: Any, hour: Any, minute: Any, second: Any, fraction_us: Any) -> Any:
    """Microseconds of a wall-clock time; a very negative number where there is none.

    The years 1000 to 9998 alone: outside, an offset could leave the calendar, which the scalar reader checks.
    """
    days = _days_since_epoch(year, month, day)
    if year < 1000 or year > 9998 or days < -(1 << 39) or hour > 23 or minute > 59 or second > 59:
        return np.int64(-(1 << 62))
    return days * _DAY_US + ((hour * 60 + minute) * 60 + second) * _SECOND_US + fraction_us


@kernel(types.void(I32_IN, U8_IN, I64_OUT, U8_OUT))
def read_iso_times(offsets: Ints32, data: Bytes, us: Ints, status: Bytes) -> None:
    """ISO 8601 times, with or without an offset.

    Parameters
    ----------
    offsets : int32, shape (n_values + 1,)
    data : uint8, shape (n_bytes,)
    us : int64, shape (n_values,)
        Out: microseconds; of the wall clock, or of UTC where the text names its offset.
    status : uint8, shape (n_values,)
        Out: WALL_CLOCK, AT_OFFSET or IRREGULAR.
    """
    for i in range(us.size):
        us[i] = 0
        status[i] = IRREGULAR
        at, end = offsets[i], offsets[i + 1]
        if end - at < 10 or end - at > 40:
            continue
        century, rest = _two_digits(data, at), _two_digits(data, at + 2)
        month, day = _two_digits(data, at + 5), _two_digits(data, at + 8)
        if century < 0 or rest < 0 or month < 0 or day < 0 or data[at + 4] != _DASH or data[at + 7] != _DASH:
            continue
        at += 10
        hour = minute = second = fraction = np.int64(0)
        if at < end:
            c = data[at]
            if end - at < 6 or c not in (_T, _BLANK, _SMALL_T) or data[at + 3] != _COLON:
                continue
            hour, minute = _two_digits(data, at + 1), _two_digits(data, at + 4)
            if hour < 0 or minute < 0:
                continue
            at += 6
            if end - at >= 3 and data[at] == _COLON:
                second = _two_digits(data, at + 1)
                if second < 0:
                    continue
                at += 3
                if at < end and data[at] in (_DOT, _COMMA):
                    at += 1
                    start, scale = at, np.int64(100_000)
                    while at < end and _is_digit(data[at]):
                        fraction += (np.int64(data[at]) - _0) * scale
                        scale //= 10
                        at += 1
                    if at == start or at - start > 9:
                        continue
        wall = _wall_us(century * 100 + rest, month, day, hour, minute, second, fraction)
        if wall < -(1 << 61):
            continue
        if at == end:
            us[i] = wall
            status[i] = WALL_CLOCK
            continue
        if data[at] == _BLANK and end - at > 1:
            at += 1
        c = data[at]
        if c in (_Z, _SMALL_Z) and end - at == 1:
            us[i] = wall
            status[i] = AT_OFFSET
        elif c in (_PLUS, _DASH) and end - at >= 3:
            off_hour, off_minute, left = _two_digits(data, at + 1), np.int64(0), end - at - 3
            if left == 2:
                off_minute = _two_digits(data, at + 3)
            elif left == 3 and data[at + 3] == _COLON:
                off_minute = _two_digits(data, at + 4)
            elif left != 0:
                continue
            minutes = off_hour * 60 + off_minute
            if off_hour < 0 or off_minute < 0 or off_minute > 59 or minutes > 18 * 60:
                continue
            us[i] = wall - (minutes if c == _PLUS else -minutes) * 60 * _SECOND_US
            status[i] = AT_OFFSET


@kernel(types.void(I32_IN, U8_IN, U8_IN, U8_IN, I64_OUT, U8_OUT))
def read_pattern_times(
    offsets: Ints32, data: Bytes, operations: Bytes, operands: Bytes, us: Ints, status: Bytes
) -> None:
    """Wall-clock times written as a pattern says.

    Parameters
    ----------
    offsets, data
        As in :func:`read_iso_times`.
    operations, operands : uint8, shape (n_steps,)
        The pattern: OP_LITERAL with its byte, OP_BLANK, or an OP_ of a number with the exact count of its
        digits, 0 for one or two as they come (one to six for a fraction).
    us, status
        As in :func:`read_iso_times`; never AT_OFFSET.
    """
    for i in range(us.size):
        us[i] = 0
        status[i] = IRREGULAR
        at, end = offsets[i], offsets[i + 1]
        year, month, day = np.int64(1900), np.int64(1), np.int64(1)
        hour = minute = second = fraction = np.int64(0)
        good = True
        for step in range(operations.size):
            operation, operand = operations[step], operands[step]
            if operation in (OP_LITERAL, OP_BLANK):
                wanted = operand if operation == OP_LITERAL else _BLANK
                if at >= end or data[at] != wanted:
                    good = False
                    break
                at += 1
                continue
            most = operand if operand > 0 else (6 if operation == OP_FRACTION else 2)
            value, digits = np.int64(0), 0
            while at < end and digits < most and _is_digit(data[at]):
                value = value * 10 + (np.int64(data[at]) - _0)
                digits += 1
                at += 1
            if digits == 0 or (operand > 0 and digits != operand):
                good = False
                break
            if operation == OP_YEAR:
                year = value
            elif operation == OP_SHORT_YEAR:
                year = value + (1900 if value >= 69 else 2000)  # POSIX
            elif operation == OP_MONTH:
                month = value
            elif operation == OP_DAY:
                day = value
            elif operation == OP_HOUR:
                hour = value
            elif operation == OP_MINUTE:
                minute = value
            elif operation == OP_SECOND:
                second = value
            else:
                fraction = value * 10 ** (6 - digits)
        if not good or at != end:
            continue
        wall = _wall_us(year, month, day, hour, minute, second, fraction)
        if wall > -(1 << 61):
            us[i] = wall
            status[i] = WALL_CLOCK


@kernel(types.void(I64_OUT, U8_IN, BOOL_IN, I64_IN, I64_IN, U8_OUT))
def localise_times(
    us: Ints, status: Bytes, present: npt.NDArray[np.bool_], begins: Ints, offsets: Ints, notes: Bytes
) -> None:
    """Turn wall-clock times into instants, in place.

    Parameters
    ----------
    us : int64, shape (n_values,)
        In and out. Cells whose status is not WALL_CLOCK, or that are not present, stay as they are.
    status : uint8, shape (n_values,)
    present : bool, shape (n_values,)
    begins, offsets : int64, shape (n_segments,)
        From the instant begins[s] on, until begins[s + 1], the zone's offset is offsets[s]; microseconds.
    notes : uint8, shape (n_values,)
        Out: 1 for a time in a gap (moved to the first valid instant), 2 for one that came twice (first taken).

    Notes
    -----
    Segment s shows the wall clock from begins[s] + offsets[s] until begins[s + 1] + offsets[s]. The first
    segment that ends after the time holds its first occurrence, or begins after it: then it lies in a gap.
    """
    last = begins.size - 1
    segment = 0
    for i in range(us.size):
        if status[i] != WALL_CLOCK or not present[i]:
            continue
        wall = us[i]
        # Times of a file lie near each other: look at the segment of the time before first.
        inside = segment == last or wall < begins[segment + 1] + offsets[segment]
        if not (inside and (segment == 0 or wall >= begins[segment] + offsets[segment - 1])):
            low, high = 0, last
            while low < high:
                middle = (low + high) // 2
                if wall < begins[middle + 1] + offsets[middle]:
                    high = middle
                else:
                    low = middle + 1
            segment = low
        if segment > 0 and wall < begins[segment] + offsets[segment]:
            us[i] = begins[segment]
            notes[i] = 1
        else:
            us[i] = wall - offsets[segment]
            if segment < last and wall >= begins[segment + 1] + offsets[segment + 1]:
                notes[i] = 2


@kernel(types.void(I64_IN, I64_IN, I64_IN, I64_OUT))
def shift_to_local(us: Ints, begins: Ints, offsets: Ints, local_us: Ints) -> None:
    """What the clock shows at each instant: int64 microseconds, counted as if they were UTC.

    `begins` and `offsets` as in :func:`localise_times`.
    """
    last = begins.size - 1
    segment = 0
    for i in range(us.size):
        t = us[i]
        if t < begins[segment] or (segment < last and t >= begins[segment + 1]):
            low, high = 0, last
            while low < high:
                middle = (low + high + 1) // 2
                if begins[middle] <= t:
                    low = middle
                else:
                    high = middle - 1
            segment = low
        local_us[i] = t + offsets[segment]
