"""Simulate Legnocorda: all its customers, in blocks that processes share, into the files that its tools export.

Equal options write equal bytes, whatever the number of processes: a block depends on the seed and its own number
alone, and rows of all blocks are merged in order of time.
"""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files as package_files
from multiprocessing import get_context
from pathlib import Path

from percorso.demo.block import BLOCK_CUSTOMERS, BlockPlan, play
from percorso.demo.days import Period
from percorso.demo.files import FILES
from percorso.demo.spool import WEEK, Spooled, merge_week, number_receipts, spool
from percorso.demo.truth import BlockTruth, block_truth, write_truth
from percorso.demo.world import write_ad_costs, write_catalogue, write_stock

__all__ = ["SPOOL_FOLDER", "Simulated", "Written", "simulate"]

SPOOL_FOLDER = ".spool"

#: Called with the share done, 0 to 1.
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written: `rows` are messages or events of it, not lines."""

    path: Path
    rows: int

    @property
    def n_bytes(self) -> int:
        return self.path.stat().st_size


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was written, and how long it took.

    Attributes
    ----------
    files : tuple of Written
        In the order in which they are imported.
    truth : Path
    seconds : float
    """

    files: tuple[Written, ...]
    truth: Path
    seconds: float

    @property
    def events(self) -> int:
        """Rows of all files that are events."""
        event_files = {file.name for file in FILES.values()}
        return sum(written.rows for written in self.files if written.path.name in event_files)


@dataclass(frozen=True, slots=True)
class _Played:
    """What a block hands over: its rows lie in the spool."""

    spooled: Spooled
    truth: BlockTruth
    ad_clicks: Counter[tuple[int, str]]


def simulate(
    folder: Path,
    *,
    customers: int,
    seed: int = 7,
    months: int = 13,
    processes: int | None = None,
    progress: Progress = lambda done: None,
) -> Simulated:
    """Write the shop's exports, their mappings and the truth into `folder`.

    Parameters
    ----------
    folder : Path
        Made where missing; files of the same names are replaced.
    customers : int
        At least 1; 38,000 is the full shop. Passing visitors, robots and receipts of nobody come in proportion.
    seed : int
    months : int
        From September 2024 on, 1 to 24.
    processes : int, optional
        Default: one for each core. It does not matter to what is written.
    progress : callable
    """
    begun = time.monotonic()
    spool_folder = folder / SPOOL_FOLDER
    shutil.rmtree(spool_folder, ignore_errors=True)
    spool_folder.mkdir(parents=True)
    plans = _plans(customers, seed, months)
    with _workers(min(processes or os.cpu_count() or 1, len(plans))) as workers:
        played = _play_all(workers, plans, spool_folder, lambda done: progress(0.75 * done))
        written = _merge_all(workers, folder, Period(months), [each.spooled for each in played], progress)
    shutil.rmtree(spool_folder)
    scale = customers / 38_000
    clicks: Counter[tuple[int, str]] = Counter()
    for each in played:
        clicks.update(each.ad_clicks)
    period = Period(months)
    written += [
        Written(*write_ad_costs(folder, period, clicks, scale)),
        Written(*write_catalogue(folder)),
        Written(*write_stock(folder, period, seed)),
    ]
    truth = write_truth(folder / "truth.json", [each.truth for each in played], period, scale)
    _copy_mappings(folder / "mappings")
    return Simulated(tuple(written), truth, time.monotonic() - begun)


def _plans(customers: int, seed: int, months: int) -> list[BlockPlan]:
    return [
        BlockPlan(seed, block, first, min(BLOCK_CUSTOMERS, customers - first), months)
        for block, first in enumerate(range(0, customers, BLOCK_CUSTOMERS))
    ]


@contextmanager
def _workers(processes: int) -> Iterator[Executor | None]:
    """A pool of processes; None where this one does it alone."""
    if processes <= 1:
        yield None
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield pool


def _play_all(workers: Executor | None, plans: Sequence[BlockPlan], folder: Path, progress: Progress) -> list[_Played]:
    """Play all blocks, in their order."""
    if workers is None:
        done = []
        for plan in plans:
            done.append(_play_block(plan, folder))
            progress(len(done) / len(plans))
        return done
    futures = [workers.submit(_play_block, plan, folder) for plan in plans]
    for count, _ in enumerate(as_completed(futures), 1):
        progress(count / len(plans))
    return [future.result() for future in futures]


def _play_block(plan: BlockPlan, folder: Path) -> _Played:
    with _uncollected():
        scene, people = play(plan)
        spooled = spool(folder / f"{plan.block}.bin", scene.rows, scene.period.end)
        return _Played(spooled, block_truth(scene, people), scene.ad_clicks)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection: a block makes a hundred thousand rows and no cycles; looking for some took a third."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _merge_all(
    workers: Executor | None, folder: Path, period: Period, spooled: list[Spooled], progress: Progress
) -> list[Written]:
    """Merge the blocks' rows into the files, week by week."""
    weeks = -(-period.end // WEEK)
    counts: Counter[str] = Counter()
    jobs: list[tuple[str, Callable[[], int]]] = []
    for name, file in FILES.items():
        path = folder / file.name
        header = f"{file.header}\r\n".encode(file.encoding) if file.header else b""
        path.write_bytes(header)
        if name != "till":
            jobs += [(name, job) for job in _week_jobs(path, name, len(header), weeks, spooled)]
    if workers is None:
        for count, (name, job) in enumerate(jobs, 1):
            counts[name] += job()
            progress(0.75 + 0.25 * count / len(jobs))
    else:
        futures: dict[Future[int], str] = {workers.submit(job): name for name, job in jobs}
        for count, future in enumerate(as_completed(futures), 1):
            counts[futures[future]] += future.result()
            progress(0.75 + 0.25 * count / len(jobs))
    counts["till"] = number_receipts(folder / FILES["till"].name, weeks, spooled)
    return [Written(folder / file.name, counts[name]) for name, file in FILES.items()]


def _week_jobs(path: Path, name: str, offset: int, weeks: int, spooled: list[Spooled]) -> Iterator[Callable[[], int]]:
    for week in range(weeks):
        parts = [
            Spooled(block.path, {(name, week): piece})
            for block in spooled
            if (piece := block.pieces.get((name, week))) is not None
        ]
        if parts:
            yield partial(merge_week, path, name, week, offset, parts)
            offset += sum(piece.n_bytes for part in parts for piece in part.pieces.values())


def _copy_mappings(folder: Path) -> None:
    """The mapping files and settings that a user would write."""
    folder.mkdir(exist_ok=True)
    for entry in sorted(package_files("percorso.demo").joinpath("mappings").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            (folder / entry.name).write_bytes(entry.read_bytes())
