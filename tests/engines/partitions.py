"""An engine for tests that takes every liberty that a cluster takes: see `RandomPartitions`."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import cloudpickle

from percorso.store.cold import Cold
from percorso.store.journey_log import Bucket, JourneyLog, Table

__all__ = ["RandomPartitions"]

P = TypeVar("P")


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
    """Refuses what would carry events with it."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, JourneyLog | Bucket | Table | Cold):
            raise AssertionError(f"a {type(value).__name__} would be sent to or from a task")
        return super().reducer_override(value)


def _sent(value: Any) -> Any:
    """The value on the other side."""
    stream = io.BytesIO()
    _Pickler(stream).dump(value)
    return cloudpickle.loads(stream.getvalue())


@dataclass
class RandomPartitions:
    """Deals buckets out at random and hands answers on in random order; tasks and answers are pickled, as on a cluster.

    A task sees buckets that were opened for it alone, so whatever it kept from elsewhere is of no use to it.
    """

    rng: random.Random = field(default_factory=lambda: random.Random(7))
    runs: int = 0

    def run(self, buckets: Sequence[Bucket], task: Callable[[Sequence[Bucket]], P]) -> Iterator[P]:
        self.runs += 1
        mixed = self.rng.sample(list(buckets), len(buckets))
        cuts = sorted(self.rng.sample(range(1, len(mixed)), self.rng.randrange(len(mixed))))
        for start, end in zip([0, *cuts], [*cuts, len(mixed)], strict=True):
            part = [Bucket(one.folder, one.meta, Cold(one.folder, one.texts.files)) for one in mixed[start:end]]
            yield _sent(_sent(task)(part))
