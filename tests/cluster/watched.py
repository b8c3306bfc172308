"""The exchange of builds on the cluster, seen by a test: which worker did which step, and one step held."""

from __future__ import annotations

import importlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from percorso.engines.exchange import Exchange, Flow, Piece, Step
from tests.cluster.processes import wait_for
from tests.cluster.standalone import Standalone

__all__ = ["SCAN", "WRITE", "Watch", "WatchedExchange"]

#: Steps by their names in the code.
SCAN = "scan_parts.<locals>.scan"
RESOLVE = "GroupSteps.resolve"
WRITE = "BucketSteps.write"

#: Nothing is held longer.
_HELD_S = 90


@dataclass
class Watch:
    """What is known of steps: in files, since those who write it down work elsewhere.

    Parameters
    ----------
    folder : Path
    held : str
        Name of the step whose tasks wait for `release`.
    is_late : bool
        They wait where the first file that they have written would get its name, not before they begin.
    """

    folder: Path
    held: str = ""
    is_late: bool = False

    def hold(self, step: str, *, is_late: bool = False) -> None:
        """Every task of this step waits, until `release`."""
        (self.folder / "go").unlink(missing_ok=True)
        for file in self.folder.glob("*.begun"):
            file.unlink()
        self.held, self.is_late = step, is_late

    def begun(self, n: int = 1) -> list[Path]:
        """Where held tasks work, once there are so many."""

        def found() -> list[Path]:
            places = [Path(text) for path in self.folder.glob("*.begun") if (text := path.read_text())]
            return places if len(places) >= n else []

        return wait_for(f"{n} held tasks", found)

    def release(self) -> None:
        self.held = ""
        (self.folder / "go").touch()

    def tasks(self, step: str = "") -> Counter[Path]:
        """Tasks begun, by the folder that they worked in."""
        file = self.folder / "tasks"
        lines = file.read_text().splitlines() if file.exists() else []
        return Counter(Path(place) for name, _, place in (line.partition(" ") for line in lines) if step in ("", name))

    def by_worker(self, cluster: Standalone) -> Counter[str]:
        found: Counter[str] = Counter()
        for place, n in self.tasks().items():
            found[place.relative_to(cluster.folder.resolve()).parts[0]] += n
        return found

    def beginning(self, work: Callable[..., object]) -> Callable[[], None]:
        """What a task does first. It travels as code: workers cannot import this file."""
        folder, name = self.folder, getattr(work, "__qualname__", "")
        is_held, is_late, most_s = name == self.held, self.is_late, _HELD_S

        def wait() -> None:
            (folder / f"{os.getpid()}.begun").write_text(str(Path.cwd()))
            deadline = time.monotonic() + most_s
            while not (folder / "go").exists() and time.monotonic() < deadline:
                time.sleep(0.05)

        def begin() -> None:
            with open(folder / "tasks", "a") as stream:
                stream.write(f"{name} {Path.cwd()}\n")
            if is_held and not is_late:
                wait()
            if is_held and is_late:
                log_files: Any = importlib.import_module("percorso.store.log_files")
                publish = log_files.publish

                def waiting(*told: object) -> None:
                    wait()
                    log_files.publish = publish
                    publish(*told)

                log_files.publish = waiting

        return begin


@dataclass
class WatchedFlow:
    flow: Flow
    watch: Watch

    def only(self, *kinds: str) -> Flow:
        return WatchedFlow(self.flow.only(*kinds), self.watch)

    def beside(self, *others: Flow) -> Flow:
        return WatchedFlow(self.flow.beside(*(other.flow for other in others)), self.watch)  # type: ignore[attr-defined]

    def step(self, work: Step, *, n_parts: int | None = None) -> Flow:
        begin = self.watch.beginning(work)

        def watched(part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
            begin()
            yield from work(part, pieces)

        return WatchedFlow(self.flow.step(watched, n_parts=n_parts), self.watch)

    def kept(self) -> Flow:
        return WatchedFlow(self.flow.kept(), self.watch)

    def release(self) -> None:
        self.flow.release()

    def read(self) -> list[Piece]:
        return self.flow.read()


@dataclass
class WatchedExchange:
    """An exchange, and who watches it."""

    exchange: Exchange
    watch: Watch

    @property
    def n_parts(self) -> int:
        return self.exchange.n_parts

    def start(self, n_tasks: int, work: Callable[[int], Iterator[Piece]]) -> Flow:
        begin = self.watch.beginning(work)

        def watched(number: int) -> Iterator[Piece]:
            begin()
            yield from work(number)

        return WatchedFlow(self.exchange.start(n_tasks, watched), self.watch)
