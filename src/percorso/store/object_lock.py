"""One writer at a time in an object store: an object that its holder renews, and that others may take when it does not.

The lock is written with conditional puts alone, so of two that want it one gets it. It stays when it is given back,
as a file's lock does. What a holder that was stopped for longer than the lease may still write is harmless:
the manifest is swapped upon the version that was read, and files are named by their content.
"""

from __future__ import annotations

import functools
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from percorso.errors import PercorsoError, StorageFailed
from percorso.language.said import said
from percorso.store.objects import ChangedError, ObjectPath, ObjectStore

__all__ = ["LEASE_S", "PROBE", "check_conditional_put", "held_object"]

#: A holder that has not renewed its lock for so long has lost it.
LEASE_S = 60.0
#: What names of objects begin with that find out whether a store knows conditional puts.
PROBE = "probe-"
_RENEWALS = 4  # in a lease
_POLL_S = 0.5


@dataclass(slots=True)
class _Lease:
    path: ObjectPath
    version: str
    body: dict[str, Any]
    renewed: float = field(default_factory=time.monotonic)
    lost: bool = False
    _end: threading.Event = field(default_factory=threading.Event)

    def renew(self) -> None:
        """Runs in a thread until the lock is given back or lost."""
        while not self._end.wait(LEASE_S / _RENEWALS):
            try:
                self.version = self.path.write_bytes(_encoded(self.body), over=self.version)
                self.renewed = time.monotonic()
            except ChangedError:
                self.lost = True
                return
            except PercorsoError:
                # The store may be back before the lease is over.
                self.lost = time.monotonic() - self.renewed > LEASE_S

    def give_back(self, thread: threading.Thread) -> None:
        self._end.set()
        thread.join()
        # Whoever has taken it keeps it; a store that is gone lets it run out.
        with suppress(ChangedError, PercorsoError):
            self.path.write_bytes(_encoded({}), over=self.version)


@contextmanager
def held_object(
    path: ObjectPath, *, what: str, timeout_s: float, busy: Callable[[dict[str, Any]], Exception]
) -> Iterator[Callable[[], bool]]:
    """Hold the lock at `path` for the length of the block.

    Parameters
    ----------
    path : ObjectPath
    what : str
        What the holder is doing.
    timeout_s : float
        How long to wait for another holder.
    busy : callable
        The error of who cannot wait any longer, made from what the lock says of its holder.

    Yields
    ------
    callable
        Is it held still?

    Raises
    ------
    StorageFailed
        The store does not know conditional puts.
    """
    check_conditional_put(path.parent)
    body = {
        "what": what,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "id": uuid.uuid4().hex,
    }
    lease = _Lease(path, _taken(path, body, time.monotonic() + timeout_s, busy), body)
    renewing = threading.Thread(target=lease.renew, name="percorso-lease", daemon=True)
    renewing.start()
    try:
        yield lambda: not lease.lost and time.monotonic() - lease.renewed < LEASE_S
    finally:
        lease.give_back(renewing)


def _taken(path: ObjectPath, body: dict[str, Any], deadline: float, busy: Callable[[dict[str, Any]], Exception]) -> str:
    """Take the lock; the version it then has."""
    seen = ("", time.monotonic())
    while True:
        owner, version = _read(path)
        if version != seen[0]:
            seen = (version, time.monotonic())
        # By the store's clock where one cannot wait a lease's length, by our own where one has.
        if not owner or time.monotonic() - seen[1] > LEASE_S or _is_over(path):
            with suppress(ChangedError):
                return path.write_bytes(_encoded(body), over=version)
            continue
        if time.monotonic() >= deadline:
            raise busy(owner)
        time.sleep(min(_POLL_S, max(deadline - time.monotonic(), 0.01)))


def _read(path: ObjectPath) -> tuple[dict[str, Any], str]:
    try:
        content, version = path.read_version()
        return json.loads(content or b"{}"), version
    except FileNotFoundError:
        return {}, ""
    except ValueError:
        return {}, version


def _is_over(path: ObjectPath) -> bool:
    """Has the lock not been renewed for a lease's length? Both times are the store's: our clock may be another."""
    now = path.parent / f"{path.name}.now"
    now.write_bytes(b"")
    try:
        told_ns = now.changed_ns()
    except FileNotFoundError:  # somebody cleaned up: that says nothing of the holder
        return False
    try:
        return told_ns - path.changed_ns() > LEASE_S * 1e9
    except FileNotFoundError:
        return True


def _encoded(body: dict[str, Any]) -> bytes:
    # Beside the owner what makes each writing another version: stores name versions by content.
    return json.dumps(body | {"beat": time.time_ns()} if body else {}).encode()


def check_conditional_put(folder: ObjectPath) -> None:
    """Refuse a store that overwrites what must not be overwritten: builds at once would destroy each other's work.

    Raises
    ------
    StorageFailed
    """
    _check_store(folder.store, folder.key)


@functools.lru_cache(maxsize=64)
def _check_store(store: ObjectStore, key: str) -> None:
    probe = ObjectPath(store, key) / f"{PROBE}{uuid.uuid4().hex}"
    try:
        version = probe.write_bytes(b"1", over="")
        _must_refuse(probe, "")
        probe.write_bytes(b"2", over=version)
        _must_refuse(probe, version)
    except ChangedError:
        raise _unconditional(store) from None
    finally:
        with suppress(PercorsoError):
            probe.unlink()


def _must_refuse(probe: ObjectPath, version: str) -> None:
    try:
        probe.write_bytes(b"3", over=version)
    except ChangedError:
        return
    raise _unconditional(probe.store)


def _unconditional(store: ObjectStore) -> StorageFailed:
    return StorageFailed(
        said("errors.storage_unconditional", where=store.endpoint or store.root),
        hint=said("errors.storage_unconditional_hint"),
    )
