"""A bucket's rows in order: sorted, and cut into sessions, contacts and journeys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.traits import strip_traits
from percorso.journeys.bucket_rules import BucketRules
from percorso.journeys.shuffle import unpack_records
from percorso.journeys.signals import ORDER
from percorso.kernels import journeys as kernel
from percorso.kernels.sessions import count_actions, number_contacts, sessionise
from percorso.kernels.sorting import group_rows, sort_groups
from percorso.settings import Settings
from percorso.store.cold import month_of_time
from percorso.store.columns import whole
from percorso.store.journey_log import (
    FLAG_ENGAGED,
    FLAG_FUTURE,
    FLAG_GOAL,
    FLAG_HEAVY,
    FLAG_ORDER,
    FLAG_SAME_ORDER,
    FLAG_SESSION_START,
)
from percorso.store.log_files import MOST_TEXT_BYTES

__all__ = ["Array", "BucketRows", "Cut", "MessageIds", "cut_rows", "prepare_rows", "session_ends", "with_room"]

Array = npt.NDArray[Any]

#: Gives message ids of rows of the row files: offsets (n + 1,) and bytes.
MessageIds = Callable[[npt.NDArray[np.int64]], tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]]

#: What a page and its tags send for one load arrives within this.
_PAGE_LOAD_US = 1_000_000


@dataclass(slots=True)
class BucketRows:
    """A bucket's rows in order, and what is worked out for them.

    Attributes
    ----------
    numbers : dict
        Columns of the records, each of shape (n_events,), by person and total order; `own_channel` and
        `own_channel_rule` are what the event itself says, `channel` and `channel_rule` what its session says.
    texts : pyarrow.Table
        As they came, but for personal traits; event `i` is row ``order[i]``.
    n_persons : int
        0: the rows are unidentified.
    person : int32, shape (n_events,)
        Within the bucket; of the unidentified the month.
    offsets : int64, shape (n_persons + 1,)
        Where each person's (of the unidentified: each month's) events begin.
    session : int32, shape (n_events,)
    session_first : int64, shape (n_sessions,)
        First event of each session.
    session_origin : int64, shape (n_sessions,)
        The event that says what brought the session.
    contact : int32, shape (n_events,)
    flags : uint16, shape (n_events,)
    """

    numbers: dict[str, Array]
    texts: pa.Table
    order: npt.NDArray[np.int64]
    n_persons: int
    person: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    session: npt.NDArray[np.int32]
    session_first: npt.NDArray[np.int64]
    session_origin: npt.NDArray[np.int64]
    contact: npt.NDArray[np.int32]
    flags: npt.NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.order)

    def text(self, name: str) -> pa.Array:
        """A text column in the order of the events."""
        column = whole(self.texts.column(name))
        # Nulls are in any order: many sources send no products, and no traits.
        return column if column.null_count == len(column) else column.take(pa.array(self.order))


def prepare_rows(
    records: npt.NDArray[Any], texts: pa.Table, n_persons: int, first_person: int, settings: Settings, ids: MessageIds
) -> BucketRows:
    """Sort into the total order, and cut sessions and contacts.

    Parameters
    ----------
    records : ndarray of records, shape (n_rows,)
        The numbers of the rows as the shuffle kept them, in any order.
    texts : pyarrow.Table
        Their traits, items and order keys, in the same order.
    n_persons : int
        0: the rows are unidentified.
    first_person : int
        Rank of the first person, from which the rows count theirs.
    settings : Settings
    ids : callable
        Message ids of rows of the row files.
    """
    n, texts = len(records), _own_traits(with_room(texts).combine_chunks())
    group = np.ascontiguousarray(records["person"] - np.int32(first_person)) if n_persons else _months(records)
    order, offsets = _in_total_order(records, group, max(n_persons, int(group.max(initial=-1)) + 1), ids)
    numbers = unpack_records(records, order)
    sessions = settings.sessions
    if n_persons:
        session, first = _sessions(numbers, offsets, settings)
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
    return BucketRows(numbers, texts, order, n_persons, group[order], offsets, session, first, first, contact, flags)


def _months(records: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Groups of the unidentified: the UTC months of their times, from the first one on.

    They stand in for persons, so that a bucket which may hold years of cash receipts is merged month by month.
    """
    month = month_of_time(np.ascontiguousarray(records["time"]))
    return month - month.min() if len(month) else month


