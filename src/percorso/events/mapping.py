"""What a mapping file says: which columns of a table become which fields of an event.

Written by people as TOML (docs/reference/mapping.md), read by `mapping_file.parse_mapping`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from percorso.errors import MappingError, nearest_hint
from percorso.language.said import said

__all__ = [
    "AMOUNT_KEYS",
    "COLUMN_KEYS",
    "ITEM_KEYS",
    "SIDE_KEYS",
    "TIME_KEYS",
    "Cell",
    "ItemRule",
    "MappedEvent",
    "Mapping",
    "PathsRule",
    "SideRule",
    "TimeRule",
    "When",
    "check_columns",
]

#: Keys of [columns] that are amounts; `revenue`, `subtotal` and `total` only serve to find the value.
AMOUNT_KEYS = ("value", "revenue", "subtotal", "total", "tax", "shipping", "discount")
TIME_KEYS = ("original_timestamp", "received_at", "sent_at")

#: Keys of [columns], beside the workspace's own identifier types.
COLUMN_KEYS = (
    "user_id",
    "loyalty_id",
    "email",
    "phone",
    "card_token",
    "anonymous_id",
    "device_id",
    "previous_id",
    "message_id",
    "type",
    "sequence",
    "session_id",
    "order_id",
    "return_id",
    "ticket_id",
    "conversation_id",
    "coupon",
    "cart_id",
    "checkout_id",
    "consent",
    "channel",
    "place",
    "direction",
    "touchpoint",
    "url",
    "title",
    "referrer",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "click_id",
    "user_agent",
    "device",
    "os",
    "app",
    "locale",
    "timezone",
    "country",
    "currency",
    "product_id",
    "category",
    "score",
    "text",
    *AMOUNT_KEYS,
    *TIME_KEYS,
)

#: Tables beside the events -> keys of their section in a mapping.
SIDE_KEYS = {
    "catalogue": ("product_id", "sku", "name", "category", "brand", "price", "cost", "currency"),
    "stock": ("day", "store", "product_id", "sku", "quantity"),
}

ITEM_KEYS = ("product_id", "sku", "name", "category", "brand", "variant", "quantity", "price")


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a field comes from: a column, several columns joined, or one value for all rows.

    Parameters
    ----------
    columns : tuple of str
        None or one column, or the columns whose texts are joined with "-".
    value : str
        The constant, where there is no column.
    decimal : {".", ","}
        What separates decimals, for amounts and numbers.
    values : dict
        Raw text -> text to store; others stay as they are.
    format, timezone : str
        For times; "" takes those of the event's timestamp.
    """

    columns: tuple[str, ...] = ()
    value: str = ""
    decimal: str = "."
    values: dict[str, str] = field(default_factory=dict)
    format: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class TimeRule:
    """The column of the event's time, its format ("iso", "unix_s", "%d/%m/%Y", ...) and zone ("" = workspace's)."""

    column: str
    format: str = "iso"
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """A condition on a row: the column's text equals one of `equals`, or matches the whole pattern `matches`."""

    column: str
    equals: tuple[str, ...] = ()
    matches: str = ""


