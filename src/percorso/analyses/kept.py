"""Keep what several passes over the buckets need, as far as memory allows; beyond that it is made anew each time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy.typing as npt

from percorso.store.journey_log import Bucket

__all__ = ["KEPT_TIMES", "Kept", "n_bytes"]

#: Small logs are quick because of it, large ones stay bounded.
KEPT_BYTES = 128 << 20

#: Groups and times that only one more pass needs.
KEPT_TIMES = 1 << 30

T = TypeVar("T")


def n_bytes(arrays: tuple[npt.NDArray[Any], ...]) -> int:
    """Bytes of some arrays."""
    return sum(array.nbytes for array in arrays)


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
        self._left = limit
        self._kept: dict[int, T] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Kept[T]], tuple[Callable[[Bucket], T], Callable[[T], int], int]]:
        """What is handed to another process makes its own, and keeps nothing: it serves one pass."""
        return Kept, (self._make, self._size, 0)

    def __call__(self, bucket: Bucket) -> T:
        if bucket.index in self._kept:
            return self._kept[bucket.index]
        made = self._make(bucket)
        self.put(bucket, made)
        return made

    def get(self, bucket: Bucket) -> T | None:
        """What is kept of a bucket."""
        return self._kept.get(bucket.index)

    def put(self, bucket: Bucket, made: T) -> None:
        """Keep what was made of a bucket elsewhere, if there is room."""
        size = self._size(made)
        with self._lock:
            if size <= self._left and bucket.index not in self._kept:
                self._left -= size
                self._kept[bucket.index] = made
