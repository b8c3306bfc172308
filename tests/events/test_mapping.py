"""Mapping files: the form of the docs, and what is said of every mistake."""

from __future__ import annotations

import pytest

from percorso.errors import MappingError
from percorso.events.mapping import Cell, MappedEvent, TimeRule, When, check_columns
from percorso.events.mapping_file import parse_mapping

HEAD = 'source = "pos"\nkind = "pos"\nevent = { value = "Order Completed" }\ntimestamp = { column = "when" }\n'

FULL = """
source = "pos"
kind = "pos"
[file]
header_line = 3
[event]
column = "action"
values = { view = "Product Viewed", purchase = "Order Completed" }
[timestamp]
column = "when"
format = "%d/%m/%Y %H:%M"
timezone = "Europe/Rome"
[columns]
user_id = "customer"
session_id = "visit"
order_id = { columns = ["store", "till", "day", "receipt"] }
value = { column = "total", decimal = "," }
currency = { value = "EUR" }
place = { value = "store" }
[spaces]
id_space = "pos-customers"
ref_space = "pos"
[items]
group_by = ["receipt"]
product_id = "sku"
quantity = "qty"
price = "unit"
[properties]
keep = "*"
[prepare]
sql = "select * from file where total <> 0"
"""


def test_every_part_is_read() -> None:
    mapping = parse_mapping(FULL, where="pos.toml")
    assert mapping.source == "pos"
    assert mapping.kind == "pos"
    event = mapping.events[0]
    assert event.name == Cell(("action",), values={"view": "Product Viewed", "purchase": "Order Completed"})
    assert event.time == TimeRule("when", "%d/%m/%Y %H:%M", "Europe/Rome")
    assert mapping.columns["order_id"] == Cell(("store", "till", "day", "receipt"))
    assert mapping.columns["value"] == Cell(("total",), decimal=",")
    assert mapping.columns["currency"] == Cell(value="EUR")
    assert (mapping.id_space, mapping.ref_space) == ("pos-customers", "pos")
    assert mapping.items is not None
    assert mapping.items.group_by == ("receipt",)
    assert mapping.items.fields["price"] == Cell(("unit",))
    assert mapping.keep is None
    assert mapping.prepare_sql == "select * from file where total <> 0"
    assert not mapping.several
    assert mapping.header_line == 3


@pytest.mark.parametrize("given", ["0", "101", "-1", "true", '"3"', "2.5"])
def test_the_line_of_the_header_is_a_small_whole_number(given: str) -> None:
    with pytest.raises(MappingError, match=r"line 5: file\.header_line must be a whole number from 1 to 100"):
        parse_mapping(f"{HEAD}file = {{ header_line = {given} }}\n", where="m")


def test_mappings_from_before_the_header_s_line_keep_their_text() -> None:
    assert "header_line" not in parse_mapping(HEAD, where="m").canonical()
    with_line = parse_mapping(HEAD + "file = { header_line = 2 }\n", where="m")
    assert '"header_line": 2' in with_line.canonical()


def test_several_events_a_row() -> None:
    mapping = parse_mapping(
        """
        source = "shop"
        kind = "server"
        [[events]]
        event = { value = "Order Completed" }
        timestamp = { column = "ordered", format = "unix_s" }
        when = { column = "status", equals = ["paid", "sent"] }
        columns = { value = "total" }
        [[events]]
        event = { value = "Order Delivered" }
        timestamp = "delivered"
        when = { column = "status", matches = "deliv.*" }
        """,
        where="m",
    )
    assert mapping.several
    assert mapping.events == (
        MappedEvent(
            Cell(value="Order Completed"),
            TimeRule("ordered", "unix_s"),
            When("status", equals=("paid", "sent")),
            {"value": Cell(("total",))},
        ),
        MappedEvent(Cell(value="Order Delivered"), TimeRule("delivered"), When("status", matches="deliv.*")),
    )


def test_paths_need_no_event() -> None:
    mapping = parse_mapping('source="p"\nkind="other"\n[paths]\npath="path"\nconversions="n"\n', where="m")
    assert mapping.paths is not None
    assert (mapping.paths.path, mapping.paths.separator, mapping.paths.conversions) == ("path", ">", "n")
    assert mapping.events == ()


def test_keep_may_be_a_list_and_is_nothing_by_default() -> None:
    assert parse_mapping(HEAD, where="m").keep == ()
    assert parse_mapping(HEAD + '[properties]\nkeep = ["a", "b"]\n', where="m").keep == ("a", "b")


def test_own_identifier_types_are_fields() -> None:
    text = HEAD + '[columns]\nmembership = "card"\n'
    assert parse_mapping(text, where="m", own_types=["membership"]).columns["membership"] == Cell(("card",))
    with pytest.raises(MappingError):
        parse_mapping(text, where="m")


