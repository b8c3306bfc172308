"""Write the cold tables: rows of the lake by month and message key, whoever's they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.ranges import in_parallel
from percorso.journeys.bucket import with_room
from percorso.journeys.columns import record_batch
from percorso.journeys.shuffle import Shuffle
from percorso.store.cold import COLD_COLUMNS, Cold, cold_parts, month_key, month_of_time, one_array, part_of_key
from percorso.store.columns import whole
from percorso.store.files import AnyPath
from percorso.store.log_files import settled, write_table

__all__ = ["ColdFiles", "ColdShuffle", "cold_files", "cold_months"]

_RECORD = np.dtype([("key", np.uint64), ("month", np.int64)])
_SCHEMA = pa.schema([(name, pa.string()) for name in COLD_COLUMNS])

#: Month -> file of each part, as percorso.store.cold.Cold has them.
ColdFiles = dict[str, list[str | None]]


class ColdShuffle:
    """Texts of rows on their way to the cold tables; use as a context manager."""

    def __init__(self, folder: Path, bucket_bits: int) -> None:
        self._n_parts = cold_parts(bucket_bits)
        self._shuffle = Shuffle(folder, self._n_parts, _RECORD, _SCHEMA)
        self._gone: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]] = []

    def __enter__(self) -> ColdShuffle:
        return self

    def __exit__(self, *error: Any) -> None:
        self._shuffle.__exit__(*error)

    def add(
        self,
        time: npt.NDArray[np.int64],
        key: npt.NDArray[np.uint64],
        texts: pa.RecordBatch,
        counted: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Rows that a table has from now on; of those that are not `counted` none."""
        part = part_of_key(key, self._n_parts)
        if counted is not None:
            part = np.where(counted, part, np.int32(-1))
        self._shuffle.add(part, {"key": key, "month": month_of_time(time)}, texts)

    def take_out(self, time: npt.NDArray[np.int64], key: npt.NDArray[np.uint64]) -> None:
        """Rows that stand in a table and leave it."""
        self._gone.append((month_of_time(time), key))

    def write(self, folder: AnyPath, before: Cold | None = None) -> ColdFiles:
        """Write the tables that have other rows than before (all of them where there was nothing before)."""
        gone = self._gone_by_part()

        def of_part(part: int) -> dict[int, str | None]:
            records, texts = self._shuffle.read(part)
            return cold_months(folder, part, records["key"], records["month"], texts, gone[part], before)

        return cold_files(before.files if before else {}, in_parallel(range(self._n_parts), of_part))

    def _gone_by_part(self) -> list[dict[int, npt.NDArray[np.uint64]]]:
        """For each part the keys that leave, by month."""
        found: list[dict[int, npt.NDArray[np.uint64]]] = [{} for _ in range(self._n_parts)]
        if self._gone:
            month, key = (np.concatenate(columns) for columns in zip(*self._gone, strict=True))
            order = np.lexsort((key, month, part_of_key(key, self._n_parts)))
            month, key = month[order], key[order]
            part = part_of_key(key, self._n_parts)
            heads = np.flatnonzero((np.diff(part, prepend=-1) != 0) | (np.diff(month, prepend=-1) != 0))
            for head, keys in zip(heads, np.split(key, heads[1:]), strict=bool(len(heads))):
                found[int(part[head])][int(month[head])] = keys
        return found


def cold_files(before: Mapping[str, Sequence[str | None]], found: Sequence[Mapping[int, str | None]]) -> ColdFiles:
    """The tables of a log, as its manifest has them.

    Parameters
    ----------
    before : mapping
        The tables that the log had.
    found : sequence of mappings
        For each part what `cold_months` gave.
    """
    files = {month: list(names) for month, names in before.items()}
    for part, months in enumerate(found):
        for month, name in months.items():
            files.setdefault(month_key(month), [None] * len(found))[part] = name
    return {month: names for month, names in sorted(files.items()) if any(names)}


def cold_months(
    folder: AnyPath,
    part: int,
    key: npt.NDArray[np.uint64],
    month: npt.NDArray[np.int64],
    texts: pa.Table,
    gone: Mapping[int, npt.NDArray[np.uint64]] | None = None,
    before: Cold | None = None,
) -> dict[int, str | None]:
    """Write the tables of one part whose rows are others than before, and return the file of each such month.

    Parameters
    ----------
    folder : Path
    part : int
    key, month : uint64 and int64, shape (n_rows,)
        Of rows that come in.
    texts : pyarrow.Table
        Their COLD_COLUMNS.
    gone : mapping, optional
        Month -> keys of the rows that leave.
    before : Cold, optional
        The tables that the log has.
    """
    new, gone = _by_month(np.ascontiguousarray(key), np.ascontiguousarray(month), texts), gone or {}
    found: dict[int, str | None] = {}
    for number in sorted(new.keys() | gone.keys()):
        was = before.table(number, part) if before else None
        table = _merged(was, gone.get(number), new.get(number))
        name = f"cold.{month_key(number)}.{part:02x}"
        found[number] = write_table(folder, name, table) if table is not None and table.num_rows else None
    return found


def _by_month(key: npt.NDArray[np.uint64], month: npt.NDArray[np.int64], texts: pa.Table) -> dict[int, pa.RecordBatch]:
    """A table for each month, its rows by key."""
    if not len(key):
        return {}
    order = np.lexsort((key, month))
    months, heads = np.unique(month[order], return_index=True)
    rows = np.split(order, heads[1:])
    columns: list[dict[str, Any]] = [{"key": key[at]} for at in rows]
    for name, column in zip(COLD_COLUMNS, with_room(texts).columns, strict=True):
        together = whole(column)  # one column after the other: a part's texts are its largest piece of memory
        for taken, at in zip(columns, rows, strict=True):
            taken[name] = settled(_taken(together, at))
    return {int(number): record_batch(taken) for number, taken in zip(months, columns, strict=True)}


def _merged(
    old: pa.RecordBatch | None, gone: npt.NDArray[np.uint64] | None, new: pa.RecordBatch | None
) -> pa.RecordBatch | None:
    """Old rows but for those that are gone, and new ones."""
    if old is None:
        return new
    was = old.column("key").to_numpy()
    stays = np.arange(len(was)) if gone is None else np.delete(np.arange(len(was)), _places(was, gone))
    if new is None:
        return _table(was[stays], {name: _taken(old.column(name), stays) for name in COLD_COLUMNS})
    key = np.concatenate([was[stays], new.column("key").to_numpy()])
    order = np.argsort(key, kind="stable")
    at = np.concatenate([stays, len(was) + np.arange(new.num_rows)])[order]
    return _table(
        key[order], {name: _taken(one_array([old.column(name), new.column(name)]), at) for name in COLD_COLUMNS}
    )


def _places(keys: npt.NDArray[np.uint64], gone: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Where keys that leave stand among those of a table, both sorted: a row for each, also of two that are equal."""
    at = np.searchsorted(keys, gone) + np.arange(len(gone)) - np.searchsorted(gone, gone)
    at = at[at < len(keys)]
    return at[np.isin(keys[at], gone)]


def _taken(column: pa.Array, at: npt.NDArray[np.int64]) -> pa.Array:
    """Rows of a column, which is often nothing but nulls."""
    return column.slice(0, len(at)) if column.null_count == len(column) else column.take(pa.array(at))


def _table(key: npt.NDArray[np.uint64], texts: Mapping[str, pa.Array]) -> pa.RecordBatch:
    return record_batch({"key": key, **{name: settled(column) for name, column in texts.items()}})
