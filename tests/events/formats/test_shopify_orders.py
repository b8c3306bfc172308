"""Shopify's order export."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.events.conversion import CONVERTED_SCHEMA, Converted, TableChunk
from percorso.events.formats import FORMATS
from percorso.events.formats.shopify_orders import ShopifyOrdersFormat
from percorso.events.formats.source import source_info
from percorso.settings import Settings
from tests.events.formats.chunks import DATA, rows_of, table_chunk, table_chunks

SHOPIFY = ShopifyOrdersFormat(Settings(), source_info("shopify", "server"))


@pytest.fixture(scope="module")
def converted() -> Converted:
    (chunk,) = table_chunks(DATA / "shopify_orders.csv")
    return SHOPIFY.convert(chunk)


def of(converted: Converted, order: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in rows_of(converted) if row["order_id"] == order}


def test_an_order_over_several_lines(converted: Converted) -> None:
    order = of(converted, "1001")["Order Completed"]
    assert order["timestamp"] == datetime(2026, 3, 3, 9, 14, tzinfo=UTC)
    assert (order["email"], order["phone"], order["country"]) == ("ada@example.com", "+39 055 5550001", "IT")
    assert (order["value"], order["tax"], order["shipping"], order["discount"]) == (4700, 848, 600, 500)
    assert (order["currency"], order["coupon"], order["place"]) == ("EUR", "PRIMAVERA", "site")
    assert [(i["product_id"], i["sku"], i["brand"], i["quantity"], i["price"]) for i in order["items"]] == [
        ("CORDA-E", "CORDA-E", "Legno", 2.0, 1600),
        ("Borsa", None, "Tela", 1.0, 2000),
    ]
    properties = json.loads(order["properties"])
    assert (properties["id"], properties["total"], properties["shipping_city"]) == ("5550000001", "53.00", "Firenze")


def test_shipping(converted: Converted) -> None:
    events = of(converted, "1001")
    assert list(events) == ["Order Completed", "Order Shipped"]
    shipped = events["Order Shipped"]
    assert shipped["timestamp"] == datetime(2026, 3, 4, 8, tzinfo=UTC)
    assert not shipped.keys() & {"value", "items", "tax", "properties"}


def test_a_sale_at_the_till_is_a_store_purchase(converted: Converted) -> None:
    events = of(converted, "1002")
    assert list(events) == ["Order Completed", "Order Refunded"]
    assert (events["Order Completed"]["place"], events["Order Completed"]["phone"]) == ("store", "+39 333 5550002")


def test_a_refund_says_that_its_time_is_assumed(converted: Converted) -> None:
    refund = of(converted, "1002")["Order Refunded"]
    assert (refund["value"], refund["currency"], refund["notes"]) == (1000, "EUR", "refund_time_assumed")
    assert refund["timestamp"] == datetime(2026, 3, 10, 17, 30, tzinfo=UTC)


def test_a_cancelled_order_is_refunded_when_it_is_cancelled(converted: Converted) -> None:
    events = of(converted, "1003")
    assert list(events) == ["Order Completed", "Order Cancelled", "Order Refunded"]
    assert events["Order Cancelled"]["timestamp"] == events["Order Refunded"]["timestamp"]
    assert (events["Order Refunded"]["value"], events["Order Refunded"]["currency"]) == (1600, "USD")
    assert "notes" not in events["Order Refunded"]
    # A sales channel by its number: neither the site nor a shop.
    assert "place" not in events["Order Completed"]


def test_an_order_that_cannot_be_read_is_rejected_with_all_its_lines(converted: Converted) -> None:
    told = [(reject.line, reject.reason) for reject in converted.rejected]
    assert told == [(7, "amount_unreadable"), (8, "amount_unreadable"), (9, "time_missing")]
    assert converted.rejected[0].raw.startswith("#1004,di@example.com")
    assert not of(converted, "1004")


def test_ids_depend_on_the_order_alone(converted: Converted) -> None:
    ids = converted.events.column("message_id").to_pylist()
    assert ids[:3] == ["1001:completed", "1001:shipped", "1002:completed"]
    assert len(set(ids)) == len(ids)


def test_names_and_streets_are_not_stored(converted: Converted) -> None:
    stored = json.dumps(rows_of(converted), default=str)
    assert "Esempio" not in stored
    assert "Citofonare" not in stored


def test_an_empty_chunk() -> None:
    empty = table_chunk({"Name": [None]})
    nothing = SHOPIFY.convert(TableChunk(empty.table.slice(0, 0), empty.lines[:0], empty.raw))
    assert nothing.events.num_rows == 0
    assert nothing.events.schema == CONVERTED_SCHEMA


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12), st.data())
def test_it_does_not_matter_where_chunks_end_between_orders(sizes: list[int], data: st.DataObject) -> None:
    """`FORMATS` promises chunks that cut no group of equal names."""
    assert FORMATS["shopify-orders"].group_by == ("Name",)
    names = [f"#{order}" for order, size in enumerate(sizes) for _ in range(size)]
    first = [row == 0 or names[row] != names[row - 1] for row in range(len(names))]
    whole = table_chunk(
        {
            "Name": names,
            "Created at": ["2026-03-03 10:14:00 +0100" if begins else None for begins in first],
            "Subtotal": ["10.00" if begins else None for begins in first],
            "Lineitem name": [f"p{row}" for row in range(len(names))],
            "Lineitem quantity": ["1"] * len(names),
            "Lineitem price": ["2.50"] * len(names),
        }
    )
    cut = data.draw(st.sampled_from([row for row in range(len(names)) if first[row]]))
    parts = [
        TableChunk(whole.table.slice(0, cut), whole.lines[:cut], whole.raw),
        TableChunk(whole.table.slice(cut), whole.lines[cut:], lambda i: whole.raw(i + cut)),
    ]
    together = rows_of(SHOPIFY.convert(whole))
    assert together == [row for part in parts for row in rows_of(SHOPIFY.convert(part))]
    assert [len(row["items"]) for row in together] == sizes
