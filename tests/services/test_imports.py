"""Imports from file to lake: what counts, what is rejected, what happens again, and what a kill leaves."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.kill_import import kill_imports
from percorso.engines.prepare import PrepareLimits, prepared_tables
from percorso.errors import FileError, ImportConflict, MappingError, UserError
from percorso.events.conversion import CONVERTED_SCHEMA, Converted, TableChunk
from percorso.events.event import EVENT_SCHEMA
from percorso.identity.identifiers import IdentifierRules
from percorso.services.import_preview import preview_files
from percorso.services.import_rows import RowFinisher, prepare_rows
from percorso.services.imports import FileReport, ImportRequest, import_files, rejected_rows
from percorso.services.workspace import Workspace
from percorso.settings import IdentitySettings
from percorso.store.lake import Lake
from tests.naive import import_rows as naive
from tests.workspaces import change_settings, make_workspace

MAPPING = """
source = "web"
kind = "web"
event = { column = "event" }
timestamp = { column = "time" }
[columns]
user_id = "user"
value = "value"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "m.toml").write_text(MAPPING)
    return tmp_path / "files"


def write(folder: Path, content: str | bytes, name: str = "file.csv") -> Path:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / name


def request(path: Path, **options: Any) -> ImportRequest:
    return replace(ImportRequest((str(path),), mapping=path.parent / "m.toml"), **options)


def bring(workspace: Workspace, path: Path, **options: Any) -> FileReport:
    (report,) = import_files(workspace, request(path, **options)).files
    return report


def events(workspace: Workspace) -> list[dict[str, Any]]:
    """All events that count, by time and id."""
    tables = [
        pq.ParquetFile(file.path).read().append_column("source", pa.repeat(file.source, file.rows))
        for file in Lake(workspace.lake).live_files()
    ]
    rows = pa.concat_tables(tables).to_pylist() if tables else []
    return sorted(rows, key=lambda row: (row["timestamp"], row["message_id"]))


def counts(report: FileReport) -> tuple[int, int, int, int]:
    return report.rows, report.events, report.duplicates, report.rejected


GOOD = "event,time,user,value\nProduct Viewed,2024-01-01T10:00:00Z,u1,\nOrder Completed,2024-01-02T10:00:00Z,u1,12.50\n"


def test_a_file_becomes_events(workspace: Workspace, folder: Path) -> None:
    report = bring(workspace, write(folder, GOOD))
    assert (report.format, report.source) == ("table", "web")
    assert counts(report) == (2, 2, 0, 0)
    rows = events(workspace)
    assert [(row["name"], row["user_id"], row["value"], row["source"]) for row in rows] == [
        ("Product Viewed", "u1", None, "web"),
        ("Order Completed", "u1", 1250, "web"),
    ]
    assert {row["batch"] for row in rows} == set(Lake(workspace.lake).batches())


def test_the_same_file_again_adds_nothing(workspace: Workspace, folder: Path) -> None:
    path = write(folder, GOOD + "x,,u2,\n")
    assert counts(bring(workspace, path)) == (3, 2, 0, 1)
    version = Lake(workspace.lake).version()
    again = bring(workspace, path)
    assert counts(again) == (3, 0, 2, 1)
    assert again.unchanged
    renamed = bring(workspace, write(folder, path.read_bytes(), "copy.csv"))
    assert counts(renamed) == (3, 0, 2, 1)
    assert Lake(workspace.lake).version() == version
    assert rejected_rows(workspace).num_rows == 1


def test_overlapping_files_add_what_is_new(workspace: Workspace, folder: Path) -> None:
    bring(workspace, write(folder, GOOD))
    longer = write(folder, GOOD + "Product Viewed,2024-01-03T10:00:00Z,u2,\n", "longer.csv")
    assert counts(bring(workspace, longer)) == (3, 1, 2, 0)
    assert len(events(workspace)) == 3


def test_two_equal_coffees_are_two_sales_and_the_file_twice_is_one(workspace: Workspace, folder: Path) -> None:
    coffee = "Order Completed,2024-01-01T08:00:00Z,u1,1.20\n"
    path = write(folder, "event,time,user,value\n" + coffee * 3)
    assert counts(bring(workspace, path)) == (3, 3, 0, 0)
    more = write(folder, "event,time,user,value\n" + coffee * 4, "more.csv")
    assert counts(bring(workspace, more)) == (4, 1, 3, 0)
    rows = events(workspace)
    assert len({row["message_id"] for row in rows}) == 4
    assert sorted(row["sequence"] for row in rows) == [0, 1, 2, 3]


