"""Rows that leave the lake for good: out of the tables, out of the Delta log, off the disk.

A removal in Delta only stops listing a file; the file stays, and so do the commits that named it. Here what is
left of a table afterwards is one checkpoint, the newest commit and the files of the current version. Every step may
be cut short and done again: what is gone already is not there to be found. An eraser that was held up until its lock
ran out commits and deletes nothing more, for what it finds may be the next writer's.

No predicate is ever written: rows are told by their row keys, and files are rewritten without them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.store.columns import whole
from percorso.store.delta import LiveFile, commit_files, live_files_of, open_table, partition_folder
from percorso.store.files import AnyPath, listed, remove, sync_file, sync_folder, table_errors
from percorso.store.lake_tables import EVENTS, IMPORTS, REJECTED, SIDE_TABLES, LakeTable
from percorso.store.lock import check_held
from percorso.store.mapped import open_parquet
from percorso.store.parts import Part, PartWriter, copy_rows
from percorso.store.row_keys import KeyCounter, column_tag, keys_as_binary, keys_from_binary

__all__ = ["Cut", "LakeEraser", "LakeErasure", "RejectedRow", "erased_name", "rejected_row"]

_LINE_PATH = re.compile(r"\w+\[(\d+)\]\.(\w+)")

_TABLES = (EVENTS, *SIDE_TABLES)


@dataclass(frozen=True, slots=True, order=True)
class Cut:
    """What is taken out of a row that stays: characters `start` to `end` of a text, or all of it (end -1).

    `column` is a column, or a text of the lines of an order: ``items[2].name``. `put` stands there afterwards: a number
    of JSON cannot just go.
    """

    row_key: bytes
    column: str
    start: int = 0
    end: int = -1
    put: str = ""


@dataclass(frozen=True, slots=True, order=True)
class RejectedRow:
    """Where a rejected row stands: import, file (64 bits of a hash of its name) and line."""

    batch: int
    file: int
    line: int


@dataclass(frozen=True, slots=True)
class LakeErasure:
    """What goes. It holds no personal value.

    Parameters
    ----------
    rows : ndarray of uint64, shape (n, 2)
        Row keys of events.
    cuts : tuple of Cut
        Of events that stay; they get new row keys.
    rejected : frozenset of RejectedRow
        Rejected rows of imports that do not count any more go with them.
    named : frozenset of int
        Imports whose file's name is forgotten, beside those that do not count any more.
    """

    rows: npt.NDArray[np.uint64]
    cuts: tuple[Cut, ...] = ()
    rejected: frozenset[RejectedRow] = field(default_factory=frozenset)
    named: frozenset[int] = field(default_factory=frozenset)


def rejected_row(batch: int, file: str, line: int) -> RejectedRow:
    """Where a rejected row of a file stands."""
    return RejectedRow(batch, column_tag(file), line)


def erased_name(batch: int) -> str:
    """What an import's file is called when its name is forgotten."""
    return f"import-{batch}"