@dataclass(frozen=True, slots=True)
class MappedEvent:
    """One event that a row gives. `columns` are added to the mapping's own, or replace them."""

    name: Cell
    time: TimeRule
    when: When | None = None
    columns: dict[str, Cell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemRule:
    """Rows of equal `group_by` become one event; each row is a line of its items."""

    group_by: tuple[str, ...]
    fields: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class PathsRule:
    """Columns of a file of aggregated paths (format `paths`)."""

    path: str
    separator: str = ">"
    conversions: str = ""
    value: str = ""
    nulls: str = ""


@dataclass(frozen=True, slots=True)
class SideRule:
    """Rows that are no events: `table` is one of SIDE_KEYS, `fields` says where each of its fields comes from."""

    table: str
    fields: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A whole mapping file.

    Parameters
    ----------
    source, kind : str
        Name and kind of the source.
    events : tuple of MappedEvent
        One for [event]; any number for [[events]]; none for a file of paths.
    several : bool
        Written as [[events]]: message ids carry the number of the event.
    columns : dict of str to Cell
        Event field (a key of `COLUMN_KEYS` or an own identifier type) -> where it comes from.
    id_space, ref_space : str
        "" stands for the source's name.
    items : ItemRule, optional
    keep : tuple of str, optional
        Columns kept as properties; None: all that nothing else uses.
    prepare_sql : str
        SQL over `file` whose rows are mapped instead of the file's.
    prepare_tables : dict of str to str
        Further tables that the SQL may read: name -> file beside the imported one.
    paths : PathsRule, optional
    side : SideRule, optional
        Then there are no events.
    properties : dict of str to Cell
        Properties beside those of `keep`: name -> where it comes from; one with a format is a time.
    header_line : int
        CSV: the line with the names of the columns, counted from 1; 0: to be found.
    """

    source: str
    kind: str
    events: tuple[MappedEvent, ...] = ()
    several: bool = False
    columns: dict[str, Cell] = field(default_factory=dict)
    id_space: str = ""
    ref_space: str = ""
    items: ItemRule | None = None
    keep: tuple[str, ...] | None = ()
    prepare_sql: str = ""
    prepare_tables: dict[str, str] = field(default_factory=dict)
    paths: PathsRule | None = None
    side: SideRule | None = None
    properties: dict[str, Cell] = field(default_factory=dict)
    header_line: int = 0

    def canonical(self) -> str:
        """The mapping as JSON with sorted keys: equal mappings have equal texts, however they were written."""
        said = asdict(self)
        for name in ("side", "properties", "header_line"):  # mappings from before these were known keep their text
            if not said[name]:
                del said[name]
        return json.dumps(said, sort_keys=True, ensure_ascii=False)

    def used_columns(self) -> set[str]:
        """Names of all columns that some field is made of."""
        return {column for _, column in _references(self)}


def check_columns(mapping: Mapping, columns: Iterable[str], *, where: str) -> None:
    """See that every column the mapping names is there.

    Parameters
    ----------
    mapping : Mapping
    columns : iterable of str
        Columns of the file, or of what [prepare] makes of it.
    where : str
        What has the columns, for the message.

    Raises
    ------
    MappingError
        One is missing; the hint names the nearest one.
    """
    there = list(columns)
    known = set(there)
    for key, column in _references(mapping):
        if column not in known:
            raise MappingError(
                said("errors.column_missing", file=where, column=column, key=key),
                hint=nearest_hint(column, there),
                fields={"key": key, "column": column},
            )


def _references(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Key of the mapping file and column name, for every column it names."""
    for number, event in enumerate(mapping.events, start=1):
        prefix = f"events.{number}." if mapping.several else ""
        yield from ((f"{prefix}event.column", column) for column in event.name.columns)
        yield f"{prefix}timestamp.column", event.time.column
        if event.when is not None:
            yield f"{prefix}when.column", event.when.column
        yield from _cell_references(f"{prefix}columns", event.columns)
    yield from _cell_references("columns", mapping.columns)
    if mapping.items is not None:
        yield from (("items.group_by", column) for column in mapping.items.group_by)
        yield from _cell_references("items", mapping.items.fields)
    yield from (("properties.keep", column) for column in mapping.keep or ())
    yield from _cell_references("properties", mapping.properties)
    if mapping.side is not None:
        yield from _cell_references(mapping.side.table, mapping.side.fields)
    if mapping.paths is not None:
        named = {"path": mapping.paths.path, "conversions": mapping.paths.conversions, "value": mapping.paths.value}
        named["nulls"] = mapping.paths.nulls
        yield from ((f"paths.{key}", column) for key, column in named.items() if column)


def _cell_references(prefix: str, cells: dict[str, Cell]) -> Iterator[tuple[str, str]]:
    for key, cell in cells.items():
        yield from ((f"{prefix}.{key}", column) for column in cell.columns)
