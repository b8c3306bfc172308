"""The table `details` of a bucket, and what orders take from it and from their contacts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.details import CODED_DETAILS, DETAIL_TYPE, NO_DETAIL
from percorso.journeys.bucket import BucketRows, Cut
from percorso.journeys.bucket_rules import BucketRules
from percorso.journeys.columns import record_batch, texts_coded
from percorso.store.log_files import settled

__all__ = ["SERVICE_EVENTS", "contacted_times", "details_table", "promised_times"]

#: Contacts with service: about an order they make it "contacted".
SERVICE_EVENTS = (
    *("Call Started", "Call Ended", "Callback Requested", "Contact Repeated", "Chat Started", "Chat Ended"),
    *("Message Sent", "Ticket Opened", "Ticket Reopened", "Complaint Submitted", "Question Asked"),
)

_Numbers = npt.NDArray[np.int64]


def details_table(rows: BucketRows) -> pa.RecordBatch:
    """Details as each event gives them, one row for each event that has any or stands in a conversation."""
    lists, talk = rows.text("details"), _talks(rows)
    has = lists.is_valid().to_numpy(zero_copy_only=False)
    event = np.flatnonzero(has | (talk >= 0))
    if not len(event):
        return _no_details()
    place = np.cumsum(has) - 1  # a list holds one detail or is null
    return _table(event, lists.flatten(), pa.array(place[event], mask=~has[event]), talk[event])


@lru_cache(maxsize=1)
def _no_details() -> pa.RecordBatch:
    """Most buckets of a shop without service and deliveries have none: made once."""
    nothing = np.zeros(0, dtype=np.int64)
    return _table(nothing, pa.array([], DETAIL_TYPE), pa.array(nothing), nothing)


def _table(event: _Numbers, flat: pa.StructArray, at: pa.Array, talk: _Numbers) -> pa.RecordBatch:
    """The table of some events, their details at places of all details (null: none), and their conversations."""
    columns: dict[str, Any] = {"event": event.astype(np.int32)}
    for field in DETAIL_TYPE:
        values = flat.field(field.name).take(at)
        if field.name in CODED_DETAILS:
            columns[field.name] = texts_coded(values)
        else:
            columns[field.name] = settled(values.fill_null(pa.scalar(NO_DETAIL[field.name], field.type)))
    return record_batch(columns | {"talk": talk.astype(np.int32)})


def _talks(rows: BucketRows) -> _Numbers:
    """The first event of the person in each event's conversation or ticket, -1 where there is none.

    Of the unidentified: of the month.
    """
    talk = np.full(len(rows), -1, dtype=np.int64)
    conversation = rows.numbers["conversation"]
    inside = np.flatnonzero(conversation != 0)
    if len(inside):
        inside = inside[np.lexsort((conversation[inside], rows.person[inside]))]  # stable: by event within each
        groups = np.stack([rows.person[inside].astype(np.int64), conversation[inside]])
        heads = np.append(True, (np.diff(groups, axis=1) != 0).any(axis=0))
        talk[inside] = inside[heads][np.cumsum(heads) - 1]
    return talk


def promised_times(details: pa.RecordBatch, order_of_event: npt.NDArray[np.int32], order_event: _Numbers) -> _Numbers:
    """When each order was promised, µs UTC, -1 for never: told with the order itself, else first by another event.

    Parameters
    ----------
    details : pyarrow.RecordBatch
        The bucket's table.
    order_of_event : int32, shape (n_events,)
        The order that each event belongs to, -1 none.
    order_event : int64, shape (n_orders,)
        The event that counts as each order.
    """
    times = np.full(len(order_event), -1, dtype=np.int64)
    told = details.column("promised").to_numpy()
    event = details.column("event").to_numpy()[told >= 0]
    told = told[told >= 0]
    if not len(told):
        return times
    belongs = np.flatnonzero(order_of_event[event] >= 0)[::-1]  # backwards, so that the first one stays
    times[order_of_event[event[belongs]]] = told[belongs]
    at = np.minimum(np.searchsorted(event, order_event), len(event) - 1)
    own = event[at] == order_event
    times[own] = told[at[own]]
    return times


def contacted_times(rows: BucketRows, cut: Cut, rules: BucketRules) -> _Numbers:
    """When the customer first contacted service about each order, µs UTC, -1 for never."""
    times = np.full(len(cut.orders), -1, dtype=np.int64)
    if len(times):
        texts, rank = rules.dictionaries["event"]
        service = pc.is_in(texts, value_set=pa.array(SERVICE_EVENTS)).to_numpy(zero_copy_only=False)[rank]
        if service.any():
            asks = service[rows.numbers["event"]] & (rows.numbers["inbound"] == 1) & (cut.order >= 0)
            event = np.flatnonzero(asks)[::-1]
            event = event[event > cut.orders[cut.order[event], 1]]
            times[cut.order[event]] = rows.numbers["time"][event]
    return times
