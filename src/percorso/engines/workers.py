"""Do Spark's workers have what this process has, and how many tasks do they work on at once?

They are asked before the first question of a session. Those that come later are asked with their first task
(`percorso.engines.faults.telling`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from percorso.engines.faults import check_versions, collected
from percorso.engines.spark_versions import PACKAGES, versions_probe
from percorso.engines.task_counts import is_connect

__all__ = ["check_workers", "parallelism"]

#: Rows to deal out: every partition gets some, up to so many.
_ROWS = 4_096


def check_workers(session: Any) -> int:
    """Refuse workers of other versions than this process, and count how many tasks run at once.

    Parameters
    ----------
    session : pyspark.sql.SparkSession

    Returns
    -------
    int
        Partitions that Spark makes where nobody says how many: its parallelism by default.

    Raises
    ------
    EngineError
        One has other versions, or none answered.
    """
    versions = versions_probe(PACKAGES)

    def told(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:  # a task reads what it is given before it answers
            pass
        yield pa.RecordBatch.from_pydict({"versions": [json.dumps(versions())]})

    rows = collected(session, session.range(_ROWS).mapInArrow(told, "versions string"))
    for there in sorted({row.versions for row in rows}):
        check_versions(json.loads(there))
    return max(1, len(rows))


def parallelism(session: Any, before: int) -> int:
    """Tasks that run at once by now: on a cluster machines come one after the other.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
    before : int
        What `check_workers` counted. Spark Connect says nothing else; its server has run for long.
    """
    if is_connect(session):
        return before
    return max(before, int(session.sparkContext.defaultParallelism))
