"""Carts and checkouts of one bucket, with what is in them and whether it was bought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.kpi_facts import Facts
from percorso.kernels.arrays import I32, I64
from percorso.kernels.kpi_carts import BOUGHT, LEFT, find_carts

__all__ = ["CART_EVENTS", "CHECKOUT_EVENTS", "WINDOW_US", "add_carts"]

CART_EVENTS = ("Product Added", "Wishlist Product Added to Cart")
CHECKOUT_EVENTS = ("Checkout Started",)

#: Columns of events, and those of items that say the same.
_COLUMNS = (("product", "product_id"), ("category", "category"))

#: A cart that nothing was put in for so long is over; an order so long after its opening is its order.
WINDOW_US = 7 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class _Contents:
    """Products and categories that stand on some events: those of event k are ``at[k]`` to before ``at[k + 1]``."""

    at: I64
    product: I32
    category: I32


def add_carts(facts: Facts, name: str, events: tuple[str, ...]) -> None:
    """Add carts (or checkouts) that are decided, and those of them that were left: ``name`` and ``name_left``."""
    rows = facts.rows_of(events)
    if facts.is_of_nobody or not len(rows):
        return
    orders, person, time = facts.orders, facts.person_of(rows), facts.time_of(rows)
    added, ordered = _contents(facts, rows), _contents(facts, orders.event.astype(np.int64))
    opened, state = find_carts(
        person,
        rows.astype(np.int32),
        time,
        added.at,
        added.product,
        added.category,
        orders.person,
        orders.event,
        orders.time_us,
        ordered.at,
        ordered.product,
        ordered.category,
        WINDOW_US,
        facts.as_of_us,
    )
    cell = facts.cells(time[opened], rows[opened], person[opened])
    facts.add(name, cell, person[opened], only=(state == BOUGHT) | (state == LEFT))
    facts.add(f"{name}_left", cell, person[opened], only=state == LEFT)


def _contents(facts: Facts, rows: I64) -> _Contents:
    """What stands on the events: their products of the table `items`, else their own product and category."""
    events, items = facts.bucket.events, facts.bucket.table("items")
    if not len(items):
        product, category = (_lookup(facts, *names)[0][events.values(names[0])[rows]] for names in _COLUMNS)
        return _Contents(np.arange(len(rows) + 1), product, category)
    begin = np.searchsorted(items.values("event"), rows, side="left")
    n_items = np.searchsorted(items.values("event"), rows, side="right") - begin
    lengths = np.maximum(n_items, 1)
    at = np.append(np.int64(0), np.cumsum(lengths)).astype(np.int64)
    own, event = np.repeat(n_items == 0, lengths), np.repeat(rows, lengths)
    item = np.repeat(begin - at[:-1], lengths) + np.arange(at[-1])
    found = [_codes(facts, names, np.where(own, -1, item), event) for names in _COLUMNS]
    return _Contents(at, *found)


def _codes(facts: Facts, names: tuple[str, str], item: I64, event: I64) -> I32:
    """The column of each item, or of the event where there is none (-1), in codes equal where texts are; 0 is none."""
    events, items = facts.bucket.events, facts.bucket.table("items")
    of_event, of_item = _lookup(facts, *names)
    found: I32 = of_event[events.values(names[0])[event]]
    listed = np.flatnonzero(item >= 0)
    found[listed] = of_item[items.values(names[1])[item[listed]]]
    return found


def _lookup(facts: Facts, of_events: str, of_items: str) -> tuple[I32, I32]:
    """Codes that two columns have in common, for the values of each; made once a bucket."""
    name = f"codes of {of_events}"
    if name not in facts.shared:
        code = {"": 0}
        tables = ((facts.bucket.events, of_events), (facts.bucket.table("items"), of_items))
        facts.shared[name] = tuple(
            np.array([code.setdefault(text, len(code)) for text in table.dictionary(column)], np.int32)
            for table, column in tables
        )
    found = facts.shared[name]
    assert isinstance(found, tuple)
    return found
