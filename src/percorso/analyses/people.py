"""From a cell of any answer to the persons behind it.

An analysis that counts persons offers a task that marks, for one bucket, the persons of a cell; the rest is here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.buckets import map_buckets
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["PersonTask", "hex_ids", "people_table"]

#: Marks the persons of a cell in one bucket: bool of shape (n_persons,).
PersonTask: TypeAlias = Callable[[Bucket], npt.NDArray[np.bool_]]

_UTC = pa.timestamp("us", tz="UTC")
_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("person", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("first_time", _UTC),
        pa.field("last_time", _UTC),
        pa.field("n_events", pa.int32()),
        pa.field("n_sessions", pa.int32()),
        pa.field("n_orders", pa.int32()),
    ]
)
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint16)


def people_table(log: JourneyLog, task: PersonTask, *, threads: int | None = None) -> pa.Table:
    """The persons that `task` marks, in the order of their ids.

    Returns
    -------
    pyarrow.Table
        person (32 hex digits), kind, first_time, last_time, n_events, n_sessions, n_orders.
    """
    parts = map_buckets(log, lambda bucket: _rows(bucket, task(bucket)), threads=threads)
    return pa.Table.from_batches(list(parts), schema=_SCHEMA).combine_chunks()


def _rows(bucket: Bucket, marked: npt.NDArray[np.bool_]) -> pa.RecordBatch:
    chosen = np.flatnonzero(marked)
    persons = bucket.persons

    def column(name: str) -> pa.Array[Any]:
        return persons.arrow(name).take(chosen)

    return pa.RecordBatch.from_pydict(
        {
            "person": hex_ids(column("person_id")),
            "kind": column("kind").cast(pa.string()),
            "first_time": column("first_time").cast(_UTC),
            "last_time": column("last_time").cast(_UTC),
            "n_events": column("n_events"),
            "n_sessions": column("n_sessions"),
            "n_orders": column("n_orders"),
        }
    )


def hex_ids(ids: pa.Array[Any]) -> pa.StringArray:
    """16-byte ids (fixed-size binary) as 32 hex digits each."""
    n = len(ids)
    data = ids.buffers()[1]
    raw = np.empty(0, np.uint8)
    if n and data is not None:
        raw = np.frombuffer(memoryview(data), dtype=np.uint8, count=16 * n, offset=16 * ids.offset)
    offsets = np.arange(n + 1, dtype=np.int32) * np.int32(32)
    digits = _HEX.take(raw)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets.tobytes()), pa.py_buffer(digits.tobytes()))
