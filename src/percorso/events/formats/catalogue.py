"""Formats `catalogue` and `stock`: products, and how much there is of them, as shops and ERPs export them.

Columns are found by their names, English and Italian, or named by a mapping file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.errors import MappingError
from percorso.events.columns import flat_table
from percorso.events.conversion import Reject, TableChunk
from percorso.events.formats.assemble import table_reject
from percorso.events.formats.guess import guess_decimal, guess_time_format
from percorso.events.formats.json_values import Faults
from percorso.events.formats.source import SourceInfo
from percorso.events.formats.table_money import Currencies
from percorso.events.formats.table_rows import Rows
from percorso.events.mapping import Cell
from percorso.events.side_rows import SideRows, side_schema
from percorso.events.times import NOTE_CODES, NOTE_MISSING, read_times
from percorso.language.said import said
from percorso.settings import CURRENCY_EXPONENTS, Settings
from percorso.store.lake_tables import CATALOGUE, STOCK, LakeTable

__all__ = ["CATALOGUE_NAMES", "STOCK_NAMES", "CatalogueFormat", "StockFormat", "is_catalogue", "is_stock"]

_PRODUCT = (
    *("product id", "productid", "id product", "item id", "article id", "product code", "item code", "id prodotto"),
    *("codice prodotto", "codice articolo", "cod articolo", "id articolo", "product", "prodotto", "articolo", "id"),
)
_SKU = ("sku", "variant sku", "product sku", "item sku", "seller sku")
_CURRENCY = ("currency", "currency code", "valuta", "codice valuta")

#: What a column of a catalogue is -> the names it has, best first: lower case, without brackets, blanks between words.
CATALOGUE_NAMES: Mapping[str, tuple[str, ...]] = {
    "product_id": _PRODUCT,
    "sku": _SKU,
    "name": (
        *("name", "product name", "item name", "title", "product title", "nome", "nome prodotto", "nome articolo"),
        *("descrizione", "descrizione articolo", "description"),
    ),
    "category": (
        *("category", "product category", "category name", "product category name", "product type", "type"),
        *("department", "categoria", "categoria prodotto", "categoria merceologica", "reparto", "famiglia"),
        *("google product category",),
    ),
    "brand": ("brand", "brand name", "vendor", "manufacturer", "maker", "marca", "marchio", "produttore"),
    "price": (
        *("price", "unit price", "list price", "retail price", "variant price", "sale price", "prezzo"),
        *("prezzo unitario", "prezzo di listino", "prezzo di vendita", "prezzo vendita", "listino"),
    ),
    "cost": (
        *("cost", "unit cost", "cost price", "cost per item", "purchase price", "costo", "costo unitario"),
        *("costo di acquisto", "costo acquisto", "prezzo di acquisto", "prezzo acquisto"),
    ),
    "currency": _CURRENCY,
}

#: What a column of stock is -> the names it has.
STOCK_NAMES: Mapping[str, tuple[str, ...]] = {
    "day": ("day", "date", "stock date", "inventory date", "snapshot date", "giorno", "data", "data inventario"),
    "store": (
        *("store", "store id", "shop", "location", "location name", "warehouse", "negozio", "punto vendita"),
        *("filiale", "magazzino", "deposito", "sede"),
    ),
    "product_id": _PRODUCT,
    "sku": _SKU,
    "quantity": (
        *("stock", "stock quantity", "quantity in stock", "in stock", "on hand", "quantity on hand", "available"),
        *("available quantity", "inventory", "inventory quantity", "variant inventory qty", "giacenza", "giacenze"),
        *("scorta", "scorte", "esistenza", "disponibile", "disponibilità", "quantità disponibile"),
        *("quantity", "qty", "quantità", "qta", "pezzi"),
    ),
}
#: Names of quantities that are not stock: they may be what was sold.
_ANY_QUANTITY = frozenset({"quantity", "qty", "quantità", "qta", "pezzi"})
#: Columns with these words are of events: what happened to whom.
_OF_EVENTS = frozenset(
    {
        *("order", "ordine", "customer", "cliente", "client", "user", "utente", "email", "phone", "telefono"),
        *("receipt", "scontrino", "transaction", "transazione", "session", "event", "evento", "basket", "household"),
        *("rating", "review", "recensione", "voto", "invoice", "fattura", "tessera", "card", "coupon"),
    }
)
_SOLD = frozenset({"quantity", "qty", "quantità", "qta", "pezzi", "day", "date", "data", "giorno", "time", "ora"})
_BRACKETS = re.compile(r"\s*\(([^)]*)\)\s*$")
_BETWEEN = re.compile(r"[\W_]+")


def _plain(name: str) -> str:
    return _BETWEEN.sub(" ", _BRACKETS.sub("", name)).strip().lower()


def _found(columns: Sequence[str], known: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Which column is which, by name."""
    plain = {_plain(name): name for name in reversed(columns)}
    found = {role: next((plain[each] for each in names if each in plain), "") for role, names in known.items()}
    return {role: name for role, name in found.items() if name}


