"""The first pass of a build: rows of new files of the lake become numbers in the row files.

Reads the identifying columns once; what is new on them gets its number in the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.prefetch import prefetch
from percorso.events.aliases import canonical_name
from percorso.events.event import STRONG_COLUMNS, WEAK_COLUMNS
from percorso.events.trust import is_client, order_trust
from percorso.identity.identifiers import WORKSPACE_WIDE
from percorso.identity.rows import (
    MISSING,
    OWNING_REFERENCES,
    PLAIN_REFERENCES,
    ROW_COLUMNS,
    SKEW_LIMIT_US,
    SKEWED,
    SPARSE_COLUMNS,
    RowFiles,
)
from percorso.identity.tables import IdentifierTable, ReferenceTable, SetTable
from percorso.store.columns import as_strings, hash_column, null_mask, string_buffers
from percorso.store.lake import LakeFile
from percorso.store.mapped import open_parquet
from percorso.store.row_keys import column_tag

__all__ = ["BATCH_ROWS", "CODED_SCAN", "RowScanner", "message_keys", "read_batches"]

#: Rows worked on at a time: large enough to amortise Python, small enough for the cache.
BATCH_ROWS = 131_072
_SIGNED_OUT = "Signed Out"
_ORDER = "Order Completed"

_COLUMNS = (
    "row_key",
    "message_id",
    "type",
    "name",
    "source_kind",
    "timestamp",
    "received_at",
    "sent_at",
    "sequence",
    "id_space",
    "ref_space",
    "previous_id",
    "other_ids",
    *WEAK_COLUMNS,
    *OWNING_REFERENCES,
    *PLAIN_REFERENCES,
)
#: Of these read as dictionaries.
CODED_SCAN = ("type", "name", "source_kind", "id_space", "ref_space")


def message_keys(source: str, ids: pa.StringArray) -> npt.NDArray[np.uint64]:
    """Hashes of a source and of message ids of it, as in the column `key`; uint64, shape (n, 2)."""
    key = np.full((len(ids), 2), np.uint64(column_tag(source)), dtype=np.uint64)
    return hash_column(ids, tag=1, state=key)


def read_batches(
    files: Sequence[LakeFile], columns: Sequence[str], *, coded: Sequence[str] = ()
) -> Iterator[tuple[LakeFile, pa.RecordBatch]]:
    """The lake's rows in the order of its files, in batches of at most BATCH_ROWS.

    Columns named in `coded` arrive as dictionaries straight from the Parquet pages.
    """
    for file in files:
        with open_parquet(file.path, coded=coded) as parquet:
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=list(columns)):
                yield file, batch


@dataclass(slots=True)
class RowScanner:
    """Appends rows of the lake to the row files, and what is new on them to the tables.

    Attributes
    ----------
    kinds : tuple of str
        Types of strong identifiers by falling priority.
    aliases : mapping
        The workspace's own event names; they decide what a ``Signed Out`` and an order is.
    coupons : callable
        Is a coupon (text) of a kind that is given to one person?
    pairs : list
        (row, strong code, strong code) of alias messages that a trusted source sent.
    """

    kinds: tuple[str, ...]
    aliases: Mapping[str, str]
    coupons: Callable[[str], bool]
    strong: IdentifierTable
    weak: IdentifierTable
    sets: SetTable
    references: ReferenceTable
    pairs: list[tuple[int, int, int]]

    def scan(
        self, rows: RowFiles, files: Sequence[LakeFile], progress: Callable[[int], None] = lambda rows: None
    ) -> RowFiles:
        """Append all rows of some files, in the order given; the row files as they are then.

        What stands in the files beyond `rows.n_rows` was left by a build that failed, and goes.
        """
        sources = list(dict.fromkeys([*rows.sources, *(file.source for file in files)]))
        code = {name: number for number, name in enumerate(sources)}
        with _Sinks(rows) as sinks:
            for file, batch in prefetch(read_batches(files, self.columns(), coded=CODED_SCAN)):
                sinks.write_text(batch)
                arrays = self.arrays(file, batch, code[file.source], sinks.n_rows)
                sinks.write(arrays, batch.num_rows)
                progress(batch.num_rows)
            return RowFiles(rows.folder, sinks.n_rows, tuple(sources), sinks.sparse)

    def columns(self) -> list[str]:
        """What is read of the lake."""
        return [*_COLUMNS, *(kind for kind in self.kinds if kind in STRONG_COLUMNS)]

    def arrays(
        self, file: LakeFile, batch: pa.RecordBatch, source: int, first_row: int
    ) -> dict[str, npt.NDArray[Any] | None]:
        """ROW_COLUMNS and SPARSE_COLUMNS of some rows of a file; what is new on them goes to the tables.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            `columns`, those of CODED_SCAN as dictionaries.
        source : int
            Code of the file's source.
        first_row : int
            Number of the first row among those that are scanned.
        """
        n = batch.num_rows
        key = message_keys(file.source, as_strings(batch.column("message_id")))
        received, sent = micros(batch.column("received_at")), micros(batch.column("sent_at"))
        missing = (received == MISSING) | (sent == MISSING)
        skew = np.where(missing, MISSING, received - np.where(missing, 0, sent))
        kinds, kind_code = _coded(batch.column("source_kind"))
        client = np.array([is_client(kind) for kind in kinds], dtype=np.uint8)[kind_code]
        row_key = batch.column("row_key")
        words = np.frombuffer(row_key.buffers()[1], dtype=np.uint64).reshape(-1, 2)
        return {
            "key": key,
            "row_key": words[row_key.offset : row_key.offset + n],
            "stamp": micros(batch.column("timestamp")),
            "received": received,
            "skew": skew,
            SKEWED: ~missing & (np.abs(skew) > SKEW_LIMIT_US),
            "sequence": batch.column("sequence").to_numpy(zero_copy_only=False),
            "source": np.full(n, source, dtype=np.int16),
            "trust": np.array([order_trust(kind) for kind in kinds], dtype=np.int8)[kind_code],
            "client": client,
            **self._named(batch, kinds, kind_code),
            **self._identifiers(batch, client, first_row),
            **self._references(batch, file.source),
        }

    def _named(self, batch: pa.RecordBatch, kinds: list[str], kind_code: npt.NDArray[Any]) -> dict[str, Any]:
        """Which rows end a log-in, and which are orders."""
        names, name_code = _coded(batch.column("name"))
        types, type_code = _coded(batch.column("type"))
        called = [[canonical_name(name, self.aliases, source_kind=kind) for kind in kinds] for name in names]
        table = np.array(called, dtype=object).reshape(len(names), len(kinds))
        is_track = np.array([kind == "track" for kind in types], dtype=np.bool_)[type_code]
        return {
            "signed_out": (table == _SIGNED_OUT)[name_code, kind_code],
            "is_order": (table == _ORDER)[name_code, kind_code] & is_track,
        }

    def _identifiers(self, batch: pa.RecordBatch, client: npt.NDArray[np.uint8], first_row: int) -> dict[str, Any]:
        n = batch.num_rows
        # A row for each type by priority; a former user id, of an alias message, stands after the present one.
        strong = np.full((len(self.kinds) + 1, n), -1, dtype=np.int32)
        weak = {kind: np.full(n, -1, dtype=np.int32) for kind in WEAK_COLUMNS}
        spaces, space_code = _coded(batch.column("id_space"))
        for number in np.unique(space_code):
            inside = space_code == number
            space = spaces[int(number)]
            for rank, kind in enumerate(self.kinds):
                if kind in STRONG_COLUMNS and batch.column(kind).null_count < n:
                    own_space = "" if kind in WORKSPACE_WIDE else space
                    codes = self.strong.codes(kind, own_space, as_strings(batch.column(kind)), inside)
                    strong[rank + (rank > 0)] = np.maximum(strong[rank + (rank > 0)], codes)
            self._own_types(batch.column("other_ids"), space, inside, strong)
            former = self._former(batch, space, inside)
            if former is not None:
                trusted = np.flatnonzero((former >= 0) & (strong[0] >= 0) & (strong[0] != former) & (client == 0))
                self.pairs += [(first_row + row, int(strong[0, row]), int(former[row])) for row in trusted.tolist()]
                strong[1] = np.maximum(strong[1], np.where((client == 1) & (strong[0] >= 0), former, -1))
            for kind, found in weak.items():
                if batch.column(kind).null_count < n:
                    codes = self.weak.codes(kind, space, as_strings(batch.column(kind)), inside)
                    np.maximum(found, codes, out=found)
        return {"sset": self.sets.codes(strong), "anonymous": weak["anonymous_id"], "device": weak["device_id"]}

    def _former(self, batch: pa.RecordBatch, space: str, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32] | None:
        """The user id that an alias message says to be another's."""
        column = batch.column("previous_id")
        if column.null_count == len(column):
            return None
        types, type_code = _coded(batch.column("type"))
        wanted = inside & np.array([kind == "alias" for kind in types], dtype=np.bool_)[type_code]
        return self.strong.codes("user_id", space, as_strings(column), wanted)

    def _own_types(
        self, column: pa.Array, space: str, inside: npt.NDArray[np.bool_], strong: npt.NDArray[np.int32]
    ) -> None:
        """Fill in the identifiers of the workspace's own types."""
        own = [(rank + 1, kind) for rank, kind in enumerate(self.kinds) if kind not in STRONG_COLUMNS]
        if not own or column.null_count == len(column):
            return
        texts = as_strings(column)
        wanted = np.flatnonzero(inside & (null_mask(texts) == 0))
        told = [msgspec.json.decode(text) for text in texts.take(pa.array(wanted)).to_pylist()]
        every = np.ones(len(wanted), dtype=np.bool_)
        for rank, kind in own:
            values = pa.array([None if row.get(kind) is None else str(row[kind]) for row in told], pa.string())
            strong[rank, wanted] = self.strong.codes(kind, space, values, every)

    def _references(self, batch: pa.RecordBatch, source: str) -> dict[str, npt.NDArray[Any] | None]:
        """Sparse columns: None where no row of the batch has a value."""
        every = (*OWNING_REFERENCES, *PLAIN_REFERENCES)
        out: dict[str, npt.NDArray[Any] | None] = dict.fromkeys(every)
        present = [name for name in every if batch.column(name).null_count < batch.num_rows]
        if not present:
            return out
        spaces = as_strings(batch.column("ref_space"))
        for name in present:
            values = as_strings(batch.column(name))
            if name == "coupon":
                values = self._personal_coupons(values)
            if name in OWNING_REFERENCES:
                out[name] = self.references.codes(name, spaces, values) + np.int32(1)
            else:
                # A session id is its sender's own: sources of one reference space do not share it.
                tag = column_tag(source if name == "session_id" else name)
                hashed = hash_column(values, tag=tag, state=hash_column(spaces, tag=2))[:, 0].view(np.int64)
                out[name] = np.where(null_mask(values) == 1, np.int64(0), hashed | np.int64(1))
        return out

    def _personal_coupons(self, values: pa.StringArray) -> pa.StringArray:
        coded = values.dictionary_encode()
        kept = [text if text is not None and self.coupons(text) else None for text in coded.dictionary.to_pylist()]
        return pa.array(kept, pa.string()).take(coded.indices)


