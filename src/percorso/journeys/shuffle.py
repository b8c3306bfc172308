"""Bring each bucket's rows together: batches in, two spill files a bucket out.

Moves rows and nothing else. The numbers of a row lie together as one record, so that moving a row is one
copy; texts go through an Arrow stream beside them. Memory is bounded by one batch.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.kernels.sorting import group_rows

__all__ = ["Shuffle", "join_records", "pack_records", "record_type", "take_records", "unpack_records"]

_CODES = (
    "category channel channel_rule country currency device device_code direction event campaign os page person place"
    " product touchpoint"
)
_WORDS = "row time sequence value order_ref cart_ref checkout_ref session_ref conversation"
_SMALL = {
    "score": np.float64,
    "source": np.int16,
    "flags": np.uint16,
    "future": np.uint8,
    "copy": np.uint8,
    "placing": np.uint8,
    "inbound": np.uint8,
    "action": np.uint8,
    "known": np.uint8,
    "has_cart": np.uint8,
    "qualifies": np.int8,
    "contact": np.int8,
}
#: Files that the process has open beside the spill files, generously.
_OTHER_FILES = 256

# Rows turned from columns to records at a time, so that they stay in the processor's cache.
_BLOCK_ROWS = 4096

# Pieces are small: handing their columns to other threads costs more than compressing them.
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)


def record_type(properties: Sequence[str]) -> np.dtype[Any]:
    """The record that holds the numbers of a row, a whole number of 8-byte words; one code for each coded property."""
    fields: list[tuple[str, Any]] = [(name, np.int64) for name in _WORDS.split()]
    fields += [(name, np.int32) for name in [*_CODES.split(), *(f"prop.{name}" for name in properties)]]
    fields += [("key", np.uint64), *_SMALL.items()]
    packed = np.dtype(fields)
    return np.dtype(
        {
            "names": list(packed.names or ()),
            "formats": [kind for _, kind in fields],
            "offsets": [packed.fields[name][1] for name, _ in fields] if packed.fields else [],
            "itemsize": -(-packed.itemsize // 8) * 8,
        }
    )


def pack_records(numbers: Mapping[str, npt.NDArray[Any]], n_rows: int, record: np.dtype[Any]) -> npt.NDArray[Any]:
    """Records of columns, shape (n_rows,)."""
    records = np.zeros(n_rows, dtype=record)
    for start in range(0, n_rows, _BLOCK_ROWS):
        here = slice(start, start + _BLOCK_ROWS)
        for name in record.names or ():
            records[name][here] = numbers[name][here]
    return records


def join_records(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Records one after the other; numpy's own concatenation would take out what fills them up to whole words."""
    return np.concatenate([part.view(np.uint64) for part in parts]).view(parts[0].dtype)


def unpack_records(records: npt.NDArray[Any], order: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """Columns of ``records[order]``, each contiguous, shape (n_rows,)."""
    columns = {name: np.empty(len(records), dtype=records.dtype[name]) for name in records.dtype.names or ()}
    for start in range(0, len(records), _BLOCK_ROWS):
        here = slice(start, start + _BLOCK_ROWS)
        block = take_records(records, order[here])
        for name, column in columns.items():
            column[here] = block[name]
    return columns


def take_records(records: npt.NDArray[Any], order: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """``records[order]``, ten times faster: rows move as words, not field by field."""
    if not len(records):
        return records
    words = records.view(np.uint64).reshape(len(records), -1)
    return np.take(words, order, axis=0).view(records.dtype).reshape(-1)


def _allow_open_files(wanted: int) -> None:
    """Raise this process's own limit of open files, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class Shuffle:
    """Spill files of `n_parts` parts; use as a context manager."""

    def __init__(self, folder: Path, n_parts: int, record: np.dtype[Any], texts: pa.Schema) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _allow_open_files(2 * n_parts + _OTHER_FILES)
        self._folder = folder
        self._n_parts = n_parts
        self._record = record
        self._numbers: dict[int, IO[bytes]] = {}
        self._texts: dict[int, Any] = {}
        self._schema = texts

    def __enter__(self) -> Shuffle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in [*self._numbers.values(), *self._texts.values()]:
            stream.close()

    def add(self, part: npt.NDArray[np.int32], numbers: Mapping[str, npt.NDArray[Any]], texts: pa.RecordBatch) -> None:
        """Append rows to their parts; rows with a negative part are dropped."""
        order, offsets = group_rows(part, self._n_parts)
        records = take_records(pack_records(numbers, len(part), self._record), order)
        texts = texts.take(pa.array(order))
        for number in np.flatnonzero(np.diff(offsets)):
            start, end = int(offsets[number]), int(offsets[number + 1])
            sink, stream = self._sinks(int(number), texts.schema)
            sink.write(records[start:end].data)
            stream.write_batch(texts.slice(start, end - start))

    def _sinks(self, number: int, schema: pa.Schema) -> tuple[IO[bytes], Any]:
        if number not in self._numbers:
            self._numbers[number] = open(self._path(number, "numbers"), "wb")  # noqa: SIM115 -- closed with the shuffle
            self._texts[number] = pa.ipc.new_stream(str(self._path(number, "texts")), schema, options=_OPTIONS)
        return self._numbers[number], self._texts[number]

    def _path(self, number: int, kind: str) -> Path:
        return self._folder / f"{number:05d}.{kind}"

    def read(self, number: int) -> tuple[npt.NDArray[Any], pa.Table]:
        """Records and texts of a part, in the order in which they were added, and delete its files."""
        if number not in self._numbers:
            return np.empty(0, dtype=self._record), self._schema.empty_table()
        records = np.fromfile(self._path(number, "numbers"), dtype=self._record)
        with pa.memory_map(str(self._path(number, "texts")), "r") as source, pa.ipc.open_stream(source) as reader:
            texts = reader.read_all()
        for kind in ("numbers", "texts"):
            self._path(number, kind).unlink()
        return records, texts
