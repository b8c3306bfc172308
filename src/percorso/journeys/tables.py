"""The tables of a bucket, as percorso.store.journey_log reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.identity.placement import PLACING_RULES
from percorso.journeys.bucket import Array, BucketRows, Cut, cut_rows, session_ends
from percorso.journeys.bucket_rules import BucketRules
from percorso.journeys.columns import coded, named, record_batch, texts_coded
from percorso.journeys.detail_tables import contacted_times, details_table, promised_times
from percorso.journeys.persons import persons_table
from percorso.kernels import journeys as kernel
from percorso.kernels.interning import TupleTable
from percorso.store.columns import whole
from percorso.store.journey_log import (
    CODED_COLUMNS,
    FLAG_ENGAGED,
    FLAG_ORDER,
    OWN_ACTION,
    OWN_CODED,
    OWN_HAS_CART,
    OWN_INBOUND,
    OWN_KNOWN,
)
from percorso.store.log_files import coded_column, settled

__all__ = ["OWN_BITS", "bucket_tables"]

#: Fields of the record that stand in `own`, and their bits.
OWN_BITS = {"inbound": OWN_INBOUND, "action": OWN_ACTION, "known": OWN_KNOWN, "has_cart": OWN_HAS_CART}

SIGNAL_NAMES = ("", "aware", "consider", "convert", "care", "advocate")
_KINDS = ("purchase", "order")
_STATUSES = ("live", "cancelled", "refunded", "returned", "part_refunded")


def bucket_tables(
    rows: BucketRows, rules: BucketRules, *, person_ids: npt.NDArray[np.uint8], identified: npt.NDArray[np.uint8]
) -> dict[str, pa.RecordBatch]:
    """All tables of a bucket, or of some of its persons: store.journey_log.TABLES.

    What is said of a person depends on its rows and the rules alone; numbers of sessions, contacts, journeys,
    orders and events count within the rows given here. Of the unidentified the same holds for each UTC month:
    their rows stand in the total order, and contacts do not go on from one month to the next.

    Parameters
    ----------
    rows : BucketRows
        As percorso.journeys.bucket.prepare_rows gives them.
    rules : BucketRules
    person_ids : uint8, shape (n_persons, 16)
        Ids of the persons, sorted by bytes; none: the rows are unidentified.
    identified : uint8, shape (n_persons,)
    """
    cut, details = cut_rows(rows, rules), details_table(rows)
    return {
        "events": _events(rows, cut, rules),
        "persons": persons_table(rows, cut, rules, person_ids, identified),
        "sessions": _sessions(rows, rules),
        "journeys": _journeys(rows, cut, rules),
        "orders": _orders(rows, cut, rules, details),
        "items": _items(rows),
        "order_keys": _order_keys(rows),
        "traits": _traits(rows),
        "details": details,
    }


def _events(rows: BucketRows, cut: Cut, rules: BucketRules) -> pa.RecordBatch:
    numbers = rows.numbers
    derived = {
        "signal": named(cut.signal, SIGNAL_NAMES),
        "stage": named(cut.reached, rules.stages),
        "source": named(numbers["source"], rules.sources),
        "placing": named(numbers["placing"], PLACING_RULES),
    }
    columns: dict[str, Any] = {"time": numbers["time"]}
    columns |= {name: derived[name] if name in derived else coded(rows, rules, name) for name in CODED_COLUMNS}
    columns |= {
        "value": numbers["value"],
        "score": numbers["score"],
        "session": rows.session,
        "contact": rows.contact,
        "journey": cut.journey,
        "order": cut.order,
        "flags": rows.flags,
        "key": numbers["key"],
        **{name: _own(rows, rules, name) for name in OWN_CODED},
        "own": _own_bits(numbers),
        "qualifies": numbers["qualifies"],
        "contact_kind": numbers["contact"],
    }
    columns |= {name: coded(rows, rules, name) for name in sorted(numbers) if name.startswith("prop.")}
    return record_batch(columns)


def _own(rows: BucketRows, rules: BucketRules, name: str) -> pa.DictionaryArray:
    """What the event itself says of its channel."""
    texts, rank = rules.dictionaries[name.removeprefix("own_")]
    return coded_column(rank[rows.numbers[name]], texts)


def _own_bits(numbers: Mapping[str, Array]) -> npt.NDArray[np.uint8]:
    own = np.zeros(len(numbers["time"]), dtype=np.uint8)
    for name, bit in OWN_BITS.items():
        own |= np.where(numbers[name] != 0, np.uint8(bit), np.uint8(0))
    return own


def _sessions(rows: BucketRows, rules: BucketRules) -> pa.RecordBatch:
    first, numbers = rows.session_first, rows.numbers
    inside = rows.session[rows.session >= 0]
    engaged = (rows.flags[first] & FLAG_ENGAGED) != 0
    return record_batch(
        {
            "person": rows.person[first],
            "start": numbers["time"][first],
            "end": session_ends(rows),
            "first_event": first.astype(np.int32),
            "n_events": np.bincount(inside, minlength=len(first)).astype(np.int32),
            "place": coded(rows, rules, "place", first),
            "channel": coded(rows, rules, "channel", first),
            "channel_rule": coded(rows, rules, "channel_rule", first),
            "campaign": coded(rows, rules, "campaign", rows.session_origin),
            "device": coded(rows, rules, "device", first),
            "landing": coded(rows, rules, "page", first),
            "source": named(numbers["source"][first], rules.sources),
            "engaged": engaged.astype(np.uint8),
        }
    )


def _journeys(rows: BucketRows, cut: Cut, rules: BucketRules) -> pa.RecordBatch:
    js, numbers = cut.journeys, rows.numbers
    in_journey = np.flatnonzero(cut.journey >= 0)
    n = len(js)
    first = np.maximum(js[:, 10], 0)
    goal = np.maximum(js[:, 7], 0)
    has_goal, has_first = js[:, 7] >= 0, js[:, 10] >= 0
    # An order journey without events yet shows its order's own contact.
    order_event = cut.orders[np.maximum(js[:, 11], 0), 1] if len(cut.orders) else np.zeros(n, dtype=np.int64)
    shown = np.where(has_first, first, order_event)
    return record_batch(
        {
            "person": js[:, 0].astype(np.int32),
            "kind": named(js[:, 1], _KINDS),
            "start": js[:, 2],
            "end": js[:, 3],
            "intent": js[:, 4],
            "timeout": js[:, 5],
            "goal_time": js[:, 6],
            "goal_event": js[:, 7].astype(np.int32),
            "last_inbound": js[:, 8].astype(np.int32),
            "n_events": js[:, 9].astype(np.int32),
            "n_contacts": _distinct(cut.journey[in_journey], rows.contact[in_journey], n),
            "n_sessions": _distinct(cut.journey[in_journey], rows.session[in_journey], n),
            "value": np.where(has_goal, numbers["value"][goal] if len(numbers["value"]) else 0, 0),
            "currency": coded_column(
                np.where(has_goal, rules.dictionaries["currency"][1][numbers["currency"][goal]], 0)
                if n
                else np.zeros(0, dtype=np.int64),
                rules.dictionaries["currency"][0],
            ),
            "order": js[:, 11].astype(np.int32),
            "first_event": js[:, 10].astype(np.int32),
            "first_channel": coded(rows, rules, "channel", shown),
            "first_place": coded(rows, rules, "place", shown),
            "stage_reached": named(js[:, 12], rules.stages),
            "reversed": _reversed(cut),
        }
    )


def _reversed(cut: Cut) -> npt.NDArray[np.int64]:
    """When the order that closed a purchase journey was cancelled or wholly refunded; -1: it was not."""
    order = np.where(cut.journeys[:, 1] == kernel.KIND_PURCHASE, cut.journeys[:, 11], -1)
    ended: npt.NDArray[np.int64] = np.r_[cut.orders[:, 5], np.int64(-1)]  # no order, -1, reads the last entry
    return ended.take(order)


def _distinct(group: Array, value: Array, n_groups: int) -> npt.NDArray[np.int32]:
    """Number of distinct non-negative values in each group."""
    kept = value >= 0
    inside = group[kept]
    if not len(inside):
        return np.zeros(n_groups, dtype=np.int32)
    _, firsts = TupleTable().codes((inside, value[kept]))
    return np.bincount(inside[firsts], minlength=n_groups).astype(np.int32)


def _orders(rows: BucketRows, cut: Cut, rules: BucketRules, details: pa.RecordBatch) -> pa.RecordBatch:
    numbers = rows.numbers
    if rows.n_persons:
        os_, contacted = cut.orders, contacted_times(rows, cut, rules)
    else:
        # Unidentified receipts: orders of nobody.
        event = np.flatnonzero((rows.flags & FLAG_ORDER) != 0)
        os_ = np.full((len(event), 10), -1, dtype=np.int64)
        os_[:, 1], os_[:, 4], os_[:, 7], os_[:, 8] = event, 0, 0, 0
        contacted = np.full(len(event), -1, dtype=np.int64)
    event = os_[:, 1]
    return record_batch(
        {
            "person": os_[:, 0].astype(np.int32),
            "order_key": settled(whole(rows.texts.column("order_key")).take(pa.array(rows.order[event]))),
            "time": numbers["time"][event],
            "event": event.astype(np.int32),
            "journey": os_[:, 2].astype(np.int32),
            "purchase": os_[:, 3].astype(np.int32),
            "place": coded(rows, rules, "place", event),
            "channel": coded(rows, rules, "channel", event),
            "value": numbers["value"][event],
            "currency": coded(rows, rules, "currency", event),
            "status": named(os_[:, 4], _STATUSES),
            "ended": os_[:, 5],
            "delivered": os_[:, 6],
            "refunded": os_[:, 7],
            "returned": os_[:, 9],
            "advocated": os_[:, 8].astype(np.uint8),
            "promised": promised_times(details, cut.order, event),
            "contacted": contacted,
        }
    )


def _items(rows: BucketRows) -> pa.RecordBatch:
    """Products of orders and carts, one row each, with the event they stand on."""
    items = rows.text("items")
    lengths = np.zeros(len(items), dtype=np.int64)
    if items.null_count < len(items):
        lengths = items.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = items.flatten()
    return record_batch(
        {
            "event": np.repeat(np.arange(len(items), dtype=np.int32), lengths),
            **{
                name: texts_coded(flat.field(name))
                for name in ("product_id", "sku", "name", "category", "brand", "variant")
            },
            "quantity": settled(flat.field("quantity").fill_null(1.0)),
            "price": settled(flat.field("price")),
        }
    )


def _order_keys(rows: BucketRows) -> pa.RecordBatch:
    """Keyed hashes of the numbers of all orders that stand on events, also of copies of orders that count elsewhere."""
    return _sparse(rows, "order_key", "key")


def _traits(rows: BucketRows) -> pa.RecordBatch:
    """Traits as each event gives them, without personal ones; a person's last ones stand in `persons`."""
    return _sparse(rows, "traits", "traits")


def _sparse(rows: BucketRows, name: str, called: str) -> pa.RecordBatch:
    """What stands on few events: the events that have it, and it."""
    column = rows.text(name)
    event = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    return record_batch({"event": event.astype(np.int32), called: settled(column.take(pa.array(event)))})
