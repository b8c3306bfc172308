"""On which line of a TOML text a key stands (tomllib does not tell)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

__all__ = ["line_of"]

_Path = tuple[str | int, ...]


def line_of(text: str, path: _Path) -> int | None:
    """The 1-based line of the key at `path`, else of the nearest table above it.

    Parameters
    ----------
    text : str
        TOML that tomllib reads.
    path : tuple of str or int
        Keys and, in lists of tables, positions.

    Examples
    --------
    >>> line_of('[sessions]\\ntimeout = "x"', ("sessions", "timeout"))
    2
    """
    found: dict[_Path, int] = {}
    for line, at in _places(text):
        for length in range(1, len(at) + 1):
            found.setdefault(at[:length], line)
    while path:
        if path in found:
            return found[path]
        path = path[:-1]
    return None


def _places(text: str) -> Iterator[tuple[int, _Path]]:
    """Line and path of every statement. A statement is complete as soon as it is TOML by itself."""
    table: _Path = ()
    counts: dict[_Path, int] = {}
    start, pending = 1, ""
    for number, line in enumerate(text.splitlines(), start=1):
        pending = f"{pending}\n{line}" if pending else line
        try:
            statement = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue  # goes on: an array or a text over several lines
        if pending.lstrip().startswith("["):
            table = _header(statement, counts)
            yield start, table
        else:
            for keys in _leaves(statement):
                yield start, (*table, *keys)
        start, pending = number + 1, ""


def _header(statement: dict[str, Any], counts: dict[_Path, int]) -> _Path:
    """Path of a table header; entries of a list get their position."""
    path: _Path = ()
    value: Any = statement
    while isinstance(value, dict) and value:
        name, value = next(iter(value.items()))
        path = (*path, name)
        if isinstance(value, list):
            counts[path] = counts.get(path, -1) + 1
            path, value = (*path, counts[path]), value[0]
        elif path in counts:
            path = (*path, counts[path])
    return path


def _leaves(statement: dict[str, Any]) -> Iterator[_Path]:
    for name, value in statement.items():
        yield (name,)
        if isinstance(value, dict):
            for rest in _leaves(value):
                yield (name, *rest)
