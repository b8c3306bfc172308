"""Row keys: against mmh3 (outside), against a plain twin, and what must not make two rows equal."""

from __future__ import annotations

from datetime import UTC, datetime

import mmh3
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.kernels.hashing import hash_bytes, hash_words
from percorso.store.row_keys import KeyCounter, keys_as_binary, keys_as_hex, keys_from_binary, row_keys
from tests.naive import hashing as naive

_TEXTS = st.lists(st.none() | st.text(max_size=40), max_size=30)


def _pairs(keys: npt.NDArray[np.uint64]) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in keys]


@given(st.lists(st.binary(max_size=70), max_size=20))
def test_one_column_is_murmur3_as_mmh3_has_it(values: list[bytes]) -> None:
    array = pa.array(values, pa.binary())
    state = np.zeros((len(values), 2), np.uint64)
    if values:
        _, offsets, data = array.buffers()
        payload = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
        hash_bytes(np.frombuffer(offsets, np.int32)[: len(values) + 1], payload, np.zeros(0, np.uint8), 0, 0, state)
    assert _pairs(state) == [
        ((whole := mmh3.hash128(value, 0, x64arch=True)) & (1 << 64) - 1, whole >> 64) for value in values
    ]


@given(st.binary(max_size=70), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_twin_is_murmur3_as_mmh3_has_it(value: bytes, h1: int, h2: int) -> None:
    whole = mmh3.hash128(value, 0, x64arch=True)
    assert naive.murmur(value) == (whole & (1 << 64) - 1, whole >> 64)
    if value:
        assert naive.murmur(value, h1, h2) != naive.murmur(value[:-1], h1, h2)


@given(_TEXTS, _TEXTS, st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=30))
def test_row_keys_equal_the_twin(first: list[str | None], second: list[str | None], numbers: list[int | None]) -> None:
    n = min(len(first), len(second), len(numbers))
    table = pa.table(
        {"a": pa.array(first[:n], pa.string()), "n": pa.array(numbers[:n], pa.int64()), "b": second[:n]},
        schema=pa.schema([("a", pa.string()), ("n", pa.int64()), ("b", pa.string())]),
    )
    expected = [
        naive.row_key(
            [
                ("a", None if a is None else a.encode()),
                ("n", None if k is None else k.to_bytes(8, "little", signed=True)),
                ("b", None if b is None else b.encode()),
            ]
        )
        for a, b, k in zip(first[:n], second[:n], numbers[:n], strict=True)
    ]
    assert _pairs(row_keys(table, ["a", "n", "b"])) == expected


@given(_TEXTS, st.integers(0, 30), st.integers(0, 30))
def test_keys_do_not_depend_on_slices_and_chunks(values: list[str | None], start: int, length: int) -> None:
    column = pa.array(values, pa.string())
    whole = row_keys(pa.table({"a": column}))
    assert (row_keys(pa.table({"a": column.slice(start, length)})) == whole[start : start + length]).all()
    parts = pa.chunked_array([column.slice(0, start), column.slice(start)])
    assert (row_keys(pa.table({"a": parts})) == whole).all()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": ["xy"], "b": ["z"]}, {"a": ["x"], "b": ["yz"]}),
        ({"a": ["x"], "b": ["y"]}, {"a": ["y"], "b": ["x"]}),
        ({"a": [""], "b": ["x"]}, {"a": [None], "b": ["x"]}),
        ({"a": [None], "b": ["x"]}, {"a": ["x"], "b": [None]}),
        ({"a": ["x\0"]}, {"a": ["x"]}),
        ({"a": [["x", "y"]]}, {"a": [["xy"]]}),
        ({"a": [[]]}, {"a": [None]}),
        ({"a": [["x"], ["y"]]}, {"a": [["y"], ["x"]]}),
    ],
)
def test_different_rows_have_different_keys(one: dict[str, list[object]], other: dict[str, list[object]]) -> None:
    kinds = {
        name: pa.list_(pa.string()) if _is_list(one[name]) or _is_list(other[name]) else pa.string() for name in one
    }
    tables = [pa.table({name: pa.array(rows[name], kinds[name]) for name in rows}) for rows in (one, other)]
    assert _pairs(row_keys(tables[0]))[0] != _pairs(row_keys(tables[1]))[0]


