"""Does anybody still work for us? Without a worker Spark waits for one for ever, and says so in its log alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any, TypeVar

from percorso.errors import EngineError
from percorso.language.said import said
from percorso.settings.durations import duration_text

__all__ = ["WAIT_KEY", "outcome_of"]

P = TypeVar("P")

#: Setting of a session: after how long without a task in any worker's hands to give up, in microseconds.
WAIT_KEY = "spark.percorso.wait"

_WAIT_US = 120_000_000
_LOOK_EVERY_S = 1.0


def outcome_of(session: Any, future: Future[P]) -> P:
    """What somebody else in this process waits for Spark to answer.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
    future : Future
        Of the thread that waits.

    Raises
    ------
    EngineError
        No worker has had a task in its hands for as long as `WAIT_KEY` says.
    """
    if _is_done(future):  # most answers are there at once, and nobody need look
        return future.result()
    wait_us = _wait_us_of(session)
    with _looked_at(session) as work:
        seen = time.monotonic()
        while not _is_done(future):
            if work.is_under_way():
                seen = time.monotonic()
            elif time.monotonic() - seen > wait_us / 1e6:
                message = said("errors.engine_no_worker", master=_master_of(session), wait=duration_text(wait_us))
                raise EngineError(message, hint=said("errors.engine_no_worker_hint"))
    return future.result()


def _is_done(future: Future[Any]) -> bool:
    """Within a moment: it is waited for."""
    return bool(wait([future], _LOOK_EVERY_S).done)


@dataclass
class _Work:
    """Tasks of a session that workers have in hand."""

    session: Any
    told: list[int] = field(default_factory=list)

    def is_under_way(self) -> bool:
        """A session that does not tell is believed to work."""
        try:
            if self.told:
                return self.told[-1] > 0
            tracker = self.session.sparkContext.statusTracker()  # Spark Connect has none, and tells of itself
            stages = [tracker.getStageInfo(number) for number in tracker.getActiveStageIds()]
        except Exception:
            return True
        return any(stage is not None and stage.numActiveTasks > 0 for stage in stages)

    def note(self, stages: Any, inflight_tasks: int, operation_id: str | None = None, done: bool = False) -> None:
        """As Spark Connect calls it every two seconds."""
        self.told[:] = [inflight_tasks]


@contextlib.contextmanager
def _looked_at(session: Any) -> Iterator[_Work]:
    work = _Work(session)
    listens = getattr(session, "registerProgressHandler", None) if ".connect." in type(session).__module__ else None
    if listens is not None:
        listens(work.note)
    try:
        yield work
    finally:
        if listens is not None:
            with contextlib.suppress(Exception):
                session.removeProgressHandler(work.note)


def _wait_us_of(session: Any) -> int:
    try:
        return int(session.conf.get(WAIT_KEY, str(_WAIT_US)))
    except Exception:  # a session that is over says so where its answer is waited for
        return _WAIT_US


def _master_of(session: Any) -> str:
    try:
        return str(session.conf.get("spark.master", "")).partition(";")[0]
    except Exception:
        return "Spark"
