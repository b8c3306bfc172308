"""Columns from `properties` objects: orders, products, references, feedback, and what is left over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.formats.items import Product, items_column
from percorso.events.formats.json_amounts import Amounts
from percorso.events.formats.json_values import Faults, number_column, object_column, text_column
from percorso.events.formats.property_keys import KEYS, VALUE_KEYS, Objects
from percorso.settings import CURRENCY_EXPONENTS, PLACES

__all__ = ["PropertyBlock", "is_feedback", "left_over", "property_columns"]

_TEXT_COLUMNS = (
    "order_id",
    "return_id",
    "ticket_id",
    "conversation_id",
    "cart_id",
    "checkout_id",
    "coupon",
    "session_id",
    "loyalty_id",
    "card_token",
    "product_id",
    "category",
    "touchpoint",
)
_CHOICES = {"place": frozenset(PLACES), "direction": frozenset({"inbound", "outbound"})}
_FEEDBACK_WORDS = ("review", "rating", "rated", "survey", "nps", "csat", "feedback", "recension", "sondaggio")


@lru_cache(maxsize=10_000)
def is_feedback(name: str) -> bool:
    """Whether an event of this name carries what the customer said: a review, a rating, an answer.

    Elsewhere `rating` is the product's own and `text` may be anything, so both stay properties.
    """
    lower = name.lower()
    return any(word in lower for word in _FEEDBACK_WORDS)


@dataclass(frozen=True, slots=True)
class PropertyBlock:
    """A block of events' properties, aligned by row."""

    properties: Objects
    feedback: Sequence[bool]
    currency: str  # of amounts without one


def property_columns(block: PropertyBlock, faults: Faults) -> dict[str, pa.Array]:
    """Event columns that properties fill. Columns nobody fills are left out.

    Parameters
    ----------
    block : PropertyBlock
    faults : Faults
        Collects the events with an unreadable amount or products of a wrong type.
    """
    columns: dict[str, pa.Array] = {}
    for name in _TEXT_COLUMNS:
        values = block.properties.pick(KEYS[name])
        if values is not None:
            columns[name] = text_column(values)
    for name, allowed in _CHOICES.items():
        values = block.properties.pick(KEYS[name])
        if values is not None:
            columns[name] = text_column([v if isinstance(v, str) and v in allowed else None for v in values])
    columns |= _money_columns(block, faults)
    columns |= _feedback_columns(block)
    return columns


def _currencies(block: PropertyBlock) -> tuple[list[str], list[str | None]]:
    """Per event the currency its amounts are in, and the currency it names itself."""
    given = block.properties.pick(KEYS["currency"])
    if given is None:
        return [block.currency] * len(block.properties), [None] * len(block.properties)
    known = {raw: _known_currency(raw) for raw in {v for v in given if isinstance(v, str)}}
    own = [known[v] if isinstance(v, str) else None for v in given]
    return [v or block.currency for v in own], own


def _known_currency(text: str) -> str | None:
    code = text.strip().upper()
    return code if code in CURRENCY_EXPONENTS else None


def _money_columns(block: PropertyBlock, faults: Faults) -> dict[str, pa.Array]:
    currencies, own = _currencies(block)
    amounts = Amounts(currencies, faults)
    found: dict[str, pa.Array] = {}
    for name in (*VALUE_KEYS, "tax", "shipping", "discount"):
        values = block.properties.pick(KEYS[name])
        if values is not None:
            found[name] = amounts.column(values)
    columns: dict[str, pa.Array] = {name: found[name] for name in ("tax", "shipping", "discount") if name in found}
    value = _value(found)
    if value is not None:
        columns["value"] = value
    items = _items(block, amounts, faults)
    if items is not None:
        columns["items"] = items
    if found or items is not None or any(own):
        columns["currency"] = _currency_column(currencies, own, [*found.values(), *([items] if items else [])])
    return columns


def _value(found: Mapping[str, pa.Array]) -> pa.Array | None:
    """Revenue, else subtotal, else total - tax - shipping, else value (definitions, section 8)."""
    parts = [found[name] for name in ("revenue", "subtotal") if name in found]
    if "total" in found:
        net = found["total"]
        for name in ("tax", "shipping"):
            if name in found:
                net = pc.subtract(net, found[name].fill_null(0))
        parts.append(net)
    if "value" in found:
        parts.append(found["value"])
    return pc.coalesce(*parts) if parts else None


def _currency_column(currencies: Sequence[str], own: Sequence[str | None], amounts: Sequence[pa.Array]) -> pa.Array:
    """The currency an event names, else the workspace's where it has an amount or product lines."""
    any_amount = amounts[0].is_valid() if amounts else pa.array([False] * len(own))
    for column in amounts[1:]:
        any_amount = pc.or_(any_amount, column.is_valid())
    named = pa.array(own, pa.string())
    return pc.coalesce(named, pc.if_else(any_amount, pa.array(currencies, pa.string()), pa.scalar(None, pa.string())))


def _items(block: PropertyBlock, amounts: Amounts, faults: Faults) -> pa.Array | None:
    at: list[int] = []
    products: list[Sequence[Product]] = []
    objects = block.properties.objects
    for row in block.properties.rows_where(lambda shape: shape.product or shape.products):
        if block.properties.shapes[row].product:
            at.append(row)
            products.append((objects[row],))
            continue
        lines = objects[row]["products"]
        if isinstance(lines, list) and all(isinstance(line, dict) for line in lines):
            at.append(row)
            products.append(lines)
        elif lines is not None:
            faults.add(row, "type_wrong", "`products` is no list of objects")
    return items_column(len(objects), at, products, amounts.at) if at else None


def _feedback_columns(block: PropertyBlock) -> dict[str, pa.Array]:
    if not any(block.feedback):
        return {}
    columns: dict[str, pa.Array] = {}
    scores = block.properties.pick(("score", "rating"))
    texts = block.properties.pick(("review_body", "text", "comment"))
    if scores is not None:
        columns["score"] = number_column(_where(block.feedback, scores))
    if texts is not None:
        columns["text"] = text_column(_where(block.feedback, texts))
    return columns


def _where(flags: Sequence[bool], values: Sequence[object]) -> list[object]:
    return [value if flag else None for flag, value in zip(flags, values, strict=True)]


def left_over(block: PropertyBlock, extras: Sequence[Mapping[str, object] | None]) -> pa.Array:
    """The `properties` column: what no other column holds, with sorted keys; null where nothing is.

    `extras` are added where properties don't say them themselves.
    """
    rest: list[Mapping[str, object] | None] = []
    for entry, shape, extra in zip(block.properties.objects, block.properties.shapes, extras, strict=True):
        kept: Mapping[str, object] | None = {key: entry[key] for key in shape.left_over} if shape.left_over else None
        rest.append(extra if kept is None else {**extra, **kept} if extra else kept)
    return object_column(rest)
