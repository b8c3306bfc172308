"""The lake after an erasure: rows, copies and rejected rows are gone, the rest is as it was, imports still count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from percorso.errors import Busy
from percorso.events.event import EVENT_SCHEMA
from percorso.services.import_rows import event_keys
from percorso.store import lake_erase
from percorso.store.files import Listed, listed
from percorso.store.lake import Lake
from percorso.store.lake_erase import Cut, LakeErasure, erased_name, rejected_row
from percorso.store.lake_tables import REJECTED
from percorso.store.row_keys import keys_as_binary
from tests.lake_builder import event
from tests.raw_bytes import places_of
from tests.store.leases import Lease

ANNA = "anna@posta.example"
A = event("2024-01-01T10:00", "Product Viewed", email=ANNA, message_id="a")
A_AGAIN = event("2024-01-01T10:00", "Product Viewed", email=ANNA, message_id="a", value=5)
B = event("2024-01-02T10:00", "Product Added", user_id="bruno", message_id="b", text=f"a friend of {ANNA}, I think")
C = event("2024-03-01T10:00", "Order Completed", user_id="carla", email="anna@posta.example", message_id="c")
D = event("2024-03-02T10:00", "Order Completed", user_id="dario", message_id="d", source="till & café/2")


def table_of(batch: int, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    table = pa.Table.from_pylist([{**row, "batch": batch} for row in rows], schema=EVENT_SCHEMA)
    place = table.schema.get_field_index("row_key")
    return table.set_column(place, EVENT_SCHEMA.field("row_key"), keys_as_binary(event_keys(table)))


def bring(lake: Lake, rows: list[dict[str, Any]], *, content: str, rejected: Mapping[int, str] | None = None) -> int:
    source = str(rows[0]["source"])
    with lake.writing(EVENT_SCHEMA) as write:
        writer = write.events(source)
        writer.write(table_of(write.batch, rows))
        for line, raw in (rejected or {}).items():
            row = {"batch": write.batch, "file": "f.csv", "line": line, "reason": "time_missing", "raw": raw}
            write.rejected().write(pa.Table.from_pylist([row], schema=REJECTED.schema))
        record = {
            "file": f"{content}.csv",
            "content_hash": content,
            "mapping_hash": "m",
            "format": "table",
            "source": source,
            "rows": len(rows),
            "events": len(rows),
            "duplicates": 0,
            "rejected": 0,
            "imported_at": datetime(2024, 6, 1, tzinfo=UTC),
        }
        write.commit(record, writer.close())
        return write.batch


def rows_of(lake: Lake) -> list[dict[str, Any]]:
    rows = [
        {**row, "source": file.source}
        for file in lake.live_files()
        for row in pq.ParquetFile(file.path).read().to_pylist()
    ]
    return sorted(rows, key=lambda row: (row["source"], row["message_id"]))


def keys_of(*rows: Mapping[str, Any]) -> npt.NDArray[np.uint64]:
    return event_keys(table_of(0, rows)) if rows else np.zeros((0, 2), np.uint64)


def erase(lake: Lake, erasure: LakeErasure) -> None:
    with lake.erasing(EVENT_SCHEMA) as eraser:
        eraser.erase(erasure, keys_of=event_keys)
        eraser.clean()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    bring(lake, [A, B], content="c1", rejected={7: f"x,{ANNA}", 8: "x,y"})
    bring(lake, [A_AGAIN, C], content="c2")
    bring(lake, [D], content="c3")
    return lake


def test_rows_go_and_the_rest_stays_as_it_was(lake: Lake, tmp_path: Path) -> None:
    before = rows_of(lake)
    erase(lake, LakeErasure(keys_of(A, A_AGAIN)))
    assert rows_of(lake) == [row for row in before if row["message_id"] != "a"]
    assert [record.batch for record in lake.imports()] == [1, 2, 3]


def test_nothing_is_left_on_the_disk(lake: Lake, tmp_path: Path) -> None:
    first = lake.batches()[0]
    assert places_of(tmp_path, [ANNA])
    key = keys_of(B)[0].tobytes()
    start = str(B["text"]).index(ANNA)
    cuts = (Cut(key, "text", start, start + len(ANNA)), Cut(keys_of(C)[0].tobytes(), "email"))
    erase(
        lake, LakeErasure(keys_of(A, A_AGAIN), cuts, frozenset({rejected_row(first, "f.csv", 7)}), frozenset({first}))
    )
    assert places_of(tmp_path, [ANNA]) == []
    assert lake.rejected().column("raw").to_pylist() == ["x,y"]
    assert lake.rejected().column("file").to_pylist() == [erased_name(first)]
    assert [record.file for record in lake.imports()] == [erased_name(first), "c2.csv", "c3.csv"]
    live = {file.path for file in lake.live_files()}
    assert {
        path for path in (tmp_path / "lake" / "events").rglob("*.parquet") if "_delta_log" not in path.parts
    } == live


def test_a_row_that_loses_a_part_has_the_key_of_what_it_says_now(lake: Lake) -> None:
    erase(lake, LakeErasure(keys_of(), (Cut(keys_of(C)[0].tobytes(), "email"),)))
    (row,) = [row for row in rows_of(lake) if row["message_id"] == "c"]
    assert row["email"] is None
    assert row["row_key"] == keys_of({**C, "email": None})[0].tobytes()


def test_of_the_delta_log_a_checkpoint_and_the_newest_commit_are_left(lake: Lake, tmp_path: Path) -> None:
    old = {path.name for path in (tmp_path / "lake").rglob("*.parquet")}
    erase(lake, LakeErasure(keys_of(A, A_AGAIN), (), frozenset({rejected_row(1, "f.csv", 7)})))
    for name in ("events", "rejected", "imports"):
        log = tmp_path / "lake" / name / "_delta_log"
        assert sorted(path.suffix for path in log.iterdir()) == ["", ".json", ".parquet"]
    log = tmp_path / "lake" / "events" / "_delta_log"
    (checkpoint,) = log.glob("*.checkpoint.parquet")
    removed = [row["remove"] for row in pq.read_table(checkpoint).to_pylist() if row["remove"]]
    assert all(row["stats"] is None and row["path"].rpartition("/")[2] in old for row in removed)
    adds = [row["add"]["stats"] for row in pq.read_table(checkpoint).to_pylist() if row["add"]]
    assert all("email" not in stats and "user_id" not in stats for stats in adds)


def test_the_lake_works_on(lake: Lake, tmp_path: Path) -> None:
    before = lake.mark()
    erase(lake, LakeErasure(keys_of(A, A_AGAIN)))
    after = lake.mark()
    assert "" != after != before
    assert [record.content_hash for record in lake.imports()] == ["c1", "c2", "c3"]
    batch = bring(lake, [A], content="c4")
    assert batch == max(lake.batches())
    assert lake.mark() != after
    assert DeltaTable(tmp_path / "lake" / "events").to_pyarrow_dataset().count_rows() == 4


def test_twice_is_once(lake: Lake, tmp_path: Path) -> None:
    erasure = LakeErasure(keys_of(A, A_AGAIN), (Cut(keys_of(C)[0].tobytes(), "email"),))
    erase(lake, erasure)
    rows, mark = rows_of(lake), lake.mark()
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*.parquet")}
    erase(lake, erasure)
    assert (rows_of(lake), lake.mark()) == (rows, mark)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*.parquet")} == files


def test_all_rows_may_go(lake: Lake) -> None:
    erase(lake, LakeErasure(keys_of(A, A_AGAIN, B, C, D)))
    assert lake.live_files() == []
    assert len(lake.imports()) == 3
    bring(lake, [D], content="c4")
    assert len(rows_of(lake)) == 1


def test_rejected_rows_of_imports_that_do_not_count_go_along(lake: Lake, tmp_path: Path) -> None:
    with lake.writing(EVENT_SCHEMA) as write:
        row = {"batch": write.batch, "file": "g.csv", "line": 1, "reason": "r", "raw": "of-nobody-who-counts"}
        write.rejected().write(pa.Table.from_pylist([row], schema=REJECTED.schema))
        write._commit_side(REJECTED)
        write._committed = True  # as a process that is killed leaves it
    assert places_of(tmp_path, ["of-nobody-who-counts"])
    erase(lake, LakeErasure(keys_of(A)))
    assert places_of(tmp_path, ["of-nobody-who-counts"]) == []
    assert lake.rejected().num_rows == 2


def test_nobody_writes_meanwhile(lake: Lake) -> None:
    with (
        lake.erasing(EVENT_SCHEMA),
        pytest.raises(Busy, match="erasure"),
        lake.writing(EVENT_SCHEMA, timeout_s=0.1),
    ):
        pass


@pytest.fixture
def lock(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Lease:
    """The lock of those who come from now on."""
    lease = Lease()
    monkeypatch.setattr("percorso.store.lake.exclusive_lock", lease)
    return lease


ERASURES = {
    "events": LakeErasure(keys_of(A)),
    "rejected": LakeErasure(keys_of(), (), frozenset({rejected_row(1, "f.csv", 7)})),
    "imports": LakeErasure(keys_of(), (), frozenset(), frozenset({1})),
}


@pytest.mark.parametrize("table", ERASURES)
def test_who_has_lost_the_lock_commits_nothing(lake: Lake, lock: Lease, tmp_path: Path, table: str) -> None:
    log = tmp_path / "lake" / table / "_delta_log"
    before = sorted(log.iterdir())
    with lake.erasing(EVENT_SCHEMA) as eraser:
        lock.is_held = False
        with pytest.raises(Busy, match="another process"):
            eraser.erase(ERASURES[table], keys_of=event_keys)
    assert sorted(log.iterdir()) == before
    assert len(rows_of(lake)) == 5
    lock.is_held = True
    erase(lake, ERASURES[table])
    assert sorted(log.iterdir()) != before


@pytest.mark.parametrize(
    "name", ["events/_delta_log/00000000000000000009.json", "events/source=web/part-9-new.parquet"]
)
def test_who_has_lost_the_lock_deletes_nothing(
    lake: Lake, lock: Lease, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next writer is at work when an eraser that was held up lists what it wants to delete."""
    theirs = tmp_path / "lake" / name
    of_log = "_delta_log" in name

    def held_up(folder: Path, **options: Any) -> list[Listed]:
        if ("_delta_log" in folder.parts) == of_log:
            theirs.write_bytes(b"of the next writer")
            lock.is_held = False
        return listed(folder, **options)

    monkeypatch.setattr(lake_erase, "listed", held_up)
    with lake.erasing(EVENT_SCHEMA) as eraser:
        eraser.erase(LakeErasure(keys_of(A)), keys_of=event_keys)
        old = set((tmp_path / "lake" / "events").rglob("*.json" if of_log else "*web/*.parquet"))
        with pytest.raises(Busy, match="another process"):
            eraser.clean()
    assert theirs.exists()
    assert set((tmp_path / "lake" / "events").rglob("*.json" if of_log else "*web/*.parquet")) == old | {theirs}


def test_who_has_lost_the_lock_says_nothing_of_the_last_import(lake: Lake, lock: Lease, tmp_path: Path) -> None:
    attempt = tmp_path / "lake" / "attempt.json"
    lock.is_held = False
    attempt.write_text('{"batch": 7, "open": 0}')
    with lake.erasing(EVENT_SCHEMA):
        pass
    assert attempt.read_text() == '{"batch": 8, "open": 1}'
