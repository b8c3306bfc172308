"""What happened to each order of a Shopify export, as event columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.amounts import minor_from_arrow
from percorso.events.event import ITEM_TYPE
from percorso.events.formats.json_times import UTC_TYPE
from percorso.events.formats.json_values import Faults, number_column, object_column
from percorso.events.times import NOTE_CODES, NOTE_MISSING, NOTE_UNREADABLE, TimeColumn, read_times
from percorso.money import exponent
from percorso.settings import CURRENCY_EXPONENTS, Settings

__all__ = ["order_events"]

_Ints = npt.NDArray[np.int64]

_COMPLETED, _SHIPPED, _CANCELLED, _REFUNDED = range(4)
_NAMES = ("Order Completed", "Order Shipped", "Order Cancelled", "Order Refunded")
_ID_ENDS = ("completed", "shipped", "cancelled", "refunded")
#: Only on `Order Completed`, and only what an order keeps once it is placed: a later export of the same
#: order then has the same row. Names and addresses of streets are of no use to a journey and left out.
_KEPT = {
    "accepts_marketing": "Accepts Marketing",
    "employee": "Employee",
    "id": "Id",
    "location": "Location",
    "payment_method": "Payment Method",
    "shipping_city": "Shipping City",
    "shipping_method": "Shipping Method",
    "shipping_province": "Shipping Province",
    "source": "Source",
    "tags": "Tags",
    "total": "Total",
}
_AMOUNTS = ("Subtotal", "Shipping", "Taxes", "Discount Amount", "Refunded Amount")
#: The export says how much was refunded, not when.
NOTE_REFUND_TIME = "refund_time_assumed"


def order_events(
    table: pa.Table, starts: _Ints, settings: Settings, faults: Faults
) -> tuple[dict[str, pa.Array], _Ints]:
    """Event columns of the orders of a table of export lines.

    Parameters
    ----------
    table : pyarrow.Table, shape (n_lines, n_columns)
        All columns text, null where empty.
    starts : int64, shape (n_orders,)
        First line of each order.
    settings : Settings
    faults : Faults
        Collects the orders that cannot be read, by their number.

    Returns
    -------
    columns : dict of str to pyarrow.Array, shape (n_events,)
    order_of : int64, shape (n_events,)
        The order of each event; an order's events stand together.
    """
    orders = _Orders(table, starts, settings, faults)
    times = orders.times()
    refunded = orders.amounts["Refunded Amount"].fill_null(0).to_numpy() > 0
    happens = np.stack(
        [
            np.ones(orders.count, dtype=np.bool_),
            ~times["Fulfilled at"].null & ~orders.in_store,
            ~times["Cancelled at"].null,
            refunded,
        ],
        axis=1,
    )
    order_of, kind = (part.astype(np.int64) for part in np.nonzero(happens))
    instants = np.stack(
        [times[name].us for name in ("Created at", "Fulfilled at", "Cancelled at")] + [_refund_times(times)], axis=1
    )
    columns = orders.shared(order_of, kind == _COMPLETED)
    ids = np.array(orders.names, dtype=object)[order_of]
    columns |= {
        "type": pa.array(["track"] * len(kind)),
        "name": pa.array([_NAMES[k] for k in kind]),
        "message_id": pa.array([f"{name}:{_ID_ENDS[k]}" for name, k in zip(ids, kind, strict=True)]),
        "sequence": pa.array(kind),
        "timestamp": pa.array(instants[order_of, kind], UTC_TYPE),
        "value": _by_kind(orders.amounts, order_of, kind),
        "items": orders.items(order_of, kind == _COMPLETED),
        "notes": _notes(times, order_of, kind),
    }
    return columns, order_of


class _Orders:
    """The orders of a table: each column read from the first line of an order that fills it."""

    def __init__(self, table: pa.Table, starts: _Ints, settings: Settings, faults: Faults) -> None:
        self._table = table
        self._starts = starts
        self._ends = np.append(starts[1:], table.num_rows)
        self._zone = settings.workspace.timezone
        self._faults = faults
        self.count = len(starts)
        self.names = self._names()
        self.currencies = self._currencies(settings.workspace.currency)
        self.amounts = {name: self._amount(name) for name in _AMOUNTS}
        self.in_store = self._in_store()

    def column(self, name: str) -> pa.Array:
        """One text an order, null where none of its lines has any."""
        if name not in self._table.column_names:
            return pa.nulls(self.count, pa.string())
        cells = self._table.column(name).combine_chunks()
        if isinstance(cells, pa.ChunkedArray):
            cells = pa.concat_arrays(cells.chunks)
        filled = np.flatnonzero(~cells.is_null().to_numpy(zero_copy_only=False))
        at = np.searchsorted(filled, self._starts)
        first = filled[np.minimum(at, len(filled) - 1)] if len(filled) else self._starts
        found = (at < len(filled)) & (first < self._ends)
        return cells.take(pa.array(np.where(found, first, 0), mask=~found))

    def _names(self) -> list[str]:
        """The order's number as customers and couriers know it: "#1001" is "1001"."""
        names = [(name or "").strip().removeprefix("#") for name in self.column("Name").to_pylist()]
        for order, name in enumerate(names):
            if not name:
                self._faults.add(order, "order_missing", "the line has no order name")
        return names

    def _currencies(self, default: str) -> list[str]:
        given = [(code or "").strip().upper() for code in self.column("Currency").to_pylist()]
        return [code if code in CURRENCY_EXPONENTS else default for code in given]

    def _amount(self, name: str) -> pa.Array:
        return self._minor(self.column(name), np.arange(self.count))

    def _minor(self, cells: pa.Array, order_of: _Ints) -> pa.Array:
        """Amounts in the currency of their order."""
        decimals = np.array([exponent(code) for code in self.currencies])[order_of]
        minor = np.zeros(len(cells), dtype=np.int64)
        missing = np.ones(len(cells), dtype=np.bool_)
        for each in np.unique(decimals).tolist():
            rows = np.flatnonzero(decimals == each)
            found, unreadable = minor_from_arrow(cells.take(pa.array(rows)), each)
            minor[rows] = found.fill_null(0).to_numpy()
            missing[rows] = found.is_null().to_numpy(zero_copy_only=False)
            for row in rows[unreadable].tolist():
                self._faults.add(int(order_of[row]), "amount_unreadable", "an amount is no number")
        return pa.array(minor, mask=missing)

    def times(self) -> dict[str, TimeColumn]:
        """The order's times; without the one it was placed at it is no event."""
        times = {
            name: read_times(self.column(name), time_format="iso", timezone=self._zone)
            for name in ("Created at", "Paid at", "Fulfilled at", "Cancelled at")
        }
        for order, note in enumerate(times["Created at"].notes.tolist()):
            if note in (NOTE_MISSING, NOTE_UNREADABLE):
                self._faults.add(order, NOTE_CODES[note], "`Created at` is missing or no time")
        return times

    def _in_store(self) -> npt.NDArray[np.bool_]:
        """Sold at a till: the source is the POS app, or, where exports lack it, a location sold it."""
        sources = [(text or "").strip().lower() for text in self.column("Source").to_pylist()]
        located = self.column("Location").is_valid().to_pylist()
        return np.array([source == "pos" or (not source and at) for source, at in zip(sources, located, strict=True)])

    def shared(self, order_of: _Ints, completed: npt.NDArray[np.bool_]) -> dict[str, pa.Array]:
        """Columns that all events of an order have, and those of `Order Completed` alone."""
        rows = pa.array(order_of)
        only_completed = pa.array(completed)
        sources = [(text or "").strip().lower() for text in self.column("Source").to_pylist()]
        places = [
            "store" if store else "site" if source in ("", "web") else None
            for store, source in zip(self.in_store.tolist(), sources, strict=True)
        ]
        country = pc.coalesce(self.column("Shipping Country"), self.column("Billing Country"))
        every = {
            "order_id": pa.array(self.names, pa.string()),
            "email": self.column("Email"),
            "phone": pc.coalesce(self.column("Phone"), self.column("Billing Phone")),
            "currency": pa.array(self.currencies, pa.string()),
            "place": pa.array(places, pa.string()),
            "country": country,
        }
        first = {
            "tax": self.amounts["Taxes"],
            "shipping": self.amounts["Shipping"],
            "discount": self.amounts["Discount Amount"],
            "coupon": self.column("Discount Code"),
            "properties": self._properties(),
        }
        columns = {name: column.take(rows) for name, column in every.items()}
        columns |= {
            name: pc.if_else(only_completed, column.take(rows), pa.scalar(None, column.type))
            for name, column in first.items()
        }
        return columns

    def _properties(self) -> pa.Array:
        kept = {name: self.column(column).to_pylist() for name, column in _KEPT.items()}
        rows = zip(*kept.values(), strict=True)
        return object_column(
            [{name: text for name, text in zip(kept, row, strict=True) if text is not None} for row in rows]
        )

    def items(self, order_of: _Ints, completed: npt.NDArray[np.bool_]) -> pa.Array:
        """The product lines, on `Order Completed`."""
        lines = np.repeat(np.arange(self.count), self._ends - self._starts)
        fields = {
            "product_id": self._cells("Lineitem sku"),
            "sku": self._cells("Lineitem sku"),
            "name": self._cells("Lineitem name"),
            "brand": self._cells("Vendor"),
            "quantity": number_column(self._cells("Lineitem quantity").to_pylist()),
            "price": self._minor(self._cells("Lineitem price"), lines),
        }
        fields["product_id"] = pc.coalesce(fields["sku"], fields["name"])
        children = [fields.get(field.name, pa.nulls(len(lines), field.type)) for field in ITEM_TYPE]
        per_order = pa.ListArray.from_arrays(
            pa.array(np.append(self._starts, self._ends[-1]).astype(np.int32)),
            pa.StructArray.from_arrays(children, fields=list(ITEM_TYPE)),
            type=pa.list_(ITEM_TYPE),
        )
        return per_order.take(pa.array(order_of, mask=~completed))

    def _cells(self, name: str) -> pa.Array:
        if name not in self._table.column_names:
            return pa.nulls(self._table.num_rows, pa.string())
        cells = self._table.column(name).combine_chunks()
        return pa.concat_arrays(cells.chunks) if isinstance(cells, pa.ChunkedArray) else cells


