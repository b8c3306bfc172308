"""What SQLite reports, as errors of Percorso."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from percorso.errors import Busy, Corrupt, OperationError

__all__ = ["failure_of", "sqlite_failures"]

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REFUSED = {
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_PERM: "access is denied",
    sqlite3.SQLITE_READONLY: "it may not be written",
}


@contextmanager
def sqlite_failures() -> Iterator[None]:
    """Raise Busy, Corrupt or OperationError for what SQLite reports inside the block; anything else passes."""
    try:
        yield
    except sqlite3.Error as error:
        told = failure_of(error)
        if told is None:
            raise
        raise told from error


def failure_of(error: BaseException | None) -> OperationError | None:
    """The error to raise instead; None for a mistake of ours."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says more exactly why
    if code in _BUSY:
        return Busy("The application database is being written.", hint="Wait a moment, then try again.")
    if code in _DAMAGED:
        return Corrupt("The application database cannot be read.", hint="Restore percorso.db from a backup.")
    if code in _REFUSED:
        return OperationError(f"The application database is of no use: {_REFUSED[code]}.")
    return None
