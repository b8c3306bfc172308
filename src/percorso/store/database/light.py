"""Read the application database without SQLAlchemy, which takes longer to load than a question to answer.

Every question asks which decisions stand, every import what was erased. Those few SELECTs go to SQLite directly, where
the file is of the revision that this Percorso writes; a file of another one is first opened, and so migrated, in full.
"""

from __future__ import annotations

import importlib
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from percorso.store.database.failures import sqlite_failures
from percorso.store.database.records import (
    DECISION_COLUMNS,
    SEGMENT_COLUMNS,
    SEGMENT_RULE_COLUMNS,
    Decision,
    Segment,
    SegmentRule,
    SuppressedWhat,
    decision_of,
    segment_of,
)
from percorso.store.database.revisions import HEAD

__all__ = ["read_decisions", "read_erased_identifiers", "read_segments", "read_suppressions"]

_TIMEOUT_S = 30.0


def read_decisions(path: Path) -> list[Decision]:
    """All decisions in the order in which they were made; none where there is no database.

    Raises
    ------
    FormatTooNew
        A newer Percorso wrote the database.
    """
    rows = _select(path, f"SELECT {', '.join(DECISION_COLUMNS)} FROM identity_decisions ORDER BY id")
    return [decision_of(row) for row in rows]


def read_suppressions(path: Path, what: SuppressedWhat) -> frozenset[bytes]:
    """Every suppressed hash of this kind; none where there is no database. Raises as :func:`read_decisions`."""
    return frozenset(row[0] for row in _select(path, "SELECT hash FROM suppressions WHERE what = ?", (what,)))


def read_erased_identifiers(path: Path) -> dict[bytes, int]:
    """Every suppressed identifier's hash, and when it was last erased (µs UTC). Raises as :func:`read_decisions`."""
    return dict(_select(path, "SELECT hash, erased_us FROM suppressions WHERE what = 'identifier'"))


def read_segments(path: Path) -> list[Segment]:
    """All segments by name; none where there is no database. Raises as :func:`read_decisions`."""
    of_segment = [f"s.{name}" for name in SEGMENT_COLUMNS]
    of_rule = [f"r.{name}" for name in SEGMENT_RULE_COLUMNS[1:]]
    rows = _select(
        path,
        f"SELECT {', '.join(of_segment + of_rule)} FROM segments AS s JOIN segment_rules AS r ON r.segment = s.id "
        "ORDER BY s.name_key, r.version",
    )
    width = len(of_segment)
    rules: dict[tuple[Any, ...], list[SegmentRule]] = {}
    for row in rows:
        rules.setdefault(row[:width], []).append(SegmentRule(*row[width:]))
    return [segment_of(row, found) for row, found in rules.items()]


def _select(path: Path, sql: str, parameters: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    if not path.exists():
        return []
    rows = _select_at_head(path, sql, parameters)
    if rows is None:
        importlib.import_module("percorso.store.database.connection").open_database(path).close()
        rows = _select_at_head(path, sql, parameters)
    assert rows is not None
    return rows


def _select_at_head(path: Path, sql: str, parameters: Sequence[str]) -> list[tuple[Any, ...]] | None:
    """Rows, or None where the database is not of the revision that this Percorso knows best."""
    with sqlite_failures(), closing(sqlite3.connect(_address(path), uri=True, timeout=_TIMEOUT_S)) as connection:
        connection.execute("BEGIN")  # one state for both statements
        tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
        if not tables or connection.execute("SELECT version_num FROM alembic_version").fetchall() != [(HEAD,)]:
            return None
        return connection.execute(sql, parameters).fetchall()


def _address(path: Path) -> str:
    """The file's address, opened so that nothing is made and nothing is left behind.

    SQLite reads a database with a log (WAL) by means of an index file beside it, which it removes afterwards if it may
    write. Where the folder may not be written, and there is no log, the file alone is all there is.
    """
    log = path.with_name(f"{path.name}-wal")
    alone = not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)
    return f"{path.absolute().as_uri()}?{'mode=ro&immutable=1' if alone else 'mode=rw'}"
