"""Rows dated after their own import: a typo in the year, not an event."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.conversion import Converted, LineChunk, Reject, TableChunk
from percorso.events.formats.assemble import line_reject, table_reject
from percorso.events.formats.table_rows import FAULTS

__all__ = ["is_late", "without_future"]

_REASON = "time_in_future"


def is_late(times: pa.Array, received: pa.Array | None, latest_us: int) -> pa.Array:
    """Which times lie after `latest_us` (microseconds UTC), where nothing says when the row arrived.

    Times of rows that do say so are judged by the build.
    """
    late = pc.greater(times.cast(pa.int64()), latest_us).fill_null(False)
    return late if received is None else pc.and_(late, received.is_null())


def without_future(converted: Converted, chunk: TableChunk | LineChunk, latest_us: int | None) -> Converted:
    """The events without those dated after the import, whose rows become rejects.

    Parameters
    ----------
    converted : Converted
    chunk : TableChunk or LineChunk
        What it was converted from.
    latest_us : int, optional
        No limit without it.
    """
    events = converted.events
    if latest_us is None or not events.num_rows:
        return converted
    late = np.asarray(is_late(events.column("timestamp"), events.column("received_at"), latest_us))
    if not late.any():
        return converted
    told = {reject.line for reject in converted.rejected}
    rows = [int(row) for row in np.unique(converted.raw_row[late]) if int(chunk.lines[row]) not in told]
    return replace(
        converted,
        events=events.filter(pa.array(~late)),
        raw_row=converted.raw_row[~late],
        rejected=[*converted.rejected, *(_reject(chunk, row) for row in rows)],
    )


def _reject(chunk: TableChunk | LineChunk, row: int) -> Reject:
    if isinstance(chunk, LineChunk):
        return line_reject(chunk, row, _REASON, FAULTS[_REASON])
    return table_reject(chunk, row, _REASON, FAULTS[_REASON])