class LakeEraser:
    """Erases from a lake whose write lock is held. Made by `Lake.erasing`.

    Parameters
    ----------
    lake : AnyPath
    schema : pyarrow.Schema
        Columns of the events table.
    counted : frozenset of int
        Imports that count.
    is_held : callable
        Is the lock held still? One in an object store may run out.
    """

    def __init__(self, lake: AnyPath, schema: pa.Schema, counted: frozenset[int], is_held: Callable[[], bool]) -> None:
        self._lake = lake
        self._schema = schema
        self._counted = counted
        self._is_held = is_held

    def erase(self, erasure: LakeErasure, *, keys_of: Callable[[pa.Table], npt.NDArray[np.uint64]]) -> None:
        """Take rows out of all tables; they are on the disk still until `clean`.

        Parameters
        ----------
        erasure : LakeErasure
        keys_of : callable
            The row keys of events, shape (n, 2): of those that lose a part.

        Raises
        ------
        Busy
            The lock has run out; do it all again.
        """
        self._erase_side(IMPORTS, lambda rows: _renamed(rows, erasure.named | self._uncounted(rows)))
        self._erase_side(REJECTED, lambda rows: _renamed(self._without_rejected(rows, erasure.rejected), erasure.named))
        self._erase_events(erasure, keys_of)

    def check_held(self) -> None:
        """Nobody else has written since the lock was taken.

        Raises
        ------
        Busy
        """
        check_held(self._is_held)

    def clean(self) -> None:
        """Leave nothing of what was: neither files that do not count nor commits that named them.

        Raises
        ------
        Busy
            The lock has run out; do it all again.
        """
        for table in _TABLES:
            self._clean_log(table)
            self._clean_files(table)

    def _erase_events(self, erasure: LakeErasure, keys_of: Callable[[pa.Table], npt.NDArray[np.uint64]]) -> None:
        delta = open_table(self._lake, EVENTS)
        if delta is None:
            return
        gone, cut = KeyCounter(len(erasure.rows)), _by_row(erasure.cuts)
        if len(erasure.rows):
            gone.add(erasure.rows)
        changed = KeyCounter(len(cut))
        if cut:
            changed.add(np.frombuffer(b"".join(cut), np.uint64).reshape(-1, 2))
        added: list[tuple[Part, str]] = []
        removed: list[LiveFile] = []
        for file in live_files_of(self._lake, delta, EVENTS):
            keys = _row_keys(file.path)
            leaves, loses = gone.contains(keys), changed.contains(keys)
            if leaves.any() or loses.any():
                change = _Cutting(file.partition, cut, keys_of) if loses.any() else None
                added += [(part, file.partition) for part in self._rewritten(file, ~leaves, change)]
                removed.append(file)
        if removed:
            self.check_held()
            commit_files(self._lake, delta, EVENTS, self._schema, added=added, removed=removed)

    def _rewritten(
        self, file: LiveFile, keep: npt.NDArray[np.bool_], change: Callable[[pa.Table], pa.Table] | None
    ) -> list[Part]:
        schema = pa.schema([f for f in self._schema if f.name != EVENTS.partition])
        folder = partition_folder(self._lake, EVENTS, file.partition)
        # An import tells by the beginning of a file's name which batch it is of.
        writer = PartWriter(folder, f"part-{file.ranges['batch'][0]}-e", schema, statistics=EVENTS.statistics)
        copy_rows(
            file.path, keep, writer, change=lambda rows: _completed(rows if change is None else change(rows), schema)
        )
        return writer.close()

    def _uncounted(self, rows: pa.Table) -> frozenset[int]:
        return frozenset(rows.column("batch").to_pylist()) - self._counted

    def _without_rejected(self, rows: pa.Table, erased: frozenset[RejectedRow]) -> pa.Table:
        columns = [rows.column(name).to_pylist() for name in ("batch", "file", "line")]
        keep = [
            batch in self._counted and rejected_row(batch, file, line) not in erased
            for batch, file, line in zip(*columns, strict=True)
        ]
        return rows.filter(pa.array(keep, pa.bool_()))

    def _erase_side(self, table: LakeTable, change: Callable[[pa.Table], pa.Table]) -> None:
        """Write the files of a side table anew where `change` makes other rows of theirs."""
        delta = open_table(self._lake, table)
        if delta is None:
            return
        assert table.schema is not None
        added: list[tuple[Part, str]] = []
        removed: list[LiveFile] = []
        for file in live_files_of(self._lake, delta, table):
            with open_parquet(file.path, in_memory=False) as parquet:
                rows = parquet.read().cast(table.schema)
            kept = change(rows)
            if kept.equals(rows):
                continue
            name = f"{file.path.name.rpartition('-')[0]}-e"
            writer = PartWriter(self._lake / table.name, name, table.schema, statistics=table.statistics)
            writer.write(kept)
            added += [(part, "") for part in writer.close()]
            removed.append(file)
        if removed:
            self.check_held()
            commit_files(self._lake, delta, table, table.schema, added=added, removed=removed)

    def _clean_log(self, table: LakeTable) -> None:
        """Keep of the Delta log a checkpoint of the newest version and its commit.

        The commit stays because the next one is not made without it (deltalake 1.6), and because its file's time is
        what tells that the table has changed (`Lake.mark`).
        """
        delta = open_table(self._lake, table)
        if delta is None:
            return
        log = self._lake / table.name / "_delta_log"
        name = f"{delta.version():020}"
        kept = {f"{name}.json", f"{name}.checkpoint.parquet", "_last_checkpoint"}
        if {one.path.name for one in listed(log)} == kept:
            return
        with table_errors(log):
            delta.create_checkpoint()
        for each in kept:
            sync_file(log / each)
        sync_folder(log)
        self._remove([one.path for one in listed(log) if one.path.name not in kept])
        sync_folder(log)

    def _clean_files(self, table: LakeTable) -> None:
        """Delete all files that are not of the current version. Not Delta's vacuum, which would make a new commit."""
        delta = open_table(self._lake, table)
        folder = self._lake / table.name
        live = set() if delta is None else {file.path for file in live_files_of(self._lake, delta, table)}
        found = [one.path for one in listed(folder, deep=True) if "_delta_log" not in one.path.parts]
        self._remove([path for path in found if path not in live])

    def _remove(self, paths: Sequence[AnyPath]) -> None:
        # Asked after they were listed: what came since the table was opened is the next writer's.
        self.check_held()
        remove(paths)


