"""A workspace with events in its lake, for tests of services and of the command line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from percorso.events.event import EVENT_SCHEMA
from percorso.services.workspace import Workspace, init_workspace, open_workspace
from percorso.store.lake import Lake

__all__ = ["add_events", "change_settings", "make_workspace"]


def make_workspace(folder: Path, rows: Iterable[Mapping[str, Any]] = (), **options: Any) -> Workspace:
    """A new workspace in `folder`; `options` as of `init_workspace`.

    Its log has four buckets, as many as a few persons need.
    """
    workspace = init_workspace(folder, **({"language": "en"} | options))
    workspace = change_settings(workspace, 'bucket_bits = "auto"', "bucket_bits = 2")
    add_events(workspace, rows)
    return workspace


def add_events(workspace: Workspace, rows: Iterable[Mapping[str, Any]]) -> None:
    """Import rows of `tests.lake_builder.event`, one import a source."""
    every = list(rows)
    for source in sorted({str(row["source"]) for row in every}):
        _add(Lake(workspace.lake), source, [row for row in every if row["source"] == source])


def _add(lake: Lake, source: str, rows: list[Mapping[str, Any]]) -> None:
    with lake.writing(EVENT_SCHEMA) as write:
        writer = write.events(source)
        table = pa.Table.from_pylist([{**row, "batch": write.batch} for row in rows], schema=EVENT_SCHEMA)
        writer.write(table.drop_columns(["source"]))
        parts = writer.close()
        record = {
            "file": f"{source}.csv",
            "content_hash": hashlib.sha256(repr(rows).encode()).hexdigest(),
            "mapping_hash": "",
            "format": "table",
            "source": source,
            "rows": len(rows),
            "events": len(rows),
            "duplicates": 0,
            "rejected": 0,
            "imported_at": datetime(2024, 6, 1, tzinfo=UTC),
        }
        write.commit(record, parts)


def change_settings(workspace: Workspace, old: str, new: str) -> Workspace:
    """The workspace after a change of its `percorso.toml`, where `old` must stand exactly once."""
    path = workspace.folder / "percorso.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")
    return open_workspace(workspace.folder)
