"""Reading and writing mapping files (TOML). Every error names the key, its line and what is allowed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from percorso.errors import MappingError, TimeError, nearest_hint
from percorso.events.event import EVENT_TYPES, SOURCE_KINDS
from percorso.events.mapping import (
    COLUMN_KEYS,
    ITEM_KEYS,
    SIDE_KEYS,
    Cell,
    ItemRule,
    MappedEvent,
    Mapping,
    PathsRule,
    SideRule,
    TimeRule,
    When,
)
from percorso.language.said import said
from percorso.settings import CURRENCY_EXPONENTS, PLACES
from percorso.settings.lines import line_of
from percorso.time import UNIX_UNITS_US, zone_of

__all__ = ["SOURCE_NAME", "parse_mapping"]

#: What a source may be called: the name stands in folder names and on command lines.
SOURCE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,63}")

_TABLE_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_TOP = (
    "source",
    "kind",
    "file",
    "event",
    "timestamp",
    "events",
    "columns",
    "spaces",
    "items",
    "properties",
    "prepare",
    "paths",
    *SIDE_KEYS,
)
#: A header further down is none: what stands above it would be data.
_LINES = 100
_CELL = ("column", "columns", "value", "decimal", "values", "format", "timezone")
_DIRECTIONS = ("inbound", "outbound")
_ALLOWED_VALUES = {
    "place": PLACES,
    "direction": _DIRECTIONS,
    "type": EVENT_TYPES,
    "currency": tuple(CURRENCY_EXPONENTS),
}

_Path = tuple[str | int, ...]


def parse_mapping(text: str, *, where: str, own_types: Iterable[str] = ()) -> Mapping:
    """Read a mapping file.

    Parameters
    ----------
    text : str
        TOML.
    where : str
        The file's name, for messages.
    own_types : iterable of str
        Identifier types of the workspace's own, allowed in [columns] too.

    Raises
    ------
    MappingError
        It is no TOML, a key is unknown or missing, or a value is not allowed.

    Examples
    --------
    >>> mapping = parse_mapping('''
    ... source = "pos"
    ... kind = "pos"
    ... event = { value = "Order Completed" }
    ... timestamp = { column = "when", format = "%d/%m/%Y %H:%M" }
    ... ''', where="pos.toml")
    >>> mapping.events[0].time.column
    'when'
    """
    try:
        document = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise MappingError(
            said("errors.mapping_not_toml", file=where, reason=str(error)), hint=said("errors.mapping_not_toml_hint")
        ) from error
    return _Reader(text, where, (*COLUMN_KEYS, *own_types)).mapping(document)


@dataclass(frozen=True, slots=True)
class _Reader:
    text: str
    where: str
    column_keys: tuple[str, ...]

    def mapping(self, document: dict[str, Any]) -> Mapping:
        self._check_keys(document, _TOP, ())
        source = self._text(document, "source", (), required=True)
        if not SOURCE_NAME.fullmatch(source):
            self._fail(("source",), "must be a short name", "Letters, digits, blanks and . _ - are allowed.")
        kind = self._choice(document, "kind", (), SOURCE_KINDS)
        side = self._side(document)
        events, several = self._events(document)
        spaces = self._table(document, "spaces", ())
        self._check_keys(spaces, ("id_space", "ref_space"), ("spaces",))
        prepare = self._table(document, "prepare", ())
        self._check_keys(prepare, ("sql", "tables"), ("prepare",))
        return Mapping(
            source=source,
            kind=kind,
            events=events,
            several=several,
            columns=self._cells(document, ("columns",), self.column_keys),
            id_space=self._text(spaces, "id_space", ("spaces",)),
            ref_space=self._text(spaces, "ref_space", ("spaces",)),
            items=self._items(document),
            keep=self._keep(document),
            prepare_sql=self._text(prepare, "sql", ("prepare",), required=bool(prepare)),
            prepare_tables=self._tables(prepare),
            paths=self._paths(document),
            side=side,
            properties=self._properties(document),
            header_line=self._header_line(document),
        )

    def _header_line(self, document: dict[str, Any]) -> int:
        table = self._table(document, "file", ())
        self._check_keys(table, ("header_line",), ("file",))
        line = table.get("header_line", 0)
        if not isinstance(line, int) or isinstance(line, bool) or ("header_line" in table and not 1 <= line <= _LINES):
            self._fail(("file", "header_line"), f"must be a whole number from 1 to {_LINES}", "Write header_line = 3.")
        return line

    def _events(self, document: dict[str, Any]) -> tuple[tuple[MappedEvent, ...], bool]:
        if "events" in document:
            entries = document["events"]
            if "event" in document or "timestamp" in document:
                self._fail(("events",), "stands beside [event] or [timestamp]", "Use one form or the other.")
            if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) for e in entries):
                self._fail(("events",), "must be a list of tables", "Write [[events]] for each event.")
            return tuple(self._event(entry, ("events", i)) for i, entry in enumerate(entries)), True
        if ("paths" in document or SIDE_KEYS.keys() & document) and "event" not in document:
            return (), False
        for key in ("event", "timestamp"):
            if key not in document:
                self._fail((key,), "is missing", "Every mapping says which event happened, and when.")
        return (self._event({key: document[key] for key in ("event", "timestamp")}, ()),), False

    def _event(self, entry: dict[str, Any], path: _Path) -> MappedEvent:
        self._check_keys(entry, ("event", "timestamp", "when", "columns"), path)
        for key in ("event", "timestamp"):
            if key not in entry:
                self._fail((*path, key), "is missing", "Every event says which one it is, and when it happened.")
        when = self._table(entry, "when", path)
        return MappedEvent(
            name=self._cell(entry["event"], (*path, "event"), ("column", "value", "values")),
            time=self._time(entry["timestamp"], (*path, "timestamp")),
            when=self._when(when, (*path, "when")) if when else None,
            columns=self._cells(entry, (*path, "columns"), self.column_keys),
        )

    def _time(self, given: Any, path: _Path) -> TimeRule:
        table = {"column": given} if isinstance(given, str) else given
        if not isinstance(table, dict):
            self._fail(path, "must be a table", 'Write { column = "when", format = "iso" }.')
        self._check_keys(table, ("column", "format", "timezone"), path)
        return TimeRule(
            self._text(table, "column", path, required=True),
            self._format(table, path) or "iso",
            self._zone(table, path),
        )

    def _when(self, table: dict[str, Any], path: _Path) -> When:
        self._check_keys(table, ("column", "equals", "matches"), path)
        column = self._text(table, "column", path, required=True)
        if ("equals" in table) == ("matches" in table):
            self._fail(path, "needs one of equals and matches", 'Write { column = "status", equals = "paid" }.')
        given = table.get("equals", [])
        equals = [given] if isinstance(given, str | int | float | bool) else given
        if not isinstance(equals, list):
            self._fail((*path, "equals"), "must be a text or a list of texts", "")
        pattern = self._text(table, "matches", path)
        self._check_pattern(pattern, (*path, "matches"))
        return When(column, tuple(_as_text(value) for value in equals), pattern)

    def _check_pattern(self, pattern: str, path: _Path) -> None:
        try:
            re.compile(pattern)
        except re.error as error:
            self._fail(path, f"is no regular expression ({error})", "")

    def _items(self, document: dict[str, Any]) -> ItemRule | None:
        if "items" not in document:
            return None
        table = self._table(document, "items", ())
        groups = table.get("group_by")
        names = [groups] if isinstance(groups, str) else groups
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            self._fail(("items", "group_by"), "must be a list of columns", 'Write group_by = ["receipt"].')
        rest = {"items": {key: value for key, value in table.items() if key != "group_by"}}
        return ItemRule(tuple(names), self._cells(rest, ("items",), ITEM_KEYS))

    def _keep(self, document: dict[str, Any]) -> tuple[str, ...] | None:
        if "properties" not in document:
            return ()
        table = self._table(document, "properties", ())
        keep = table.get("keep", [])
        if keep == "*":
            return None
        if not isinstance(keep, list) or not all(isinstance(name, str) for name in keep):
            self._fail(("properties", "keep"), 'must be "*" or a list of columns', "")
        return tuple(keep)

    def _properties(self, document: dict[str, Any]) -> dict[str, Cell]:
        table = self._table(document, "properties", ())
        path = ("properties",)
        return {key: self._cell(value, (*path, key), _CELL) for key, value in table.items() if key != "keep"}

    def _side(self, document: dict[str, Any]) -> SideRule | None:
        given = [name for name in SIDE_KEYS if name in document]
        if not given:
            return None
        name = given[0]
        for other in (*given[1:], "event", "events", "timestamp", "columns", "items", "properties", "paths"):
            if other in document:
                self._fail((other,), f"stands beside [{name}]", "One mapping makes events, or rows of one other table.")
        cells = self._cells(document, (name,), SIDE_KEYS[name])
        needed = [("product_id", "sku"), *([("day",), ("quantity",)] if name == "stock" else [])]
        for keys in needed:
            if not cells.keys() & set(keys):
                self._fail((name, keys[0]), "is missing", f"[{name}] needs {' or '.join(keys)}.")
        return SideRule(name, cells)

    def _tables(self, prepare: dict[str, Any]) -> dict[str, str]:
        tables = self._table(prepare, "tables", ("prepare",))
        for name, file in tables.items():
            if not _TABLE_NAME.fullmatch(name) or name == "file":
                hint = "Lower-case letters, digits and _ are allowed; `file` is the imported file."
                self._fail(("prepare", "tables", name), "cannot be a table's name", hint)
            if not isinstance(file, str) or not file:
                self._fail(
                    ("prepare", "tables", name), "must be the name of a file", 'Write { stores = "stores.csv" }.'
                )
        return tables

    def _paths(self, document: dict[str, Any]) -> PathsRule | None:
        if "paths" not in document:
            return None
        table = self._table(document, "paths", ())
        self._check_keys(table, ("path", "separator", "conversions", "value", "nulls"), ("paths",))
        return PathsRule(
            path=self._text(table, "path", ("paths",), required=True),
            separator=self._text(table, "separator", ("paths",)) or ">",
            conversions=self._text(table, "conversions", ("paths",)),
            value=self._text(table, "value", ("paths",)),
            nulls=self._text(table, "nulls", ("paths",)),
        )

    def _cells(self, document: dict[str, Any], path: _Path, allowed: Sequence[str]) -> dict[str, Cell]:
        table = self._table(document, str(path[-1]), path[:-1])
        self._check_keys(table, allowed, path)
        cells = {key: self._cell(value, (*path, key), _CELL) for key, value in table.items()}
        for key, cell in cells.items():
            choices = _ALLOWED_VALUES.get(key, ())
            for value in [*([] if cell.columns else [cell.value]), *cell.values.values()]:
                if choices and value not in choices:
                    self._fail((*path, key), f"has the value {value!r}", nearest_hint(value, choices))
        return cells

    def _cell(self, given: Any, path: _Path, allowed: Sequence[str]) -> Cell:
        if isinstance(given, str):
            return Cell(columns=(given,))
        if not isinstance(given, dict):
            self._fail(path, "must be a column name or a table", 'Write "column" or { value = "constant" }.')
        self._check_keys(given, allowed, path)
        if sum(key in given for key in ("column", "columns", "value")) != 1:
            several = "column, columns and value" if "columns" in allowed else "column and value"
            self._fail(path, f"needs exactly one of {several}", 'Write { column = "a" } or { value = "constant" }.')
        columns = given.get("columns", [given["column"]] if "column" in given else [])
        if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
            self._fail((*path, "columns"), "must be a list of columns", "")
        decimal = self._choice(given, "decimal", path, (".", ",")) if "decimal" in given else "."
        values = self._table(given, "values", path)
        return Cell(
            columns=tuple(columns),
            value=_as_text(given.get("value", "")),
            decimal=decimal,
            values={raw: _as_text(value) for raw, value in values.items()},
            format=self._format(given, path),
            timezone=self._zone(given, path),
        )

    def _format(self, table: dict[str, Any], path: _Path) -> str:
        given = self._text(table, "format", path)
        if given and "%" not in given and given not in ("iso", *UNIX_UNITS_US):
            hint = nearest_hint(given, ("iso", *UNIX_UNITS_US)) + ' Or a pattern such as "%d/%m/%Y %H:%M".'
            self._fail((*path, "format"), f"has the value {given!r}", hint)
        return given

    def _zone(self, table: dict[str, Any], path: _Path) -> str:
        given = self._text(table, "timezone", path)
        if given:
            try:
                zone_of(given)
            except TimeError as error:
                self._fail((*path, "timezone"), f"has the value {given!r}", error.hint)
        return given

    def _table(self, document: dict[str, Any], key: str, path: _Path) -> dict[str, Any]:
        given = document.get(key, {})
        if not isinstance(given, dict):
            self._fail((*path, key), "must be a table", "")
        return given

    def _text(self, table: dict[str, Any], key: str, path: _Path, *, required: bool = False) -> str:
        given = table.get(key, "")
        if not isinstance(given, str):
            self._fail((*path, key), "must be a text", "")
        if required and not given.strip():
            self._fail((*path, key), "is missing", "")
        return given

    def _choice(self, table: dict[str, Any], key: str, path: _Path, allowed: Sequence[str]) -> str:
        given = self._text(table, key, path)
        if given not in allowed:
            what = f"has the value {given!r}" if key in table else "is missing"
            self._fail((*path, key), what, nearest_hint(given, allowed, show=20))
        return given

    def _check_keys(self, table: dict[str, Any], allowed: Sequence[str], path: _Path) -> None:
        for key in table:
            if key not in allowed:
                self._fail((*path, key), "is no key of a mapping here", nearest_hint(key, allowed, show=20))

    def _fail(self, path: _Path, what: str, hint: str) -> NoReturn:
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
        line = line_of(self.text, path)
        at = f", line {line}" if line else ""
        raise MappingError(f"{self.where}{at}: {key} {what}.", hint=hint, fields={"key": key, "line": line})


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
