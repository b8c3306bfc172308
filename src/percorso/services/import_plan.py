"""How a file will be imported: its format, its source, its mapping."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from percorso.errors import FileError, MappingError, UserError, nearest_hint
from percorso.events.columns import flat_table
from percorso.events.conversion import Converted, LineFormat, TableChunk
from percorso.events.formats import FORMATS, PathsFormat, SourceInfo, source_info
from percorso.events.formats.catalogue import CatalogueFormat, StockFormat
from percorso.events.formats.table import TableMapping
from percorso.events.mapping import Mapping as FileMapping
from percorso.events.mapping import check_columns
from percorso.events.mapping_file import SOURCE_NAME, parse_mapping
from percorso.events.readers import FileStamp, InputFile, Member, file_stamp
from percorso.events.side_rows import SideRows
from percorso.language.said import said
from percorso.services.workspace import Workspace

__all__ = [
    "FilePlan",
    "RowFormat",
    "check_unchanged",
    "checked_source",
    "content_hash",
    "flat_columns",
    "plan_file",
    "read_mapping",
]

_HASH_BLOCK = 1 << 22
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RowFormat(Protocol):
    """A format of tables: of events, or of rows beside them."""

    name: str

    def convert(self, chunk: TableChunk) -> Converted | SideRows: ...


@dataclass(frozen=True, slots=True)
class FilePlan:
    """One file, and what will be done with it. Exactly one of `lines` and `table` is there.

    Rows of equal cells in the columns `group_by` belong together. `joined` are the files that prepare.sql
    reads beside the imported one, by the names it has for them.
    """

    file: InputFile
    format: str
    source: SourceInfo
    mapping: FileMapping | None
    fingerprint: str  # equal for equal ways to read a file
    lines: LineFormat | None = None
    table: RowFormat | None = None
    group_by: tuple[str, ...] = ()
    joined: Mapping[str, Path] = field(default_factory=dict)
    stamps: Mapping[Path, FileStamp] = field(default_factory=dict)  # of all files to read, when they were looked into
    latest_us: int | None = None  # rows dated later are rejected, unless they say when they arrived
    aliases: Mapping[str, str] = field(default_factory=dict)  # the workspace's own names of events


def read_mapping(workspace: Workspace, path: Path, *, source: str = "") -> FileMapping:
    """A mapping file; `source` takes the place of the source it names.

    Raises
    ------
    MappingError
        It is missing or wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(
            said("errors.mapping_not_read", file=str(path)), hint=said("errors.mapping_not_read_hint")
        ) from error
    mapping = parse_mapping(text, where=path.name, own_types=workspace.settings.identity.own_types)
    return replace(mapping, source=checked_source(source)) if source else mapping


def checked_source(name: str) -> str:
    """A source's name from the command line.

    Raises
    ------
    MappingError
        It cannot be one.
    """
    if not SOURCE_NAME.fullmatch(name):
        raise MappingError(said("errors.no_source_name", name=name), hint=said("errors.no_source_name_hint"))
    return name


