"""Rows to events as a mapping says: each part of it, what is wrong with rows, and a plain twin."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.events.conversion import CONVERTED_SCHEMA, Converted, TableChunk
from percorso.events.formats.table import TableMapping
from percorso.events.formats.table_items import ScatteredGroupsError, whole_groups
from percorso.events.mapping_file import parse_mapping
from percorso.settings import IdentitySettings, Settings
from tests.naive import table as naive

SETTINGS = replace(Settings(), identity=IdentitySettings(own_types=("membership",)))
HEAD = 'source = "till"\nkind = "pos"\nevent = { column = "what" }\n'
ISO = HEAD + 'timestamp = "when"\n'


TOTALS = """
source = "pos"
kind = "pos"
event = { value = "Order Completed" }
timestamp = { column = "day", format = "%d/%m/%Y" }
columns = { order_id = "order", value = { column = "total", decimal = "," } }
"""


def chunk(table: pa.Table, first_line: int = 2) -> TableChunk:
    lines = np.arange(first_line, first_line + table.num_rows)
    return TableChunk(table, lines, lambda i: f"raw of {first_line + i}")


def convert(mapping: str, columns: Mapping[str, Sequence[object]] | pa.Table) -> Converted:
    table = columns if isinstance(columns, pa.Table) else pa.table({k: pa.array(v) for k, v in columns.items()})
    parsed = parse_mapping(mapping, where="m", own_types=["membership"])
    converted = TableMapping(SETTINGS, parsed).convert(chunk(table))
    assert converted.events.schema.equals(CONVERTED_SCHEMA)
    converted.events.validate(full=True)
    assert len(converted.raw_row) == converted.events.num_rows
    return converted


def events(mapping: str, **columns: Sequence[object]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = convert(mapping, columns).events.to_pylist()
    return rows


def one(mapping: str, **columns: object) -> dict[str, Any]:
    """The event of a single row."""
    row = {"what": "x", "when": "2024-01-01T00:00:00Z", **columns}
    return events(mapping, **{name: [value] for name, value in row.items()})[0]


def test_name_time_and_source() -> None:
    mapping = HEAD.replace('"what" }', '"what", values = { buy = "Order Completed" } }')
    found = events(
        mapping + 'timestamp = { column = "when", format = "%d/%m/%Y %H:%M", timezone = "Europe/Rome" }',
        what=["buy", " look "],
        when=["01/07/2024 10:30", "31/12/2024 23:59"],
    )
    assert [(row["name"], row["timestamp"]) for row in found] == [
        ("Order Completed", datetime(2024, 7, 1, 8, 30, tzinfo=UTC)),
        ("look", datetime(2024, 12, 31, 22, 59, tzinfo=UTC)),
    ]
    row = found[0]
    assert (row["source"], row["source_kind"], row["id_space"], row["ref_space"]) == ("till", "pos", "till", "till")
    assert row["type"] == "track"
    assert row["message_id"] is None
    assert row["sequence"] is None


def test_spaces() -> None:
    row = one(ISO + '[spaces]\nid_space = "shop"\nref_space = "orders"')
    assert (row["id_space"], row["ref_space"]) == ("shop", "orders")


def test_times_that_clocks_skip_or_repeat_are_noted() -> None:
    found = events(ISO, what=["a", "b", "c"], when=["2024-03-31 02:30", "2024-10-27 02:30", "2024-05-01 12:00"])
    assert [row["timestamp"].isoformat() for row in found] == [
        "2024-03-31T01:00:00+00:00",
        "2024-10-27T00:30:00+00:00",
        "2024-05-01T10:00:00+00:00",
    ]
    assert [row["notes"] for row in found] == ["dst_gap", "dst_overlap", None]


def test_rows_that_cannot_be_events_are_rejected() -> None:
    converted = convert(
        ISO + '[columns]\nvalue = "total"\ncurrency = "coin"\ntype = "kind"',
        {
            "what": ["a", "a", "a", None, "a", "a", "a", "a"],
            "when": ["2024-01-01", None, "2024-02-30", "2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01", " "],
            "total": ["1", "2", "3", "4", "12 apples", "5", "6", "x"],
            "coin": ["EUR", None, None, None, None, "ZZZ", None, None],
            "kind": [None, None, None, None, None, None, "tracks", None],
        },
    )
    assert converted.events.num_rows == 1
    assert [(r.line, r.reason, r.raw) for r in converted.rejected] == [
        (3, "time_missing", "raw of 3"),
        (4, "time_unreadable", "raw of 4"),
        (5, "event_missing", "raw of 5"),
        (6, "amount_unreadable", "raw of 6"),
        (7, "currency_unknown", "raw of 7"),
        (8, "type_unknown", "raw of 8"),
        (9, "time_missing", "raw of 9"),
    ]
    assert not any("apples" in r.detail for r in converted.rejected)


def test_totals_of_other_rows_are_no_events() -> None:
    mapping = TOTALS
    found = convert(
        mapping,
        {
            "day": ["01/02/2024", "Totale", None, " ", "01/02/2024", "01/02/2024", "Totò", "01/02/2024"],
            "order": ["1", None, "Totale generale", "TOTALE", "TOTALE", "Total Erg", None, None],
            "total": ["1,50", "1,50", "1,50", "1,50", "1,50", "1,50", "1,50", "1,50"],
        },
    )
    assert [(reject.line, reject.reason) for reject in found.rejected] == [
        (3, "total_row"),
        (4, "total_row"),
        (5, "total_row"),
        (6, "total_row"),
        (8, "time_unreadable"),
    ]
    assert [row["order_id"] for row in found.events.to_pylist()] == ["1", "Total Erg", None]


def test_identifiers_are_trimmed_and_blank_is_none() -> None:
    row = one(ISO + '[columns]\nuser_id = "u"\nemail = "e"\nphone = "p"', u=" 42 ", e="   ", p=None)
    assert (row["user_id"], row["email"], row["phone"]) == ("42", None, None)


def test_a_row_without_identifiers_stays() -> None:
    assert one(ISO + '[columns]\nuser_id = "u"', u="")["user_id"] is None


def test_own_identifier_types() -> None:
    assert one(ISO + '[columns]\nmembership = "card"', card='a"1')["other_ids"] == '{"membership":"a\\"1"}'


def test_columns_are_joined_if_all_are_there() -> None:
    mapping = ISO + '[columns]\norder_id = { columns = ["store", "till", "no"] }'
    assert one(mapping, store="1", till="2", no="77")["order_id"] == "1-2-77"
    assert one(mapping, store="1", till="", no="77")["order_id"] is None


def test_constants_and_mapped_values() -> None:
    row = one(
        ISO + '[columns]\nplace = { value = "store" }\nchannel = { column = "c", values = { w = "Walk-in" } }', c="w"
    )
    assert (row["place"], row["channel"]) == ("store", "Walk-in")


def test_numbers_of_spreadsheets_are_ids() -> None:
    row = one(ISO + '[columns]\nuser_id = "u"\norder_id = "o"', u=17850.0, o=123456789012345678)
    assert (row["user_id"], row["order_id"]) == ("17850", "123456789012345678")


@pytest.mark.parametrize(
    ("columns", "value"),
    [
        ({"revenue": "1", "subtotal": "2", "total": "3", "value": "4"}, 100),
        ({"subtotal": "2", "total": "3", "value": "4"}, 200),
        ({"total": "30", "tax": "5", "shipping": "2.5", "value": "4"}, 2250),
        ({"total": "30", "tax": None, "shipping": "2.5"}, 2750),
        ({"total": None, "value": "4"}, 400),
        ({"revenue": None, "total": "-30"}, -3000),
        ({"value": None}, None),
    ],
)
def test_the_value_of_an_order(columns: dict[str, str | None], value: int | None) -> None:
    mapping = ISO + "[columns]\n" + "\n".join(f'{name} = "{name}"' for name in columns)
    assert one(mapping, **columns)["value"] == value


def test_decimal_commas_and_currencies() -> None:
    found = events(
        ISO + '[columns]\nvalue = { column = "v", decimal = "," }\ncurrency = "c"\ndiscount = "d"',
        what=["x"] * 5,
        when=["2024-01-01"] * 5,
        v=["1.234,56", "1000", "2,500", "€ -3,5", None],
        c=["EUR", "jpy", "KWD", None, None],
        d=[None, None, None, None, None],
    )
    assert [(row["value"], row["currency"]) for row in found] == [
        (123456, "EUR"),
        (1000, "JPY"),
        (2500, "KWD"),
        (-350, "EUR"),
        (None, None),
    ]


def test_amounts_of_parquet_columns() -> None:
    table = pa.table(
        {
            "what": ["x", "x"],
            "when": pa.array([datetime(2024, 1, 1, 12), datetime(2024, 7, 1, 12)], pa.timestamp("ms")),
            "float": [12.345, None],
            "decimal": pa.array([Decimal("1.50"), None]),
            "whole": pa.array([3, None], pa.int32()),
        }
    )
    converted = convert(ISO + '[columns]\nvalue = "float"\ntax = "decimal"\nshipping = "whole"', table)
    assert [(r["value"], r["tax"], r["shipping"]) for r in converted.events.to_pylist()] == [
        (1234, 150, 300),
        (None, None, None),
    ]
    assert converted.events.column("timestamp")[0].as_py() == datetime(2024, 1, 1, 11, tzinfo=UTC)


def test_members_of_structs_are_named_with_points() -> None:
    table = pa.table({"what": ["x"], "when": ["2024-01-01"], "user": [{"id": {"n": 7}, "mail": "a@b.it"}]})
    row = convert(ISO + '[columns]\nuser_id = "user.id.n"\nemail = "user.mail"', table).events.to_pylist()[0]
    assert (row["user_id"], row["email"]) == ("7", "a@b.it")


def test_choices_numbers_and_consent() -> None:
    mapping = (
        ISO + "[columns]\n" + "\n".join(f'{n} = "{n}"' for n in ("place", "direction", "score", "sequence", "consent"))
    )
    good = one(mapping, place="STORE", direction="outbound", score="4,5", sequence="7", consent='{"mail": true}')
    assert (good["place"], good["direction"], good["sequence"], good["consent"]) == (
        "store",
        "outbound",
        7,
        '{"mail": true}',
    )
    assert good["notes"] == "score_unreadable"
    bad = one(mapping, place="moon", direction="sideways", score="good", sequence="first", consent="yes")
    assert [bad[name] for name in ("place", "direction", "score", "sequence")] == [None] * 4
    assert bad["consent"] == '"yes"'
    assert bad["notes"] == "direction_unknown,place_unknown,score_unreadable,sequence_unreadable"
    comma = ISO + '[columns]\nscore = { column = "score", decimal = "," }'
    assert one(comma, score="4,5")["score"] == 4.5


def test_second_times_use_the_format_of_the_first() -> None:
    mapping = f"""{HEAD}
