"""How far Spark is with a question, as one line of the terminal that goes when it has answered."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from percorso.engines.task_counts import tasks_told
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

    def tell(done: int, total: int) -> None:
        nonlocal shown
        if total or shown:
            sys.stderr.write(_CLEAR + (words().text("build.on_spark", done=done, total=total) if total else ""))
            sys.stderr.flush()
            shown = total > 0

    if not sys.stderr.isatty():
        yield
        return
    with tasks_told(tell):
        yield
