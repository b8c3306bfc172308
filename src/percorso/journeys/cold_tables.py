"""The cold tables of a bucket: what senders wrote, and what each event was before its surroundings were known."""

from __future__ import annotations

from collections.abc import Container

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.journeys.bucket import BucketRows
from percorso.journeys.bucket_rules import BucketRules
from percorso.journeys.columns import record_batch
from percorso.store.cold import OWN_ACTION, OWN_HAS_CART, OWN_INBOUND, OWN_KNOWN, cold_rows, month_key
from percorso.store.columns import whole
from percorso.store.log_files import coded_column, settled

__all__ = ["cold_tables"]

_TEXTS = ("message_id", "url", "referrer", "title", "text", "properties", "traits")

_OWN_BITS = {"inbound": OWN_INBOUND, "action": OWN_ACTION, "known": OWN_KNOWN, "has_cart": OWN_HAS_CART}


def cold_tables(
    rows: BucketRows, rules: BucketRules, wanted: Container[int] | None = None
) -> dict[str, pa.RecordBatch]:
    """A table for each UTC month that has events, its rows in the order of the events; of the wanted months alone."""
    months = cold_rows(rows.numbers["time"])
    own = np.zeros(len(rows), dtype=np.uint8)
    for name, bit in _OWN_BITS.items():
        own |= np.where(rows.numbers[name] != 0, np.uint8(bit), np.uint8(0))
    texts = {name: whole(rows.texts.column(name)) for name in _TEXTS}
    return {
        month_key(month): _month(rows, rules, texts, own, months.of_month(month))
        for month in months.months
        if wanted is None or month in wanted
    }


def _rows(column: pa.Array, at: pa.Array) -> pa.Array:
    """The rows of a column, which is often nothing but nulls."""
    return column.slice(0, len(at)) if column.null_count == len(column) else column.take(at)


def _month(
    rows: BucketRows,
    rules: BucketRules,
    texts: dict[str, pa.Array],
    own: npt.NDArray[np.uint8],
    events: npt.NDArray[np.int64],
) -> pa.RecordBatch:
    at = pa.array(rows.order[events])
    codes = {}
    for name in ("channel", "channel_rule"):
        values, rank = rules.dictionaries[name]
        codes[f"own_{name}"] = coded_column(rank[rows.numbers[f"own_{name}"][events]], values)
    return record_batch(
        {name: settled(_rows(column, at)) for name, column in texts.items()}
        | codes
        | {
            "own": own[events],
            "qualifies": rows.numbers["qualifies"][events],
            "contact_kind": rows.numbers["contact"][events],
        }
    )
