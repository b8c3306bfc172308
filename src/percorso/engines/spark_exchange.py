"""Steps of a build as tasks of Apache Spark: pieces travel as bytes in a DataFrame of three columns.

A row is one piece, some thousand rows of ours, so that Spark's own way with rows costs nothing, and a column may have
any Arrow type. Pieces go to the partition of their part (``repartitionById``), each part a task of its own.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from percorso.engines.exchange import Flow, Piece, Step, decode_table, encode_table, sliced
from percorso.engines.faults import collected, telling, watched

__all__ = ["SparkExchange"]

_SCHEMA = "kind string, part int, piece binary"
_ARROW = pa.schema([("kind", pa.string()), ("part", pa.int32()), ("piece", pa.binary())])
#: Java holds a row several times over, and Connect takes none that is larger than a message of its own.
_PIECE_BYTES = 2 << 20
#: With this folder set, on storage that outlives an executor, pieces are kept there; otherwise on the workers' disks.
_SAFE_FOLDER = "spark.checkpoint.dir"


@dataclass(frozen=True, slots=True)
class SparkFlow:
    """Pieces in a DataFrame, see `percorso.engines.exchange.Flow`."""

    session: Any
    frame: Any
    n_parts: int

    def only(self, *kinds: str) -> Flow:
        return SparkFlow(self.session, self.frame.where(self.frame["kind"].isin(*kinds)), self.n_parts)

    def beside(self, *others: Flow) -> Flow:
        frame = self.frame
        for other in others:
            assert isinstance(other, SparkFlow)
            frame = frame.unionAll(other.frame)
        return SparkFlow(self.session, frame, self.n_parts)

    def step(self, work: Step, *, n_parts: int | None = None) -> Flow:
        def tasks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            yield from _worked(batches, work)

        together = self.frame.repartitionById(n_parts or self.n_parts, self.frame["part"])
        return SparkFlow(self.session, together.mapInArrow(telling(tasks), _SCHEMA), self.n_parts)

    def kept(self) -> Flow:
        # Not cached: what follows would carry, and Spark would look through, the whole way that led there.
        frame, level = self.frame, importlib.import_module("pyspark").StorageLevel.DISK_ONLY
        is_safe = bool(self.session.conf.get(_SAFE_FOLDER, ""))
        made = watched(self.session, frame.checkpoint if is_safe else lambda: frame.localCheckpoint(True, level))
        return SparkFlow(self.session, made, self.n_parts)

    def release(self) -> None:
        """Spark deletes what nobody holds."""

    def read(self) -> list[Piece]:
        rows = collected(self.session, self.frame)
        return [Piece(row.kind, row.part, decode_table(bytes(row.piece))) for row in rows]


@dataclass(frozen=True, slots=True)
class SparkExchange:
    """Runs steps in a Spark session of this process, or of Spark Connect."""

    session: Any
    n_parts: int

    def start(self, n_tasks: int, work: Callable[[int], Iterator[Piece]]) -> Flow:
        def tasks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    yield from _encoded(work(number))

        numbers = self.session.range(0, n_tasks, 1, n_tasks)
        return SparkFlow(self.session, numbers.mapInArrow(telling(tasks), _SCHEMA), self.n_parts)


def _worked(batches: Iterable[pa.RecordBatch], work: Step) -> Iterator[pa.RecordBatch]:
    """The step's pieces for the pieces of the one part that stands in the batches."""
    rows = _rows(batches)
    first = next(rows, None)
    if first is None:
        return

    def pieces() -> Iterator[Piece]:
        yield first
        for piece in rows:
            assert piece.part == first.part
            yield piece

    yield from _encoded(work(first.part, pieces()))


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[Piece]:
    for batch in batches:
        kinds, parts = batch.column("kind").to_pylist(), batch.column("part").to_pylist()
        column = batch.column("piece")
        for at, (kind, part) in enumerate(zip(kinds, parts, strict=True)):
            yield Piece(kind, part, decode_table(column[at].as_buffer()))


def _encoded(pieces: Iterable[Piece]) -> Iterator[pa.RecordBatch]:
    for piece in pieces:
        for small in sliced(piece, _PIECE_BYTES):
            values = [[small.kind], [small.part], [encode_table(small.rows)]]
            columns = [pa.array(value, field.type) for value, field in zip(values, _ARROW, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=_ARROW)