def _words(columns: Sequence[str]) -> set[str]:
    return {word for name in columns for word in _plain(name).split()}


def is_catalogue(columns: Sequence[str]) -> bool:
    """Do the columns plainly say that a file lists products, not what happened to them?

    Examples
    --------
    >>> is_catalogue(["SKU", "Nome", "Marca", "Prezzo"]), is_catalogue(["order_id", "sku", "name", "price"])
    (True, False)
    """
    roles = set(_found(columns, CATALOGUE_NAMES))
    says = roles & {"name", "category", "brand", "price", "cost"}
    of_sales = {_plain(name) for name in columns} & _SOLD
    return bool(roles & {"product_id", "sku"}) and len(says) > 1 and not of_sales and not _words(columns) & _OF_EVENTS


def is_stock(columns: Sequence[str]) -> bool:
    """Do the columns plainly say that a file holds stock by day?

    Examples
    --------
    >>> is_stock(["Data", "Negozio", "Codice articolo", "Giacenza"]), is_stock(["date", "sku", "quantity"])
    (True, False)
    """
    found = _found(columns, STOCK_NAMES)
    if not {"day", "quantity"} <= found.keys() or not found.keys() & {"product_id", "sku"}:
        return False
    return _plain(found["quantity"]) not in _ANY_QUANTITY and not _words(columns) & _OF_EVENTS


class _SideFormat:
    """What both formats share: where each field comes from, and rows that are rejected.

    Parameters
    ----------
    settings : Settings
    source : SourceInfo
    cells : mapping of str to Cell, optional
        Where the fields come from; without it columns are found by their names.
    """

    name: str
    _table: LakeTable
    _names: Mapping[str, tuple[str, ...]]

    def __init__(self, settings: Settings, source: SourceInfo, cells: Mapping[str, Cell] | None = None) -> None:
        self._settings = settings
        self._source = source
        self._cells = cells
        self._decimals: dict[str, str] = {}
        self._time_format = ""

    def _columns(self, chunk: TableChunk, names: Sequence[str]) -> Mapping[str, Cell]:
        if self._cells is not None:
            return self._cells
        found = {role: Cell(columns=(name,), decimal="") for role, name in _found(names, self._names).items()}
        if not found.keys() & {"product_id", "sku"}:
            raise MappingError(
                said("errors.column_of_role", role="product"),
                hint=said("errors.column_of_role_hint", names=", ".join((*_PRODUCT, *_SKU))),
                fields={"columns": list(chunk.table.column_names)},
            )
        return found

    def _products(self, rows: Rows, cells: Mapping[str, Cell], faults: Faults) -> tuple[pa.Array, pa.Array]:
        """Product ids, for lack of which the article number stands, and article numbers."""
        none = pa.nulls(rows.n, pa.string())
        skus = rows.cell(cells["sku"]) if "sku" in cells else none
        ids = pc.coalesce(rows.cell(cells["product_id"]) if "product_id" in cells else none, skus)
        for row in np.flatnonzero(np.asarray(ids.is_null())).tolist():
            faults.add(row, "product_missing", "the row names no product")
        return ids, skus

    def _decimal(self, role: str, cell: Cell, texts: pa.StringArray) -> str:
        """What separates decimals: as the mapping says, or as the first rows show."""
        if cell.decimal:
            return cell.decimal
        if role not in self._decimals:
            self._decimals[role] = guess_decimal(texts.slice(0, 1000).to_pylist())
        return self._decimals[role]

    def _made(self, chunk: TableChunk, made: Mapping[str, pa.Array], faults: Faults) -> SideRows:
        rows = chunk.table.num_rows
        good = np.setdiff1d(np.arange(rows), list(faults))
        schema = side_schema(self._table)
        source = pa.repeat(pa.scalar(self._source.name, pa.string()), rows)
        columns = {"source": source, **made}
        table = pa.table([columns[field.name].take(pa.array(good)) for field in schema], schema=schema)
        return SideRows(self._table, table, good, _rejects(chunk, faults))


