"""Files of the lake and the log, in a folder or in an object store: what both can do, said once.

Paths are of `pathlib`, or `ObjectPath`; nothing elsewhere asks which. Read without Arrow: whether a log is up to date
is asked more often than a log is opened.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from percorso.store.object_cache import cache_of
from percorso.store.objects import ChangedError, ObjectPath, delete_objects, object_errors

__all__ = [
    "AnyPath",
    "ChangedError",
    "Listed",
    "drafts_folder",
    "let_go",
    "listed",
    "local_path",
    "make_folder",
    "may_have_files",
    "newest_file",
    "publish",
    "purge",
    "read_version",
    "relative_name",
    "remove",
    "swap_bytes",
    "sync_file",
    "sync_folder",
    "sync_newest",
    "table_errors",
    "table_options",
]

AnyPath = Path | ObjectPath

#: Since when files of a log in an object store are in no manifest: their own times cannot be set.
_LEAVING = "leaving.json"


@dataclass(frozen=True, slots=True)
class Listed:
    """A file in a folder."""

    path: AnyPath
    size: int
    changed_ns: int


def listed(folder: AnyPath, *, deep: bool = False) -> list[Listed]:
    """The files in a folder, or beneath it; none where there is no folder."""
    if isinstance(folder, ObjectPath):
        found = folder.listed()
        return [Listed(one.path, one.size, one.changed_ns) for one in found if deep or one.path.parent == folder]
    files = []
    for path in folder.rglob("*") if deep else folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # another process may remove it meanwhile
            if path.is_file():
                told = path.stat()
                files.append(Listed(path, told.st_size, told.st_mtime_ns))
    return files


def newest_file(folder: AnyPath, suffix: str) -> Listed | None:
    """The file whose name comes last; only this one is looked at."""
    if isinstance(folder, ObjectPath):
        return max((one for one in listed(folder) if one.path.name.endswith(suffix)), key=_by_name, default=None)
    names = list(folder.glob(f"*{suffix}"))
    if not names:
        return None
    told = max(names).stat()
    return Listed(max(names), told.st_size, told.st_mtime_ns)


def _by_name(one: Listed) -> str:
    return one.path.name


def may_have_files(folder: AnyPath) -> bool:
    """False: there is no such folder. A store knows no folders, and is asked for what should be in it."""
    return isinstance(folder, ObjectPath) or folder.is_dir()


def make_folder(folder: AnyPath) -> None:
    """Make the folder where there are folders."""
    if isinstance(folder, Path):
        folder.mkdir(parents=True, exist_ok=True)


def table_options(folder: AnyPath) -> dict[str, str] | None:
    """What deltalake must know of a table's folder, beside its path."""
    return folder.store.table_options() if isinstance(folder, ObjectPath) else None


def local_path(path: AnyPath) -> Path:
    """Where the file can be read: itself, or a copy in the cache, which may go again after a while.

    Raises
    ------
    FileNotFoundError
        A store has no such object. Of a file it shows when it is opened.
    """
    return cache_of(path.store).copy(path) if isinstance(path, ObjectPath) else path


def drafts_folder(folder: AnyPath) -> Path:
    """Where files of a folder are written until they are finished."""
    return cache_of(folder.store).drafts() if isinstance(folder, ObjectPath) else folder


def publish(draft: Path, path: AnyPath) -> None:
    """Give a finished file, which is on the disk, its name: readers see all of it or nothing.

    In place of a file of this name: it may be damaged, and who has it mapped keeps it.
    """
    if isinstance(path, ObjectPath):
        path.upload(draft)
        cache_of(path.store).keep(draft, path)
    elif draft != path:
        draft.replace(path)


def remove(paths: Iterable[AnyPath]) -> None:
    """Delete files, also from the cache; those that are gone already are passed over."""
    objects = []
    for path in paths:
        if isinstance(path, ObjectPath):
            objects.append(path)
            cache_of(path.store).forget([path])
        else:
            path.unlink(missing_ok=True)
    delete_objects(objects)


def read_version(path: AnyPath) -> tuple[bytes, str] | None:
    """A small file, and its version for `swap_bytes`; None where there is none."""
    try:
        if isinstance(path, ObjectPath):
            return path.read_version()
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return content, _local_version(content)


def swap_bytes(path: AnyPath, content: bytes, *, over: str | None = None) -> None:
    """Write a small file atomically: readers see the old one or the new one, and it is on the disk.

    Parameters
    ----------
    path : AnyPath
    content : bytes
    over : str, optional
        The version it must have, "" for none; None: whatever it has.

    Raises
    ------
    ChangedError
        It has another version: somebody else wrote it. In a folder only who holds its lock may write.
    """
    if isinstance(path, ObjectPath):
        path.write_bytes(content, over=over)
        return
    if over is not None:
        before = read_version(path)
        if (before[1] if before else "") != over:
            raise ChangedError(path.name)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with open(partial, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def _local_version(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def sync_file(path: AnyPath) -> None:
    """Bring a file onto the disk; an object is there once the store has taken it."""
    if isinstance(path, Path):
        with path.open("rb") as stream:
            os.fsync(stream.fileno())


def sync_folder(folder: AnyPath) -> None:
    """Make sure that new names in a folder survive a power cut."""
    if isinstance(folder, Path):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_newest(folder: AnyPath, suffix: str) -> None:
    """Bring the file whose name comes last, and its name, onto the disk."""
    newest = newest_file(folder, suffix) if isinstance(folder, Path) else None
    if newest is not None:
        sync_file(newest.path)
        sync_folder(folder)


def relative_name(path: AnyPath, folder: AnyPath) -> str:
    """The path from a folder that it is in, of the same kind, on."""
    if isinstance(path, ObjectPath):
        assert isinstance(folder, ObjectPath)
        return path.relative_to(folder)
    return str(path.relative_to(str(folder)))


@contextlib.contextmanager
def table_errors(folder: AnyPath) -> Iterator[None]:
    """Turn what deltalake says of an object store into one clear error."""
    with object_errors(folder) if isinstance(folder, ObjectPath) else contextlib.nullcontext():
        yield


def let_go(folder: AnyPath, names: Collection[str], there: Collection[str]) -> dict[str, float]:
    """Say that files are in use no more: they wait from now on to be deleted.

    Parameters
    ----------
    folder : AnyPath
        A log's; the caller holds its lock.
    names : collection of str
        Files that were in use until now.
    there : collection of str
        Files of the folder that are not in use.

    Returns
    -------
    dict of str to float
        Since when files wait, in seconds since 1970, where the time that was listed of them does not say it.
    """
    now = time.time()
    if isinstance(folder, ObjectPath):
        before = read_version(folder / _LEAVING)
        found: dict[str, float] = json.loads(before[0]) if before else {}
        found = {name: found.get(name, now) for name in there if name in found or name in names}
        if names or before:
            swap_bytes(folder / _LEAVING, json.dumps(found, sort_keys=True).encode())
        return found
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            os.utime(folder / name)
    return dict.fromkeys(names, now)  # who listed the folder before has their earlier times


def purge(folder: AnyPath, kept: Collection[str], *, beginnings: tuple[str, ...] = ()) -> None:
    """Delete all files of a folder but some, also from the cache.

    Parameters
    ----------
    folder : AnyPath
    kept : collection of str
        Names of files that stay.
    beginnings : tuple of str
        What names of others that stay begin with.
    """
    names = [(one.path, one.path.name) for one in listed(folder)]
    remove(path for path, name in names if name not in kept and not name.startswith(beginnings))
    if isinstance(folder, ObjectPath):
        cache_of(folder.store).forget_others(folder, kept)
