from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.kernels import quantiles
from percorso.kernels.quantiles import Round, advance, observe, start_round
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
