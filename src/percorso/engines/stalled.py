"""Does anybody still work for us? Without a worker Spark waits for one for ever, and says so in its log alone."""

from __future__ import annotations

import time
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from percorso.engines.task_counts import counted, tell_tasks
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
    with counted(session) as counts:
        seen = time.monotonic()
        try:
            while not _is_done(future):
                now = counts()
                if now is None or now.running:  # a session that does not tell is believed to work
                    seen = time.monotonic()
                elif time.monotonic() - seen > wait_us / 1e6:
                    message = said("errors.engine_no_worker", master=_master_of(session), wait=duration_text(wait_us))
                    raise EngineError(message, hint=said("errors.engine_no_worker_hint"))
                if now is not None:
                    tell_tasks(now)
        finally:
            tell_tasks(None)
    return future.result()


def _is_done(future: Future[Any]) -> bool:
    """Within a moment: it is waited for."""
    return bool(wait([future], _LOOK_EVERY_S).done)


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
