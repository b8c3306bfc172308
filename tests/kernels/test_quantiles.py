from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.quantiles import median_interval, summary_ranks
from percorso.kernels import quantiles
from percorso.kernels.quantiles import Round, advance, observe, start_ranks, start_round
from tests.naive.flow import nearest_rank

SHARES = ((1, 2), (9, 10))
VALUES = st.one_of(st.integers(0, 5), st.integers(0, 10**7), st.integers(0, 2**62), st.sampled_from((3_600_000_000,)))


def search(group: list[int], value: list[int], n_groups: int, parts: int) -> tuple[Round, int]:
    groups, values = np.array(group, np.int32), np.array(value, np.int64)
    step = start_round(np.bincount(groups[groups >= 0], minlength=n_groups).astype(np.int64), SHARES)
    passes = 0
    while not step.done:
        seen = [observe(step, groups[i::parts].copy(), values[i::parts].copy()) for i in range(parts)]
        step = advance(step, functools.reduce(lambda a, b: a.merge(b), seen))
        passes += 1
    return step, passes


@given(
    st.lists(st.tuples(st.integers(-1, 3), VALUES), max_size=200),
    st.sampled_from((0, 1, 5, 60, 1 << 22)),
    st.sampled_from((64, 1 << 10, 1 << 23)),
    st.integers(1, 3),
)
def test_quantiles_equal_the_plain_ones(pairs: list[tuple[int, int]], collect: int, bins: int, parts: int) -> None:
    """Whatever may be collected at once, however few bins there are, in however many parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "COLLECT_LIMIT", collect)
        patch.setattr(quantiles, "BIN_LIMIT", bins)
        step, _ = search([g for g, _ in pairs], [v for _, v in pairs], 4, parts)
    for g, row in enumerate(step.values().tolist()):
        mine = [v for h, v in pairs if h == g]
        assert row == [nearest_rank(mine, *share) if mine else -1 for share in SHARES]


def test_data_of_many_sizes_takes_two_passes() -> None:
    rng = np.random.default_rng(1)
    n = 400_000
    group = rng.integers(0, 30, n).astype(np.int32)
    value = np.exp(rng.normal(15, 4, n)).astype(np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "COLLECT_LIMIT", n // 5)
        step, passes = search(group.tolist(), value.tolist(), 30, 2)
    assert passes == 2
    for g, row in enumerate(step.values().tolist()):
        mine = np.sort(value[group == g])
        assert row == [mine[(len(mine) - 1) // 2], mine[-(-9 * len(mine) // 10) - 1]]


def test_equal_values_are_settled_without_collecting_them() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "COLLECT_LIMIT", 100)
        step, passes = search([0] * 5_000, [86_400_000_000] * 5_000, 1, 1)
    assert step.values().tolist() == [[86_400_000_000] * 2]
    assert passes <= 6


@given(st.lists(st.tuples(st.integers(0, 2), VALUES), min_size=1, max_size=120), st.data())
def test_any_ranks_can_be_asked_for(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    """In any order, the same twice; with little room too."""
    groups, values = np.array([g for g, _ in pairs], np.int32), np.array([v for _, v in pairs], np.int64)
    counts = np.bincount(groups, minlength=3).astype(np.int64)
    ranks = np.array([data.draw(st.tuples(*[st.integers(0, max(int(n) - 1, 0))] * 3)) for n in counts], np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "COLLECT_LIMIT", data.draw(st.sampled_from((0, 5, 1 << 20))))
        step = start_ranks(counts, ranks)
        while not step.done:
            step = advance(step, observe(step, groups, values))
    for g, row in enumerate(step.values().tolist()):
        mine = sorted(v for h, v in pairs if h == g)
        assert row == ([mine[rank] for rank in ranks[g]] if mine else [-1] * 3)


def test_ranks_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        start_ranks(np.array([2]), np.array([[0, 2]]))


def test_four_ranks_take_as_many_passes_as_two() -> None:
    rng = np.random.default_rng(2)
    n = 200_000
    group, value = rng.integers(0, 20, n).astype(np.int32), np.exp(rng.normal(15, 4, n)).astype(np.int64)
    counts = np.bincount(group).astype(np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "COLLECT_LIMIT", n // 5)
        step, passes = start_ranks(counts, summary_ranks(counts)), 0
        while not step.done:
            step, passes = advance(step, observe(step, group, value)), passes + 1
    assert passes == 2


#: n and the ranks, from 1, whose values hold the median with 95 % or more: Hahn and Meeker (1991), 5.2, or
#: any binomial table.
PUBLISHED = {6: (1, 6), 10: (2, 9), 15: (4, 12), 20: (6, 15), 25: (8, 18), 30: (10, 21), 50: (18, 33), 100: (40, 61)}


def test_intervals_of_medians_as_published() -> None:
    for n, (low, high) in PUBLISHED.items():
        assert median_interval(n) == (low - 1, high - 1)
    assert [median_interval(n) for n in range(6)] == [None] * 6


def test_the_normal_goes_on_where_the_binomial_ends() -> None:
    """Exact and approximate rank differ by one at most."""
    for n in (950, 999, 1_000):
        exact = median_interval(n)
        assert exact is not None
        assert abs(exact[0] + 1 - np.floor((n - 1.959964 * n**0.5) / 2 + 0.5)) <= 1
    assert median_interval(1_000_000) == (499_019, 500_980)
