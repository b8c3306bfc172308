"""Amounts of mapped rows: each in minor units of its row's currency, and the value they give."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.amounts import minor_from_arrow
from percorso.events.formats.table_rows import Rows
from percorso.events.mapping import AMOUNT_KEYS, Cell
from percorso.settings import CURRENCY_EXPONENTS

__all__ = ["Currencies", "money_columns", "row_currencies"]


class Currencies:
    """The currency of each row's amounts.

    Parameters
    ----------
    named : pyarrow.StringArray, shape (n_rows,)
        The currency a row names, upper case, null for none.
    default : str
        The workspace's.
    """

    def __init__(self, named: pa.StringArray, default: str) -> None:
        self.named = named
        self.default = default
        self._used = named.fill_null(default) if named.null_count < len(named) else None
        distinct = [default] if self._used is None else pc.unique(self._used).to_pylist()
        self.unknown = [code for code in distinct if code not in CURRENCY_EXPONENTS]
        self._exponents = sorted({CURRENCY_EXPONENTS.get(code, 2) for code in distinct})

    def of_rows(self, rows: npt.NDArray[np.int64]) -> Currencies:
        """The currencies of some of the rows."""
        return Currencies(self.named.take(pa.array(rows)), self.default)

    def minor(self, column: pa.Array, decimal: str) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
        """Amounts in minor units, null where missing or unreadable, and which are unreadable."""
        minor, wrong = minor_from_arrow(column, self._exponents[0], decimal)
        for exponent in self._exponents[1:]:
            codes = [code for code, found in CURRENCY_EXPONENTS.items() if found == exponent]
            here = pc.is_in(self._used, value_set=pa.array(codes))
            other, also_wrong = minor_from_arrow(column, exponent, decimal)
            minor = pc.if_else(here, other, minor)
            wrong = np.where(np.asarray(here), also_wrong, wrong)
        return minor, wrong

    def is_unknown(self) -> npt.NDArray[np.bool_]:
        """Rows that name a currency nobody knows."""
        return np.asarray(pc.is_in(self.named, value_set=pa.array(self.unknown, pa.string())))


def row_currencies(rows: Rows, cells: Mapping[str, Cell], default: str) -> Currencies:
    """The currencies the mapping finds in the rows."""
    if "currency" not in cells:
        return Currencies(pa.nulls(rows.n, pa.string()), default)
    return Currencies(_upper(rows.cell(cells["currency"])), default)


def _upper(texts: pa.StringArray) -> pa.StringArray:
    return texts if texts.null_count == len(texts) else pc.utf8_upper(texts)


def money_columns(rows: Rows, cells: Mapping[str, Cell], currencies: Currencies) -> dict[str, pa.Array]:
    """value, tax, shipping, discount and currency of the rows; rows whose amounts cannot be read are rejected."""
    found: dict[str, pa.Array] = {}
    for name in AMOUNT_KEYS:
        if name in cells:
            cell = cells[name]
            column = rows.column(cell.columns[0]) if len(cell.columns) == 1 and not cell.values else rows.cell(cell)
            found[name], wrong = currencies.minor(column, cell.decimal)
            rows.fault("amount_unreadable", wrong)
    columns: dict[str, pa.Array] = {name: found[name] for name in ("tax", "shipping", "discount") if name in found}
    value = _value(found)
    if value is not None:
        columns["value"] = value
    if found and currencies.unknown:
        rows.fault("currency_unknown", currencies.is_unknown() & _any_valid(list(found.values())))
    columns["currency"] = currency_column(currencies, list(found.values()))
    return columns


def currency_column(currencies: Currencies, amounts: list[pa.Array]) -> pa.Array:
    """The currency a row names, else the workspace's where it has an amount."""
    if not amounts or currencies.named.null_count == 0:
        return currencies.named
    default = pa.scalar(currencies.default, pa.string())
    spoken = pc.if_else(pa.array(_any_valid(amounts)), default, pa.scalar(None, pa.string()))
    return pc.coalesce(currencies.named, spoken)


def _any_valid(amounts: list[pa.Array]) -> npt.NDArray[np.bool_]:
    valid = np.zeros(len(amounts[0]), np.bool_)
    for column in amounts:
        valid |= np.asarray(column.is_valid())
    return valid


def _value(found: Mapping[str, pa.Array]) -> pa.Array | None:
    """Revenue, else subtotal, else total - tax - shipping, else value (definitions, section 8)."""
    parts = [found[name] for name in ("revenue", "subtotal") if name in found]
    if "total" in found:
        net = found["total"]
        for name in ("tax", "shipping"):
            if name in found:
                net = pc.subtract(net, found[name].fill_null(0))
        parts.append(net)
    if "value" in found:
        parts.append(found["value"])
    return pc.coalesce(*parts) if len(parts) > 1 else parts[0] if parts else None
