"""How far Spark is: its tasks, counted while somebody waits, and told to whoever shows them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

__all__ = ["STARTING", "TaskCounts", "TasksTold", "counted", "is_connect", "tasks_told", "tell_tasks"]


class TaskCounts(NamedTuple):
    """Tasks of what a session is doing: in workers' hands, done, and all that are known of."""

    running: int
    done: int
    total: int


#: Spark is being started, or its workers are waited for.
STARTING = TaskCounts(0, 0, 0)

#: Called with what is known, and with None once nobody waits any more; says whether it shows it.
TasksTold: TypeAlias = Callable[[TaskCounts | None], bool]

_TOLD: list[TasksTold] = []


@contextlib.contextmanager
def tasks_told(told: TasksTold) -> Iterator[None]:
    """For the length of the block `told` hears of tasks first, and who did before of what it does not show."""
    _TOLD.append(told)
    try:
        yield
    finally:
        _TOLD.remove(told)


def tell_tasks(counts: TaskCounts | None) -> None:
    """Tell whoever shows them; None, which all hear: nobody waits any more."""
    for told in reversed(_TOLD):
        if told(counts) and counts is not None:
            return


@contextlib.contextmanager
def counted(session: Any) -> Iterator[Callable[[], TaskCounts | None]]:
    """What counts a session's tasks, for the length of the block; it says None where the session does not tell."""
    if not is_connect(session):
        yield lambda: _classic_counts(session)
        return
    latest: list[TaskCounts] = []

    def note(stages: Iterable[Any] | None, inflight_tasks: int, operation_id: str | None, done: bool) -> None:
        """As Spark Connect calls it every two seconds."""
        every = list(stages or ())
        total = sum(stage.num_tasks for stage in every)
        latest[:] = [TaskCounts(inflight_tasks, sum(stage.num_completed_tasks for stage in every), total)]

    session.registerProgressHandler(note)
    try:
        yield lambda: latest[-1] if latest else None
    finally:
        with contextlib.suppress(Exception):
            session.removeProgressHandler(note)


def is_connect(session: Any) -> bool:
    """Is it a session of Spark Connect? Such a one has no SparkContext to ask."""
    return ".connect." in type(session).__module__


def _classic_counts(session: Any) -> TaskCounts | None:
    try:
        tracker = session.sparkContext.statusTracker()  # counts alone; Spark Connect has none, and tells of itself
        jobs = [tracker.getJobInfo(number) for number in tracker.getActiveJobsIds()]
        stages = [tracker.getStageInfo(number) for job in jobs if job is not None for number in job.stageIds]
    except Exception:
        return None
    there = [stage for stage in stages if stage is not None]
    return TaskCounts(
        sum(stage.numActiveTasks for stage in there),
        sum(stage.numCompletedTasks for stage in there),
        sum(stage.numTasks for stage in there),
    )
