"""One write to the lake: a batch number, files that nobody sees yet, and the commit that shows them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.store.delta import LiveFile, commit_files, live_files_of, open_table, partition_folder, prepare_table
from percorso.store.files import AnyPath, listed, read_version, remove, swap_bytes
from percorso.store.lake_tables import EVENTS, IMPORTS, REJECTED, SIDE_TABLES, LakeTable, import_id
from percorso.store.lock import check_held
from percorso.store.mapped import open_parquet
from percorso.store.matching import matching_rows
from percorso.store.parts import Part, PartWriter, copy_rows

__all__ = ["LakeWrite", "Retraction", "begin_write"]

_ATTEMPT = "attempt.json"
_MOST_IMPORT_FILES = 64


@dataclass(frozen=True, slots=True)
class Retraction:
    """What a commit takes back.

    Parameters
    ----------
    removed : list of LiveFile
        Files that leave the table.
    kept : list of (Part, str)
        New files with those of their rows that stay, and their partitions.
    rows : int
        Number of rows taken back.
    transactions : dict
        What is said of earlier imports: app id to version. One that no longer counts gets a version that is not
        its batch.
    lost : set of str
        Sources of which rows of whole imports go and do not come again.
    """

    removed: list[LiveFile] = field(default_factory=list)
    kept: list[tuple[Part, str]] = field(default_factory=list)
    rows: int = 0
    transactions: dict[str, int] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()


def begin_write(lake: AnyPath, schema: pa.Schema, is_held: Callable[[], bool] = lambda: True) -> LakeWrite:
    """Clean up after a writer that died, and take the next batch number. The caller holds the lock.

    `is_held` tells whether it does so still when the write is to count: a lock in an object store may run out.
    """
    attempt = _read_attempt(lake)
    if attempt is not None and attempt["open"]:
        _remove_leftovers(lake, attempt["batch"])
    batch = max(attempt["batch"] if attempt else 0, _last_batch(lake)) + 1
    _write_attempt(lake, batch, is_open=True)
    return LakeWrite(lake, schema, batch, is_held)


class LakeWrite:
    """An open write. Made by `Lake.writing`.

    Attributes
    ----------
    batch : int
        Number of this import, above all earlier ones.
    """

    def __init__(self, lake: AnyPath, schema: pa.Schema, batch: int, is_held: Callable[[], bool]) -> None:
        self._lake = lake
        self._schema = schema
        self._side: dict[str, PartWriter] = {}
        self._writers: list[PartWriter] = []
        self._committed = False
        self._is_held = is_held
        self.batch = batch

    def events(self, source: str) -> PartWriter:
        """Where the events of a source are written, in file order."""
        return self._writer(EVENTS, self._file_schema, source, f"part-{self.batch}")

    def rejected(self) -> PartWriter:
        """Where rows that could not become events are written; columns as in `REJECTED`."""
        return self.side(REJECTED)

    def side(self, table: LakeTable) -> PartWriter:
        """Where rows of a table beside the events are written."""
        if table.name not in self._side:
            assert table.schema is not None
            self._side[table.name] = self._writer(table, table.schema, "", f"part-{self.batch}")
        return self._side[table.name]

    def restart(self) -> None:
        """Forget what was written so far; writers handed out before must not be used any more."""
        for writer in self._writers:
            writer.abandon()
        self._writers, self._side = [], {}

    def without_known(
        self, parts: Sequence[Part], source: str, *, batches: Collection[int] = ()
    ) -> tuple[list[Part], int]:
        """Leave out rows of new files that are in the lake already, to the last byte.

        Only files of the same source whose time range overlaps are read, and of them only the row keys; those of
        the imports `batches`, which are about to go, are not.

        Returns
        -------
        tuple of (list of Part, int)
            Files to commit, and the number of rows left out.
        """
        known = [
            file
            for file in self._live()
            if file.partition == source and _only_batch(file) not in batches and _overlaps_any(file, parts)
        ]
        marks = matching_rows([file.path for file in known], [part.path for part in parts], "row_key")
        kept: list[Part] = []
        for part in parts:
            if part.path in marks:
                kept += self._rewritten(part.path, source, marks[part.path], f"part-{self.batch}")
                remove([part.path])
            else:
                kept.append(part)
        return kept, sum(int(found.sum()) for found in marks.values())

    def retraction(
        self,
        parts: Sequence[Part],
        source: str,
        *,
        batches: Collection[int],
        imports: Iterable[str],
        same_ids: bool = True,
    ) -> Retraction:
        """What must go so that new files replace what was there.

        Parameters
        ----------
        parts : sequence of Part
            The new files.
        source : str
        batches : collection of int
            Earlier imports of the same file; all their rows go.
        imports : iterable of str
            Their ids, see `import_id`.
        same_ids : bool
            Rows of other imports of the source with a message id of the new files go, too.
        """
        live = self._live()
        whole = [file for file in live if _only_batch(file) in batches]
        others = [file for file in live if file.partition == source and _only_batch(file) not in batches]
        rest = others if same_ids else []
        marks = matching_rows([part.path for part in parts], [file.path for file in rest], "message_id")
        touched = [file for file in rest if file.path in marks]
        kept: list[tuple[Part, str]] = []
        for file in touched:
            name = f"part-{_only_batch(file)}-r{self.batch}"
            kept += [(part, source) for part in self._rewritten(file.path, source, marks[file.path], name)]
        rows = sum(file.rows for file in whole) + sum(int(marks[file.path].sum()) for file in touched)
        lost = _not_again(whole, parts, source)
        return Retraction(whole + touched, kept, rows, dict.fromkeys(imports, self.batch), lost)

    def live_rows(self) -> Counter[int]:
        """How many events of each import are in the lake."""
        rows: Counter[int] = Counter()
        for file in self._live():
            rows[_only_batch(file)] += file.rows
        return rows

    def commit(self, record: Mapping[str, object], parts: Sequence[Part], retraction: Retraction | None = None) -> None:
        """Make the import count.

        Parameters
        ----------
        record : mapping
            Its row of the imports table, without the batch.
        parts : sequence of Part
            Files of its events.
        retraction : Retraction, optional

        Raises
        ------
        Busy
            The lock has run out; nothing counts.

        Notes
        -----
        After any other error the import may count: the lake was not heard, or not to the end. `close` looks.
        """
        back = retraction or Retraction()
        source = str(record["source"])
        assert IMPORTS.schema is not None
        self.side(IMPORTS).write(pa.Table.from_pylist([{**record, "batch": self.batch}], schema=IMPORTS.schema))
        for table in SIDE_TABLES:
            self._commit_side(table)
        delta = prepare_table(self._lake, EVENTS, self._schema)
        check_held(self._is_held)
        commit_files(
            self._lake,
            delta,
            EVENTS,
            self._schema,
            added=[*((part, source) for part in parts), *back.kept],
            removed=back.removed,
            transactions={**back.transactions, import_id(source, str(record["content_hash"])): self.batch},
        )
        self._committed = True

    def close(self) -> None:
        """End the write; what was not committed is removed."""
        if not self._committed:
            for writer in self._writers:
                writer.drop_draft()
            # Of finished files only the lake can tell: the answer to a commit may have been lost on its way.
            _remove_leftovers(self._lake, self.batch)
        elif self._is_held():
            _merge_imports(self._lake, self.batch)
        if self._is_held():  # otherwise it is the next writer's
            _write_attempt(self._lake, self.batch, is_open=False)

    @property
    def _file_schema(self) -> pa.Schema:
        return pa.schema([f for f in self._schema if f.name != EVENTS.partition])

    def _live(self) -> list[LiveFile]:
        delta = open_table(self._lake, EVENTS)
        return [] if delta is None else live_files_of(self._lake, delta, EVENTS)

    def _writer(self, table: LakeTable, schema: pa.Schema, partition: str, name: str) -> PartWriter:
        folder = partition_folder(self._lake, table, partition)
        self._writers.append(PartWriter(folder, name, schema, statistics=table.statistics))
        return self._writers[-1]

    def _commit_side(self, table: LakeTable) -> None:
        writer = self._side.get(table.name)
        parts = writer.close() if writer else []
        if parts:
            assert table.schema is not None
            delta = prepare_table(self._lake, table, table.schema)
            check_held(self._is_held)
            commit_files(self._lake, delta, table, table.schema, added=[(part, "") for part in parts])

    def _rewritten(self, path: AnyPath, source: str, gone: npt.NDArray[np.bool_], name: str) -> list[Part]:
        writer = self._writer(EVENTS, self._file_schema, source, name)
        copy_rows(path, ~gone, writer)
        return writer.close()


def _only_batch(file: LiveFile) -> int:
    # A file is written by one import, and rewriting takes rows out of it; none ever holds two batches.
    return file.ranges["batch"][0]


def _not_again(whole: Sequence[LiveFile], parts: Sequence[Part], source: str) -> frozenset[str]:
    """Sources of files that go, with rows of which the new ones have no message id."""
    same = [file for file in whole if file.partition == source]
    marks = matching_rows([part.path for part in parts], [file.path for file in same], "message_id")
    again = {path for path, found in marks.items() if found.all()}
    return frozenset(file.partition for file in whole if file.rows and file.path not in again)


def _overlaps_any(file: LiveFile, parts: Sequence[Part]) -> bool:
    first, last = file.ranges["timestamp"]
    return any(part.ranges["timestamp"][0] <= last and part.ranges["timestamp"][1] >= first for part in parts)


def _last_batch(lake: AnyPath) -> int:
    delta = open_table(lake, IMPORTS)
    files = [] if delta is None else live_files_of(lake, delta, IMPORTS)
    return max((file.ranges["batch"][1] for file in files), default=0)


def _remove_leftovers(lake: AnyPath, batch: int) -> None:
    """Take away every file of a batch that was never committed. A batch that was committed keeps its files."""
    events = open_table(lake, EVENTS)
    live = [] if events is None else live_files_of(lake, events, EVENTS)
    if any(f"part-{batch}-" in file.path.name for file in live) or _was_committed(lake, batch):
        return
    for table in SIDE_TABLES:
        delta = open_table(lake, table)
        stale = [] if delta is None else live_files_of(lake, delta, table)
        stale = [file for file in stale if file.ranges["batch"][0] == batch]
        if delta is not None and stale:
            assert table.schema is not None
            commit_files(lake, delta, table, table.schema, added=[], removed=stale)
    patterns = (f"part-{batch}-*.parquet", f"part-*-r{batch}-*.parquet")
    remove(one.path for one in listed(lake, deep=True) if any(fnmatch(one.path.name, pattern) for pattern in patterns))


def _was_committed(lake: AnyPath, batch: int) -> bool:
    events, imports = open_table(lake, EVENTS), open_table(lake, IMPORTS)
    if events is None or imports is None:
        return False
    files = [f for f in live_files_of(lake, imports, IMPORTS) if f.ranges["batch"][0] <= batch <= f.ranges["batch"][1]]
    rows = [row for file in files for row in _read(file).to_pylist() if row["batch"] == batch]
    return any(events.transaction_version(import_id(row["source"], row["content_hash"])) == batch for row in rows)


def _merge_imports(lake: AnyPath, batch: int) -> None:
    """One file in place of many of one row each: every import reads them all."""
    delta = open_table(lake, IMPORTS)
    files = [] if delta is None else live_files_of(lake, delta, IMPORTS)
    if delta is None or len(files) <= _MOST_IMPORT_FILES:
        return
    assert IMPORTS.schema is not None
    writer = PartWriter(lake / IMPORTS.name, f"merged-{batch}", IMPORTS.schema, statistics=IMPORTS.statistics)
    for file in files:
        writer.write(_read(file))
    added = [(part, "") for part in writer.close()]
    commit_files(lake, delta, IMPORTS, IMPORTS.schema, added=added, removed=files)


def _read(file: LiveFile) -> pa.Table:
    with open_parquet(file.path, in_memory=False) as parquet:
        return parquet.read()


def _read_attempt(lake: AnyPath) -> dict[str, int] | None:
    found = read_version(lake / _ATTEMPT)
    try:
        attempt = json.loads(found[0] if found else b"{}")
        return {"batch": int(attempt["batch"]), "open": int(attempt["open"])}
    except (ValueError, KeyError, TypeError):
        return None


def _write_attempt(lake: AnyPath, batch: int, *, is_open: bool) -> None:
    swap_bytes(lake / _ATTEMPT, json.dumps({"batch": batch, "open": int(is_open)}).encode())