def test_exact_copies_in_a_file_are_dropped_and_conflicting_ones_kept(workspace: Workspace, folder: Path) -> None:
    (folder / "m.toml").write_text(MAPPING + 'message_id = "id"\n')
    lines = ["event,time,user,value,id", "a,2024-01-01,u1,,m1", "a,2024-01-01,u1,,m1", "a,2024-01-01,u9,,m1"]
    assert counts(bring(workspace, write(folder, "\n".join(lines)))) == (3, 2, 1, 0)
    assert sorted(row["user_id"] for row in events(workspace)) == ["u1", "u9"]


def test_another_mapping_is_a_conflict_that_replace_resolves(workspace: Workspace, folder: Path) -> None:
    path = write(folder, GOOD)
    bring(workspace, path)
    (folder / "m.toml").write_text(MAPPING.replace('user_id = "user"', 'loyalty_id = "user"'))
    with pytest.raises(ImportConflict) as caught:
        bring(workspace, path)
    assert "--replace" in caught.value.hint
    assert [row["user_id"] for row in events(workspace)] == ["u1", "u1"]
    version = Lake(workspace.lake).version()
    report = bring(workspace, path, replace=True)
    assert (report.events, report.retracted) == (2, 2)
    assert Lake(workspace.lake).version() == version + 1
    assert [(row["user_id"], row["loyalty_id"]) for row in events(workspace)] == [(None, "u1"), (None, "u1")]
    assert len(Lake(workspace.lake).imports()) == 1
    assert bring(workspace, path).unchanged


def test_replace_takes_back_rejected_rows_too(workspace: Workspace, folder: Path) -> None:
    path = write(folder, GOOD + "x,31/12/2024,u2,\n")
    bring(workspace, path)
    assert rejected_rows(workspace).column("reason").to_pylist() == ["time_unreadable"]
    (folder / "m.toml").write_text(MAPPING.replace('"time" }', '"time", format = "%d/%m/%Y" }'))
    assert counts(bring(workspace, path, replace=True)) == (3, 1, 0, 2)
    assert rejected_rows(workspace).column("line").to_pylist() == [2, 3]


def test_replace_takes_back_rows_of_equal_id_in_other_files(workspace: Workspace, folder: Path) -> None:
    (folder / "m.toml").write_text(MAPPING + 'message_id = "id"\n')
    head = "event,time,user,value,id\n"
    bring(workspace, write(folder, head + "a,2024-01-01,u1,1,m1\nb,2024-01-02,u1,2,m2\n"))
    report = bring(workspace, write(folder, head + "a,2024-02-01,u1,9,m1\n", "fix.csv"), replace=True)
    assert (report.events, report.retracted) == (1, 1)
    assert [(row["message_id"], row["value"]) for row in events(workspace)] == [("m2", 200), ("m1", 900)]


def test_another_source_is_another_import(workspace: Workspace, folder: Path) -> None:
    path = write(folder, GOOD)
    bring(workspace, path)
    with pytest.raises(ImportConflict, match="as the source 'web', not as 'app'") as caught:
        bring(workspace, path, source="app")
    assert "--replace" in caught.value.hint
    assert "--again" in caught.value.hint
    assert len(events(workspace)) == 2
    assert counts(bring(workspace, path, source="app", again=True)) == (2, 2, 0, 0)
    assert {row["source"] for row in events(workspace)} == {"web", "app"}
    assert bring(workspace, path).unchanged
    assert bring(workspace, path, source="app").unchanged
    with pytest.raises(MappingError):
        bring(workspace, path, source="a/b")


def sources(workspace: Workspace) -> Counter[str]:
    return Counter(row["source"] for row in events(workspace))


def test_replace_takes_back_one_source_alone(workspace: Workspace, folder: Path) -> None:
    path = write(folder, GOOD)
    bring(workspace, path)
    bring(workspace, path, source="app", again=True)
    assert bring(workspace, path, source="app", replace=True).retracted == 2
    assert sources(workspace) == {"web": 2, "app": 2}
    with pytest.raises(ImportConflict, match="several sources: 'web', 'app'"):
        bring(workspace, path, source="till", replace=True)
    assert sources(workspace) == {"web": 2, "app": 2}
    assert bring(workspace, path, source="till", replace=True, again=True).retracted == 0
    assert sources(workspace) == {"web": 2, "app": 2, "till": 2}


def test_replace_may_change_the_name_of_the_source(workspace: Workspace, folder: Path) -> None:
    path = write(folder, GOOD)
    bring(workspace, path)
    assert bring(workspace, path, source="shop", replace=True).retracted == 2
    assert sources(workspace) == {"shop": 2}
    assert [record.source for record in Lake(workspace.lake).imports()] == ["shop"]


def test_a_file_without_rows_is_no_conflict(workspace: Workspace, folder: Path) -> None:
    path = write(folder, "event,time,user,value\n")
    bring(workspace, path)
    assert counts(bring(workspace, path, source="app")) == (0, 0, 0, 0)


