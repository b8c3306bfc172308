"""Which format a file has, and the mapping proposed for a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from percorso.errors import MappingError
from percorso.events.conversion import Converted
from percorso.events.formats.auto import recognise_lines, recognise_table
from percorso.events.formats.auto_mapping import Proposal, propose_mapping
from percorso.events.formats.auto_synonyms import SYNONYMS, plain_name
from percorso.events.formats.table import TableMapping
from percorso.events.mapping import COLUMN_KEYS
from percorso.settings import Settings
from tests.events.formats.chunks import DATA, rows_of, table_chunk, table_chunks


def propose(columns: dict[str, list[Any]], file: str = "file.csv") -> Proposal:
    return propose_mapping(table_chunk(columns), file, Settings())


def converted(columns: dict[str, list[Any]], proposal: Proposal) -> Converted:
    return TableMapping(Settings(), proposal.mapping).convert(table_chunk(columns))


RECEIPTS: dict[str, list[Any]] = {
    "Negozio": ["BO", "BO", "BO", "MI"],
    "Cassa": ["1", "1", "1", "1"],
    "N. scontrino": ["12", "12", "13", "12"],
    "Data": ["25/03/2026", "25/03/2026", "25/03/2026", "02/03/2026"],
    "Ora": ["10:01", "10:01", "11:30", "9:15"],
    "Tessera": ["A1", "A1", None, "B2"],
    "Cod. articolo": ["x", "y", "x", "z"],
    "Descrizione": ["Corda", "Plettro", "Corda", "Chitarra"],
    "Q.tà": ["1", "2", "1", "1"],
    "Prezzo unitario": ["12,50", "1,00", "12,50", "1.299,00"],
    "Nome cliente": ["Ada", "Ada", None, "Bo"],
    "Reparto cassa": ["a", "a", "b", "c"],
}


def test_an_italian_till() -> None:
    proposal = propose(RECEIPTS, "scontrini_2026-03.csv")
    mapping = proposal.mapping
    assert (mapping.source, mapping.kind) == ("scontrini", "pos")
    assert mapping.events[0].name.value == "Order Completed"
    assert (mapping.events[0].time.column, mapping.events[0].time.format) == ("date_and_time", "%d/%m/%Y %H:%M")
    assert '"Data" || \' \' || coalesce("Ora"' in mapping.prepare_sql
    assert mapping.columns["loyalty_id"].columns == ("Tessera",)
    # Numbers of receipts start again at each till and every day.
    whole = ("Negozio", "Cassa", "Data", "N. scontrino")
    assert mapping.columns["order_id"].columns == whole
    assert mapping.items is not None
    assert mapping.items.group_by == whole
    assert mapping.items.fields["price"].decimal == ","
    # Who somebody is is no property.
    assert mapping.keep == ("Reparto cassa",)


def test_every_choice_has_a_reason() -> None:
    proposal = propose(RECEIPTS, "scontrini.csv")
    reasons = {reason.key: (reason.choice, reason.why) for reason in proposal.reasons}
    assert reasons["columns.loyalty_id"] == ("Tessera", 'the column is called "Tessera"')
    assert reasons["timestamp.column"][1] == '"Data" holds the day and "Ora" the hour'
    assert {"kind", "event.value", "timestamp.format", "items.group_by", "items.price"} <= set(reasons)
    for choice, why in reasons.values():
        assert why
        assert choice
        assert why in proposal.toml


def test_a_clickstream() -> None:
    columns: dict[str, list[Any]] = {
        "visitorId": ["v1", "v1", "v2"],
        "Action": ["add_to_cart", "purchase", "thinking"],
        "when": ["1772355600", "1772355660", "1772355720"],
        "page_url": ["https://a.example/x", "https://a.example/y", "https://a.example/"],
    }
    proposal = propose(columns)
    assert proposal.mapping.kind == "web"
    assert proposal.mapping.events[0].name.values == {"add_to_cart": "Product Added", "purchase": "Order Completed"}
    rows = rows_of(converted(columns, proposal))
    assert [row["name"] for row in rows] == ["Product Added", "Order Completed", "thinking"]
    assert [row["anonymous_id"] for row in rows] == ["v1", "v1", "v2"]
    assert rows[0]["url"] == "https://a.example/x"


def test_an_event_log_of_cases() -> None:
    columns: dict[str, list[Any]] = {
        "case:concept:name": ["c1", "c1"],
        "concept:name": ["Open", "Close"],
        "time:timestamp": ["2026-03-01 09:00:00+01:00", "2026-03-02 09:00:00+01:00"],
    }
    mapping = propose(columns).mapping
    assert (mapping.kind, mapping.columns["user_id"].columns) == ("other", ("case:concept:name",))
    assert mapping.events[0].name.columns == ("concept:name",)


def test_orders_with_one_amount_an_order() -> None:
    columns: dict[str, list[Any]] = {
        "ID ordine": ["1", "1", "2"],
        "Data ordine": ["01/03/2026 10:00", "01/03/2026 10:00", "14/03/2026 12:30"],
        "Posta": ["a@example.com", "a@example.com", "b@example.com"],
        "Totale": ["30,00", "30,00", "9,90"],
        "SKU": ["x", "y", "z"],
        "Qta": ["1", "1", "2"],
    }
    proposal = propose(columns, "ordini.csv")
    assert proposal.mapping.kind == "server"
    rows = rows_of(converted(columns, proposal))
    assert [(row["order_id"], row["value"], row["email"], len(row["items"])) for row in rows] == [
        ("1", 3000, "a@example.com", 2),
        ("2", 990, "b@example.com", 1),
    ]


def test_amounts_of_lines_are_summed() -> None:
    columns: dict[str, list[Any]] = {
        "basket_id": ["1000001", "1000001"],
        "date": ["2026-03-01 10:00", "2026-03-01 10:00"],
        "product_id": ["x", "y"],
        "sales_value": ["10.5", "2"],
    }
    mapping = propose(columns).mapping
    assert mapping.columns["value"].columns == ("order_value",)
    assert 'as decimal(18, 4))) over (partition by "basket_id")' in mapping.prepare_sql


def test_lines_of_one_purchase_without_a_number() -> None:
    columns: dict[str, list[Any]] = {
        "customer": ["c", "c", "d"],
        "date": ["2026-03-01 10:00", "2026-03-01 10:00", "2026-03-01 10:00"],
        "product": ["x", "y", "x"],
        "price": ["1", "2", "1"],
        "amount": ["1", "2", "1"],
    }
    mapping = propose(columns).mapping
    assert mapping.items is not None
    assert mapping.items.group_by == ("customer", "date")


def test_reviews_and_pages() -> None:
    reviews = propose({"data": ["2026-03-01"], "voto": ["5"], "commento": ["Ottima"], "sku": ["x"]}, "recensioni.csv")
    assert (reviews.mapping.kind, reviews.mapping.events[0].name.value) == ("review", "Product Reviewed")
    assert {"score", "text", "product_id"} <= set(reviews.mapping.columns)
    pages = propose({"time": ["2026-03-01 10:00"], "page": ["/x"], "client_id": ["c"]})
    assert (pages.mapping.kind, pages.mapping.events[0].name.value) == ("web", "Page Viewed")


def test_times_may_be_found_by_their_values_alone() -> None:
    proposal = propose({"id ordine": ["1"], "x": ["31/12/2026 10:00"], "totale": ["7"]})
    assert proposal.mapping.events[0].time.column == "x"
    assert 'column = "x"  # its values are times' in proposal.toml


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({"ordine": ["1"], "totale": ["7"]}, "when"),
        ({"data": ["2026-03-01"], "colore": ["blu"]}, "what happened"),
    ],
)
def test_without_time_or_event_nothing_is_proposed(columns: dict[str, list[Any]], word: str) -> None:
    with pytest.raises(MappingError) as raised:
        propose(columns)
    assert word in raised.value.message
    assert "--mapping" in raised.value.hint


def test_odd_names_of_columns_do_not_break_the_mapping() -> None:
    columns: dict[str, list[Any]] = {
        'E "mail"\n': ["a@example.com"] * 2,
        "da'ta\\": ["31/12/2026 10:00"] * 2,
        "totale": ["7"] * 2,
        "\x7f\u2028": ["1", "2"],
    }
    mapping = propose(columns, "a\nb.csv").mapping
    assert mapping.columns["email"].columns == ('E "mail"\n',)
    assert mapping.keep == ("\x7f\u2028",)


def test_aggregated_paths() -> None:
    (chunk,) = table_chunks(DATA / "paths.csv")
    rule = propose_mapping(chunk, "percorsi.csv", Settings()).mapping.paths
    assert rule is not None
    assert (rule.path, rule.conversions, rule.value, rule.nulls) == (
        "path",
        "total_conversions",
        "total_conversion_value",
        "total_null",
    )


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("shopify_orders.csv", "shopify-orders"),
        ("ad_costs_meta.csv", "ad-costs"),
        ("ad_costs_plain.csv", "ad-costs"),
        ("paths.csv", "paths"),
    ],
)
def test_tables_are_recognised(file: str, expected: str) -> None:
    (chunk,) = table_chunks(DATA / file)
    assert recognise_table(chunk.table.column_names) == expected


def test_ga4_s_parquet_is_recognised() -> None:
    params = pa.list_(pa.struct([("key", pa.string())]))
    schema = pa.schema([("event_name", pa.string()), ("event_timestamp", pa.int64()), ("event_params", params)])
    assert recognise_table(schema.names, schema) == "ga4"
    assert recognise_table(["event_name", "event_timestamp"]) == "table"


@pytest.mark.parametrize(("file", "expected"), [("segment.ndjson", "segment"), ("ga4.ndjson", "ga4")])
def test_lines_are_recognised(file: str, expected: str) -> None:
    assert recognise_lines((DATA / file).read_bytes().splitlines()) == expected


def test_flat_lines_are_a_table() -> None:
    assert recognise_lines([b'{"user":"u","event":"x","timestamp":"2026-03-01"}']) == "table"
    assert recognise_lines([b'{"type":"page","user":"u"}', b"broken"]) == "table"
    assert recognise_lines([]) == "table"


def test_synonyms_are_plain_and_lead_to_fields_of_a_mapping() -> None:
    others = {"event", "state", "time", "clock", "store", "till"}
    assert {name for name in SYNONYMS if not name.startswith("item.")} - others <= set(COLUMN_KEYS)
    for names in SYNONYMS.values():
        for name in names:
            assert plain_name(name) == name or name in ("userid", "customerid", "email")


def test_item_rows_of_ga4(data: Callable[[str], Path]) -> None:
    """SOURCE.txt of the set: 16,003 rows of 4,418 users, without event names."""
    chunk, *rest = table_chunks(data("ga4_obfuscated_items_sample") / "ga4_sample.csv.gz")
    assert rest == []
    assert chunk.table.num_rows == 16_003
    mapping = propose_mapping(chunk, "ga4_sample.csv.gz", Settings()).mapping
    assert mapping.items is not None
    assert mapping.items.group_by == ("user_pseudo_id", "event_timestamp")