timestamp = {{ column = "when", format = "unix_s" }}
[columns]
received_at = "got"
sent_at = {{ column = "sent", format = "iso", timezone = "UTC" }}
"""
    found = events(
        mapping, what=["x", "x"], when=["1704067200", "1704067200"], got=["1704067201", "?"], sent=["2024-01-01", None]
    )
    assert found[0]["received_at"] == datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert found[0]["sent_at"] == datetime(2024, 1, 1, tzinfo=UTC)
    assert (found[1]["received_at"], found[1]["notes"]) == (None, "received_at_unreadable")


def test_properties_are_kept_with_sorted_keys() -> None:
    columns = {"z": 'say "hi"\n', "a b": "1", "num": 2.5, "flag": True, "whole": 3, "none": None, "list": ["x"]}
    kept = one(ISO + '[columns]\nuser_id = "u"\n[properties]\nkeep = "*"', u="u1", **columns)["properties"]
    assert kept == '{"a b":"1","flag":true,"list":["x"],"num":2.5,"whole":3,"z":"say \\"hi\\""}'
    assert one(ISO + '[properties]\nkeep = ["num"]', **columns)["properties"] == '{"num":2.5}'
    assert one(ISO, **columns)["properties"] is None


SEVERAL = """
source = "shop"
kind = "server"
[columns]
order_id = "no"
message_id = "no"
[[events]]
event = { value = "Order Completed" }
timestamp = { column = "ordered" }
when = { column = "state", equals = ["paid", "sent"] }
columns = { value = "total" }
[[events]]
event = { value = "Order Delivered" }
timestamp = { column = "delivered" }
when = { column = "state", matches = "s.*" }
"""


def test_several_events_a_row() -> None:
    converted = convert(
        SEVERAL,
        {
            "no": ["1", "2", "3", "4", "5"],
            "ordered": ["2024-01-01", "2024-01-02", "2024-01-03", None, "x"],
            "delivered": ["2024-01-05", None, "2024-01-04", None, "2024-01-09"],
            "state": ["sent", "sent", "open", "sent", "sent"],
            "total": ["1", "2", "3", "4", "5"],
        },
    )
    rows = converted.events.to_pylist()
    assert [(r["name"], r["order_id"], r["message_id"], r["value"]) for r in rows] == [
        ("Order Completed", "1", "1.0", 100),
        ("Order Delivered", "1", "1.1", None),
        ("Order Completed", "2", "2.0", 200),
        ("Order Delivered", "5", "5.1", None),
    ]
    assert converted.raw_row.tolist() == [0, 0, 1, 4]
    assert [(r.line, r.reason) for r in converted.rejected] == [(6, "time_unreadable")]


ITEMS = (
    ISO
    + """
