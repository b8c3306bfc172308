"""Time columns from JSON values: ISO texts as all SDKs write them, epoch numbers as some senders do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.errors import TimeError
from percorso.events.formats.json_values import as_text
from percorso.events.times import NOTE_MISSING, read_times
from percorso.time import parse_time

__all__ = ["UTC_TYPE", "time_column"]

UTC_TYPE = pa.timestamp("us", tz="UTC")

#: Before this an instant is no event but a default value, such as Go's "0001-01-01T00:00:00Z".
_EARLIEST_US = -25_567 * 86_400_000_000  # 1900-01-01


def time_column(values: Sequence[object]) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Instants, null where there is none, and the rows whose value is no time.

    Texts are ISO 8601, UTC where they name no zone; numbers are seconds, milliseconds or microseconds
    since 1970, told apart by their size.
    """
    try:
        texts = pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        texts = pa.array([_iso(value) for value in values], pa.string())
    if texts.null_count == len(texts):
        return pa.nulls(len(texts), UTC_TYPE), np.zeros(0, dtype=np.int64)
    times = read_times(texts, time_format="iso", timezone="UTC")
    null = times.null | (times.us < _EARLIEST_US)
    given = ~texts.is_null().to_numpy(zero_copy_only=False) & (times.notes != NOTE_MISSING)
    return pa.array(times.us, mask=null).cast(UTC_TYPE), np.flatnonzero(null & given)


def _iso(value: object) -> str | None:
    """The value as ISO text; numbers are turned into one, anything unreadable stays unreadable."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return as_text(value)
    try:
        us = parse_time(str(value), time_format=_unit_of(value), timezone="UTC").us
    except TimeError:
        return str(value)
    return f"{np.datetime64(us, 'us')}Z"


def _unit_of(number: float) -> str:
    return next((name for name, least in (("unix_us", 1e14), ("unix_ms", 1e11)) if abs(number) >= least), "unix_s")
