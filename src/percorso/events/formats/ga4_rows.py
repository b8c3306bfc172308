"""Rows of GA4's BigQuery export, from NDJSON lines or from nested Parquet columns, seen alike.

BigQuery writes whole numbers as texts in JSON; Parquet keeps the types. Members are named by their path,
as in ``"device.category"``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["ArrowRows", "Ga4Line", "Ga4Rows", "LineRows", "decode_ga4_line"]

Params = dict[str, object]

_VALUES = ("string_value", "int_value", "double_value", "float_value")
_ITEM_MEMBERS = (
    "item_id",
    "item_name",
    "item_brand",
    "item_variant",
    "item_category",
    "price",
    "price_in_usd",
    "quantity",
    "coupon",
)


class Ga4Rows(Protocol):
    """A block of rows."""

    def __len__(self) -> int: ...

    def values(self, path: str) -> list[Any]:
        """One value a row, None where the row or the whole block has none."""
        ...

    def params(self, column: str) -> list[Params]:
        """`event_params` or `user_properties`: name to value, one object a row."""
        ...

    def items(self) -> list[list[Mapping[str, Any]]]:
        """The product lines of each row."""
        ...


class _Value(msgspec.Struct, gc=False):
    string_value: str | None = None
    int_value: str | int | None = None
    float_value: float | str | None = None
    double_value: float | str | None = None

    def get(self) -> object:
        """The value that is set; whole numbers become int."""
        if self.string_value is not None:
            return self.string_value
        if self.int_value is not None:
            return _whole(self.int_value)
        return self.double_value if self.double_value is not None else self.float_value


class _Param(msgspec.Struct, gc=False):
    key: str
    value: _Value | None = None


class Ga4Line(msgspec.Struct, gc=False):
    """One row as NDJSON. Members not named here are not read."""

    event_name: str | None = None
    event_timestamp: str | int | None = None
    event_bundle_sequence_id: str | int | None = None
    batch_page_id: str | int | None = None
    batch_ordering_id: str | int | None = None
    batch_event_index: str | int | None = None
    user_id: str | None = None
    user_pseudo_id: str | None = None
    platform: str | None = None
    event_params: list[_Param] | None = None
    user_properties: list[_Param] | None = None
    items: list[dict[str, Any]] | None = None
    privacy_info: dict[str, Any] | None = None
    device: dict[str, Any] | None = None
    geo: dict[str, Any] | None = None
    app_info: dict[str, Any] | None = None
    traffic_source: dict[str, Any] | None = None
    collected_traffic_source: dict[str, Any] | None = None
    ecommerce: dict[str, Any] | None = None


decode_ga4_line = msgspec.json.Decoder(Ga4Line).decode


def _whole(value: str | int) -> object:
    try:
        return int(value)
    except ValueError:
        return value


class LineRows:
    """Rows decoded from NDJSON."""

    def __init__(self, lines: Sequence[Ga4Line]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def values(self, path: str) -> list[Any]:
        name, _, member = path.partition(".")
        found = [getattr(line, name) for line in self._lines]
        return [value.get(member) if value else None for value in found] if member else found

    def params(self, column: str) -> list[Params]:
        return [
            {param.key: param.value.get() for param in getattr(line, column) or () if param.value is not None}
            for line in self._lines
        ]

    def items(self) -> list[list[Mapping[str, Any]]]:
        return [list(line.items or ()) for line in self._lines]


class ArrowRows:
    """Rows of a Parquet file, read column by column.

    `to_pylist` on nested columns would build every member of every struct; the flattened children of the
    members that are used take a tenth of the time.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table.combine_chunks()

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def _column(self, name: str) -> pa.Array | None:
        if name not in self._table.column_names:
            return None
        column = self._table.column(name)
        return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)

    def values(self, path: str) -> list[Any]:
        name, _, member = path.partition(".")
        column = self._column(name) if len(self) else None
        if column is not None and member:
            column = _member(column, member)
        return [None] * len(self) if column is None else list(column.to_pylist())

    def params(self, column: str) -> list[Params]:
        lists = self._column(column) if len(self) else None
        if lists is None:
            return [{} for _ in range(len(self))]
        keys = _member(lists.flatten(), "key")
        value = _member(lists.flatten(), "value")
        if keys is None or value is None:
            return [{} for _ in range(len(self))]
        names, values = keys.to_pylist(), _first_set(value)
        return [
            {name: v for name, v in zip(names[a:b], values[a:b], strict=True) if v is not None}
            for a, b in _bounds(lists)
        ]

    def items(self) -> list[list[Mapping[str, Any]]]:
        lists = self._column("items") if len(self) else None
        if lists is None:
            return [[] for _ in range(len(self))]
        flat = lists.flatten()
        members = {name: column.to_pylist() for name in _ITEM_MEMBERS if (column := _member(flat, name)) is not None}
        lines = [dict(zip(members, line, strict=True)) for line in zip(*members.values(), strict=True)]
        return [list(lines[a:b]) for a, b in _bounds(lists)]


def _member(column: pa.Array, name: str) -> pa.Array | None:
    """The child of a struct column, null where the struct is; None when it has no such child."""
    if not pa.types.is_struct(column.type) or column.type.get_field_index(name) < 0:
        return None
    return pc.struct_field(column, name)


def _first_set(value: pa.Array) -> list[object]:
    """Of `string_value`, `int_value`, ... the one that is set, for each parameter."""
    texts: list[object] = [None] * len(value)
    for name in _VALUES:
        child = _member(value, name)
        if child is not None and child.null_count < len(child):
            texts = [b if a is None else a for a, b in zip(texts, child.to_pylist(), strict=True)]
    return texts


def _bounds(lists: pa.Array) -> list[tuple[int, int]]:
    """Begin and end of each row's entries in the flattened column."""
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(lengths).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))