def _is_list(values: list[object]) -> bool:
    return any(isinstance(value, list) for value in values)


def test_a_new_column_without_values_changes_nothing() -> None:
    old = pa.table({"a": ["x", None]})
    new = old.append_column("b", pa.nulls(2, pa.string()))
    assert (row_keys(old) == row_keys(new)).all()


def test_equal_values_have_equal_keys_in_every_type_of_text() -> None:
    plain = pa.table({"a": ["x", None, "longer than sixteen bytes"]})
    for kind in (pa.large_string(), pa.binary(), pa.string_view()):
        assert (row_keys(pa.table({"a": plain.column("a").cast(kind)})) == row_keys(plain)).all()
    assert (row_keys(pa.table({"a": plain.column("a").dictionary_encode()})) == row_keys(plain)).all()


def test_every_column_type_has_keys() -> None:
    time = datetime(2024, 1, 1, tzinfo=UTC)
    item = pa.array([[{"x": "a", "n": 1}], [], [{"x": None, "n": 2}, {"x": "b", "n": None}]])
    table = pa.table(
        {
            "time": pa.array([time, time, None], pa.timestamp("us", tz="UTC")),
            "day": pa.array([1, 2, 3], pa.date32()),
            "flag": [True, False, None],
            "small": pa.array([1, 2, 3], pa.int8()),
            "float": [1.5, None, 2.5],
            "fixed": pa.array([b"12", b"34", None], pa.binary(2)),
            "items": item,
            "decimal": pa.array(["1.10", "2", None]).cast(pa.decimal128(10, 2)),
            "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
        }
    )
    for name in table.column_names:
        assert len(set(_pairs(row_keys(table.select([name]))))) >= 2, name


def test_items_of_a_slice_are_those_of_the_whole() -> None:
    table = pa.table({"i": pa.array([[{"x": str(i)}] * (i % 4) for i in range(20)])})
    assert (row_keys(table)[7:15] == row_keys(table.slice(7, 8))).all()


def test_words_are_the_bytes_of_the_number() -> None:
    values = np.array([0, 1, -1, 2**62], np.int64)
    state = np.zeros((4, 2), np.uint64)
    hash_words(values, np.zeros(0, np.uint8), 0, 0, state)
    assert _pairs(state) == [naive.murmur(int(v).to_bytes(8, "little", signed=True)) for v in values]


@given(st.lists(st.integers(0, 6), max_size=80), st.integers(0, 80))
def test_counter_equals_the_twin_over_calls(numbers: list[int], cut: int) -> None:
    keys = np.array([naive.murmur(bytes([n])) for n in numbers], np.uint64).reshape(-1, 2)
    counter = KeyCounter()
    counted = np.concatenate([counter.add(keys[:cut]), counter.add(keys[cut:])])
    assert counted.tolist() == naive.count_before(_pairs(keys))
    assert len(counter) == len(set(numbers))


def test_counter_grows_and_still_knows_everything() -> None:
    keys = np.random.default_rng(1).integers(0, 2**63, (50_000, 2)).astype(np.uint64)
    counter = KeyCounter()
    for start in range(0, len(keys), 700):
        assert not counter.add(keys[start : start + 700]).any()
    assert (counter.add(keys) == 1).all()
    assert counter.contains(keys).all()
    assert not counter.contains(keys + np.uint64(1)).any()


def test_counter_takes_zero_keys_for_keys() -> None:
    counter = KeyCounter()
    zeros = np.zeros((3, 2), np.uint64)
    assert counter.add(zeros).tolist() == [0, 1, 2]


def test_keys_as_binary_and_hex() -> None:
    keys = np.array([[1, 2], [2**64 - 1, 0xABCDEF]], np.uint64)
    assert keys_as_hex(keys).to_pylist() == [f"{a:016x}{b:016x}" for a, b in _pairs(keys)]
    binary = pa.chunked_array([keys_as_binary(keys)]).slice(1, 1)
    assert (keys_from_binary(binary) == keys[1:]).all()