IDS = MAPPING + 'message_id = "id"\n'
OTHER_IDS = IDS.replace('"id"', '{ columns = ["id", "event"] }')


def rows_of_ids(*ids: int) -> str:
    return "event,time,user,value,id\n" + "".join(f"e,2024-01-0{i},u{i},{i},m{i}\n" for i in ids)


def test_rows_of_overlapping_files_come_back(workspace: Workspace, folder: Path) -> None:
    """B's rows 2 and 3 were left to A; when A is imported under other ids, they are B's again."""
    (folder / "m.toml").write_text(IDS)
    first, second = write(folder, rows_of_ids(1, 2, 3), "a.csv"), write(folder, rows_of_ids(2, 3, 4), "b.csv")
    bring(workspace, first)
    assert counts(bring(workspace, second)) == (3, 1, 2, 0)
    (folder / "m.toml").write_text(OTHER_IDS)
    assert bring(workspace, first, replace=True).import_again == ("b.csv",)
    (folder / "m.toml").write_text(IDS)
    assert not bring(workspace, second).unchanged
    assert [row["message_id"] for row in events(workspace)] == ["m1-e", "m2", "m2-e", "m3", "m3-e", "m4"]
    assert len(rejected_rows(workspace)) == 0
    assert bring(workspace, second).unchanged
    assert bring(workspace, second, replace=True).retracted == 3


def test_rows_that_are_replaced_by_themselves_are_not_missed(workspace: Workspace, folder: Path) -> None:
    first, second = write(folder, rows_of_ids(1, 2, 3), "a.csv"), write(folder, rows_of_ids(2, 3, 4), "b.csv")
    bring(workspace, first)
    bring(workspace, second)
    (folder / "m.toml").write_text(MAPPING.replace('user_id = "user"', 'loyalty_id = "user"'))
    assert bring(workspace, first, replace=True).import_again == ()
    assert [row["loyalty_id"] for row in events(workspace)] == ["u1", "u2", "u3", None]
    assert bring(workspace, second, replace=True).import_again == ()
    assert [row["loyalty_id"] for row in events(workspace)] == ["u1", "u2", "u3", "u4"]


_IDS = st.lists(st.integers(1, 6), unique=True, max_size=6).map(sorted)


@given(_IDS, _IDS, st.lists(st.booleans(), max_size=3))
@settings(max_examples=15, deadline=None)
def test_nothing_is_lost_when_files_overlap(
    tmp_path_factory: pytest.TempPathFactory, first: list[int], second: list[int], turns: list[bool]
) -> None:
    """However two overlapping files were replaced before: move one to another source, bring the other one again."""
    folder = tmp_path_factory.mktemp("overlap")
    workspace = make_workspace(folder / "ws")
    (folder / "m.toml").write_text(IDS)
    one = write(folder, rows_of_ids(*first), "a.csv")
    two = write(folder, rows_of_ids(*second) + "\n", "b.csv")
    bring(workspace, one)
    bring(workspace, two)
    for turn in turns:
        bring(workspace, one if turn else two, replace=True)
    moved = bring(workspace, one, source="moved", replace=True)
    bring(workspace, two)
    found = [(row["source"], row["message_id"]) for row in events(workspace)]
    expected = [("moved", f"m{i}") for i in first] + [("web", f"m{i}") for i in second]
    assert sorted(found) == sorted(expected)
    assert set(moved.import_again) <= {"b.csv"}


def test_a_negative_receipt_is_a_refund(workspace: Workspace, folder: Path) -> None:
    (folder / "m.toml").write_text(MAPPING.replace("[columns]", '[columns]\ntax = "tax"'))
    lines = [
        "event,time,user,value,tax",
        "Order Completed,2024-01-01,u1,12.50,1",
        "Scontrino,2024-01-02,u1,-7.20,-0.60",
        "Order Completed,2024-03-31T02:30:00,u1,-1,",
        "Order Completed,2024-04-01,u1,0,",
        "Price Dropped,2024-05-01,u1,-3,",
        "Order Completed,2024-06-01,u1,,",
    ]
    assert counts(bring(workspace, write(folder, "\n".join(lines)))) == (6, 6, 0, 0)
    assert [(row["name"], row["value"], row["tax"], row["notes"]) for row in events(workspace)] == [
        ("Order Completed", 1250, 100, None),
        ("Order Refunded", 720, 60, "negative_total"),
        ("Order Refunded", 100, None, "dst_gap,negative_total"),
        ("Order Completed", 0, None, None),
        ("Price Dropped", -300, None, None),
        ("Order Completed", None, None, None),
    ]


