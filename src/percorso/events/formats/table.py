"""Format `table`: rows of a CSV file, a Parquet file or flat NDJSON, as a mapping says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.columns import flat_table, json_objects
from percorso.events.conversion import CONVERTED_SCHEMA, Converted, Reject, TableChunk
from percorso.events.event import EVENT_TYPES
from percorso.events.formats.assemble import event_table
from percorso.events.formats.late import is_late
from percorso.events.formats.source import SourceInfo, source_info
from percorso.events.formats.table_items import Groups, group_keys, item_lists
from percorso.events.formats.table_money import Currencies, currency_column, money_columns, row_currencies
from percorso.events.formats.table_rows import FAULTS, Rows, first_faults
from percorso.events.mapping import AMOUNT_KEYS, TIME_KEYS, Cell, MappedEvent, Mapping, TimeRule
from percorso.events.prepared_rows import LINE_COLUMN
from percorso.events.times import NOTE_UNREADABLE
from percorso.settings import PLACES, Settings
from percorso.time import UNIX_UNITS_US

__all__ = ["TableMapping"]

#: Parts of a pattern that are of a time of day.
_CLOCK = re.compile("%[HIMSfpXcsT]")
_CHOICES = {"place": PLACES, "direction": ("inbound", "outbound")}
_NUMBERED = frozenset({"user_id", "loyalty_id", "email", "order_id"})
_SPECIAL = frozenset({"type", "sequence", "score", "consent", "currency", *AMOUNT_KEYS, *TIME_KEYS, *_CHOICES})


class TableMapping:
    """Converts rows into events as a mapping says.

    Parameters
    ----------
    settings : Settings
        Time zone, currency and own identifier types of the workspace.
    mapping : Mapping
    latest_us : int, optional
        Rows dated later (microseconds UTC) are rejected, unless they say when they arrived.
    """

    name = "table"

    def __init__(self, settings: Settings, mapping: Mapping, *, latest_us: int | None = None) -> None:
        self._latest_us = latest_us
        self._mapping = mapping
        self._timezone = settings.workspace.timezone
        self._currency = settings.workspace.currency
        self._own_types = settings.identity.own_types
        self.source: SourceInfo = source_info(
            mapping.source, mapping.kind, id_space=mapping.id_space, ref_space=mapping.ref_space
        )

    def convert(self, chunk: TableChunk) -> Converted:
        """The events of the chunk's rows, in file order. With [items], no group may be cut by the chunk."""
        table = flat_table(chunk.table)
        parts = [self._events(table, number) for number in range(len(self._mapping.events))]
        events, raw_row = _in_file_order(parts)
        return Converted(events, raw_row, _rejects(chunk, parts))

    def _events(self, table: pa.Table, number: int) -> _Part:
        """What the mapping's event of that number makes of the rows."""
        event = self._mapping.events[number]
        rows = Rows(table, self._timezone)
        cells = {**self._mapping.columns, **event.columns}
        wanted = np.ones(rows.n, np.bool_) if event.when is None else rows.matches(event.when)
        for key in _NUMBERED & cells.keys():
            rows.fault_totals(cells[key])
        columns = self._when_and_what(rows, event)
        # Of several events, one without a time did not happen (yet): a parcel that is not delivered.
        wanted &= np.asarray(columns["timestamp"].is_valid()) | (rows.faults > 0)
        currencies = row_currencies(rows, cells, self._currency)
        columns |= money_columns(rows, cells, currencies)
        columns |= self._cell_columns(rows, cells, event.time)
        if self._latest_us is not None:
            late = is_late(columns["timestamp"], columns.get("received_at"), self._latest_us)
            rows.fault("time_in_future", np.asarray(late))
        columns["properties"] = self._properties(rows, cells)
        if self._mapping.several and "message_id" in columns:
            columns["message_id"] = pc.binary_join_element_wise(columns["message_id"], str(number), ".")
        if self._mapping.items is not None:
            return self._grouped(rows, wanted, columns, currencies, group_keys(table, self._mapping.items.group_by))
        columns["notes"] = rows.note_column()
        usable = wanted & (rows.faults == 0)
        return _Part(self._table(columns, usable), np.flatnonzero(usable), _faults(rows, wanted))

    def _grouped(
        self,
        rows: Rows,
        wanted: npt.NDArray[np.bool_],
        columns: dict[str, pa.Array],
        currencies: Currencies,
        keys: npt.NDArray[np.uint64],
    ) -> _Part:
        """One event a group: the fields of its first row, and an item from every row."""
        assert self._mapping.items is not None
        groups = Groups.of(keys)
        first = groups.starts
        rows.faults = rows.faults[first][groups.of_row]
        of_groups = currencies.of_rows(first)
        items = item_lists(rows, self._mapping.items, groups, of_groups)
        columns = {name: column.take(pa.array(first)) for name, column in columns.items()}
        columns["items"] = items.lists
        columns["notes"] = rows.note_column().take(pa.array(first))
        if "value" not in columns:
            columns["value"] = items.totals
            columns["currency"] = currency_column(of_groups, [items.totals])
        usable = wanted[first] & (pc.list_value_length(items.lists).to_numpy() > 0)
        return _Part(self._table(columns, usable), first[usable], _faults(rows, wanted[first][groups.of_row]))

    def _when_and_what(self, rows: Rows, event: MappedEvent) -> dict[str, pa.Array]:
        name = rows.cell(event.name)
        time, notes = rows.times(event.time)
        rows.fault_times(notes, missing=not self._mapping.several)
        rows.note_times(notes)
        if name.null_count:
            rows.fault("event_missing", np.asarray(name.is_null()))
        return {"name": name, "timestamp": time, "type": pa.repeat(pa.scalar("track"), rows.n)}

    def _cell_columns(self, rows: Rows, cells: MappingOf[str, Cell], time: TimeRule) -> dict[str, pa.Array]:
        """Every mapped field but name, time and money."""
        columns = {
            key: rows.cell(cell) for key, cell in cells.items() if key not in _SPECIAL and key not in self._own_types
        }
        columns |= {key: _choice(rows, key, cells[key]) for key in _CHOICES if key in cells}
        columns |= {key: _time(rows, key, cells[key], time) for key in TIME_KEYS if key in cells}
        own = {key: rows.cell(cells[key]) for key in self._own_types if key in cells}
        if own:
            columns["other_ids"] = json_objects(own)
        if "type" in cells:
            columns["type"] = _type(rows, cells["type"])
        if "sequence" in cells:
            columns["sequence"] = _number(rows, "sequence", cells["sequence"]).cast(pa.int64(), safe=False)
        if "score" in cells:
            columns["score"] = _number(rows, "score", cells["score"])
        if "consent" in cells:
            columns["consent"] = _json_texts(rows.cell(cells["consent"]))
        return columns

    def _properties(self, rows: Rows, cells: MappingOf[str, Cell]) -> pa.Array:
        keep = self._mapping.keep
        if keep is None:
            used = self._mapping.used_columns()
            keep = tuple(name for name in rows.names if name not in used and name != LINE_COLUMN)
        columns = {name: rows.column(name) for name in keep}
        columns |= {name: self._property(rows, name, cell) for name, cell in self._mapping.properties.items()}
        return json_objects(columns) if columns else pa.nulls(rows.n, pa.string())

    @staticmethod
    def _property(rows: Rows, name: str, cell: Cell) -> pa.Array:
        """A property as text; one with a format is a time, written as ISO in UTC. A day stays a day."""
        if not cell.format or not cell.columns:
            return rows.cell(cell)
        found, notes = rows.times(TimeRule(cell.columns[0], cell.format, cell.timezone))
        rows.note("property_unreadable", notes == NOTE_UNREADABLE)
        if cell.format not in ("iso", *UNIX_UNITS_US) and not _CLOCK.search(cell.format):
            found, _ = rows.times(TimeRule(cell.columns[0], cell.format, "UTC"))
            return pc.strftime(found, "%Y-%m-%d")
        return pc.strftime(found.cast(pa.timestamp("s", tz="UTC"), safe=False), "%Y-%m-%dT%H:%M:%SZ")

    def _table(self, columns: dict[str, pa.Array], usable: npt.NDArray[np.bool_]) -> pa.Table:
        if not usable.all():
            mask = pa.array(usable)
            columns = {name: column.filter(mask) for name, column in columns.items()}
        return event_table(columns, int(usable.sum()), self.source)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one event of the mapping makes of a chunk: event rows, the rows they came from, row -> reason."""

    events: pa.Table
    raw_row: npt.NDArray[np.int64]
    faults: MappingOf[int, str]


def _faults(rows: Rows, wanted: npt.NDArray[np.bool_]) -> MappingOf[int, str]:
    return {row: reason for row, reason in first_faults(rows.faults).items() if wanted[row]}


def _in_file_order(parts: list[_Part]) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Events of all parts by row, those of one row as the mapping lists them."""
    if len(parts) == 1:
        return parts[0].events, parts[0].raw_row
    raw_row = np.concatenate([part.raw_row for part in parts] or [np.zeros(0, np.int64)])
    if not parts:
        return CONVERTED_SCHEMA.empty_table(), raw_row
    order = np.argsort(raw_row, kind="stable")
    return pa.concat_tables([part.events for part in parts]).take(pa.array(order)), raw_row[order]


