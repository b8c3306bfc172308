"""The lake: what counts after a commit, after none, and after one that replaces."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from percorso.errors import Busy, FormatTooNew
from percorso.events.event import EVENT_SCHEMA
from percorso.store import delta
from percorso.store.lake import Lake
from percorso.store.lake_tables import AD_SPEND, REJECTED, import_id
from percorso.store.lake_write import LakeWrite
from percorso.store.parts import PartWriter
from percorso.store.row_keys import keys_as_binary, row_keys
from tests.lake_builder import event


def _table(batch: int, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    table = pa.Table.from_pylist([{**row, "batch": batch} for row in rows], schema=EVENT_SCHEMA)
    content = table.drop_columns(["batch", "row_key"])
    place = table.schema.get_field_index("row_key")
    return table.set_column(place, EVENT_SCHEMA.field("row_key"), keys_as_binary(row_keys(content)))


def _record(source: str = "web", content: str = "c1", mapping: str = "m1", events: int = 0) -> dict[str, object]:
    return {
        "file": "file.csv",
        "content_hash": content,
        "mapping_hash": mapping,
        "format": "table",
        "source": source,
        "rows": events,
        "events": events,
        "duplicates": 0,
        "rejected": 0,
        "imported_at": datetime(2024, 6, 1, tzinfo=UTC),
    }


def _add(write: LakeWrite, rows: list[dict[str, Any]], source: str = "web", content: str = "c1") -> None:
    writer = write.events(source)
    writer.write(_table(write.batch, rows))
    write.commit(_record(source, content, events=len(rows)), writer.close())


def _import(lake: Lake, rows: list[dict[str, Any]], source: str = "web", content: str = "c1") -> int:
    with lake.writing(EVENT_SCHEMA) as write:
        _add(write, rows, source, content)
        return write.batch


def _read(lake: Lake) -> pa.Table:
    tables = [pq.ParquetFile(file.path).read().append_column("source", pa.repeat(file.source, file.rows)) for file in lake.live_files()]
    return pa.concat_tables(tables) if tables else EVENT_SCHEMA.empty_table()


def _ids(lake: Lake) -> list[str]:
    return sorted(_read(lake).column("message_id").to_pylist())


def _files(lake_folder: Path) -> set[str]:
    return {path.name for path in lake_folder.rglob("*.parquet") if "_delta_log" not in path.parts}


A = event("2024-01-01T10:00", "Product Viewed", user_id="u1", message_id="a")
B = event("2024-01-02T10:00", "Product Added", user_id="u1", message_id="b")
C = event("2024-03-01T10:00", "Order Completed", user_id="u2", message_id="c")


def test_an_empty_lake_has_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    assert lake.version() == -1
    assert lake.live_files() == []
    assert lake.batches() == ()
    assert lake.rejected().num_rows == 0
    assert lake.ad_spend().num_rows == 0


def test_a_commit_shows_events_of_their_source(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    first = _import(lake, [A, B])
    second = _import(lake, [C], source="till & café/2", content="c2")
    assert first < second
    assert lake.batches() == (first, second)
    files = lake.live_files()
    assert [(file.source, file.rows) for file in files] == [("till & café/2", 1), ("web", 2)]
    assert [(file.min_batch, file.max_batch) for file in files] == [(second, second), (first, first)]
    web = files[1]
    assert web.path.is_absolute()
    assert (web.min_time_us, web.max_time_us) == (1_704_103_200_000_000, 1_704_189_600_000_000)
    assert "source" not in pq.read_schema(web.path).names
    assert _ids(lake) == ["a", "b", "c"]


def test_batches_grow_even_when_nothing_is_committed(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    numbers = []
    for _ in range(3):
        with lake.writing(EVENT_SCHEMA) as write:
            numbers.append(write.batch)
    numbers.append(_import(lake, [A]))
    (tmp_path / "attempt.json").unlink()
    numbers.append(_import(lake, [B], content="c2"))
    assert numbers == sorted(set(numbers))


def test_what_is_not_committed_is_removed(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    _import(lake, [A])
    before = _files(tmp_path)
    with pytest.raises(RuntimeError, match="stop"), lake.writing(EVENT_SCHEMA) as write:
        writer = write.events("web")
        writer.write(_table(write.batch, [B]))
        writer.close()
        assert len(_files(tmp_path)) == len(before) + 1
        raise RuntimeError("stop")
    assert _files(tmp_path) == before
    assert _ids(lake) == ["a"]


def _rejected(batch: int) -> pa.Table:
    row = {"batch": batch, "file": "f.csv", "line": 7, "reason": "time_missing", "detail": "", "raw": "x,y"}
    return pa.Table.from_pylist([row], schema=REJECTED.schema)


def test_rejected_rows_and_spend_count_with_their_import_only(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with lake.writing(EVENT_SCHEMA) as write:
        write.rejected().write(_rejected(write.batch))
        _add(write, [A])
    # A writer that dies after the side tables and before the commit to events.
    with pytest.raises(KeyboardInterrupt), lake.writing(EVENT_SCHEMA) as write:
        write.rejected().write(_rejected(write.batch))
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("percorso.store.lake_write._remove_leftovers", lambda *_: None)
            patched.setattr(write, "_committed", True)
            for table in (REJECTED,):
                write._commit_side(table)
            raise KeyboardInterrupt
    assert lake.rejected().num_rows == 1
    assert lake.rejected().column("line").to_pylist() == [7]


def test_a_writer_that_died_is_cleaned_up_after(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    _import(lake, [A])
    process = multiprocessing.get_context("spawn").Process(target=_die_before_the_commit, args=(tmp_path,))
    process.start()
    process.join(60)
    assert process.exitcode == -9
    assert _ids(lake) == ["a"]
    assert lake.rejected().num_rows == 0
    assert len(_files(tmp_path / "events")) == 2
    assert len(_files(tmp_path / "rejected")) == 1
    batch = _import(lake, [B], content="c2")
    assert _ids(lake) == ["a", "b"]
    assert lake.rejected().num_rows == 0
    assert len(_files(tmp_path / "events")) == 2
    assert _files(tmp_path / "rejected") == set()
    assert batch == 3


def _die_before_the_commit(folder: Path) -> None:
    import os
    import signal

    with Lake(folder).writing(EVENT_SCHEMA) as write:
        writer = write.events("web")
        writer.write(_table(write.batch, [C]))
        write.rejected().write(_rejected(write.batch))
        writer.close()
        write._commit_side(REJECTED)
        os.kill(os.getpid(), signal.SIGKILL)
