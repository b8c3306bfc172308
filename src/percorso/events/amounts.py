"""Amounts of a whole column: Arrow in, integer minor units out.

Exactly what :func:`percorso.money.to_minor` says of each cell: a kernel reads the plain ones, the scalar
reader decides once for each distinct one of the rest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.errors import AmountError
from percorso.kernels.numbers import read_numbers
from percorso.money import LARGEST_MINOR, minor_of
from percorso.store.columns import string_buffers

__all__ = ["minor_from_arrow"]

_Ints = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]

#: Up to here a float times 10**decimals is off by less than 1e-6, and so is its distance to a tie.
_SAFE_FLOAT = 1e9
_TIE_WIDTH = 1e-5


def minor_from_arrow(
    column: pa.Array | pa.ChunkedArray, exponent: int, decimal: str = "."
) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """A column of amounts in minor units.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
        Texts, whole numbers, floats or decimals. Blank texts and NaN count as missing.
    exponent : int
        Decimals of the currency, 0 to 4.
    decimal : {".", ","}
        What separates decimals in texts.

    Returns
    -------
    minor : pyarrow.Array of int64, shape (n_rows,)
        Null where missing or unreadable.
    unreadable : bool, shape (n_rows,)
        There is something, and it is no amount.

    Examples
    --------
    >>> minor, unreadable = minor_from_arrow(pa.array(["12,50", None, "€ 1.000", "n/a"]), 2, ",")
    >>> minor.to_pylist(), unreadable.tolist()
    ([1250, None, 100000, None], [False, False, False, True])
    """
    if isinstance(column, pa.ChunkedArray):
        parts = [_read(chunk, exponent, decimal) for chunk in column.chunks]
        if not parts:
            return pa.array([], type=pa.int64()), np.zeros(0, dtype=np.bool_)
        minor, missing, unreadable = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    else:
        minor, missing, unreadable = _read(column, exponent, decimal)
    return pa.array(minor, type=pa.int64(), mask=missing | unreadable), unreadable


def _read(column: pa.Array, exponent: int, decimal: str) -> tuple[_Ints, _Flags, _Flags]:
    """Minor units, which cells are missing, which are unreadable; each of shape (n_rows,)."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _coded(column, exponent, decimal)
    if pa.types.is_integer(kind):
        return _integers(column, exponent)
    if pa.types.is_floating(kind):
        return _floats(column.cast(pa.float64()), exponent)
    if pa.types.is_decimal(kind):
        return _texts(column.cast(pa.string()), exponent, ".")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _texts(column.cast(pa.string()), exponent, decimal)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    return np.zeros(len(column), dtype=np.int64), missing, ~missing


def _coded(column: pa.DictionaryArray, exponent: int, decimal: str) -> tuple[_Ints, _Flags, _Flags]:
    missing = column.indices.is_null().to_numpy(zero_copy_only=False)
    if not len(column.dictionary):
        return np.zeros(len(column), dtype=np.int64), missing, np.zeros(len(column), dtype=np.bool_)
    codes = pc.fill_null(column.indices, 0).to_numpy(zero_copy_only=False)
    minor, none, unreadable = _read(column.dictionary, exponent, decimal)
    return minor[codes], none[codes] | missing, unreadable[codes] & ~missing


def _integers(column: pa.Array, exponent: int) -> tuple[_Ints, _Flags, _Flags]:
    missing = column.is_null().to_numpy(zero_copy_only=False)
    numbers = pc.fill_null(column, 0).to_numpy()
    most = LARGEST_MINOR // 10**exponent
    unreadable = numbers > most
    if pa.types.is_signed_integer(column.type):
        unreadable |= numbers < -most
    return np.where(unreadable, 0, numbers).astype(np.int64) * 10**exponent, missing, unreadable


def _floats(column: pa.Array, exponent: int) -> tuple[_Ints, _Flags, _Flags]:
    """Round what is far from a tie here; the rest goes by its shortest decimal text."""
    numbers = pc.fill_null(column, float("nan")).to_numpy(zero_copy_only=False)
    missing = np.isnan(numbers)
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = numbers * 10.0**exponent
        sure = (np.abs(scaled) < _SAFE_FLOAT) & (np.abs(np.abs(scaled - np.floor(scaled)) - 0.5) > _TIE_WIDTH)
    minor = np.rint(np.where(sure, scaled, 0.0)).astype(np.int64)
    unreadable = np.zeros(len(column), dtype=np.bool_)
    unsure = np.flatnonzero(~sure & ~missing)
    if len(unsure):
        distinct, codes = np.unique(numbers[unsure], return_inverse=True)
        read = [_scalar(value, exponent, ".") for value in distinct.tolist()]
        _scatter(read, unsure, codes, minor, unreadable)
    return minor, missing, unreadable


def _texts(column: pa.StringArray, exponent: int, decimal: str) -> tuple[_Ints, _Flags, _Flags]:
    missing = column.is_null().to_numpy(zero_copy_only=False)
    minor = np.zeros(len(column), dtype=np.int64)
    plain = np.zeros(len(column), dtype=np.bool_)
    thousands = "," if decimal == "." else "."
    read_numbers(*string_buffers(column), exponent, ord(decimal), ord(thousands), minor, plain)
    plain &= np.abs(minor) <= LARGEST_MINOR
    unreadable = np.zeros(len(column), dtype=np.bool_)
    irregular = np.flatnonzero(~plain & ~missing)
    if len(irregular):
        coded = column.take(pa.array(irregular)).dictionary_encode()
        texts = coded.dictionary.to_pylist()
        codes = coded.indices.to_numpy()
        blank = np.array([not text.strip() for text in texts], dtype=np.bool_)
        read = [(0, True) if not text.strip() else _scalar(text, exponent, decimal) for text in texts]
        _scatter(read, irregular, codes, minor, unreadable)
        missing = missing.copy()
        missing[irregular] = blank[codes]
    return minor, missing, unreadable


def _scalar(value: str | float, exponent: int, decimal: str) -> tuple[int, bool]:
    """Minor units, and whether there are any."""
    try:
        return minor_of(value, exponent, decimal=decimal), True
    except AmountError:
        return 0, False


def _scatter(
    read: list[tuple[int, bool]], rows: npt.NDArray[np.int64], codes: _Ints, minor: _Ints, unreadable: _Flags
) -> None:
    """Put what was read of each distinct cell into the rows that hold it."""
    minor[rows] = np.array([amount for amount, _ in read], dtype=np.int64)[codes]
    unreadable[rows] = np.array([not good for _, good in read], dtype=np.bool_)[codes]
