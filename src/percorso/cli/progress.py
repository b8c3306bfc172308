"""Progress of builds, and the journey log that a question needs, built first where it is stale.

All of it goes to stderr: stdout carries answers alone. Bars are for terminals; elsewhere, as in a log file, one
sentence says what is going on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from percorso.cli.texts import local_text
from percorso.engines.task_counts import STARTING, TaskCounts, tasks_told
from percorso.journeys.progress import Progress as BuildProgress
from percorso.language.words import ENGLISH, Words
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from percorso.time import zone_of

if TYPE_CHECKING:
    from percorso.store.journey_log import JourneyLog

__all__ = ["RowsPerSecond", "build_progress", "ready_log"]


class RowsPerSecond(ProgressColumn):
    """Speed of a task that counts rows."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(self._told(speed) if speed else "", style="progress.data.speed")

    def _told(self, speed: float) -> str:
        return self._words.text("build.rows_a_second", n=round(speed))


class _PhaseBars:
    """One bar a phase; a phase is over when the next one begins."""

    def __init__(self, bars: Progress, words: Words) -> None:
        self._bars, self._words = bars, words
        self._tasks: dict[str, TaskID] = {}

    def tell(self, phase: str, done: int, total: int) -> None:
        if phase not in self._tasks:
            self.finish()
            # Without a total the bar only says that something is going on: a phase that counts no rows.
            self._tasks[phase] = self._bars.add_task(self._words.name("phase", phase), total=None)
        if done:
            self._bars.update(self._tasks[phase], completed=done, total=max(done, total))

    def tell_tasks(self, counts: TaskCounts | None) -> bool:
        """Beside the phase's name, how many of a cluster's tasks are done; of a phase there are several rounds."""
        if not self._tasks:
            return False
        phase, task = list(self._tasks.items())[-1]
        about = ""
        if counts is STARTING:
            about = f" ({self._words.text('build.starting')})"
        elif counts is not None and counts.total:
            about = f" ({self._words.text('build.tasks', done=counts.done, total=counts.total)})"
        self._bars.update(task, description=self._words.name("phase", phase) + about)
        return True

    def finish(self) -> None:
        for task in self._bars.tasks:
            if not task.finished:
                done = max(task.completed, 1)
                self._bars.update(task.id, completed=done, total=done)


@contextmanager
def build_progress(words: Words = ENGLISH, *, notice: str = "", transient: bool = False) -> Iterator[BuildProgress]:
    """What to hand to a build as its `progress`, for the length of the block.

    Parameters
    ----------
    words : Words
        Of the language that phases are named in.
    notice : str
        Said once, when the build begins; without a build nothing is said.
    transient : bool
        Bars vanish at the end, for builds that are not what the user asked for.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        RowsPerSecond(words),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    bars = Progress(*columns, console=console, transient=transient, disable=not sys.stderr.isatty())
    phases = _PhaseBars(bars, words)
    begun = False

    def tell(phase: str, done: int, total: int) -> None:
        nonlocal begun
        if not begun:
            begun = True
            if notice:
                typer.echo(notice, err=True)
            bars.start()
        phases.tell(phase, done, total)

    try:
        with tasks_told(phases.tell_tasks):
            yield tell
        phases.finish()
    finally:
        if begun:
            bars.stop()


def ready_log(workspace: Workspace, words: Words = ENGLISH) -> JourneyLog:
    """The journey log for a question. A missing or stale one is built first, and stderr says so.

    Raises
    ------
    NothingImported
        There are no events yet.
    """

    def say_busy(log: JourneyLog) -> None:
        as_of = local_text(log.as_of_us, zone_of("UTC"), words)
        typer.echo(words.text("build.answer_of_last", time=as_of), err=True)

    with build_progress(words, notice=words.text("build.first"), transient=True) as progress:
        return fresh_log(workspace, progress=progress, when_busy=say_busy)
