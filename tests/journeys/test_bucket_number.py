"""The number of buckets follows the number of events, and nothing else: in steps or at once the log is the same."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from pathlib import Path

import pytest

from percorso.journeys import numbering
from percorso.journeys.numbering import bucket_bits
from percorso.settings.kinds import MOST_BUCKET_BITS
from tests.journeys.histories import STEPS, take_step
from tests.journeys.merging import Builds, counted_builds
from tests.journeys.random_events import RULES, of_others, settings_of
from tests.journeys.worlds import World, digests

SEEDS = range(8)


@pytest.mark.parametrize(
    ("n_events", "buckets"),
    [(0, 8), (1, 8), (12_000_000, 8), (12_000_001, 16), (20_000_000, 16), (24_000_001, 32), (10**11, 4096)],
)
def test_a_bucket_has_a_million_and_a_half_events_at_most(n_events: int, buckets: int) -> None:
    assert 2 ** bucket_bits(None, n_events) == buckets
    assert n_events <= 1_500_000 * buckets or bucket_bits(None, n_events) == MOST_BUCKET_BITS


@pytest.mark.parametrize("chosen", [0, 6, 12])
def test_a_number_that_was_chosen_holds_at_any_size(chosen: int) -> None:
    assert {bucket_bits(chosen, n_events) for n_events in (0, 10**6, 10**12)} == {chosen}


def test_histories_across_numbers_of_buckets_give_the_bytes_of_a_full_build(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a bucket had 24 events at most: logs grow over the edge and shrink below it again."""
    monkeypatch.setattr(numbering, "_MOST_EVENTS", 24)
    monkeypatch.setattr(numbering, "_FEWEST_BITS", 0)
    changes: list[int] = []
    with counted_builds(always_merge=True) as count:
        for seed in SEEDS:
            changes += _changes(memory / f"numbers-{seed}", random.Random(seed), count)
    print(f"{len(changes)} builds, {changes.count(1)} grew, {sum(one < 0 for one in changes)} shrank", count)
    assert changes.count(1) >= len(SEEDS) / 2
    assert sum(one < 0 for one in changes) >= 2
    assert count.merged > 0.5 * changes.count(0)  # in a folder of its own every build is made anew


def _changes(folder: Path, rng: random.Random, count: Builds) -> list[int]:
    """How many more bits the number of buckets has after each step of a history."""
    rules = settings_of(RULES)
    world = World(folder, replace(rules, build=replace(rules.build, bucket_bits=None)))
    world.add([of_others(rng) for _ in range(20)])
    bits = [world.build()[0].bucket_bits]
    for _ in range(6):
        grows = rng.random() < 0.5
        if grows:
            world.add([of_others(rng) for _ in range(rng.randint(1, 20))])
        else:
            kept = rng.random()
            world.drop(lambda row, kept=kept: rng.random() > kept)
        take_step(world, rng.choice([name for name in STEPS if name != "change_rules"]), rng.randrange(10**6))
        log, _ = world.build()
        assert digests(log) == world.digests_anew()
        bits.append(log.bucket_bits)
    return [now - was for was, now in itertools.pairwise(bits)]
