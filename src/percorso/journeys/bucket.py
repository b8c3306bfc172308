"""Build one bucket: sort its rows, cut sessions and journeys, name stages, write its tables."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.traits import merge_traits
from percorso.identity.placement import PLACING_RULES
from percorso.journeys.shuffle import take_records, unpack_records
from percorso.journeys.signals import ORDER
from percorso.kernels import journeys as kernel
from percorso.kernels.interning import TupleTable
from percorso.kernels.sessions import count_actions, number_contacts, sessionise
from percorso.kernels.sorting import group_rows, sort_groups
from percorso.settings import Settings
from percorso.store.columns import string_buffers, whole
from percorso.store.journey_log import (
    CODED_COLUMNS,
    FLAG_BOT,
    FLAG_ENGAGED,
    FLAG_FUTURE,
    FLAG_GOAL,
    FLAG_HEAVY,
    FLAG_ORDER,
    FLAG_SAME_ORDER,
    FLAG_SESSION_START,
    coded_column,
    write_table,
)

__all__ = ["BucketRules", "build_bucket"]

Array = npt.NDArray[Any]

#: What 32-bit offsets can address; a bucket with more text in a column needs 64-bit ones.
_MOST_TEXT_BYTES = 2**31 - 1

#: What a page and its tags send for one load arrives within this.
_PAGE_LOAD_US = 1_000_000

SIGNAL_NAMES = ("", "aware", "consider", "convert", "care", "advocate")
_KINDS = ("purchase", "order")
_STATUSES = ("live", "cancelled", "refunded", "returned", "part_refunded")
_FLAGS = (
    FLAG_BOT,
    FLAG_HEAVY,
    FLAG_FUTURE,
    FLAG_SAME_ORDER,
    FLAG_ORDER,
    FLAG_GOAL,
    FLAG_ENGAGED,
    FLAG_SESSION_START,
)


@dataclass(frozen=True, slots=True)
class BucketRules:
    """What building a bucket needs of the settings and of the dictionaries, ready for the kernels.

    Attributes
    ----------
    dictionaries : mapping
        Coded column -> (texts sorted by bytes, rank of each scratch code in them).
    goals : uint8, shape (n_event_codes,)
        1 where the scratch code is a goal's event.
    timeouts : int64, shape (n_category_codes,)
        Time-out of each category's scratch code in µs; 0 for none.
    stages : tuple of str
        Stage key of what a journey has reached, by the codes of percorso.kernels.journeys (0 to 8).
    sources : tuple of str
        By rank.
    """

    settings: Settings
    dictionaries: Mapping[str, tuple[pa.StringArray, npt.NDArray[np.int64]]]
    goals: npt.NDArray[np.uint8]
    timeouts: npt.NDArray[np.int64]
    stages: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(slots=True)
class _Work:
    """A bucket's rows in order, and what is worked out for them."""

    rows: dict[str, Array]
    texts: pa.Table
    person: npt.NDArray[np.int32]  # within the bucket
    offsets: npt.NDArray[np.int64]
    session: npt.NDArray[np.int32]
    session_first: npt.NDArray[np.int64]
    contact: npt.NDArray[np.int32]
    flags: npt.NDArray[np.uint16]
    session_origin: npt.NDArray[np.int64]  # the event that says what brought the session


