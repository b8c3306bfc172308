"""A user's own SELECT over prepared views of Arrow tables, in a DuckDB that can do nothing else.

Each call has its own database in memory: no file, no network, no extension, no other table, configuration
locked, memory and time limited.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from percorso.engines.local import default_threads
from percorso.engines.select_only import LOCKED, check_select, first_line
from percorso.errors import OperationError, SpecError, SqlRefused

__all__ = ["Part", "SqlLimits", "View", "quote_text", "run_select"]


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a view.

    Parameters
    ----------
    table : pyarrow.Table
        Read in place; nothing is copied before it is needed.
    columns : mapping of str to str
        Name of each column of the view -> SQL expression over the columns of `table`. All parts of a view have
        the same names in the same order.
    """

    table: pa.Table
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class View:
    """A table that a query may read: its columns, known beforehand, and its parts, made when they are needed."""

    columns: Sequence[str]
    parts: Callable[[], Sequence[Part]]


@dataclass(frozen=True, slots=True)
class SqlLimits:
    """What one query may use."""

    memory_bytes: int
    time_s: float
    threads: int | None = None


def run_select(query: str, views: Mapping[str, View], *, timezone: str, limits: SqlLimits) -> pa.Table:
    """Run one SELECT.

    Parameters
    ----------
    query : str
    views : mapping of str to View
    timezone : str
        Of days and of times without offset.
    limits : SqlLimits

    Raises
    ------
    SqlRefused
        It is no SELECT, or reads more than the views.
    SpecError
        It cannot be understood, or takes too long.
    OperationError
        It needs more memory than allowed.
    """
    wanted = check_select(query, {name: view.columns for name, view in views.items()})
    with _locked_database(timezone, limits, {name: views[name] for name in wanted}) as connection:
        clock = threading.Timer(limits.time_s, connection.interrupt)
        clock.daemon = True
        clock.start()
        try:
            return _bound(connection, query, views, wanted).to_arrow_table()
        except duckdb.Error as error:
            # Not chained: its text may hold what stands in the tables.
            raise _told(error, views, wanted, limits) from None
        finally:
            clock.cancel()


@contextmanager
def _locked_database(
    timezone: str, limits: SqlLimits, views: Mapping[str, View]
) -> Iterator[duckdb.DuckDBPyConnection]:
    config = LOCKED | {
        "memory_limit": f"{limits.memory_bytes}B",
        "threads": str(limits.threads or default_threads()),
    }
    with duckdb.connect(":memory:", config=config) as connection:
        for name, view in views.items():
            parts = view.parts()
            for number, part in enumerate(parts):
                connection.register(f"_{name}_{number}", part.table)
            connection.execute(view_sql(name, [part.columns for part in parts]))
        connection.execute(f"set TimeZone = {quote_text(timezone)}")
        connection.execute("set lock_configuration = true")
        yield connection


def view_sql(name: str, parts: Sequence[Mapping[str, str]]) -> str:
    """The statement that makes a view of its parts, registered as _NAME_0, _NAME_1, ..."""
    selects = (
        "select "
        + ", ".join(f"{expression} as {quote_name(column)}" for column, expression in columns.items())
        + f" from {quote_name(f'_{name}_{number}')}"
        for number, columns in enumerate(parts)
    )
    return f"create view {quote_name(name)} as {' union all '.join(selects)}"


def _bound(
    connection: duckdb.DuckDBPyConnection, query: str, views: Mapping[str, View], wanted: Sequence[str]
) -> duckdb.DuckDBPyRelation:
    """The query understood but not yet run: no row has been read, so what DuckDB says is about the query alone."""
    try:
        return connection.sql(query)
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        message = f"The query cannot be understood: {first_line(error)}"
        raise SpecError(message, hint=_columns(views, wanted)) from error


def _columns(views: Mapping[str, View], wanted: Sequence[str]) -> str:
    columns = "; ".join(f"{name}: {', '.join(views[name].columns)}" for name in wanted)
    return f"Columns of {columns}."


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _told(
    error: duckdb.Error, views: Mapping[str, View], wanted: Sequence[str], limits: SqlLimits
) -> SpecError | SqlRefused | OperationError:
    """What went wrong while rows were read, without DuckDB's words: they may quote a row."""
    match error:
        case duckdb.InterruptException():
            return SpecError(
                f"The query took longer than {limits.time_s:g} seconds and was stopped.",
                hint="Ask for less, or allow more time.",
            )
        case duckdb.OutOfMemoryException():
            return OperationError(
                "The query needs more memory than it may use.",
                hint=f"{limits.memory_bytes:,} bytes are allowed: ask for less, or raise the limit in percorso.toml.",
            )
        case duckdb.PermissionException():
            return SqlRefused("The query reaches for files, network or settings.", hint="Only the tables may be read.")
        case duckdb.ConversionException():
            what = "a value cannot be converted to the type that is wanted; try_cast(...) makes such values null"
        case duckdb.OutOfRangeException():
            what = "a number is too large for its type"
        case duckdb.InvalidInputException():
            what = "a function was given a value that it cannot take"
        case _:
            what = f"it cannot be computed ({type(error).__name__.removesuffix('Exception')})"
    return SpecError(f"The query failed: {what}.", hint=_columns(views, wanted))
