"""Carts and checkouts of one bucket, with what is in them and whether it was bought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.kpi_facts import Facts, only_cells
from percorso.kernels.arrays import I32, I64, U8
from percorso.kernels.kpi_carts import LEFT, UNDECIDED, find_carts
from percorso.kernels.kpi_events import codes_of_rows

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


@dataclass(frozen=True, slots=True)
class _Carts:
    """Carts of one bucket: the event that opened each, its time and person, and what became of it; (n_carts,) each."""

    row: I64
    time_us: I64
    person: I32
    state: U8


def add_carts(facts: Facts, name: str, events: tuple[str, ...]) -> None:
    """Add carts (or checkouts) that are decided, and those of them that were left: ``name`` and ``name_left``."""
    if facts.is_of_nobody or not len(facts.whole.rows_of(events)):
        return
    carts = facts.whole.once(name, lambda: _find_carts(facts.whole, events))
    # What is decided at a time stays so: later events only decide later carts.
    decided = (carts.state != UNDECIDED) & (carts.time_us <= facts.as_of_us - WINDOW_US)
    cell = only_cells(facts.cells(carts.time_us, carts.row, carts.person), decided)
    facts.add(name, cell, carts.person)
    facts.add(f"{name}_left", cell, carts.person, only=carts.state == LEFT)


def _find_carts(facts: Facts, events: tuple[str, ...]) -> _Carts:
    rows, orders = facts.rows_of(events), facts.orders
    person, time = facts.person_of(rows), facts.time_of(rows)
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
    return _Carts(rows[opened], time[opened], person[opened], state)


def _contents(facts: Facts, rows: I64) -> _Contents:
    """What stands on the events: their products of the table `items`, else their own product and category."""
    events, items = facts.bucket.events, facts.bucket.table("items")
    if not len(items):
        product, category = (
            codes_of_rows(events.values(name), _lookup(facts, name, of)[0], rows) for name, of in _COLUMNS
        )
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
    return facts.once(f"codes of {of_events}", lambda: _common_codes(facts, of_events, of_items))


def _common_codes(facts: Facts, of_events: str, of_items: str) -> tuple[I32, I32]:
    code = {"": 0}
    tables = ((facts.bucket.events, of_events), (facts.bucket.table("items"), of_items))
    one, other = (
        np.array([code.setdefault(text, len(code)) for text in table.dictionary(column)], np.int32)
        for table, column in tables
    )
    return one, other