def build_bucket(
    index: int,
    records: npt.NDArray[Any],
    texts: pa.Table,
    *,
    person_ids: npt.NDArray[np.uint8],
    identified: npt.NDArray[np.uint8],
    first_person: int,
    rules: BucketRules,
    folder: Path,
) -> dict[str, Any]:
    """Write a bucket's tables and return its entry in the manifest.

    Parameters
    ----------
    index : int
        Number of the bucket.
    records : ndarray of records, shape (n_rows,)
        The numbers of the bucket's rows as the shuffle kept them, in any order.
    texts : pyarrow.Table
        Their texts, items and order keys, in the same order.
    person_ids : uint8, shape (n_persons, 16)
        Ids of the bucket's persons; none: the rows are unidentified.
    identified : uint8, shape (n_persons,)
    first_person : int
        Rank of the bucket's first person, from which the rows count theirs.
    rules : BucketRules
    folder : Path
        The journey log.
    """
    work = _prepare(records, texts, len(person_ids), first_person, rules.settings)
    cut = _cut(work, rules)
    tables = {
        "events": _events(work, cut, rules),
        "cold": _cold(work),
        "sessions": _sessions(work, rules),
        "journeys": _journeys(work, cut, rules),
        "orders": _orders(work, cut, rules),
        "items": _items(work, rules),
    }
    tables["persons"] = _persons(work, cut, rules, person_ids, identified)
    time = work.rows["time"]
    solid = time[(work.flags & FLAG_FUTURE) == 0]
    return {
        "index": index,
        "files": {name: write_table(folder, name, batch) for name, batch in sorted(tables.items())},
        "n_events": len(time),
        "n_persons": len(person_ids),
        "n_sessions": len(work.session_first),
        "n_journeys": len(cut.journeys),
        "n_orders": len(cut.orders),
        "flag_counts": {str(flag): int(((work.flags & flag) != 0).sum()) for flag in _FLAGS},
        "min_time_us": int(time.min()) if len(time) else None,
        "max_time_us": int(time.max()) if len(time) else None,
        "newest_us": int(solid.max()) if len(solid) else None,
    }


def _prepare(
    records: npt.NDArray[Any], texts: pa.Table, n_persons: int, first_person: int, settings: Settings
) -> _Work:
    """Sort into the total order, and cut sessions and contacts."""
    n, texts = len(records), _with_room(texts)
    group = records["person"] - np.int32(first_person) if n_persons else np.zeros(n, dtype=np.int32)
    order, offsets = group_rows(np.ascontiguousarray(group), max(n_persons, 1))
    message_offsets, message_bytes = string_buffers(whole(texts.column("message_id")))
    sort_groups(
        order,
        offsets,
        np.arange(n, dtype=np.int64),
        np.ascontiguousarray(records["time"]),
        np.ascontiguousarray(records["source"]),
        np.ascontiguousarray(records["sequence"]),
        message_offsets.astype(np.int64, copy=False),
        message_bytes,
        np.zeros(n, dtype=np.int8),
    )
    records = take_records(records, order)
    numbers = unpack_records(records)
    texts = texts.take(pa.array(order)).combine_chunks()
    sessions = settings.sessions
    by_sender = (numbers["session_ref"] != 0).astype(np.uint8)
    no_device = -1 - numbers["source"].astype(np.int64)
    device = np.where(numbers["device_code"] >= 0, numbers["device_code"].astype(np.int64), no_device)
    if n_persons:
        session, first = sessionise(
            offsets,
            numbers["time"],
            numbers["contact"],
            np.where(by_sender == 1, numbers["session_ref"], device),
            by_sender,
            sessions.timeout_us,
            sessions.id_timeout_us,
        )
    else:
        session, first = np.full(n, -1, dtype=np.int32), np.zeros(0, dtype=np.int64)
    contact = number_contacts(
        offsets,
        numbers["time"],
        numbers["contact"],
        session,
        numbers["conversation"],
        sessions.timeout_us,
        sessions.id_timeout_us,
    )
    flags = numbers["flags"].astype(np.uint16)
    flags[numbers["future"] == 1] |= FLAG_FUTURE
    if n_persons:
        heavy = np.repeat(np.diff(offsets) > settings.build.heavy_person_events, np.diff(offsets))
        flags[heavy] |= FLAG_HEAVY
    return _Work(numbers, texts, group[order], offsets, session, first, contact, flags, first)


