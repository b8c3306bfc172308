"""Segment's and RudderStack's messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.events.conversion import CONVERTED_SCHEMA
from percorso.events.formats.segment import SegmentFormat
from percorso.events.formats.source import source_info
from percorso.settings import IdentitySettings, Settings
from tests.events.formats.chunks import DATA, WEB, columns_of, line_chunk, rows_of

SEGMENT = SegmentFormat(Settings(), WEB)


def message(**members: Any) -> str:
    """A message that is fine but for what is given."""
    return json.dumps({"type": "track", "event": "E", "userId": "u", "timestamp": "2026-03-01T09:00:00Z"} | members)


def one(**members: Any) -> dict[str, Any]:
    converted = SEGMENT.convert(line_chunk([message(**members)]))
    assert converted.rejected == []
    return rows_of(converted)[0]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    converted = SEGMENT.convert(line_chunk((DATA / "segment.ndjson").read_bytes().splitlines()))
    assert [(reject.line, reject.reason) for reject in converted.rejected] == [(5, "event_missing")]
    assert converted.events.schema == CONVERTED_SCHEMA
    assert converted.raw_row.tolist() == [0, 1, 2, 3, 4, 5, 6]
    return rows_of(converted)


def test_page(rows: list[dict[str, Any]]) -> None:
    page = rows[0]
    assert (page["type"], page["name"], page["title"]) == ("page", "Page Viewed", "Negozio")
    assert page["url"] == "https://shop.example/?utm_source=mail&utm_medium=email"
    assert page["referrer"] == "https://www.google.com/"
    assert (page["utm_source"], page["utm_medium"], page["utm_campaign"]) == ("newsletter", "email", "primavera")
    assert (page["locale"], page["timezone"]) == ("it-IT", "Europe/Rome")
    assert json.loads(page["properties"]) == {"context": {"campaign": {"creative": "blu"}}, "name": "Home"}


def test_the_clock_of_the_device_is_left_to_the_build(rows: list[dict[str, Any]]) -> None:
    page = rows[0]
    assert page["timestamp"] == page["original_timestamp"] == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert page["sent_at"] == datetime(2026, 3, 1, 9, 0, 0, 200_000, tzinfo=UTC)
    assert page["received_at"] == datetime(2026, 3, 1, 9, 0, 15, 200_000, tzinfo=UTC)
    assert rows[1]["timestamp"] == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)


def test_addresses_of_machines_are_not_stored(rows: list[dict[str, Any]]) -> None:
    assert "203.0.113.9" not in json.dumps(rows, default=str)
    assert "203.0.113.9" not in json.dumps(one(properties={"ip": "203.0.113.9"}, request_ip="203.0.113.9"), default=str)


def test_identify(rows: list[dict[str, Any]]) -> None:
    row = rows[1]
    assert (row["user_id"], row["anonymous_id"]) == ("1042", "a-1")
    assert (row["email"], row["phone"]) == ("anna.rossi@example.com", "+39 055 5551234")
    assert json.loads(row["traits"]) == {"firstName": "Anna", "plan": "gold"}


def test_a_product(rows: list[dict[str, Any]]) -> None:
    row = rows[2]
    assert (row["product_id"], row["category"], row["currency"]) == ("P1", "Corde", "EUR")
    assert [(i["sku"], i["quantity"], i["price"]) for i in row["items"]] == [("S1", 1.0, 1250)]
    # The product's own rating is no score of this customer's.
    assert json.loads(row["properties"]) == {"position": 3, "rating": 4.7}
    assert "score" not in row


def test_an_order(rows: list[dict[str, Any]]) -> None:
    row = rows[3]
    assert (row["order_id"], row["coupon"], row["currency"]) == ("O-1", "PRIMAVERA", "EUR")
    # total - tax - shipping
    assert (row["value"], row["tax"], row["shipping"], row["discount"]) == (2300, 400, 590, 100)
    assert [(i["product_id"], i["quantity"], i["price"]) for i in row["items"]] == [("P1", 2.0, 1250), ("P2", 1.0, 300)]
    assert json.loads(row["properties"]) == {"payment_method": "card"}


def test_members_of_a_batch_have_its_context(rows: list[dict[str, Any]]) -> None:
    row = rows[4]
    assert (row["score"], row["text"], row["product_id"]) == (5.0, "Ottima", "P1")
    assert (row["device"], row["device_id"], row["os"], row["app"]) == ("tablet", "d-9", "iPadOS", "Negozio")
    assert row["sent_at"] == datetime(2026, 3, 5, 10, 0, 2, tzinfo=UTC)


def test_alias_and_unix_times(rows: list[dict[str, Any]]) -> None:
    assert (rows[5]["previous_id"], rows[5]["user_id"], rows[5]["name"]) == ("a-1", "1042", "Aliased")
    assert rows[5]["timestamp"] == datetime(2026, 3, 1, 8, 5, tzinfo=UTC)


def test_a_message_without_any_id_stays(rows: list[dict[str, Any]]) -> None:
    row = rows[6]
    assert row["name"] == "Coupon Denied"
    assert not row.keys() & {"user_id", "anonymous_id", "message_id", "sequence"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"type":"track"', "json_invalid"),
        ("[1]", "type_wrong"),
        (message(userId={"id": 1}), "type_wrong"),
        (message(context=[]), "type_wrong"),
        (message(properties="x"), "type_wrong"),
        (message(properties={"products": "x"}), "type_wrong"),
        (message(properties={"products": ["x"]}), "type_wrong"),
        (message(type="merge"), "type_unknown"),
        (message(type=None, event=None), "type_unknown"),
        (message(event=" "), "event_missing"),
        (message(timestamp=None), "time_missing"),
        (message(timestamp="2026-02-30T09:00:00Z"), "time_unreadable"),
        (message(timestamp="0001-01-01T00:00:00Z"), "time_unreadable"),
        (message(properties={"revenue": "lots"}), "amount_unreadable"),
        (message(properties={"products": [{"price": {}}]}), "amount_unreadable"),
    ],
)
def test_what_cannot_be_used_is_rejected_and_the_rest_stays(text: str, reason: str) -> None:
    converted = SEGMENT.convert(line_chunk([message(), text, message()]))
    assert [(reject.line, reject.reason, reject.raw) for reject in converted.rejected] == [(2, reason, text)]
    assert converted.raw_row.tolist() == [0, 2]


def test_details_of_rejects_name_no_values() -> None:
    converted = SEGMENT.convert(line_chunk([message(userId=["anna.rossi@example.com"])]))
    assert converted.rejected[0].detail == "Expected `bool | int | float | str | null`, got `array` - at `$.userId`"


def test_half_an_emoji_is_mended() -> None:
    text = message(properties={"note": "X"}).replace('"X"', r'"ciao \ud83d"')
    assert json.loads(rows_of(SEGMENT.convert(line_chunk([text])))[0]["properties"]) == {"note": "ciao �"}


def test_equal_messages_give_equal_rows_whatever_the_order_of_keys() -> None:
    properties = {"b": {"z": 1, "a": [2, {"d": 1, "c": 2}]}, "a": "x"}
    turned = {"a": "x", "b": {"a": [2, {"c": 2, "d": 1}], "z": 1}}
    assert one(properties=properties) == one(properties=turned)


def test_identifiers_of_rudderstack() -> None:
    row = one(
        type="identify",
        context={
            "traits": {"email": "a@example.com", "loyalty_id": 77, "name": "A"},
            "externalIds": [{"type": "user_id", "id": "x"}, {"type": "brazeId", "id": "b-1"}, {"id": "nameless"}, 3],
            "sessionId": 1772352300,
        },
    )
    assert (row["user_id"], row["email"], row["loyalty_id"], row["session_id"]) == (
        "u",
        "a@example.com",
        "77",
        "1772352300",
    )
    assert json.loads(row["other_ids"]) == {"brazeId": "b-1"}
    assert json.loads(row["traits"]) == {"name": "A"}


def test_own_identifier_types_are_found_among_traits() -> None:
    settings = Settings(identity=IdentitySettings(own_types=("vat_number",)))
    text = message(context={"traits": {"vat_number": "IT01"}})
    row = rows_of(SegmentFormat(settings, WEB).convert(line_chunk([text])))[0]
    assert json.loads(row["other_ids"]) == {"vat_number": "IT01"}


def test_an_explicit_channel_counts_on_sources_that_are_neither_site_nor_app() -> None:
    text = message(properties={"channel": "Call Centre", "place": "phone", "direction": "sideways"})
    web = rows_of(SEGMENT.convert(line_chunk([text])))[0]
    support = rows_of(SegmentFormat(Settings(), source_info("calls", "support")).convert(line_chunk([text])))[0]
    assert "channel" not in web
    assert json.loads(web["properties"]) == {"channel": "Call Centre"}
    assert (support["channel"], support["place"], "direction" in support) == ("Call Centre", "phone", False)


def test_value_is_revenue_else_subtotal_else_the_net_total_else_value() -> None:
    def value(**properties: Any) -> tuple[int | None, str | None]:
        row = one(properties=properties)
        return row.get("value"), row.get("properties")

    assert value(revenue=10, subtotal=9, total=12) == (1000, '{"subtotal":9,"total":12}')
    assert value(subtotal=9, total=12) == (900, '{"total":12}')
    assert value(total=12, tax=2) == (1000, None)
    assert value(value="7.5") == (750, None)
    assert value(revenue=None, value=3) == (300, '{"value":3}')
    assert value() == (None, None)


def test_amounts_are_in_the_decimals_of_their_currency() -> None:
    texts = [message(properties={"value": 1200, "currency": code}) for code in ("JPY", "EUR", "KWD", "??")]
    found = columns_of(SEGMENT.convert(line_chunk(texts)), "value", "currency")
    assert found == [(1200, "JPY"), (120000, "EUR"), (1200000, "KWD"), (120000, "EUR")]


@given(st.lists(st.integers(-(10**11), 10**11), max_size=20), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_every_amount_with_the_currency_s_decimals_is_exact(minor: list[int], currency: str) -> None:
    decimals = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
    texts = [message(properties={"value": float(f"{amount}e-{decimals}"), "currency": currency}) for amount in minor]
    assert [row[0] for row in columns_of(SEGMENT.convert(line_chunk(texts)), "value")] == minor


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_members = st.dictionaries(
    st.sampled_from(
        ["type", "event", "userId", "anonymousId", "messageId", "timestamp", "context", "properties", "traits", "batch"]
    ),
    _json
    | st.fixed_dictionaries(
        {},
        optional={
            "products": _json,
            "price": _json,
            "currency": _json,
            "page": _json,
            "campaign": _json,
            "device": _json,
            "traits": _json,
            "externalIds": _json,
            "product_id": _json,
            "total": _json,
        },
    ),
)


@given(st.lists(_members, max_size=6))
def test_any_json_becomes_rows_or_rejects_and_no_line_stops_the_others(lines: list[dict[str, Any]]) -> None:
    texts = [json.dumps(line) for line in lines]
    converted = SEGMENT.convert(line_chunk([*texts, message()]))
    assert converted.events.schema == CONVERTED_SCHEMA
    converted.events.validate(full=True)
    assert converted.raw_row[-1] == len(texts)
    told = {reject.line - 1 for reject in converted.rejected} | set(converted.raw_row.tolist())
    assert told >= {row for row, line in enumerate(lines) if line.get("batch") != []}
    # What a row says does not depend on the rows beside it.
    alone = [SEGMENT.convert(line_chunk([text])) for text in [*texts, message()]]
    assert rows_of(converted) == [row for part in alone for row in rows_of(part)]
    assert [r.reason for r in converted.rejected] == [r.reason for part in alone for r in part.rejected]


@given(st.lists(st.sampled_from(["m", "bad", "batch"]), max_size=30), st.integers(1, 5))
def test_chunks_do_not_matter(kinds: list[str], size: int) -> None:
    made = {"m": message(messageId="1"), "bad": "{", "batch": json.dumps({"batch": [json.loads(message())] * 2})}
    texts = [made[kind] for kind in kinds]
    whole = SEGMENT.convert(line_chunk(texts))
    parts = [SEGMENT.convert(line_chunk(texts[i : i + size])) for i in range(0, len(texts), size)]
    assert rows_of(whole) == [row for part in parts for row in rows_of(part)]
    assert len(whole.rejected) == sum(len(part.rejected) for part in parts)
