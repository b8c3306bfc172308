"""Events for tests of identity and journeys, written as the lake holds them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from percorso.events.event import EVENT_SCHEMA
from percorso.store.lake import LakeFile

__all__ = ["event", "lake_files"]

_DEFAULTS: dict[str, Any] = {
    "batch": 1,
    "source": "web",
    "source_kind": "web",
    "type": "track",
    "sequence": 0,
    "id_space": "shop",
    "ref_space": "shop",
}


def event(at: str | datetime, name: str, **fields: Any) -> dict[str, Any]:
    """One event row; `at` is ISO text in UTC. message_id defaults to a hash of all else."""
    time = datetime.fromisoformat(at) if isinstance(at, str) else at
    row = {**_DEFAULTS, "timestamp": time.replace(tzinfo=UTC), "name": name, **fields}
    for key in ("received_at", "sent_at"):
        if isinstance(row.get(key), str):
            row[key] = datetime.fromisoformat(row[key]).replace(tzinfo=UTC)
    text = repr(sorted(row.items()))
    row.setdefault("message_id", hashlib.sha256(text.encode()).hexdigest()[:20])
    row["row_key"] = hashlib.sha256(repr(sorted(row.items())).encode()).digest()[:16]
    return row


def lake_files(
    folder: Path, rows: Iterable[Mapping[str, Any]], *, files: int = 1, seed: int | None = None
) -> list[LakeFile]:
    """Write rows as Parquet files of the lake, by source; with a seed in random order and batches."""
    every = list(rows)
    if seed is not None:
        random.Random(seed).shuffle(every)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[LakeFile] = []
    for number in range(files):
        part = every[number::files]
        for source in sorted({str(row["source"]) for row in part}):
            inside = [row for row in part if row["source"] == source]
            written.append(_write(folder / f"{number:03d}-{len(written):03d}.parquet", source, inside))
    return written


def _write(path: Path, source: str, rows: Sequence[Mapping[str, Any]]) -> LakeFile:
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=EVENT_SCHEMA).drop_columns(["source"])
    pq.write_table(table, path)
    times = [int(row["timestamp"].timestamp() * 1_000_000) for row in rows]
    return LakeFile(path, len(rows), source, min(times), max(times), 1, 1)
