"""How far Spark is with a question, as one line of the terminal that goes when it has answered."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from percorso.engines.task_counts import STARTING, TaskCounts, tasks_told
from percorso.language.words import Words

__all__ = ["task_line"]

_CLEAR = "\r\x1b[2K"


@contextlib.contextmanager
def task_line(words: Callable[[], Words]) -> Iterator[None]:
    """For the length of the block stderr says how many tasks are done, where it is a terminal.

    Parameters
    ----------
    words : callable
        Asked for the words when there is something to say.
    """
    shown = False

    def tell(counts: TaskCounts | None) -> bool:
        nonlocal shown
        line = _line(counts, words)
        if line or shown:
            sys.stderr.write(_CLEAR + line)
            sys.stderr.flush()
            shown = bool(line)
        return True

    if not sys.stderr.isatty():
        yield
        return
    with tasks_told(tell):
        yield


def _line(counts: TaskCounts | None, words: Callable[[], Words]) -> str:
    if counts is STARTING:
        return words().text("build.spark_starts")
    if counts is None or not counts.total:
        return ""
    return words().text("build.on_spark", done=counts.done, total=counts.total)
