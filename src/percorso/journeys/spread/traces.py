"""What a build on a cluster leaves for the next one: where each row of the lake went, a file for each part of the lake.

::

    trace-<hash>.arrow      row (of the part), key, time, person, rule, future, copy of the rows that count

The manifest names them under ``traces``, by file of the lake and its first row group. They hold times, keyed hashes of
persons and half of each message's key. Persons of rows that differ from the trace, then or now, are built anew; texts
move where a row came, went or changed its month.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.exchange import Piece
from percorso.identity.spread.rows import HASH, hash_array, key_words, numbers
from percorso.identity.spread.scan import LakePart
from percorso.identity.state import lake_name
from percorso.journeys.columns import record_batch
from percorso.kernels.interning import KeyTable
from percorso.store.cold import month_of_time
from percorso.store.columns import whole
from percorso.store.files import AnyPath
from percorso.store.log_files import write_table

__all__ = [
    "GONE_SCHEMA",
    "TOUCHED",
    "TOUCHED_SCHEMA",
    "TRACES",
    "Changes",
    "is_nobody",
    "once",
    "owners",
    "touched_groups",
    "trace_changes",
    "trace_key",
    "trace_of",
    "write_trace",
]

TRACES = "traces"
#: Owners that are to be built anew: ids of persons, and months of nobody's rows.
TOUCHED = "touched"
TOUCHED_SCHEMA = pa.schema([("owner", HASH)])
#: Texts that leave a cold table.
GONE_SCHEMA = pa.schema([("key", pa.uint64()), ("month", pa.int64())])

#: The first half of an owner that is a month: no keyed hash begins so.
_NOBODY = np.uint64(2**64 - 1)


def trace_key(part: LakePart) -> str:
    """What the manifest knows a part of the lake by, wherever the workspace is."""
    return f"{lake_name(part.file)}:{part.groups[0]}"


def trace_of(rows: pa.Table, copy: npt.NDArray[np.uint8], first_row: int) -> pa.RecordBatch:
    """The trace of rows of PLACED_SCHEMA, in the order of the lake."""
    words, missing = key_words(rows.column("person"))
    return record_batch(
        {
            "row": numbers(rows, "row") - first_row,
            "key": key_words(rows.column("key"))[0][:, 0].copy(),
            "time": numbers(rows, "time"),
            "person": hash_array(words, missing == 0 if missing.any() else None),
            "rule": numbers(rows, "rule"),
            "future": numbers(rows, "future"),
            "copy": copy,
        }
    )


def write_trace(folder: AnyPath, part: LakePart, trace: pa.RecordBatch, told: int) -> Piece:
    """Write a trace; what the manifest says of it, for the part `told`."""
    name = write_table(folder, "trace", trace)
    return Piece(TRACES, told, pa.table({"part": [trace_key(part)], "name": [name]}))


@dataclass(frozen=True, slots=True)
class Changes:
    """How a part of the lake differs from its trace.

    Attributes
    ----------
    touched : pyarrow.Table
        Of TOUCHED_SCHEMA, each once.
    gone : pyarrow.Table
        Of GONE_SCHEMA.
    cold : uint8, shape (n_rows,)
        1: the texts of the row, as it is now, are to be written.
    """

    touched: pa.Table
    gone: pa.Table
    cold: npt.NDArray[np.uint8]


def trace_changes(now: pa.RecordBatch, was: pa.RecordBatch | None) -> Changes:
    """Compare the rows that count now with those of the last build; both in the order of the lake."""
    was = now.slice(0, 0) if was is None else was
    mine, theirs = (side.column("row").to_numpy() for side in (now, was))
    _, at_now, at_was = np.intersect1d(mine, theirs, assume_unique=True, return_indices=True)
    differs = np.zeros(len(at_now), dtype=np.bool_)
    for name in ("key", "time", "rule", "future", "copy"):
        differs |= now.column(name).to_numpy()[at_now] != was.column(name).to_numpy()[at_was]
    differs |= _persons_differ(now.column("person"), was.column("person"), at_now, at_was)
    touched_now, touched_was = (np.ones(len(rows), dtype=np.bool_) for rows in (mine, theirs))
    touched_now[at_now], touched_was[at_was] = differs, differs
    month_now, month_was = (month_of_time(side.column("time").to_numpy()) for side in (now, was))
    stays = month_now[at_now] == month_was[at_was]
    stays &= now.column("key").to_numpy()[at_now] == was.column("key").to_numpy()[at_was]
    cold, gone = (np.ones(len(rows), dtype=np.bool_) for rows in (mine, theirs))
    cold[at_now], gone[at_was] = ~stays, ~stays
    touched = [_touched(now, touched_now), _touched(was, touched_was)]
    leaving = [was.column("key").to_numpy()[gone], month_was[gone].astype(np.int64)]
    return Changes(once(pa.concat_tables(touched)), pa.table(leaving, schema=GONE_SCHEMA), cold.astype(np.uint8))


def _persons_differ(
    now: pa.Array, was: pa.Array, at_now: npt.NDArray[np.intp], at_was: npt.NDArray[np.intp]
) -> npt.NDArray[np.bool_]:
    (mine, missing), (theirs, were_missing) = key_words(now), key_words(was)
    found: npt.NDArray[np.bool_] = (mine[at_now] != theirs[at_was]).any(axis=1)
    found |= missing[at_now] != were_missing[at_was]
    return found


def _touched(rows: pa.RecordBatch, wanted: npt.NDArray[np.bool_]) -> pa.Table:
    """Owners of some rows."""
    some = rows.filter(pa.array(wanted))
    return pa.table([hash_array(owners(some.column("person"), some.column("time")))], schema=TOUCHED_SCHEMA)


def owners(person: pa.Array | pa.ChunkedArray, time: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Whose rows are built together: the id of a person, of nobody's rows the month; uint64, shape (n, 2)."""
    words, missing = key_words(person)
    month = month_of_time(whole(time).to_numpy(zero_copy_only=False)).astype(np.int64).view(np.uint64)
    of_nobody = np.stack([np.full(len(month), _NOBODY, dtype=np.uint64), month], axis=1)
    found: npt.NDArray[np.uint64] = np.where(missing[:, None] == 1, of_nobody, words)
    return found


def once(touched: pa.Table) -> pa.Table:
    """Each owner once."""
    table = KeyTable()
    table.codes(*key_words(touched.column("owner")))
    return pa.table([hash_array(table.keys())], schema=TOUCHED_SCHEMA)


def is_nobody(owner: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Which owners are months of nobody's rows, shape (n,)."""
    found: npt.NDArray[np.bool_] = owner[:, 0] == _NOBODY
    return found


def touched_groups(touched: pa.Table, *, of_nobody: bool) -> npt.NDArray[Any]:
    """As `percorso.journeys.merge.merge_tables` takes them: ids, uint8 (n, 16), or months, int64 (n,)."""
    owner = key_words(touched.column("owner"))[0]
    if of_nobody:
        return np.unique(owner[:, 1].astype(np.int64))
    ids = np.ascontiguousarray(owner).view(np.uint8).reshape(-1, 16)
    return np.unique(ids, axis=0) if len(ids) else ids
