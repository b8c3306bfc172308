"""What passes over the buckets share is kept within a limit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from percorso.analyses.kept import Kept
from percorso.store.journey_log import Bucket


@pytest.mark.parametrize(("limit", "made"), [(0, 6), (10, 5), (25, 4), (30, 3)])
def test_as_many_are_kept_as_the_limit_allows(limit: int, made: int) -> None:
    """Three buckets of 10 bytes, asked twice."""
    calls: list[int] = []

    def make(bucket: Bucket) -> str:
        calls.append(bucket.index)
        return f"of {bucket.index}"

    kept = Kept(make, lambda _: 10, limit)
    buckets: list[Any] = [SimpleNamespace(index=index) for index in range(3)]
    for _ in range(2):
        assert [kept(bucket) for bucket in buckets] == ["of 0", "of 1", "of 2"]
    assert len(calls) == made
