"""`percorso rejected`: the rows that could not be imported."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import pyarrow as pa
import typer

from percorso.cli.context import words_of, workspace_of
from percorso.cli.output import Format, Layout, Output, write_table, writing
from percorso.cli.preview import short_row
from percorso.cli.tables import code_of
from percorso.cli.texts import as_it_is, count_text
from percorso.language.words import Words
from percorso.services.imports import rejected_rows
from percorso.services.workspace import Workspace

__all__ = ["register"]

_SHOWN_ROWS = 100
_LAYOUT = Layout(formats={"line": as_it_is}, fold=("raw",))


def register(app: typer.Typer) -> None:
    """Add `rejected` to the command line."""
    app.command("rejected")(rejected)


@writing
def rejected(
    ctx: typer.Context,
    file: Annotated[str, typer.Option(metavar="NAME", help="Only rows of this file.")] = "",
    reason: Annotated[str, typer.Option(metavar="CODE", help="Only rows rejected for this reason.")] = "",
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Show so many at most. Default: 100 in a table, else all.")
    ] = None,
    *,
    target: Output,
) -> None:
    """Show the rows that could not be imported: file, line, reason, and the row as it stood there."""
    workspace, words = workspace_of(ctx), words_of(ctx)
    reason = code_of("rejection", reason, words)
    rows = rejected_rows(workspace, file=file, reason=reason)
    shown = rows.slice(0, limit or (_SHOWN_ROWS if target.format is Format.table else rows.num_rows))
    more = rows.num_rows - shown.num_rows
    notes = [words.text("imports.more_rejected", n=more)] if more else []
    warnings = () if rows.num_rows else _others(workspace, file, reason, words)
    if not rows.num_rows and not warnings:
        notes = [words.text("imports.none_rejected")]
    table = _for_people(shown) if target.format is Format.table else shown
    write_table(table, target, layout=_LAYOUT, notes=notes, warnings=warnings, words=words)


def _others(workspace: Workspace, file: str, reason: str, words: Words) -> tuple[str, ...]:
    """Why a selection is empty though rows were rejected: a slip of the pen must not look like good news."""
    every = rejected_rows(workspace)
    if not every.num_rows:
        return ()
    told = []
    files, reasons = (Counter(every.column(name).to_pylist()) for name in ("file", "reason"))
    named = {words.code("rejection", code): count for code, count in reasons.items()}
    if file and file not in files:
        told.append(words.text("imports.no_such_file", file=file, there=_listed(files, words)))
    if reason and reason not in reasons:
        told.append(words.text("imports.no_such_reason", reason=reason, there=_listed(Counter(named), words)))
    return tuple(told) or (words.text("imports.neither", file=file, reason=words.code("rejection", reason)),)


def _listed(there: Counter[str], words: Words) -> str:
    return ", ".join(f"{name} ({count_text(count, words)})" for name, count in there.most_common())


def _for_people(rows: pa.Table) -> pa.Table:
    """The sentence is in the docs under its code, and long rows are cut: CSV and JSON hold all."""
    raw = [short_row(text or "") for text in rows["raw"].to_pylist()]
    return rows.drop_columns(["detail", "raw"]).append_column("raw", pa.array(raw, pa.string()))
