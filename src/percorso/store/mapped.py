"""Files of the lake and the log, mapped into memory: those of an object store by way of their local copy."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from percorso.errors import Corrupt
from percorso.store.files import AnyPath, local_path
from percorso.store.objects import ObjectReader

__all__ = ["damaged_table", "group_rows", "log_table", "mapped", "open_parquet"]

T = TypeVar("T")

#: A copy may make room for others between its being found and its being mapped.
_TRIES = 5


def mapped(path: AnyPath) -> pa.MemoryMappedFile:
    """A file of the log, to read; it stays readable when its name goes.

    Raises
    ------
    FileNotFoundError
    OSError
        It cannot be read, or its copy in the object store is damaged.
    StorageFailed
        The object store cannot be used.
    """
    return _opened(path, lambda local: pa.memory_map(str(local), "r"))


def log_table(folder: AnyPath, name: str) -> pa.RecordBatch:
    """A table of the journey log, mapped into memory.

    Raises
    ------
    Corrupt
        The file is not there, or is no table.
    OSError
        The machine refuses: its disk is full, or the cache's folder cannot be read.
    """
    try:
        with mapped(folder / name) as source:
            return pa.ipc.open_file(source).get_batch(0)
    except (OSError, pa.ArrowInvalid) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):
            raise
        raise damaged_table(name) from error


def damaged_table(name: str) -> Corrupt:
    """What to say of a table of the journey log that is not what it should be."""
    return Corrupt(
        f"The journey log's file {name} cannot be read.",
        hint="Run `percorso build --full`; the events themselves are in the lake.",
    )


def open_parquet(path: AnyPath, *, coded: Sequence[str] = (), in_memory: bool = True) -> pq.ParquetFile:
    """A Parquet file of the lake; the caller closes it.

    Parameters
    ----------
    path : AnyPath
    coded : sequence of str
        Columns that arrive as dictionaries straight from the pages.
    in_memory : bool
        Map it: cheap for a few columns or rows. Otherwise it is read in pieces, which leaves no pages in use.

    Raises
    ------
    FileNotFoundError
    Corrupt
        It is damaged; also when it is read.
    """

    def opened(local: Path) -> pq.ParquetFile:
        with _damage_told(path.name):
            return _LakeParquet(local, path.name, read_dictionary=list(coded), memory_map=in_memory)

    return _opened(path, opened)


def group_rows(path: AnyPath) -> list[int]:
    """Rows of each row group of a Parquet file of the lake; of an object nothing but its end is read.

    Raises
    ------
    FileNotFoundError
    Corrupt
        It is damaged.
    """
    with _damage_told(path.name), pq.ParquetFile(path if isinstance(path, Path) else ObjectReader(path)) as parquet:
        return [parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups)]


class _LakeParquet(pq.ParquetFile):  # type: ignore[misc]  # pyarrow says nothing of its types
    """A Parquet file that says which it is when its bytes are none of Parquet's."""

    def __init__(self, path: Path, name: str, **options: Any) -> None:
        super().__init__(path, **options)
        self._name = name

    def read(self, *told: Any, **options: Any) -> pa.Table:
        with _damage_told(self._name):
            return super().read(*told, **options)

    def read_row_group(self, *told: Any, **options: Any) -> pa.Table:
        with _damage_told(self._name):
            return super().read_row_group(*told, **options)

    def read_row_groups(self, *told: Any, **options: Any) -> pa.Table:
        with _damage_told(self._name):
            return super().read_row_groups(*told, **options)

    def iter_batches(self, *told: Any, **options: Any) -> Iterator[pa.RecordBatch]:
        batches = super().iter_batches(*told, **options)
        while True:
            with _damage_told(self._name):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch


@contextlib.contextmanager
def _damage_told(name: str) -> Iterator[None]:
    """What Arrow says of wrong bytes, as one error; an error of the machine, which has a number, as it is."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Corrupt(
            f"The lake's file {name} cannot be read.", hint="Restore the workspace's lake from a backup."
        ) from error


def _opened(path: AnyPath, opened: Callable[[Path], Any]) -> Any:
    if isinstance(path, Path):
        return opened(path)
    for _ in range(_TRIES - 1):
        try:
            return opened(local_path(path))
        except FileNotFoundError as error:
            if error.filename == str(path):  # it is the object that is not there
                raise
    return opened(local_path(path))
