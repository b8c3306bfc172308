"""Read rows back from the journey log, as the shuffle holds them: the inverse of building a bucket.

A person whose events did not change, or not all of them, is built again without asking the lake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.details import DETAIL_TYPE, NO_DETAIL
from percorso.events.event import ITEM_TYPE
from percorso.journeys.coding import TEXT_SCHEMA, Coder
from percorso.journeys.details import DETAILS_TYPE
from percorso.journeys.tables import OWN_BITS
from percorso.store.journey_log import FLAG_BOT, OWN_CODED, Bucket, Table

__all__ = ["REREAD_ELSEWHERE", "Words", "reread_rows"]

#: Fields of the record that the log does not hold; they come from what is kept of identities.
REREAD_ELSEWHERE = (
    *("row", "key", "person", "time", "future", "placing", "device_code", "sequence", "source", "copy"),
    *("order_ref", "cart_ref", "checkout_ref", "session_ref", "conversation"),
)

#: Fields that are codes, and the columns they come from: what a session says of channels is not what its events do.
_CODED = {
    name: name
    for name in (
        *("category", "country", "currency", "device", "direction", "event", "campaign", "os", "page", "place"),
        *("product", "touchpoint"),
    )
} | {name.removeprefix("own_"): name for name in OWN_CODED}


@dataclass(frozen=True, slots=True)
class Words:
    """The words of coded columns in the codes of a build; reading rows back adds none.

    Attributes
    ----------
    coder : Coder
        Whose dictionaries the codes count into.
    known : mapping
        Column -> its words over all buckets, and their codes.
    """

    coder: Coder
    known: Mapping[str, tuple[pa.StringArray, npt.NDArray[np.int32]]]

    @staticmethod
    def of_buckets(buckets: Iterable[Bucket], coder: Coder) -> Words:
        """Give every word of the buckets' coded columns its code."""
        columns = {column: coder.dictionaries[name] for name, column in _CODED.items()}
        columns |= {f"prop.{name}": dictionary for name, dictionary in coder.properties.items()}
        events, known = [bucket.events for bucket in buckets], {}
        for column, dictionary in columns.items():
            words = pa.chunked_array([table.arrow(column).dictionary for table in events], pa.string()).unique()
            known[column] = words, np.array([dictionary.code(word) for word in words.to_pylist()], dtype=np.int32)
        return Words(coder, known)

    def codes(self, events: Table, column: str, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """A coded column of some events."""
        words, codes = self.known[column]
        lookup = codes[pc.index_in(events.arrow(column).dictionary, words).to_numpy()]
        found: npt.NDArray[np.int32] = lookup[events.values(column)[rows]]
        return found


def reread_rows(
    bucket: Bucket, rows: npt.NDArray[np.int64], words: Words
) -> tuple[dict[str, npt.NDArray[Any]], pa.Table]:
    """Numbers and texts of some events, as the coder and the lake gave them when they were built.

    Parameters
    ----------
    bucket : Bucket
    rows : int64, shape (n,)
        Event rows, in any order.
    words : Words
        Of this bucket, or of several of which it is one.

    Returns
    -------
    numbers : dict
        The fields of the shuffle's record but for REREAD_ELSEWHERE, each of shape (n,).
    texts : pyarrow.Table
        As TEXT_SCHEMA; of traits only those that are not personal.
    """
    events = bucket.events
    numbers: dict[str, npt.NDArray[Any]] = {name: words.codes(events, column, rows) for name, column in _CODED.items()}
    for name in words.coder.properties:
        numbers[f"prop.{name}"] = words.codes(events, f"prop.{name}", rows)
    own = events.values("own")[rows]
    numbers |= {name: ((own & bit) != 0).astype(np.uint8) for name, bit in OWN_BITS.items()}
    numbers |= {
        "value": events.values("value")[rows],
        "score": events.values("score")[rows],
        "flags": events.values("flags")[rows] & np.uint16(FLAG_BOT),
        "qualifies": events.values("qualifies")[rows],
        "contact": events.values("contact_kind")[rows],
    }
    texts = [
        _sparse(bucket.table("traits"), "traits", rows),
        _items(bucket, rows),
        _sparse(bucket.table("order_keys"), "key", rows),
        _details(bucket.table("details"), rows),
    ]
    return numbers, pa.table(texts, schema=TEXT_SCHEMA)


def _items(bucket: Bucket, rows: npt.NDArray[np.int64]) -> pa.Array:
    """The products on each event; null where there are none."""
    items = bucket.table("items")
    first = np.searchsorted(items.values("event"), rows)
    length = np.searchsorted(items.values("event"), rows, side="right") - first
    ends = np.cumsum(length)
    at = pa.array(np.arange(int(length.sum())) + np.repeat(first - (ends - length), length))
    columns = [items.arrow(field.name).take(at).cast(field.type) for field in ITEM_TYPE]
    offsets = pa.array(np.append(0, ends).astype(np.int32))
    every = pa.StructArray.from_arrays(columns, fields=list(ITEM_TYPE))
    return pa.ListArray.from_arrays(offsets, every, mask=pa.array(length == 0))


def _details(details: Table, rows: npt.NDArray[np.int64]) -> pa.Array:
    """The details of each event; null where there are none, also of events that stand in a conversation alone."""
    place = _sparse_places(details, rows)
    there = np.flatnonzero(place >= 0)
    columns = {field.name: details.arrow(field.name).take(pa.array(place[there])) for field in DETAIL_TYPE}
    has = np.zeros(len(there), dtype=np.bool_)
    for name, column in columns.items():
        columns[name] = column.cast(DETAIL_TYPE.field(name).type)
        has |= _says(columns[name], NO_DETAIL[name])
    kept = np.zeros(len(rows), dtype=np.int32)
    kept[there[has]] = 1
    every = pa.StructArray.from_arrays(
        [column.filter(pa.array(has)) for column in columns.values()], fields=list(DETAIL_TYPE)
    )
    offsets = np.append(np.int32(0), np.cumsum(kept, dtype=np.int32))
    return pa.ListArray.from_arrays(pa.array(offsets), every, type=DETAILS_TYPE, mask=pa.array(kept == 0))


def _says(column: pa.Array, nothing: object) -> npt.NDArray[np.bool_]:
    is_nothing = pc.is_nan(column) if pa.types.is_floating(column.type) else pc.equal(column, nothing)
    return ~is_nothing.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _sparse(table: Table, name: str, rows: npt.NDArray[np.int64]) -> pa.Array:
    """What a table that stands beside the events has on each of them; null where it has nothing."""
    place = _sparse_places(table, rows)
    return table.arrow(name).take(pa.array(place, mask=place < 0))


def _sparse_places(table: Table, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Row of each event in a table that stands beside the events; -1 where it has nothing."""
    event = table.values("event")
    at = np.searchsorted(event, rows)
    there = at < len(event)
    there[there] = event[at[there]] == rows[there]
    return np.where(there, at, -1)
