"""Amounts to minor units, and rates."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.errors import AmountError, PercorsoError
from percorso.money import RateTable, convert, exponent, to_minor
from percorso.settings import Rate

READ = [
    # text, decimal separator, cents
    ("12.50", ".", 1250),
    ("12,50", ",", 1250),
    ("0", ".", 0),
    (" 7 ", ".", 700),
    ("+3", ".", 300),
    (".5", ".", 50),
    ("5.", ".", 500),
    ("1,234.56", ".", 123456),
    ("1.234,56", ",", 123456),
    ("1.234.567,8", ",", 123456780),
    ("1,00,000.50", ".", 10000050),  # Indian lakhs
    ("1 234,50", ",", 123450),
    ("1\u00a0234\u202f567", ".", 123456700),
    ("1'234.50", ".", 123450),  # Switzerland
    ("1,234", ".", 123400),
    ("1.234", ",", 123400),
    ("1.234", ".", 123),
    # The other way round than the mapping says, where nothing else can be meant.
    ("1.234,56", ".", 123456),
    ("12,345.67", ",", 1234567),
    ("12,5", ".", 1250),
    ("1.234.567", ".", 123456700),
    # Currencies.
    ("€ 12,50", ",", 1250),
    ("12,50 €", ",", 1250),
    ("EUR 12.50", ".", 1250),
    ("$1,299.00 USD", ".", 129900),
    ("R$ 3,10", ",", 310),
    ("Rs. 50", ".", 5000),
    ("50 kr.", ",", 5000),
    ("$.50", ".", 50),
    ("199 zł", ",", 19900),
    # Signs.
    ("-12.50", ".", -1250),
    ("12,50-", ",", -1250),
    ("\u221212.50", ".", -1250),
    ("(12.50)", ".", -1250),
    ("-€12.00", ".", -1200),
    ("€ -12.00", ".", -1200),
    ("($5.00)", ".", -500),
    ("5-€", ".", -500),
    ("5,-", ",", 500),  # five, as shops write it
    # More decimals than cents: half-even.
    ("0.125", ".", 12),
    ("0.135", ".", 14),
    ("-0.125", ".", -12),
    ("1e3", ".", 100000),
    ("1E-2", ".", 1),
]


@pytest.mark.parametrize(("text", "decimal", "cents"), READ)
def test_amounts_as_people_write_them(text: str, decimal: str, cents: int) -> None:
    assert to_minor(text, "EUR", decimal=decimal) == cents


NOT_READ = ["", " ", "-", "€", "abc", "A12", "12A", "1.2.3", "--3", "-(5)", "3 4", "1 23", "12:30", "2024-01-02", "NaN"]
NOT_READ += [
    "Infinity",
    "1,234,56",
    "12.345,6,7",
    "٣",
    "1e99999",
    "1234567890123456789",
    "9" * 100,
    "12 apples",
    "0x1F",
]


@pytest.mark.parametrize("text", NOT_READ)
@pytest.mark.parametrize("decimal", [".", ","])
def test_what_is_no_amount(text: str, decimal: str) -> None:
    with pytest.raises(AmountError) as caught:
        to_minor(text, "EUR", decimal=decimal)
    assert isinstance(caught.value, PercorsoError | ValueError)
    assert not text.strip(" -") or text not in caught.value.message


@pytest.mark.parametrize(("amount", "currency", "minor"), [(5, "JPY", 5), (1.5, "KWD", 1500), ("1.2345", "CLF", 12345)])
def test_each_currency_has_its_exponent(amount: str | float, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "cents"), [(0.285, 28), (10.075, 1008), (1.005, 100), (0.1 + 0.2, 30), (-2.5, -250)]
)
def test_a_float_counts_as_its_shortest_decimal_text(amount: float, cents: int) -> None:
    assert to_minor(amount, "EUR") == cents


@pytest.mark.parametrize("amount", [True, float("nan"), float("inf"), 1e300, 10**30, Decimal("NaN")])
def test_numbers_that_are_no_amounts(amount: float | Decimal) -> None:
    with pytest.raises(AmountError):
        to_minor(amount, "EUR")


def test_unknown_currencies_are_refused_with_the_nearest() -> None:
    with pytest.raises(AmountError) as caught:
        exponent("EURO")
    assert "'EUR'" in caught.value.hint


MINOR = st.integers(-(10**15), 10**15)


@given(
    MINOR,
    st.sampled_from(["EUR", "JPY", "KWD", "CLF"]),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("", ".")]),
)
def test_a_formatted_amount_reads_back(minor: int, currency: str, separators: tuple[str, str]) -> None:
    thousands, decimal = separators
    digits = exponent(currency)
    text = f"{Decimal(minor).scaleb(-digits):,.{digits}f}"
    text = text.replace(",", "t").replace(".", decimal).replace("t", thousands)
    assert to_minor(text, currency, decimal=decimal) == minor


@given(st.text("0123456789.,-+()€ $eE'", max_size=12), st.sampled_from([".", ","]))
def test_no_text_does_worse_than_be_refused(text: str, decimal: str) -> None:
    with contextlib.suppress(AmountError):
        to_minor(text, "EUR", decimal=decimal)


RATES = RateTable.of(
    [Rate("2026-01-02", "USD", 0.92), Rate("2026-01-05", "USD", 0.95), Rate("2026-01-02", "JPY", 0.0061)]
)
DAY = 20_455  # 2026-01-02


@pytest.mark.parametrize(
    ("currency", "day", "minor", "expected"),
    [
        ("EUR", 0, 123, 123),  # its own currency needs no rate
        ("USD", DAY, 1000, 920),
        ("USD", DAY + 2, 1000, 920),  # the last one before
        ("USD", DAY + 3, 1000, 950),
        ("USD", DAY + 10, 1000, 950),  # seven days after the last
        ("USD", DAY + 11, 1000, None),
        ("USD", DAY - 1, 1000, None),  # never a later one
        ("GBP", DAY, 1000, None),
        ("JPY", DAY, 1000, 610),  # 1000 yen, 6.10 euro
        ("USD", DAY + 3, 10, 10),  # 9.5 cents: half-even
        ("USD", DAY + 3, 30, 28),  # 28.5
        ("USD", DAY, -1000, -920),
    ],
)
def test_the_days_rate_or_the_last_of_seven_days(currency: str, day: int, minor: int, expected: int | None) -> None:
    assert convert(minor, currency, day, RATES, "EUR") == expected


def test_of_two_rates_for_a_day_the_last_written_counts() -> None:
    rates = RateTable.of([Rate("2026-01-02", "USD", 0.5), Rate("2026-01-02", "USD", 0.25)])
    assert convert(100, "USD", DAY, rates, "EUR") == 25
