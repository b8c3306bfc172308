"""Work on ranges of rows in all cores; kernels let go of the interpreter's lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

from percorso.engines.local import default_threads

__all__ = ["ahead", "in_parallel", "in_ranges"]

T = TypeVar("T")
R = TypeVar("R")

_ROWS_A_THREAD = 1 << 17  # about a millisecond: fewer are not worth a thread


def in_ranges(n_rows: int, work: Callable[[int, int], R]) -> list[R]:
    """``work(first, end)`` for ranges that cover all rows, in the order of the ranges; at least one."""
    n = max(1, min(default_threads(), n_rows // _ROWS_A_THREAD))
    cuts = [n_rows * k // n for k in range(n + 1)]
    return in_parallel(list(pairwise(cuts)), lambda ends: work(*ends))


def in_parallel(items: Sequence[T], work: Callable[[T], R]) -> list[R]:
    """``work(item)`` for all items, as many at once as there are cores; answers in the order of the items."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(default_threads(), len(items)), thread_name_prefix="percorso") as pool:
        return list(pool.map(work, items))


def ahead(items: Iterable[T], work: Callable[[T], R]) -> Iterator[R]:
    """``work(item)`` for each item in order, worked out in all cores a few items ahead of their use."""
    threads = default_threads()
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="percorso") as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
