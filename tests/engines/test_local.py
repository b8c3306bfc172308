"""Tasks over buckets: in order, in threads, cancelled on errors."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from percorso.engines.buckets import map_buckets
from percorso.engines.local import default_threads
from percorso.store.journey_log import Bucket, JourneyLog
from tests.log_builder import Row, build_test_log


@pytest.fixture
def log(tmp_path: Path) -> JourneyLog:
    return build_test_log(tmp_path, [Row(person="p", time=0, event="A")], n_buckets=16)


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_in_the_order_of_buckets(log: JourneyLog, threads: int | None) -> None:
    assert list(map_buckets(log, lambda bucket: bucket.index, threads=threads)) == list(range(16))


def test_the_error_of_a_task_is_raised_and_the_rest_cancelled(log: JourneyLog) -> None:
    begun: list[int] = []
    hold = threading.Event()

    def task(bucket: Bucket) -> None:
        begun.append(bucket.index)
        if bucket.index == 0:
            raise ValueError("no")
        hold.wait(0.05)

    with pytest.raises(ValueError, match="no"):
        list(map_buckets(log, task, threads=2))
    assert len(begun) < 16


def test_at_least_one_thread() -> None:
    assert default_threads() >= 1
