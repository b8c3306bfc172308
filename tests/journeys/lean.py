"""What makes thousands of builds of tiny worlds cheap for tests: a lake in memory, no threads for a few rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from percorso.engines import ranges
from percorso.identity import scan
from percorso.journeys import lake_rows, work
from tests import lake_builder

__all__ = ["lean_builds"]


@contextmanager
def lean_builds() -> Iterator[None]:
    """Builds do the same work on the same rows, in the calling thread, and lakes written meanwhile stay in memory.

    A thread takes longer to start than a tiny world's rows to work on. Parquet would be written once and decoded twice
    by every build; nothing may change a file of the lake meanwhile.
    """
    lake, threads = _Lake(), pa.cpu_count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lake_builder, "pq", SimpleNamespace(write_table=lake.keep))
        for module in (scan, lake_rows):
            patch.setattr(module, "open_parquet", lake.open)
            patch.setattr(module, "prefetch", iter)
        for module in (ranges, lake_rows, work):
            patch.setattr(module, "ThreadPoolExecutor", _AtOnce)
        pa.set_cpu_count(1)
        try:
            yield
        finally:
            pa.set_cpu_count(threads)


class _Lake:
    """Tables by the path at which they would lie; one that does lie there is read once."""

    def __init__(self) -> None:
        self._tables: dict[Path, pa.Table] = {}
        self._files: dict[tuple[Path, frozenset[str]], _File] = {}

    def keep(self, table: pa.Table, path: Path) -> None:
        self._tables[path] = table

    def open(self, path: Path, *, coded: Sequence[str]) -> _File:
        """As percorso.store.mapped.open_parquet."""
        key = path, frozenset(coded)
        if key not in self._files:
            if path not in self._tables:
                self.keep(pq.read_table(path), path)
            self._files[key] = _File(self._tables[path], key[1])
        return self._files[key]


class _File:
    """A table as a Parquet file of one row group."""

    def __init__(self, table: pa.Table, coded: frozenset[str]) -> None:
        self._table, self._coded = table, coded
        self._batches: dict[tuple[str, ...], list[pa.RecordBatch]] = {}
        self.num_row_groups = 1
        self.metadata = SimpleNamespace(row_group=lambda group: SimpleNamespace(num_rows=table.num_rows))

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def iter_batches(
        self, batch_size: int, *, columns: Sequence[str], row_groups: Sequence[int] = (0,)
    ) -> Iterator[pa.RecordBatch]:
        names = tuple(columns)
        if names not in self._batches:
            found = {name: self._table.column(name).combine_chunks() for name in names}
            found |= {name: found[name].dictionary_encode() for name in self._coded.intersection(names)}
            self._batches[names] = pa.table(found).to_batches(batch_size)
        return iter(self._batches[names])


class _AtOnce:
    """In the place of a pool of threads: whoever hands in a task works it out."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> _AtOnce:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, task: Callable[..., Any], *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(task(*arguments))
        return done

    def map(self, task: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        return iter([task(item) for item in items])
