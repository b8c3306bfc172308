"""How a build tells what it is doing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Progress"]

#: Called with phase, rows done and rows in all.
Progress: TypeAlias = Callable[[str, int, int], None]
