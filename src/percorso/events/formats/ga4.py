"""Format `ga4`: rows of GA4's BigQuery export, as NDJSON or as nested Parquet.

An event's origin is what was collected with it: `collected_traffic_source`, its own campaign parameters,
its URL. `traffic_source` is where the user first came from, years ago perhaps; it counts for the user's
first event alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial

import msgspec
import numpy as np
import pyarrow as pa

from percorso.events.conversion import Converted, LineChunk, Reject, TableChunk
from percorso.events.formats.assemble import event_table, joined, line_reject, table_reject, without_faulty
from percorso.events.formats.commerce import PropertyBlock, left_over, property_columns
from percorso.events.formats.ga4_names import GA4_EVENT_NAMES
from percorso.events.formats.ga4_orders import order_objects
from percorso.events.formats.ga4_origin import campaign_columns, extra_properties
from percorso.events.formats.ga4_rows import ArrowRows, Ga4Line, Ga4Rows, LineRows, Params, decode_ga4_line
from percorso.events.formats.ga4_values import known_column
from percorso.events.formats.json_times import UTC_TYPE
from percorso.events.formats.json_values import Faults, as_text, json_fault, json_text, object_column, uncollected
from percorso.events.formats.property_keys import Objects, shape_of
from percorso.events.formats.source import SourceInfo
from percorso.settings import Settings

__all__ = ["GA4_EVENT_NAMES", "Ga4LineFormat", "Ga4TableFormat"]

_BLOCK = 4096
_TYPES = {"page_view": "page", "screen_view": "screen"}
_KINDS = {"WEB": "web", "ANDROID": "app", "IOS": "app"}


class _Ga4:
    """What both forms share: a block of rows to event columns."""

    name = "ga4"

    def __init__(self, settings: Settings, source: SourceInfo) -> None:
        self._currency = settings.workspace.currency
        self._source = source

    def _converted(self, rows: Ga4Rows, faults: Faults) -> pa.Table:
        return event_table(self._columns(rows, faults), len(rows), self._source)

    def _columns(self, rows: Ga4Rows, faults: Faults) -> dict[str, pa.Array]:
        params = rows.params("event_params")
        names = [as_text(name) or "" for name in rows.values("event_name")]
        for row, name in enumerate(names):
            if not name:
                faults.add(row, "event_missing", "the row has no event_name")
        columns = {
            "name": pa.array([GA4_EVENT_NAMES.get(name, name) for name in names], pa.string()),
            "type": pa.array([_TYPES.get(name, "track") for name in names], pa.string()),
            "timestamp": _times(rows, faults),
            "message_id": _message_ids(rows, names, params),
            "sequence": _sequences(rows, params),
            "source_kind": self._kinds(rows),
            "user_id": known_column(rows.values("user_id")),
            "anonymous_id": known_column(rows.values("user_pseudo_id")),
            "device_id": known_column(rows.values("device.vendor_id")),
            "consent": object_column(rows.values("privacy_info")),
            "url": known_column([entry.get("page_location") for entry in params]),
            "title": known_column([entry.get("page_title") or entry.get("firebase_screen") for entry in params]),
            "referrer": known_column([entry.get("page_referrer") for entry in params]),
            "device": known_column(rows.values("device.category")),
            "os": known_column(rows.values("device.operating_system")),
            "app": known_column(rows.values("app_info.id")),
            "locale": known_column(rows.values("device.language")),
            "country": known_column(rows.values("geo.country")),
        }
        columns |= campaign_columns(rows, params, names)
        block = self._commerce(rows, params)
        columns |= property_columns(block, faults)
        columns["properties"] = left_over(block, extra_properties(rows, params))
        return columns

    def _kinds(self, rows: Ga4Rows) -> pa.Array:
        kinds = [_KINDS.get(platform or "", self._source.kind) for platform in rows.values("platform")]
        return pa.array(kinds, pa.string())

    def _commerce(self, rows: Ga4Rows, params: Sequence[Params]) -> PropertyBlock:
        objects = order_objects(rows, params)
        shapes = [shape_of(tuple(entry), False, False, False) for entry in objects]
        return PropertyBlock(Objects(objects, shapes), [False] * len(objects), self._currency)


def _times(rows: Ga4Rows, faults: Faults) -> pa.Array:
    times: list[int] = []
    for row, value in enumerate(rows.values("event_timestamp")):
        us = int(value) if str(value).isdigit() and len(str(value)) <= 17 else 0
        if not us:
            missing = value in (None, "")
            faults.add(
                row,
                "time_missing" if missing else "time_unreadable",
                "the row has no event_timestamp" if missing else "event_timestamp is no count of microseconds",
            )
        times.append(us)
    return pa.array(times, UTC_TYPE)


def _integers(rows: Ga4Rows, params: Sequence[Params], name: str) -> list[int | None]:
    """A whole number that newer exports give a column of its own and older ones a parameter."""
    found = [
        as_text(entry.get(name) if value is None else value)
        for value, entry in zip(rows.values(name), params, strict=True)
    ]
    return [int(text) if text is not None and text.lstrip("-").isdecimal() else None for text in found]


def _sequences(rows: Ga4Rows, params: Sequence[Params]) -> pa.Array:
    """The order of events of equal time: by request, then by place in it; older exports know the bundle alone."""
    requests = _integers(rows, params, "batch_ordering_id")
    places = _integers(rows, params, "batch_event_index")
    bundles = _integers(rows, params, "event_bundle_sequence_id")
    return pa.array(
        [
            (bundle or 0) if request is None else request * 100_000 + (place or 0)
            for request, place, bundle in zip(requests, places, bundles, strict=True)
        ],
        pa.int64(),
    )


def _message_ids(rows: Ga4Rows, names: Sequence[str], params: Sequence[Params]) -> pa.Array:
    """A hash of what tells two events apart, and of nothing that Google adds later to the same event.

    Exports from before the batch columns have events that differ in their parameters and products alone.
    """
    keys = [rows.values(name) for name in ("user_pseudo_id", "user_id", "event_timestamp", "event_bundle_sequence_id")]
    batch = [_integers(rows, params, name) for name in ("batch_page_id", "batch_ordering_id", "batch_event_index")]
    ids: list[str] = []
    for row, (name, entry, lines) in enumerate(zip(names, params, rows.items(), strict=True)):
        place = [column[row] for column in batch]
        parts: list[object] = [name, *(as_text(key[row]) for key in keys), *place]
        if None in place:
            parts += [
                entry,
                [{key: line.get(key) for key in ("item_id", "item_name", "item_variant")} for line in lines],
            ]
        ids.append(hashlib.blake2b(json_text(parts).encode(), digest_size=16).hexdigest())
    return pa.array(ids, pa.string())


class Ga4LineFormat(_Ga4):
    """The export's rows as NDJSON."""

    def convert(self, chunk: LineChunk) -> Converted:
        """Event rows of the chunk, in file order, and the lines that are none."""
        with uncollected():
            return joined([self._lines(chunk, start) for start in range(0, len(chunk.texts), _BLOCK)])

    def _lines(self, chunk: LineChunk, start: int) -> Converted:
        lines: list[Ga4Line] = []
        at: list[int] = []
        rejected: list[Reject] = []
        for row in range(start, min(start + _BLOCK, len(chunk.texts))):
            try:
                lines.append(decode_ga4_line(chunk.texts[row]))
                at.append(row)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                rejected.append(line_reject(chunk, row, *json_fault(error)))
        faults = Faults()
        table = self._converted(LineRows(lines), faults)
        return without_faulty(table, np.array(at, np.int64), faults, rejected, partial(line_reject, chunk))


class Ga4TableFormat(_Ga4):
    """The export's rows as Parquet with nested columns."""

    def convert(self, chunk: TableChunk) -> Converted:
        """Event rows of the chunk, in file order, and the rows that are none."""
        with uncollected():
            return joined([self._rows(chunk, start) for start in range(0, chunk.table.num_rows, _BLOCK)])

    def _rows(self, chunk: TableChunk, start: int) -> Converted:
        rows = ArrowRows(chunk.table.slice(start, _BLOCK))
        faults = Faults()
        table = self._converted(rows, faults)
        at = np.arange(start, start + len(rows), dtype=np.int64)
        return without_faulty(table, at, faults, [], partial(table_reject, chunk))
