"""Survival against published tables, and against its plain twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.intervals import wilson
from percorso.analyses.survival import (
    CENSORED,
    HAPPENED,
    N_KINDS,
    OTHERWISE,
    Curve,
    curve_of,
    incidence_of,
    watched_enough,
)
from percorso.analyses.tallies import Tally, merge_tallies, tally, tally_pairs
from tests.naive import survival as naive

KINDS = {"happened": HAPPENED, "otherwise": OTHERWISE, "": CENSORED}

#: Weeks of remission of leukaemia patients on 6-MP, and whether it ended: Freireich et al. (1963), Blood 21, 699-716;
#: Kalbfleisch and Prentice (1980), The Statistical Analysis of Failure Time Data, table 1.1 there.
REMISSION = [*[(6, "happened")] * 3, (7, "happened"), (10, "happened"), (13, "happened"), (16, "happened")]
REMISSION += [(22, "happened"), (23, "happened")]
REMISSION += [(t, "") for t in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)]

#: Survival, its standard error, and the log(-log) interval, as Stata's `sts list` and R's `survfit` print them.
PUBLISHED = {
    6: (21, 0.8571, 0.0764, 0.6197, 0.9516),
    7: (17, 0.8067, 0.0869, 0.5631, 0.9228),
    10: (15, 0.7529, 0.0963, 0.5032, 0.8894),
    13: (12, 0.6902, 0.1068, 0.4316, 0.8491),
    16: (11, 0.6275, 0.1141, 0.3675, 0.8049),
    22: (7, 0.5378, 0.1282, 0.2678, 0.7468),
    23: (6, 0.4482, 0.1346, 0.1881, 0.6801),
}

#: 24 spans without ties, and Aalen-Johansen of lifelines 0.30.3 (AalenJohansenFitter) for what happened by each time.
TWO_WAYS = [(t, ("happened", "otherwise", "", "happened", "")[t * 7 % 5]) for t in range(1, 25)]
LIFELINES = {5: (0.090909, 0.061291), 10: (0.192513, 0.086864), 15: (0.311052, 0.107025), 20: (0.463458, 0.125297)}


def spans(each: list[naive.Span], width: int = 1000) -> Tally:
    assert all(time < width for time, _ in each)
    return tally(np.array([time * N_KINDS + KINDS[how] for time, how in each], np.int64))


def test_remission_as_published() -> None:
    curve = curve_of(spans(REMISSION))
    for time, expected in PUBLISHED.items():
        at = curve.time.tolist().index(time)
        found = (1 - curve.happened[at], curve.std_error[at], 1 - curve.high[at], 1 - curve.low[at])
        assert curve.at_risk[at] == expected[0]
        assert [round(float(one), 4) for one in found] == list(expected[1:])
    assert curve.quantile(0.5) == 23
    assert curve.quantile_interval(0.5) == (13, None)
    assert curve.by(35) == curve.by(23)
    assert curve.by(36) is None
    assert curve.by(5) == 0


def test_two_ways_of_ending_as_lifelines_has_them() -> None:
    curve = incidence_of(spans(TWO_WAYS))
    for time, expected in LIFELINES.items():
        at = curve.time.tolist().index(time)
        assert (round(float(curve.happened[at]), 6), round(float(curve.std_error[at]), 6)) == expected


def test_a_curve_that_ends_is_known_for_ever() -> None:
    curve = curve_of(spans([(1, "happened"), (2, ""), (3, "happened")]))
    assert curve.by(1000) == 1
    assert curve.interval_by(1000) is None


def test_before_the_first_time_the_interval_is_wilsons() -> None:
    curve = curve_of(spans([(5, "happened"), (9, ""), (9, "")]))
    assert curve.interval_by(4) == wilson(0, 3)
    assert curve_of(Tally()).by(1) is None


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(0, 10))
def test_enough_are_watched_as_the_plain_rule_says(ages: list[int], within: int) -> None:
    old = sum(age >= within for age in ages)
    assert watched_enough(len(ages), old) == naive.watched_enough(ages, within)


@pytest.mark.parametrize(
    ("n", "old", "enough"),
    [(0, 0, False), (1, 1, True), (29, 0, False), (29, 1, True), (30, 29, False), (30, 30, True), (51, 1, False)],
)
def test_thirty_are_enough_or_one_of_few(n: int, old: int, enough: bool) -> None:
    assert watched_enough(n, old) == enough


SPANS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(("happened", "otherwise", ""))), max_size=40)


@given(SPANS, st.integers(0, 13))
def test_curves_equal_the_plain_ones(each: list[naive.Span], time: int) -> None:
    plain = [(t, "" if how == "otherwise" else how) for t, how in each]
    for curve, expected in (
        (curve_of(spans(plain)), naive.kaplan_meier(plain, time)),
        (incidence_of(spans(each)), naive.incidence(each, time)),
    ):
        found = curve.by(time)
        watched = any(t >= time for t, _ in each) or curve.is_final
        assert (found is not None) == (bool(each) and watched)
        if found is not None:
            assert found == pytest.approx(expected, abs=1e-12)
            _holds(curve, time, found)


def _holds(curve: Curve, time: int, found: float) -> None:
    interval = curve.interval_by(time)
    if interval is not None:
        assert 0 <= interval[0] <= found + 1e-9
        assert found - 1e-9 <= interval[1] <= 1


@given(st.lists(st.tuples(st.integers(0, 12), st.sampled_from(("happened", "otherwise"))), min_size=1, max_size=40))
def test_with_nobody_censored_it_is_the_plain_share(each: list[naive.Span]) -> None:
    curve = incidence_of(spans(each))
    n, hits = len(each), sum(how == "happened" for _, how in each)
    assert curve.happened[-1] == pytest.approx(hits / n)
    # Squares: the root of what rounding leaves of nothing is no longer small.
    assert curve.std_error[-1] ** 2 == pytest.approx(hits / n * (1 - hits / n) / n, abs=1e-14)


def test_the_interval_covers_a_planted_share() -> None:
    """Exponential times of mean 20, watched for uniform spans: by 10 it has happened to 1 - exp(-1/2)."""
    rng = np.random.default_rng(7)
    hits, rounds, truth = 0, 200, 1 - math.exp(-0.5)
    for _ in range(rounds):
        event, watched = rng.exponential(20_000, 150).astype(np.int64), rng.integers(2_000, 40_000, 150)
        key = np.minimum(event, watched) * N_KINDS + np.where(event <= watched, HAPPENED, CENSORED)
        low, high = curve_of(tally(key)).interval_by(10_000) or (0, 0)
        hits += low <= truth <= high
    assert 0.90 <= hits / rounds <= 0.99


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=60), st.integers(1, 3))
def test_tallies_count_and_merge(pairs: list[tuple[int, int]], parts: int) -> None:
    cell, value = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    whole = tally_pairs(cell, value.astype(np.int32), 100)
    merged = merge_tallies(tally(cell[i::parts] * 100 + value[i::parts]) for i in range(parts))
    expected = {key: sum(c * 100 + v == key for c, v in pairs) for key in {c * 100 + v for c, v in pairs}}
    for found in (whole, merged):
        assert dict(zip(found.keys.tolist(), found.counts.tolist(), strict=True)) == expected
    assert whole.of(100, 200).total == sum(c == 1 for c, _ in pairs)
    every = sorted(c * 100 + v for c, v in pairs)
    assert [whole.ranked(rank) for rank in range(len(every))] == every
