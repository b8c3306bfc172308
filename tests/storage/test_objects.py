"""Paths of an object store, and what is said when it cannot be used."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from percorso.errors import Corrupt, StorageFailed
from percorso.store.delta import open_table
from percorso.store.files import listed, newest_file, publish, purge, read_version, remove, swap_bytes
from percorso.store.lake_tables import EVENTS
from percorso.store.mapped import group_rows
from percorso.store.objects import ChangedError, ObjectPath, ObjectStore
from tests.storage import server as program
from tests.storage.conftest import Server

ANY = ObjectPath(ObjectStore("s3://bucket"), "shop/log")

#: What reaches the store in different ways.
ASKED: list[Callable[[ObjectPath], object]] = [
    lambda path: path.read_bytes(),
    lambda path: path.write_bytes(b"1"),
    lambda path: path.write_bytes(b"1", over=""),
    lambda path: list(path.listed()),
    lambda path: path.unlink(),
    lambda path: open_table(path, EVENTS),
]


def test_a_path_is_joined_and_taken_apart_as_a_folder_is() -> None:
    file = ANY / "events" / "part-1.parquet"
    assert str(file) == "s3://bucket/shop/log/events/part-1.parquet"
    assert (file.name, file.stem, file.parent, file.parts[-2:]) == (
        "part-1.parquet",
        "part-1",
        ANY / "events",
        ("events", "part-1.parquet"),
    )
    assert file.relative_to(ANY) == "events/part-1.parquet"
    with pytest.raises(ValueError, match="is not in"):
        file.relative_to(ANY / "event")


def test_a_path_holds_no_credentials(server: Server) -> None:
    path = server.folder() / "x"
    path.write_bytes(b"1")  # the connection is there now
    told = repr(path) + str(path.store.table_options()) + str(pickle.dumps(path))
    assert program.KEY not in told
    assert program.SECRET not in told
    assert len(pickle.dumps(path)) < 1_000
    assert pickle.loads(pickle.dumps(path)).read_bytes() == b"1"


def test_small_files_are_swapped_only_upon_the_version_that_was_read(server: Server) -> None:
    path = server.folder() / "manifest.json"
    assert read_version(path) is None
    swap_bytes(path, b"1", over="")
    with pytest.raises(ChangedError):
        swap_bytes(path, b"2", over="")
    found = read_version(path)
    assert found is not None
    swap_bytes(path, b"3", over=found[1])
    with pytest.raises(ChangedError):
        swap_bytes(path, b"4", over=found[1])
    remove([path])
    with pytest.raises(ChangedError):
        swap_bytes(path, b"5", over=found[1])
    swap_bytes(path, b"6")
    assert path.read_bytes() == b"6"


def test_a_folder_lists_what_is_in_it_and_not_its_neighbours(server: Server, tmp_path: Path) -> None:
    folder = server.folder()
    (folder.parent / "b2" / "x").write_bytes(b"1")
    names = sorted(f"n{number:03}" for number in range(120))  # of three pages
    for name in names:
        (folder / name).write_bytes(b"1")
    (folder / "inside" / "à b%20c+d").write_bytes(b"22")
    assert [one.path for one in listed(folder)] == [folder / name for name in names]
    deep = [one for one in listed(folder, deep=True) if one.path not in [folder / name for name in names]]
    assert [(one.path, one.size) for one in deep] == [(folder / "inside" / "à b%20c+d", 2)]
    assert (folder / "inside" / "à b%20c+d").read_bytes() == b"22"
    newest = newest_file(folder, "9")
    assert newest is not None
    assert newest.path.name == "n119"
    assert abs(newest.changed_ns / 1e9 - time.time()) < 100
    purge(folder, {"n005", "n006"})
    assert [one.path.name for one in listed(folder, deep=True)] == ["à b%20c+d", "n005", "n006"]
    assert newest_file(folder / "none", ".json") is None


def test_a_large_file_goes_up_in_parts(server: Server, tmp_path: Path) -> None:
    path = server.folder() / "x.parquet"
    draft = tmp_path / "draft"
    draft.write_bytes(bytes(range(256)) * 60_000)
    publish(draft, path)
    assert path.read_bytes() == bytes(range(256)) * 60_000


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_credentials_are_told_and_not_repeated(
    server: Server, asked: Callable[[ObjectPath], object], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "WRONG-CREDENTIAL")
    with pytest.raises(StorageFailed, match="refuses access to s3://shop") as caught:
        asked(server.folder())
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
    told = str(caught.value.as_dict()) + repr(caught.value.__cause__) + repr(caught.value)
    assert all(text not in told for text in ("WRONG-CREDENTIAL", program.KEY, program.SECRET))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("asked", ASKED)
def test_a_bucket_that_is_not_there_is_told(server: Server, asked: Callable[[ObjectPath], object]) -> None:
    with pytest.raises(StorageFailed, match="no bucket s3://never-made") as caught:
        asked(server.folder("never-made"))
    assert "[storage]" in caught.value.hint


@pytest.mark.parametrize("asked", ASKED)
def test_a_server_that_is_gone_is_told_soon(server: Server, asked: Callable[[ObjectPath], object]) -> None:
    folder = server.folder("any")
    gone = ObjectPath(replace(folder.store, endpoint="http://127.0.0.1:9"), folder.key)
    started = time.monotonic()
    with pytest.raises(StorageFailed, match=r"http://127\.0\.0\.1:9 cannot be used \(no answer\)") as caught:
        asked(gone)
    assert "allow_http" in caught.value.hint
    assert time.monotonic() - started < 30


def test_without_the_library_its_name_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore", None)
    with pytest.raises(StorageFailed, match="obstore") as caught:
        server.folder("any").read_bytes()
    assert "percorso[objects]" in caught.value.hint


def test_rows_of_groups_are_read_from_the_end_of_a_file(server: Server, tmp_path: Path) -> None:
    table = pa.table({"text": [str(number) * 40 for number in range(50_000)]})
    pq.write_table(table, tmp_path / "whole.parquet", row_group_size=20_000, compression="none")
    path = server.folder() / "whole.parquet"
    path.upload(tmp_path / "whole.parquet")
    assert group_rows(path) == group_rows(tmp_path / "whole.parquet") == [20_000, 20_000, 10_000]
    with pytest.raises(FileNotFoundError):
        group_rows(server.folder() / "none.parquet")
    path.write_bytes(b"no Parquet")
    with pytest.raises(Corrupt, match=r"whole\.parquet"):
        group_rows(path)
