"""Files of the lake and the log, mapped into memory: those of an object store by way of their local copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from percorso.store.files import AnyPath, local_path

__all__ = ["mapped", "open_parquet"]

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


def open_parquet(path: AnyPath, *, coded: Sequence[str] = (), in_memory: bool = True) -> pq.ParquetFile:
    """A Parquet file of the lake; the caller closes it.

    Parameters
    ----------
    path : AnyPath
    coded : sequence of str
        Columns that arrive as dictionaries straight from the pages.
    in_memory : bool
        Map it: cheap for a few columns or rows. Otherwise it is read in pieces, which leaves no pages in use.
    """

    def opened(local: Path) -> pq.ParquetFile:
        return pq.ParquetFile(local, read_dictionary=list(coded), memory_map=in_memory)

    return _opened(path, opened)


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
