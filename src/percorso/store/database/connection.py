"""Open the application database: made and migrated where needed, one transaction at a time for writers."""

from __future__ import annotations

import importlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from percorso.errors import FormatTooNew
from percorso.store.database.failures import failure_of, sqlite_failures
from percorso.store.database.revisions import HEAD, REVISIONS
from percorso.store.lock import exclusive_lock

__all__ = ["Database", "open_database"]

_WRITES = "percorso_writes"


class Database:
    """An opened application database; close it, or use it as a context manager.

    Parameters
    ----------
    engine : Engine
        Of a database at the newest revision.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state throughout.

        Raises
        ------
        Busy, Corrupt, OperationError
        """
        with _failures(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes count when the block ends, or not at all; other writers wait from its start on.

        Raises
        ------
        Busy, Corrupt, OperationError
        """
        options = {_WRITES: True}
        with _failures(), self._engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Give back all connections; SQLite then empties and removes its log."""
        self._engine.dispose()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_database(path: Path, *, timeout_s: float = 30.0) -> Database:
    """Open the database at `path`; it is made if missing, and brought to the newest revision.

    Parameters
    ----------
    path : Path
        ``percorso.db`` of a workspace. Its owner alone may read it (0600).
    timeout_s : float
        How long to wait for others, here and in each transaction.

    Raises
    ------
    FormatTooNew
        A newer Percorso wrote it.
    Busy
        Others kept it locked all the while.
    Corrupt
        The file is no database, or a damaged one.
    OperationError
        The machine refuses.
    """
    database = Database(_engine(path, timeout_s))
    try:
        if not path.exists() or _revision(database) != HEAD:
            # Of two processes that find it old, the second waits here and then finds it new.
            with exclusive_lock(path.with_name(f"{path.name}.lock"), what="database", timeout_s=timeout_s):
                _migrate(database, path)
    except BaseException:
        database.close()
        raise
    return database


def _migrate(database: Database, path: Path) -> None:
    _make_file(path)
    if _revision(database) == HEAD:
        return
    migrations = importlib.import_module("percorso.store.database.migrate")  # Alembic takes long to load
    with database.writing() as connection:
        migrations.migrate(connection)


def _make_file(path: Path) -> None:
    """An empty database where there is none; readers and a writer do not wait for each other (WAL)."""
    with _failures():
        # SQLite would make the file readable for all; its log and index take the permissions of the database. A file
        # that is there stays closed: closing it would drop the locks that SQLite holds on it in this process.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")


def _revision(database: Database) -> str | None:
    """The revision that the database has; None: nothing is in it yet.

    Raises
    ------
    FormatTooNew
        It is none that this Percorso knows.
    """
    with database.reading() as connection:
        if not connection.dialect.has_table(connection, "alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    unknown = [revision for revision in found if revision not in REVISIONS]
    if unknown:
        raise FormatTooNew(
            f"The application database has revision {unknown[0]}; this Percorso knows revisions up to {HEAD}.",
            hint="Use the Percorso that wrote it, or a newer one.",
        )
    return str(found[0]) if found else None


def _engine(path: Path, timeout_s: float) -> Engine:
    url = URL.create("sqlite", database=str(path.absolute()))
    # Errors show statements, and statements what was written.
    engine = create_engine(url, connect_args={"timeout": timeout_s}, hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, also those that change tables
    for pragma in ("foreign_keys = ON", "secure_delete = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A writer that began as a reader would fail, not wait, when another one has written in between.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _failures() -> Iterator[None]:
    try:
        with sqlite_failures():
            yield
    except DBAPIError as error:
        told = failure_of(error.orig)
        if told is None:
            raise
        raise told from error
