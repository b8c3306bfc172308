"""Processes of the cluster that tests start: found by their parents, ended by their ids, always within a while."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

__all__ = ["children", "command_of", "descendants", "end", "folder_of", "is_alive", "start", "wait_for"]

T = TypeVar("T")


def start(command: list[str], environment: Mapping[str, str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """A process that writes into `log` and, where Linux can see to it, ends when the tests' process does."""
    if guard := shutil.which("setpriv"):
        command = [guard, "--pdeathsig", "TERM", *command]
    with open(log, "ab") as stream:
        return subprocess.Popen(
            command, env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        )


def wait_for(what: str, ask: Callable[[], T | None], *, seconds: float = 60.0) -> T:
    """What `ask` says once it says something; AssertionError when that takes too long."""
    deadline = time.monotonic() + seconds
    while True:
        found = ask()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} seconds"
        time.sleep(0.1)


def end(pids: Iterable[int], *, patience_s: float = 10.0) -> None:
    """Ask them to end, wait, and end those that have not."""
    left = set(pids)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + patience_s
        while left and time.monotonic() < deadline:
            left = {pid for pid in left if is_alive(pid)}
            time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """A process that has ended and waits for its parent to notice is not."""
    fields = _stat(pid)
    if fields and fields[0] == "Z":
        with contextlib.suppress(ChildProcessError):  # it need not be a child of ours
            os.waitpid(pid, os.WNOHANG)
    return bool(fields) and fields[0] not in "ZX"


def children(parent: int) -> list[int]:
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [pid for pid in pids if (fields := _stat(pid)) and int(fields[1]) == parent]


def descendants(parent: int) -> list[int]:
    own = children(parent)
    return [*own, *(pid for child in own for pid in descendants(child))]


def command_of(pid: int) -> list[str]:
    """The words that the process was started with; none where it is gone."""
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "cmdline").read_text(errors="replace").split("\0")
    return []


def folder_of(pid: int) -> Path | None:
    """Where the process works; None where it is gone."""
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "cwd").readlink()
    return None


def _stat(pid: int) -> list[str]:
    """State, parent, ...: what stands behind the name, which may hold anything."""
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    return []
