"""Rows of GA4's BigQuery export."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from percorso.events.aliases import CANONICAL_EVENTS, canonical_name
from percorso.events.conversion import TableChunk
from percorso.events.formats.ga4 import GA4_EVENT_NAMES, Ga4LineFormat, Ga4TableFormat
from percorso.settings import Settings
from tests.events.formats.chunks import DATA, WEB, columns_of, line_chunk, rows_of

LINES = (DATA / "ga4.ndjson").read_bytes().splitlines()
GA4 = Ga4LineFormat(Settings(), WEB)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    converted = GA4.convert(line_chunk(LINES))
    told = [(reject.line, reject.reason) for reject in converted.rejected]
    assert told == [(7, "time_unreadable"), (8, "event_missing"), (9, "type_wrong")]
    return rows_of(converted)


def test_names_are_canonical() -> None:
    assert set(GA4_EVENT_NAMES.values()) <= set(CANONICAL_EVENTS)
    # "click" alone says too little elsewhere; GA4 collects clicks on links that leave the site.
    others = {raw: name for raw, name in GA4_EVENT_NAMES.items() if raw != "click"}
    assert others == {raw: canonical_name(raw, {}) for raw in others}


def test_where_a_user_first_came_from_counts_for_the_first_event_alone(rows: list[dict[str, Any]]) -> None:
    assert (rows[0]["utm_source"], rows[0]["utm_medium"]) == ("(direct)", "(none)")
    assert (rows[1]["utm_source"], rows[1]["utm_medium"], rows[1]["utm_campaign"]) == ("partner", "cpc", "primavera")
    assert rows[1]["click_id"] == "gclid"
    assert "utm_source" not in rows[2]
    assert json.loads(rows[1]["properties"])["first_traffic_source"] == {"source": "old"}


def test_a_page(rows: list[dict[str, Any]]) -> None:
    page = rows[1]
    assert (page["type"], page["name"], page["title"]) == ("page", "Page Viewed", "Corde")
    assert (page["url"], page["referrer"]) == ("https://shop.example/corde", "https://www.google.com/")
    assert (page["session_id"], page["anonymous_id"]) == ("1772355600", "11.22")
    assert page["timestamp"] == datetime(2026, 3, 1, 9, tzinfo=UTC)
    properties = json.loads(page["properties"])
    assert (properties["engagement_time_msec"], properties["scroll_share"]) == (1200, 0.5)


def test_device_place_and_consent(rows: list[dict[str, Any]]) -> None:
    first = rows[0]
    assert (first["device"], first["os"], first["locale"], first["country"]) == ("mobile", "iOS", "it-it", "Italy")
    assert json.loads(first["consent"]) == {"analytics_storage": "Yes"}
    properties = json.loads(first["properties"])
    assert properties["user_properties"] == {"member": "gold"}
    assert (properties["browser"], properties["geo_region"], "geo_city" in properties) == ("Safari", "Lazio", False)
    assert "secret" not in json.dumps(rows, default=str)


def test_events_of_equal_time_keep_the_order_of_their_request(rows: list[dict[str, Any]]) -> None:
    assert [row["sequence"] for row in rows[:4]] == [100_001, 100_002, -7, -7]
    assert len({row["message_id"] for row in rows}) == len(rows)


def test_the_id_depends_on_nothing_that_google_adds_later(rows: list[dict[str, Any]]) -> None:
    later = json.loads(LINES[2]) | {"collected_traffic_source": {"manual_source": "x"}, "geo": {"country": "Italy"}}
    later["event_params"] = later["event_params"][::-1]
    again = rows_of(GA4.convert(line_chunk([json.dumps(later)])))[0]
    assert again["message_id"] == rows[2]["message_id"]


def test_products_and_orders(rows: list[dict[str, Any]]) -> None:
    seen, order = rows[2], rows[4]
    assert (seen["product_id"], seen["category"], seen["value"]) == ("9195", "Abbigliamento", 2450)
    assert (order["source_kind"], order["app"], order["user_id"]) == ("app", "it.negozio", "1042")
    assert (order["order_id"], order["coupon"], order["currency"]) == ("T1", "SALDI", "EUR")
    assert (order["value"], order["tax"], order["shipping"]) == (5900, 910, 590)
    assert [(i["product_id"], i["quantity"], i["price"]) for i in order["items"]] == [
        ("9195", 2.0, 2450),
        ("9196", 1.0, 1000),
    ]


def test_dollars_count_where_the_shop_s_currency_is_missing(rows: list[dict[str, Any]]) -> None:
    assert (rows[5]["name"], rows[5]["value"], rows[5]["currency"]) == ("Order Refunded", 1200, "USD")


def nested_table() -> pa.Table:
    """The fixture's good rows as BigQuery writes Parquet: typed, nested."""
    rows = [json.loads(line) for line in LINES[:6]]
    kinds = {"string_value": pa.string(), "int_value": pa.int64(), "float_value": pa.float64()}
    value = pa.struct(kinds | {"double_value": pa.float64(), "set_timestamp_micros": pa.int64()})
    params = pa.list_(pa.struct([("key", pa.string()), ("value", value)]))
    whole = ("event_timestamp", "event_bundle_sequence_id", "batch_event_index")
    for row in rows:
        for name in whole:
            row[name] = int(row[name]) if name in row else None
        for param in [*row["event_params"], *row.get("user_properties", [])]:
            given = param["value"]
            param["value"] = {name: given.get(name) for name in value.names}
            param["value"] |= {n: int(given[n]) for n in ("int_value", "set_timestamp_micros") if n in given}
        for item in row["items"]:
            item["quantity"] = int(item["quantity"]) if "quantity" in item else None
    names = sorted({name for row in rows for name in row})
    types = {"event_params": params, "user_properties": params}
    return pa.table({name: pa.array([row.get(name) for row in rows], types.get(name)) for name in names})


def test_parquet_gives_what_ndjson_gives(rows: list[dict[str, Any]]) -> None:
    table = nested_table()
    lines = np.arange(1, table.num_rows + 1, dtype=np.int64)
    converted = Ga4TableFormat(Settings(), WEB).convert(TableChunk(table, lines, str))
    assert converted.rejected == []
    assert rows_of(converted) == rows


def test_chunks_do_not_matter() -> None:
    whole = GA4.convert(line_chunk(LINES[:6] * 2))
    parts = [GA4.convert(line_chunk([line])) for line in LINES[:6] * 2]
    assert rows_of(whole) == [row for part in parts for row in rows_of(part)]
    assert columns_of(whole, "message_id")[:6] == columns_of(whole, "message_id")[6:]