def test_lines_of_a_negative_receipt_are_a_refund(workspace: Workspace, folder: Path) -> None:
    (folder / "m.toml").write_text(ITEMS)
    text = 'receipt,day,sku,qty,price\n1,01/02/2024,a,-2,"3,00"\n1,01/02/2024,b,1,"1,50"\n2,01/02/2024,a,1,"3,00"\n'
    bring(workspace, write(folder, text))
    rows = sorted((row["order_id"], row["name"], row["value"]) for row in events(workspace))
    assert rows == [("1", "Order Refunded", 450), ("2", "Order Completed", 300)]


NOW = datetime(2024, 1, 10, 12, tzinfo=UTC)


def test_rows_dated_after_their_import_are_rejected(workspace: Workspace, folder: Path) -> None:
    (folder / "m.toml").write_text(MAPPING + 'received_at = "got"\n')
    lines = [
        "event,time,user,value,got",
        "a,2024-01-11T11:59:59Z,u1,,",
        "b,2024-01-11T12:00:01Z,u1,,",
        "c,2042-01-01T00:00:00Z,u1,,2024-01-02T00:00:00Z",
        "d,2042-01-01T00:00:00Z,u1,,",
    ]
    path = write(folder, "\n".join(lines))
    (preview,) = preview_files(workspace, request(path, now=NOW))
    assert preview.rejected_by_reason == {"time_in_future": 2}
    assert counts(bring(workspace, path, now=NOW)) == (4, 2, 0, 2)
    assert [row["name"] for row in events(workspace)] == ["a", "c"]
    rejects = rejected_rows(workspace).select(["line", "reason"]).to_pylist()
    assert rejects == [{"line": 3, "reason": "time_in_future"}, {"line": 5, "reason": "time_in_future"}]
    lenient = change_settings(workspace, 'future_limit = "24h"', 'future_limit = "2000w"')
    assert counts(bring(lenient, path, now=NOW, replace=True)) == (4, 4, 0, 0)


def test_messages_dated_after_their_import_are_rejected(workspace: Workspace, folder: Path) -> None:
    message = {"messageId": "1", "type": "track", "event": "e", "userId": "u", "timestamp": "2042-01-01T00:00:00Z"}
    arrived = {**message, "messageId": "2", "receivedAt": "2024-01-01T00:00:00Z"}
    path = write(folder, "\n".join(map(json.dumps, (message, arrived))), "file.ndjson")
    assert counts(bring(workspace, path, mapping=None, now=NOW)) == (2, 1, 0, 1)
    assert rejected_rows(workspace).column("reason").to_pylist() == ["time_in_future"]
    assert rejected_rows(workspace).column("line").to_pylist() == [1]


def test_an_order_dated_after_its_import_is_rejected_with_all_its_lines(workspace: Workspace, folder: Path) -> None:
    (folder / "m.toml").write_text(ITEMS)
    text = 'receipt,day,sku,qty,price\n1,01/02/2042,a,1,"1,00"\n1,01/02/2042,b,1,"1,00"\n2,01/01/2024,a,1,"1,00"\n'
    assert counts(bring(workspace, write(folder, text), now=NOW)) == (3, 1, 0, 2)


def test_a_file_that_changes_while_it_is_read_is_refused(workspace: Workspace, folder: Path) -> None:
    path = write(folder, "event,time,user,value\n" + "e,2024-01-01,u,1\n" * 1000)

    def grow(file: Path, done: float, rows: int) -> None:
        with file.open("a") as stream:
            stream.write("e,2024-01-01,u,1\n")

    with pytest.raises(FileError, match=r"file\.csv changed while it was read"):
        import_files(workspace, request(path), grow)
    assert events(workspace) == []
    assert list((workspace.folder / "lake").rglob("part-*.parquet")) == []
    assert bring(workspace, path).events > 1000


def test_a_joined_file_that_changes_meanwhile_is_refused(workspace: Workspace, folder: Path) -> None:
    people = write(folder, "user,name\nu1,Anna\n", "people.csv")
    sql = "select file.*, name from file left join people using (user)"
    prepare = f"[prepare]\ntables = {{ people = 'people.csv' }}\nsql = '{sql}'\n"
    (folder / "m.toml").write_text(MAPPING + prepare)

    def grow(file: Path, done: float, rows: int) -> None:
        people.write_text("user,name\nu1,Anna\nu2,Bruno\n")

    with pytest.raises(FileError, match=r"people\.csv changed"):
        import_files(workspace, request(write(folder, GOOD)), grow)


def test_joins_and_sums_hand_on_rows_in_the_same_order_every_time(tmp_path: Path) -> None:
    table = pa.table({"g": [str(i * 7919 % 300_007) for i in range(400_000)], "v": list(range(400_000))})
    sql = "select a.g, count(*) as n, sum(a.v) as s from file a join file b using (g) group by a.g"
    limits = PrepareLimits(memory_bytes=1 << 30, scratch=tmp_path)

    def run() -> pa.Table:
        return pa.concat_tables(prepared_tables({"file": iter([table])}, sql=sql, group_by=(), limits=limits))

    first = run()
    assert first.num_rows == 300_007
    assert all(run().equals(first) for _ in range(3))


