"""The application database: what people decide and edit, ``percorso.db`` of a workspace.

Write ``from percorso.store import database`` and then ``database.open_database(path)``,
``database.decisions.add_decision(...)``: a module is loaded when something of it is first used. SQLAlchemy takes longer
to load than most questions to answer, so what a question has to know is read without it, by
:mod:`percorso.store.database.light`.

A workspace in which nobody has decided anything has no such file, and reading makes none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from percorso.store.database.records import Decision, MaskedIdentifier, Segment, SegmentRule

if TYPE_CHECKING:
    from percorso.store.database import decisions, segments, suppressions
    from percorso.store.database.connection import Database, open_database
    from percorso.store.database.light import (
        read_decisions,
        read_erased_identifiers,
        read_segments,
        read_suppressions,
    )

__all__ = [
    "DATABASE_FILE",
    "Database",
    "Decision",
    "MaskedIdentifier",
    "Segment",
    "SegmentRule",
    "decisions",
    "open_database",
    "read_decisions",
    "read_erased_identifiers",
    "read_segments",
    "read_suppressions",
    "segments",
    "suppressions",
]

#: Its name in a workspace.
DATABASE_FILE = "percorso.db"

_HOMES = {
    "Database": "connection",
    "decisions": "",
    "open_database": "connection",
    "read_decisions": "light",
    "read_erased_identifiers": "light",
    "read_segments": "light",
    "read_suppressions": "light",
    "segments": "",
    "suppressions": "",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    module = importlib.import_module(f"{__name__}.{home or name}")
    value = getattr(module, name) if home else module
    globals()[name] = value
    return value
