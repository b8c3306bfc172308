"""Local copies of objects: bounded, checked, shared by all processes of a machine.

::

    <cache>/<folder's hash>/<name>   a copy; least recently used ones go first
    <cache>/drafts/                  files on their way, up or down
    <cache>/.lock                    who makes room

A copy is looked into before it gets its name: a file of the log is named by its content. Then it is sealed: its time
of change is set to a fixed one, so that whoever writes to it afterwards shows, and its content is looked into anew.
Its time of access is when it was last used, set by us: file systems keep it loosely.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import re
import tempfile
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import blake3

from percorso.errors import StorageFailed
from percorso.kernels.cache import user_cache_folder
from percorso.language.said import said
from percorso.store.objects import ObjectPath, ObjectStore

__all__ = ["ObjectCache", "cache_of"]

_SEALED_NS = 86_400_000_000_000  # the second day of 1970
_CONTENT_NAME = re.compile(r"-([0-9a-f]{40})\.arrow")
_DRAFTS = "drafts"
_DRAFT_S = 86_400.0  # what a dead process left


@dataclass(frozen=True, slots=True)
class ObjectCache:
    """The copies of a machine.

    Parameters
    ----------
    folder : Path
    most_bytes : int
        What copies may take together; one that is larger takes the place of all others.
    """

    folder: Path
    most_bytes: int

    def copy(self, path: ObjectPath) -> Path:
        """A local copy of an object, fetched where there is none or a damaged one.

        Raises
        ------
        FileNotFoundError
            The store has no such object.
        OSError
            What the store has is damaged.
        """
        copy = self._copy(path)
        with contextlib.suppress(FileNotFoundError):
            told = copy.stat()
            if told.st_mtime_ns == _SEALED_NS or _is_intact(copy):
                _seal(copy)
                return copy
        draft = self.drafts() / f"{path.name}.{os.getpid()}-{threading.get_ident()}"
        try:
            with open(draft, "wb") as stream:
                for piece in path.download():
                    stream.write(piece)
            if not _is_intact(draft, path.name):
                raise OSError(f"{path.name} is damaged in the object store")
            self.keep(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        return copy

    def keep(self, draft: Path, path: ObjectPath) -> None:
        """Make a finished file in the drafts the copy of an object."""
        copy = self._copy(path)
        _make(copy.parent)
        self._make_room(draft.stat().st_size, copy)
        draft.replace(copy)
        with contextlib.suppress(FileNotFoundError):  # it made room for another one already
            _seal(copy)

    def drafts(self) -> Path:
        """A folder for files on their way; exists."""
        return _make(self.folder / _DRAFTS)

    def forget(self, paths: Iterable[ObjectPath]) -> None:
        """Drop the copies of some objects."""
        for path in paths:
            self._copy(path).unlink(missing_ok=True)

    def forget_others(self, folder: ObjectPath, kept: Collection[str]) -> None:
        """Drop the copies of objects right in a folder but for some names."""
        for copy in self._copy(folder / "-").parent.glob("*"):
            if copy.name not in kept:
                copy.unlink(missing_ok=True)

    def _copy(self, path: ObjectPath) -> Path:
        folder = f"{path.store.endpoint}\n{path.parent}"
        return self.folder / hashlib.blake2b(folder.encode(), digest_size=12).hexdigest() / path.name

    def _make_room(self, size: int, coming: Path) -> None:
        """Remove copies, longest unused first, until there is room for one more."""
        with open(self.folder / ".lock", "r+b", opener=_made) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file is closed
            self._drop_drafts()
            # All copies are looked at where they may be too much, which the sum of what came tells: never less than
            # they take, since some have gone.
            sum_ = _number(lock.read()) + size
            if not size < sum_ <= self.most_bytes:
                sum_ = self._fit(size, coming)
            lock.seek(0)
            lock.truncate()
            lock.write(str(sum_).encode())

    def _drop_drafts(self) -> None:
        for path in self.drafts().iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _DRAFT_S:
                    path.unlink()

    def _fit(self, size: int, coming: Path) -> int:
        """What copies take with one that comes, after those that are too much were removed."""
        copies = []
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                told = path.stat()
                if path.parent.name != _DRAFTS:
                    copies.append((told.st_atime_ns, told.st_size, path))
        total = sum(length for _, length, path in copies if path != coming) + size
        # If too much, some more than that go, so that not every copy that comes has all others looked at.
        most = self.most_bytes if total <= self.most_bytes else self.most_bytes * 7 // 8
        for _, length, path in sorted(copies):
            if total <= most:
                break
            if path != coming:
                path.unlink(missing_ok=True)
                total -= length
        return total


def cache_of(store: ObjectStore) -> ObjectCache:
    """The cache that copies of a store go to.

    Raises
    ------
    StorageFailed
        Its folder cannot be written.
    """
    return ObjectCache(_cache_folder(store.cache), store.cache_bytes)


def _cache_folder(given: str) -> Path:
    return _usable(given, os.environ.get("PERCORSO_CACHE"), user_cache_folder())


@functools.lru_cache(maxsize=8)
def _usable(given: str, named: str | None, home: Path | None) -> Path:
    wanted = [Path(given)] if given else [Path(named) / "objects"] if named else [home / "objects"] if home else []
    if not given:
        wanted.append(Path(tempfile.gettempdir()) / f"percorso-objects-{os.getuid()}")
    for folder in wanted:
        with contextlib.suppress(OSError):
            _make(folder)
            if os.access(folder, os.W_OK) and folder.stat().st_uid in (os.getuid(), 0):
                return folder
    raise StorageFailed(
        said("errors.storage_cache", folder=str(wanted[0])), hint=said("errors.storage_cache_hint")
    ) from None


def _made(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o600)


def _number(text: bytes) -> int:
    """0: it has never been written."""
    return int(text) if text.isdigit() else 0


def _make(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # copies are personal data
    return folder


def _is_intact(file: Path, name: str = "") -> bool:
    """Is the content that of its name? Of a name that does not say it: only a sealed copy is trusted."""
    found = _CONTENT_NAME.search(name or file.name)
    if found is None:
        return bool(name)
    hashed = blake3.blake3()
    hashed.update_mmap(file) if file.stat().st_size else None
    return hashed.hexdigest()[:40] == found[1]


def _seal(copy: Path) -> None:
    os.utime(copy, ns=(time.time_ns(), _SEALED_NS))
