"""Format `segment`: NDJSON files of Segment and RudderStack messages.

Times are stored as sent. The clocks of devices are corrected by the build, from the stored times
(definitions, section 6): applying ``receivedAt - (sentAt - originalTimestamp)`` here would add each
request's network delay and swap events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.conversion import Converted, LineChunk, Reject
from percorso.events.event import EVENT_TYPES
from percorso.events.formats.assemble import event_table, joined, line_reject, without_faulty
from percorso.events.formats.commerce import PropertyBlock, is_feedback, left_over, property_columns
from percorso.events.formats.json_times import time_column
from percorso.events.formats.json_values import Faults, as_text, json_fault, text_column, uncollected
from percorso.events.formats.property_keys import Objects, shape_of
from percorso.events.formats.segment_context import ContextBlock, context_block, context_columns, context_left_over
from percorso.events.formats.segment_identity import identity_columns
from percorso.events.formats.segment_messages import Message, decode_line
from percorso.events.formats.segment_pages import page_columns
from percorso.events.formats.source import SourceInfo
from percorso.settings import Settings

__all__ = ["TYPE_NAMES", "SegmentFormat"]

#: Messages a block is converted at a time: small enough to stay in the processor's cache (twice as fast as 65,536).
_BLOCK = 4096

#: Event names of messages that have none of their own.
TYPE_NAMES = {
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "identify": "Identified",
    "group": "Group Joined",
    "alias": "Aliased",
}
_PAGES = ("page", "screen")


class SegmentFormat:
    """Converts lines of messages, one or a batch each, into event rows."""

    name = "segment"

    def __init__(self, settings: Settings, source: SourceInfo) -> None:
        self._settings = settings
        self._source = source
        self._channel = source.kind not in ("web", "app")

    def convert(self, chunk: LineChunk) -> Converted:
        """Event rows of the chunk's messages, in file order, and the lines that are none."""
        with uncollected():
            return joined([self._block(chunk, start) for start in range(0, len(chunk.texts), _BLOCK)])

    def _block(self, chunk: LineChunk, start: int) -> Converted:
        messages, rows, rejected = _decode(chunk, start, min(start + _BLOCK, len(chunk.texts)))
        faults = Faults()
        table = event_table(self._columns(messages, faults), len(messages), self._source)
        return without_faulty(table, np.array(rows, np.int64), faults, rejected, partial(line_reject, chunk))

    def _columns(self, messages: Sequence[Message], faults: Faults) -> dict[str, pa.Array]:
        types = _types(messages, faults)
        names = _names(messages, types, faults)
        contexts = context_block([message.context or {} for message in messages])
        block = self._properties(messages, types, names)
        columns = {
            "type": pa.array(types, pa.string()),
            "name": text_column(names),
            "message_id": text_column([message.message_id for message in messages]),
            "sequence": _sequences(messages),
        }
        columns |= identity_columns(messages, contexts, self._settings.identity.own_types)
        columns |= _time_columns(messages, faults)
        in_context = context_columns(contexts)
        in_properties = property_columns(block, faults)
        if self._channel:
            in_properties["channel"] = text_column([entry.get("channel") for entry in block.properties.objects])
        for name, column in (*in_context.items(), *in_properties.items(), *page_columns(messages, contexts).items()):
            columns[name] = pc.coalesce(columns[name], column) if name in columns else column
        columns["properties"] = left_over(block, _extras(messages, contexts))
        return columns

    def _properties(self, messages: Sequence[Message], types: Sequence[str], names: Sequence[str]) -> PropertyBlock:
        objects: list[Mapping[str, object]] = [message.properties or {} for message in messages]
        feedback = [is_feedback(name) for name in names]
        shapes = [
            shape_of(tuple(entry), kind in _PAGES, said, self._channel)
            for entry, kind, said in zip(objects, types, feedback, strict=True)
        ]
        return PropertyBlock(Objects(objects, shapes), feedback, self._settings.workspace.currency)


def _decode(chunk: LineChunk, start: int, stop: int) -> tuple[list[Message], list[int], list[Reject]]:
    """Messages of the lines from `start` to `stop`, the line index of each, and the lines that hold none."""
    messages: list[Message] = []
    rows: list[int] = []
    rejected: list[Reject] = []
    for row in range(start, stop):
        try:
            decoded = decode_line(chunk.texts[row])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            rejected.append(line_reject(chunk, row, *json_fault(error)))
            continue
        for message in decoded:
            if isinstance(message, Message):
                messages.append(message)
                rows.append(row)
            else:
                rejected.append(line_reject(chunk, row, *json_fault(message)))
    return messages, rows, rejected


def _types(messages: Sequence[Message], faults: Faults) -> list[str]:
    types = [message.type or "" for message in messages]
    for row, kind in enumerate(types):
        if kind not in EVENT_TYPES:
            types[row] = kind.strip().lower() or ("track" if messages[row].event else "")
            if types[row] not in EVENT_TYPES:
                faults.add(row, "type_unknown", f"a message is one of {', '.join(EVENT_TYPES)}")
                types[row] = "track"
    return types


def _names(messages: Sequence[Message], types: Sequence[str], faults: Faults) -> list[str]:
    names: list[str] = []
    for row, (message, kind) in enumerate(zip(messages, types, strict=True)):
        name = TYPE_NAMES.get(kind) or (as_text(message.event) or "").strip()
        if not name:
            faults.add(row, "event_missing", "a track message has no event name")
        names.append(name or "?")
    return names


def _sequences(messages: Sequence[Message]) -> pa.Array:
    """The sender's own, else 0: messages of equal time stand by their ids, in whatever file they come.

    Messages without an id keep null, and the import gives them their place in the file.
    """
    return pa.array(
        [0 if m.sequence is None and m.message_id is not None else m.sequence for m in messages], pa.int64()
    )


def _time_columns(messages: Sequence[Message], faults: Faults) -> dict[str, pa.Array]:
    corrected, unreadable = time_column([message.timestamp for message in messages])
    original, also_unreadable = time_column([message.original_timestamp for message in messages])
    timestamp = pc.coalesce(original, corrected)
    for row in np.flatnonzero(np.asarray(timestamp.is_null())):
        if row in unreadable or row in also_unreadable:
            faults.add(int(row), "time_unreadable", "the timestamp is no time")
        else:
            faults.add(int(row), "time_missing", "the message has no timestamp")
    return {
        "timestamp": timestamp.fill_null(pa.scalar(0, timestamp.type)) if faults else timestamp,
        "original_timestamp": original,
        "received_at": time_column([message.received_at for message in messages])[0],
        "sent_at": time_column([message.sent_at for message in messages])[0],
    }


def _extras(messages: Sequence[Message], contexts: ContextBlock) -> list[dict[str, Any] | None]:
    """What has no column but is worth keeping: a page's name and category, the group, the rest of the context."""
    extras: list[dict[str, Any] | None] = [None] * len(messages)
    for row, (message, context, shape) in enumerate(zip(messages, contexts.contexts, contexts.shapes, strict=True)):
        kept: dict[str, Any] = {}
        if message.type in _PAGES:
            kept = {"name": message.name, "category": message.category}
        elif message.group_id is not None:
            kept = {"group_id": message.group_id}
        if shape.left or shape.nested:
            kept["context"] = context_left_over(context, shape)
        if kept:
            extras[row] = {key: value for key, value in kept.items() if value is not None} or None
    return extras
