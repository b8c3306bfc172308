"""Product lines: lists of product objects to the `items` column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from percorso.events.event import ITEM_TYPE
from percorso.events.formats.json_values import number_column, text_column

__all__ = ["ITEM_KEYS", "AmountsOf", "items_column", "product_value"]

#: Item field -> the names senders give it, best first.
ITEM_KEYS: dict[str, tuple[str, ...]] = {
    "product_id": ("product_id", "productId", "id"),
    "sku": ("sku",),
    "name": ("name",),
    "category": ("category",),
    "brand": ("brand",),
    "variant": ("variant",),
    "quantity": ("quantity",),
    "price": ("price",),
}

#: Raw prices and the event row each belongs to -> minor units (int64 array).
AmountsOf = Callable[[Sequence[object], Sequence[int]], pa.Array]

Product = Mapping[str, object]


def product_value(product: Product, field: str) -> object:
    """What a product object says of an item field, under any of the names senders use."""
    for key in ITEM_KEYS[field]:
        value = product.get(key)
        if value is not None:
            return value
    return None


def items_column(
    rows: int, at: Sequence[int], products: Sequence[Sequence[Product]], amounts_of: AmountsOf
) -> pa.Array:
    """The `items` column of `rows` events of which those at `at` carry products.

    Parameters
    ----------
    rows : int
        Number of events.
    at : sequence of int, ascending
        Events that carry products; the others get null.
    products : sequence, shape (len(at),)
        The product objects of each.
    amounts_of : AmountsOf
        Turns prices into minor units of the currency of their event.

    Returns
    -------
    pyarrow.ListArray of ITEM_TYPE, shape (rows,)
    """
    if not at:
        return pa.nulls(rows, pa.list_(ITEM_TYPE))
    flat = [product for group in products for product in group]
    owner = [row for row, group in zip(at, products, strict=True) for _ in group]
    children = [_child(field.name, flat, owner, amounts_of) for field in ITEM_TYPE]
    lengths = np.zeros(rows, dtype=np.int32)
    lengths[np.asarray(at)] = [len(group) for group in products]
    offsets = np.zeros(rows + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    absent = np.ones(rows, dtype=np.bool_)
    absent[np.asarray(at)] = False
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()),
        pa.StructArray.from_arrays(children, fields=list(ITEM_TYPE)),
        type=pa.list_(ITEM_TYPE),
        mask=pa.array(absent),
    )


def _child(field: str, flat: list[Product], owner: list[int], amounts_of: AmountsOf) -> pa.Array:
    first, *others = ITEM_KEYS[field]
    values = [product.get(first) for product in flat]
    if others and None in values:
        values = [product_value(product, field) if v is None else v for v, product in zip(values, flat, strict=True)]
    if field == "price":
        return amounts_of(values, owner)
    return number_column(values) if field == "quantity" else text_column(values)
