"""Periods with an event of each person, against plain Python: also events on the very edge of a period."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.kernels.activity import active_periods


@given(
    st.lists(st.lists(st.tuples(st.integers(-2, 14), st.booleans()), max_size=8), max_size=4),
    st.lists(st.integers(0, 12), min_size=2, max_size=6),
    st.booleans(),
)
@settings(max_examples=300)
def test_active_periods_equal_the_plain_ones(
    persons: list[list[tuple[int, bool]]], edges: list[int], every: bool
) -> None:
    starts = sorted(edges)
    rows = [(p, t, kept) for p, mine in enumerate(persons) for t, kept in sorted(mine)]
    offsets = np.cumsum([0, *(len(mine) for mine in persons)]).astype(np.int64)
    time = np.array([t for _, t, _ in rows], np.int64)
    keep = np.array([] if every else [kept for *_, kept in rows], np.uint8)
    out = [np.empty(len(rows), np.int32) for _ in range(4)]
    n = active_periods(offsets, time, keep, np.array(starts, np.int64), *out)
    expected: dict[tuple[int, int], list[int]] = {}
    for row, (p, t, kept) in enumerate(rows):
        if (kept or every) and starts[0] <= t < starts[-1]:
            period = max(k for k, start in enumerate(starts) if start <= t)
            expected.setdefault((p, period), []).append(row)
    found = list(zip(*(column[:n].tolist() for column in out), strict=True))
    assert found == [(*key, mine[0], mine[-1]) for key, mine in sorted(expected.items())]