def _rejects(chunk: TableChunk, parts: list[_Part]) -> list[Reject]:
    """One reject a row, with the first reason found."""
    reasons: dict[int, str] = {}
    for part in parts:
        for row, reason in part.faults.items():
            reasons.setdefault(row, reason)
    return [
        Reject(int(chunk.lines[row]), reasons[row], FAULTS[reasons[row]], chunk.raw(row)) for row in sorted(reasons)
    ]


def _choice(rows: Rows, key: str, cell: Cell) -> pa.Array:
    """A field of few allowed values; any other is left out, with a note."""
    if not cell.columns:
        return rows.cell(cell)
    texts = pc.utf8_lower(rows.cell(cell))
    unknown = np.asarray(texts.is_valid()) & ~np.asarray(pc.is_in(texts, value_set=pa.array(_CHOICES[key])))
    rows.note(f"{key}_unknown", unknown)
    return pc.if_else(pa.array(unknown), pa.scalar(None, pa.string()), texts) if unknown.any() else texts


def _time(rows: Rows, key: str, cell: Cell, time: TimeRule) -> pa.Array:
    """A time beside the event's own; one that cannot be read is left out, with a note."""
    rule = TimeRule(cell.columns[0], cell.format or time.format, cell.timezone or time.timezone)
    found, notes = rows.times(rule)
    rows.note(f"{key}_unreadable", notes == NOTE_UNREADABLE)
    return found


def _number(rows: Rows, key: str, cell: Cell) -> pa.Array:
    """A number; what is none is left out, with a note."""
    numbers, wrong = rows.numbers(cell)
    rows.note(f"{key}_unreadable", wrong)
    return numbers


def _type(rows: Rows, cell: Cell) -> pa.Array:
    texts = pc.utf8_lower(rows.cell(cell)).fill_null("track")
    rows.fault("type_unknown", ~np.asarray(pc.is_in(texts, value_set=pa.array(EVENT_TYPES))))
    return texts


def _json_texts(texts: pa.StringArray) -> pa.Array:
    """Texts as JSON: those that are JSON objects or lists stay, any other becomes a JSON string."""
    coded = texts.dictionary_encode()
    return pa.array([_as_json(text) for text in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _as_json(text: str) -> str:
    try:
        if isinstance(json.loads(text), dict | list):
            return text
    except ValueError:
        pass
    return json.dumps(text, ensure_ascii=False)
