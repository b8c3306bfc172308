"""The second look at the lake, on a cluster: rows coded in the task that reads them, and sent to their bucket.

Codes are a task's own; beside them go the words that they stand for, so that a bucket's task can give its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.exchange import Piece, joined, sliced, split_rows
from percorso.identity.spread.placed import finished_rows
from percorso.identity.spread.rows import HASH, PLACED_SCHEMA, hash_array, key_words, numbers, part_of_keys
from percorso.identity.spread.scan import LakePart, read_part
from percorso.journeys.coding import CODED_READ, READ_COLUMNS, Coder
from percorso.journeys.numbering import buckets_of
from percorso.journeys.shuffle import pack_records, record_type
from percorso.journeys.spread.traces import (
    TOUCHED,
    TOUCHED_SCHEMA,
    is_nobody,
    once,
    owners,
    trace_changes,
    trace_key,
    trace_of,
    write_trace,
)
from percorso.kernels.interning import KeyTable
from percorso.settings import Settings
from percorso.store.cold import COLD_COLUMNS, cold_parts, month_of_time, part_of_key
from percorso.store.columns import as_strings, whole
from percorso.store.files import AnyPath
from percorso.store.mapped import log_table

__all__ = [
    "CODED",
    "COLD",
    "FINISHED",
    "GONE",
    "HELLO",
    "MANY",
    "OWNED",
    "REBUILT",
    "WANTED",
    "CodeSteps",
    "Targets",
    "coded_columns",
]

CODED = "coded"
COLD = "cold"
GONE = "gone"
HELLO = "hello"
FINISHED = "finished"
OWNED = "owned"
WANTED = "wanted"
#: Owners that a bucket is built anew of.
REBUILT = "rebuilt"
#: How many owners a task says are touched.
MANY = "many"

_OWNED_SCHEMA = pa.schema([("owner", HASH), ("row", pa.int64())])
_WANTED_SCHEMA = pa.schema([("row", pa.int64())])

_WORDS_BYTES = 1 << 20

#: Fields of the record that the bucket's task fills in: codes of texts that travel beside it.
LATER = ("row", "person", "device_code", "order_ref", "conversation")


@dataclass(frozen=True, slots=True)
class Targets:
    """Where coded rows go: buckets, that of nobody, then the cold tables, and what is told of all of them.

    Attributes
    ----------
    bits : int
        2^bits buckets.
    """

    bits: int

    @property
    def nobody(self) -> int:
        return int(2**self.bits)

    @property
    def cold(self) -> int:
        """Part of the first cold table."""
        return self.nobody + 1

    @property
    def told(self) -> int:
        """The part that gathers what the manifest says of traces."""
        return self.cold + cold_parts(self.bits)

    @property
    def n_parts(self) -> int:
        return self.told + 1


@dataclass(frozen=True, slots=True)
class CodeSteps:
    """The steps from rows that know their person to coded rows on the way to their buckets; parts are tasks.

    Attributes
    ----------
    tasks : sequence
        What each reads of the lake.
    settings : Settings
    secret : bytes
    targets : Targets
    log : AnyPath
        Where traces are written.
    traces : mapping
        Part of the lake -> trace of the last build; none in a full one.
    n_parts : int
        Parts that owners are dealt into.
    """

    tasks: Sequence[Sequence[LakePart]]
    settings: Settings
    secret: bytes
    targets: Targets
    log: AnyPath
    traces: Mapping[str, str]
    n_parts: int

    def greet(self, task: int) -> Iterator[Piece]:
        """A piece for every task."""
        for number in range(len(self.tasks)):
            yield Piece(HELLO, number, pa.table({"part": [number]}))

    def code_all(self, task: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Every row that counts."""
        rows, copy = finished_rows(pieces)
        for part, here in self._parts(task, numbers(rows, "row")):
            trace = trace_of(rows.slice(*here), copy[slice_of(here)], part.start)
            yield write_trace(self.log, part, trace, self.targets.told)
        every = np.ones(rows.num_rows, dtype=np.bool_)
        yield from self._code(task, rows, copy, every, every)

    def compare(self, task: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """What differs from the last build, and the rows themselves, which come back to this task."""
        rows, copy = finished_rows(pieces)
        cold = np.zeros(rows.num_rows, dtype=np.uint8)
        touched = []
        for part, here in self._parts(task, numbers(rows, "row")):
            trace = trace_of(rows.slice(*here), copy[slice_of(here)], part.start)
            name = self.traces.get(trace_key(part))
            found = trace_changes(trace, None if name is None else log_table(self.log, name))
            cold[slice_of(here)] = found.cold
            touched.append(found.touched)
            yield write_trace(self.log, part, trace, self.targets.told)
            yield from self._leaving(found.gone)
        yield from self._touched(once(pa.concat_tables(touched)))
        owner = owners(rows.column("person"), rows.column("time"))
        asked = pa.table([hash_array(owner), rows.column("row")], schema=_OWNED_SCHEMA)
        yield from split_rows(OWNED, asked, part_of_keys(owner, self.n_parts), self.n_parts)
        yield Piece(FINISHED, task, rows.append_column("copy", pa.array(copy)).append_column("cold", pa.array(cold)))

    def leave(self, names: Sequence[str]) -> Callable[[int], Iterator[Piece]]:
        """What is touched by parts of the lake that are there no more, a trace for each task."""

        def left(task: int) -> Iterator[Piece]:
            was = log_table(self.log, names[task])
            found = trace_changes(was.slice(0, 0), was)
            yield from self._touched(found.touched)
            yield from self._leaving(found.gone)

        return left

    def want(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Rows of touched owners to the tasks that have them, and the owners to their buckets; parts are of owners."""
        pieces = list(pieces)
        touched = once(joined(pieces, TOUCHED, TOUCHED_SCHEMA))
        owned, table = joined(pieces, OWNED, _OWNED_SCHEMA), KeyTable()
        table.codes(*key_words(touched.column("owner")))
        rows = owned.filter(pa.array(table.find(*key_words(owned.column("owner"))) >= 0)).select(["row"])
        starts = np.array([one[0].start for one in self.tasks], dtype=np.int64)
        home = np.searchsorted(starts, numbers(rows, "row"), side="right") - 1
        yield from split_rows(WANTED, rows, home, len(self.tasks))
        owner = key_words(touched.column("owner"))[0]
        bucket = buckets_of(np.ascontiguousarray(owner).view(np.uint8).reshape(-1, 16), self.targets.bits)
        bucket[is_nobody(owner)] = self.targets.nobody
        yield from split_rows(REBUILT, touched, bucket, self.targets.n_parts)

    def code_touched(self, task: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Rows of touched owners, and texts that come in or move."""
        pieces = list(pieces)
        rows = pa.concat_tables([piece.rows for piece in pieces if piece.kind == FINISHED]).sort_by("row")
        cold, copy = numbers(rows, "cold") == 1, numbers(rows, "copy")
        hot = np.isin(numbers(rows, "row"), numbers(joined(pieces, WANTED, _WANTED_SCHEMA), "row"))
        yield from self._code(task, rows.select(PLACED_SCHEMA.names), copy, hot, cold)

    def _touched(self, touched: pa.Table) -> Iterator[Piece]:
        part = part_of_keys(key_words(touched.column("owner"))[0], self.n_parts)
        yield from split_rows(TOUCHED, touched, part, self.n_parts)
        yield Piece(MANY, 0, pa.table({"n": [touched.num_rows]}))

    def _parts(self, task: int, row: npt.NDArray[np.int64]) -> Iterator[tuple[LakePart, tuple[int, int]]]:
        """Parts of a task, and where their rows stand: first and number."""
        for part in self.tasks[task]:
            begin, end = np.searchsorted(row, (part.start, part.start + part.rows)).tolist()
            yield part, (begin, end - begin)

    def _leaving(self, gone: pa.Table) -> Iterator[Piece]:
        part = self.targets.cold + part_of_key(numbers(gone, "key"), cold_parts(self.targets.bits))
        yield from split_rows(GONE, gone, part, self.targets.n_parts)

    def _code(
        self,
        task: int,
        rows: pa.Table,
        copy: npt.NDArray[np.uint8],
        hot: npt.NDArray[np.bool_],
        cold: npt.NDArray[np.bool_],
    ) -> Iterator[Piece]:
        """Coded rows to their buckets, and texts to the cold tables."""
        record = record_type(self.settings.build.coded_properties)
        at = np.flatnonzero(hot | cold)
        rows, copy, hot, cold = rows.take(pa.array(at)), copy[at], hot[at], cold[at]
        row, coder = numbers(rows, "row"), Coder(self.settings, self.secret)
        for part, _ in self._parts(task, row):
            for first, batch in read_part(part, READ_COLUMNS, coded=CODED_READ, wanted=row):
                begin, end = np.searchsorted(row, (first, first + batch.num_rows)).tolist()
                if begin == end:
                    continue
                mine, theirs = (begin + np.flatnonzero(which[begin:end]) for which in (hot, cold))
                here, some = batch.take(pa.array(row[mine] - first)), rows.take(pa.array(mine))
                coded = _coded(here, some, copy[mine], coder, part.file.source, record)
                yield from _to_buckets(coded, some, coder, self.settings, self.targets)
                if len(theirs) != len(mine) or not np.array_equal(mine, theirs):
                    here, some = batch.take(pa.array(row[theirs] - first)), rows.take(pa.array(theirs))
                yield from _to_cold(here, some, self.targets)


def slice_of(here: tuple[int, int]) -> slice:
    """First and number as a slice."""
    return slice(here[0], here[0] + here[1])


def _coded(
    batch: pa.RecordBatch,
    placed: pa.Table,
    copy: npt.NDArray[np.uint8],
    coder: Coder,
    source: str,
    record: np.dtype[Any],
) -> pa.Table:
    """Records as bytes, and beside them what they do not say yet."""
    n = batch.num_rows
    codes = coder.code(batch, source)
    nothing = np.zeros(n, dtype=np.int64)
    fields = codes | {name: numbers(placed, name) for name in ("time", "future", "source", "sequence")}
    fields |= dict.fromkeys(LATER, nothing)
    fields |= {
        "placing": numbers(placed, "rule"),
        "copy": copy,
        "key": key_words(placed.column("key"))[0][:, 0],
        "cart_ref": numbers(placed, "cart_id"),
        "checkout_ref": numbers(placed, "checkout_id"),
        "session_ref": numbers(placed, "session_id"),
    }
    records = pack_records(fields, n, record)
    kind = pa.binary(record.itemsize)
    columns = {
        "record": pa.Array.from_buffers(kind, n, [None, pa.py_buffer(records.view(np.uint8))]),
        "message_id": as_strings(batch.column("message_id")),
        **{name: whole(placed.column(name)) for name in ("person", "identified", "device", "order_id", "conversation")},
        "traits": as_strings(batch.column("traits")),
        "items": batch.column("items"),
        "order_key": coder.order_keys(batch, codes["qualifies"]),
        "details": coder.details(batch, codes["event"]),
    }
    return pa.table(columns)


def coded_columns(coder: Coder) -> dict[str, Any]:
    """Fields of the record that are codes, and their dictionaries."""
    return coder.dictionaries | {f"prop.{name}": dictionary for name, dictionary in coder.properties.items()}


def _to_buckets(
    coded: pa.Table, placed: pa.Table, coder: Coder, settings: Settings, targets: Targets
) -> Iterator[Piece]:
    words, missing = key_words(placed.column("person"))
    bucket = buckets_of(np.ascontiguousarray(words).view(np.uint8).reshape(-1, 16), targets.bits)
    bucket[missing == 1] = targets.nobody
    for piece in split_rows(CODED, coded, bucket, targets.n_parts):
        for small in sliced(piece, _WORDS_BYTES):  # whoever cuts it later would send all its words with each slice
            yield Piece(small.kind, small.part, _with_words(small.rows, coder, settings))


def _with_words(rows: pa.Table, coder: Coder, settings: Settings) -> pa.Table:
    """The rows with the words that their codes stand for, and codes that count into these alone."""
    record = record_type(settings.build.coded_properties)
    records = records_of(rows, record)
    words = {}
    for name, dictionary in coded_columns(coder).items():
        used, codes = np.unique(records[name], return_inverse=True)
        records[name] = codes
        words[name] = [dictionary.texts[code] for code in used.tolist()]
    column = pa.Array.from_buffers(
        pa.binary(record.itemsize), len(records), [None, pa.py_buffer(records.view(np.uint8))]
    )
    return rows.set_column(0, "record", column).replace_schema_metadata({"words": msgspec.json.encode(words)})


def records_of(rows: pa.Table, record: np.dtype[Any]) -> npt.NDArray[Any]:
    """The records of some rows, to be changed; shape (n_rows,)."""
    column = whole(rows.column("record"))
    data = np.frombuffer(column.buffers()[1] or b"", dtype=record)
    return data[column.offset : column.offset + len(column)].copy()


def _to_cold(batch: pa.RecordBatch, placed: pa.Table, targets: Targets) -> Iterator[Piece]:
    key = key_words(placed.column("key"))[0][:, 0]
    columns = {"key": key, "month": month_of_time(numbers(placed, "time")).astype(np.int64)}
    texts = {name: as_strings(batch.column(name)) for name in COLD_COLUMNS}
    part = targets.cold + part_of_key(key, cold_parts(targets.bits))
    yield from split_rows(COLD, pa.table(columns | texts), part, targets.n_parts)
