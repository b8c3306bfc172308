"""Orders and product lines of GA4's rows, under the names of the e-commerce spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from percorso.events.formats.ga4_rows import Ga4Rows, Params
from percorso.events.formats.ga4_values import first, told

__all__ = ["ORDER_PARAMS", "order_objects"]

#: Parameters of the event that `order_objects` reads.
ORDER_PARAMS = ("transaction_id", "currency", "value", "tax", "shipping", "coupon", "ga_session_id")

_ECOMMERCE = (
    "transaction_id",
    "purchase_revenue",
    "purchase_revenue_in_usd",
    "refund_value",
    "refund_value_in_usd",
    "tax_value",
    "shipping_value",
)


def order_objects(rows: Ga4Rows, params: Sequence[Params]) -> list[dict[str, object]]:
    """One `properties` object a row, as `commerce.property_columns` reads them."""
    ecommerce = {name: rows.values(f"ecommerce.{name}") for name in _ECOMMERCE}
    return [
        _order(entry, {name: values[row] for name, values in ecommerce.items()}, lines)
        for row, (entry, lines) in enumerate(zip(params, rows.items(), strict=True))
    ]


def _order(params: Params, ecommerce: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """One event's order and product lines. Amounts in dollars count where the shop's own currency is missing."""
    order: dict[str, object] = {
        "order_id": told(ecommerce["transaction_id"]) or told(params.get("transaction_id")),
        "session_id": params.get("ga_session_id"),
        "coupon": told(params.get("coupon")),
        "revenue": first(ecommerce["purchase_revenue"], ecommerce["refund_value"], params.get("value")),
        "tax": first(ecommerce["tax_value"], params.get("tax")),
        "shipping": first(ecommerce["shipping_value"], params.get("shipping")),
        "currency": params.get("currency"),
    }
    dollars = first(ecommerce["purchase_revenue_in_usd"], ecommerce["refund_value_in_usd"])
    if order["revenue"] is None and dollars is not None:
        order |= {"revenue": dollars, "currency": "USD"}
    products = [_product(line) for line in lines if told(line.get("item_id")) or told(line.get("item_name"))]
    if products:
        order["products"] = products
    if len(products) == 1:
        order |= {"product_id": products[0]["product_id"], "category": products[0]["category"]}
    if products and order["currency"] is None and all(line.get("price") is None for line in lines):
        order["currency"] = "USD"
    return {key: value for key, value in order.items() if value is not None}


def _product(line: Mapping[str, Any]) -> dict[str, object]:
    return {
        "product_id": told(line.get("item_id")),
        "name": told(line.get("item_name")),
        "category": told(line.get("item_category")),
        "brand": told(line.get("item_brand")),
        "variant": told(line.get("item_variant")),
        "quantity": line.get("quantity"),
        "price": first(line.get("price"), line.get("price_in_usd")),
    }
