"""Count the builds that merge, for tests: tiny worlds would mostly be built anew, and prove nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from percorso.journeys import build as builder
from percorso.journeys import write_buckets
from percorso.journeys.increment import Mismatch

__all__ = ["Builds", "counted_builds"]


@dataclass
class Builds:
    """How often a build that had a log to build upon, of the same rules or not, did so."""

    merged: int = 0
    later: int = 0


@contextmanager
def counted_builds(*, always_merge: bool) -> Iterator[Builds]:
    """Count builds that merge; on demand also those merge that would find beginning anew cheaper.

    A build that gives up merging fails here, since a full one mends whatever was wrong.
    """
    count = Builds()

    def merging(*arguments: Any, whole: Callable[..., Any] = write_buckets.touched_buckets) -> Any:
        try:
            entries = whole(*arguments)
        except Mismatch as error:
            raise AssertionError("state and log do not fit together") from error
        count.merged += 1
        return entries

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "touched_buckets", merging)
        if always_merge:
            patch.setattr(builder, "_MOST_TOUCHED", 2.0)
            patch.setattr(builder, "_MOST_DEAD", 5.0)
        yield count
