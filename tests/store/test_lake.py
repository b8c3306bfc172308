"""The lake: what counts after a commit, after none, and after one that replaces."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import threading
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
from percorso.store import delta, lake_write
from percorso.store.lake import Lake
from percorso.store.lake_tables import AD_SPEND, EVENTS, REJECTED, LakeTable, import_id
from percorso.store.lake_write import LakeWrite
from percorso.store.parts import PartWriter
from percorso.store.row_keys import keys_as_binary, row_keys
from tests.lake_builder import event
from tests.store.leases import Lease


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
    tables = [
        pq.ParquetFile(file.path).read().append_column("source", pa.repeat(file.source, file.rows))
        for file in lake.live_files()
    ]
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
    assert isinstance(web.path, Path)
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
    with lake.writing(EVENT_SCHEMA) as write:
        writer = write.events("web")
        writer.write(_table(write.batch, [B]))
        writer.close()
        assert len(_files(tmp_path)) == len(before) + 1
    assert _files(tmp_path) == before
    assert _ids(lake) == ["a"]


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(RuntimeError, match="stop"):
        _write_and_fail(lake)
    assert _files(tmp_path) == set()


def _write_and_fail(lake: Lake) -> None:
    with lake.writing(EVENT_SCHEMA) as write:
        write.events("web").write(_table(write.batch, [B]).take(pa.array([0] * 140_000)))
        raise RuntimeError("stop")


def test_a_replacement_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path)
    first = _import(lake, [A, B])
    _import(lake, [C, {**A, "message_id": "e"}], content="c2")
    before = _files(tmp_path)

    def refused(folder: Path, table: DeltaTable, kind: LakeTable, *told: Any, **options: Any) -> None:
        if kind is EVENTS:
            assert len(_files(tmp_path)) == len(before) + 3  # new events, events of before that stay, a record
            raise OSError(errno.ENOSPC, "No space left on device")
        delta.commit_files(folder, table, kind, *told, **options)

    monkeypatch.setattr(lake_write, "commit_files", refused)
    with pytest.raises(OSError, match="No space"):
        _replace(lake, [A, {**C, "user_id": "u3"}], {first})
    assert _files(tmp_path) == before
    assert _ids(lake) == ["a", "b", "c", "e"]
    assert json.loads((tmp_path / "attempt.json").read_text()) == {"batch": 3, "open": 0}


def test_a_full_disk_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = pq.ParquetWriter.close

    def full(writer: Any) -> None:
        closed(writer)
        raise OSError(errno.ENOSPC, "No space left on device")

    lake = Lake(tmp_path)
    monkeypatch.setattr(pq.ParquetWriter, "close", full)
    with pytest.raises(RuntimeError, match="stop"):
        _write_and_fail(lake)
    assert _files(tmp_path) == set()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.EIO, "Input/output error")])
@pytest.mark.parametrize("rows", [[], [C]])
def test_a_commit_that_may_have_come_through_keeps_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, rows: list[dict[str, Any]]
) -> None:
    lake = Lake(tmp_path)
    _import(lake, [A])

    def told_nothing(folder: Path, table: DeltaTable, kind: LakeTable, *told: Any, **options: Any) -> None:
        delta.commit_files(folder, table, kind, *told, **options)
        if kind is EVENTS:
            raise error

    def write() -> None:
        with lake.writing(EVENT_SCHEMA) as write:
            write.rejected().write(_rejected(write.batch))
            _add(write, rows, content="c2")

    with monkeypatch.context() as patch:
        patch.setattr(lake_write, "commit_files", told_nothing)
        with pytest.raises(type(error)):
            write()
    for _ in range(2):  # also after the next writer has looked what was left
        assert [record.content_hash for record in lake.imports()][:2] == ["c1", "c2"]
        assert _ids(lake)[: 1 + len(rows)] == ["a", *(row["message_id"] for row in rows)]
        assert lake.rejected().column("batch").to_pylist() == [2]
        _import(lake, [{**C, "message_id": "d"}], content="c3")


def _rejected(batch: int) -> pa.Table:
    row = {"batch": batch, "file": "f.csv", "line": 7, "reason": "time_missing", "detail": "", "raw": "x,y"}
    return pa.Table.from_pylist([row], schema=REJECTED.schema)


def test_rejected_rows_count_with_their_import(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with lake.writing(EVENT_SCHEMA) as write:
        write.rejected().write(_rejected(write.batch))
        _add(write, [A])
    with lake.writing(EVENT_SCHEMA) as write:
        write.rejected().write(_rejected(write.batch))
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
    with Lake(folder).writing(EVENT_SCHEMA) as write:
        writer = write.events("web")
        writer.write(_table(write.batch, [C]))
        write.rejected().write(_rejected(write.batch))
        writer.close()
        write._commit_side(REJECTED)
        os.kill(os.getpid(), signal.SIGKILL)


def _import_new(lake: Lake, rows: list[dict[str, Any]], content: str = "c2") -> int:
    """Import as a service does: rows that are there already stay out. Returns how many those were."""
    with lake.writing(EVENT_SCHEMA) as write:
        writer = write.events("web")
        writer.write(_table(write.batch, rows))
        parts, copies = write.without_known(writer.close(), "web")
        write.commit(_record(content=content), parts)
        return copies


def test_rows_that_are_there_to_the_last_byte_are_left_out(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    _import(lake, [A, B])
    changed = {**B, "user_id": "u9"}
    assert _import_new(lake, [A, changed, C]) == 1
    assert _ids(lake) == ["a", "b", "b", "c"]
    assert _import_new(lake, [A, B, C], content="c3") == 3
    assert _ids(lake) == ["a", "b", "b", "c"]
    assert len(_files(tmp_path / "events")) == 2


def test_only_files_of_the_source_and_time_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path)
    _import(lake, [A])
    _import(lake, [C], content="c2")
    _import(lake, [A], source="app", content="c3")
    read: list[Path] = []

    def matching(known: list[Path], searched: list[Path], column: str) -> dict[Path, object]:
        read.extend(known)
        return {}

    monkeypatch.setattr("percorso.store.lake_write.matching_rows", matching)
    _import_new(lake, [{**C, "message_id": "d"}], content="c4")
    assert [path.parent.name for path in read] == ["source=web"]
    assert pq.read_table(read[0], partitioning=None).column("message_id").to_pylist() == ["c"]


def _replace(lake: Lake, rows: list[dict[str, Any]], batches: set[int], content: str = "c1") -> int:
    with lake.writing(EVENT_SCHEMA) as write:
        writer = write.events("web")
        writer.write(_table(write.batch, rows))
        parts = writer.close()
        back = write.retraction(parts, "web", batches=batches, imports=[import_id("web", content)] if batches else [])
        write.commit(_record(content=content, mapping="m2"), parts, back)
        return back.rows


def test_replacing_takes_back_the_import_and_rows_of_equal_id_in_one_commit(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    first = _import(lake, [A, B])
    second = _import(lake, [C, {**A, "message_id": "e"}], content="c2")
    version = lake.version()
    assert _replace(lake, [A, {**C, "user_id": "u3"}], {first}) == 3
    assert lake.version() == version + 1
    assert _ids(lake) == ["a", "c", "e"]
    rows = {row["message_id"]: row for row in _read(lake).to_pylist()}
    assert rows["c"]["user_id"] == "u3"
    assert rows["e"]["batch"] == second
    assert [(f.min_batch, f.max_batch) for f in lake.live_files()] == [(second, second), (3, 3)]
    assert lake.batches() == (second, 3)


def test_replacing_leaves_other_sources_alone(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    _import(lake, [A], source="app")
    assert _replace(lake, [A], set(), content="c9") == 0
    assert len(_ids(lake)) == 2


def test_sources_of_any_name_can_be_replaced(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    name = "till & café/2 %20"
    first = _import(lake, [A, B], source=name)
    with lake.writing(EVENT_SCHEMA) as write:
        back = write.retraction([], name, batches={first}, imports=[import_id(name, "c1")])
        write.commit(_record(name, "c1", "m2"), [], back)
    assert lake.live_files() == []
    _import(lake, [A], source=name, content="c2")
    assert [file.source for file in lake.live_files()] == [name]
    assert pa.table(DeltaTable(tmp_path / "events").to_pyarrow_dataset().to_table()).num_rows == 1


def test_no_identifier_stands_in_the_delta_log(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    secret = event("2024-01-01T10:00", "Product Viewed", user_id="SECRET", email="SECRET@x.it", message_id="SECRET")
    first = _import(lake, [secret])
    _replace(lake, [secret], {first})
    with lake.writing(EVENT_SCHEMA) as write:
        row = {**_rejected(write.batch).to_pylist()[0], "raw": "SECRET"}
        write.rejected().write(pa.Table.from_pylist([row], schema=REJECTED.schema))
        _add(write, [C], content="c7")
    logs = [path for path in tmp_path.rglob("*") if "_delta_log" in path.parts and path.is_file()]
    assert len(logs) > 4
    assert not any(b"SECRET" in path.read_bytes() for path in logs)
    lines = [line for path in logs if path.suffix == ".json" for line in path.read_text().splitlines()]
    stats = [json.loads(line)["add"]["stats"] for line in lines if '"add"' in line]
    known = {"batch", "timestamp", "received_at", "sent_at", "original_timestamp", "imported_at", "day"}
    assert all(set(json.loads(text)["minValues"]) <= known for text in stats)
    for file in lake.live_files():
        group = pq.ParquetFile(file.path).metadata.row_group(0)
        with_statistics = {
            group.column(i).path_in_schema for i in range(group.num_columns) if group.column(i).statistics
        }
        assert with_statistics <= known


def test_imports_count_after_a_checkpoint(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    first = _import(lake, [A])
    table = DeltaTable(tmp_path / "events")
    table.create_checkpoint()
    for path in (tmp_path / "events" / "_delta_log").glob("*.json"):
        path.unlink()
    assert lake.batches() == (first,)
    assert _ids(lake) == ["a"]


def test_any_delta_reader_sees_the_events(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    _import(lake, [A, B])
    table = pa.table(DeltaTable(tmp_path / "events").to_pyarrow_dataset().to_table())
    assert sorted(table.column("message_id").to_pylist()) == ["a", "b"]
    assert set(table.column("source").to_pylist()) == {"web"}


def test_the_table_of_imports_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("percorso.store.lake_write._MOST_IMPORT_FILES", 3)
    lake = Lake(tmp_path)
    batches = [_import(lake, [{**A, "message_id": str(i)}], content=f"c{i}") for i in range(10)]
    assert lake.batches() == tuple(batches)
    assert [record.content_hash for record in lake.imports()] == [f"c{i}" for i in range(10)]
    assert len(DeltaTable(tmp_path / "imports").file_uris()) <= 4


def test_a_newer_lake_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    _import(lake, [A])
    DeltaTable(tmp_path / "events").alter.set_table_description("Percorso events, format 99")
    with pytest.raises(FormatTooNew) as caught:
        lake.live_files()
    assert "99" in caught.value.message


def test_an_older_lake_gains_columns(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    _import(lake, [A])
    wider = EVENT_SCHEMA.append(pa.field("weather", pa.string()))
    delta.prepare_table(tmp_path, EVENTS, wider)
    names = [field.name for field in DeltaTable(tmp_path / "events").schema().fields]
    assert names[-1] == "weather"
    assert _ids(lake) == ["a"]


def test_a_second_writer_waits_and_is_told_who_writes(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with lake.writing(EVENT_SCHEMA), pytest.raises(Busy) as caught, lake.writing(EVENT_SCHEMA, timeout_s=0.1):
        pass
    assert str(os.getpid()) in caught.value.message
    assert caught.value.hint


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> Lease:
    lease = Lease()
    monkeypatch.setattr("percorso.store.lake.exclusive_lock", lease)
    return lease


@pytest.mark.parametrize("lost_before", [REJECTED, EVENTS], ids=lambda table: table.name)
def test_who_has_lost_the_lock_commits_nothing(
    tmp_path: Path, lock: Lease, lost_before: LakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path)
    _import(lake, [A])

    def held_up(folder: Path, kind: LakeTable, schema: pa.Schema) -> DeltaTable:
        if kind is lost_before:
            lock.is_held = False
            (tmp_path / "attempt.json").write_text('{"batch": 3, "open": 1}')  # the next writer is at work
        return delta.prepare_table(folder, kind, schema)

    def write() -> None:
        with lake.writing(EVENT_SCHEMA) as write:
            write.rejected().write(_rejected(write.batch))
            writer = write.events("web")
            writer.write(_table(write.batch, [B]))
            parts = writer.close()
            write.commit(_record(content="c2"), parts)

    with monkeypatch.context() as patch:
        patch.setattr(lake_write, "prepare_table", held_up)
        with pytest.raises(Busy, match="another process"):
            write()
    assert DeltaTable(tmp_path / "rejected").version() == (0 if lost_before is REJECTED else 2)  # it goes again
    assert len(_files(tmp_path)) == 2
    assert _ids(lake) == ["a"]
    assert (tmp_path / "attempt.json").read_text() == '{"batch": 3, "open": 1}'
    lock.is_held = True
    assert _import(lake, [B], content="c2") == 4


def test_who_has_lost_the_lock_after_the_commit_leaves_the_rest_to_the_next(
    tmp_path: Path, lock: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake_write, "_MOST_IMPORT_FILES", 1)
    lake = Lake(tmp_path)
    _import(lake, [A])
    with lake.writing(EVENT_SCHEMA) as write:
        _add(write, [B], content="c2")
        lock.is_held = False
        version = DeltaTable(tmp_path / "imports").version()
        (tmp_path / "attempt.json").write_text('{"batch": 3, "open": 1}')
    assert DeltaTable(tmp_path / "imports").version() == version
    assert (tmp_path / "attempt.json").read_text() == '{"batch": 3, "open": 1}'
    assert lake.batches() == (1, 2)


def test_writers_in_threads_take_turns(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    rows = [event("2024-01-01T10:00", "Product Viewed", message_id=f"m{i}") for i in range(4)]
    threads = [threading.Thread(target=_import, args=(lake, [row], "web", f"c{i}")) for i, row in enumerate(rows)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _ids(lake) == ["m0", "m1", "m2", "m3"]
    assert len(lake.batches()) == 4


def test_of_spend_in_several_imports_the_last_counts(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for content, cost, day in (("c1", 100, 1), ("c1", 50, 2), ("c2", 70, 1)):
        with lake.writing(EVENT_SCHEMA) as write:
            row = {"batch": write.batch, "source": "ads", "day": date(2024, 1, day), "cost": cost, "currency": "EUR"}
            write.side(AD_SPEND).write(pa.Table.from_pylist([row, row], schema=AD_SPEND.schema))
            write.commit(_record("ads", content + str(day)), [])
    spend = lake.ad_spend()
    assert list(zip(spend.column("day").to_pylist(), spend.column("cost").to_pylist(), strict=True)) == [
        (date(2024, 1, 1), 70),
        (date(2024, 1, 1), 70),
        (date(2024, 1, 2), 50),
        (date(2024, 1, 2), 50),
    ]


def test_files_are_bounded_and_keep_the_order(tmp_path: Path) -> None:
    schema = pa.schema([("n", pa.int64()), ("timestamp", pa.timestamp("us", tz="UTC"))])
    writer = PartWriter(tmp_path, "part-1", schema, statistics=["timestamp"], part_rows=300_000)
    numbers = pa.array(range(700_000))
    for start in range(0, 700_000, 50_000):
        part = numbers.slice(start, 50_000)
        writer.write(pa.table([part, part.cast(pa.timestamp("us", tz="UTC"))], schema=schema))
    parts = writer.close()
    assert len(parts) == 3
    assert sum(part.rows for part in parts) == 700_000
    read = pa.concat_tables([pq.ParquetFile(part.path).read() for part in parts])
    assert pc.all(pc.equal(read.column("n"), pa.chunked_array([numbers]))).as_py()
    assert parts[0].ranges["timestamp"] == (0, parts[0].rows - 1)
    assert all(part.size == len(part.path.read_bytes()) for part in parts)
