"""`percorso import` and `percorso rejected`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from percorso.cli.context import folder_of, workspace_of
from percorso.cli.output import Format, FormatOption, Output, OutputOption, output_of, write_json, write_table
from percorso.services.import_preview import Preview, preview_files
from percorso.services.imports import FileReport, ImportReport, ImportRequest, import_files, rejected_rows

__all__ = ["register"]

_WORD_LIMIT = 60


def register(app: typer.Typer) -> None:
    """Add `import` and `rejected` to the command line."""
    app.command("import")(import_command)
    app.command("rejected")(rejected)


def import_command(
    ctx: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Files, patterns such as 'sales/*.csv', folders.", show_default=False),
    ],
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="auto, segment, ga4, shopify-orders, ad-costs, table or paths.",
        ),
    ] = "auto",
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="M.toml", help="Which columns mean what. Default: proposed from each table."),
    ] = None,
    source: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the source, in place of the mapping's or the format's.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the mapping, ten events and what would be rejected; write nothing.")
    ] = False,
    save_mapping: Annotated[
        Path | None, typer.Option(metavar="F.toml", help="Keep the mapping that was used in this file.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take back, in the same step, what earlier imports of these rows brought.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Import files: CSV (any delimiter, gz, zip), NDJSON (gz), Parquet.

    The format is recognised, and for other tables a mapping is proposed: look at it with --dry-run first.
    Each file is imported whole or not at all; importing it again adds nothing.
    """
    workspace = workspace_of(ctx)
    request = ImportRequest(tuple(files), format_name, mapping, source, replace, save_mapping)
    with _progress(quiet=as_json) as show:
        if dry_run:
            previews = preview_files(workspace, request, show)
        else:
            report = import_files(workspace, request, show)
    if dry_run:
        _tell_previews(previews, as_json)
    elif as_json:
        write_json(report.as_dict())
    else:
        _tell_report(report, folder_of(ctx))


def rejected(
    ctx: typer.Context,
    file: Annotated[str, typer.Option(metavar="NAME", help="Only rows of this file.")] = "",
    reason: Annotated[str, typer.Option(metavar="CODE", help="Only rows rejected for this reason.")] = "",
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Show so many at most. Default: 100 in a table, else all.")
    ] = None,
    output_format: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Show the rows that could not be imported: file, line, reason, and the row as it stood there."""
    chosen = output_of(output_format, output)
    rows = rejected_rows(workspace_of(ctx), file=file, reason=reason)
    shown = rows.slice(0, limit or (100 if chosen.format is Format.table else rows.num_rows))
    more = rows.num_rows - shown.num_rows
    notes = [f"{more:,} more: raise --limit, or write all with --output rejected.csv."] if more else []
    if not rows.num_rows:
        notes = ["No rows were rejected."]
    write_table(_shortened(shown) if chosen.format is Format.table else shown, chosen, notes=notes)


def _shortened(rows: pa.Table) -> pa.Table:
    """For the terminal: the sentence is in the docs under its code, and long rows are cut."""
    raw = [_cut(text or "") for text in rows["raw"].to_pylist()]
    return rows.drop_columns(["detail", "raw"]).append_column("raw", pa.array(raw, pa.string()))


def _cut(text: str) -> str:
    return text if len(text) <= _WORD_LIMIT else f"{text[:_WORD_LIMIT]}…"


class _RowsPerSecond(TextColumn):
    """Rows a second since the file was begun."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task) -> Text:  # type: ignore[no-untyped-def]
        rows, seconds = task.fields.get("rows", 0), task.elapsed or 0
        return Text(f"{rows / seconds:,.0f} rows/s" if seconds > 0.5 else "", style="cyan")


class _Show:
    """Passes an import's progress on to the bars."""

    def __init__(self, bars: Progress | None) -> None:
        self._bars = bars
        self._tasks: dict[Path, TaskID] = {}

    def __call__(self, path: Path, done_ratio: float, rows: int) -> None:
        if self._bars is None:
            return
        if path not in self._tasks:
            self._tasks[path] = self._bars.add_task(path.name, total=1.0, rows=0)
        self._bars.update(self._tasks[path], completed=done_ratio, rows=rows)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[_Show]:
    """Progress bars on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield _Show(None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), _RowsPerSecond(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Show(bars)


def _tell_report(report: ImportReport, folder: Path) -> None:
    table = pa.table(
        {
            "file": [Path(file.path).name for file in report.files],
            "read as": [_format_text(file) for file in report.files],
            "rows": [file.rows for file in report.files],
            "events added": [file.events for file in report.files],
            "already there": [file.duplicates for file in report.files],
            "rejected": [file.rejected for file in report.files],
        }
    )
    write_table(table, Output(Format.table), notes=_advice(report.files, folder))


def _format_text(file: FileReport) -> str:
    return f"{file.format} ({file.source})" if file.source != file.format else file.format


def _advice(files: Sequence[FileReport], folder: Path) -> list[str]:
    """What the numbers mean, and what to do next."""
    notes = []
    for file in files:
        name = Path(file.path).name
        if file.unchanged:
            notes.append(f"{name} had been imported before: nothing was added.")
        if file.retracted:
            notes.append(f"{name}: {file.retracted:,} events of earlier imports were taken back.")
        if file.spend_rows:
            notes.append(f"{name}: {file.spend_rows:,} rows of ad spend.")
    if any(file.rejected for file in files):
        notes.append(f"See why rows were rejected:  percorso -w {folder} rejected")
    if any(file.events or file.retracted for file in files):
        notes.append(f"Make journeys of the events:  percorso -w {folder} build")
    return notes


def _tell_previews(previews: Sequence[Preview], as_json: bool) -> None:
    if as_json:
        body = [preview.as_dict() for preview in previews]
        write_json({"dry_run": True, "files": body, "events": sum(preview.event_count for preview in previews)})
        return
    for preview in previews:
        _tell_preview(preview)


def _tell_preview(preview: Preview) -> None:
    typer.echo(f"{preview.path}: format {preview.format}, source {preview.source}")
    if preview.mapping:
        typer.echo(f"\nMapping{' (proposed)' if preview.reasons else ''}:\n\n{preview.mapping.rstrip()}")
    typer.echo("")
    write_table(preview.events, Output(Format.table), title="The first events:")
    if preview.rejects:
        rejects = pa.table(
            {
                "line": [reject.line for reject in preview.rejects],
                "reason": [reject.reason for reject in preview.rejects],
                "raw": [_cut(reject.raw) for reject in preview.rejects],
            }
        )
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in preview.rejected_by_reason.items())
        typer.echo("")
        write_table(rejects, Output(Format.table), title="Rows that would be rejected:", notes=[f"In all: {reasons}."])
    what = "rows of ad spend" if preview.format == "ad-costs" else "events"
    typer.echo(
        f"\n{preview.rows:,} rows would give {preview.event_count:,} {what}; {preview.rejected:,} would be rejected."
    )
    typer.echo("Nothing was written.")
