"""Which keys of a `properties` object become columns, and which are left over.

Tracking plans use few combinations of keys, so what a combination means is worked out once for each
(`shape_of` is cached) and not once for each of a million messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from percorso.events.formats.items import ITEM_KEYS

__all__ = ["DROPPED_KEYS", "KEYS", "PAGE_KEYS", "Objects", "Shape", "shape_of"]

#: Never stored: addresses of machines are personal and of no use to a journey.
DROPPED_KEYS = frozenset({"ip", "ip_address", "ipAddress", "request_ip"})

#: Event column or part of one -> the keys that senders use, best first.
KEYS: dict[str, tuple[str, ...]] = {
    "order_id": ("order_id", "orderId"),
    "return_id": ("return_id", "returnId"),
    "ticket_id": ("ticket_id", "ticketId"),
    "conversation_id": ("conversation_id", "conversationId"),
    "cart_id": ("cart_id", "cartId"),
    "checkout_id": ("checkout_id", "checkoutId"),
    "coupon": ("coupon", "coupon_id", "couponId", "coupon_code"),
    "session_id": ("session_id", "sessionId"),
    "loyalty_id": ("loyalty_id", "loyaltyId"),
    "card_token": ("card_token", "cardToken"),
    "currency": ("currency",),
    "revenue": ("revenue",),
    "subtotal": ("subtotal",),
    "total": ("total",),
    "value": ("value",),
    "tax": ("tax",),
    "shipping": ("shipping",),
    "discount": ("discount",),
    "product_id": ("product_id", "productId"),
    "category": ("category",),
    "place": ("place",),
    "direction": ("direction",),
    "touchpoint": ("touchpoint",),
}

#: Of these the first present is the event's value (definitions, section 8); the others stay properties.
VALUE_KEYS = ("revenue", "subtotal", "total", "value")

PAGE_KEYS = frozenset({"url", "path", "search", "referrer", "title"})
FEEDBACK_KEYS = frozenset({"score", "rating", "review_body", "text", "comment"})

_TOP = frozenset(key for name, keys in KEYS.items() if name not in VALUE_KEYS for key in keys)
_ITEM = frozenset(key for keys in ITEM_KEYS.values() for key in keys) - {"id"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What the keys of one `properties` object say."""

    keys: tuple[str, ...]
    key_set: frozenset[str]
    left_over: tuple[str, ...]
    product: bool  # the object itself is one product
    products: bool  # it has a list of them


@lru_cache(maxsize=20_000)
def shape_of(keys: tuple[str, ...], page: bool, feedback: bool, channel: bool) -> Shape:
    """Work out the shape of a `properties` object with these keys.

    Parameters
    ----------
    keys : tuple of str
    page : bool
        It belongs to a page or screen: url, referrer and title are the page's own.
    feedback : bool
        It belongs to a review or an answer: score and text are what the customer said.
    channel : bool
        Its `channel` names what brought the contact (it does on sources that are neither site nor app).
    """
    names = frozenset(keys)
    products = "products" in names
    product = not products and not names.isdisjoint(("product_id", "productId", "sku"))
    value_key = next((key for key in VALUE_KEYS if key in names), "")
    used = _TOP | DROPPED_KEYS | {value_key}
    used |= PAGE_KEYS if page else frozenset()
    used |= FEEDBACK_KEYS if feedback else frozenset()
    used |= {"channel"} if channel else frozenset()
    used |= _ITEM if product else frozenset()
    used |= {"products"} if products else frozenset()
    return Shape(keys, names, tuple(key for key in keys if key not in used), product, products)


class Objects:
    """The `properties` objects of a block of events, and which keys each has.

    Parameters
    ----------
    objects : sequence of dict, shape (rows,)
    shapes : sequence of Shape, shape (rows,)
    """

    def __init__(self, objects: Sequence[Mapping[str, object]], shapes: Sequence[Shape]) -> None:
        self.objects = objects
        self.shapes = shapes
        self._rows: dict[int, list[int]] = {}
        for row, shape in enumerate(shapes):
            self._rows.setdefault(id(shape), []).append(row)
        self._distinct = {id(shape): shape for shape in shapes}

    def __len__(self) -> int:
        return len(self.objects)

    def rows_where(self, wanted: Callable[[Shape], bool]) -> list[int]:
        """The rows of the shapes that are wanted, ascending."""
        groups = [self._rows[key] for key, shape in self._distinct.items() if wanted(shape)]
        return sorted(row for rows in groups for row in rows) if len(groups) > 1 else groups[0] if groups else []

    def pick(self, keys: Iterable[str]) -> list[object] | None:
        """The values of the first of `keys` that each object has; None when no object has any.

        Most keys stand in few objects: only those are looked at.
        """
        values: list[object] = [None] * len(self.objects)
        found = False
        for key in keys:
            for at, shape in self._distinct.items():
                if key in shape.key_set:
                    found = True
                    for row in self._rows[at]:
                        if values[row] is None:
                            values[row] = self.objects[row][key]
        return values if found else None
