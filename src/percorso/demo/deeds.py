"""Who Legnocorda's customers are and what they can do, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from percorso.demo.shop import Origin, Persona, Product

__all__ = ["Customer", "Deed", "Device", "Mail", "Order", "Receipt", "Story", "WebEvent"]


@dataclass(frozen=True, slots=True)
class Device:
    anonymous_id: str
    user_agent: str
    clock_error_s: int = 0  # what the device's own clock is wrong by


@dataclass(frozen=True, slots=True)
class Customer:
    number: int
    first_name: str
    last_name: str
    email: str
    phone: str
    card: str  # loyalty card, "" for none
    persona: Persona
    phone_device: Device
    desktop: Device
    newsletter: bool


@dataclass(frozen=True, slots=True)
class WebEvent:
    """One call of the shop's tracker. `name` is "" for a page view; `email` is what the tracker knows by then."""

    device: Device
    time: datetime
    name: str
    path: str
    title: str
    email: str = ""
    origin: Origin | None = None
    properties: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    number: int
    customer: Customer
    time: datetime
    lines: tuple[tuple[Product, int], ...]
    shipping_cents: int
    coupon: str = ""
    discount_cents: int = 0
    cancelled: bool = False
    refunded_cents: int = 0

    @property
    def subtotal_cents(self) -> int:
        return sum(product.price_cents * quantity for product, quantity in self.lines) - self.discount_cents


@dataclass(frozen=True, slots=True)
class Receipt:
    store: str
    time: datetime
    lines: tuple[tuple[Product, int], ...]
    card: str = ""
    email: str = ""
    returned: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    time: datetime
    campaign: str
    address: str
    action: str


@dataclass(frozen=True, slots=True)
class Story:
    web: tuple[WebEvent, ...]
    orders: tuple[Order, ...]
    receipts: tuple[Receipt, ...]
    mails: tuple[Mail, ...]


Deed = WebEvent | Order | Receipt | Mail
