"""Local copies: checked, bounded, shared."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from percorso.errors import Corrupt, StorageFailed
from percorso.store import mapped as module
from percorso.store.files import local_path, publish, remove
from percorso.store.log_files import write_table
from percorso.store.mapped import log_table, mapped, open_parquet
from percorso.store.object_cache import ObjectCache
from percorso.store.objects import ObjectPath
from tests.storage.conftest import Server


def _table(seed: int, rows: int = 1_000) -> pa.RecordBatch:
    values = np.random.default_rng(seed).integers(0, 1 << 40, rows)
    return pa.RecordBatch.from_arrays([pa.array(values)], ["n"])


def _read(path: ObjectPath) -> list[int]:
    found: list[int] = pa.ipc.open_file(mapped(path)).get_batch(0).column("n").to_pylist()
    return found


def _copies(server: Server) -> set[str]:
    return {path.name for path in server.cache.glob("*/*")}


def _emptied(server: Server) -> None:
    for path in server.cache.glob("*/*"):
        path.unlink()


def test_a_file_is_fetched_once(server: Server) -> None:
    folder = server.folder()
    path = folder / write_table(folder, "events", _table(1))
    assert _copies(server) == {path.name}  # what was written here need not be fetched
    _emptied(server)
    assert _read(path) == _table(1).column("n").to_pylist()
    first = local_path(path).stat()
    path.unlink()
    assert _read(path) == _table(1).column("n").to_pylist()
    assert local_path(path).stat().st_ino == first.st_ino
    assert server.cache.stat().st_mode & 0o077 == 0
    remove([path])
    assert _copies(server) == set()
    with pytest.raises(FileNotFoundError):
        mapped(path)


def test_a_file_that_does_not_go_up_leaves_no_draft(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: ObjectPath, file: Path) -> None:
        raise StorageFailed("The object store cannot be used (no answer).")

    monkeypatch.setattr(ObjectPath, "upload", refused)
    with pytest.raises(StorageFailed, match="no answer"):
        write_table(server.folder(), "events", _table(1))
    assert list((server.cache / "drafts").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE, errno.EACCES])
def test_an_error_of_the_machine_is_no_damage(server: Server, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = server.folder()
    name = write_table(folder, "events", _table(1))

    def refused(cache: ObjectCache, path: ObjectPath) -> Path:
        raise OSError(number, os.strerror(number), str(cache.folder))

    with monkeypatch.context() as patch:
        patch.setattr(ObjectCache, "copy", refused)
        with pytest.raises(OSError, match="Errno") as caught:
            log_table(folder, name)
    assert caught.value.errno == number
    remove([folder / name])
    with pytest.raises(Corrupt, match=name):
        log_table(folder, name)


@pytest.mark.parametrize("damage", ["shorter", "other", "empty"])
def test_a_damaged_copy_is_fetched_again(server: Server, damage: str) -> None:
    folder = server.folder()
    path = folder / write_table(folder, "events", _table(1))
    copy = local_path(path)
    content = copy.read_bytes()
    put = {"shorter": content[:-100], "other": content[:400] + b"x" + content[401:], "empty": b""}[damage]
    copy.write_bytes(put)
    assert _read(path) == _table(1).column("n").to_pylist()
    assert copy.read_bytes() == content
    copy.write_bytes(content)  # written to, and as it was
    assert local_path(path).read_bytes() == content


def test_a_damaged_object_is_not_used(server: Server) -> None:
    folder = server.folder()
    path = folder / write_table(folder, "events", _table(1))
    _emptied(server)
    path.write_bytes(b"x" * 1_000)
    with pytest.raises(OSError, match="damaged in the object store"):
        mapped(path)
    assert _copies(server) == set()


def test_longest_unused_copies_make_room(server: Server) -> None:
    small = replace(server, cache_bytes=32_000)  # of three files, and a bit of room
    folder = small.folder()
    names = [write_table(folder, "events", _table(seed)) for seed in range(3)]
    assert _copies(server) == set(names)
    kept_open = mapped(folder / names[1])
    for name in (names[2], names[0]):
        _read(folder / name)
    names.append(write_table(folder, "events", _table(3)))
    assert _copies(server) == {names[0], names[2], names[3]}
    assert pa.ipc.open_file(kept_open).get_batch(0).num_rows == 1_000  # who has it mapped keeps it
    for seed in range(4, 10):
        write_table(folder, "events", _table(seed))
        assert sum(path.stat().st_size for path in server.cache.glob("*/*")) <= 32_000
    assert _read(folder / names[1]) == _table(1).column("n").to_pylist()
    large = write_table(folder, "events", _table(1, rows=50_000))
    assert _copies(server) == {large}
    assert len(_read(folder / large)) == 50_000


def test_not_every_copy_that_comes_has_all_others_looked_at(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    own = ObjectCache._fit

    def fit(cache: ObjectCache, size: int, coming: Path) -> int:
        looked.append(size)
        return own(cache, size, coming)

    monkeypatch.setattr(ObjectCache, "_fit", fit)
    folder = replace(server, cache_bytes=500_000).folder()
    for seed in range(120):  # of some nine thousand bytes
        write_table(folder, "events", _table(seed, rows=1_000))
        assert sum(path.stat().st_size for path in server.cache.glob("*/*")) <= 500_000
    assert 2 <= len(looked) < 24


def test_a_copy_that_makes_room_while_it_is_opened_is_fetched_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = server.folder()
    path, takes = folder / write_table(folder, "events", _table(1)), [1, 2]

    def taken_away(one: ObjectPath) -> Path:
        copy = local_path(one)
        if takes:
            takes.pop()
            copy.unlink()
        return copy

    monkeypatch.setattr(module, "local_path", taken_away)
    assert _read(path) == _table(1).column("n").to_pylist()
    assert not takes


def test_a_parquet_file_has_no_content_in_its_name(server: Server, tmp_path: Path) -> None:
    path = server.folder() / "part-1-0815.parquet"
    draft = tmp_path / "draft"
    pq.write_table(pa.table({"a": ["x", "y"]}), draft)
    content = draft.read_bytes()
    publish(draft, path)
    local_path(path).write_bytes(b"no parquet")
    with open_parquet(path, coded=["a"]) as parquet:
        assert parquet.read().column("a").to_pylist() == ["x", "y"]
    assert local_path(path).read_bytes() == content


READS = """
import sys
from pathlib import Path
import pyarrow as pa
from percorso.store.mapped import mapped
from percorso.store.objects import ObjectPath, ObjectStore
store = ObjectStore(sys.argv[1], sys.argv[2], "", True, sys.argv[3], 60_000)
for turn in range(3):
    for name in sys.argv[4:]:
        batch = pa.ipc.open_file(mapped(ObjectPath(store, "a/b") / name)).get_batch(0)
        assert batch.num_rows == 1_000, name
