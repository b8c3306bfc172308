"""Engines on which every analysis is tested, and small shops that are built once for all tests of a worker."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from percorso.store.journey_log import JourneyLog
from tests.analyses.contact_logs import build_shop, plain_log, random_rows
from tests.engines.partitions import RandomPartitions, in_partitions
from tests.naive.channels import Log


@pytest.fixture(scope="module", params=["local", "partitions"], autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[RandomPartitions | None]:
    """Questions are worked out in this process, and again in an engine that takes a cluster's liberties.

    There no question opens a bucket outside a task.
    """
    if request.param == "local":
        yield None
        return
    with in_partitions() as chosen:
        yield chosen


@pytest.fixture(scope="session")
def shops(memory: Path) -> Callable[[int], tuple[JourneyLog, Log]]:
    """The log of a shop by its number, below N_SHOPS, and the same as the plain twins take it."""

    @functools.cache
    def shop(number: int) -> tuple[JourneyLog, Log]:
        rows = random_rows(number, most=20 + 20 * number) if number else []
        log = build_shop(memory / "shops" / str(number), rows)
        return log, plain_log(log)

    return shop
