"""A real cluster answers as this process does: every analysis, and the persons behind cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from percorso.services.build import fresh_log
from percorso.store.journey_log import JourneyLog
from tests.cluster.counted import Counted
from tests.cluster.questions import PEOPLE, QUESTIONS, check_equal, people_of
from tests.cluster.standalone import Standalone
from tests.log_builder import HOUR, Row, build_test_log
from tests.real_data import Real


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_analysis(far: Counted, shop: JourneyLog, name: str) -> None:
    check_equal(QUESTIONS[name](replace(shop, engine=far)), QUESTIONS[name](shop))


@pytest.mark.parametrize("name", PEOPLE)
def test_persons_behind_cells(far: Counted, shop: JourneyLog, name: str) -> None:
    here = people_of(name, shop)
    assert here.num_rows
    assert people_of(name, replace(shop, engine=far)).equals(here)


@pytest.mark.parametrize("name", ["funnel", "flow", "variants"])
def test_many_buckets_one_of_them_empty(far: Counted, tmp_path: Path, name: str) -> None:
    names = ("Product Viewed", "Product Viewed", "Product Added", "Order Completed")
    rows = [
        Row(person=f"p{one % 37}", time=one * HOUR, event=names[one % 4], coded={"place": ("site", "store")[one % 2]})
        for one in range(400)
    ]
    log = build_test_log(tmp_path, rows, n_buckets=64)
    assert any(not bucket.n_events for bucket in log.buckets)
    check_equal(QUESTIONS[name](replace(log, engine=far)), QUESTIONS[name](log))


@pytest.mark.parametrize("name", ["flow", "journeys", "stages", "quality"])
def test_a_real_data_set(far: Counted, real: Real, name: str) -> None:
    log = fresh_log(real("receipt").workspace)
    check_equal(QUESTIONS[name](replace(log, engine=far)), QUESTIONS[name](log))


def test_workers_have_the_archive_and_nothing_of_the_repository(
    far: Counted, cluster: Standalone, shop: JourneyLog
) -> None:
    """They import Percorso from their own folder; of the repository's, Spark itself alone is on their path."""

    def seen(buckets: object) -> tuple[str, str, list[str]]:
        import sys  # here, since workers cannot import this file

        import percorso

        return sys.prefix, percorso.__path__[0], sys.path

    root = Path(__file__).resolve().parents[2]
    for prefix, package, path in far.run(shop.buckets, seen):
        assert root not in Path(prefix).parents
        assert cluster.folder.resolve() in Path(package).resolve().parents
        outside = [Path(part) for part in path if part and cluster.home not in Path(part).parents]
        assert not [part for part in outside if root in part.parents]


def test_both_workers_work(
    far: Counted, shop: JourneyLog, counts: dict[str, int], record_property: Callable[[str, object], None]
) -> None:
    """Last of the file, so that it tells of all."""
    QUESTIONS["funnel"](replace(shop, engine=far))
    told = ", ".join(f"{worker} {n}" for worker, n in sorted(counts.items()))
    record_property("told", f"Tasks on the cluster's workers: {told}.")
    assert set(counts) == {"one", "two"}
    assert all(counts.values()), told
