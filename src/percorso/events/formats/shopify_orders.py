"""Format `shopify-orders`: the order export of Shopify's admin (CSV).

An order takes as many lines as it has products, one below the other; all but the first say little more
than the order's name. Each order becomes `Order Completed`, and where the export tells so `Order Shipped`,
`Order Cancelled`, `Order Refunded`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.events.conversion import CONVERTED_SCHEMA, Converted, Reject, TableChunk
from percorso.events.formats.assemble import event_table, table_reject
from percorso.events.formats.json_values import Faults
from percorso.events.formats.shopify_events import order_events
from percorso.events.formats.source import SourceInfo
from percorso.settings import Settings

__all__ = ["ShopifyOrdersFormat"]


class ShopifyOrdersFormat:
    """Converts lines of orders. The lines of an order stand together, and no chunk may cut one."""

    name = "shopify-orders"

    def __init__(self, settings: Settings, source: SourceInfo) -> None:
        self._settings = settings
        self._source = source

    def convert(self, chunk: TableChunk) -> Converted:
        """Events of the chunk's orders, in file order; an order that cannot be read is rejected with all its lines."""
        if not chunk.table.num_rows:
            return Converted(CONVERTED_SCHEMA.empty_table(), np.zeros(0, np.int64))
        starts = order_starts(chunk.table)
        faults = Faults()
        columns, order_of = order_events(chunk.table, starts, self._settings, faults)
        good = pa.array(np.flatnonzero(~np.isin(order_of, list(faults))))
        table = event_table(columns, len(order_of), self._source).take(good)
        return Converted(table, starts[order_of][np.asarray(good)], _order_rejects(chunk, starts, faults))


def order_starts(table: pa.Table) -> npt.NDArray[np.int64]:
    """The rows at which an order begins: its name differs from that of the row above.

    A row without a name belongs to the order above it.
    """
    names = table.column("Name").combine_chunks().fill_null("").to_numpy(zero_copy_only=False)
    differs = np.ones(len(names), dtype=np.bool_)
    differs[1:] = (names[1:] != names[:-1]) & (names[1:] != "")
    return np.flatnonzero(differs)


def _order_rejects(chunk: TableChunk, starts: npt.NDArray[np.int64], faults: Faults) -> list[Reject]:
    """One reject for each line of a faulty order, so that none of its text is lost."""
    ends = np.append(starts[1:], chunk.table.num_rows)
    return [
        table_reject(chunk, row, *faults[order])
        for order in sorted(faults)
        for row in range(int(starts[order]), int(ends[order]))
    ]
