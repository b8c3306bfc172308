"""A shop with enough customers for a report: four months, three channels, a till, a bot, and hostile names."""

from __future__ import annotations

from pathlib import Path

from percorso.services.workspace import Workspace, open_workspace
from tests.lake_builder import event
from tests.workspaces import change_settings, make_workspace

__all__ = ["HOSTILE", "make_report_shop"]

HOSTILE = '<script src="http://evil.example/x.js">alert(1)</script>'
_BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_UTM = (
    {"utm_source": "news", "utm_medium": "email", "utm_campaign": HOSTILE},
    {"utm_source": "google", "utm_medium": "cpc"},
    {"referrer": "https://www.google.com/", "url": "https://shop.example/"},
)


def make_report_shop(folder: Path) -> Workspace:
    """240 customers, two of three of whom put something into the cart, one of three buys, some of them again."""
    rows = []
    for number in range(240):
        month, day = 1 + number % 4, 1 + number % 27
        who = {"user_id": f"u{number}", "email": f"customer{number}@mail.example", **_UTM[number % 3]}
        product = {"product_id": HOSTILE, "product_name": HOSTILE, "category": HOSTILE} if number == 7 else {}
        steps = ["Product Viewed", "Product Viewed"]
        steps += ["Product Added", "Checkout Started"] if number % 3 else []
        steps += ["Order Completed"] if number % 3 == 1 else []
        for minute, name in enumerate(steps):
            bought = {"order_id": f"o{number}", "value": 1990 + number, "currency": "EUR"} if "Order" in name else {}
            rows.append(event(f"2024-{month:02d}-{day:02d} 10:{minute:02d}", name, **who, **_fields(product), **bought))
        if number % 6 == 1:
            again = {"order_id": f"again{number}", "value": 3000, "currency": "EUR"}
            rows.append(event(f"2024-{month + 1:02d}-{day:02d} 17:00", "Order Completed", **who, **again))
    for number in range(40):
        till = {"source": "till", "source_kind": "pos", "place": "store", "order_id": f"r{number}"}
        rows.append(
            event(f"2024-03-{1 + number % 28:02d} 18:00", "Order Completed", value=4200, currency="EUR", **till)
        )
    rows.append(event("2024-05-30 10:00", "Product Viewed", anonymous_id="last"))
    rows.append(event("2024-02-09 10:00", "Product Viewed", anonymous_id="robot", user_agent=_BOT))
    workspace = make_workspace(folder, rows)
    change_settings(workspace, 'name = ""', f"name = {HOSTILE!r}")
    return open_workspace(workspace.folder)


def _fields(product: dict[str, str]) -> dict[str, object]:
    if not product:
        return {}
    return {"items": [{"product_id": product["product_id"], "name": product["product_name"], "quantity": 1.0}]}
