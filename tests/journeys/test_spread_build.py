"""A build on a cluster gives the bytes of one on one machine: at once, and upon what the build before left."""

from __future__ import annotations

import random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from percorso.journeys.spread import build as builder
from percorso.journeys.spread.build import build_on_cluster
from percorso.journeys.work import BuildInput
from percorso.settings import BuildSettings, Settings
from percorso.store.journey_log import JourneyLog, open_log, swap_manifest
from tests.engines.exchanges import RandomExchange
from tests.journeys.histories import STEPS, take_step
from tests.journeys.random_events import RULES, of_others, one, settings_of
from tests.journeys.worlds import SECRET, World, digests
from tests.lake_builder import event


def built_on_cluster(world: World, folder: Path, before: JourneyLog | None, seed: int) -> tuple[JourneyLog, int]:
    """The log of a world's files; and how many events were built anew."""
    (folder / "log").mkdir(parents=True, exist_ok=True)
    work = BuildInput(
        files=sorted(world.files, key=lambda file: (file.source, str(file.path))),
        settings=world.settings,
        decisions=world.folded(),
        secret=SECRET,
        log=folder / "log",
        state=folder / "state",
        scratch=folder / "tmp",
        memory_bytes=1 << 30,
        before=before,
    )
    rng = random.Random(seed)
    built = build_on_cluster(work, RandomExchange(rng.choice([1, 3, 37]), rng), lambda phase, done, total: None)
    swap_manifest(folder / "log", built.manifest)
    log = open_log(folder / "log")
    assert log is not None
    return log, built.events_built


def same_as_on_one_machine(world: World, log: JourneyLog) -> list[str]:
    """Files that differ from those of a full build of this process."""
    mine = digests(replace(log, manifest={key: value for key, value in log.manifest.items() if key != "traces"}))
    theirs = world.digests_anew()
    return [key for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "PART_ROWS", 7)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("bits", [0, 3])
def test_everything_at_once(memory: Path, bits: int) -> None:
    """Eight buckets for four persons: some are empty."""
    for seed in range(6):
        with tempfile.TemporaryDirectory(dir=memory) as name:
            rules = replace_build(settings_of(RULES), bucket_bits=bits, heavy_person_events=4)
            world, rng = World(Path(name), rules), random.Random(seed)
            world.add([one(rng) for _ in range(60)])
            for step in rng.sample(sorted(STEPS), 6):
                if step != "change_rules":
                    take_step(world, step, seed)
            log, built = built_on_cluster(world, Path(name) / "cluster", None, seed)
            assert same_as_on_one_machine(world, log) == []
            assert built == int(log.manifest["n_events"])


def test_rows_of_a_file_all_become_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its task has nothing left to place, and what it placed before leaves the log."""
    monkeypatch.setattr(builder, "PART_ROWS", 1)
    monkeypatch.setattr(builder, "_MOST_TOUCHED", 2.0)
    world = World(tmp_path, settings_of(RULES))
    at = {"received_at": "2024-04-01T10:00:00"}
    world.add([event("2024-03-31", "Page Viewed", message_id="m", user_id="u1", **at)])
    world.add([event("2024-03-01", "Page Viewed", message_id="n", user_id="u2")])
    log, _ = built_on_cluster(world, tmp_path / "cluster", None, 1)
    at = {"received_at": "2024-03-31T23:00:00"}
    world.add([event("2024-03-31", "Product Viewed", message_id="m", user_id="u3", **at)])
    log, built = built_on_cluster(world, tmp_path / "cluster", log, 2)
    assert (same_as_on_one_machine(world, log), built) == ([], 1)


def replace_build(settings: Any, **changes: Any) -> Any:
    return type(settings)(build=BuildSettings(**changes), identity=settings.identity)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("number", range(2))
def test_every_step_upon_the_one_before(memory: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "_MOST_TOUCHED", 2.0)
    merged = later = 0
    for seed in range(number * 8, number * 8 + 8):
        rng = random.Random(seed)
        steps = [(rng.choice(sorted(STEPS)), rng.randrange(10**6)) for _ in range(rng.randint(3, 7))]
        with tempfile.TemporaryDirectory(dir=memory) as name:
            world = World(Path(name), settings_of(RULES))
            log: JourneyLog | None = None
            rules: Settings | None = None
            world.add([of_others(random.Random(one_of)) for one_of in range(20)])
            for step in steps:
                take_step(world, *step)
                before = log if rules == world.settings else None
                log, built = built_on_cluster(world, Path(name) / "cluster", before, seed)
                later, merged = later + 1, merged + (built < int(log.manifest["n_events"]))
                rules = world.settings
                assert same_as_on_one_machine(world, log) == [], (seed, step)
    assert merged > 0.6 * later
