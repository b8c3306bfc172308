"""Read ahead in a thread, so that decoding one batch and working on the one before it overlap."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["prefetch"]

T = TypeVar("T")


def prefetch(items: Iterable[T], *, depth: int = 2) -> Iterator[T]:
    """The same items in the same order, produced in a thread of their own.

    Parameters
    ----------
    items : iterable
        Consumed in the thread; its errors are raised here.
    depth : int
        How many items may wait.
    """
    waiting: queue.Queue[tuple[str, T | BaseException | None]] = queue.Queue(depth)
    stopped = threading.Event()

    def offer(kind: str, value: T | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                waiting.put((kind, value), timeout=0.1)
                return
            except queue.Full:
                continue

    def produce() -> None:
        try:
            for item in items:
                offer("item", item)
                if stopped.is_set():
                    return
        except BaseException as error:  # handed over, whatever it is: the consumer decides
            offer("error", error)
        else:
            offer("end", None)

    thread = threading.Thread(target=produce, name="percorso-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == "end":
                return
            if kind == "error":
                assert isinstance(value, BaseException)
                raise value
            yield value  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()
