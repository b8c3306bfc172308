"""Format `auto`: which format a file has, judged by its columns or its first lines."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pyarrow as pa

from percorso.events.event import EVENT_TYPES
from percorso.events.formats.ad_costs import find_ad_columns
from percorso.events.formats.catalogue import is_catalogue, is_stock

__all__ = ["recognise_lines", "recognise_table"]

_SHOPIFY = frozenset({"Name", "Financial Status", "Created at", "Lineitem quantity", "Lineitem name"})
_PATH_NAMES = frozenset({"path", "percorso", "conversion path", "percorso di conversione"})
_PATH_COUNTS = ("conversion", "null", "conversioni")

_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_LOOKED_AT = 50


def recognise_table(columns: Sequence[str], schema: pa.Schema | None = None) -> str:
    """The format of a CSV or Parquet file: "shopify-orders", "ga4", "ad-costs", "stock", "catalogue", "paths", "table".

    Parameters
    ----------
    columns : sequence of str
    schema : pyarrow.Schema, optional
        Of a Parquet file.

    Examples
    --------
    >>> recognise_table(["Day", "Campaign", "Cost", "Impressions", "Clicks"])
    'ad-costs'
    >>> recognise_table(["user_id", "event", "timestamp"])
    'table'
    """
    names = set(columns)
    if names >= _SHOPIFY:
        return "shopify-orders"
    if schema is not None and _is_ga4(schema):
        return "ga4"
    lower = [name.strip().lower().replace("_", " ") for name in columns]
    if _PATH_NAMES & set(lower) and any(word in name for name in lower for word in _PATH_COUNTS):
        return "paths"
    roles = set(find_ad_columns(columns))
    if roles >= {"day", "cost"} and roles & {"impressions", "clicks"}:
        return "ad-costs"
    return "stock" if is_stock(columns) else "catalogue" if is_catalogue(columns) else "table"


def _is_ga4(schema: pa.Schema) -> bool:
    return {"event_name", "event_timestamp", "event_params"} <= set(schema.names)


def recognise_lines(texts: Sequence[bytes]) -> str:
    """The format of an NDJSON file by its first lines: "segment", "ga4" or "table" (flat objects).

    Examples
    --------
    >>> recognise_lines([b'{"type":"track","event":"Product Viewed","anonymousId":"a"}'])
    'segment'
    """
    votes = {"segment": 0, "ga4": 0, "table": 0}
    for text in texts[:_LOOKED_AT]:
        try:
            line = _decode_object(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        votes[_format_of(line)] += 1
    return max(votes, key=lambda name: votes[name]) if any(votes.values()) else "table"


def _format_of(line: dict[str, msgspec.Raw]) -> str:
    if "event_name" in line and "event_params" in line:
        return "ga4"
    if "batch" in line and bytes(line["batch"])[:1] == b"[":
        return "segment"
    kind = bytes(line["type"]).strip(b'"').decode(errors="replace") if "type" in line else ""
    if kind in EVENT_TYPES and not line.keys().isdisjoint(("anonymousId", "userId", "messageId", "context")):
        return "segment"
    return "table"
