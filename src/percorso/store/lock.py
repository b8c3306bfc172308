"""One writer at a time: a lock file that the operating system lets go of when its holder dies.

In an object store, where nobody sees a holder die, its lock runs out: percorso.store.object_lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

from percorso.errors import Busy
from percorso.language.said import said
from percorso.store.files import AnyPath
from percorso.store.object_lock import held_object
from percorso.store.objects import ObjectPath

__all__ = ["check_held", "exclusive_lock"]

_POLL_S = 0.05


@contextmanager
def exclusive_lock(path: AnyPath, *, what: str, timeout_s: float = 30.0) -> Iterator[Callable[[], bool]]:
    """Hold the lock file at `path` for the length of the block.

    The file says who holds it; it stays when the lock is given back, since removing it would let two
    processes hold two files of one name. A process that dies, however it dies, loses the lock.

    Parameters
    ----------
    path : AnyPath
        Lock file; its folder is made if missing.
    what : str
        What the holder is doing, for those who wait: "import", "build".
    timeout_s : float
        How long to wait for another holder.

    Yields
    ------
    callable
        Is it held still? A lock file always is.

    Raises
    ------
    Busy
        Somebody else held it all the while.
    """
    if isinstance(path, ObjectPath):
        with held_object(path, what=what, timeout_s=timeout_s, busy=_busy) as is_held:
            yield is_held
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as stream:
        _acquire(stream, timeout_s)
        try:
            _write_owner(stream, what)
            yield lambda: True
        finally:
            fcntl.flock(stream, fcntl.LOCK_UN)


def check_held(is_held: Callable[[], bool]) -> None:
    """Before something counts or is deleted: with a lock that has run out, the next writer may be at work.

    Raises
    ------
    Busy
        It has run out.
    """
    if not is_held():
        raise Busy(said("errors.busy", who=said("errors.busy_other")), hint=said("errors.busy_hint"))


def _acquire(stream: IO[str], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise _busy(_owner(stream)) from None
        time.sleep(_POLL_S)


def _write_owner(stream: IO[str], what: str) -> None:
    owner = {
        "what": what,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    stream.seek(0)
    stream.truncate()
    json.dump(owner, stream)
    stream.flush()


def _owner(stream: IO[str]) -> Any:
    stream.seek(0)
    try:
        return json.loads(stream.read())
    except ValueError:
        return None


def _busy(owner: Any) -> Busy:
    try:
        who = said(
            "errors.busy_process",
            what=str(owner["what"]),
            process=str(owner["pid"]),
            host=str(owner["host"]),
            since=str(owner["since"]),
        )
    except (KeyError, TypeError):
        owner, who = {}, said("errors.busy_other")
    return Busy(
        said("errors.busy", who=who),
        hint=said("errors.busy_hint"),
        fields={"owner": owner} if owner else None,
    )
