"""Work tasks on buckets out as tasks of Apache Spark, through Spark Connect or a session of this process.

Spark only carries: a row for each part of the buckets goes out, with what the manifest says of them, a pickled answer
comes back, and ``mapInArrow`` runs the same function on the same files that a thread of this process would. Work needs
no RDD and no SparkContext, so that Connect does as well. Buckets are read by the tasks themselves; the driver sees
answers and no events.
"""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from percorso.engines.exchange import Piece, joined, split_rows
from percorso.engines.faults import collected, telling, told_by
from percorso.engines.spark_exchange import SparkExchange
from percorso.store.cold import Cold
from percorso.store.journey_log import Bucket

__all__ = ["SparkEngine"]

P = TypeVar("P")

_ROWS, _ANSWERS = "rows", "answers"
_ANSWER = pa.schema([("part", pa.int64()), ("piece", pa.int64()), ("answer", pa.binary())])
_ANSWER_COLUMNS = "part bigint, piece bigint, answer binary"

#: An answer travels in pieces of so many bytes: Connect takes no row that is larger than a message of its own.
PIECE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class SparkEngine:
    """Deals the buckets of a log out to tasks of a Spark session.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        Of this process, or of Spark Connect.
    tasks : int
        Parts that the buckets are dealt into; as many as the cluster has cores, or a few times as many.
    """

    session: Any
    tasks: int

    def run(self, buckets: Sequence[Bucket], task: Callable[[Sequence[Bucket]], P]) -> Iterator[P]:
        """As `percorso.store.journey_log.BucketEngine`."""
        parts = deal(buckets, self.tasks)
        folder, texts = buckets[0].folder, buckets[0].texts.files

        def answers(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number, metas in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    cold = Cold(folder, texts)
                    yield from _pieces(number, task([Bucket(folder, meta, cold) for meta in pickle.loads(metas)]))

        # With the task itself every worker would get what the manifest says of all buckets.
        metas = [pickle.dumps([dict(bucket.meta) for bucket in part]) for part in parts]
        with told_by(self.session):
            found = collected(self.session, self._rows(metas).mapInArrow(telling(answers), _ANSWER_COLUMNS))
        yield from _joined((row.part, row.piece, row.answer) for row in found)

    def exchange(
        self,
        buckets: Sequence[Bucket],
        task: Callable[[Sequence[Bucket]], pa.Table],
        by: str,
        join: Callable[[pa.Table], P],
    ) -> Iterator[P]:
        """As `percorso.engines.buckets.ExchangeEngine`."""
        parts = [pickle.dumps([dict(bucket.meta) for bucket in part]) for part in deal(buckets, self.tasks)]
        folder, texts, n_parts = buckets[0].folder, buckets[0].texts.files, len(parts)

        def dealt(number: int) -> Iterator[Piece]:
            cold = Cold(folder, texts)
            rows = task([Bucket(folder, meta, cold) for meta in pickle.loads(parts[number])])
            yield from split_rows(_ROWS, rows, (rows[by].to_numpy() % n_parts).astype(np.int32), n_parts)

        def answer(part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
            found = list(pieces)
            told = join(joined(found, _ROWS, found[0].rows.schema))
            yield Piece(_ANSWERS, part, pa.Table.from_batches(_pieces(part, told), _ANSWER))

        with told_by(self.session):
            told = SparkExchange(self.session, n_parts).start(n_parts, dealt).step(answer).read()
        yield from _joined(tuple(row.values()) for one in told for row in one.rows.to_pylist())

    def _rows(self, contents: Sequence[bytes]) -> Any:
        """A frame of number and content, a partition for each row."""
        sql = importlib.import_module("pyspark.sql.functions")
        position = (sql.col("id") + 1).cast("int")
        every = sql.array(*map(sql.lit, contents))
        numbers = self.session.range(0, len(contents), 1, len(contents))
        return numbers.select("id", sql.element_at(every, position).alias("content"))


def _pieces(part: int, answer: Any) -> Iterator[pa.RecordBatch]:
    """An answer as rows that are small enough to travel; counts are mostly zeros, so it is compressed."""
    plain = pickle.dumps(answer, protocol=5)
    packed = len(plain).to_bytes(8, "little") + pa.compress(plain, codec="zstd", asbytes=True)
    for piece, start in enumerate(range(0, len(packed), PIECE_BYTES)):
        columns = ([part], [piece], [packed[start : start + PIECE_BYTES]])
        yield pa.RecordBatch.from_arrays(
            [pa.array(*one) for one in zip(columns, _ANSWER.types, strict=True)], schema=_ANSWER
        )


def _joined(rows: Iterable[tuple[int, int, bytes]]) -> Iterator[Any]:
    """The answers whose pieces the rows are: part, piece, bytes."""
    found: dict[int, dict[int, bytes]] = {}
    for part, piece, answer in rows:
        found.setdefault(part, {})[piece] = answer
    for pieces in found.values():
        packed = b"".join(pieces[at] for at in range(len(pieces)))
        size, body = int.from_bytes(packed[:8], "little"), memoryview(packed)[8:]
        yield pickle.loads(pa.decompress(body, decompressed_size=size, codec="zstd", asbytes=True))  # of our own tasks


def deal(buckets: Sequence[Bucket], n_parts: int) -> list[list[Bucket]]:
    """The buckets in parts of about equally many events: the largest first, each to the part that has least."""
    parts: list[list[Bucket]] = [[] for _ in range(max(1, min(n_parts, len(buckets))))]
    loads = [0] * len(parts)
    for bucket in sorted(buckets, key=lambda one: (-one.n_events, one.index)):
        least = loads.index(min(loads))
        parts[least].append(bucket)
        loads[least] += bucket.n_events + 1
    return parts
