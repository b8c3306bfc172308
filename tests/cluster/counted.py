"""An engine that notes which worker did each task, and one whose tasks wait until a test has done its worst."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from percorso.engines.buckets import ExchangeEngine
from percorso.store.journey_log import Bucket, BucketEngine
from tests.cluster.processes import wait_for

__all__ = ["Counted", "Held"]

P = TypeVar("P")


@dataclass
class Counted:
    """Counts the tasks of each worker: a task works in a folder of its worker's, which it tells with its answer."""

    engine: BucketEngine
    cluster: Path
    counts: dict[str, int]

    def run(self, buckets: Sequence[Bucket], task: Callable[[Sequence[Bucket]], P]) -> Iterator[P]:
        def told(part: Sequence[Bucket]) -> tuple[str, P]:
            return str(Path.cwd()), task(part)

        yield from self._counted(self.engine.run(buckets, told))

    def exchange(
        self,
        buckets: Sequence[Bucket],
        task: Callable[[Sequence[Bucket]], pa.Table],
        by: str,
        join: Callable[[pa.Table], P],
    ) -> Iterator[P]:
        """Counts the tasks that join."""

        def told(rows: pa.Table) -> tuple[str, P]:
            return str(Path.cwd()), join(rows)

        assert isinstance(self.engine, ExchangeEngine)
        yield from self._counted(self.engine.exchange(buckets, task, by, told))

    def _counted(self, answers: Iterable[tuple[str, P]]) -> Iterator[P]:
        for place, answer in answers:
            worker = Path(place).relative_to(self.cluster.resolve()).parts[0]
            self.counts[worker] = self.counts.get(worker, 0) + 1
            yield answer


@dataclass
class Held:
    """Tasks say that they have begun, and go on once `release` was called: what happens between, happens to all."""

    engine: BucketEngine
    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)

    def run(self, buckets: Sequence[Bucket], task: Callable[[Sequence[Bucket]], P]) -> Iterator[P]:
        folder = self.folder

        def held(part: Sequence[Bucket]) -> P:
            (folder / f"{os.getpid()}.begun").write_text(str(Path.cwd()))
            deadline = time.monotonic() + 60
            while not (folder / "go").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            return task(part)

        yield from self.engine.run(buckets, held)

    def begun(self, n: int) -> list[Path]:
        """Where tasks work, once there are so many of them."""

        def found() -> list[Path]:
            places = [Path(text) for path in self.folder.glob("*.begun") if (text := path.read_text())]
            return places if len(places) >= n else []

        return wait_for(f"{n} tasks", found)

    def release(self) -> None:
        (self.folder / "go").touch()
