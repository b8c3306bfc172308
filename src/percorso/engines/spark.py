"""Work tasks on buckets out as tasks of Apache Spark, through Spark Connect or a session of this process.

Spark only carries: a row for each part of the buckets goes out, a pickled answer comes back, and ``mapInArrow`` runs
the same function on the same files that a thread of this process would. No RDD and no SparkContext is used, so that
Connect does as well. Buckets are read by the tasks themselves; the driver sees answers and no events.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa

from percorso.store.cold import Cold
from percorso.store.journey_log import Bucket

__all__ = ["SparkEngine"]

P = TypeVar("P")

_ANSWER = pa.schema([("answer", pa.binary())])


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
        metas = [[dict(bucket.meta) for bucket in part] for part in parts]

        def answers(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    cold = Cold(folder, texts)
                    found = task([Bucket(folder, meta, cold) for meta in metas[number]])
                    yield pa.RecordBatch.from_arrays([pa.array([pickle.dumps(found)], pa.binary())], schema=_ANSWER)

        numbers = self.session.range(0, len(parts), 1, len(parts))  # a partition for each part
        for row in numbers.mapInArrow(answers, "answer binary").collect():
            yield pickle.loads(row.answer)  # written by our own tasks


def deal(buckets: Sequence[Bucket], n_parts: int) -> list[list[Bucket]]:
    """The buckets in parts of about equally many events: the largest first, each to the part that has least."""
    parts: list[list[Bucket]] = [[] for _ in range(max(1, min(n_parts, len(buckets))))]
    loads = [0] * len(parts)
    for bucket in sorted(buckets, key=lambda one: (-one.n_events, one.index)):
        least = loads.index(min(loads))
        parts[least].append(bucket)
        loads[least] += bucket.n_events + 1
    return parts
