"""A workspace in which everything happens that `identity explain` and `identity report` tell of."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from percorso.services.workspace import Workspace
from tests.lake_builder import event
from tests.workspaces import change_settings, make_workspace

__all__ = ["ANNA", "BRUNO", "CARLA", "DARIA", "FAMILY", "RAW", "make_world", "on"]

ANNA, BRUNO, CARLA, DARIA = (f"{name}.rossi@posta.example" for name in ("anna", "bruno", "carla", "daria"))
FAMILY, OTHER = "347 1234567", "347 7654321"
#: What no answer may hold unless it is asked for.
RAW = (
    *("anna.rossi", "bruno.rossi", "carla.rossi", "daria.rossi", "3471234567", "7654321", "user-100"),
    *("tablet-77", "agent.smith", "kiosk-1", "not-an-address", "order-1001"),
)

DESK = {"source": "calls", "source_kind": "support"}
_START = datetime(2024, 3, 1)


def on(day: float, message: str, name: str = "Page Viewed", **fields: Any) -> dict[str, Any]:
    return event(_START + timedelta(days=day), name, message_id=message, **fields)


def _family() -> list[dict[str, Any]]:
    calls = [on(n / 24, f"c{n:02}", "Call Started", user_id="user-1001", phone=FAMILY, **DESK) for n in range(10)]
    calls += [on(n / 24, f"d{n:02}", "Call Started", user_id="user-1002", phone=FAMILY, **DESK) for n in range(9)]
    return [*calls, on(20, "call", "Call Started", phone=FAMILY, **DESK)]


def _tablet() -> list[dict[str, Any]]:
    at = {"anonymous_id": "tablet-77"}
    return [
        on(3.0, "t0", **at),
        on(3.1, "t1", "Signed In", **at, user_id="user-1001", email=ANNA),
        on(3.2, "t2", **at),
        on(3.3, "t3", "Signed Out", **at),
        on(3.4, "t4", **at),
        on(3.5, "t5", "Signed In", **at, email=BRUNO),
        on(3.6, "t6", "Signed Out", **at),
        on(3.7, "t7", **at),
        on(3.8, "t8", "Signed In", **at, email=BRUNO),
        on(200, "far", anonymous_id="far-browser"),
        on(300, "far login", anonymous_id="far-browser", email=BRUNO),
        on(5, "lonely", anonymous_id="lonely-browser"),
        on(5, "kiosk", anonymous_id="kiosk-1", source="kiosk"),
    ]


def _numbers() -> list[dict[str, Any]]:
    courier = {"source": "courier", "source_kind": "delivery"}
    return [
        on(6, "order", "Order Completed", email=ANNA, order_id="order-1001"),
        on(8, "parcel", "Order Delivered", order_id="order-1001", **courier),
        on(8, "lost", "Order Delivered", order_id="order-2002", **courier),
        on(8, "nothing", "Order Delivered", **courier),
    ]


def _others() -> list[dict[str, Any]]:
    tickets = [
        on(9 + n / 24, f"ticket{n:02}", user_id=f"user-2{n:03}", email="agent.smith@shop.example", **DESK)
        for n in range(25)
    ]
    server = {"source": "shop", "source_kind": "server"}
    shared = [
        on(10 + n / 24, f"desk{n}", "Signed In", device_id="counter", user_id=f"user-3{n}", source="app")
        for n in range(4)
    ]
    return [
        *tickets,
        *shared,
        # A guest's two addresses, joined by a number.
        on(11, "g1", email=CARLA, phone=OTHER),
        on(12, "g2", email=DARIA, phone=OTHER, **server),
        # An address on many orders of one account and on one of another.
        *(on(13 + n / 24, f"own{n}", user_id="user-1001", email=ANNA) for n in range(9)),
        on(14, "gift", user_id="user-1002", email=ANNA),
        # An account that was given again.
        on(15, "old1", user_id="user-1009", email="old@posta.example"),
        on(16, "old2", user_id="user-1009"),
        on(900, "new1", user_id="user-1009", email="new@posta.example"),
        # Somebody who only changed the address, and somebody who was away for long.
        on(15, "moved1", user_id="user-1010", email="before@posta.example"),
        on(300, "moved2", user_id="user-1010"),
        on(600, "moved3", user_id="user-1010", email="after@posta.example"),
        on(15, "away1", user_id="user-1011", email="same@posta.example"),
        on(700, "away2", user_id="user-1011", email="same@posta.example", loyalty_id="L1011"),
        # Dropped.
        on(17, "guest1", user_id="guest", anonymous_id="b1"),
        on(17, "guest2", user_id=" Guest ", anonymous_id="b1"),
        on(17, "null", user_id="null", email="not-an-address"),
        on(17, "zero", anonymous_id="0000"),
        # An alias message of a server.
        on(
            18, "alias", type="alias", user_id="user-1020", previous_id="user-1021", source="shop", source_kind="server"
        ),
        on(18, "before alias", user_id="user-1021"),
    ]


def make_world(folder: Path) -> Workspace:
    """See the functions above for who is in it."""
    workspace = make_workspace(folder, [*_family(), *_tablet(), *_numbers(), *_others()])
    return change_settings(workspace, "shared_sources = []", 'shared_sources = ["kiosk"]')