def _with_room(texts: pa.Table) -> pa.Table:
    """The texts, with 64-bit offsets in columns that are too long for 32-bit ones once they are whole."""
    for position, field in enumerate(texts.schema):
        column = texts.column(position)
        if not pa.types.is_string(field.type) or column.nbytes <= _MOST_TEXT_BYTES:
            continue
        # Counted in bytes of text, which do not depend on how the rows arrived.
        if (pc.sum(pc.binary_length(column).cast(pa.int64())).as_py() or 0) > _MOST_TEXT_BYTES:
            texts = texts.set_column(position, field.name, column.cast(pa.large_string()))
    return texts


@dataclass(slots=True)
class _Cut:
    journey: npt.NDArray[np.int32]
    order: npt.NDArray[np.int32]
    signal: npt.NDArray[np.int8]
    reached: npt.NDArray[np.int8]
    journeys: npt.NDArray[np.int64]
    orders: npt.NDArray[np.int64]


def _cut(work: _Work, rules: BucketRules) -> _Cut:
    """Journeys, orders, signals and stages; sets the flags and the channels that follow from them."""
    rows, n = work.rows, len(work.session)
    _session_channels(work)
    engaged = _engaged(work, rules.settings.sessions.engaged_us)
    start = np.zeros(n, dtype=np.uint8)
    start[work.session_first] = 1
    work.flags[start == 1] |= FLAG_SESSION_START
    work.flags[engaged == 1] |= FLAG_ENGAGED
    durations = rules.settings.journeys
    if not len(work.offsets) > 1 or rows["person"].size == 0 or rows["person"][0] < 0:
        empty = np.full(n, -1, dtype=np.int32)
        nothing = np.zeros(n, dtype=np.int8)
        count, copies = _orders_of_nobody(rows)
        work.flags[count] |= FLAG_ORDER
        work.flags[copies] |= FLAG_SAME_ORDER
        return _Cut(empty, empty, nothing, nothing, np.zeros((0, 13), dtype=np.int64), np.zeros((0, 9), dtype=np.int64))
    events = kernel.JourneyInput(
        offsets=work.offsets,
        time=rows["time"],
        qualifies=rows["qualifies"],
        inbound=rows["inbound"],
        goal=rules.goals[rows["event"]],
        session=work.session,
        session_start=start,
        engaged=engaged,
        order_ref=rows["order_ref"],
        cart_ref=rows["cart_ref"],
        checkout_ref=rows["checkout_ref"],
        timeout=rules.timeouts[rows["category"]],
        value=rows["value"],
        currency=rows["currency"],
        score=rows["score"],
        has_cart=rows["has_cart"],
        trust=rows["trust"],
    )
    limits = kernel.JourneyRules(
        durations.timeout_us, durations.outbound_lead_us, durations.after_order_us, durations.order_open_us
    )
    journey, order, signal, reached, marks, journeys, orders = kernel.cut_journeys(events, limits)
    for mark, flag in ((1, FLAG_ORDER), (2, FLAG_SAME_ORDER), (4, FLAG_GOAL)):
        work.flags[(marks & mark) != 0] |= flag
    return _Cut(journey, order, signal, reached, journeys, orders)


def _orders_of_nobody(rows: Mapping[str, Array]) -> tuple[Array, Array]:
    """Rows of unidentified orders that count, and those that are other sources' copies of them."""
    at = np.flatnonzero(rows["qualifies"] == ORDER)
    at = at[np.lexsort((at, rows["trust"][at], rows["order_ref"][at]))]
    ref = rows["order_ref"][at]
    counts = np.r_[True, ref[1:] != ref[:-1]][: len(ref)] | (ref == 0)
    return at[counts], at[~counts]


def _session_channels(work: _Work) -> None:
    """Every event of a session takes the channel of its first event with a known origin."""
    rows = work.rows
    inside = work.session >= 0
    known = np.flatnonzero(inside & (rows["known"] == 1))
    # Backwards, so that the first one is the last to be written; without one, the first event's own.
    decides = work.session_first.copy()
    decides[work.session[known[::-1]]] = known[::-1]
    for name in ("channel", "channel_rule"):
        values = rows[name]
        rows[name] = np.where(inside, values[decides][work.session] if len(decides) else values, values)
    work.session_origin = decides


