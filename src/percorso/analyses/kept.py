"""Keep what several passes over the buckets need, as far as memory allows; beyond that it is made anew each time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from percorso.store.journey_log import Bucket

__all__ = ["Kept"]

#: Small logs are quick because of it, large ones stay bounded.
KEPT_BYTES = 128 << 20

T = TypeVar("T")


class Kept(Generic[T]):
    """What `make` makes of a bucket, kept until `limit` is reached; for one question, safe among threads.

    Parameters
    ----------
    make : callable
        Called with a bucket.
    size : callable
        Bytes of what it made.
    limit : int
        Bytes kept at the most.
    """

    def __init__(self, make: Callable[[Bucket], T], size: Callable[[T], int], limit: int = KEPT_BYTES) -> None:
        self._make = make
        self._size = size
        self._limit = self._left = limit
        self._kept: dict[int, T] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Kept[T]], tuple[Callable[[Bucket], T], Callable[[T], int], int]]:
        """What is handed to another process makes its own."""
        return Kept, (self._make, self._size, self._limit)

    def __call__(self, bucket: Bucket) -> T:
        if bucket.index in self._kept:
            return self._kept[bucket.index]
        made = self._make(bucket)
        size = self._size(made)
        with self._lock:
            if size <= self._left:
                self._left -= size
                self._kept[bucket.index] = made
        return made