[columns]
order_id = "receipt"
[items]
group_by = ["store", "receipt"]
product_id = "sku"
quantity = { column = "qty", decimal = "," }
price = "price"
"""
)


def test_rows_of_a_group_are_the_items_of_one_event() -> None:
    converted = convert(
        ITEMS,
        {
            "what": ["Order Completed"] * 6,
            "when": ["2024-01-01"] * 6,
            "store": ["1", "1", "2", "2", None, None],
            "receipt": ["7", "7", "7", "8", None, None],
            "sku": ["a", "b", "c", "d", "e", "f"],
            "qty": ["2", "0,5", None, "1", "1", "-1"],
            "price": ["1.50", "3", "4", "free", "1", "2"],
        },
    )
    rows = converted.events.to_pylist()
    assert [(r["order_id"], r["value"], len(r["items"])) for r in rows] == [
        ("7", 450, 2),
        ("7", 400, 1),
        (None, 100, 1),
        (None, -200, 1),
    ]
    assert rows[0]["items"][1] == {
        **dict.fromkeys(["sku", "name", "category", "brand", "variant"]),
        "product_id": "b",
        "quantity": 0.5,
        "price": 300,
    }
    assert converted.raw_row.tolist() == [0, 2, 4, 5]
    assert [(r.line, r.reason) for r in converted.rejected] == [(5, "amount_unreadable")]


def test_a_line_that_cannot_be_read_leaves_the_others() -> None:
    columns = {
        "what": ["o"] * 3,
        "when": ["2024-01-01", None, None],
        "store": ["1"] * 3,
        "receipt": ["7"] * 3,
        "sku": ["a", "b", "c"],
    }
    converted = convert(ITEMS, {**columns, "qty": ["1", "x", "1"], "price": ["1", "1", "2"]})
    assert [(r["value"], len(r["items"])) for r in converted.events.to_pylist()] == [(300, 2)]
    assert [(r.line, r.reason) for r in converted.rejected] == [(3, "number_unreadable")]


def test_a_group_whose_first_row_has_no_time_is_rejected_whole() -> None:
    columns = {
        "what": ["o"] * 2,
        "when": [None, "2024-01-01"],
        "store": ["1"] * 2,
        "receipt": ["7"] * 2,
        "sku": ["a", "b"],
    }
    converted = convert(ITEMS, {**columns, "qty": ["1", "1"], "price": ["1", "1"]})
    assert converted.events.num_rows == 0
    assert [r.line for r in converted.rejected] == [2, 3]


@given(st.lists(st.integers(1, 4), max_size=12), st.lists(st.integers(0, 30), max_size=6))
def test_groups_are_never_cut(sizes: list[int], cuts: list[int]) -> None:
    groups = [str(g) for g, size in enumerate(sizes) for _ in range(size)]
    table = pa.table({"g": pa.array(groups, pa.string()), "n": list(range(len(groups)))})
    edges = sorted({0, len(groups), *(min(cut, len(groups)) for cut in cuts)})
    parts = [chunk(table.slice(a, b - a), a + 2) for a, b in itertools.pairwise(edges)]
    found = list(whole_groups(parts, ["g"]))
    assert [n for part in found for n in part.table.column("n").to_pylist()] == list(range(len(groups)))
    assert [line for part in found for line in part.lines.tolist()] == [n + 2 for n in range(len(groups))]
    assert [part.raw(i) for part in found for i in range(part.table.num_rows)] == [
        f"raw of {n + 2}" for n in range(len(groups))
    ]
    seen: set[str] = set()
    for part in found:
        here = set(part.table.column("g").to_pylist())
        assert not here & seen
        seen |= here


def test_scattered_groups_are_found() -> None:
    tables = [pa.table({"g": ["a", "b"]}), pa.table({"g": ["b", None, None]}), pa.table({"g": ["c", None, "a"]})]
    with pytest.raises(ScatteredGroupsError):
        list(whole_groups(map(chunk, tables), ["g"]))
    assert len(list(whole_groups(map(chunk, tables[:2]), ["g"]))) > 0


TWIN = (
    HEAD.replace('"what" }', '"what", values = { buy = "Order Completed" } }')
    + """
