"""Where GA4's events came from, and what else their rows tell."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from percorso.events.formats.ga4_orders import ORDER_PARAMS
from percorso.events.formats.ga4_rows import Ga4Rows, Params
from percorso.events.formats.ga4_values import origin, told
from percorso.events.formats.json_values import text_column

__all__ = ["campaign_columns", "extra_properties"]

_FIRST_EVENTS = frozenset({"first_visit", "first_open"})
#: utm column -> parameter of the event, member of collected_traffic_source, member of traffic_source.
_CAMPAIGN = {
    "utm_source": ("source", "manual_source", "source"),
    "utm_medium": ("medium", "manual_medium", "medium"),
    "utm_campaign": ("campaign", "manual_campaign_name", "name"),
    "utm_term": ("term", "manual_term", ""),
    "utm_content": ("content", "manual_content", ""),
}
#: Parameters that become columns or say nothing about the customer.
_READ_PARAMS = frozenset(
    {
        *(names[0] for names in _CAMPAIGN.values()),
        *("page_location", "page_title", "page_referrer", "firebase_screen", "gclid", "dclid"),
        *ORDER_PARAMS,
        *("batch_page_id", "batch_ordering_id", "debug_mode", "ignore_referrer", "engaged_session_event"),
    }
)
_KEPT_MEMBERS = {
    "geo_region": "geo.region",
    "geo_city": "geo.city",
    "browser": "device.browser",
    "device_brand": "device.mobile_brand_name",
    "device_model": "device.mobile_model_name",
}


def campaign_columns(rows: Ga4Rows, params: Sequence[Params], names: Sequence[str]) -> dict[str, pa.Array]:
    columns: dict[str, pa.Array] = {}
    first = [name in _FIRST_EVENTS for name in names]
    for column, (param, collected, acquired) in _CAMPAIGN.items():
        found = [
            origin(a) or origin(entry.get(param))
            for a, entry in zip(rows.values(f"collected_traffic_source.{collected}"), params, strict=True)
        ]
        if acquired and any(first):
            users = rows.values(f"traffic_source.{acquired}")
            found = [a or (origin(b) if new else None) for a, b, new in zip(found, users, first, strict=True)]
        columns[column] = text_column(found)
    clicks = [rows.values(f"collected_traffic_source.{name}") for name in ("gclid", "dclid")]
    columns["click_id"] = text_column(
        [
            "gclid" if gclid or entry.get("gclid") else "dclid" if dclid or entry.get("dclid") else None
            for gclid, dclid, entry in zip(*clicks, params, strict=True)
        ]
    )
    return columns


def extra_properties(rows: Ga4Rows, params: Sequence[Params]) -> list[dict[str, object] | None]:
    """What no column holds: other parameters, user properties, city, device, where the user first came from."""
    kept = {name: rows.values(path) for name, path in _KEPT_MEMBERS.items()}
    acquired = {name: rows.values(f"traffic_source.{name}") for name in ("source", "medium", "name")}
    extras: list[dict[str, object] | None] = []
    for row, (entry, user) in enumerate(zip(params, rows.params("user_properties"), strict=True)):
        rest = {key: value for key, value in entry.items() if key not in _READ_PARAMS and value is not None}
        rest |= {name: text for name, values in kept.items() if (text := told(values[row]))}
        acquisition = {name: text for name, values in acquired.items() if (text := origin(values[row]))}
        own = {key: value for key, value in user.items() if value is not None}
        rest |= {
            name: value for name, value in (("first_traffic_source", acquisition), ("user_properties", own)) if value
        }
        extras.append(rest or None)
    return extras