def test_rejected_rows_tell_file_line_reason_and_text(workspace: Workspace, folder: Path) -> None:
    content = GOOD + 'x,,u1,\nx,2024-02-30,"u\n1",\nx,2024-01-01,u1,free\ntoo,few\n,2024-01-01,u1,1\n'
    assert counts(bring(workspace, write(folder, content))) == (7, 2, 0, 5)
    rows = rejected_rows(workspace).select(["file", "line", "reason", "raw"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("file.csv", 4, "time_missing", "x,,u1,"),
        ("file.csv", 5, "time_unreadable", 'x,2024-02-30,"u\n1",'),
        ("file.csv", 7, "amount_unreadable", "x,2024-01-01,u1,free"),
        ("file.csv", 8, "cells", "too,few"),
        ("file.csv", 9, "event_missing", ",2024-01-01,u1,1"),
    ]
    assert rejected_rows(workspace, reason="cells").num_rows == 1
    assert rejected_rows(workspace, file="other.csv").num_rows == 0


def test_malformed_addresses_are_dropped_with_a_note_and_blocked_ones_stay(workspace: Workspace, folder: Path) -> None:
    (folder / "m.toml").write_text(MAPPING.replace("user_id", "phone = 'phone'\nemail"))
    lines = ["event,time,user,phone,value"]
    lines += [
        f"e,2024-01-0{i},{mail},{phone},"
        for i, (mail, phone) in enumerate(
            [("a@b.it", "347 1234567"), ("a@b", "12"), ("noreply@shop.it", "347 123456789012345"), ("", "")], start=1
        )
    ]
    assert counts(bring(workspace, write(folder, "\n".join(lines)))) == (4, 4, 0, 0)
    assert [(row["email"], row["phone"], row["notes"]) for row in events(workspace)] == [
        ("a@b.it", "347 1234567", None),
        (None, None, "email_malformed,phone_malformed"),
        ("noreply@shop.it", None, "phone_malformed"),
        (None, None, None),
    ]


def test_a_damaged_file_leaves_nothing(workspace: Workspace, folder: Path) -> None:
    text = "event,time,user,value\n" + "".join(f"e,2024-01-01T00:00:{i % 60:02},u{i},{i}\n" for i in range(400_000))
    packed = gzip.compress(text.encode(), 1)
    with pytest.raises(FileError):
        bring(workspace, write(folder, packed[:-1000], "file.csv.gz"))
    assert events(workspace) == []
    assert list((workspace.folder / "lake").rglob("part-*.parquet")) == []
    assert counts(bring(workspace, write(folder, packed, "file.csv.gz"))) == (400_000, 400_000, 0, 0)


def test_of_several_files_the_good_ones_are_imported(workspace: Workspace, folder: Path) -> None:
    write(folder, GOOD, "a.csv")
    long = "event,time,user,value\n" + f"e,2024-01-01,{'u' * 250},1\n" * 100_000
    write(folder, gzip.compress(long.encode(), 1)[:-20], "b.csv.gz")
    write(folder, GOOD.replace("u1", "u7"), "c.csv")
    with pytest.raises(FileError) as caught:
        import_files(workspace, ImportRequest((str(folder),), mapping=folder / "m.toml"))
    imported = caught.value.fields["imported"]
    assert isinstance(imported, list)
    assert [Path(file["path"]).name for file in imported] == ["a.csv", "c.csv"]
    assert len(events(workspace)) == 4


def test_files_are_looked_into_before_the_first_is_imported(workspace: Workspace, folder: Path) -> None:
    write(folder, GOOD, "a.csv")
    write(folder, "", "b.csv")
    with pytest.raises(FileError, match=r"b\.csv is empty"):
        import_files(workspace, ImportRequest((str(folder),), mapping=folder / "m.toml"))
    assert events(workspace) == []


def test_patterns_and_folders(workspace: Workspace, folder: Path) -> None:
    (folder / "sub").mkdir()
    for name in ("a.csv", "b.csv", "sub/c.csv"):
        write(folder, GOOD.replace("u1", name), name)
    write(folder, "not data", "readme.md")
    report = import_files(workspace, ImportRequest((str(folder / "*.csv"),), mapping=folder / "m.toml"))
    assert [Path(file.path).name for file in report.files] == ["a.csv", "b.csv"]
    report = import_files(workspace, ImportRequest((str(folder), str(folder / "a.csv")), mapping=folder / "m.toml"))
    assert [(Path(file.path).name, file.events) for file in report.files] == [("a.csv", 0), ("b.csv", 0), ("c.csv", 2)]
    with pytest.raises(FileError):
        import_files(workspace, ImportRequest((str(folder / "*.nothing"),)))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"format": "segmnt"}, UserError),
        ({"format": "segment"}, UserError),
        ({"mapping": Path("nowhere.toml")}, MappingError),
        ({"mapping": None, "format": "segment"}, UserError),
    ],
)
def test_wrong_requests_are_refused(
    workspace: Workspace, folder: Path, options: dict[str, Any], error: type[UserError]
) -> None:
    with pytest.raises(error):
        bring(workspace, write(folder, GOOD), **options)
    assert not list((workspace.folder / "lake").iterdir())


