"""Catalogue and stock: which files are such, and what becomes of their rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from percorso.errors import MappingError
from percorso.events.formats.auto import recognise_table
from percorso.events.formats.catalogue import CatalogueFormat, StockFormat
from percorso.events.formats.source import source_info
from percorso.events.mapping_file import parse_mapping
from percorso.events.side_rows import SideRows, side_schema
from percorso.settings import Settings
from percorso.store.lake_tables import CATALOGUE, STOCK
from tests.events.formats.chunks import table_chunk

SHOP = source_info("shop", "other")


def products(columns: dict[str, list[Any]]) -> SideRows:
    converted = CatalogueFormat(Settings(), SHOP).convert(table_chunk(columns))
    assert converted.rows.schema == side_schema(CATALOGUE)
    return converted


def stock(columns: dict[str, list[Any]]) -> SideRows:
    converted = StockFormat(Settings(), SHOP).convert(table_chunk(columns))
    assert converted.rows.schema == side_schema(STOCK)
    return converted


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("SKU,Nome,Categoria,Marca,Prezzo (EUR)", "catalogue"),
        ("Handle,Title,Body (HTML),Vendor,Type,Variant SKU,Variant Price,Cost per item", "catalogue"),
        ("id,title,description,link,availability,price,brand,product_type", "catalogue"),
        ("product_id,manufacturer_id,department,brand,product_category,package_size", "catalogue"),
        ("product_id,name,created_at,price", "catalogue"),
        ("order_id,product_id,name,price", "table"),
        ("sku,name,price,quantity", "table"),
        ("date,sku,name,price", "table"),
        ("product_id,rating,name,category", "table"),
        ("customer_id,name,category", "table"),
        ("name,category,price", "table"),
        ("Data,Negozio,Codice articolo,Giacenza", "stock"),
        ("date,store_id,sku,on_hand,price", "stock"),
        ("date,store,sku,quantity", "table"),
        ("date,sku,stock,customer", "table"),
        ("sku,stock", "table"),
    ],
)
def test_files_are_recognised_where_columns_say_so_plainly(columns: str, expected: str) -> None:
    assert recognise_table(columns.split(",")) == expected


def test_an_italian_catalogue() -> None:
    converted = products(
        {
            "Codice prodotto": ["1", None, "3", None],
            "SKU": ["a", "b", None, None],
            "Descrizione": ["Chitarra", "Corde", "Accordatore", "?"],
            "Prezzo (USD)": ["1.049,00", "12,90", "x", "1"],
            "Costo": [None, "7,5", "1", "1"],
        }
    )
    assert converted.rows.to_pylist() == [
        {
            "source": "shop",
            "product_id": "1",
            "sku": "a",
            "name": "Chitarra",
            "category": None,
            "brand": None,
            "price": 104900,
            "cost": None,
            "currency": "USD",
        },
        {
            "source": "shop",
            "product_id": "b",
            "sku": "b",
            "name": "Corde",
            "category": None,
            "brand": None,
            "price": 1290,
            "cost": 750,
            "currency": "USD",
        },
    ]
    assert [(one.line, one.reason) for one in converted.rejected] == [(4, "amount_unreadable"), (5, "product_missing")]
    assert converted.raw_row.tolist() == [0, 1]


def test_currencies_of_a_catalogue() -> None:
    rows = products(
        {"sku": ["a", "b", "c"], "price": ["5", "5", "5"], "currency": ["jpy", None, "XXY"], "name": list("abc")}
    )
    assert [(row["price"], row["currency"]) for row in rows.rows.to_pylist()] == [(5, "JPY"), (500, "EUR")]
    assert [one.reason for one in rows.rejected] == ["currency_unknown"]


def test_stock_of_stores_and_of_all() -> None:
    converted = stock(
        {
            "Data": ["31/01/2026", "31/01/2026", "31/02/2026", None, "01/02/2026", "01/02/2026"],
            "Negozio": ["Milano", None, "Roma", "Roma", "Roma", "Roma"],
            "SKU": ["a"] * 6,
            "Giacenza": ["1200", "0", "1", "1", "tanti", None],
        }
    )
    assert converted.rows.to_pylist() == [
        {"source": "shop", "day": date(2026, 1, 31), "store": "Milano", "product_id": "a", "quantity": 1200.0},
        {"source": "shop", "day": date(2026, 1, 31), "store": None, "product_id": "a", "quantity": 0.0},
    ]
    assert [one.reason for one in converted.rejected] == [
        "time_unreadable",
        "time_missing",
        "quantity_unreadable",
        "quantity_missing",
    ]


def test_what_is_needed_is_told() -> None:
    with pytest.raises(MappingError, match="product"):
        products({"name": ["a"], "price": ["1"]})
    with pytest.raises(MappingError, match="quantity"):
        stock({"day": ["2026-01-01"], "sku": ["a"]})


MAPPING = """source = "erp"
kind = "other"
[stock]
day = { column = "Del", format = "%d.%m.%y" }
product_id = { columns = ["A", "B"] }
quantity = { column = "Pz", decimal = "," }
store = { column = "Mag", values = { M1 = "Milano" } }
"""


def test_a_mapping_names_the_columns() -> None:
    mapping = parse_mapping(MAPPING, where="m.toml")
    assert mapping.side is not None
    chunk = table_chunk({"Del": ["31.12.26"], "A": ["1"], "B": ["2"], "Pz": ["3,5"], "Mag": ["M1"], "giacenza": ["9"]})
    (row,) = StockFormat(Settings(), SHOP, mapping.side.fields).convert(chunk).rows.to_pylist()
    assert (row["day"], row["product_id"], row["quantity"], row["store"]) == (date(2026, 12, 31), "1-2", 3.5, "Milano")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('quantity = { column = "Pz", decimal = "," }\n', "", "stock.quantity is missing"),
        ("store =", "shop =", "stock.shop is no key"),
        ("[stock]", '[event]\nvalue = "x"\n[stock]', "stands beside"),
        ("[stock]", '[catalogue]\nsku = "s"\n[stock]', "stands beside"),
        ("[stock]", "[properties]\nkeep = []\n[stock]", "stands beside"),
    ],
)
def test_mappings_that_are_wrong(old: str, new: str, told: str) -> None:
    with pytest.raises(MappingError, match=told):
        parse_mapping(MAPPING.replace(old, new), where="m.toml")
