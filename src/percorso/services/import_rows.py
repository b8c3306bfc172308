"""From converted events to rows of the lake: what a row needs that its chunk alone cannot tell.

Message ids and sequence numbers of rows that have none count equal rows over the whole file; exact copies
within the file are dropped on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.columns import joined_texts
from percorso.events.conversion import CONVERTED_SCHEMA, Converted, LineChunk, TableChunk
from percorso.events.event import EVENT_SCHEMA, IDENTIFIER_COLUMNS
from percorso.events.urls import with_url_origin
from percorso.identity.identifiers import IdentifierRules
from percorso.store.columns import whole
from percorso.store.row_keys import KeyCounter, keys_as_binary, keys_as_hex, row_keys

__all__ = ["PreparedRows", "RowFinisher", "event_keys", "prepare_rows"]

#: Hashed in this order; message id and sequence come last, since they are known last.
_KEY_COLUMNS = [name for name in CONVERTED_SCHEMA.names if name not in ("message_id", "sequence")]
_ADDRESSES = ("email", "phone")


@dataclass(frozen=True, slots=True)
class PreparedRows:
    """Events of one chunk, with the hashes that finishing needs.

    Parameters
    ----------
    events : pyarrow.Table
        `CONVERTED_SCHEMA`.
    keys : ndarray of uint64, shape (n_events, 2)
        Of all columns but message id and sequence.
    times : ndarray of uint64, shape (n_events, 2)
        Of time and identifiers.
    raw_row : ndarray of int64, shape (n_events,)
        Row of the chunk that each event came from.
    raw_keys : ndarray of uint64, shape (n_raw_rows, 2)
        Of the raw rows; empty if every event has a message id.
    """

    events: pa.Table
    keys: npt.NDArray[np.uint64]
    times: npt.NDArray[np.uint64]
    raw_row: npt.NDArray[np.int64]
    raw_keys: npt.NDArray[np.uint64]


def prepare_rows(converted: Converted, chunk: TableChunk | LineChunk, *, rules: IdentifierRules) -> PreparedRows:
    """Everything that can be done chunk by chunk, in any thread.

    Parameters
    ----------
    converted : Converted
    chunk : TableChunk or LineChunk
        What it was converted from.
    rules : IdentifierRules
    """
    events = with_url_origin(converted.events)
    for name in _ADDRESSES:
        events = _without_malformed(events, name, rules)
    needs_ids = events.column("message_id").null_count > 0
    return PreparedRows(
        events=events,
        keys=row_keys(events, _KEY_COLUMNS),
        times=row_keys(events, ("timestamp", *IDENTIFIER_COLUMNS)),
        raw_row=converted.raw_row,
        raw_keys=_raw_keys(chunk) if needs_ids else np.zeros((0, 2), np.uint64),
    )


def _raw_keys(chunk: TableChunk | LineChunk) -> npt.NDArray[np.uint64]:
    if isinstance(chunk, LineChunk):
        return row_keys(pa.table({"line": pa.array(chunk.texts, pa.large_binary())}))
    return row_keys(chunk.table)


def _without_malformed(events: pa.Table, name: str, rules: IdentifierRules) -> pa.Table:
    """Drop addresses that are none, with a note. Blocked ones stay: what is blocked is a rule, and rules change."""
    column = events.column(name)
    if column.null_count == len(column):
        return events
    coded = whole(column).dictionary_encode()
    normal = rules.normalise_many(name, coded.dictionary)
    suspects = pc.filter(coded.dictionary, normal.is_null()).to_pylist()
    malformed = [text for text in suspects if rules.normalise("user_id", text) is not None]
    if not malformed:
        return events
    wrong = pc.is_in(whole(column), value_set=pa.array(malformed, pa.string()))
    kept = pc.if_else(wrong, pa.scalar(None, pa.string()), whole(column))
    note = pc.if_else(wrong, pa.scalar(f"{name}_malformed"), pa.scalar(None, pa.string()))
    notes = joined_texts([whole(events.column("notes")), note], ",")
    events = events.set_column(events.schema.get_field_index(name), name, kept)
    return events.set_column(events.schema.get_field_index("notes"), "notes", notes)


def event_keys(events: pa.Table) -> npt.NDArray[np.uint64]:
    """Row keys of finished events, shape (n_events, 2): those that `RowFinisher` gives rows of this content."""
    return row_keys(events, [*_KEY_COLUMNS, "message_id", "sequence"])


class RowFinisher:
    """Finishes the chunks of one file, in file order.

    Parameters
    ----------
    batch : int
    expected_rows : int
        Rough number of rows of the file; memory is about 40 bytes for each.
    """

    def __init__(self, batch: int, expected_rows: int = 0) -> None:
        self._batch = batch
        self._ids = KeyCounter(expected_rows)
        self._places = KeyCounter(expected_rows)

    def finish(self, prepared: PreparedRows) -> tuple[pa.Table, int]:
        """Rows of `EVENT_SCHEMA`, and the number of exact copies that were dropped."""
        own = prepared.events.column("message_id")
        has_own = np.asarray(own.is_valid())
        events, keys, times = prepared.events, prepared.keys, prepared.times
        ids = own if has_own.all() else pc.coalesce(own, self._derived_ids(prepared, ~has_own))
        keys = row_keys(pa.table({"message_id": ids}), state=keys.copy())
        copies = self._copies(events, keys, has_own)
        if copies.any():
            kept = ~copies
            mask = pa.array(kept)
            events, ids, keys, times = events.filter(mask), ids.filter(mask), keys[kept], times[kept]
        sequence = self._sequence(events.column("sequence"), times)
        keys = row_keys(pa.table({"sequence": sequence}), state=keys)
        return self._assembled(events, ids, sequence, keys), int(copies.sum())

    def _derived_ids(self, prepared: PreparedRows, missing: npt.NDArray[np.bool_]) -> pa.Array:
        """hash(raw cells, k) for each event without an id, the row being the k-th equal one of the file.

        Further events of a row add ".1", ".2", ... The result has nulls where nothing is missing.
        """
        rows, first, of_event = np.unique(prepared.raw_row[missing], return_index=True, return_inverse=True)
        raw = prepared.raw_keys[rows]
        counted = row_keys(pa.table({"copy": pa.array(self._ids.add(raw))}), state=raw.copy())
        ids = keys_as_hex(counted).take(pa.array(of_event))
        nth = np.arange(len(of_event)) - first[of_event]
        if nth.any():
            suffix = pc.if_else(
                pa.array(nth > 0), pc.binary_join_element_wise(".", pa.array(nth).cast(pa.string()), ""), ""
            )
            ids = pc.binary_join_element_wise(ids, suffix, "")
        if missing.all():
            return ids
        return pc.replace_with_mask(pa.nulls(len(missing), pa.string()), pa.array(missing), ids)

    def _copies(
        self, events: pa.Table, keys: npt.NDArray[np.uint64], has_own: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Which events with an id of their own equal an earlier one of the file in everything."""
        copies = np.zeros(len(keys), np.bool_)
        if has_own.any():
            # A place the sender names is part of the event; one we would give to a copy is not.
            with_place = row_keys(events.select(["sequence"]), state=keys.copy())
            copies[has_own] = self._ids.add(with_place[has_own]) > 0
        return copies

    def _sequence(self, given: pa.ChunkedArray, times: npt.NDArray[np.uint64]) -> pa.Array:
        """The sender's, else the ordinal among the file's events of equal time and identifiers."""
        missing = np.asarray(given.is_null())
        if not missing.any():
            return whole(given)
        sequence = given.fill_null(0).to_numpy().copy()
        sequence[missing] = self._places.add(times[missing])
        return pa.array(sequence)

    def _assembled(
        self, events: pa.Table, ids: pa.ChunkedArray, sequence: pa.Array, keys: npt.NDArray[np.uint64]
    ) -> pa.Table:
        made = {
            "batch": pa.repeat(pa.scalar(self._batch, pa.int64()), events.num_rows),
            "row_key": keys_as_binary(keys),
            "message_id": ids,
            "sequence": sequence,
        }
        arrays = [made[f.name] if f.name in made else events.column(f.name) for f in EVENT_SCHEMA]
        return pa.table(arrays, schema=EVENT_SCHEMA)
