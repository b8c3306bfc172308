"""Work tasks on buckets out as tasks of Apache Spark, through Spark Connect or a session of this process.

Spark only carries: a row for each part of the buckets goes out, with what the manifest says of them, a pickled answer
comes back, and ``mapInArrow`` runs the same function on the same files that a thread of this process would. No RDD and
no SparkContext is used, so that Connect does as well. Buckets are read by the tasks themselves; the driver sees answers
and no events.
"""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa

from percorso.engines.faults import collected, telling
from percorso.store.cold import Cold
from percorso.store.journey_log import Bucket

__all__ = ["SparkEngine"]

P = TypeVar("P")

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
        rows = self._rows([pickle.dumps([dict(bucket.meta) for bucket in part]) for part in parts])
        yield from _joined(collected(self.session, rows.mapInArrow(telling(answers), _ANSWER_COLUMNS)))

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


def _joined(rows: Iterable[Any]) -> Iterator[Any]:
    """The answers whose pieces the rows are."""
    found: dict[int, dict[int, bytes]] = {}
    for row in rows:
        found.setdefault(row.part, {})[row.piece] = row.answer
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