def test_a_mapping_is_proposed_and_can_be_kept(workspace: Workspace, folder: Path) -> None:
    path = write(folder, GOOD.replace("user,", "user_id,").replace("time,", "timestamp,"), "web_2024.csv")
    kept = folder / "kept.toml"
    (preview,) = preview_files(workspace, request(path, mapping=None, save_mapping=kept))
    assert not list((workspace.folder / "lake").iterdir())
    assert preview.reasons
    assert preview.mapping == kept.read_text()
    assert (preview.rows, preview.event_count, preview.rejected) == (2, 2, 0)
    assert preview.events.column("name").to_pylist() == ["Product Viewed", "Order Completed"]
    assert bring(workspace, path, mapping=kept).events == 2
    assert bring(workspace, path, mapping=None).unchanged
    named = bring(workspace, path, mapping=None, source="shop", save_mapping=kept, again=True)
    assert named.source == "shop"
    assert 'source = "shop"' in kept.read_text()


def test_a_preview_shows_what_would_be_rejected(workspace: Workspace, folder: Path) -> None:
    rows = "".join(f"e,2024-01-01T00:00:{i:02}Z,u,\n" if i % 3 else f"e,bad{i},u,\n" for i in range(60))
    (preview,) = preview_files(workspace, request(write(folder, "event,time,user,value\n" + rows)))
    assert (preview.event_count, preview.rejected) == (40, 20)
    assert preview.events.num_rows == 10
    assert preview.rejected_by_reason == {"time_unreadable": 20}
    assert [reject.line for reject in preview.rejects] == [2 + 3 * i for i in range(10)]
    assert json.dumps(preview.as_dict(), default=str)
    assert not list((workspace.folder / "lake").iterdir())


ITEMS = """
source = "till"
kind = "pos"
event = { value = "Order Completed" }
timestamp = { column = "day", format = "%d/%m/%Y" }
columns = { order_id = "receipt" }
items = { group_by = ["receipt"], sku = "sku", quantity = "qty", price = { column = "price", decimal = "," } }
"""


def test_scattered_lines_of_orders_come_together(workspace: Workspace, folder: Path) -> None:
    (folder / "m.toml").write_text(ITEMS)
    rows = [(receipt, line) for line in range(5) for receipt in range(300)]
    text = "receipt,day,sku,qty,price\n" + "".join(f'{r},01/02/2024,s{n},1,"1,{n}0"\n' for r, n in rows)
    assert counts(bring(workspace, write(folder, text + "9999,,x,1,1\n"))) == (1501, 300, 0, 1)
    found = events(workspace)
    assert {row["value"] for row in found} == {100 + 110 + 120 + 130 + 140}
    assert all([item["sku"] for item in row["items"]] == ["s0", "s1", "s2", "s3", "s4"] for row in found)
    together = "receipt,day,sku,qty,price\n" + "".join(f'{r},01/02/2024,s{n},1,"1,{n}0"\n' for r, n in sorted(rows))
    assert counts(bring(workspace, write(folder, together, "sorted.csv"))) == (1500, 0, 300, 0)
    assert rejected_rows(workspace).select(["line", "reason"]).to_pylist() == [{"line": 1502, "reason": "time_missing"}]
    (preview,) = preview_files(workspace, request(folder / "file.csv"))
    assert preview.event_count == 300


def test_prepared_rows_keep_their_lines(workspace: Workspace, folder: Path) -> None:
    """The SQL of the docs compares a column of amounts with decimal commas to a number."""
    (folder / "m.toml").write_text(
        MAPPING.replace('value = "value"', 'value = { column = "value", decimal = "," }')
        + '[properties]\nkeep = "*"\n[prepare]\nsql = "select *, upper(event) as loud from file where value <> 0"\n'
    )
    text = "event;time;user;value\na;2024-01-01;u1;0,40\nb;2024-01-01;u1;0,00\nc;;u1;1.234,50\nd;2024-01-02;u2;gratis\n"
    assert counts(bring(workspace, write(folder, text))) == (4, 1, 0, 2)
    (row,) = events(workspace)
    assert (row["name"], row["value"], row["properties"]) == ("a", 40, '{"loud":"A"}')
    assert rejected_rows(workspace).select(["line", "reason"]).to_pylist() == [
        {"line": 4, "reason": "time_missing"},
        {"line": 5, "reason": "amount_unreadable"},
    ]


