"""Read rows back from the journey log, as the shuffle holds them: the inverse of building a bucket.

A person whose events did not change, or not all of them, is built again without asking the lake.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.events.event import ITEM_TYPE
from percorso.journeys.coding import TEXT_COLUMNS, Coder, Dictionary
from percorso.store.cold import OWN_ACTION, OWN_HAS_CART, OWN_INBOUND, OWN_KNOWN, month_of_time
from percorso.store.journey_log import FLAG_BOT, Bucket, Table

__all__ = ["REREAD_ELSEWHERE", "learn_words", "reread_rows"]

#: Fields of the record that the log does not hold; they come from what is kept of identities.
REREAD_ELSEWHERE = (
    *("person", "time", "future", "placing", "device_code", "sequence", "source", "copy"),
    *("order_ref", "cart_ref", "checkout_ref", "session_ref", "conversation"),
)

_CODED = (
    *("category", "country", "currency", "device", "direction", "event", "campaign", "os", "page", "place"),
    *("product", "touchpoint"),
)
_OWN_BITS = {"inbound": OWN_INBOUND, "action": OWN_ACTION, "known": OWN_KNOWN, "has_cart": OWN_HAS_CART}
#: Texts that building a person needs wherever they stand; the others go to the cold tables and nowhere else.
_TEXTS_OF_ALL = ("message_id", "traits")
_OWN = ("own_channel", "own_channel_rule", "own", "qualifies", "contact_kind")


def learn_words(bucket: Bucket, coder: Coder) -> None:
    """Give every word of a bucket's coded columns its code, so that reading rows back adds none."""
    for name in _CODED:
        coder.dictionaries[name].learn(bucket.events.dictionary(name))
    for name, dictionary in coder.properties.items():
        dictionary.learn(bucket.events.dictionary(f"prop.{name}"))
    for name in ("channel", "channel_rule"):
        coder.dictionaries[name].learn(bucket.cold_words(f"own_{name}"))


def reread_rows(
    bucket: Bucket, rows: npt.NDArray[np.int64], coder: Coder, months: Collection[int] | None = None
) -> tuple[dict[str, npt.NDArray[Any]], pa.Table]:
    """Numbers and texts of some events, as the coder and the lake gave them when they were built.

    Parameters
    ----------
    bucket : Bucket
    rows : int64, shape (n,)
        Event rows, in any order.
    coder : Coder
        Codes count into its dictionaries.
    months : collection of int, optional
        Only rows of these months, counted from January 1970, are asked for the texts that cold tables alone hold.

    Returns
    -------
    numbers : dict
        The fields of the shuffle's record but for REREAD_ELSEWHERE, each of shape (n,).
    texts : pyarrow.Table
        TEXT_COLUMNS (of traits only those that are not personal), `items` and `order_key`.
    """
    events = bucket.events
    cold = bucket.cold_rows(rows, [*_TEXTS_OF_ALL, *_OWN])
    numbers: dict[str, npt.NDArray[Any]] = {
        name: _recoded(events, name, rows, coder.dictionaries[name]) for name in _CODED
    }
    for name in ("channel", "channel_rule"):
        numbers[name] = coder.dictionaries[name].codes(cold.column(f"own_{name}"))
    for name, dictionary in coder.properties.items():
        numbers[f"prop.{name}"] = _recoded(events, f"prop.{name}", rows, dictionary)
    own = cold.column("own").to_numpy()
    numbers |= {name: ((own & bit) != 0).astype(np.uint8) for name, bit in _OWN_BITS.items()}
    numbers |= {
        "value": events.values("value")[rows],
        "score": events.values("score")[rows],
        "flags": events.values("flags")[rows] & np.uint16(FLAG_BOT),
        "qualifies": cold.column("qualifies").to_numpy(),
        "contact": cold.column("contact_kind").to_numpy(),
    }
    texts = _texts(bucket, rows, cold, months)
    return numbers, texts.append_column("items", _items(bucket, rows)).append_column("order_key", _keys(bucket, rows))


def _texts(bucket: Bucket, rows: npt.NDArray[np.int64], cold: pa.Table, months: Collection[int] | None) -> pa.Table:
    """TEXT_COLUMNS of the rows; of months that are not asked for, those of `cold` alone."""
    others = [name for name in TEXT_COLUMNS if name not in _TEXTS_OF_ALL]
    if months is None:
        found, at = bucket.cold_rows(rows, others), pa.array(np.arange(len(rows)))
    else:
        asked = np.flatnonzero(np.isin(month_of_time(bucket.events.values("time")[rows]), list(months)))
        found = bucket.cold_rows(rows[asked], others)
        place = np.full(len(rows), -1, dtype=np.int64)
        place[asked] = np.arange(len(asked))
        at = pa.array(place, mask=place < 0)
    columns = {
        name: cold.column(name) if name in _TEXTS_OF_ALL else found.column(name).take(at) for name in TEXT_COLUMNS
    }
    return pa.table(columns)


def _recoded(events: Table, name: str, rows: npt.NDArray[np.int64], dictionary: Dictionary) -> npt.NDArray[np.int32]:
    """A coded column in the codes of the build."""
    codes = events.values(name)[rows]
    column = events.arrow(name).dictionary
    used = np.unique(codes)
    lookup = np.zeros(len(column) + 1, dtype=np.int32)
    lookup[used] = [dictionary.code(text) for text in column.take(pa.array(used)).to_pylist()]
    found: npt.NDArray[np.int32] = lookup[codes]
    return found


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


def _keys(bucket: Bucket, rows: npt.NDArray[np.int64]) -> pa.Array:
    """The keyed hash of each event's order number; null where it is no order with one."""
    table = bucket.table("order_keys")
    event = table.values("event")
    at = np.searchsorted(event, rows)
    there = at < len(event)
    there[there] = event[at[there]] == rows[there]
    return table.arrow("key").take(pa.array(at, mask=~there))