def plan_file(
    workspace: Workspace,
    file: InputFile,
    *,
    format_name: str,
    mapping: FileMapping | None,
    source: str = "",
    now: datetime,
) -> FilePlan:
    """Decide how to import a file.

    Parameters
    ----------
    workspace : Workspace
    file : InputFile
    format_name : str
        "table", "paths" or a key of `FORMATS`.
    mapping : Mapping, optional
        For "table" and "paths".
    source : str
        Name of the source, for formats without a mapping; "" takes the format's.
    now : datetime
        The import's clock.

    Raises
    ------
    MappingError
        The mapping does not fit the file, or there is none where one is needed.
    UserError
        There is no such format, or the file cannot have it.
    """
    latest_us = _microseconds(now) + workspace.settings.imports.future_limit_us
    if mapping is not None:
        return _mapped(workspace, file, mapping, latest_us)
    entry = FORMATS.get(format_name)
    if entry is None:
        raise UserError(
            said("errors.no_format", format=format_name), hint=nearest_hint(format_name, ("auto", "table", *FORMATS))
        )
    info = source_info(checked_source(source or format_name), entry.default_kind)
    plan = FilePlan(
        file,
        format_name,
        info,
        None,
        _fingerprint(format_name, info, None),
        stamps={file.path: file.stamp},
        latest_us=latest_us,
        aliases=workspace.settings.aliases,
    )
    if file.shape == "ndjson" and entry.lines is not None:
        return replace(plan, lines=entry.lines(workspace.settings, info))
    if entry.table is not None and (file.shape != "ndjson" or entry.lines is None):
        return replace(plan, table=entry.table(workspace.settings, info), group_by=entry.group_by)
    raise UserError(said("errors.format_shape", file=file.path.name, shape=file.shape.upper(), format=format_name))


def _microseconds(now: datetime) -> int:
    return (now - _EPOCH) // timedelta(microseconds=1)


def _mapped(workspace: Workspace, file: InputFile, mapping: FileMapping, latest_us: int) -> FilePlan:
    if not mapping.prepare_sql and file.shape != "ndjson":
        for member in file.members:
            check_columns(mapping, flat_columns(member), where=file.path.name)
    info = source_info(mapping.source, mapping.kind, id_space=mapping.id_space, ref_space=mapping.ref_space)
    made = _row_format(workspace, mapping, info, latest_us)
    name = made.name
    group_by = mapping.items.group_by if mapping.items else ()
    joined = {key: file.path.parent / other for key, other in mapping.prepare_tables.items()}
    stamps = {file.path: file.stamp} | {path: file_stamp(path) for path in joined.values()}
    fingerprint = _fingerprint(name, info, mapping, *(content_hash(path) for path in joined.values()))
    return FilePlan(
        file,
        name,
        info,
        mapping,
        fingerprint,
        table=made,
        group_by=group_by,
        joined=joined,
        stamps=stamps,
        latest_us=latest_us,
        aliases=workspace.settings.aliases,
    )


def _row_format(workspace: Workspace, mapping: FileMapping, info: SourceInfo, latest_us: int) -> RowFormat:
    settings = workspace.settings
    if mapping.paths is not None:
        return PathsFormat(settings, info, mapping.paths)
    if mapping.side is not None:
        made = CatalogueFormat if mapping.side.table == "catalogue" else StockFormat
        return made(settings, info, mapping.side.fields)
    return TableMapping(settings, mapping, latest_us=latest_us)


def check_unchanged(plan: FilePlan) -> None:
    """Make sure that what was read is what was hashed.

    Raises
    ------
    FileError
        A file was written to since it was looked into.
    """
    for path, stamp in plan.stamps.items():
        if file_stamp(path) != stamp:
            raise FileError(
                said("errors.file_changed", file=path.name),
                hint=said("errors.file_changed_hint"),
            )


def flat_columns(member: Member) -> Iterable[str]:
    """Columns as mappings name them: members of Parquet structs with points."""
    if member.schema is None:
        return member.columns
    return tuple(flat_table(member.schema.empty_table()).column_names)


def content_hash(path: Path) -> str:
    """Hash of a file's bytes, hexadecimal.

    Raises
    ------
    FileError
        It cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(path, "rb") as stream:
            while block := stream.read(_HASH_BLOCK):
                digest.update(block)
    except OSError as error:
        raise FileError(said("errors.not_read", file=str(path), reason=str(error.strerror))) from error
    return digest.hexdigest()


def _fingerprint(format_name: str, source: SourceInfo, mapping: FileMapping | None, *joined: str) -> str:
    parts = [format_name, source.name, source.kind, source.id_space, source.ref_space, *joined]
    text = json.dumps([*parts, mapping.canonical() if mapping else ""])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
