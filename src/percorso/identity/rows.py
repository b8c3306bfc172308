"""The first pass of a build: what deciding about rows needs, one array a column, on disk.

Reads the identifying columns of the lake once and writes them as plain arrays into a scratch folder, so
that deduplication, clock correction and identity work on memory-mapped numbers: memory grows with the
distinct identifiers, not with the events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from percorso.engines.prefetch import prefetch
from percorso.events.aliases import canonical_name
from percorso.events.event import STRONG_COLUMNS, WEAK_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.kernels.interning import KeyTable
from percorso.store.columns import as_strings, hash_column, null_mask, string_buffers, whole
from percorso.store.lake import LakeFile
from percorso.store.row_keys import column_tag

__all__ = ["BATCH_ROWS", "MISSING", "IdentifierTable", "RowFiles", "read_batches", "scan_rows"]

#: Rows worked on at a time: large enough to amortise Python, small enough for the cache.
BATCH_ROWS = 131_072
MISSING = np.iinfo(np.int64).max
_SIGNED_OUT = "Signed Out"

#: Column -> dtype and width of the row files.
ROW_COLUMNS: dict[str, tuple[Any, int]] = {
    "key": (np.uint64, 2),  # hash of (source, message id)
    "row_key": (np.uint64, 2),
    "time": (np.int64, 1),
    "received": (np.int64, 1),
    "skew": (np.int64, 1),  # received_at - sent_at, MISSING where one is
    "sequence": (np.int64, 1),
    "source": (np.int16, 1),  # rank of the source's name
    "strong": (np.int32, 1),  # code of the best strong identifier, -1 none
    "anonymous": (np.int32, 1),
    "device": (np.int32, 1),
    "signed_out": (np.uint8, 1),
}

#: Columns that placing fills in, beside those that are read.
PLACED_COLUMNS: dict[str, tuple[Any, int]] = {
    "keep": (np.uint8, 1),
    "future": (np.uint8, 1),
    "chosen": (np.int32, 1),
    "owner": (np.int32, 1),
    "sign_out": (np.int64, 1),
    "rule": (np.uint8, 1),
    "person": (np.int32, 1),
}

_CHUNK_ROWS = 1 << 22

_COLUMNS = (
    "row_key",
    "message_id",
    "name",
    "timestamp",
    "received_at",
    "sent_at",
    "sequence",
    "id_space",
    *STRONG_COLUMNS,
    *WEAK_COLUMNS,
    "other_ids",
)


class IdentifierTable:
    """Identifiers to codes; knows the text that makes each one's keyed hash.

    Raw values that normalise to the same identifier have the same code; blocked and malformed ones have
    code -1.
    """

    def __init__(self, rules: IdentifierRules) -> None:
        self._rules = rules
        self._raw = KeyTable()
        self._code_of_raw = np.empty(0, dtype=np.int32)
        self._identifiers = KeyTable()
        self._texts: list[pa.StringArray] = []

    def __len__(self) -> int:
        return len(self._identifiers)

    def codes(
        self, kind: str, space: str, values: pa.StringArray, wanted: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int32]:
        """Codes of raw values, int32, shape (n,): -1 where null, not wanted, blocked or malformed."""
        skip = null_mask(values) | ~wanted
        if skip.all():
            return np.full(len(values), -1, dtype=np.int32)
        tag = column_tag(f"{kind}\0{space}")
        raw, firsts = self._raw.codes(hash_column(values, tag=tag), skip.astype(np.uint8))
        if len(firsts):
            self._add(kind, space, tag, values.take(pa.array(firsts)))
        return np.where(raw >= 0, self._code_of_raw[raw], np.int32(-1))

    def _add(self, kind: str, space: str, tag: int, raw: pa.StringArray) -> None:
        normal = self._rules.normalise_many(kind, raw)
        codes, firsts = self._identifiers.codes(hash_column(normal, tag=tag), null_mask(normal))
        before = len(self._code_of_raw)
        grown = np.empty(len(self._raw), dtype=np.int32)
        grown[:before] = self._code_of_raw
        grown[before:] = codes
        self._code_of_raw = grown
        if len(firsts):
            prefix = pa.scalar(f"{kind}\0{space}\0")
            fresh = normal.take(pa.array(firsts))
            self._texts.append(whole(pc.binary_join_element_wise(prefix, fresh, "")))

    def texts(self, codes: npt.NDArray[np.integer[Any]]) -> list[bytes]:
        """``type\\0space\\0value`` of each code, as the keyed hash takes it."""
        # 64-bit offsets: tens of millions of identifiers are more than 2 GiB of text.
        every = pa.chunked_array(self._texts, pa.string()).cast(pa.large_string()).combine_chunks()
        return [text.encode() for text in every.take(pa.array(codes)).to_pylist()]


@dataclass(frozen=True, slots=True)
class RowFiles:
    """Row-aligned arrays in a scratch folder, in the order of the lake's files."""

    folder: Path
    n_rows: int
    sources: tuple[str, ...]  # sorted by bytes; `source` counts into it

    def column(self, name: str) -> npt.NDArray[Any]:
        """A column, memory-mapped and writable; shape (n_rows,) or (n_rows, 2)."""
        dtype, width = (ROW_COLUMNS | PLACED_COLUMNS)[name]
        shape = (self.n_rows,) if width == 1 else (self.n_rows, width)
        if self.n_rows == 0:
            return np.zeros(shape, dtype=dtype)
        mode: Literal["r+", "w+"] = "r+" if (self.folder / name).exists() else "w+"
        return np.memmap(self.folder / name, dtype=dtype, mode=mode, shape=shape)

    def text(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """Offsets (n_rows + 1,) and bytes of the message ids."""
        offsets = np.memmap(self.folder / "text_end", dtype=np.int64, mode="r")
        if offsets[-1] == 0:
            return offsets, np.zeros(0, dtype=np.uint8)
        return offsets, np.memmap(self.folder / "text", dtype=np.uint8, mode="r")

    def chunks(self) -> Iterator[slice]:
        """Slices that cover all rows, so that work on whole columns stays small."""
        for start in range(0, self.n_rows, _CHUNK_ROWS):
            yield slice(start, min(start + _CHUNK_ROWS, self.n_rows))


def read_batches(
    files: Sequence[LakeFile], columns: Sequence[str], *, coded: Sequence[str] = ()
) -> Iterator[tuple[LakeFile, pa.RecordBatch]]:
    """The lake's rows in the order of its files, in batches of at most BATCH_ROWS.

    Columns named in `coded` arrive as dictionaries straight from the Parquet pages.
    """
    for file in files:
        with pq.ParquetFile(file.path, read_dictionary=list(coded), memory_map=True) as parquet:
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=list(columns)):
                yield file, batch