class CatalogueFormat(_SideFormat):
    """Converts rows of a list of products."""

    name = "catalogue"
    _table = CATALOGUE
    _names = CATALOGUE_NAMES

    def convert(self, chunk: TableChunk) -> SideRows:
        """Products of the chunk, in file order.

        Raises
        ------
        MappingError
            There is no column for the product.
        """
        table = flat_table(chunk.table)
        rows, faults = Rows(table, self._settings.workspace.timezone), Faults()
        cells = self._columns(chunk, table.column_names)
        ids, skus = self._products(rows, cells, faults)
        none = pa.nulls(rows.n, pa.string())
        currencies = self._currencies(rows, cells)
        for row in np.flatnonzero(currencies.is_unknown()).tolist():
            faults.add(row, "currency_unknown", "the currency is none of ISO 4217")
        texts = {role: rows.cell(cells[role]) if role in cells else none for role in ("name", "category", "brand")}
        amounts = {role: self._amounts(role, rows, cells, currencies, faults) for role in ("price", "cost")}
        currency = currencies.named.fill_null(currencies.default)
        return self._made(chunk, {"product_id": ids, "sku": skus, **texts, **amounts, "currency": currency}, faults)

    def _currencies(self, rows: Rows, cells: Mapping[str, Cell]) -> Currencies:
        """A column's, else the one in the price's own name ("Prezzo (EUR)"), else the workspace's."""
        default = self._settings.workspace.currency
        for role in ("price", "cost"):
            bracket = _BRACKETS.search("".join(cells[role].columns)) if role in cells else None
            if bracket and bracket[1].strip().upper() in CURRENCY_EXPONENTS:
                default = bracket[1].strip().upper()
                break
        named = pc.utf8_upper(rows.cell(cells["currency"])) if "currency" in cells else pa.nulls(rows.n, pa.string())
        return Currencies(named, default)

    def _amounts(
        self, role: str, rows: Rows, cells: Mapping[str, Cell], currencies: Currencies, faults: Faults
    ) -> pa.Array:
        if role not in cells:
            return pa.nulls(rows.n, pa.int64())
        texts = rows.cell(cells[role])
        minor, wrong = currencies.minor(texts, self._decimal(role, cells[role], texts))
        for row in np.flatnonzero(wrong).tolist():
            faults.add(row, "amount_unreadable", f"the {role} is no amount")
        return minor


class StockFormat(_SideFormat):
    """Converts rows of stock by day."""

    name = "stock"
    _table = STOCK
    _names = STOCK_NAMES

    def convert(self, chunk: TableChunk) -> SideRows:
        """Stock of the chunk, in file order.

        Raises
        ------
        MappingError
            There is no column for the day, the product or the quantity.
        """
        table = flat_table(chunk.table)
        rows, faults = Rows(table, self._settings.workspace.timezone), Faults()
        cells = self._columns(chunk, table.column_names)
        for role in ("day", "quantity"):
            if role not in cells:
                raise MappingError(
                    said("errors.column_of_role", role=role),
                    hint=said("errors.column_of_role_hint", names=", ".join(STOCK_NAMES[role])),
                    fields={"columns": list(table.column_names)},
                )
        ids, _ = self._products(rows, cells, faults)
        made = {"product_id": ids, "day": self._days(rows, cells["day"], faults)}
        made["quantity"] = self._quantities(rows, cells["quantity"], faults)
        made["store"] = rows.cell(cells["store"]) if "store" in cells else pa.nulls(rows.n, pa.string())
        return self._made(chunk, made, faults)

    def _days(self, rows: Rows, cell: Cell, faults: Faults) -> pa.Array:
        texts = rows.cell(cell)
        if not self._time_format:
            guess = None if cell.format else guess_time_format(texts.slice(0, 1000).to_pylist(), enough_ratio=0.1)
            self._time_format = cell.format or (guess.format if guess else "iso")
        times = read_times(texts, time_format=self._time_format, timezone="UTC")
        for row in np.flatnonzero(times.null).tolist():
            missing = times.notes[row] == NOTE_MISSING
            faults.add(row, NOTE_CODES[times.notes[row]], "the row has no day" if missing else "the day is no date")
        days: npt.NDArray[np.int32] = (times.us // 86_400_000_000).astype(np.int32)
        return pa.array(days, pa.int32(), mask=times.null).cast(pa.date32())

    def _quantities(self, rows: Rows, cell: Cell, faults: Faults) -> pa.Array:
        texts = rows.cell(cell)
        decimal = self._decimal("quantity", cell, texts)
        numbers, wrong = rows.numbers(Cell(cell.columns, cell.value, decimal, cell.values))
        for row in np.flatnonzero(wrong).tolist():
            faults.add(row, "quantity_unreadable", "the quantity is no number")
        for row in np.flatnonzero(np.asarray(numbers.is_null()) & ~wrong).tolist():
            faults.add(row, "quantity_missing", "the row has no quantity")
        return numbers.fill_null(0.0)


def _rejects(chunk: TableChunk, faults: Faults) -> list[Reject]:
    return [table_reject(chunk, row, *faults[row]) for row in sorted(faults)]
