"""Numbers and dates as people of each language read them."""

from __future__ import annotations

import datetime
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.language.measures import COUNT, DURATION, NUMBER, POINTS, SHARE, Measure, money
from percorso.language.numbers import MISSING, Numbers

EN, IT = Numbers("en"), Numbers("it")
EUR = money("EUR")


def plain(text: str) -> str:
    """No-break blanks as blanks, for reading."""
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("value", "en", "it"),
    [(0, "0", "0"), (1234567, "1,234,567", "1.234.567"), (-1234, "−1,234", "−1.234"), (2.5, "2", "2"), (3.5, "4", "4")],
)
def test_counts_are_rounded_half_even(value: float, en: str, it: str) -> None:
    assert (EN.count(value), IT.count(value)) == (en, it)


@pytest.mark.parametrize(
    ("ratio", "en", "it"),
    [
        (0.1234, "12.3 %", "12,3 %"),
        (0.0, "0.0 %", "0,0 %"),
        (1.0, "100.0 %", "100,0 %"),
        (0.0001, "< 0.1 %", "< 0,1 %"),
        (0.99999, "> 99.9 %", "> 99,9 %"),
        (-0.05, "−5.0 %", "−5,0 %"),
    ],
)
def test_shares_that_are_not_nothing_or_all_never_read_so(ratio: float, en: str, it: str) -> None:
    assert (plain(EN.share(ratio)), plain(IT.share(ratio))) == (en, it)


def test_money() -> None:
    assert plain(IT.money(123456, "EUR")) == "1.234,56 €"
    assert EN.money(123456, "EUR") == "€1,234.56"
    assert plain(IT.money(-5, "GBP")) == "−0,05 £"
    assert plain(EN.money(-1200, "CHF")) == "−CHF 12.00"
    assert plain(EN.money(1200, "JPY", 0)) == "JPY 1,200"


@pytest.mark.parametrize(
    ("seconds", "en", "it"),
    [
        (0, "0s", "0s"),
        (1.5, "1.5s", "1,5s"),
        (59.7, "1m", "1m"),
        (90, "1m 30s", "1m 30s"),
        (3599.9, "1h", "1h"),
        (273_600, "3d 4h", "3g 4h"),
        (400 * 86_400, "400d", "400g"),
        (-90, "−1m 30s", "−1m 30s"),
    ],
)
def test_durations(seconds: float, en: str, it: str) -> None:
    assert (plain(EN.duration(seconds)), plain(IT.duration(seconds))) == (en, it)


@pytest.mark.parametrize(
    ("value", "en", "it"),
    [
        (950, "950", "950"),
        (9_999, "9,999", "9.999"),
        (12_345, "12.3k", "12,3 mila"),
        (999_960, "1M", "1 M"),
        (1_200_000, "1.2M", "1,2 M"),
        (-45_000_000_000, "−45bn", "−45 mld"),
        (0.125, "0.125", "0,125"),
    ],
)
def test_compact_numbers(value: float, en: str, it: str) -> None:
    assert (plain(EN.compact(value)), plain(IT.compact(value))) == (en, it)


def test_values_by_measure() -> None:
    assert plain(IT.show(0.5, SHARE)) == "50,0 %"
    assert plain(IT.signed(0.012, SHARE.difference)) == "+1,2 punti"
    assert plain(EN.signed(-0.012, POINTS)) == "−1.2 points"
    assert IT.show(1234.56, NUMBER) == "1.234,6"
    assert plain(IT.brief(4_123_456_700, EUR)) == "41,2 M €"
    assert plain(IT.brief(123_456, EUR)) == "1.235 €"
    assert plain(IT.brief(6412, EUR)) == "64,12 €"
    assert {IT.show(None, COUNT), IT.brief(math.nan, SHARE), EN.show(math.inf, EUR)} == {MISSING}


def test_intervals() -> None:
    assert plain(IT.interval(0.123, 0.11, 0.138, SHARE)) == "12,3 % (11,0–13,8)"
    assert plain(EN.interval(0.123, None, None, SHARE)) == "12.3 %"
    assert plain(IT.interval(None, 0.1, 0.2, SHARE)) == MISSING
    assert plain(IT.range(-0.02, 0.013, POINTS)) == "−2,0 a 1,3"
    assert plain(EN.range(100, 200, EUR)) == "1.00–2.00"


