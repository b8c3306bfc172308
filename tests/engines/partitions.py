"""An engine for tests that takes every liberty that a cluster takes: see `RandomPartitions`.

With `guard_buckets` a question that reads a bucket outside a task fails: on a cluster the driver opens none.
"""

from __future__ import annotations

import contextlib
import io
import random
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, TypeVar

import cloudpickle
import numpy as np
import pyarrow as pa
import pytest

from percorso.engines import buckets as asking
from percorso.store.cold import Cold
from percorso.store.journey_log import Bucket, JourneyLog, Table

__all__ = ["RandomPartitions", "guard_buckets", "in_partitions"]

P = TypeVar("P")

_TASKS = threading.local()

#: Where questions are asked; what has a log in hand there is the driver's.
_DRIVER = ("percorso.analyses.", "percorso.services.", "percorso.reports.", "percorso.maps.", "percorso.cli.")

#: What is of one person reads its bucket; SQL reads the files themselves; a build is another matter.
_READS = (
    "percorso.analyses.customer",
    "percorso.services.build",
    "percorso.services.customer",
    "percorso.services.erasure",
    "percorso.services.identity_",
    "percorso.services.person_",
    "percorso.services.sql",
)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
    """Refuses what would carry events with it."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, JourneyLog | Bucket | Table | Cold):
            raise AssertionError(f"a {type(value).__name__} would be sent to or from a task")
        return super().reducer_override(value)


def _sent(value: Any) -> Any:
    """The value on the other side."""
    return cloudpickle.loads(_pickled(value))


def _pickled(value: Any) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream).dump(value)
    return stream.getvalue()


@dataclass
class RandomPartitions:
    """Deals buckets out at random and hands answers on in random order; tasks and answers are pickled, as on a cluster.

    A task sees buckets that were opened for it alone, so whatever it kept from elsewhere is of no use to it.
    """

    rng: random.Random = field(default_factory=lambda: random.Random(7))
    runs: int = 0
    #: Bytes of the largest answer, by the function of an analysis that asked for it.
    received: dict[str, int] = field(default_factory=dict)

    def run(self, buckets: Sequence[Bucket], task: Callable[[Sequence[Bucket]], P]) -> Iterator[P]:
        asker = _asker()
        self.runs += 1
        for part in self._dealt(buckets):
            yield self._answered(asker, _worked_out(_sent(task), part))

    def exchange(
        self,
        buckets: Sequence[Bucket],
        task: Callable[[Sequence[Bucket]], pa.Table],
        by: str,
        join: Callable[[pa.Table], P],
    ) -> Iterator[P]:
        """Rows of a part come in random order."""
        asker = _asker()
        self.runs += 1
        rows = pa.concat_tables([_sent(_worked_out(_sent(task), part)) for part in self._dealt(buckets)])
        n_parts = self.rng.randrange(1, 5)
        part_of = rows[by].to_numpy() % n_parts
        for part in self.rng.sample(range(n_parts), n_parts):
            mine = np.flatnonzero(part_of == part).tolist()
            if mine:
                yield self._answered(asker, _sent(join)(rows.take(self.rng.sample(mine, len(mine)))))

    def _dealt(self, buckets: Sequence[Bucket]) -> Iterator[list[Bucket]]:
        mixed = self.rng.sample(list(buckets), len(buckets))
        cuts = sorted(self.rng.sample(range(1, len(mixed)), self.rng.randrange(len(mixed))))
        for start, end in zip([0, *cuts], [*cuts, len(mixed)], strict=True):
            yield [Bucket(one.folder, one.meta, Cold(one.folder, one.texts.files)) for one in mixed[start:end]]

    def _answered(self, asker: str, answer: P) -> P:
        """The answer on this side."""
        sent = _pickled(answer)
        self.received[asker] = max(self.received.get(asker, 0), len(sent))
        found: P = cloudpickle.loads(sent)
        return found


def _asker() -> str:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not str(frame.f_globals.get("__name__")).startswith(_DRIVER):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_globals['__name__']}.{frame.f_code.co_name}"


def _worked_out(task: Callable[[Sequence[Bucket]], P], part: Sequence[Bucket]) -> P:
    _TASKS.is_running = True
    try:
        return task(part)
    finally:
        _TASKS.is_running = False


@contextlib.contextmanager
def in_partitions() -> Iterator[RandomPartitions]:
    """Within it all questions are worked out in random partitions, and none opens a bucket on the driver."""
    chosen = RandomPartitions()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "engine_of", lambda log: chosen)
        guard_buckets(patch)
        yield chosen


def guard_buckets(patch: pytest.MonkeyPatch) -> None:
    """Let a question fail that opens a bucket's table on the driver.

    The driver is told by its having the log: a function of the package that has one in hand, and calls for a table,
    outside of a task. Tests read buckets as they like.
    """
    table = Bucket.table

    def guarded(self: Bucket, name: str) -> Table:
        asker = None if getattr(_TASKS, "is_running", False) else _driver_function()
        if asker:
            raise AssertionError(f"{asker} opens the table {name} of a bucket on the driver")
        return table(self, name)

    patch.setattr(Bucket, "table", guarded)


def _driver_function() -> str:
    """The innermost function on the way here that has a log in hand; "" where none has, or one that may read."""
    frame, found = sys._getframe(1), ""
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module.startswith(_READS):
            return ""
        if not found and module.startswith(_DRIVER) and _has_log(frame.f_locals.values()):
            found = f"{module}.{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return found


def _has_log(values: Iterable[Any]) -> bool:
    return any(isinstance(value, JourneyLog) for value in values)
