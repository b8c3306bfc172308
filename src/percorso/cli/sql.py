"""`percorso sql`: your own SELECT."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pyarrow as pa
import typer

from percorso.cli.context import words_of, workspace_of
from percorso.cli.options import TimezoneOption
from percorso.cli.output import Format, Layout, Output, write_table, writing
from percorso.cli.progress import ready_log
from percorso.services.sql import TIME_LIMIT_S, run_sql
from percorso.settings.durations import parse_duration_us
from percorso.time import zone_of

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `sql` to the command line."""
    app.command("sql")(sql)


@writing
def sql(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT, in quotes.")],
    personal: Annotated[
        bool,
        typer.Option("--personal", help="Also show e-mails and other identifiers, traits, and what sources sent."),
    ] = False,
    timezone: TimezoneOption = "",
    time_limit: Annotated[str, typer.Option(metavar="5m", help="Stop a query that takes longer.")] = "",
    *,
    target: Output,
) -> None:
    """Your own SELECT (in DuckDB's SQL) over the tables events, sessions, journeys and persons.

    Nothing else can be read and nothing written: no file, no network. People are keyed hashes unless --personal.

    Example: percorso sql "select channel, count(*) from sessions group by all order by 2 desc"
    """
    workspace, words = workspace_of(ctx), words_of(ctx)
    limit_s = parse_duration_us(time_limit) / 1e6 if time_limit else TIME_LIMIT_S
    log = ready_log(workspace, words)
    table = run_sql(workspace, query, personal=personal, timezone=timezone, time_limit_s=limit_s, log=log)
    # CSV, Parquet and tables keep decimals; JSON has numbers only.
    body = _rows(table) if target.format is Format.json else None
    zone = zone_of(timezone or workspace.settings.workspace.timezone)
    timed = any(pa.types.is_timestamp(field.type) and field.type.tz for field in table.schema)
    rows = words.text("counted.rows", n=table.num_rows)
    note = words.text("terminal.rows_and_zone", rows=rows, zone=zone.key) if timed else rows
    write_table(table, target, body=body, layout=Layout(zone=zone, plain=True), notes=(note,), words=words)


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    return [
        {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
        for row in table.to_pylist()
    ]
