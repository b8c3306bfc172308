"""The second pass of a build: rows of the lake, coded and sent to their buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from percorso.engines.prefetch import prefetch
from percorso.identity.placement import NO_COPY, Placement
from percorso.identity.rows import RowFiles
from percorso.identity.scan import BATCH_ROWS
from percorso.identity.state import LakeRange
from percorso.journeys.bucket import MessageIds
from percorso.journeys.coding import CODED_READ, READ_COLUMNS, TEXT_SCHEMA, Coder
from percorso.journeys.cold_tables import ColdShuffle
from percorso.journeys.numbering import Persons
from percorso.journeys.shuffle import Shuffle
from percorso.store.cold import COLD_COLUMNS
from percorso.store.columns import as_strings, string_buffers
from percorso.store.files import AnyPath
from percorso.store.mapped import open_parquet

__all__ = ["LakeRows", "StateColumns", "message_ids", "shuffle_lake"]


@dataclass(frozen=True, slots=True)
class LakeRows:
    """Rows of one file of the lake that a build needs.

    Attributes
    ----------
    path : AnyPath
    range : LakeRange
    wanted : int64, shape (n,), or None
        Rows of the row files, ascending; None: all of the file.
    """

    path: AnyPath
    range: LakeRange
    wanted: npt.NDArray[np.int64] | None = None


def shuffle_lake(
    files: Iterable[LakeRows],
    known: StateColumns,
    persons: Persons,
    coder: Coder,
    shuffle: Shuffle,
    cold: ColdShuffle,
    progress: Callable[[int], None],
) -> None:
    """Code the rows and send each to its bucket and its cold table, while the batch before it is being moved."""

    def move(numbers: dict[str, npt.NDArray[Any]], kept: pa.RecordBatch, texts: pa.RecordBatch) -> None:
        shuffle.add(persons.parts(numbers["person"]), numbers, kept)
        counted = numbers["person"] != NO_COPY
        cold.add(numbers["time"], numbers["key"], texts, counted)

    with ThreadPoolExecutor(1, thread_name_prefix="percorso-shuffle") as mover:
        moving: Future[None] | None = None
        for source, rows, batch in prefetch(_batches(files)):
            numbers = coder.code(batch, source)
            numbers |= known.numbers(rows)
            numbers["person"] = persons.rank(known.units(rows))
            kept = [as_strings(batch.column("traits")), batch.column("items")]
            kept.append(coder.order_keys(batch, numbers["qualifies"]))
            kept.append(coder.details(batch, numbers["event"]))
            texts = [as_strings(batch.column(name)) for name in COLD_COLUMNS]
            if moving is not None:
                moving.result()
            moving = mover.submit(
                move,
                numbers,
                pa.RecordBatch.from_arrays(kept, names=TEXT_SCHEMA.names),
                pa.RecordBatch.from_arrays(texts, names=list(COLD_COLUMNS)),
            )
            progress(batch.num_rows)
        if moving is not None:
            moving.result()


def _batches(files: Iterable[LakeRows]) -> Iterator[tuple[str, Any, pa.RecordBatch]]:
    """Source, rows (a slice, or numbers) and batch."""
    for file in files:
        at = file.range.start
        with open_parquet(file.path, coded=CODED_READ) as parquet:
            groups = range(parquet.num_row_groups) if file.wanted is None else _groups(parquet, file)
            starts = np.cumsum([0] + [parquet.metadata.row_group(g).num_rows for g in range(parquet.num_row_groups)])
            for group in groups:
                at = file.range.start + int(starts[group])
                for batch in parquet.iter_batches(BATCH_ROWS, row_groups=[group], columns=list(READ_COLUMNS)):
                    here = slice(at, at + batch.num_rows)
                    at += batch.num_rows
                    if file.wanted is None:
                        yield file.range.source, here, batch
                        continue
                    first, last = np.searchsorted(file.wanted, (here.start, here.stop))
                    rows = file.wanted[first:last]
                    if len(rows):
                        yield file.range.source, rows, batch.take(pa.array(rows - here.start))


def _groups(parquet: pq.ParquetFile, file: LakeRows) -> list[int]:
    """Row groups with a wanted row."""
    assert file.wanted is not None
    ends = np.cumsum([parquet.metadata.row_group(g).num_rows for g in range(parquet.num_row_groups)])
    at = np.unique(np.searchsorted(ends, file.wanted - file.range.start, side="right"))
    return [int(group) for group in at]


class StateColumns:
    """What the identity state knows of rows for the shuffle's record; columns are opened once."""

    def __init__(self, rows: RowFiles, placement: Placement) -> None:
        self._placement = placement
        self._key = rows.column("key")
        self._source = rows.source_rank()
        self._sequence = rows.column("sequence")
        self._anonymous, self._device = rows.column("anonymous"), rows.column("device")
        names = {"order_ref": "order_id", "cart_ref": "cart_id", "checkout_ref": "checkout_id"}
        names |= {"session_ref": "session_id", "talk": "conversation_id", "ticket": "ticket_id"}
        self._references = {name: rows.reference(column) for name, column in names.items()}

    def units(self, here: Any) -> npt.NDArray[np.int32]:
        """Persons of rows, as the placement numbers them."""
        found: npt.NDArray[np.int32] = self._placement.unit[here]
        return found

    def numbers(self, here: Any) -> dict[str, npt.NDArray[Any]]:
        """Fields of the record; references are 0 where there is none."""
        placed = self._placement
        anonymous = self._anonymous[here]
        nothing = np.zeros(len(anonymous), dtype=np.int64)
        refs = {
            name: nothing if column is None else column[here].astype(np.int64)
            for name, column in self._references.items()
        }
        talk, ticket = refs.pop("talk"), refs.pop("ticket")
        return refs | {
            "conversation": np.where(talk != 0, talk, ticket),
            "row": np.arange(here.start, here.stop) if isinstance(here, slice) else here,
            "key": np.ascontiguousarray(self._key[here, 0]),
            "time": placed.time[here],
            "future": placed.future[here],
            "placing": placed.rule[here],
            "copy": placed.copy[here],
            "device_code": np.where(anonymous >= 0, anonymous, self._device[here]),
            "source": self._source[here],
            "sequence": self._sequence[here],
        }


def message_ids(files: RowFiles) -> MessageIds:
    """Gives message ids of some rows."""
    offsets, text = files.text()
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    every = pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
    return lambda rows: string_buffers(every.take(pa.array(rows)))
