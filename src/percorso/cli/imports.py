"""`percorso import`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from percorso.cli.context import command_line, workspace_of
from percorso.cli.output import Format, Layout, Output, write_json, write_table
from percorso.cli.preview import tell_previews
from percorso.cli.texts import count_of
from percorso.errors import MappingError, UserError
from percorso.services.import_preview import preview_files
from percorso.services.import_request import plan_request
from percorso.services.imports import FileReport, ImportReport, ImportRequest, import_files
from percorso.services.workspace import Workspace

__all__ = ["register"]

_LAYOUT = Layout(secondary=("read as",))

_WORD_LIMIT = 60
_MOST_FILES = 10


def register(app: typer.Typer) -> None:
    """Add `import` to the command line."""
    app.command("import")(import_command)


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
        bool,
        typer.Option("--replace", help="Take back, in the same step, what an earlier import of this file brought."),
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Import as another source as well: rows count twice unless they are different events.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Import files: CSV (any delimiter, gz, zip), NDJSON (gz), Parquet.

    The format is recognised, and for other tables a mapping is proposed: look at
    it with --dry-run first.

    Each file is imported whole or not at all; importing it again adds nothing.
    """
    workspace = workspace_of(ctx)
    request = ImportRequest(tuple(files), format_name, mapping, source, replace, save_mapping, again)
    _check_mappings(workspace, request)
    with _keeping(save_mapping), _progress(quiet=as_json) as show:
        if dry_run:
            previews = preview_files(workspace, request, show)
        else:
            report = import_files(workspace, request, show)
    if dry_run:
        tell_previews(previews, workspace, as_json=as_json)
    elif as_json:
        write_json(report.as_dict())
    else:
        _tell_report(report, command_line(ctx))


def _check_mappings(workspace: Workspace, request: ImportRequest) -> None:
    """Refuse a mapping file that is not there, and one to be kept where another one is: that may be somebody's work."""
    if request.mapping is not None and not request.mapping.is_file():
        raise MappingError(f"Mapping file not found: {request.mapping}", hint="Give its path as seen from here.")
    kept = request.save_mapping
    if kept is None or not kept.exists():
        return
    texts = {planned.toml for planned in plan_request(workspace, replace(request, save_mapping=None))}
    if not kept.is_file() or kept.read_bytes() not in {text.encode() for text in texts}:
        raise UserError(
            f"{kept} exists and holds something else; nothing was done.",
            hint=f"Choose another name for --save-mapping, or use what is there with --mapping {kept}.",
        )


@contextmanager
def _keeping(mapping: Path | None) -> Iterator[None]:
    """Say that the mapping was kept, also where the import was then refused."""
    try:
        yield
    finally:
        if mapping is not None and mapping.is_file():
            typer.echo(f"Mapping kept in {mapping}", err=True)


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


def _tell_report(report: ImportReport, command: str) -> None:
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
    write_table(table, Output(Format.table), layout=_LAYOUT, notes=_advice(report.files, command))


def _format_text(file: FileReport) -> str:
    return f"{file.format} ({file.source})" if file.source != file.format else file.format


def _advice(files: Sequence[FileReport], command: str) -> list[str]:
    """What the numbers mean, and what to do next."""
    notes = []
    for file in files:
        name = Path(file.path).name
        if file.unchanged:
            notes.append(f"{name} had been imported before: nothing was added.")
        if file.lines_above:
            where = f" the header (line {file.header_line})" if file.header_line else " headers"
            notes.append(f"{name}: {count_of(file.lines_above, 'line')} above{where} left out.")
        if file.retracted:
            notes.append(f"{name}: {count_of(file.retracted, 'event')} of earlier imports taken back.")
        if file.import_again:
            notes.append(f"{name}: what was taken back had rows in common with other files; {_again_text(file)}")
        if file.suppressed:
            notes.append(f"{name}: {count_of(file.suppressed, 'row')} left out, of persons who were erased.")
        for rows, beside in (
            (file.spend_rows, "ad spend"),
            (file.catalogue_rows, "catalogue"),
            (file.stock_rows, "stock"),
        ):
            if rows:
                notes.append(f"{name}: {count_of(rows, 'row')} of {beside}.")
    if any(file.rejected for file in files):
        notes.append(f"See why rows were rejected:  {command} rejected")
    if any(file.events or file.retracted for file in files):
        notes.append(f"Make journeys of the events:  {command} build")
    return notes


def _again_text(file: FileReport) -> str:
    shown = ", ".join(file.import_again[:_MOST_FILES])
    more = len(file.import_again) - _MOST_FILES
    return f"import these again: {shown}{f' and {more} more (see --json)' if more > 0 else ''}."