def test_other_files_are_joined(workspace: Workspace, folder: Path) -> None:
    write(folder, "user,name\nu1,Anna\n", "people.csv")
    (folder / "m.toml").write_text(
        MAPPING
        + "[properties]\nkeep = ['name']\n[prepare]\ntables = { people = 'people.csv' }\n"
        + 'sql = "select file.*, name from file left join people using (user)"\n'
    )
    path = write(folder, GOOD)
    bring(workspace, path)
    assert [row["properties"] for row in events(workspace)] == ['{"name":"Anna"}'] * 2
    write(folder, "user,name\nu1,Annalisa\n", "people.csv")
    with pytest.raises(ImportConflict):
        bring(workspace, path)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "copy file to 'out.csv'",
        "select nothing from file",
        "select * from elsewhere",
        "select cast(user as integer) as user, * exclude (user) from file",
        "select event from file",
    ],
)
def test_sql_that_cannot_be_is_refused(workspace: Workspace, folder: Path, sql: str) -> None:
    (folder / "m.toml").write_text(MAPPING + f'[prepare]\nsql = """{sql}"""\n')
    with pytest.raises(MappingError) as caught:
        bring(workspace, write(folder, GOOD))
    assert "u1" not in caught.value.message
    assert events(workspace) == []


def test_flat_json_lines_can_be_mapped(workspace: Workspace, folder: Path) -> None:
    (folder / "m.toml").write_text(MAPPING.replace('"user"', '"who.id"'))
    lines = [{"event": "a", "time": "2024-01-01", "who": {"id": i}, "value": 1.5} for i in range(3)]
    path = write(folder, "\n".join(map(json.dumps, lines)) + "\nnot json\n", "file.ndjson")
    assert counts(bring(workspace, path)) == (4, 3, 0, 1)
    assert {row["user_id"] for row in events(workspace)} == {"0", "1", "2"}


def test_ad_costs_are_no_events(workspace: Workspace, folder: Path) -> None:
    path = write(
        folder, "day,source,medium,campaign,cost,impressions,clicks\n2024-01-01,google,cpc,brand,12.50,100,7\n"
    )
    report = bring(workspace, path, mapping=None)
    assert (report.format, report.rows, report.events, report.spend_rows) == ("ad-costs", 1, 0, 1)
    assert Lake(workspace.lake).ad_spend().column("cost").to_pylist() == [1250]
    assert bring(workspace, path, mapping=None).unchanged


def test_segment_messages_come_with_their_urls_parameters(workspace: Workspace, folder: Path) -> None:
    message = {
        "messageId": "m1",
        "type": "track",
        "event": "Product Viewed",
        "anonymousId": "a1",
        "timestamp": "2024-01-01T00:00:00Z",
        "context": {"page": {"url": "https://shop.example/?utm_source=google&utm_medium=cpc&gclid=1"}},
    }
    path = write(folder, (json.dumps(message) + "\n") * 2 + '{"type":"track"}\n', "file.ndjson")
    report = bring(workspace, path, mapping=None)
    assert (report.format, report.source, counts(report)) == ("segment", "segment", (3, 1, 1, 1))
    (row,) = events(workspace)
    assert (row["utm_source"], row["utm_medium"], row["click_id"]) == ("google", "cpc", "gclid")