def test_joined_files_have_names() -> None:
    text = (
        HEAD + '[prepare]\nsql = "select * from file join stores using (store)"\ntables = { stores = "stores.csv" }\n'
    )
    assert parse_mapping(text, where="m").prepare_tables == {"stores": "stores.csv"}


def test_equal_mappings_have_equal_texts_however_they_are_written() -> None:
    first = parse_mapping(HEAD + '[columns]\nuser_id = "u"\nemail = "e"\n', where="m")
    second = parse_mapping(HEAD + '[columns]\nemail = { column = "e" }\nuser_id = "u"\n', where="n")
    assert first.canonical() == second.canonical()
    assert first.canonical() != parse_mapping(HEAD, where="m").canonical()


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ('kind = "pos"', "source", ""),
        ('source = "a/b"\nkind = "pos"', "source", "Letters"),
        ('source = "a"', "kind", "pos"),
        ('source = "a"\nkind = "till"', "kind", "pos"),
        ('source = "a"\nkind = "pos"', "event", "which event"),
        (HEAD.replace("timestamp", "timestmp"), "timestmp", "'timestamp'"),
        (HEAD.replace("{ value", "{ valeu"), "event.valeu", "'value'"),
        (HEAD.replace('{ value = "Order Completed" }', "{}"), "event", "column"),
        (HEAD.replace('"when" }', '"when", format = "is" }'), "timestamp.format", "'iso'"),
        (HEAD.replace('"when" }', '"when", timezone = "Rome" }'), "timestamp.timezone", "Europe/Rome"),
        (HEAD + '[columns]\nuserid = "u"', "columns.userid", "'user_id'"),
        (HEAD + '[columns]\nplace = { value = "shop" }', "columns.place", "store"),
        (HEAD + '[columns]\ncurrency = { value = "EURO" }', "columns.currency", "'EUR'"),
        (HEAD + '[columns]\nplace = { column = "p", values = { a = "stor" } }', "columns.place", "'store'"),
        (HEAD + '[columns]\nvalue = { column = "v", decimal = ";" }', "columns.value.decimal", "Allowed"),
        (HEAD + '[columns]\nvalue = { column = "v", columns = ["w"] }', "columns.value", "column"),
        (HEAD + "[columns]\nvalue = 3", "columns.value", "column"),
        (HEAD + "[items]\nsku = 's'", "items.group_by", "group_by"),
        (HEAD + "[items]\ngroup_by = ['r']\nqty = 'q'", "items.qty", "quantity"),
        (HEAD + "[properties]\nkeep = 'a'", "properties.keep", ""),
        (HEAD + "[prepare]\nsq = 'x'", "prepare.sq", "'sql'"),
        (HEAD + "[prepare]\nsql = 'x'\ntables = { file = 'x.csv' }", "prepare.tables.file", "file"),
        (HEAD + "[[events]]\nevent = 'e'\ntimestamp = 't'", "events", "one form"),
        (HEAD.split("event")[0] + "[[events]]\nevent = 'e'", "events.1.timestamp", "when it happened"),
        (
            HEAD.split("event")[0] + "[[events]]\nevent='e'\ntimestamp='t'\nwhen = { column = 'c' }",
            "events.1.when",
            "equals",
        ),
        (
            HEAD.split("event")[0] + "[[events]]\nevent='e'\ntimestamp='t'\nwhen = { column = 'c', matches = '(' }",
            "events.1.when.matches",
            "",
        ),
    ],
)
def test_mistakes_are_told_with_key_and_hint(text: str, key: str, hint: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, where="shop.toml")
    assert caught.value.fields["key"] == key
    assert "shop.toml" in caught.value.message
    assert hint in caught.value.hint


def test_mistakes_are_told_with_their_line() -> None:
    with pytest.raises(MappingError, match=r"shop\.toml, line 6: columns\.userid"):
        parse_mapping(HEAD + '[columns]\nuserid = "u"', where="shop.toml")


def test_what_is_no_toml_is_told_with_its_line() -> None:
    with pytest.raises(MappingError, match="line 2"):
        parse_mapping('source = "a"\nkind pos\n', where="m")


def test_a_missing_column_is_told_with_the_nearest_one() -> None:
    mapping = parse_mapping(FULL, where="m")
    columns = ["action", "when", "customer", "visit", "store", "till", "day", "receipt", "totale", "sku", "qty", "unit"]
    with pytest.raises(MappingError) as caught:
        check_columns(mapping, columns, where="sales.csv")
    assert caught.value.fields == {"key": "columns.value", "column": "total"}
    assert "'totale'" in caught.value.hint
    check_columns(mapping, [*columns, "total"], where="sales.csv")