def test_a_change_and_its_interval_read_alike() -> None:
    def told(value: float | None, low: float | None, high: float | None, measure: Measure) -> tuple[str, ...]:
        return tuple(plain(text) for text in IT.change(value, low, high, measure))

    assert told(-4_510_012, -6_160_414, -2_859_586, measure=EUR) == ("−45.100 €", "−61.604 a −28.596")
    assert told(154, -731, 1_040, measure=EUR) == ("+1,54 €", "−7,31 a 10,40")
    assert told(99_999, 1, 100_000, measure=EUR) == ("+1.000 €", "0–1.000")
    assert told(18_000, 17_383, 18_543, measure=COUNT) == ("+18.000", "17.383–18.543")
    assert told(0.0004, 0.0003, 0.0006, measure=POINTS) == ("+0,04 punti", "0,03–0,06")
    assert told(0.0, -0.1, 0.1, measure=POINTS) == ("0,0 punti", "−10,0 a 10,0")
    assert told(None, None, None, measure=EUR) == (MISSING, "")
    assert told(0.5, None, None, measure=NUMBER) == ("+0,5", "")


def test_a_change_is_clear_only_where_its_interval_reads_so() -> None:
    assert IT.is_clear(-0.007, -0.013, -0.001, POINTS)
    assert not IT.is_clear(-0.007, -0.013, -0.0001, POINTS)  # "−1,3 a 0,0"
    assert not IT.is_clear(99_999, 1, 100_000, EUR)  # "0–1.000"
    assert not IT.is_clear(0.1, -0.1, 0.3, POINTS)
    assert not IT.is_clear(0.1, None, None, POINTS)


def test_ticks_share_unit_and_decimals() -> None:
    assert [plain(tick) for tick in IT.ticks((0, 0.05, 0.1), SHARE)] == ["0 %", "5 %", "10 %"]
    assert [plain(tick) for tick in IT.ticks((0, 0.005, 0.01), SHARE)] == ["0,0 %", "0,5 %", "1,0 %"]
    assert [plain(tick) for tick in IT.ticks((0, 10_000, 20_000), COUNT)] == ["0", "10 mila", "20 mila"]
    assert [plain(tick) for tick in EN.ticks((0, 500_000_000, 1_000_000_000), EUR)] == ["€0", "€5M", "€10M"]
    assert [plain(tick) for tick in IT.ticks((0, 1_800, 3_600), DURATION)] == ["0", "30m", "1h"]


def test_dates() -> None:
    first, last = datetime.date(2024, 3, 1), datetime.date(2024, 3, 31)
    moment = datetime.datetime(2024, 3, 1, 9, 5, tzinfo=datetime.UTC)
    shown = {
        "1 marzo 2024": IT.day(first),
        "1 Mar": EN.day(first, short=True),
        "marzo 2024": IT.month(first),
        "mar 24": IT.month(first, short=True),
        "1–31 marzo 2024": IT.period(first, last),
        "1 marzo – 2 aprile 2024": IT.period(first, datetime.date(2024, 4, 2)),
        "1 marzo 2024 – 2 gennaio 2025": IT.period(first, datetime.date(2025, 1, 2)),
        "1 March 2024": EN.period(first, first),
        "1 March 2024, 09:05": EN.moment(moment),
    }
    assert [plain(text) for text in shown.values()] == list(shown)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_every_number_reads(value: float) -> None:
    for measure in (COUNT, NUMBER, SHARE, EUR, DURATION):
        for numbers in (EN, IT):
            for text in (
                numbers.show(value, measure),
                numbers.brief(value, measure),
                *numbers.ticks((value,), measure),
            ):
                assert text
                assert " " not in text  # only no-break blanks
                assert "e" not in text.lower() or measure.kind == "money"


@given(st.integers(-(10**15), 10**15))
def test_italian_and_english_differ_in_marks_alone(value: int) -> None:
    assert EN.count(value).replace(",", ".") == IT.count(value)
    assert int(EN.count(value).replace(",", "").replace("−", "-")) == value
