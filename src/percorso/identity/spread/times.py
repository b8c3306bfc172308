"""Copies of messages, and the clocks of devices: the rows that count, at their time (identity/copies.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.engines.exchange import Piece, Step, joined, split_rows
from percorso.identity.clocks import is_corrected
from percorso.identity.copies import find_skews, keep_one_copy, place_in_time
from percorso.identity.rows import MISSING
from percorso.identity.spread.rows import (
    ROW_SCHEMA,
    TIMED_SCHEMA,
    codes_of_texts,
    hash_array,
    key_words,
    numbers,
    part_of_keys,
    part_of_texts,
    row_files,
    with_columns,
)
from percorso.identity.spread.scan import ROWS
from percorso.kernels.interning import KeyTable
from percorso.kernels.rows import add_to_sets
from percorso.store.columns import whole

__all__ = ["CLOCKS", "CLOCKS_SCHEMA", "COUNTED", "SETS", "SET_SCHEMA", "drop_copies", "place_times"]

#: What steps hand on: rows at their time, sets of identifiers with what their rows say, numbers of rows.
TIMED = "timed"
SETS = "sets"
COUNTED = "counted"
#: Rows whose time was put right.
CLOCKS = "clocks"
CLOCKS_SCHEMA = pa.schema([("source", pa.int16()), ("time", pa.int64())])

#: A set of strong identifiers; `stated`: the two ends of an alias message, whose count is 0.
SET_SCHEMA = pa.schema(
    [
        ("set", pa.binary(16)),
        ("members", pa.list_(pa.string())),
        ("count", pa.int64()),
        ("first", pa.int64()),
        ("trusted", pa.uint8()),
        ("stated", pa.uint8()),
    ]
)


def drop_copies(sources: Sequence[str], n_parts: int, memory_bytes: int) -> Step:
    """Of rows with one message key one goes on, to the part of its device; parts are of keys."""

    def drop(part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        rows = joined(pieces, ROWS, ROW_SCHEMA)
        n = rows.num_rows
        order = np.argsort(numbers(rows, "row"))  # of two that are alike in all, the first
        told = row_files(rows.select(["key", "row_key", "received"]).take(pa.array(order)), sources)
        keep, gone = np.zeros(n, dtype=np.uint8), np.zeros(n, dtype=np.uint8)
        keep_one_copy(told, keep, gone, np.zeros(0, dtype=np.int64), 0, memory_bytes)
        part_of_row = part_of_texts(_device(rows), n_parts)
        part_of_row[order[keep == 0]] = -1  # goes nowhere
        yield from split_rows(ROWS, rows, part_of_row, n_parts)

    return drop


def _device(rows: pa.Table) -> pa.Array:
    """The weak identifier that clocks go by; rows without any go by their message id, which spreads them."""
    return whole(pc.coalesce(rows.column("anonymous"), rows.column("device"), rows.column("message_id")))


def place_times(sources: Sequence[str], n_parts: int) -> Step:
    """Rows at their time, to the part of their set; and what their sets were seen with. Parts are of devices."""

    def place(part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        rows = joined(pieces, ROWS, ROW_SCHEMA)
        n = rows.num_rows
        (anonymous, device), texts = codes_of_texts([rows.column("anonymous"), rows.column("device")])
        files = row_files(rows, sources, anonymous=anonymous, device=device)
        keep = np.ones(n, dtype=np.uint8)
        skews = find_skews(files, keep, len(texts))
        time, future = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.uint8)
        place_in_time(files, skews, np.zeros(len(texts), dtype=np.uint8), 0, time, future)
        timed = with_columns(rows, {"time": time, "future": future}, TIMED_SCHEMA)
        yield from split_rows(TIMED, timed, set_parts(timed, n_parts), n_parts)
        sets = pa.concat_tables([_sets_of(rows, time), _stated_of(rows)])
        yield from split_rows(SETS, sets, part_of_keys(key_words(sets.column("set"))[0], n_parts), n_parts)
        moved = timed.filter(pa.array(is_corrected(numbers(rows, "stamp"), time, future)))
        yield Piece(CLOCKS, 0, moved.select(CLOCKS_SCHEMA.names))
        yield Piece(COUNTED, 0, pa.table({"rows": pa.array([n])}))

    return place


def set_parts(rows: pa.Table, n_parts: int) -> npt.NDArray[np.int32]:
    """Part of each row's set; rows without one go by their message key."""
    of_set, missing = key_words(rows.column("set"))
    of_row, _ = key_words(rows.column("key"))
    return part_of_keys(np.where(missing[:, None] == 1, of_row, of_set), n_parts)


def _sets_of(rows: pa.Table, time: npt.NDArray[np.int64]) -> pa.Table:
    """Events, earliest time and trust of each set on these rows."""
    table = KeyTable()
    codes, firsts = table.codes(*key_words(rows.column("set")))
    m = len(firsts)
    count, first, trusted = np.zeros(m, np.int64), np.full(m, MISSING, np.int64), np.zeros(m, np.uint8)
    keep, nothing = np.ones(len(codes), dtype=np.uint8), np.zeros(0, dtype=np.int64)
    add_to_sets(nothing, 0, len(codes), codes, keep, time, numbers(rows, "client"), count, first, trusted)
    columns = [
        hash_array(table.keys()),
        whole(rows.column("members")).take(pa.array(firsts)),
        *(pa.array(column) for column in (count, first, trusted, np.zeros(m, np.uint8))),
    ]
    return pa.table(columns, schema=SET_SCHEMA)


def _stated_of(rows: pa.Table) -> pa.Table:
    """The two ends of each alias message as a set that nobody was seen with; its key is the row's."""
    stated = whole(rows.column("stated"))
    at = pa.array(np.flatnonzero(stated.is_valid().to_numpy(zero_copy_only=False)))
    n = len(at)
    columns = [
        whole(rows.column("key")).take(at),
        stated.take(at),
        pa.array(np.zeros(n, np.int64)),
        pa.array(np.full(n, MISSING, np.int64)),
        pa.array(np.zeros(n, np.uint8)),
        pa.array(np.ones(n, np.uint8)),
    ]
    return pa.table(columns, schema=SET_SCHEMA)
