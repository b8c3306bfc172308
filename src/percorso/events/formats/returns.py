"""Negative receipts: goods that come back over the till are a refund, not an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.aliases import canonical_name
from percorso.events.columns import joined_texts
from percorso.events.conversion import Converted
from percorso.store.columns import whole

__all__ = ["NOTE", "returns_as_refunds"]

NOTE = "negative_total"

_ORDER, _REFUND = "Order Completed", "Order Refunded"
_AMOUNTS = ("value", "tax", "shipping", "discount")


def returns_as_refunds(converted: Converted, aliases: Mapping[str, str]) -> Converted:
    """Orders of negative value as refunds of that amount, with a note. Items stay as they are.

    Parameters
    ----------
    converted : Converted
    aliases : mapping of str to str
        The workspace's own names of events.
    """
    events = converted.events
    back = _returned(events, aliases)
    if back is None:
        return converted
    changed = {"name": pc.if_else(back, pa.scalar(_REFUND), whole(events.column("name")))}
    for name in _AMOUNTS:
        column = whole(events.column(name))
        changed[name] = pc.if_else(back, pc.abs(column), column)
    note = pc.if_else(back, pa.scalar(NOTE), pa.scalar(None, pa.string()))
    changed["notes"] = joined_texts([whole(events.column("notes")), note], ",")
    for name, column in changed.items():
        events = events.set_column(events.schema.get_field_index(name), events.schema.field(name), column)
    return replace(converted, events=events)


def _returned(events: pa.Table, aliases: Mapping[str, str]) -> pa.Array | None:
    """Which events are orders of negative value; None if none is."""
    values = whole(events.column("value"))
    if values.null_count == len(values) or pc.min(values).as_py() >= 0:
        return None
    negative = pc.less(values, 0).fill_null(False)
    at = np.flatnonzero(np.asarray(negative))
    said = events.select(["name", "source_kind"]).take(pa.array(at)).to_pylist()
    is_order = [canonical_name(row["name"], aliases, source_kind=row["source_kind"]) == _ORDER for row in said]
    back = np.zeros(len(values), np.bool_)
    back[at[np.array(is_order)]] = True
    return pa.array(back) if back.any() else None
