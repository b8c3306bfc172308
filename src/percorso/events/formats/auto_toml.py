"""Pieces of a mapping file as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from percorso.events.formats.auto_columns import Column

__all__ = ["AMOUNTS", "cell_line", "comment", "key_line", "quoted", "quoted_list", "sql_name"]

#: Keys of a mapping that are numbers.
AMOUNTS = frozenset({"value", "tax", "shipping", "discount", "price", "quantity", "score"})


def quoted(text: str) -> str:
    """A TOML string; JSON's escapes are TOML's too.

    Examples
    --------
    >>> quoted('say "ah"')
    '"say \\\\"ah\\\\""'
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def comment(text: str) -> str:
    """The text as a comment of one line."""
    return "# " + re.sub(r"[\x00-\x1f\x7f]+", " ", text)


def quoted_list(texts: Iterable[str]) -> str:
    """A TOML list of strings."""
    return f"[{', '.join(quoted(text) for text in texts)}]"


def key_line(key: str, value: str) -> str:
    """`key = "value"`, the key quoted where it must be."""
    bare = re.fullmatch(r"[A-Za-z0-9_-]+", key)
    return f"{key if bare else quoted(key)} = {quoted(value)}"


def cell_line(key: str, column: Column) -> str:
    """`key = "column"`, with the decimal comma where the column's amounts have one."""
    if key in AMOUNTS and column.decimal == ",":
        return f'{key} = {{ column = {quoted(column.name)}, decimal = "," }}'
    return f"{key} = {quoted(column.name)}"


def sql_name(column: str) -> str:
    """A column's name in SQL."""
    return '"' + column.replace('"', '""') + '"'