class _Sinks:
    """The files that rows are appended to."""

    def __init__(self, rows: RowFiles) -> None:
        self._rows = rows
        self._files: dict[str, IO[bytes]] = {}
        self._stack = ExitStack()
        self.n_rows = rows.n_rows
        self._text_end = int(rows.text()[0][-1]) if rows.n_rows else 0

    @property
    def sparse(self) -> frozenset[str]:
        return frozenset(name for name in SPARSE_COLUMNS if name in self._files) | self._rows.sparse

    def __enter__(self) -> _Sinks:
        self._rows.folder.mkdir(parents=True, exist_ok=True)
        before = self._rows.n_rows
        for name, (dtype, width) in ROW_COLUMNS.items():
            self._open(name, before * width * np.dtype(dtype).itemsize)
        self._open("text", self._text_end)
        self._open("text_end", 8 * (before + 1) if before else 0)
        if not before:
            self._files["text_end"].write(np.zeros(1, dtype=np.int64).data)
        for name in sorted(self._rows.sparse):
            self._open(name, before * np.dtype(SPARSE_COLUMNS[name]).itemsize)
        return self

    def __exit__(self, *error: object) -> None:
        for name, dtype in SPARSE_COLUMNS.items():
            if name in self._files:  # rows after the last value have none
                self._files[name].truncate(self.n_rows * np.dtype(dtype).itemsize)
        self._stack.close()

    def _open(self, name: str, size: int) -> None:
        path = self._rows.folder / name
        sink = self._stack.enter_context(path.open("r+b" if path.exists() else "w+b"))
        sink.truncate(size)
        sink.seek(size)
        self._files[name] = sink

    def write(self, arrays: Mapping[str, npt.NDArray[Any] | None], n_rows: int) -> None:
        for name, (dtype, _) in ROW_COLUMNS.items():
            self._files[name].write(np.ascontiguousarray(arrays[name], dtype=dtype).data)
        for name, dtype in SPARSE_COLUMNS.items():
            values = arrays[name]
            if values is None or not values.any():
                continue
            if name not in self._files:
                self._open(name, 0)
            self._files[name].seek(self.n_rows * np.dtype(dtype).itemsize)
            self._files[name].write(np.ascontiguousarray(values, dtype=dtype).data)
        self.n_rows += n_rows

    def write_text(self, batch: pa.RecordBatch) -> None:
        offsets, data = string_buffers(as_strings(batch.column("message_id")))
        ends = offsets[1:].astype(np.int64) - int(offsets[0]) + self._text_end
        self._files["text"].write(data[offsets[0] : offsets[-1]].data)
        self._files["text_end"].write(ends.data)
        self._text_end = int(ends[-1]) if len(ends) else self._text_end


def _coded(column: pa.DictionaryArray) -> tuple[list[str], npt.NDArray[Any]]:
    """Values of a coded column without nulls, and the code of each row."""
    return column.dictionary.to_pylist(), column.indices.to_numpy(zero_copy_only=False)


def micros(column: pa.Array) -> npt.NDArray[np.int64]:
    """A timestamp column as µs since 1970, MISSING where null."""
    plain = column.cast(pa.int64())
    if plain.null_count:
        plain = plain.fill_null(int(MISSING))
    return plain.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