timestamp = { column = "when", format = "%d/%m/%Y %H:%M", timezone = "UTC" }
[columns]
user_id = "who"
total = "total"
tax = "tax"
[properties]
keep = ["b", "a"]
"""
)
_TEXT = st.none() | st.text(alphabet='ab "\\\té', max_size=4)
_AMOUNT = st.none() | st.sampled_from(["1", "0.005", "0.015", "-2.5", "12.34", "x", " "])
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "what": st.sampled_from(["buy", "look", "", None]),
            "when": st.sampled_from(["01/02/2024 10:00", "31/02/2024 10:00", "1/2/2024 9:05", "", None]),
            "who": _TEXT,
            "total": _AMOUNT,
            "tax": _AMOUNT,
            "a": _TEXT,
            "b": _TEXT,
        }
    ),
    max_size=12,
)


@given(_ROWS)
def test_rows_equal_the_twin(rows: list[dict[str, str | None]]) -> None:
    names = ["what", "when", "who", "total", "tax", "a", "b"]
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})
    converted = convert(TWIN, table)
    expected = [naive.event(row) for row in rows]
    found = converted.events.to_pylist()
    good = [each for each in expected if isinstance(each, dict)]
    assert [{key: row[key] for key in good[0]} for row in found] == good
    assert [(r.line - 2, r.reason) for r in converted.rejected] == [
        (i, each) for i, each in enumerate(expected) if isinstance(each, str)
    ]
    for row in found:
        assert row["properties"] is None or json.loads(row["properties"])
