"""The lake: every event as it came in, in Delta tables that any engine can read.

::

    lake/events/      event rows, partitioned by source
    lake/rejected/    rows of imported files that could not become events
    lake/ad_spend/    cost of advertising by day
    lake/catalogue/   products
    lake/stock/       how much there is of them, by day and store
    lake/imports/     one row an import
    lake/write.lock   who is writing
    lake/attempt.json the last batch number given out

A file's import counts from one commit on: the commit to `events` that carries the app transaction
``import:<source>:<content hash>`` with the batch as its version. What the other tables say of a batch is
written before it and counts only if that transaction is there, so a process killed at any moment leaves
all of a file or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa

from percorso.store.delta import LiveFile, live_files_of, open_table
from percorso.store.files import AnyPath
from percorso.store.lake_erase import LakeEraser
from percorso.store.lake_mark import lake_mark
from percorso.store.lake_tables import (
    AD_SPEND,
    CATALOGUE,
    EVENTS,
    IMPORTS,
    REJECTED,
    STOCK,
    LakeTable,
    import_id,
    incomplete_id,
)
from percorso.store.lake_write import LakeWrite, begin_write
from percorso.store.lock import exclusive_lock
from percorso.store.mapped import open_parquet
from percorso.store.row_keys import row_keys

__all__ = ["ImportRecord", "Lake", "LakeFile"]


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A Parquet file of events. Its column `source` is not in it but here.

    Parameters
    ----------
    path : AnyPath
        Absolute.
    rows : int
    source : str
    min_time_us, max_time_us : int
        Least and greatest `timestamp`, microseconds UTC.
    min_batch, max_batch : int
    """

    path: AnyPath
    rows: int
    source: str
    min_time_us: int
    max_time_us: int
    min_batch: int
    max_batch: int


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One import that counts.

    `incomplete`: rows that its file shared with another one may have gone with a replacement of that other one.
    """

    batch: int
    file: str
    content_hash: str
    mapping_hash: str
    format: str
    source: str
    rows: int
    events: int
    duplicates: int
    rejected: int
    imported_at: datetime
    incomplete: bool = False


class Lake:
    """Reads the lake, and opens it for writing.

    Parameters
    ----------
    folder : AnyPath
        ``lake/`` of a workspace; need not exist yet.
    """

    def __init__(self, folder: AnyPath) -> None:
        self._folder = folder.absolute()

    def version(self) -> int:
        """Version of the events table; it grows with every import. -1: there are no events yet."""
        delta = open_table(self._folder, EVENTS)
        return -1 if delta is None or delta.version() == 0 else int(delta.version())

    def mark(self) -> str:
        """See :func:`percorso.store.lake_mark.lake_mark`."""
        return lake_mark(self._folder)

    def live_files(self) -> list[LakeFile]:
        """The Parquet files of all events that count, by source and path."""
        delta = open_table(self._folder, EVENTS)
        if delta is None:
            return []
        return [
            LakeFile(file.path, file.rows, file.partition, *file.ranges["timestamp"], *file.ranges["batch"])
            for file in live_files_of(self._folder, delta, EVENTS)
        ]

    def batches(self) -> tuple[int, ...]:
        """Batch numbers of all imports that count, in rising order."""
        return tuple(record.batch for record in self.imports())

    def imports(self) -> list[ImportRecord]:
        """All imports that count, in the order in which they were made."""
        events = open_table(self._folder, EVENTS)
        if events is None:
            return []
        records = [ImportRecord(**row) for row in self._rows(IMPORTS).to_pylist()]
        version = events.transaction_version
        counted = [r for r in records if version(import_id(r.source, r.content_hash)) == r.batch]
        marked = [
            replace(r, incomplete=True) if version(incomplete_id(r.source, r.content_hash)) == r.batch else r
            for r in counted
        ]
        return sorted(marked, key=lambda record: record.batch)

    def rejected(self) -> pa.Table:
        """Rejected rows of all imports that count, by batch and line; columns as in `REJECTED`."""
        return self._counted_rows(REJECTED).sort_by([("batch", "ascending"), ("line", "ascending")])

    def rejected_reasons(self) -> pa.Table:
        """`batch` and `reason` of the rejected rows of all imports that count: the rows themselves may be large."""
        return self._counted_rows(REJECTED, ("batch", "reason"))

    def ad_spend(self) -> pa.Table:
        """Ad spend of all imports that count, by day and batch; columns as in `AD_SPEND`.

        Exports overlap: of a day and campaign that several imports of a source have, the last one counts.
        """
        key = ("source", "day", "utm_source", "utm_medium", "channel", "campaign")
        return _latest(self._counted_rows(AD_SPEND), key).sort_by([("day", "ascending"), ("batch", "ascending")])

    def catalogue(self) -> pa.Table:
        """The newest row of each product of all imports that count, by product; columns as in `CATALOGUE`.

        Events name products without saying whose they are, so a product is one in all sources. Of several rows in one
        file the last counts.
        """
        return _newest(self._counted_rows(CATALOGUE), ("product_id",)).sort_by("product_id")

    def stock(self) -> pa.Table:
        """The newest row of each day, store and product, by day, product and store; columns as in `STOCK`."""
        rows = _newest(self._counted_rows(STOCK), ("day", "store", "product_id"))
        return rows.sort_by([(name, "ascending") for name in ("day", "product_id", "store")])

    @contextmanager
    def writing(self, schema: pa.Schema, *, timeout_s: float = 30.0) -> Iterator[LakeWrite]:
        """Hold the write lock and a new batch number for the length of the block.

        Without a commit inside the block, nothing that was written counts, and it is removed.

        Parameters
        ----------
        schema : pyarrow.Schema
            Columns of the events table.

        Raises
        ------
        Busy
            Somebody else is writing.
        """
        with exclusive_lock(self._folder / "write.lock", what="import", timeout_s=timeout_s) as held:
            write = begin_write(self._folder, schema, held)
            try:
                yield write
            finally:
                write.close()

    @contextmanager
    def erasing(self, schema: pa.Schema, *, timeout_s: float = 30.0) -> Iterator[LakeEraser]:
        """Hold the write lock for the length of the block, to take rows out for good.

        Parameters
        ----------
        schema : pyarrow.Schema
            Columns of the events table.

        Raises
        ------
        Busy
            Somebody else is writing.
        """
        with exclusive_lock(self._folder / "write.lock", what="erasure", timeout_s=timeout_s) as held:
            begin_write(self._folder, schema, held).close()  # cleans up after a writer that died
            yield LakeEraser(self._folder, schema, frozenset(self.batches()), held)

    def _counted_rows(self, table: LakeTable, columns: Sequence[str] | None = None) -> pa.Table:
        batches = set(self.batches())
        return self._rows(table, batches, columns)

    def _rows(
        self, table: LakeTable, batches: set[int] | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        assert table.schema is not None
        schema = table.schema if columns is None else pa.schema([table.schema.field(name) for name in columns])
        delta = open_table(self._folder, table)
        files = [] if delta is None else live_files_of(self._folder, delta, table)
        tables = [
            _read(file, columns).cast(schema) for file in files if batches is None or file.ranges["batch"][0] in batches
        ]
        return pa.concat_tables(tables) if tables else schema.empty_table()


def _read(file: LiveFile, columns: Sequence[str] | None) -> pa.Table:
    with open_parquet(file.path, in_memory=False) as parquet:
        return parquet.read(None if columns is None else list(columns))


def _latest(rows: pa.Table, key: Sequence[str]) -> pa.Table:
    """Rows of the last batch that has their key: an export may have several of one key, which add up."""
    keys = row_keys(rows, key)
    _, of_row = np.unique(keys, axis=0, return_inverse=True)
    last = np.zeros(len(keys), np.int64)
    batches = rows.column("batch").to_numpy()
    np.maximum.at(last, of_row.reshape(-1), batches)
    return rows.filter(pa.array(batches == last[of_row.reshape(-1)]))


def _newest(rows: pa.Table, key: Sequence[str]) -> pa.Table:
    """The last row of each key, by batch and place in the file."""
    order = np.argsort(rows.column("batch").to_numpy(), kind="stable")[::-1]
    keys = row_keys(rows, key)[order]
    _, first = np.unique(keys, axis=0, return_index=True)
    return rows.take(pa.array(np.sort(order[first])))
