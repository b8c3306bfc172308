"""Partials: what one bucket adds to an answer.

A partial is frozen; ``merge`` is associative and commutative and keeps integers where the thing counted is one, so that
the answer does not depend on buckets, threads or engines.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Protocol, Self, TypeVar

__all__ = ["Partial", "merged"]


class Partial(Protocol):
    """Anything with a merge."""

    def merge(self, other: Self, /) -> Self:
        """The partial of both parts together; neither is changed."""
        ...


P = TypeVar("P", bound=Partial)


def merged(partials: Iterable[P], empty: P) -> P:
    """All partials added up, from the left."""
    return functools.reduce(lambda left, right: left.merge(right), partials, empty)