@pytest.mark.parametrize("shape", ["csv", "parquet"])
def test_the_size_of_chunks_does_not_matter(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    text = "event,time,user,value\n" + "".join(f"e,2024-01-01T00:00:{i % 7:02}Z,u{i % 5},{i % 3}\n" for i in range(500))
    write(folder, text, "file.csv")
    if shape == "parquet":
        columns = [line.split(",") for line in text.splitlines()]
        pq.write_table(
            pa.table({name: [row[i] for row in columns[1:]] for i, name in enumerate(columns[0])}),
            folder / "file.parquet",
        )
    path = folder / f"file.{shape}"
    bring(workspace, path)
    before = [{**row, "batch": 0} for row in events(workspace)]
    for module in ("csv_reader", "parquet_reader"):
        monkeypatch.setattr(f"percorso.events.{module}.CHUNK_ROWS", 13)
    bring(workspace, path, replace=True)
    assert [{**row, "batch": 0} for row in events(workspace)] == before


def test_progress_grows_to_the_end(workspace: Workspace, folder: Path) -> None:
    seen: list[tuple[str, float, int]] = []
    path = write(folder, "event,time,user,value\n" + "e,2024-01-01,u,1\n" * 200_000)
    import_files(workspace, request(path), lambda file, done, rows: seen.append((file.name, done, rows)))
    assert [rows for _, _, rows in seen] == sorted({rows for _, _, rows in seen})
    assert seen[-1] == ("file.csv", 1.0, 200_000)


_CELL = st.sampled_from(["", "a", "b"])
_RAW = st.tuples(_CELL, _CELL, st.integers(1, 2), st.sampled_from([None, "m1", "m2"]), st.sampled_from([None, 5]))


@given(st.lists(st.lists(_RAW, max_size=8), max_size=4))
def test_ids_and_places_equal_the_twin(
    chunks: Sequence[Sequence[tuple[str, str, int, str | None, int | None]]],
) -> None:
    finisher = RowFinisher(7)
    rules = IdentifierRules(IdentitySettings(), "IT")
    found: list[tuple[str, int]] = []
    copies = 0
    expected: list[naive.Row] = []
    for rows in chunks:
        table, dropped = finisher.finish(prepare_rows(*_converted(rows), rules=rules))
        assert table.schema.equals(EVENT_SCHEMA)
        copies += dropped
        found += zip(table.column("message_id").to_pylist(), table.column("sequence").to_pylist(), strict=True)
        expected += [
            naive.Row((("x", x or None), ("y", y or None)), nth, own_id, place, (x,), (nth,))
            for x, y, several, own_id, place in rows
            for nth in range(several)
        ]
    assert found == naive.finished(expected)
    assert copies == len(expected) - len(found)


def _converted(rows: Sequence[tuple[str, str, int, str | None, int | None]]) -> tuple[Converted, TableChunk]:
    """Each row gives one or two events whose user is its first cell."""
    spread = [(i, nth, row) for i, row in enumerate(rows) for nth in range(row[2])]
    columns: Mapping[str, Callable[[int, tuple[str, str, int, str | None, int | None]], object]] = {
        "user_id": lambda nth, row: row[0] or None,
        "message_id": lambda nth, row: row[3],
        "sequence": lambda nth, row: row[4],
        "name": lambda nth, row: str(nth),
        "timestamp": lambda nth, row: 0,
        **dict.fromkeys(("source", "source_kind", "type", "id_space", "ref_space"), lambda nth, row: "s"),
    }
    arrays = [
        pa.array([columns[f.name](nth, row) for _, nth, row in spread], f.type)
        if f.name in columns
        else pa.nulls(len(spread), f.type)
        for f in CONVERTED_SCHEMA
    ]
    raw = pa.table({"y": [row[1] or None for row in rows], "x": [row[0] or None for row in rows]})
    raw = raw.cast(pa.schema([("y", pa.string()), ("x", pa.string())]))
    raw_row = pa.array([i for i, _, _ in spread], pa.int64()).to_numpy()
    lines = pa.array(range(len(rows)), pa.int64()).to_numpy()
    return Converted(pa.table(arrays, schema=CONVERTED_SCHEMA), raw_row), TableChunk(raw, lines, str)


def test_a_killed_import_leaves_all_of_a_file_or_none(tmp_path: Path) -> None:
    found = kill_imports(tmp_path, kills=4, rows=150_000)
    assert found["kills"] == 4
    assert found["leftovers"] == 0


@pytest.mark.parametrize(
    ("name", "file", "mapping", "expected"),
    [
        ("retentioneering_simple_shop", "simple-onlineshop.csv.gz", "mapping", (32_283, 32_283)),
        ("retentioneering_ecom", "ecom.csv.gz", "mapping", (31_106, 31_106)),
        ("receipt", "receipt.csv", "mapping", (8_577, 8_577)),
        ("olist_classified_reviews", "olist_classified_public_dataset.csv", "mapping", (3_584, 10_635)),
        ("uci_online_retail_II_2009_2010", "online_retail.parquet", "mapping", (525_461, 28_816)),
        ("completejourney", "campaigns.parquet", "campaigns", (6_589, 6_589)),
        ("completejourney", "coupon_redemptions.parquet", "coupon_redemptions", (2_102, 2_102)),
        ("channelattribution_pathdata", "mta_data.csv.gz", "mapping", (10_000, 397_994)),
    ],
)
def test_real_files_import_with_the_mappings_of_the_examples(
    workspace: Workspace,
    data: Callable[[str], Path],
    name: str,
    file: str,
    mapping: str,
    expected: tuple[int, int],
) -> None:
    examples = Path(__file__).resolve().parents[2] / "examples"
    report = bring(workspace, data(name) / file, mapping=examples / name / f"{mapping}.toml")
    assert counts(report) == (*expected, 0, 0)
