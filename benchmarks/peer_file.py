"""Write the events of a workspace, persons resolved, as the one Parquet file that all tools of a comparison read.

python -m benchmarks.peer_file WORKSPACE TARGET
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.questions import bucket_rows
from percorso.store.journey_log import open_log

#: Persons count from here: a user id of noughts would point at nobody.
FIRST_PERSON = 1_000_001


def check_order(rows: pa.Table) -> None:
    """Refuse rows where a person's events do not follow each other in time: tools order equal times differently."""
    same = np.diff(rows.column("person").to_numpy()) == 0
    later = np.diff(rows.column("time").to_numpy().astype(np.int64)) > 0
    if np.any(same & ~later):
        raise SystemExit("two events of one person have the same time: their order is for each tool to choose")


def main() -> None:
    log = open_log(Path(sys.argv[1]) / "log")
    if log is None:
        raise SystemExit("that workspace has no journey log")
    schema = pa.schema([("person", pa.int64()), ("time", pa.int64()), ("event", pa.string())])
    first = FIRST_PERSON
    with pq.ParquetWriter(sys.argv[2], schema) as writer:
        for bucket in log.buckets:
            rows = bucket_rows(bucket, first).cast(schema)
            check_order(rows)
            writer.write_table(rows)
            first += bucket.n_persons


if __name__ == "__main__":
    main()
