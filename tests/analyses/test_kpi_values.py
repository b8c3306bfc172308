"""From sums to values: intervals against their twins and published numbers, differences, recovery of planted values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from percorso.analyses.jackknife import N_GROUPS, t_975
from percorso.analyses.kpi_facts import KpiSums
from percorso.analyses.kpi_terms import How, Kpi
from percorso.analyses.kpi_values import difference_of, estimate_of
from percorso.analyses.survival import CENSORED, HAPPENED, N_KINDS, OTHERWISE
from percorso.analyses.tallies import tally
from percorso.kernels.arrays import I64
from tests.naive import kpis as naive


def kpi(how: How, **more: object) -> Kpi:
    return Kpi("one", "business", "ratio", "up", how, "top", "bottom", missing="no_orders", **more)  # type: ignore[arg-type]


def sums(**of: I64) -> KpiSums:
    return KpiSums({name: value.reshape(1, N_GROUPS) for name, value in of.items()})


def spread(*values: int) -> I64:
    found = np.zeros(N_GROUPS, np.int64)
    found[: len(values)] = values
    return found


def test_nps_of_the_textbook() -> None:
    """n = 200, 100 promoters, 60 passive, 40 detractors: 30; with three answers added [18.8, 40.3], Rocks (2016)."""
    found = sums(top=spread(60), bottom=spread(200), also=spread(140))
    one = estimate_of(kpi("score", also="also"), found, 0)
    assert (one.value, one.n) == (30.0, 200)
    assert one.low == pytest.approx(18.82, abs=0.005)
    assert one.high == pytest.approx(40.3, abs=0.05)


def test_csat_of_the_textbook() -> None:
    """160 of 200: Wilson [73.91 %, 84.95 %]."""
    one = estimate_of(kpi("share"), sums(top=spread(160), bottom=spread(200)), 0)
    assert one.low is not None
    assert one.high is not None
    assert (round(100 * one.low, 2), round(100 * one.high, 2)) == (73.91, 84.95)


def test_the_difference_of_ratios_is_the_plain_jackknife() -> None:
    rng = np.random.default_rng(3)
    tops, bottoms = rng.integers(1, 9, (2, N_GROUPS)), rng.integers(5, 20, (2, N_GROUPS))
    now, before = (sums(top=top, bottom=bottom) for top, bottom in zip(tops, bottoms, strict=True))
    one = kpi("ratio")
    change = difference_of(one, (now, before), 0, (estimate_of(one, now, 0), estimate_of(one, before, 0)))
    thetas = [
        (tops[0].sum() - tops[0][g]) / (bottoms[0].sum() - bottoms[0][g])
        - (tops[1].sum() - tops[1][g]) / (bottoms[1].sum() - bottoms[1][g])
        for g in range(N_GROUPS)
    ]
    mean = sum(thetas) / N_GROUPS
    half = t_975(255) * math.sqrt((N_GROUPS - 1) / N_GROUPS * sum((theta - mean) ** 2 for theta in thetas))
    assert change is not None
    assert change.low == pytest.approx(change.value - half)
    alone = estimate_of(one, now, 0)
    assert alone.value is not None
    assert alone.high == pytest.approx(
        alone.value + t_975(255) * naive.jackknife(tops[0].tolist(), bottoms[0].tolist())
    )


def test_persons_in_both_periods_are_paired() -> None:
    """The same persons spend the same twice: there is no difference, and no doubt about it."""
    rng = np.random.default_rng(4)
    found = sums(top=rng.integers(1, 900, N_GROUPS), bottom=rng.integers(5, 20, N_GROUPS))
    one = kpi("ratio")
    estimate = estimate_of(one, found, 0)
    change = difference_of(one, (found, found), 0, (estimate, estimate))
    assert change is not None
    assert change.value == 0
    total = kpi("total")
    same = difference_of(total, (found, found), 0, (estimate_of(total, found, 0), estimate_of(total, found, 0)))
    assert same is not None
    assert same.value == 0


def test_the_interval_of_a_difference_of_totals_covers_it_nineteen_times_in_twenty() -> None:
    """Recovery: each of many persons orders by chance at two rates; the true difference is 0.2 of them."""
    rng = np.random.default_rng(5)
    one, covered = kpi("total"), 0
    for _ in range(400):
        group = rng.integers(0, N_GROUPS, 2000)
        founds = []
        for rate in (0.5, 0.3):
            top = np.zeros(N_GROUPS, np.int64)
            np.add.at(top, group, rng.poisson(rate, 2000))
            founds.append(sums(top=top, bottom=top))
        now, before = founds
        change = difference_of(one, (now, before), 0, (estimate_of(one, now, 0), estimate_of(one, before, 0)))
        assert change is not None
        assert change.low is not None
        assert change.high is not None
        covered += change.low <= 400 <= change.high
    assert 0.91 <= covered / 400 <= 0.985


def test_nothing_is_made_up() -> None:
    for how in ("total", "share", "ratio", "score", "median", "converted", "within"):
        one = estimate_of(kpi(how, also="also"), KpiSums(), 0)
        assert (one.value, one.n, one.reason) == (None, 0, "no_orders")


def test_conversion_is_the_plain_share_where_nothing_is_open() -> None:
    kinds = np.array([HAPPENED] * 3 + [OTHERWISE] * 7)
    old = {"old": spread(1).reshape(1, N_GROUPS)}
    closed = KpiSums(old, {"top": ((0, tally(np.arange(10) * N_KINDS + kinds)),)})
    one = estimate_of(kpi("converted", also="old"), closed, 0)
    assert (one.value, one.method, one.n) == (0.3, "Wilson", 10)
    kinds[5] = CENSORED
    opened = KpiSums(old, {"top": ((0, tally(np.arange(10) * N_KINDS + kinds)),)})
    assert estimate_of(kpi("converted", also="old"), opened, 0).method == "Aalen-Johansen"


def test_what_is_too_young_is_not_told() -> None:
    """51 spans, one of which was watched to its end: that one does not stand for the others."""
    spans = ((0, tally(np.r_[100 * N_KINDS + HAPPENED, np.full(50, CENSORED)])),)
    for how in ("converted", "within"):
        one = kpi(how, also="old", days=100)
        for n_old, is_told in ((1, False), (29, False), (30, True)):
            told = estimate_of(one, KpiSums({"old": spread(n_old).reshape(1, N_GROUPS)}, {"top": spans}), 0)
            assert (told.value is not None, told.n) == (is_told, 51)
            assert told.reason == ("" if is_told else "too_young")


def test_shares_stay_between_none_and_all() -> None:
    """One receipt of three is most of the revenue: the jackknife alone would reach beyond all of it."""
    share = Kpi("one", "business", "share", "up", "ratio", "top", "bottom", missing="no_orders")
    one = estimate_of(share, sums(top=spread(9_000, 0, 0), bottom=spread(9_000, 100, 200)), 0)
    assert one.low is not None
    assert one.high is not None
    assert one.value is not None
    assert 0 <= one.low < one.value < one.high <= 1
    whole = estimate_of(share, sums(top=spread(5, 5, 5), bottom=spread(5, 5, 5)), 0)
    assert (whole.value, whole.high) == (1.0, 1.0)
    assert whole.low == pytest.approx(0.4385, abs=1e-4)
    margin = estimate_of(share, sums(top=spread(-5, 50), bottom=spread(100, 100)), 0)
    assert margin.low is not None
    assert margin.low < 0


def test_ratings_that_are_all_alike_leave_a_doubt() -> None:
    """Three persons, five stars each: Wilson's [0.4385, 1] of the way from one star to five."""
    stars = Kpi("one", "advocacy", "ratio", "up", "ratio", "top", "bottom", missing="no_orders", scale=10, ends=(1, 5))
    one = estimate_of(stars, sums(top=spread(50, 50, 50), bottom=spread(1, 1, 1)), 0)
    assert (one.value, one.high) == (5.0, 5.0)
    assert one.low == pytest.approx(1 + 4 * 0.4385, abs=1e-3)
    apart = estimate_of(stars, sums(top=spread(50, 50, 40), bottom=spread(1, 1, 1)), 0)
    assert apart.high == 5.0


def test_a_bill_is_no_estimate() -> None:
    """Cost per acquisition: the interval comes of the customers alone, and is that of their number, turned round."""
    found = sums(top=spread(100_000), bottom=np.full(N_GROUPS, 4))
    one = estimate_of(kpi("cost"), found, 0, 100.0)
    assert one.value == pytest.approx(1000 / 1024)
    assert one.low is not None
    assert one.high is not None
    assert one.value is not None
    assert one.low <= one.value <= one.high
    assert one.high - one.low < 1e-9  # every group has as many