"""


def test_processes_and_threads_share_the_copies(server: Server) -> None:
    folder = server.folder()
    names = [write_table(folder, "events", _table(seed)) for seed in range(12)]  # twice what there is room for
    _emptied(server)
    given = [folder.store.root, server.endpoint, str(server.cache), *names]
    with (
        subprocess.Popen([sys.executable, "-c", READS, *given]) as one,
        subprocess.Popen([sys.executable, "-c", READS, *given[:3], *names[::-1]]) as other,
    ):
        threads = [threading.Thread(target=_read, args=(folder / name,)) for name in names for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (one.wait(60), other.wait(60)) == (0, 0)
    assert not list((server.cache / "drafts").glob("*"))


def test_what_a_dead_process_left_goes(server: Server) -> None:
    folder = server.folder()
    write_table(folder, "events", _table(1))
    left = server.cache / "drafts" / "left"
    left.write_bytes(b"x")
    write_table(folder, "events", _table(2))
    assert left.exists()
    os.utime(left, (time.time(), time.time() - 100_000))
    write_table(folder, "events", _table(3))
    assert not left.exists()


def test_a_cache_that_cannot_be_written_is_told(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    folder = replace(server, cache=tmp_path / "file" / "cache").folder()
    with pytest.raises(StorageFailed, match="cache") as caught:
        write_table(folder, "events", _table(1))
    assert "storage.cache" in caught.value.hint


def test_without_a_setting_copies_go_to_the_users_cache(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PERCORSO_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    folder = server.folder()
    store = replace(folder.store, cache="", region=f"r{os.getpid()}")
    path = ObjectPath(store, "a/b")
    name = write_table(path, "events", _table(1))
    assert list((tmp_path / "home" / "percorso" / "objects").glob(f"*/{name}"))
