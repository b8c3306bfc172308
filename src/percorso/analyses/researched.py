"""Research online, buy in store, and the reverse: orders after a contact elsewhere on what they are about.

What an order or an event is about is its product category: that of the event itself and those of its product lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.contact_plan import ContactPlan
from percorso.analyses.intervals import wilson
from percorso.analyses.orders_in import orders_in
from percorso.analyses.select import select_events
from percorso.analyses.worth import amounts_column
from percorso.kernels.arrays import I32, I64, Bools, Codes
from percorso.store.journey_log import Bucket, Table

__all__ = ["ONLINE", "Researched", "count_researched", "researched_table"]

#: Places of research online.
ONLINE = ("site", "app")
_STORE = ("store",)

#: Name of the row, where the order is, where the research was.
_WAYS = (("online, then store", _STORE, ONLINE), ("store, then online", ONLINE, _STORE))


@dataclass(frozen=True, slots=True)
class Researched:
    """For each way, int64 of shape (2, 5): orders, of known category, researched; value of all, of the researched."""

    counts: I64 = field(default_factory=lambda: np.zeros((len(_WAYS), 5), np.int64))

    def merge(self, other: Researched) -> Researched:
        return Researched(self.counts + other.counts)


def count_researched(plan: ContactPlan, bucket: Bucket, basis: Basis) -> Researched:
    """Orders of persons of one bucket, both ways."""
    orders = orders_in(plan.scope, bucket, basis)
    place = bucket.events.values("place")[orders.event]
    purchase = bucket.table("orders").values("purchase")[orders.row]
    counts = np.zeros((len(_WAYS), 5), np.int64)
    for way, (_, where, elsewhere) in enumerate(_WAYS):
        mine = np.flatnonzero(_values_in(bucket.events, "place", where)[place])
        if not len(mine):
            continue
        lines, category = _categories_of(bucket, orders.event[mine])
        known = np.zeros(len(mine), np.bool_)
        known[lines] = True
        hit = np.zeros(len(mine), np.bool_)
        if len(lines):
            looked = _first_looks(plan, bucket, elsewhere, np.unique(purchase[mine[known]]))
            hit[lines[_is_before(looked, purchase[mine[lines]], category, orders.event[mine[lines]])]] = True
        minor = orders.worth.minor[mine]
        counts[way] = len(mine), known.sum(), hit.sum(), minor.sum(), minor[hit].sum()
    return Researched(counts)


def _values_in(table: Table, column: str, values: Sequence[str]) -> Bools:
    """Which codes of a column mean one of the values, bool of shape (n_codes,)."""
    return np.array([value in values for value in table.dictionary(column)], np.bool_)


def _categories_of(bucket: Bucket, rows: I32 | I64) -> tuple[I64, I64]:
    """Categories of some events, ascending rows: position among the rows, and code; an event may have several.

    Codes are those of the events' column; categories that only product lines have follow.
    """
    own, line_code, none = _category_codes(bucket)
    code = own[rows].astype(np.int64)
    event = bucket.table("items").values("event")
    first, last = np.searchsorted(event, rows), np.searchsorted(event, rows, side="right")
    count = last - first
    position = np.repeat(np.arange(len(rows)), count)
    line = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    every = np.concatenate([np.arange(len(rows)), position]), np.concatenate([code, line_code[line]])
    known = every[1] != none
    return every[0][known], every[1][known]


def _category_codes(bucket: Bucket) -> tuple[Codes, I64, int]:
    """Codes of events' categories, those of all product lines in the same numbers, and the code of none (-1)."""
    events, items = bucket.events, bucket.table("items")
    numbers = {name: code for code, name in enumerate(events.dictionary("category"))}
    none = numbers.get("", -1)
    of_item = [none if not name else numbers.setdefault(name, len(numbers)) for name in items.dictionary("category")]
    lut = np.array(of_item, np.int64)
    codes = items.values("category")
    return events.values("category"), lut.take(codes) if len(lut) else np.zeros(0, np.int64), none


def _first_looks(plan: ContactPlan, bucket: Bucket, places: Sequence[str], journeys: I32) -> tuple[I64, I64]:
    """First inbound event on each category at some places in some journeys: keys, ascending, and rows."""
    events = bucket.events
    wanted = np.zeros(len(bucket.table("journeys")) + 1, np.bool_)  # the last one answers for "none", -1
    wanted[journeys[journeys >= 0]] = True
    inside = wanted[events.values("journey")]
    inside &= _values_in(events, "place", places)[events.values("place")]
    inside &= _values_in(events, "direction", ("inbound",))[events.values("direction")]
    mask = select_events(plan.whole, bucket).dense()
    if mask is not None:
        inside &= mask != 0
    rows = np.flatnonzero(inside)
    position, category = _categories_of(bucket, rows)
    keys = _key(events.values("journey")[rows[position]], category)
    order = np.lexsort((rows[position], keys))
    distinct, first = np.unique(keys[order], return_index=True)
    return distinct, rows[position][order][first]


def _key(journey: I32, category: I64) -> I64:
    return journey.astype(np.int64) << 32 | category


def _is_before(looked: tuple[I64, I64], journey: I32, category: I64, order_row: I32) -> Bools:
    """Which pairs of journey and category were looked at before a row."""
    keys, rows = looked
    wanted = _key(journey, category)
    at = np.searchsorted(keys, wanted)
    found = at < len(keys)
    found[found] = keys[at[found]] == wanted[found]
    found[found] = rows[at[found]] < order_row[found]
    return found


def researched_table(found: Researched, basis: Basis) -> pa.Table:
    """A row each way; shares of all identified orders there, and of those whose category is known."""
    orders, known, hits, value, hit_value = found.counts.T
    pairs = [wilson(*pair) or (None, None) for pair in zip(hits.tolist(), orders.tolist(), strict=True)]
    return pa.table(
        {
            "way": pa.array([name for name, _, _ in _WAYS], pa.string()),
            "orders": orders,
            "known": known,
            "researched": hits,
            "share": _ratio(hits, orders),
            "share_low": pa.array([low for low, _ in pairs], pa.float64()),
            "share_high": pa.array([high for _, high in pairs], pa.float64()),
            "share_of_known": _ratio(hits, known),
            "coverage": _ratio(known, orders),
            "value": amounts_column(value, basis.currency),
            "researched_value": amounts_column(hit_value, basis.currency),
        }
    )


def _ratio(part: I64, whole: I64) -> pa.Array:
    return pa.array(part / np.maximum(whole, 1), mask=whole == 0)