def _engaged(work: _Work, engaged_us: int) -> npt.NDArray[np.uint8]:
    """1 on events of sessions with a second action, or of ten seconds (setting)."""
    n_sessions = len(work.session_first)
    if not n_sessions:
        return np.zeros(len(work.session), dtype=np.uint8)
    rows = work.rows
    actions = count_actions(rows["time"], work.session, rows["action"], rows["page"], n_sessions, _PAGE_LOAD_US)
    span = _session_ends(work) - work.rows["time"][work.session_first]
    engaged = (actions >= 2) | (span >= engaged_us)
    return np.where(work.session >= 0, engaged[work.session], False).astype(np.uint8)


def _session_ends(work: _Work) -> npt.NDArray[np.int64]:
    """Time of each session's last event."""
    ends = np.zeros(len(work.session_first), dtype=np.int64)
    inside = np.flatnonzero(work.session >= 0)
    ends[work.session[inside]] = work.rows["time"][inside]  # in ascending time: the last one stays
    return ends


def _coded(work: _Work, rules: BucketRules, name: str, at: Array | None = None) -> pa.DictionaryArray:
    """Column `name` of the rows `at` (default: all), coded within the bucket."""
    texts, rank = rules.dictionaries[name]
    codes = work.rows[name]
    return coded_column(rank[codes if at is None else codes[at]], texts)


def _named(codes: Array, names: tuple[str, ...]) -> pa.DictionaryArray:
    """Codes into a short list of names, as a coded column."""
    ordered = sorted(set(names), key=lambda name: name.encode())
    rank = np.array([ordered.index(name) for name in names], dtype=np.int64)
    return coded_column(rank[codes], pa.array(ordered, pa.string()))


