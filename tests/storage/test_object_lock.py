"""One writer at a time in an object store."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from percorso.errors import Busy, StorageFailed
from percorso.store import object_lock
from percorso.store.lock import exclusive_lock
from percorso.store.objects import ObjectPath
from tests.storage import server as program
from tests.storage.conftest import Server

HOLDS = """
import sys, time
from percorso.store.lock import exclusive_lock
from percorso.store.objects import ObjectPath, ObjectStore
with exclusive_lock(ObjectPath(ObjectStore(sys.argv[1], sys.argv[2], "", True), "a/b/build.lock"), what="build"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def lock(server: Server) -> ObjectPath:
    return server.folder() / "build.lock"


@pytest.fixture
def holder(lock: ObjectPath) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    line = [sys.executable, "-c", HOLDS, lock.store.root, lock.store.endpoint]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_one_holds_it_and_the_next_is_told_who(lock: ObjectPath) -> None:
    with exclusive_lock(lock, what="import") as is_held:
        assert is_held()
        with pytest.raises(Busy, match="import by process") as caught, exclusive_lock(lock, what="x", timeout_s=0.0):
            pass
        assert caught.value.fields["owner"]["what"] == "import"  # type: ignore[index]
    with exclusive_lock(lock, what="build", timeout_s=0.0):
        pass


def test_of_many_at_once_one_is_inside(lock: ObjectPath) -> None:
    inside, most = [], []

    def work() -> None:
        with exclusive_lock(lock, what="build", timeout_s=60.0):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_a_holder_that_works_for_long_renews_it(lock: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_lock, "LEASE_S", 2.0)
    with exclusive_lock(lock, what="build") as is_held:
        time.sleep(4.5)
        assert is_held()
        with pytest.raises(Busy), exclusive_lock(lock, what="import", timeout_s=0.0):
            pass


def test_a_holder_that_died_loses_it(
    lock: ObjectPath, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Busy), exclusive_lock(lock, what="import", timeout_s=0.0):
        pass
    holder.kill()
    holder.wait()
    monkeypatch.setattr(object_lock, "LEASE_S", 2.0)
    time.sleep(3.1)
    with exclusive_lock(lock, what="import", timeout_s=0.0):  # by the store's clock, though we have just come
        pass


def test_who_has_lost_it_is_told_and_takes_it_from_nobody(lock: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_lock, "LEASE_S", 2.0)  # the store tells whole seconds
    with exclusive_lock(lock, what="build") as is_held:
        lock.write_bytes(b'{"what": "import", "pid": 7, "host": "h", "since": "s"}')  # as one who found it over
        time.sleep(1.2)
        assert not is_held()
    with pytest.raises(Busy, match="import by process 7"), exclusive_lock(lock, what="x", timeout_s=0.0):
        pass


def test_a_lock_whose_clock_is_gone_is_not_over(
    lock: ObjectPath, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_ns = ObjectPath.changed_ns

    def gone(path: ObjectPath) -> int:
        if path.name == "build.lock.now":
            path.unlink()  # as somebody may who cleans up
        return changed_ns(path)

    monkeypatch.setattr(ObjectPath, "changed_ns", gone)
    with pytest.raises(Busy, match="build by process"), exclusive_lock(lock, what="import", timeout_s=0.0):
        pass


def test_a_lock_that_is_gone_is_free(
    lock: ObjectPath, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_ns = ObjectPath.changed_ns

    def gone(path: ObjectPath) -> int:
        if path.name == "build.lock":
            path.unlink()
        return changed_ns(path)

    monkeypatch.setattr(ObjectPath, "changed_ns", gone)
    with exclusive_lock(lock, what="import", timeout_s=0.0):
        pass


def test_a_lock_that_is_no_lock_is_taken(lock: ObjectPath) -> None:
    lock.write_bytes(b"\x00no json")
    with exclusive_lock(lock, what="build", timeout_s=0.0):
        pass


@pytest.mark.parametrize("what", ["build", "import"])
@pytest.mark.parametrize("kind", program.IGNORED)
def test_a_store_that_ignores_conditions_is_refused(server: Server, kind: str, what: str) -> None:
    folder = server.folder(server.bucket(kind))
    with pytest.raises(StorageFailed, match="overwrites") as caught, exclusive_lock(folder / "x.lock", what=what):
        pass
    assert "If-None-Match" in caught.value.hint
    assert list(folder.listed()) == []


def test_a_lock_in_a_folder_is_always_held(tmp_path: Any) -> None:
    with exclusive_lock(tmp_path / "build.lock", what="build") as is_held:
        assert is_held()
