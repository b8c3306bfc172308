"""A column of amounts: exactly what the scalar reader says of each cell."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.errors import AmountError
from percorso.events.amounts import minor_from_arrow
from percorso.money import minor_of


def scalar(value: str | float | Decimal | None, decimals: int, decimal: str) -> tuple[int | None, bool]:
    if value is None or value != value or (isinstance(value, str) and not value.strip()):
        return None, False
    try:
        return minor_of(value, decimals, decimal=decimal), False
    except AmountError:
        return None, True


def check(column: pa.Array, decimals: int, decimal: str = ".") -> None:
    expected = [scalar(value, decimals, decimal) for value in column.to_pylist()]
    shifted = pa.concat_arrays([column[:0], pa.nulls(2, column.type), column])[2:]
    for shape in (column, shifted, column.dictionary_encode(), pa.chunked_array([column, column[:0]])):
        minor, unreadable = minor_from_arrow(shape, decimals, decimal)
        assert minor.type == pa.int64()
        assert list(zip(minor.to_pylist(), unreadable.tolist(), strict=True)) == expected


CELLS = (
    st.decimals(-(10**10), 10**10, places=2).map(str)
    | st.decimals(-(10**6), 10**6, places=5).map(lambda number: f"{number:,}")
    | st.decimals(-(10**6), 10**6, places=2).map(lambda number: f"{number:,}".translate(str.maketrans(",.", ".,")))
    | st.text("0123456789.,-+()€ eE", max_size=10)
    | st.sampled_from(
        ["", " ", "€ 1.000,00", "(5)", "n/a", "99999999999999999999", "0.125", "1,5", "100000000000000000"]
    )
    | st.none()
)


@given(st.lists(CELLS), st.integers(0, 4), st.sampled_from([".", ","]))
@settings(deadline=None)
def test_texts_equal_the_scalar_reader(cells: list[str | None], decimals: int, decimal: str) -> None:
    check(pa.array(cells, type=pa.string()), decimals, decimal)


@given(st.lists(st.floats() | st.integers(-(10**9), 10**9).map(lambda n: n / 1000) | st.none()), st.integers(0, 4))
@settings(deadline=None)
def test_floats_equal_the_scalar_reader(numbers: list[float | None], decimals: int) -> None:
    check(pa.array(numbers, type=pa.float64()), decimals)


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-1000, 1000) | st.none()), st.integers(0, 4))
@settings(deadline=None)
def test_whole_numbers_equal_the_scalar_reader(numbers: list[int | None], decimals: int) -> None:
    check(pa.array(numbers, type=pa.int64()), decimals)


@given(st.lists(st.decimals(-(10**9), 10**9, places=4) | st.none()), st.integers(0, 4))
@settings(deadline=None)
def test_decimals_equal_the_scalar_reader(numbers: list[Decimal | None], decimals: int) -> None:
    check(pa.array(numbers, type=pa.decimal128(20, 4)), decimals)


@pytest.mark.parametrize("value", [10.075, 0.285, 1.005, 2.5, 1e9 + 0.005, 123456789.125])
def test_floats_near_a_tie_go_by_their_shortest_text(value: float) -> None:
    check(pa.array([value, -value]), 2)


def test_unsigned_and_small_numbers() -> None:
    check(pa.array([0, 2**64 - 1, None], type=pa.uint64()), 2)
    check(pa.array([-128, 127, None], type=pa.int8()), 2)


def test_columns_that_hold_no_amounts() -> None:
    minor, unreadable = minor_from_arrow(pa.array([True, None]), 2)
    assert minor.to_pylist() == [None, None]
    assert unreadable.tolist() == [True, False]


def test_no_rows_and_no_values() -> None:
    for column in (pa.array([], pa.string()), pa.chunked_array([], type=pa.string()), pa.array([], pa.float64())):
        assert len(minor_from_arrow(column, 2)[0]) == 0
    for column in (pa.nulls(2), pa.nulls(2, pa.string()), pa.nulls(2, pa.string()).dictionary_encode()):
        minor, unreadable = minor_from_arrow(column, 2)
        assert minor.to_pylist() == [None, None]
        assert not unreadable.any()