def _in_total_order(
    records: npt.NDArray[Any], group: npt.NDArray[np.int32], n_groups: int, ids: MessageIds
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows by group and total order, and where each group begins."""
    order, offsets = group_rows(group, n_groups)
    n = len(records)
    rows, nothing = np.arange(n, dtype=np.int64), np.zeros(n, dtype=np.int8)
    time, source, sequence = (np.ascontiguousarray(records[name]) for name in ("time", "source", "sequence"))
    ends, text = np.zeros(n + 1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    sort_groups(order, offsets, rows, time, source, sequence, ends, text, nothing)
    # Only what is equal in all else is told apart by its message id.
    tied = np.flatnonzero(
        np.logical_and.reduce([np.diff(column[order]) == 0 for column in (group, time, source, sequence)])
    )
    if len(tied):
        equal = np.unique(order[np.concatenate([tied, tied + 1])])
        found, text = ids(np.ascontiguousarray(records["row"][equal]))
        ends[equal + 1] = np.diff(found)
        np.cumsum(ends, out=ends)
        sort_groups(order, offsets, rows, time, source, sequence, ends, text[found[0] :], nothing)
    return order, offsets


def _sessions(
    numbers: Mapping[str, Array], offsets: npt.NDArray[np.int64], settings: Settings
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    by_sender = (numbers["session_ref"] != 0).astype(np.uint8)
    no_device = -1 - numbers["source"].astype(np.int64)
    device = np.where(numbers["device_code"] >= 0, numbers["device_code"].astype(np.int64), no_device)
    return sessionise(
        offsets,
        numbers["time"],
        numbers["contact"],
        np.where(by_sender == 1, numbers["session_ref"], device),
        by_sender,
        settings.sessions.timeout_us,
        settings.sessions.id_timeout_us,
    )


def with_room(texts: pa.Table) -> pa.Table:
    """The texts, with 64-bit offsets in columns that are too long for 32-bit ones once they are whole."""
    for position, field in enumerate(texts.schema):
        column = texts.column(position)
        if not pa.types.is_string(field.type) or column.nbytes <= MOST_TEXT_BYTES:
            continue
        if (pc.sum(pc.binary_length(column).cast(pa.int64())).as_py() or 0) > MOST_TEXT_BYTES:
            texts = texts.set_column(position, field.name, column.cast(pa.large_string()))
    return texts


def _own_traits(texts: pa.Table) -> pa.Table:
    """The texts, their traits without the personal ones; null where none is left. Each distinct text is read once."""
    traits = whole(texts.column("traits"))
    if traits.null_count == len(traits):
        return texts
    found = traits.dictionary_encode()
    stripped = pa.array([strip_traits(text) for text in found.dictionary.to_pylist()], pa.string())
    return texts.set_column(texts.schema.get_field_index("traits"), "traits", stripped.take(found.indices))


@dataclass(slots=True)
class Cut:
    """What percorso.kernels.journeys.cut_journeys says of a bucket."""

    journey: npt.NDArray[np.int32]
    order: npt.NDArray[np.int32]
    signal: npt.NDArray[np.int8]
    reached: npt.NDArray[np.int8]
    journeys: npt.NDArray[np.int64]
    orders: npt.NDArray[np.int64]


def cut_rows(rows: BucketRows, rules: BucketRules) -> Cut:
    """Journeys, orders, signals and stages; sets the flags and the channels that follow from them."""
    _session_channels(rows)
    engaged = _engaged(rows, rules.settings.sessions.engaged_us)
    start = np.zeros(len(rows), dtype=np.uint8)
    start[rows.session_first] = 1
    rows.flags[start == 1] |= FLAG_SESSION_START
    rows.flags[engaged == 1] |= FLAG_ENGAGED
    if not rows.n_persons:
        return _cut_nothing(rows)
    numbers, durations = rows.numbers, rules.settings.journeys
    is_order_or_other = (numbers["event"] != rules.order_event) | (numbers["qualifies"] == ORDER)
    events = kernel.JourneyInput(
        offsets=rows.offsets,
        time=numbers["time"],
        qualifies=numbers["qualifies"],
        inbound=numbers["inbound"],
        goal=rules.goals[numbers["event"]] & is_order_or_other,
        session=rows.session,
        session_start=start,
        engaged=engaged,
        order_ref=numbers["order_ref"],
        cart_ref=numbers["cart_ref"],
        checkout_ref=numbers["checkout_ref"],
        timeout=rules.timeouts[numbers["category"]],
        value=numbers["value"],
        currency=numbers["currency"],
        score=numbers["score"],
        has_cart=numbers["has_cart"],
        copy=numbers["copy"],
    )
    limits = kernel.JourneyRules(
        durations.timeout_us, durations.outbound_lead_us, durations.after_order_us, durations.order_open_us
    )
    journey, order, signal, reached, marks, journeys, orders = kernel.cut_journeys(events, limits)
    for mark, flag in ((1, FLAG_ORDER), (2, FLAG_SAME_ORDER), (4, FLAG_GOAL)):
        rows.flags[(marks & mark) != 0] |= flag
    return Cut(journey, order, signal, reached, journeys, orders)


def _cut_nothing(rows: BucketRows) -> Cut:
    """The unidentified have no journeys, but orders."""
    empty, nothing = np.full(len(rows), -1, dtype=np.int32), np.zeros(len(rows), dtype=np.int8)
    is_order, copy = rows.numbers["qualifies"] == ORDER, rows.numbers["copy"] == 1
    rows.flags[is_order & ~copy] |= FLAG_ORDER
    rows.flags[is_order & copy] |= FLAG_SAME_ORDER
    return Cut(empty, empty, nothing, nothing, np.zeros((0, 13), dtype=np.int64), np.zeros((0, 10), dtype=np.int64))


def _session_channels(rows: BucketRows) -> None:
    """Every event of a session takes the channel of its first event with a known origin; keeps its own beside it."""
    numbers = rows.numbers
    inside = rows.session >= 0
    known = np.flatnonzero(inside & (numbers["known"] == 1))
    # Backwards, so that the first one is the last to be written; without one, the first event's own.
    decides = rows.session_first.copy()
    decides[rows.session[known[::-1]]] = known[::-1]
    for name in ("channel", "channel_rule"):
        own = numbers[f"own_{name}"] = numbers[name]
        numbers[name] = np.where(inside, own[decides][rows.session] if len(decides) else own, own)
    rows.session_origin = decides


def _engaged(rows: BucketRows, engaged_us: int) -> npt.NDArray[np.uint8]:
    """1 on events of sessions with a second action, or of ten seconds (setting)."""
    n_sessions, numbers = len(rows.session_first), rows.numbers
    if not n_sessions:
        return np.zeros(len(rows), dtype=np.uint8)
    actions = count_actions(
        numbers["time"], rows.session, numbers["action"], numbers["page"], n_sessions, _PAGE_LOAD_US
    )
    span = session_ends(rows) - numbers["time"][rows.session_first]
    engaged = (actions >= 2) | (span >= engaged_us)
    return np.where(rows.session >= 0, engaged[rows.session], False).astype(np.uint8)


def session_ends(rows: BucketRows) -> npt.NDArray[np.int64]:
    """Time of each session's last event."""
    ends = np.zeros(len(rows.session_first), dtype=np.int64)
    inside = np.flatnonzero(rows.session >= 0)
    ends[rows.session[inside]] = rows.numbers["time"][inside]  # in ascending time: the last one stays
    return ends
