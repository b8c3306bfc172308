"""A small workspace for tests of questions: seven persons, one of whom is a bot."""

from __future__ import annotations

from pathlib import Path

from percorso.services.workspace import Workspace
from tests.lake_builder import event
from tests.workspaces import make_workspace

__all__ = ["make_shop"]

VIEW, ADD, BUY = "Product Viewed", "Product Added", "Order Completed"
_BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def make_shop(folder: Path) -> Workspace:
    """View, add and buy on consecutive hours: 3 persons buy, 2 stop at the cart, 1 only looks, 1 is a bot."""
    rows = []
    for number, path in enumerate([(VIEW, ADD, BUY)] * 3 + [(VIEW, ADD)] * 2 + [(VIEW,)]):
        for hour, name in enumerate(path):
            bought = {"value": 2500, "currency": "EUR", "order_id": f"o{number}"} if name == BUY else {}
            country = "IT" if number % 2 else "DE"
            at = f"2024-03-0{number + 1} 1{hour}:00"
            rows.append(event(at, name, user_id=f"u{number}", country=country, utm_medium="email", **bought))
    rows.append(event("2024-03-09 10:00", VIEW, user_id="robot", user_agent=_BOT))
    return make_workspace(folder, rows)
