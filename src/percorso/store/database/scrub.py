"""Leave nothing of deleted rows in the database's files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from percorso.store.database.failures import sqlite_failures

__all__ = ["scrub_database"]

_TIMEOUT_S = 30.0


def scrub_database(path: Path) -> None:
    """Write the database anew without its free pages, and empty its log; nothing where there is no database.

    Raises
    ------
    Busy, Corrupt, OperationError
    """
    if not path.exists():
        return
    with sqlite_failures(), closing(sqlite3.connect(path, timeout=_TIMEOUT_S, isolation_level=None)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