def _batch(columns: Mapping[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [column if isinstance(column, pa.Array) else pa.array(column) for column in columns.values()],
        names=list(columns),
    )


def _events(work: _Work, cut: _Cut, rules: BucketRules) -> pa.RecordBatch:
    rows = work.rows
    derived = {
        "signal": _named(cut.signal, SIGNAL_NAMES),
        "stage": _named(cut.reached, rules.stages),
        "source": _named(rows["source"], rules.sources),
        "placing": _named(rows["placing"], PLACING_RULES),
    }
    columns: dict[str, Any] = {"time": rows["time"]}
    columns |= {name: derived[name] if name in derived else _coded(work, rules, name) for name in CODED_COLUMNS}
    columns |= {
        "value": rows["value"],
        "score": rows["score"],
        "session": work.session,
        "contact": work.contact,
        "journey": cut.journey,
        "order": cut.order,
        "flags": work.flags,
    }
    columns |= {name: _coded(work, rules, name) for name in sorted(rows) if name.startswith("prop.")}
    return _batch(columns)


def _cold(work: _Work) -> pa.RecordBatch:
    kept = [name for name in work.texts.column_names if name not in ("items", "order_key", "traits")]
    return _batch({name: whole(work.texts.column(name)) for name in kept})


def _sessions(work: _Work, rules: BucketRules) -> pa.RecordBatch:
    first, rows = work.session_first, work.rows
    inside = work.session[work.session >= 0]
    engaged = (work.flags[first] & FLAG_ENGAGED) != 0
    return _batch(
        {
            "person": work.person[first],
            "start": rows["time"][first],
            "end": _session_ends(work),
            "first_event": first.astype(np.int32),
            "n_events": np.bincount(inside, minlength=len(first)).astype(np.int32),
            "place": _coded(work, rules, "place", first),
            "channel": _coded(work, rules, "channel", first),
            "channel_rule": _coded(work, rules, "channel_rule", first),
            "campaign": _coded(work, rules, "campaign", work.session_origin),
            "device": _coded(work, rules, "device", first),
            "landing": _coded(work, rules, "page", first),
            "source": _named(rows["source"][first], rules.sources),
            "engaged": engaged.astype(np.uint8),
        }
    )


def _journeys(work: _Work, cut: _Cut, rules: BucketRules) -> pa.RecordBatch:
    js, rows = cut.journeys, work.rows
    in_journey = np.flatnonzero(cut.journey >= 0)
    n = len(js)
    first = np.maximum(js[:, 10], 0)
    goal = np.maximum(js[:, 7], 0)
    has_goal, has_first = js[:, 7] >= 0, js[:, 10] >= 0
    # An order journey without events yet shows its order's own contact.
    order_event = cut.orders[np.maximum(js[:, 11], 0), 1] if len(cut.orders) else np.zeros(n, dtype=np.int64)
    shown = np.where(has_first, first, order_event)
    return _batch(
        {
            "person": js[:, 0].astype(np.int32),
            "kind": _named(js[:, 1], _KINDS),
            "start": js[:, 2],
            "end": js[:, 3],
            "intent": js[:, 4],
            "timeout": js[:, 5],
            "goal_time": js[:, 6],
            "goal_event": js[:, 7].astype(np.int32),
            "last_inbound": js[:, 8].astype(np.int32),
            "n_events": js[:, 9].astype(np.int32),
            "n_contacts": _distinct(cut.journey[in_journey], work.contact[in_journey], n),
            "n_sessions": _distinct(cut.journey[in_journey], work.session[in_journey], n),
            "value": np.where(has_goal, rows["value"][goal] if len(rows["value"]) else 0, 0),
            "currency": coded_column(
                np.where(has_goal, rules.dictionaries["currency"][1][rows["currency"][goal]], 0)
                if n
                else np.zeros(0, dtype=np.int64),
                rules.dictionaries["currency"][0],
            ),
            "order": js[:, 11].astype(np.int32),
            "first_event": js[:, 10].astype(np.int32),
            "first_channel": _coded(work, rules, "channel", shown),
            "first_place": _coded(work, rules, "place", shown),
            "stage_reached": _named(js[:, 12], rules.stages),
            "reversed": _reversed(cut),
        }
    )


def _reversed(cut: _Cut) -> npt.NDArray[np.int64]:
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


def _orders(work: _Work, cut: _Cut, rules: BucketRules) -> pa.RecordBatch:
    rows = work.rows
    if len(cut.orders) or (rows["person"].size and rows["person"][0] >= 0):
        os_ = cut.orders
    else:
        # Unidentified receipts: orders of nobody.
        event = np.flatnonzero((work.flags & FLAG_ORDER) != 0)
        os_ = np.full((len(event), 10), -1, dtype=np.int64)
        os_[:, 1], os_[:, 4], os_[:, 7], os_[:, 8] = event, 0, 0, 0
    event = os_[:, 1]
    return _batch(
        {
            "person": os_[:, 0].astype(np.int32),
            "order_key": whole(work.texts.column("order_key")).take(pa.array(event)),
            "time": rows["time"][event],
            "event": event.astype(np.int32),
            "journey": os_[:, 2].astype(np.int32),
            "purchase": os_[:, 3].astype(np.int32),
            "place": _coded(work, rules, "place", event),
            "channel": _coded(work, rules, "channel", event),
            "value": rows["value"][event],
            "currency": _coded(work, rules, "currency", event),
            "status": _named(os_[:, 4], _STATUSES),
            "ended": os_[:, 5],
            "delivered": os_[:, 6],
            "refunded": os_[:, 7],
            "returned": os_[:, 9],
            "advocated": os_[:, 8].astype(np.uint8),
        }
    )


def _items(work: _Work, rules: BucketRules) -> pa.RecordBatch:
    """Products of orders and carts, one row each, with the event they stand on."""
    items = whole(work.texts.column("items"))
    lengths = np.zeros(len(items), dtype=np.int64)
    if items.null_count < len(items):
        lengths = items.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = items.flatten()
    return _batch(
        {
            "event": np.repeat(np.arange(len(items), dtype=np.int32), lengths),
            **{
                name: _dictionary(flat.field(name))
                for name in ("product_id", "sku", "name", "category", "brand", "variant")
            },
            "quantity": flat.field("quantity").fill_null(1.0),
            "price": flat.field("price"),
        }
    )


def _dictionary(column: pa.StringArray) -> pa.DictionaryArray:
    """A text column coded within the bucket, null as ""."""
    coded = column.fill_null("").dictionary_encode()
    texts = coded.dictionary.to_pylist()
    order = sorted(range(len(texts)), key=lambda i: texts[i].encode())
    rank = np.empty(len(texts), dtype=np.int64)
    rank[order] = np.arange(len(texts))
    return coded_column(
        rank[coded.indices.to_numpy(zero_copy_only=False)], pa.array([texts[i] for i in order], pa.string())
    )


def _persons(
    work: _Work,
    cut: _Cut,
    rules: BucketRules,
    person_ids: npt.NDArray[np.uint8],
    identified: npt.NDArray[np.uint8],
) -> pa.RecordBatch:
    n, rows = len(person_ids), work.rows
    start = work.offsets[:n]
    last = (work.offsets[1 : n + 1] - 1) if n else start
    n_events = np.diff(work.offsets)[:n]
    heavy = n_events > rules.settings.build.heavy_person_events
    flags = np.where(heavy, FLAG_HEAVY, 0)
    if n:
        bots = np.add.reduceat((work.flags & FLAG_BOT) != 0, start).astype(np.int64)
        flags |= np.where(bots == n_events, FLAG_BOT, 0)
    order_times = _order_times(cut, n)
    return _batch(
        {
            "person_id": pa.Array.from_buffers(pa.binary(16), n, [None, pa.py_buffer(person_ids.tobytes())]),
            "start": start,
            "n_events": n_events.astype(np.int32),
            "first_time": rows["time"][start],
            "last_time": rows["time"][last],
            "n_sessions": np.bincount(work.person[work.session_first], minlength=n)[:n].astype(np.int32),
            "n_orders": np.bincount(cut.orders[:, 0], minlength=n)[:n].astype(np.int32),
            "first_order_time": order_times[0],
            "last_order_time": order_times[1],
            "kind": _named(identified.astype(np.int64), ("anonymous", "identified")),
            "first_channel": _coded(work, rules, "channel", start),
            "first_place": _coded(work, rules, "place", start),
            "country": _last_known(work, rules, "country", n),
            "device": _last_known(work, rules, "device", n),
            "traits": _last_traits(work, n),
            "flags": flags.astype(np.uint16),
        }
    )


def _order_times(cut: _Cut, n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Times of each person's first and last order, -1 where there is none."""
    first, last = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    person = cut.orders[:, 0]
    time = cut.journeys[cut.orders[:, 2], 2] if len(person) else person
    first[person[::-1]] = time[::-1]
    last[person] = time
    return first, last


def _last_known(work: _Work, rules: BucketRules, name: str, n: int) -> pa.DictionaryArray:
    texts, rank = rules.dictionaries[name]
    codes = work.rows[name]
    known = np.flatnonzero(codes > 0)
    last = np.zeros(n, dtype=np.int64)
    if n:
        last[work.person[known]] = rank[codes[known]]
    return coded_column(last, texts)


def _last_traits(work: _Work, n: int) -> pa.StringArray:
    """The last value of each trait of each person, as JSON; null where there are none."""
    traits = whole(work.texts.column("traits"))
    known = np.flatnonzero(~traits.is_null().to_numpy(zero_copy_only=False))
    merged: list[str | None] = [None] * n
    if len(known) and n:
        texts = traits.take(pa.array(known)).to_pylist()
        persons = work.person[known]
        starts = np.r_[0, np.flatnonzero(np.diff(persons)) + 1, len(persons)]
        for start, end in itertools.pairwise(starts):
            merged[persons[start]] = merge_traits(texts[start:end])
    return pa.array(merged, pa.string())