def _refund_times(times: dict[str, TimeColumn]) -> _Ints:
    """When it was cancelled; else the last thing the export knows of the order."""
    known = np.stack([np.where(times[name].null, np.iinfo(np.int64).min, times[name].us) for name in times])
    cancelled = times["Cancelled at"]
    latest: _Ints = np.where(cancelled.null, known.max(axis=0), cancelled.us)
    return np.where(latest == np.iinfo(np.int64).min, 0, latest)


def _by_kind(amounts: dict[str, pa.Array], order_of: _Ints, kind: _Ints) -> pa.Array:
    """An order is worth its subtotal (after discounts, without shipping), a refund what was refunded."""
    rows = pa.array(order_of)
    refund = pc.if_else(pa.array(kind == _REFUNDED), amounts["Refunded Amount"].take(rows), pa.scalar(None, pa.int64()))
    return pc.if_else(pa.array(kind == _COMPLETED), amounts["Subtotal"].take(rows), refund)


def _notes(times: dict[str, TimeColumn], order_of: _Ints, kind: _Ints) -> pa.Array:
    cancelled = ~times["Cancelled at"].null
    named = ("Created at", "Fulfilled at", "Cancelled at")
    notes: list[str | None] = []
    for order, k in zip(order_of.tolist(), kind.tolist(), strict=True):
        if k == _REFUNDED:
            notes.append(None if cancelled[order] else NOTE_REFUND_TIME)
        else:
            notes.append(NOTE_CODES[times[named[k]].notes[order]] or None)
    return pa.array(notes, pa.string())
