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

from percorso.cli.context import command_line, words_of, workspace_of
from percorso.cli.output import Format, Layout, Output, write_json, write_table
from percorso.cli.preview import tell_previews
from percorso.errors import MappingError, UserError
from percorso.language.said import said
from percorso.language.words import Words
from percorso.services.import_preview import preview_files
from percorso.services.import_request import plan_request
from percorso.services.imports import FileReport, ImportReport, ImportRequest, import_files
from percorso.services.workspace import Workspace

__all__ = ["register"]

_LAYOUT = Layout(secondary=("read as",))

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
    workspace, words = workspace_of(ctx), words_of(ctx)
    request = ImportRequest(tuple(files), format_name, mapping, source, replace, save_mapping, again)
    _check_mappings(workspace, request)
    with _keeping(save_mapping, words), _progress(words, quiet=as_json) as show:
        if dry_run:
            previews = preview_files(workspace, request, show)
        else:
            report = import_files(workspace, request, show)
    if dry_run:
        tell_previews(previews, workspace, words, as_json=as_json)
    elif as_json:
        write_json(report.as_dict())
    else:
        _tell_report(report, command_line(ctx), words)


def _check_mappings(workspace: Workspace, request: ImportRequest) -> None:
    """Refuse a mapping file that is not there, and one to be kept where another one is: that may be somebody's work."""
    if request.mapping is not None and not request.mapping.is_file():
        raise MappingError(
            said("errors.mapping_not_found", file=str(request.mapping)), hint=said("errors.mapping_not_found_hint")
        )
    kept = request.save_mapping
    if kept is None or not kept.exists():
        return
    texts = {planned.toml for planned in plan_request(workspace, replace(request, save_mapping=None))}
    if not kept.is_file() or kept.read_bytes() not in {text.encode() for text in texts}:
        raise UserError(
            said("errors.mapping_exists", file=str(kept)),
            hint=said("errors.mapping_exists_hint", file=str(kept)),
        )


@contextmanager
def _keeping(mapping: Path | None, words: Words) -> Iterator[None]:
    """Say that the mapping was kept, also where the import was then refused."""
    try:
        yield
    finally:
        if mapping is not None and mapping.is_file():
            typer.echo(words.text("imports.mapping_kept", file=str(mapping)), err=True)


class _RowsPerSecond(TextColumn):
    """Rows a second since the file was begun."""

    def __init__(self, words: Words) -> None:
        super().__init__("")
        self._words = words

    def render(self, task) -> Text:  # type: ignore[no-untyped-def]
        rows, seconds = task.fields.get("rows", 0), task.elapsed or 0
        speed = self._words.text("build.rows_a_second", n=round(rows / seconds)) if seconds > 0.5 else ""
        return Text(speed, style="cyan")


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
def _progress(words: Words, *, quiet: bool) -> Iterator[_Show]:
    """Progress bars on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield _Show(None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), _RowsPerSecond(words), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Show(bars)


def _tell_report(report: ImportReport, command: str, words: Words) -> None:
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
    notes = _advice(report.files, command, words)
    write_table(table, Output(Format.table), layout=_LAYOUT, notes=notes, words=words)


def _format_text(file: FileReport) -> str:
    return f"{file.format} ({file.source})" if file.source != file.format else file.format


def _advice(files: Sequence[FileReport], command: str, words: Words) -> list[str]:
    """What the numbers mean, and what to do next."""
    notes = [note for file in files for note in _notes_of(file, words)]
    if any(file.rejected for file in files):
        notes.append(words.text("imports.see_rejected", command=f"{command} rejected"))
    if any(file.events or file.retracted for file in files):
        notes.append(words.text("imports.build_next", command=f"{command} build"))
    return notes


def _notes_of(file: FileReport, words: Words) -> Iterator[str]:
    """What is to be known of a file."""
    name = Path(file.path).name
    if file.unchanged:
        yield words.text("imports.unchanged", name=name)
    if file.lines_above and file.header_line:
        yield words.text("imports.lines_above", name=name, n=file.lines_above, line=str(file.header_line))
    elif file.lines_above:
        yield words.text("imports.lines_above_headers", name=name, n=file.lines_above)
    if file.retracted:
        yield words.text("imports.retracted", name=name, n=file.retracted)
    if file.import_again:
        yield words.text("imports.again", name=name, files=_again_text(file, words))
    if file.suppressed:
        yield words.text("imports.suppressed", name=name, n=file.suppressed)
    if file.spend_rows:
        yield words.text("imports.of_file", name=name, what=words.text("imports.spend_rows", n=file.spend_rows))
    if file.catalogue_rows:
        yield words.text("imports.of_file", name=name, what=words.text("imports.catalogue_rows", n=file.catalogue_rows))
    if file.stock_rows:
        yield words.text("imports.of_file", name=name, what=words.text("imports.stock_rows", n=file.stock_rows))


def _again_text(file: FileReport, words: Words) -> str:
    shown = ", ".join(file.import_again[:_MOST_FILES])
    more = len(file.import_again) - _MOST_FILES
    return words.text("imports.again_more", files=shown, n=more) if more > 0 else shown
