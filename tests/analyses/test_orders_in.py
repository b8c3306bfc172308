"""Orders and their worth: conversion to the last digit, what is in by scope, and the totals that answers show."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.basis import Basis
from percorso.analyses.intervals import wilson
from percorso.analyses.jackknife import N_GROUPS, ratio_interval, share_interval, sum_by_group, t_975
from percorso.analyses.worth import amounts_column, missing_rate_warnings, worth_of
from percorso.kernels.arrays import I64
from percorso.language.said import again, said
from percorso.language.words import Words
from percorso.money import RateTable, convert
from percorso.settings import Rate

IT = Words("it")
DAY_US = 86_400_000_000
FIRST = datetime.date(2026, 1, 1).toordinal() - datetime.date(1970, 1, 1).toordinal()
RATES = RateTable.of(
    [Rate("2026-01-01", "USD", 0.92), Rate("2026-01-09", "USD", 0.9137), Rate("2026-01-01", "JPY", 0.0061)]
)
BASIS = Basis(currency="EUR", rates=RATES, timezone="Europe/Rome")


@given(
    st.lists(
        st.tuples(
            st.integers(-(10**9), 10**12), st.sampled_from((0, 1, 2, 3)), st.integers(0, 20), st.integers(0, DAY_US - 1)
        ),
        max_size=30,
    )
)
def test_worth_is_what_each_amount_converts_to(orders: list[tuple[int, int, int, int]]) -> None:
    currencies = ("", "EUR", "JPY", "USD")
    value, code, day, of_day = (np.array([order[i] for order in orders], np.int64) for i in range(4))
    time = (FIRST + day) * DAY_US + of_day
    found = worth_of(value, currencies, code, time, BASIS)
    for n, (amount, at, _, _) in enumerate(orders):
        local = datetime.datetime.fromtimestamp(int(time[n]) / 1e6, datetime.UTC) + datetime.timedelta(hours=1)
        number = local.date().toordinal() - datetime.date(1970, 1, 1).toordinal()
        expected = convert(amount, currencies[at], number, RATES, "EUR") if at else None
        assert bool(found.known[n]) == (expected is not None)
        assert found.minor[n] == (expected or 0)


def test_ties_are_rounded_to_the_even_cent() -> None:
    basis = Basis(currency="EUR", rates=RateTable.of([Rate("2026-01-01", "USD", 0.5)]))
    time = np.full(4, FIRST * DAY_US, np.int64)
    found = worth_of(np.array([1, 3, 5, -1]), ("USD",), np.zeros(4, np.int64), time, basis)
    assert found.minor.tolist() == [0, 2, 2, 0]


def test_a_lacking_rate_is_told_with_currency_and_days() -> None:
    time = (FIRST + np.array([0, 30, 30, 31])) * DAY_US
    found = worth_of(np.full(4, 100), ("USD",), np.zeros(4, np.int64), time, BASIS)
    assert found.known.tolist() == [True, False, False, False]
    (sentence,) = missing_rate_warnings(found.missing, BASIS)
    assert sentence.startswith("3 orders in USD have no value: there is no rate to EUR for 2 of their days.")
    one = worth_of(np.full(1, 100), ("CHF",), np.zeros(1, np.int64), time[1:2], BASIS)
    assert missing_rate_warnings((*one.missing, *found.missing), BASIS) == (
        "1 order in CHF has no value: there is no rate to EUR for its day.",
        f"{sentence.partition('. ')[0]}. Add [[rates]] to percorso.toml.",
    )


def test_amounts_are_exact_decimals() -> None:
    column = amounts_column(np.array([1250, 0]), "EUR", np.array([True, False]))
    assert column.to_pylist() == [Decimal("12.50"), None]


@pytest.mark.parametrize(
    ("df", "quantile"),
    [
        (1, 12.706),
        (2, 4.303),
        (4, 2.776),
        (5, 2.571),
        (10, 2.228),
        (30, 2.042),
        (60, 2.000),
        (100, 1.984),
        (1000, 1.962),
    ],
)
def test_students_quantile_is_the_printed_one(df: int, quantile: float) -> None:
    """NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975."""
    assert t_975(df) == pytest.approx(quantile, abs=8e-4)


def test_the_interval_of_a_ratio_covers_it_nineteen_times_in_twenty() -> None:
    """Recovery: persons with 1 to 4 visits, each with a purchase at 30 %; the interval holds 0.3 in about 95 %."""
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        visits = rng.integers(1, 5, 3000)
        bought = rng.binomial(visits, 0.3)
        group = rng.integers(0, N_GROUPS, 3000).astype(np.uint8)
        interval = ratio_interval(sum_by_group(group, bought), sum_by_group(group, visits))
        assert interval is not None
        covered += interval[0] <= 0.3 <= interval[1]
    assert 0.92 <= covered / 400 <= 0.98


def test_the_interval_does_not_depend_on_scale_and_needs_two_groups() -> None:
    hits, n = np.zeros(N_GROUPS, np.int64), np.zeros(N_GROUPS, np.int64)
    assert ratio_interval(hits, n) is None
    hits[3], n[3] = 1, 4
    assert ratio_interval(hits, n) is None
    hits[9], n[9] = 2, 5
    one, ten = ratio_interval(hits, n), ratio_interval(10 * hits, n)
    assert one is not None
    assert ten == pytest.approx([10 * limit for limit in one])


def test_the_interval_of_a_share_covers_it_and_stays_inside() -> None:
    """Recovery: persons with 1 to 4 moves, each a change at 95 %; those of one person go together."""
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(400):
        moves = rng.integers(1, 5, 60)
        changes = rng.binomial(moves, rng.beta(9.5, 0.5, 60))
        group = rng.integers(0, N_GROUPS, 60).astype(np.uint8)
        interval = share_interval(sum_by_group(group, changes), sum_by_group(group, moves))
        assert interval is not None
        assert 0 <= interval[0] <= interval[1] <= 1
        covered += interval[0] <= 0.95 <= interval[1]
    assert 0.91 <= covered / 400 <= 0.99


def _of_groups(*sums: int) -> I64:
    return np.array([*sums, *[0] * (N_GROUPS - len(sums))], np.int64)


def test_the_interval_of_a_share_by_hand() -> None:
    """Groups with 11 of 12 and 12 of 13: without either 12/13 and 11/12, each 1/312 from their mean; so the error is
    √(1/2 · 2/312²) = 1/312, and half the width 12.7062 times that, the quantile of one degree of freedom."""
    hits, of = _of_groups(11, 12), _of_groups(12, 13)
    middle, half = np.log(23 / 2), 12.7062 / 312 / (23 / 25 * 2 / 25)
    low, high = share_interval(hits, of) or (0.0, 0.0)
    assert low == pytest.approx(1 / (1 + np.exp(half - middle)), rel=1e-5)
    assert high == pytest.approx(1 / (1 + np.exp(-half - middle)), rel=1e-5)


def test_the_interval_of_all_none_or_alike_is_wilsons_of_the_groups() -> None:
    of = _of_groups(4, 9, 2)
    assert share_interval(of, of) == wilson(3, 3)
    assert share_interval(_of_groups(), of) == wilson(0, 3)
    assert share_interval(_of_groups(2, 1), _of_groups(4, 2)) == wilson(1, 2)
    assert share_interval(_of_groups(3), _of_groups(4)) is None
    assert share_interval(_of_groups(), _of_groups()) is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=20))
def test_the_interval_of_a_share_holds_it(pairs: list[tuple[int, int]]) -> None:
    hits, of = _of_groups(*(min(pair) for pair in pairs)), _of_groups(*(max(pair) for pair in pairs))
    interval = share_interval(hits, of)
    assert (interval is None) == (int((of > 0).sum()) < 2)
    if interval is not None:
        assert 0 <= interval[0] <= hits.sum() / of.sum() + 1e-12
        assert hits.sum() / of.sum() - 1e-12 <= interval[1] <= 1
        assert interval[1] - interval[0] > 1e-6


def test_one_order_without_value_is_one() -> None:
    one, two = (said("warnings.valueless", n=n) for n in (1, 2))
    assert one == "1 order came without a value: it counts as an order, and adds nothing to value."
    assert two == "2 orders came without a value: they count as orders, and add nothing to value."
    assert again(one, IT) == "Un ordine è senza valore: conta come ordine e non aggiunge valore."
    assert again(two, IT) == "Ordini senza valore: 2. Contano come ordini e non aggiungono valore."
