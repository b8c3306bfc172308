"""Is this text one SELECT over the tables it may see? Judged on DuckDB's own parse of it, by what is allowed.

DuckDB is locked as well when the statement runs (:mod:`percorso.engines.sql`); this check comes first because
it can say what is wrong, and because a SELECT may hide a COPY in its WITH.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from percorso.errors import SpecError, SqlRefused, nearest_hint

__all__ = ["LOCKED", "check_select", "first_line"]

#: How a database is opened in which users' SQL is parsed or run: nothing outside it is within reach.
LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # a Python variable is no table
    "temp_directory": "",
}

_SELECTS = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_SOURCES = {"EMPTY", "BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "PIVOT", "CTE"}

#: Functions in FROM that make rows of their arguments; all others read files, settings or the catalogue.
_ROW_MAKERS = ("generate_series", "json_each", "json_tree", "range", "unnest")

#: Functions that look at the engine or act on it, rather than on values, or put values into its errors.
_REFUSED_FUNCTIONS = {
    "current_query",
    "current_setting",
    "currval",
    "error",
    "getenv",
    "getvariable",
    "json_deserialize_sql",
    "json_execute_serialized_sql",
    "json_serialize_sql",
    "nextval",
    "parse_duckdb_log_message",
    "pg_sleep",
    "query",
    "query_table",
    "setval",
    "sleep_ms",
    "which_secret",
    "write_log",
}


@dataclass(frozen=True, slots=True)
class _Use:
    """What a statement names: tables, functions in FROM, kinds of statements and sources, other functions."""

    tables: tuple[tuple[str, str], ...]  # (schema or catalogue, name)
    makers: tuple[str, ...]
    selects: tuple[str, ...]
    sources: tuple[str, ...]
    functions: tuple[str, ...]
    named_here: frozenset[str]  # by WITH


def check_select(query: str, tables: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The tables that the query reads, in the order of `tables`, if it is one SELECT over these.

    Parameters
    ----------
    query : str
    tables : mapping of str to sequence of str
        Name of each table and its columns.

    Raises
    ------
    SpecError
        It cannot be parsed, or names a table that there is not.
    SqlRefused
        It is more than one statement, no SELECT, or looks at more than the tables.
    """
    use = _use_of(_parse(query))
    for kind in use.selects:
        if kind not in _SELECTS:
            raise _only_select(kind.removesuffix("_NODE").removesuffix("_QUERY").replace("_", " "))
    for source in use.sources:
        if source not in _SOURCES:
            raise _only_select("SHOW, DESCRIBE or SUMMARIZE" if source == "SHOW_REF" else source)
    for maker in use.makers:
        if maker.lower() not in _ROW_MAKERS:
            raise SqlRefused(
                f"The function {maker} is not allowed in FROM.",
                hint=f"Files, network and settings are out of reach. Tables: {', '.join(tables)}; functions: "
                f"{', '.join(_ROW_MAKERS)}.",
            )
    for function in use.functions:
        if function.lower() in _REFUSED_FUNCTIONS:
            raise SqlRefused(f"The function {function} is not allowed.", hint="It looks at more than the tables.")
    return _known_tables(use, tables)


def _known_tables(use: _Use, tables: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    wanted = set()
    for schema, name in use.tables:
        if schema:
            raise SqlRefused(
                f"'{schema}.{name}' is out of reach.", hint=f"Tables, without a schema: {', '.join(tables)}."
            )
        if name.lower() in use.named_here:
            continue
        if name.lower() not in tables:
            raise SpecError(f"There is no table '{name}'.", hint=nearest_hint(name, tables))
        wanted.add(name.lower())
    return tuple(name for name in tables if name in wanted)


def _parse(query: str) -> Any:
    """DuckDB's parse of the one statement in `query`."""
    with duckdb.connect(":memory:", config=LOCKED) as connection:
        try:
            statements = connection.extract_statements(query)
        except duckdb.Error as error:
            raise SpecError(f"This is no SQL: {first_line(error)}", hint="Write one SELECT.") from error
        if not statements:
            raise SpecError("There is no statement.", hint="Write one SELECT, such as: select count(*) from events")
        if len(statements) > 1:
            raise SqlRefused("There is more than one statement.", hint="Write one SELECT.")
        kind = _kind(statements[0])
        if kind == "MULTI":
            raise SqlRefused(
                "A PIVOT must list its columns.", hint="Write: pivot ... on place in ('site', 'store') using count(*)"
            )
        if kind != "SELECT":
            raise _only_select(kind.replace("_", " "))
        parsed = json.loads(
            connection.sql("select json_serialize_sql($1)", params=[query]).to_arrow_table()[0][0].as_py()
        )
    if parsed["error"]:
        raise _only_select("this")
    return parsed["statements"]


def _kind(statement: duckdb.Statement) -> str:
    try:
        return str(statement.type.name)
    except ValueError:  # DuckDB has kinds of statements that its Python package has no name for
        return "this"


def _only_select(kind: str) -> SqlRefused:
    return SqlRefused(f"Only SELECT is allowed, not {kind}.", hint="Nothing can be written, loaded, attached or set.")


def _use_of(parsed: Any) -> _Use:
    nodes = list(_nodes(parsed))
    sources = [node for node in nodes if "sample" in node and "select_list" not in node]
    functions = [node for node in nodes if node.get("class") == "FUNCTION"]
    return _Use(
        tables=tuple((_place(node), node["table_name"]) for node in sources if node["type"] == "BASE_TABLE"),
        makers=tuple(node["function"]["function_name"] for node in sources if node["type"] == "TABLE_FUNCTION"),
        selects=tuple(node["type"] for node in nodes if str(node.get("type", "")).endswith("_NODE")),
        sources=tuple(node["type"] for node in sources),
        functions=tuple(node["function_name"] for node in functions),
        named_here=frozenset(
            entry["key"].lower() for node in nodes if "cte_map" in node for entry in node["cte_map"]["map"]
        ),
    )


def _place(table: Mapping[str, Any]) -> str:
    return ".".join(part for part in (table["catalog_name"], table["schema_name"]) if part)


def _nodes(parsed: Any) -> Iterator[dict[str, Any]]:
    """Every object of the parse, at any depth (a loop: nesting is the user's)."""
    left = [parsed]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield value
            left.extend(reversed(value.values()))
        elif isinstance(value, list):
            left.extend(reversed(value))


def first_line(error: Exception) -> str:
    """What DuckDB says is wrong, without the name of its exception and the copy of the query."""
    line = str(error).strip().splitlines()[0]
    return line.partition(" Error: ")[2] or line
