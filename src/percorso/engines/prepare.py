"""A file's rows through DuckDB before they are mapped: the mapping's own SQL, and rows of a group together.

The rows go into a database in the scratch folder, so that files larger than memory can be joined with
themselves and sorted; then everything outside it is closed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from percorso.engines.select_only import LOCKED, check_select, first_line
from percorso.engines.sql import quote_name
from percorso.errors import MappingError, OperationError, PercorsoError, SpecError, SqlRefused

__all__ = ["PrepareLimits", "prepared_tables"]

#: The imported file's table.
FILE = "file"
_RESULT = "prepared"


@dataclass(frozen=True, slots=True)
class PrepareLimits:
    """What preparing may use: memory, and a folder for what does not fit."""

    memory_bytes: int
    scratch: Path
    threads: int = 2


def prepared_tables(
    tables: Mapping[str, Iterable[pa.Table]],
    *,
    sql: str,
    group_by: Sequence[str],
    limits: PrepareLimits,
    rows: int = 65_536,
) -> Iterator[pa.Table]:
    """The rows that the SQL makes of the file's, those of a group behind each other.

    Parameters
    ----------
    tables : mapping of str to iterable of pyarrow.Table
        Rows of `file`, in order, and of the other tables that the SQL may read. A column that a later piece
        has and an earlier one has not is null there.
    sql : str
        One SELECT over the tables; "" takes all rows of `file`.
    group_by : sequence of str
        Columns whose equal rows shall stand together, groups in the order of their first rows; empty: the
        order of the SQL.
    limits : PrepareLimits
    rows : int
        Most rows of a table that comes out.

    Raises
    ------
    MappingError
        The SQL is no SELECT over `file`, or fails.
    """
    limits.scratch.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=limits.scratch, prefix="prepare-") as folder,
        _database(Path(folder), limits) as connection,
    ):
        columns = {name: _load(connection, name, pieces) for name, pieces in tables.items()}
        connection.execute("set enable_external_access = false")
        if sql:
            # What joins and aggregates hand on in which order depends on the threads' race: rows would get other
            # keys, and groups other first rows, the next time.
            connection.execute("set threads = 1")
        connection.execute("set lock_configuration = true")
        if not columns[FILE]:
            return
        query = _query(columns, sql, group_by)
        _check_bound(connection, query)
        try:
            yield from _batches(connection, query, rows)
        except duckdb.Error as error:
            # Not chained: its text may hold what stands in the file.
            raise _told(error) from None


def _database(folder: Path, limits: PrepareLimits) -> duckdb.DuckDBPyConnection:
    config = LOCKED | {
        "enable_external_access": "true",  # for its own file; closed before the SQL runs
        "temp_directory": str(folder / "spill"),
        "memory_limit": f"{limits.memory_bytes}B",
        "threads": str(limits.threads),
    }
    return duckdb.connect(str(folder / "rows.duckdb"), config=config)


def _load(connection: duckdb.DuckDBPyConnection, name: str, pieces: Iterable[pa.Table]) -> list[str]:
    """Fill a table; the names of its columns, none where there are no rows."""
    known: dict[str, str] = {}
    for piece in pieces:
        connection.register("piece", piece)
        described = connection.sql("describe piece").to_arrow_table().to_pylist()
        columns = {row["column_name"]: row["column_type"] for row in described}
        if not known:
            connection.execute(f"create table {quote_name(name)} as select * from piece limit 0")
        for column in [name for name in columns if name not in known] if known else ():
            connection.execute(f"alter table {quote_name(name)} add column {quote_name(column)} {columns[column]}")
        known = columns | known
        connection.execute(f"insert into {quote_name(name)} by name select * from piece")
        connection.unregister("piece")
    return list(known)


def _query(columns: Mapping[str, Sequence[str]], sql: str, group_by: Sequence[str]) -> str:
    inner = sql.strip().rstrip(";") or f"select * from {FILE}"
    try:
        check_select(inner, columns)
    except (SpecError, SqlRefused) as error:
        raise MappingError(f"prepare.sql: {error.message}", hint=error.hint) from error
    if not group_by:
        return inner
    groups = ", ".join(quote_name(name) for name in group_by)
    numbered = f"select *, row_number() over () as _row from ({inner})"
    first = f"select *, min(_row) over (partition by {groups}) as _first from ({numbered})"
    return f"select * exclude (_row, _first) from ({first}) order by _first, _row"


def _batches(connection: duckdb.DuckDBPyConnection, query: str, rows: int) -> Iterator[pa.Table]:
    # A table first: the reader over a running query would keep its threads busy between batches.
    connection.execute(f"create table {_RESULT} as {query}")
    reader = connection.sql(f"select * from {_RESULT}").to_arrow_reader(rows)
    for batch in reader:
        yield pa.Table.from_batches([batch])


def _check_bound(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Whether the SQL fits the tables. No row is read, so what DuckDB says is about the SQL alone."""
    try:
        connection.sql(query)
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise _wrong(f"{first_line(error)} ({_kind(error)})") from error
    except duckdb.Error as error:
        raise _told(error) from None


def _told(error: duckdb.Error) -> PercorsoError:
    if isinstance(error, duckdb.OutOfMemoryException):
        return OperationError(
            "Preparing the file needs more memory than it may use.",
            hint="Raise memory_limit under [build] in percorso.toml, or make prepare.sql simpler.",
        )
    return _wrong(f"it failed ({_kind(error)})")


def _kind(error: duckdb.Error) -> str:
    return type(error).__name__.removesuffix("Exception")


def _wrong(what: str) -> MappingError:
    return MappingError(
        f"prepare.sql: {what}.",
        hint="Columns of CSV files are text: write cast(x as double) or try_cast(x as double) to calculate.",
    )