@dataclass(frozen=True, slots=True)
class _Cutting:
    """Cuts parts out of the rows of one file."""

    source: str
    cuts: Mapping[bytes, Sequence[Cut]]
    keys_of: Callable[[pa.Table], npt.NDArray[np.uint64]]

    def __call__(self, rows: pa.Table) -> pa.Table:
        binary = rows.column("row_key").to_pylist()
        at = [place for place, key in enumerate(binary) if key in self.cuts]
        if not at:
            return rows
        for name in sorted({_column_of(cut) for place in at for cut in self.cuts[binary[place]]}):
            theirs = {place: [cut for cut in self.cuts[binary[place]] if _column_of(cut) == name] for place in at}
            mine = [place for place in at if theirs[place]]
            column = rows.column(name)
            made = [
                _without(value, theirs[place]) if pa.types.is_string(column.type) else _lines(value, theirs[place])
                for place, value in zip(mine, column.take(pa.array(mine)).to_pylist(), strict=True)
            ]
            rows = _replaced(rows, name, mine, pa.array(made, column.type))
        changed = rows.take(pa.array(at))
        source = pa.repeat(pa.scalar(self.source, pa.string()), len(at))
        keys = self.keys_of(changed.append_column(EVENTS.partition, source))
        return _replaced(rows, "row_key", at, keys_as_binary(keys))


def _by_row(cuts: Sequence[Cut]) -> dict[bytes, list[Cut]]:
    found: dict[bytes, list[Cut]] = {}
    for cut in cuts:
        found.setdefault(cut.row_key, []).append(cut)
    return found


def _column_of(cut: Cut) -> str:
    return cut.column.partition("[")[0]


def _lines(value: list[dict[str, Any]] | None, cuts: Sequence[Cut]) -> list[dict[str, Any]] | None:
    """A list of records without parts of their texts; a cut names a text as ``items[2].name``."""
    if value is None:
        return None
    lines = [dict(line) for line in value]
    for path in sorted({cut.column for cut in cuts}):
        found = _LINE_PATH.fullmatch(path)
        if found and int(found[1]) < len(lines):
            line, mine = lines[int(found[1])], [cut for cut in cuts if cut.column == path]
            line[found[2]] = _without(line[found[2]], mine)
    return lines


def _without(text: str | None, cuts: Sequence[Cut]) -> str | None:
    """The text without its parts; null where nothing is to remain."""
    if text is None or any(cut.end < 0 for cut in cuts):
        return None
    for cut in sorted(cuts, key=lambda cut: -cut.start):
        text = text[: cut.start] + cut.put + text[cut.end :]
    return text


def _replaced(rows: pa.Table, name: str, at: Sequence[int], values: pa.Array) -> pa.Table:
    """The table with other values in some rows of a column."""
    place = rows.schema.get_field_index(name)
    column = whole(rows.column(name))
    # Not `replace_with_mask`, which knows no lists.
    picked = np.arange(len(rows))
    picked[list(at)] = len(rows) + np.arange(len(at))
    made = pa.concat_arrays([column, values.cast(column.type)]).take(pa.array(picked))
    return rows.set_column(place, rows.schema.field(place), made)


def _renamed(rows: pa.Table, named: frozenset[int]) -> pa.Table:
    """Imports and rejected rows without the names of some files."""
    batches = rows.column("batch").to_pylist()
    at = [place for place, batch in enumerate(batches) if batch in named]
    return (
        _replaced(rows, "file", at, pa.array([erased_name(batches[place]) for place in at], pa.string()))
        if at
        else rows
    )


def _completed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows of an older format with the columns they lack."""
    for missing in (one for one in schema if one.name not in rows.schema.names):
        rows = rows.append_column(missing, pa.nulls(len(rows), missing.type))
    return rows


def _row_keys(path: AnyPath) -> npt.NDArray[np.uint64]:
    with open_parquet(path, in_memory=False) as file:
        return keys_from_binary(file.read(columns=["row_key"]).column(0))
