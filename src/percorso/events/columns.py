"""Columns of any type as the text, numbers and JSON that event rows hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from percorso.kernels.texts import count_empty, mark_escapes
from percorso.store.columns import string_buffers, whole

__all__ = ["as_numbers", "as_texts", "flat_table", "joined_texts", "json_objects", "mapped_texts", "same_text"]

#: Floats up to here that are whole numbers are written without ".0": ids that went through a spreadsheet.
_WHOLE = 2.0**53


def same_text(value: str, rows: int) -> pa.Array:
    """A text column that says the same in every row; "" says nothing."""
    return pa.repeat(pa.scalar(value or None, pa.string()), rows)


def flat_table(table: pa.Table) -> pa.Table:
    """Members of structs as columns of their own, named with points: ``user.id``."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def as_texts(column: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """A column as text: without blanks around, null where nothing remains.

    Whole numbers have no decimals ("17850", also where a spreadsheet made them 17850.0); times are ISO texts.

    Examples
    --------
    >>> as_texts(pa.array([1.0, 2.5, None])).to_pylist()
    ['1', '2.5', None]
    """
    array = whole(column)
    if array.null_count == len(array):
        return pa.nulls(len(array), pa.string())
    kind = array.type
    if pa.types.is_dictionary(kind):
        return as_texts(array.dictionary).take(array.indices)
    if pa.types.is_floating(kind):
        return _float_texts(array.cast(pa.float64()))
    if pa.types.is_nested(kind):
        return pa.array([None if v is None else _json(v) for v in array.to_pylist()], pa.string())
    return _trimmed(array if pa.types.is_string(kind) else array.cast(pa.string(), safe=False))


def _trimmed(texts: pa.StringArray) -> pa.StringArray:
    if count_empty(*string_buffers(texts)) == texts.null_count:
        return texts
    stripped = pc.utf8_trim_whitespace(texts)
    blank = pc.equal(pc.binary_length(stripped), 0)
    return pc.if_else(blank, pa.scalar(None, pa.string()), stripped) if pc.any(blank).as_py() else stripped


def _float_texts(numbers: pa.Array) -> pa.StringArray:
    filled = numbers.fill_null(float("nan")).to_numpy(zero_copy_only=False)
    missing = ~np.isfinite(filled)
    whole = (np.floor(filled) == filled) & (np.abs(filled) < _WHOLE)
    if (whole | missing).all():
        return pa.array(np.where(missing, 0, filled).astype(np.int64), mask=missing).cast(pa.string())
    texts = [
        None if m else str(int(v)) if w else repr(float(v)) for v, w, m in zip(filled, whole, missing, strict=True)
    ]
    return pa.array(texts, pa.string())


def mapped_texts(texts: pa.StringArray, values: Mapping[str, str]) -> pa.StringArray:
    """Texts replaced as `values` says; those it does not name stay."""
    if not values:
        return texts
    coded = texts.dictionary_encode()
    replaced = pa.array([values.get(text, text) or None for text in coded.dictionary.to_pylist()], pa.string())
    return replaced.take(coded.indices)


def as_numbers(column: pa.Array | pa.ChunkedArray, decimal: str = ".") -> tuple[pa.Array, pa.Array]:
    """A column as float64.

    Returns
    -------
    numbers : pyarrow.Array of float64
        Null where missing or no finite number.
    unreadable : pyarrow.Array of bool
        There is something, and it is no number.
    """
    array = whole(column)
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
        numbers = array.cast(pa.float64(), safe=False)
        finite = pc.is_finite(numbers).fill_null(False)
        return pc.if_else(finite, numbers, pa.scalar(None, pa.float64())), pa.repeat(False, len(array))
    coded = as_texts(array).dictionary_encode()
    known = pa.array([_number(text, decimal) for text in coded.dictionary.to_pylist()], pa.float64())
    numbers = known.take(coded.indices)
    return numbers, pc.and_(numbers.is_null(), coded.is_valid())


def _number(text: str, decimal: str) -> float | None:
    try:
        number = float(text.replace(".", "").replace(",", ".") if decimal == "," and "," in text else text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def joined_texts(parts: Sequence[pa.Array], separator: str) -> pa.Array:
    """The texts of each row, joined, without those that are null; null where all of them are.

    Arrow's own joining with null_handling="skip" loses rows of nulls (pyarrow 26).

    Parameters
    ----------
    parts : sequence of pyarrow.StringArray, each of shape (n_rows,), at least one
    separator : str
        One character.

    Examples
    --------
    >>> joined_texts([pa.array(["a", None, None]), pa.array(["b", "c", None])], ",").to_pylist()
    ['a,b', 'c', None]
    """
    present = [part for part in parts if part.null_count < len(part)]
    if len(present) < 2:
        return present[0] if present else parts[0]
    led = [pc.binary_join_element_wise(separator, part, "", null_handling="emit_null") for part in present]
    joined = pc.utf8_slice_codeunits(
        pc.binary_join_element_wise(*led, "", null_handling="replace", null_replacement=""), start=1
    )
    if any(part.null_count == 0 for part in present):
        return joined
    return pc.if_else(pc.equal(pc.binary_length(joined), 0), pa.scalar(None, pa.string()), joined)


def json_objects(columns: Mapping[str, pa.Array]) -> pa.Array:
    """One JSON object a row with the keys sorted; nulls are left out, a row of nulls is null.

    Texts become JSON strings, numbers numbers, booleans true and false.

    Examples
    --------
    >>> json_objects({"b": pa.array(["x", None]), "a": pa.array([1, None])}).to_pylist()
    ['{"a":1,"b":"x"}', None]
    """
    if not columns:
        raise ValueError("no columns")
    joined = joined_texts([_members(name, columns[name]) for name in sorted(columns)], ",")
    if joined.null_count == len(joined):
        return joined
    return pc.binary_join_element_wise("{", joined, "}", "", null_handling="emit_null")


def _members(name: str, array: pa.Array) -> pa.Array:
    """``"name":value`` of each row."""
    kind = array.type
    key = json.dumps(name, ensure_ascii=False) + ":"
    if pa.types.is_nested(kind):
        texts = pa.array([None if v is None else _json(v) for v in array.to_pylist()], pa.string())
    elif pa.types.is_boolean(kind):
        texts = array.cast(pa.string())
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        texts = as_texts(array)
    else:
        return _quoted_members(key, as_texts(array))
    return pc.binary_join_element_wise(key, texts, "", null_handling="emit_null")


def _quoted_members(key: str, texts: pa.StringArray) -> pa.Array:
    marks = np.empty(len(texts), np.bool_)
    if mark_escapes(*string_buffers(texts), marks):
        coded = texts.filter(pa.array(marks)).dictionary_encode()
        plain = [
            text if text is None else json.dumps(text, ensure_ascii=False)[1:-1]
            for text in coded.dictionary.to_pylist()
        ]
        texts = pc.replace_with_mask(texts, pa.array(marks), pa.array(plain, pa.string()).take(coded.indices))
    return pc.binary_join_element_wise(key + '"', texts, '"', "", null_handling="emit_null")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
