"""Times of a whole column: Arrow in, UTC microseconds out.

Exactly what :func:`percorso.time.parse_time` says of each cell, at many million cells a second: kernels
read the plain cells, and the scalar reader decides once for each distinct one of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.errors import TimeError
from percorso.events.zones import segments_around
from percorso.kernels import times as kernels
from percorso.kernels.numbers import read_numbers
from percorso.store.columns import string_buffers
from percorso.time import DST_GAP, DST_OVERLAP, LEAST_US, MOST_US, UNIX_UNITS_US, parse_time, zone_of

__all__ = [
    "NOTE_CODES",
    "NOTE_DST_GAP",
    "NOTE_DST_OVERLAP",
    "NOTE_MISSING",
    "NOTE_NONE",
    "NOTE_UNREADABLE",
    "TimeColumn",
    "read_times",
]

NOTE_NONE, NOTE_DST_GAP, NOTE_DST_OVERLAP, NOTE_MISSING, NOTE_UNREADABLE = range(5)

#: What each note code is called on an event (gap, overlap) or in the table of rejected rows.
NOTE_CODES = ("", DST_GAP, DST_OVERLAP, "time_missing", "time_unreadable")

_UNIX_DECIMALS = {"unix_s": 6, "unix_ms": 3, "unix_us": 0}
_DIRECTIVES = {
    "Y": (kernels.OP_YEAR, 4),
    "y": (kernels.OP_SHORT_YEAR, 2),
    "m": (kernels.OP_MONTH, 0),
    "d": (kernels.OP_DAY, 0),
    "H": (kernels.OP_HOUR, 0),
    "M": (kernels.OP_MINUTE, 0),
    "S": (kernels.OP_SECOND, 0),
    "f": (kernels.OP_FRACTION, 0),
}
_NUMBERS = range(kernels.OP_YEAR, kernels.OP_FRACTION + 1)


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """Times of a column.

    Parameters
    ----------
    us : int64, shape (n_rows,)
        Microseconds since 1970-01-01 UTC; 0 where `null`.
    null : bool, shape (n_rows,)
        The cell is missing or cannot be read.
    notes : uint8, shape (n_rows,)
        NOTE_ codes; names in NOTE_CODES.
    """

    us: npt.NDArray[np.int64]
    null: npt.NDArray[np.bool_]
    notes: npt.NDArray[np.uint8]


def read_times(column: pa.Array | pa.ChunkedArray, *, time_format: str, timezone: str) -> TimeColumn:
    """Read a column of times.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
        Texts or whole numbers as `time_format` says. Columns of timestamps and dates are read as what they
        are, whatever the format; without a zone they are wall-clock times, dates begin at midnight.
    time_format, timezone : str
        As in :func:`percorso.time.parse_time`. Blank texts count as missing.

    Returns
    -------
    TimeColumn

    Examples
    --------
    >>> column = pa.array(["2024-12-31T18:05:00Z", "", "soon"])
    >>> [NOTE_CODES[n] for n in read_times(column, time_format="iso", timezone="UTC").notes]
    ['', 'time_missing', 'time_unreadable']
    """
    if isinstance(column, pa.ChunkedArray):
        parts = [read_times(chunk, time_format=time_format, timezone=timezone) for chunk in column.chunks]
        return _joined(parts)
    if pa.types.is_dictionary(column.type):
        values = read_times(column.dictionary, time_format=time_format, timezone=timezone)
        return _taken(values, column)
    zone_of(timezone)
    if pa.types.is_temporal(column.type):
        return _typed(column, timezone)
    if pa.types.is_floating(column.type) and time_format in UNIX_UNITS_US:
        return _floats(column, UNIX_UNITS_US[time_format])
    if pa.types.is_integer(column.type) and time_format in UNIX_UNITS_US:
        return _integers(column, UNIX_UNITS_US[time_format])
    return _texts(column.cast(pa.string(), safe=False), time_format, timezone)


def _joined(parts: list[TimeColumn]) -> TimeColumn:
    if not parts:
        return _nothing(0)
    return TimeColumn(
        np.concatenate([part.us for part in parts]),
        np.concatenate([part.null for part in parts]),
        np.concatenate([part.notes for part in parts]),
    )


def _nothing(n_rows: int) -> TimeColumn:
    """A column without any time."""
    return TimeColumn(
        np.zeros(n_rows, dtype=np.int64),
        np.ones(n_rows, dtype=np.bool_),
        np.full(n_rows, NOTE_MISSING, dtype=np.uint8),
    )


def _taken(values: TimeColumn, column: pa.DictionaryArray) -> TimeColumn:
    """The times of a coded column, from those of its dictionary."""
    missing = _nulls(column.indices)
    if not len(values.us):
        return _nothing(len(column))
    codes = pc.fill_null(column.indices, 0).to_numpy(zero_copy_only=False)
    null = values.null[codes] | missing
    return TimeColumn(
        np.where(null, 0, values.us[codes]), null, np.where(missing, NOTE_MISSING, values.notes[codes]).astype(np.uint8)
    )


def _nulls(column: pa.Array) -> npt.NDArray[np.bool_]:
    nulls: npt.NDArray[np.bool_] = column.is_null().to_numpy(zero_copy_only=False)
    return nulls


def _texts(column: pa.StringArray, time_format: str, timezone: str) -> TimeColumn:
    n_rows = len(column)
    us = np.zeros(n_rows, dtype=np.int64)
    status = np.full(n_rows, kernels.IRREGULAR, dtype=np.uint8)
    offsets, data = string_buffers(column)
    program = _program(time_format)
    if time_format == "iso":
        kernels.read_iso_times(offsets, data, us, status)
    elif time_format in UNIX_UNITS_US:
        plain = np.zeros(n_rows, dtype=np.bool_)
        read_numbers(offsets, data, _UNIX_DECIMALS[time_format], ord("."), 0, us, plain)
        status[plain & (us >= LEAST_US) & (us <= MOST_US)] = kernels.AT_OFFSET
    elif program is not None:
        kernels.read_pattern_times(offsets, data, *program, us, status)
    null = _nulls(column)
    notes = np.where(null, NOTE_MISSING, NOTE_NONE).astype(np.uint8)
    _localise(us, status, ~null, timezone, notes)
    irregular = np.flatnonzero((status == kernels.IRREGULAR) & ~null)
    if len(irregular):
        _read_one_by_one(column, irregular, time_format, timezone, us, notes)
    null = notes >= NOTE_MISSING
    us[null] = 0
    return TimeColumn(us, null, notes)


def _read_one_by_one(
    column: pa.StringArray,
    rows: npt.NDArray[np.int64],
    time_format: str,
    timezone: str,
    us: npt.NDArray[np.int64],
    notes: npt.NDArray[np.uint8],
) -> None:
    """Let the scalar reader decide on these rows, each distinct text once; fills `us` and `notes`."""
    coded = column.take(pa.array(rows)).dictionary_encode()
    read = [_scalar(text, time_format, timezone) for text in coded.dictionary.to_pylist()]
    codes = coded.indices.to_numpy()
    us[rows] = np.array([entry[0] for entry in read], dtype=np.int64)[codes]
    notes[rows] = np.array([entry[1] for entry in read], dtype=np.uint8)[codes]


def _scalar(text: str, time_format: str, timezone: str) -> tuple[int, int]:
    if not text.strip():
        return 0, NOTE_MISSING
    try:
        parsed = parse_time(text, time_format=time_format, timezone=timezone)
    except TimeError:
        return 0, NOTE_UNREADABLE
    return parsed.us, NOTE_CODES.index(parsed.note)


@lru_cache(maxsize=64)
def _program(pattern: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]] | None:
    """The pattern as steps for the kernel; None where only the scalar reader knows it."""
    steps: list[tuple[int, int]] = []
    letters = iter(pattern)
    for letter in letters:
        if letter == "%":
            step = _DIRECTIVES.get(next(letters, ""))
            if step is None:
                return None
            steps.append(step)
        elif letter == " ":
            steps.append((kernels.OP_BLANK, 0))
        elif letter.isascii() and not letter.isspace() and not letter.isdigit():
            steps.append((kernels.OP_LITERAL, ord(letter)))
        else:
            return None
    numbers = [operation for operation, _ in steps if operation in _NUMBERS]
    if len(set(numbers)) < len(numbers) or {kernels.OP_YEAR, kernels.OP_SHORT_YEAR} <= set(numbers):
        return None
    return _with_widths(steps)


def _with_widths(steps: list[tuple[int, int]]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]] | None:
    """Numbers that touch each other have two digits; a fraction that touches one is not for the kernel."""
    widths: list[int] = []
    for position, (operation, operand) in enumerate(steps):
        around = {steps[k][0] for k in (position - 1, position + 1) if 0 <= k < len(steps)}
        touches = operation in _NUMBERS and any(neighbour in _NUMBERS for neighbour in around)
        if touches and operation == kernels.OP_FRACTION:
            return None
        widths.append(2 if touches and operand == 0 else operand)
    return np.array([operation for operation, _ in steps], dtype=np.uint8), np.array(widths, dtype=np.uint8)


def _typed(column: pa.Array, timezone: str) -> TimeColumn:
    """Timestamps and dates. Finer units are cut off to microseconds, downwards."""
    null = _nulls(column)
    if pa.types.is_timestamp(column.type):
        raw = pc.fill_null(column.cast(pa.int64()), 0).to_numpy()
        unit, aware = column.type.unit, column.type.tz is not None
    elif pa.types.is_date(column.type):
        raw = pc.fill_null(column.cast(pa.timestamp("ms")).cast(pa.int64()), 0).to_numpy()
        unit, aware = "ms", False
    else:  # times of day, durations: no instants
        unreadable = _nothing(len(column))
        unreadable.notes[~null] = NOTE_UNREADABLE
        return unreadable
    us = raw // 1000 if unit == "ns" else _scaled(raw, {"s": 1_000_000, "ms": 1_000, "us": 1}[unit])
    outside = (us < LEAST_US) | (us > MOST_US)
    notes = np.where(null, NOTE_MISSING, np.where(outside, NOTE_UNREADABLE, NOTE_NONE)).astype(np.uint8)
    us = np.where(outside | null, 0, us)
    if not aware:
        status = np.full(len(us), kernels.WALL_CLOCK, dtype=np.uint8)
        _localise(us, status, ~(null | outside), timezone, notes)
    return TimeColumn(us, null | outside, notes)


def _scaled(raw: npt.NDArray[np.int64], unit_us: int) -> npt.NDArray[np.int64]:
    """Numbers of a unit as microseconds; what lies outside the calendar stays outside instead of wrapping."""
    return np.clip(raw, LEAST_US // unit_us - 1, MOST_US // unit_us + 1) * unit_us


def _integers(column: pa.Array, unit_us: int) -> TimeColumn:
    null = _nulls(column)
    # Unsigned numbers beyond int64 lie outside any calendar: clipped below, and so unreadable.
    numbers = pc.fill_null(column, 0).to_numpy()
    return _instants(_scaled(np.clip(numbers, None, np.iinfo(np.int64).max).astype(np.int64), unit_us), null)


def _floats(column: pa.Array, unit_us: int) -> TimeColumn:
    null = _nulls(column)
    numbers = pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy()
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(numbers * unit_us)
    bounded = np.where(
        np.isfinite(scaled), np.clip(scaled, float(LEAST_US) - 1e6, float(MOST_US) + 1e6), LEAST_US - 1e6
    )
    return _instants(bounded.astype(np.int64), null)


def _instants(us: npt.NDArray[np.int64], null: npt.NDArray[np.bool_]) -> TimeColumn:
    outside = (us < LEAST_US) | (us > MOST_US)
    notes = np.where(null, NOTE_MISSING, np.where(outside, NOTE_UNREADABLE, NOTE_NONE)).astype(np.uint8)
    return TimeColumn(np.where(null | outside, 0, us), null | outside, notes)


def _localise(
    us: npt.NDArray[np.int64],
    status: npt.NDArray[np.uint8],
    present: npt.NDArray[np.bool_],
    timezone: str,
    notes: npt.NDArray[np.uint8],
) -> None:
    """Wall-clock times to instants, in place."""
    wall = us[(status == kernels.WALL_CLOCK) & present]
    if len(wall):
        kernels.localise_times(us, status, present, *segments_around(wall, timezone), notes)
