"""The event row: what one line of any source becomes, and how the lake stores it.

One row is one immutable fact: someone did or received something at a time. Identifiers are kept raw,
because identity rules must be re-runnable; the lake is therefore personal data throughout.
"""

from __future__ import annotations

import pyarrow as pa

__all__ = [
    "CLICK_IDS",
    "EVENT_SCHEMA",
    "EVENT_TYPES",
    "IDENTIFIER_COLUMNS",
    "ITEM_TYPE",
    "JSON_COLUMNS",
    "REFERENCE_COLUMNS",
    "SOURCE_KINDS",
    "STRONG_COLUMNS",
    "WEAK_COLUMNS",
]

EVENT_TYPES = ("track", "page", "screen", "identify", "group", "alias")

#: What kind of tool a source is. It decides the default place and who is trusted for orders.
SOURCE_KINDS = (
    "web",
    "app",
    "pos",
    "server",
    "email",
    "sms",
    "support",
    "survey",
    "review",
    "crm",
    "ads",
    "delivery",
    "other",
)

#: Strong identifiers by falling priority (identity rules, section 1), then weak ones.
STRONG_COLUMNS = ("user_id", "loyalty_id", "email", "phone", "card_token")
WEAK_COLUMNS = ("anonymous_id", "device_id")
IDENTIFIER_COLUMNS = STRONG_COLUMNS + WEAK_COLUMNS
#: Columns whose text is JSON.
JSON_COLUMNS = ("other_ids", "consent", "properties", "traits")
REFERENCE_COLUMNS = ("order_id", "return_id", "ticket_id", "conversation_id", "coupon", "cart_id", "checkout_id")

#: Click ids of ad platforms, as URL parameter -> (source, is it paid).
CLICK_IDS = {
    "gclid": ("google", True),
    "gbraid": ("google", True),
    "wbraid": ("google", True),
    "dclid": ("google", True),
    "msclkid": ("bing", True),
    "ttclid": ("tiktok", True),
    "twclid": ("twitter", True),
    "li_fat_id": ("linkedin", True),
    "fbclid": ("facebook", False),
}

_utc = pa.timestamp("us", tz="UTC")

#: One line of an order or product list. ``price`` is per unit, integer minor units of the event's currency.
ITEM_TYPE = pa.struct(
    [
        ("product_id", pa.string()),
        ("sku", pa.string()),
        ("name", pa.string()),
        ("category", pa.string()),
        ("brand", pa.string()),
        ("variant", pa.string()),
        ("quantity", pa.float64()),
        ("price", pa.int64()),
    ]
)

#: Column -> meaning is documented in docs/reference/event.md; a test keeps the two equal.
EVENT_SCHEMA = pa.schema(
    [
        # What came in. (source, message_id) is the dedupe key; row_key is a 128-bit hash of the whole
        # row but batch and row_key, so equal rows have equal keys whenever and however they arrive.
        pa.field("batch", pa.int64(), nullable=False),
        pa.field("row_key", pa.binary(16), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("source_kind", pa.string(), nullable=False),
        pa.field("message_id", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("timestamp", _utc, nullable=False),
        pa.field("original_timestamp", _utc),
        pa.field("received_at", _utc),
        pa.field("sent_at", _utc),
        pa.field("sequence", pa.int64(), nullable=False),
        pa.field("session_id", pa.string()),
        # Who. Raw values; spaces say where user_id, loyalty_id, card_token and references live.
        pa.field("id_space", pa.string(), nullable=False),
        pa.field("ref_space", pa.string(), nullable=False),
        *(pa.field(name, pa.string()) for name in IDENTIFIER_COLUMNS),
        pa.field("other_ids", pa.string()),  # JSON object: own identifier type -> value
        pa.field("previous_id", pa.string()),  # alias messages: the identifier that is taken over
        *(pa.field(name, pa.string()) for name in REFERENCE_COLUMNS),
        pa.field("consent", pa.string()),  # JSON as sent
        # Where and how.
        pa.field("channel", pa.string()),  # only if the sender says it
        pa.field("place", pa.string()),
        pa.field("direction", pa.string()),
        pa.field("touchpoint", pa.string()),
        pa.field("url", pa.string()),
        pa.field("title", pa.string()),
        pa.field("referrer", pa.string()),
        pa.field("utm_source", pa.string()),
        pa.field("utm_medium", pa.string()),
        pa.field("utm_campaign", pa.string()),
        pa.field("utm_term", pa.string()),
        pa.field("utm_content", pa.string()),
        pa.field("click_id", pa.string()),  # the parameter's name, "gclid", never its value
        pa.field("user_agent", pa.string()),
        pa.field("device", pa.string()),  # desktop, mobile, tablet, ... if the sender says it
        pa.field("os", pa.string()),
        pa.field("app", pa.string()),
        pa.field("locale", pa.string()),
        pa.field("timezone", pa.string()),
        pa.field("country", pa.string()),
        # Commerce, in minor units of `currency`. `value` follows definitions: revenue, else subtotal, else
        # total - tax - shipping, else total or value.
        pa.field("value", pa.int64()),
        pa.field("tax", pa.int64()),
        pa.field("shipping", pa.int64()),
        pa.field("discount", pa.int64()),
        pa.field("currency", pa.string()),
        pa.field("product_id", pa.string()),
        pa.field("category", pa.string()),
        pa.field("items", pa.list_(ITEM_TYPE)),
        # Feedback, and everything else.
        pa.field("score", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("properties", pa.string()),  # JSON object, keys sorted
        pa.field("traits", pa.string()),  # JSON object of identify and group messages
        pa.field("notes", pa.string()),  # comma-separated import notes, e.g. "dst_gap,email_malformed"
    ]
)