def scan_rows(
    files: Sequence[LakeFile],
    folder: Path,
    rules: IdentifierRules,
    *,
    aliases: Mapping[str, str],
    progress: Callable[[int], None] = lambda rows: None,
) -> tuple[RowFiles, IdentifierTable, IdentifierTable]:
    """Write the row files; returns them with the strong and the weak identifiers seen.

    Parameters
    ----------
    files : sequence of LakeFile
        In a fixed order; rows are numbered through all of them.
    folder : Path
        Scratch, overwritten.
    rules : IdentifierRules
    aliases : mapping
        The workspace's own event names; they decide what a ``Signed Out`` is.
    progress : callable, optional
        Told the number of rows after each batch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = tuple(sorted({file.source for file in files}, key=lambda name: name.encode()))
    rank = {name: number for number, name in enumerate(sources)}
    strong, weak = IdentifierTable(rules), IdentifierTable(rules)
    n_rows = 0
    text_end = 0
    with ExitStack() as stack:
        sinks = {name: stack.enter_context(open(folder / name, "wb")) for name in [*ROW_COLUMNS, "text_end", "text"]}
        coded = ("name", "id_space")
        sinks["text_end"].write(np.zeros(1, dtype=np.int64).data)
        for file, batch in prefetch(read_batches(files, _COLUMNS, coded=coded)):
            arrays = _batch_arrays(file, batch, rank[file.source], strong, weak, aliases)
            text_end = _write_text(sinks, batch, text_end)
            for name, values in arrays.items():
                sinks[name].write(np.ascontiguousarray(values, dtype=ROW_COLUMNS[name][0]).data)
            n_rows += batch.num_rows
            progress(batch.num_rows)
    return RowFiles(folder, n_rows, sources), strong, weak


def _write_text(sinks: Mapping[str, IO[bytes]], batch: pa.RecordBatch, text_end: int) -> int:
    offsets, data = string_buffers(as_strings(batch.column("message_id")))
    ends = offsets[1:].astype(np.int64) - int(offsets[0]) + text_end
    sinks["text"].write(data[offsets[0] : offsets[-1]].data)
    sinks["text_end"].write(ends.data)
    return int(ends[-1]) if len(ends) else text_end


def _batch_arrays(
    file: LakeFile,
    batch: pa.RecordBatch,
    source: int,
    strong: IdentifierTable,
    weak: IdentifierTable,
    aliases: Mapping[str, str],
) -> dict[str, npt.NDArray[Any]]:
    n = batch.num_rows
    key = np.full((n, 2), np.uint64(column_tag(file.source)), dtype=np.uint64)
    hash_column(as_strings(batch.column("message_id")), tag=1, state=key)
    received, sent = micros(batch.column("received_at")), micros(batch.column("sent_at"))
    missing = (received == MISSING) | (sent == MISSING)
    names = batch.column("name")
    is_sign_out = np.array([canonical_name(name, aliases) == _SIGNED_OUT for name in names.dictionary.to_pylist()])
    row_key = batch.column("row_key")
    width = row_key.type.byte_width
    words = np.frombuffer(row_key.buffers()[1], dtype=np.uint64).reshape(-1, 2)
    start = row_key.offset * width // 16
    return {
        "key": key,
        "row_key": words[start : start + n],
        "time": micros(batch.column("timestamp")),
        "received": received,
        "skew": np.where(missing, MISSING, received - np.where(missing, 0, sent)),
        "sequence": batch.column("sequence").to_numpy(zero_copy_only=False),
        "source": np.full(n, source, dtype=np.int16),
        "signed_out": is_sign_out[names.indices.to_numpy(zero_copy_only=False)],
        **_identifier_codes(batch, strong, weak),
    }


def micros(column: pa.Array) -> npt.NDArray[np.int64]:
    """A timestamp column as µs since 1970, MISSING where null."""
    plain = column.cast(pa.int64())
    if plain.null_count:
        plain = plain.fill_null(int(MISSING))
    return plain.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _identifier_codes(
    batch: pa.RecordBatch, strong: IdentifierTable, weak: IdentifierTable
) -> dict[str, npt.NDArray[np.int32]]:
    n = batch.num_rows
    best = np.full(n, -1, dtype=np.int32)
    found = {name: np.full(n, -1, dtype=np.int32) for name in ("anonymous", "device")}
    spaces = batch.column("id_space")
    space_codes = spaces.indices.to_numpy(zero_copy_only=False)
    used = np.unique(space_codes)
    for number in used:
        space = spaces.dictionary[int(number)].as_py()
        inside = np.ones(n, dtype=np.bool_) if len(used) == 1 else space_codes == number
        for kind in STRONG_COLUMNS:
            column = batch.column(kind)
            if column.null_count == n:
                continue
            own_space = "" if kind in ("email", "phone") else space
            codes = strong.codes(kind, own_space, as_strings(column), inside & (best < 0))
            best = np.where(codes >= 0, codes, best)
        own = batch.column("other_ids")
        if own.null_count < n:
            best = _own_codes(as_strings(own), space, inside, best, strong)
        for name, kind in (("anonymous", "anonymous_id"), ("device", "device_id")):
            column = batch.column(kind)
            if column.null_count < n:
                codes = weak.codes(kind, space, as_strings(column), inside)
                found[name] = np.where(codes >= 0, codes, found[name])
    return {"strong": best, **found}


def _own_codes(
    column: pa.StringArray,
    space: str,
    inside: npt.NDArray[np.bool_],
    best: npt.NDArray[np.int32],
    strong: IdentifierTable,
) -> npt.NDArray[np.int32]:
    """`best`, filled in with identifiers of the workspace's own types where nothing better was found."""
    wanted = np.flatnonzero(inside & (best < 0) & (null_mask(column) == 0))
    if not len(wanted):
        return best
    rows = [msgspec.json.decode(text) for text in column.take(pa.array(wanted)).to_pylist()]
    filled = best.copy()
    for kind in sorted({kind for row in rows for kind in row}):
        values = pa.array([str(row[kind]) if row.get(kind) is not None else None for row in rows], pa.string())
        codes = strong.codes(kind, space, values, filled[wanted] < 0)
        filled[wanted] = np.where(codes >= 0, codes, filled[wanted])
    return filled
