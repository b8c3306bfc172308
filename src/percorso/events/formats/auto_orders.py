"""Whether rows are lines of orders, and what makes an order's number whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from percorso.events.formats.auto_columns import Column, Found

__all__ = ["OrderLines", "order_lines"]

#: Numbers of receipts up to this long start again every day, or at every till.
_SHORT = 5


@dataclass(frozen=True, slots=True)
class OrderLines:
    """How the rows of a table make up orders.

    Parameters
    ----------
    order_columns : tuple of str
        Columns that together number an order; empty where no column does.
    group_by : tuple of str
        Columns that are equal in all rows of an order.
    grouped : bool
        Several rows make up one order.
    one_value_an_order : bool
        The amount is the whole order's: it is the same in all its rows.
    """

    order_columns: tuple[str, ...]
    group_by: tuple[str, ...]
    grouped: bool
    one_value_an_order: bool


def order_lines(found: Mapping[str, Found], kind: str) -> OrderLines | None:
    """Look at orders and products among the fields; None where there is neither an order nor a product."""
    product = "item.product_id" in found or "item.name" in found
    lines = product and not {"item.price", "item.quantity", "value"}.isdisjoint(found)
    if "order_id" in found:
        number = found["order_id"].column
        columns = (*(_completion(found, number) if kind == "pos" else ()), number.name)
        keys = _rows([found[f].column for f in found if found[f].column.name in columns])
        return OrderLines(columns, columns, lines and len(set(keys)) < len(keys), _one_value(keys, found.get("value")))
    person = next((found[field].column for field in ("user_id", "loyalty_id", "email") if field in found), None)
    if person is None or not lines or "time" not in found:
        return None
    # Lines of one purchase without a number: the same customer at the same time.
    moment = found["time"].column
    keys = _rows([person, moment])
    grouped = moment.has_clock and len(set(keys)) < len(keys)
    return OrderLines((), (person.name, moment.name), grouped, _one_value(keys, found.get("value")))


def _completion(found: Mapping[str, Found], number: Column) -> tuple[str, ...]:
    """Shop, till and day, where the number alone is short."""
    if max((len(text) for text in number.texts), default=0) > _SHORT:
        return ()
    day = "time" in found and not found["time"].column.has_clock
    fields = ("store", "till", *(["time"] if day else []))
    return tuple(found[field].column.name for field in fields if field in found)


def _rows(columns: list[Column]) -> list[tuple[str | None, ...]]:
    return list(zip(*(column.cells for column in columns), strict=True))


def _one_value(keys: list[tuple[str | None, ...]], value: Found | None) -> bool:
    if value is None:
        return False
    return len(set(zip(keys, value.column.cells, strict=True))) == len(set(keys))
