"""What a user asked to import, turned into one plan a file: format recognised, mapping read or proposed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from percorso.errors import MappingError, UserError, nearest_hint
from percorso.events.columns import flat_table
from percorso.events.conversion import LineChunk, TableChunk
from percorso.events.formats import FORMAT_NAMES
from percorso.events.formats.auto import recognise_lines, recognise_table
from percorso.events.formats.auto_mapping import Proposal, propose_mapping
from percorso.events.json_tables import lines_as_table
from percorso.events.line_reader import LineBlock
from percorso.events.mapping import Mapping
from percorso.events.readers import InputFile, blocks_of, open_input
from percorso.language.said import said
from percorso.services.import_plan import FilePlan, checked_source, plan_file, read_mapping
from percorso.services.input_paths import input_paths
from percorso.services.workspace import Workspace

__all__ = ["ImportRequest", "PlannedFile", "plan_request"]

_SAMPLE_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import, and how.

    Parameters
    ----------
    files : tuple of str
        Names, patterns, folders.
    format : str
        "auto" or one of `FORMAT_NAMES`.
    mapping : Path, optional
        Mapping file for tables and paths; without one, a mapping is proposed from each file and used.
    source : str
        Name of the source, in place of the mapping's or the format's.
    replace : bool
        Take back what the earlier import of the same file brought, and rows of its source with the same ids.
    save_mapping : Path, optional
        Where to keep the mapping that was used.
    again : bool
        Import the file although another source has it: its rows are different events there.
    now : datetime, optional
        The import's clock: rows dated well after it are rejected. Default: this moment.
    """

    files: tuple[str, ...]
    format: str = "auto"
    mapping: Path | None = None
    source: str = ""
    replace: bool = False
    save_mapping: Path | None = None
    again: bool = False
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A plan, its mapping as TOML ("" for formats without one), and the proposal it may come from."""

    plan: FilePlan
    toml: str = ""
    proposal: Proposal | None = None


def plan_request(workspace: Workspace, request: ImportRequest) -> list[PlannedFile]:
    """Plan every file of a request, and keep the mapping if that was asked for.

    Raises
    ------
    UserError
        A file cannot be read, there is no such format, or the mapping does not fit.
    """
    if request.format not in ("auto", *FORMAT_NAMES):
        raise UserError(
            said("errors.no_format", format=request.format), hint=nearest_hint(request.format, ("auto", *FORMAT_NAMES))
        )
    if request.mapping is not None and request.format not in ("auto", "table", "paths"):
        raise UserError(
            said("errors.format_takes_none", format=request.format), hint=said("errors.format_takes_none_hint")
        )
    planned = [_plan(workspace, path, request) for path in input_paths(request.files)]
    if request.save_mapping is not None:
        _save_mapping(request.save_mapping, planned)
    return planned


def _plan(workspace: Workspace, path: Path, request: ImportRequest) -> PlannedFile:
    now = request.now or datetime.now(UTC)
    if request.mapping is not None:
        mapping = read_mapping(workspace, request.mapping, source=request.source)
        toml = request.mapping.read_text(encoding="utf-8-sig")
        file = _opened(path, mapping)
        plan = plan_file(workspace, file, format_name=request.format, mapping=mapping, now=now)
        return PlannedFile(plan, _with_source(toml, request.source))
    file = open_input(path)
    name = _recognised(file) if request.format == "auto" else request.format
    if name not in ("table", "paths"):
        return PlannedFile(plan_file(workspace, file, format_name=name, mapping=None, source=request.source, now=now))
    proposal = propose_mapping(_sample(file), file.path.name, workspace.settings, header=file.header)
    source = checked_source(request.source) if request.source else proposal.mapping.source
    plan = plan_file(workspace, file, format_name=name, mapping=replace(proposal.mapping, source=source), now=now)
    return PlannedFile(plan, _with_source(proposal.toml, request.source), proposal)


def _opened(path: Path, mapping: Mapping) -> InputFile:
    """The file, with its header where the mapping says."""
    file = open_input(path, header_line=mapping.header_line)
    if mapping.header_line and file.shape != "csv":
        raise MappingError(
            said("errors.header_of_no_csv", file=path.name, shape=file.shape.upper()),
            hint=said("errors.header_of_no_csv_hint"),
        )
    return file


def _recognised(file: InputFile) -> str:
    if file.shape == "ndjson":
        block = next(blocks_of(file), None)
        return recognise_lines(block.texts) if isinstance(block, LineBlock) else "table"
    member = file.members[0]
    return recognise_table(member.columns, member.schema)


def _sample(file: InputFile) -> TableChunk:
    """The first rows, for a proposal."""
    for block in islice(blocks_of(file), 1):
        chunk = block.read()
        if isinstance(chunk, LineChunk):
            return lines_as_table(LineChunk(chunk.texts[:_SAMPLE_ROWS], chunk.lines[:_SAMPLE_ROWS]))[0]
        table = chunk[0].table
        return TableChunk(flat_table(table).slice(0, _SAMPLE_ROWS), chunk[0].lines[:_SAMPLE_ROWS], chunk[0].raw)
    raise MappingError(said("errors.no_rows", file=file.path.name), hint=said("errors.no_rows_hint"))


def _with_source(toml: str, source: str) -> str:
    """The mapping with another source's name."""
    return re.sub(r"(?m)^source\s*=.*$", f'source = "{source}"', toml, count=1) if source else toml


def _save_mapping(path: Path, planned: list[PlannedFile]) -> None:
    texts = {each.toml for each in planned}
    if "" in texts:
        raise UserError("There is no mapping to save.", hint="Only tables and paths are read through one.")
    if len(texts) > 1:
        raise UserError("The files have different mappings.", hint="Save them one by one.")
    try:
        path.write_text(texts.pop(), encoding="utf-8")
    except OSError as error:
        raise UserError(f"The mapping cannot be written to {path}: {error.strerror}.") from error
