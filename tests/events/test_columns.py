"""Columns as text, numbers and JSON, beside what Python's json makes of the same rows."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.events.columns import as_numbers, as_texts, joined_texts, json_objects, mapped_texts


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([" a ", "", "  ", None, "b\u00a0", "ü"]), ["a", None, None, None, "b", "ü"]),
        (pa.array(["a", "", "b"]), ["a", None, "b"]),
        (pa.array([17850.0, None, float("nan"), float("inf"), -3.0]), ["17850", None, None, None, "-3"]),
        (pa.array([0.1, 1e300, 2.0]), ["0.1", "1e+300", "2"]),
        (pa.array([1, None], pa.int32()), ["1", None]),
        (pa.array([True, None]), ["true", None]),
        (pa.array(["x", " y", "x"]).dictionary_encode(), ["x", "y", "x"]),
        (pa.array(["x "], pa.large_string()), ["x"]),
        (pa.array([Decimal("1.50")]), ["1.50"]),
        (pa.array([date(2024, 1, 2)]), ["2024-01-02"]),
        (pa.array([["a", 'b"']]), ['["a","b\\""]']),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.chunked_array([["a"], ["b "]]), ["a", "b"]),
        (pa.array(["cut", " a", "b"]).slice(1), ["a", "b"]),
    ],
)
def test_any_column_as_text(column: pa.Array, expected: list[str | None]) -> None:
    texts = as_texts(column)
    assert texts.type == pa.string()
    assert texts.to_pylist() == expected


def test_times_as_text_can_be_read_again() -> None:
    column = pa.array([datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    assert datetime.fromisoformat(as_texts(column)[0].as_py()) == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_numbers() -> None:
    numbers, wrong = as_numbers(pa.array(["1.5", "2", " ", "x", "nan", None]))
    assert numbers.to_pylist() == [1.5, 2, None, None, None, None]
    assert wrong.to_pylist() == [False, False, False, True, True, False]
    numbers, wrong = as_numbers(pa.array(["1.234,5", "2", "3,x"]), ",")
    assert numbers.to_pylist() == [1234.5, 2, None]
    assert wrong.to_pylist() == [False, False, True]
    numbers, wrong = as_numbers(pa.array([1.5, float("inf"), None]))
    assert numbers.to_pylist() == [1.5, None, None]


def test_texts_are_translated() -> None:
    texts = mapped_texts(pa.array(["a", "b", None, "c"]), {"a": "A", "c": ""})
    assert texts.to_pylist() == ["A", "b", None, None]


_TEXTS = st.lists(st.none() | st.text(max_size=5), min_size=3, max_size=3)


@given(st.lists(_TEXTS, max_size=20))
def test_objects_equal_those_of_json(rows: list[list[str | None]]) -> None:
    names = ['b"\u00e9', "a", "c"]
    columns = {name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(names)}
    found = json_objects(columns).to_pylist()
    for row, text in zip(rows, found, strict=True):
        kept = {name: (value or "").strip() for name, value in zip(names, row, strict=True) if (value or "").strip()}
        assert text == (json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if kept else None)


def test_objects_of_other_types() -> None:
    columns = {
        "n": pa.array([1, None]),
        "f": pa.array([2.5, float("nan")]),
        "t": pa.array([True, None]),
        "l": pa.array([[1, 2], None]),
        "d": pa.array(["x", None]).dictionary_encode(),
    }
    assert json_objects(columns).to_pylist() == ['{"d":"x","f":2.5,"l":[1,2],"n":1,"t":true}', None]


@given(st.lists(st.lists(st.none() | st.text(max_size=3), min_size=3, max_size=3), max_size=20))
def test_joined_texts(rows: list[list[str | None]]) -> None:
    parts = [pa.array([row[i] for row in rows], pa.string()) for i in range(3)]
    said = [[text for text in row if text is not None] for row in rows]
    expected = [",".join(texts) if texts else None for texts in said]
    assert [text or None for text in joined_texts(parts, ",").to_pylist()] == [text or None for text in expected]
