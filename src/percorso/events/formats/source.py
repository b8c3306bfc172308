"""What a format must know about the source whose file it reads."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.errors import MappingError, nearest_hint
from percorso.events.event import SOURCE_KINDS
from percorso.language.said import said

__all__ = ["SourceInfo", "source_info"]


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """The source that a file's events belong to.

    `id_space` and `ref_space` say where its user ids and its order numbers live (identity rules, 1 and 3).
    """

    name: str
    kind: str
    id_space: str
    ref_space: str


def source_info(name: str, kind: str, *, id_space: str = "", ref_space: str = "") -> SourceInfo:
    """A checked `SourceInfo`; an empty space is the source's own name.

    Raises
    ------
    MappingError
        When the name is empty or the kind is not one of `SOURCE_KINDS`.

    Examples
    --------
    >>> source_info("shop", "web").ref_space
    'shop'
    """
    if not name.strip():
        raise MappingError(said("errors.source_needs_name"), hint=said("errors.source_needs_name_hint"))
    if kind not in SOURCE_KINDS:
        raise MappingError(said("errors.no_kind", kind=kind), hint=nearest_hint(kind, SOURCE_KINDS))
    return SourceInfo(name=name, kind=kind, id_space=id_space or name, ref_space=ref_space or name)
