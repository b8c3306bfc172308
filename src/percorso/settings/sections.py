"""What the table of settings is made of: sections of `percorso.toml` and the keys in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from percorso.settings import kinds
from percorso.settings.kinds import Kind

__all__ = ["Key", "Problem", "Section"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with values that are each of their kind, but do not go together."""

    path: tuple[str, ...]  # within the section, as in the file
    message: str  # goes on after the key's name
    hint: str


@dataclass(frozen=True, slots=True)
class Key:
    """One setting."""

    name: str  # in the file
    kind: Kind
    en: str
    it: str
    field: str = ""  # of the dataclass, where it differs from the name (units)
    required: bool = False  # in entries of a list

    @property
    def target(self) -> str:
        return self.field or self.name


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the file, a list of tables, or a table whose keys the workspace chooses (`map`)."""

    name: str  # dotted, as in the file
    form: Literal["table", "list", "map"]
    en: str
    it: str
    make: Callable[..., Any] | None = None  # the dataclass of a table, or of a list's entries
    keys: tuple[Key, ...] = ()
    parts: tuple[Section, ...] = ()
    values: Kind = kinds.TEXT  # of a map
    field: str = ""  # where it differs from the last part of the name
    example: str = ""  # TOML shown commented out where the section is empty by default
    check: Callable[[Mapping[str, Any]], Problem | None] | None = None  # of a table's values, by field
    unknown: str = ""  # hint for keys that the table does not know, before the nearest one

    @property
    def last(self) -> str:
        return self.name.rsplit(".", 1)[-1]

    @property
    def target(self) -> str:
        return self.field or self.last
