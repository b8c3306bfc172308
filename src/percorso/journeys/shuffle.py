"""Bring each bucket's rows together: batches in, one spill file a bucket out.

Moves rows and nothing else. Memory is bounded by one batch; the spill files are compressed streams in the
build's scratch folder.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.kernels.sorting import group_rows

__all__ = ["Shuffle"]

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


class Shuffle:
    """Spill files of `n_parts` parts; use as a context manager."""

    def __init__(self, folder: Path, n_parts: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._n_parts = n_parts
        self._writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}

    def __enter__(self) -> Shuffle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def add(self, part: npt.NDArray[np.int32], batch: pa.RecordBatch) -> None:
        """Append rows to their parts; rows with a negative part are dropped."""
        order, offsets = group_rows(part, self._n_parts)
        if not len(order):
            return
        moved = batch.take(pa.array(order))
        for number in np.flatnonzero(np.diff(offsets)):
            piece = moved.slice(offsets[number], offsets[number + 1] - offsets[number])
            self._writer(int(number), batch.schema).write_batch(piece)

    def _writer(self, number: int, schema: pa.Schema) -> Any:
        if number not in self._writers:
            path = self._folder / f"part-{number:05d}.arrows"
            self._writers[number] = pa.ipc.new_stream(str(path), schema, options=_OPTIONS)
        return self._writers[number]

    def read(self, number: int) -> pa.Table | None:
        """All rows of a part, in the order in which they were added; None where there are none."""
        path = self._folder / f"part-{number:05d}.arrows"
        if number not in self._writers:
            return None
        with pa.memory_map(str(path), "r") as source, pa.ipc.open_stream(source) as reader:
            return reader.read_all()

    def drop(self, number: int) -> None:
        """Delete a part's spill file."""
        (self._folder / f"part-{number:05d}.arrows").unlink(missing_ok=True)
