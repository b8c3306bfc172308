"""The few things the lake asks of Delta: make a table, list its files, change files in one commit."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from percorso.errors import Corrupt, FormatTooNew
from percorso.store.files import (
    AnyPath,
    make_folder,
    may_have_files,
    relative_name,
    sync_newest,
    table_errors,
    table_options,
)
from percorso.store.lake_tables import LAKE_FORMAT, LakeTable
from percorso.store.parts import Part

__all__ = ["LiveFile", "commit_files", "live_files_of", "open_table", "partition_folder", "prepare_table"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMAT = re.compile(r"format (\d+)")

#: What is asked of each data file, beside its partition and the bounds of its statistics.
_FILE_COLUMNS = ("path", "num_records", "size_bytes")


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A data file of a table's current version. `ranges` as in `Part`."""

    path: AnyPath
    rows: int
    size: int
    partition: str
    ranges: dict[str, tuple[int, int]]


def open_table(lake: AnyPath, table: LakeTable) -> DeltaTable | None:
    """The current version of a table, or None if there is no such table yet.

    Raises
    ------
    FormatTooNew
        A newer Percorso wrote it.
    """
    folder = lake / table.name
    if not may_have_files(folder / "_delta_log"):
        return None
    try:
        delta = _open(folder)
    except FileNotFoundError:
        return None
    except DeltaError as error:
        raise Corrupt(
            f"The lake's table {table.name!r} cannot be read.", hint="Restore lake/ from a backup."
        ) from error
    found = _FORMAT.search(delta.metadata().description or "")
    if found is not None and int(found[1]) > LAKE_FORMAT:
        raise FormatTooNew(
            f"The lake has format {found[1]}; this Percorso knows formats up to {LAKE_FORMAT}.",
            hint="Use the Percorso that wrote it, or a newer one.",
        )
    return delta


def _open(folder: AnyPath) -> DeltaTable:
    """FileNotFoundError where there is no table."""
    with table_errors(folder):
        try:
            return DeltaTable(str(folder), storage_options=table_options(folder))
        except TableNotFoundError:
            raise FileNotFoundError(2, "No such table", str(folder)) from None


def prepare_table(lake: AnyPath, table: LakeTable, schema: pa.Schema) -> DeltaTable:
    """The table, made if missing; a table of an older format gains the columns it lacks."""
    delta = open_table(lake, table)
    if delta is None:
        make_folder(lake / table.name)
        with table_errors(lake):
            create_table_with_add_actions(
                str(lake / table.name),
                Schema.from_arrow(schema),
                [],
                mode="ignore",
                partition_by=table.partitions,
                name=table.name,
                description=f"Percorso {table.name}, format {LAKE_FORMAT}",
                storage_options=table_options(lake / table.name),
            )
        return _open(lake / table.name)
    known = {field.name for field in delta.schema().fields}
    missing = [field.with_nullable(True) for field in schema if field.name not in known]
    if missing:
        delta.alter.add_columns(Schema.from_arrow(pa.schema(missing)).fields)
        delta.alter.set_table_description(f"Percorso {table.name}, format {LAKE_FORMAT}")
    return delta


def live_files_of(lake: AnyPath, delta: DeltaTable, table: LakeTable) -> list[LiveFile]:
    """Data files of the version that `delta` has loaded, in the order of their partitions and paths."""
    folder = lake / table.name
    # Not pa.table(): it looks first whether this is a data frame, and imports pandas to find out.
    actions = pa.RecordBatchReader.from_stream(delta.get_add_actions(flatten=True)).read_all()
    bounds = [f"{end}.{name}" for end in ("min", "max") for name in table.statistics]
    of_partition = [f"partition.{table.partition}"] if table.partition else []
    wanted = {*_FILE_COLUMNS, *of_partition, *bounds}
    columns = {name: _plain(actions.column(name)) for name in actions.column_names if name in wanted}
    files = [_live_file(folder, table, row) for row in pa.table(columns).to_pylist()]
    return sorted(files, key=lambda file: (file.partition, str(file.path)))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times as µs UTC, dates as days: as integers, which `to_pylist` need not ask pandas about."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    return column.cast(pa.int32()) if pa.types.is_date(column.type) else column


def _live_file(folder: AnyPath, table: LakeTable, row: Mapping[str, object]) -> LiveFile:
    ranges = {}
    for name in table.statistics:
        least, greatest = row.get(f"min.{name}"), row.get(f"max.{name}")
        if isinstance(least, int) and isinstance(greatest, int):
            ranges[name] = (least, greatest)
    partition = row.get(f"partition.{table.partition}") if table.partition else ""
    rows, size = row["num_records"], row["size_bytes"]
    assert isinstance(rows, int)
    assert isinstance(size, int)
    return LiveFile(folder / unquote(str(row["path"])), rows, size, str(partition or ""), ranges)


def partition_folder(lake: AnyPath, table: LakeTable, partition: str) -> AnyPath:
    """Where files of a partition are written."""
    folder = lake / table.name
    return folder / f"{table.partition}={quote(partition, safe='')}" if table.partition else folder


def commit_files(
    lake: AnyPath,
    delta: DeltaTable,
    table: LakeTable,
    schema: pa.Schema,
    *,
    added: Iterable[tuple[Part, str]],
    removed: Sequence[LiveFile] = (),
    transactions: Mapping[str, int] | None = None,
) -> None:
    """Add and remove files and set app transactions, all in one commit that happens whole or not at all.

    Parameters
    ----------
    added : iterable of (Part, str)
        New files and their partitions.
    removed : sequence of LiveFile
    transactions : mapping of app id to version
    """
    folder = lake / table.name
    actions: list[AddAction | RemoveAction] = [_add(folder, table, schema, part, where) for part, where in added]
    actions += [_remove(folder, table, file) for file in removed]
    versions = [Transaction(name, version) for name, version in (transactions or {}).items()]
    with table_errors(folder):
        delta.create_write_transaction(
            actions,
            "append",
            Schema.from_arrow(schema),
            partition_by=table.partitions,
            commit_properties=CommitProperties(app_transactions=versions),
        )
    sync_newest(folder / "_delta_log", ".json")  # deltalake leaves that to the operating system


def _add(folder: AnyPath, table: LakeTable, schema: pa.Schema, part: Part, partition: str) -> AddAction:
    return AddAction(
        path=relative_name(part.path, folder),  # deltalake encodes it
        size=part.size,
        partition_values={table.partition: partition} if table.partition else {},
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=_statistics(schema, part),
    )


def _remove(folder: AnyPath, table: LakeTable, file: LiveFile) -> RemoveAction:
    return RemoveAction(
        path=relative_name(file.path, folder),
        data_change=True,
        deletion_timestamp=int(time.time() * 1000),
        size=file.size,
        partition_values={table.partition: file.partition} if table.partition else {},
    )


def _statistics(schema: pa.Schema, part: Part) -> str:
    least = {name: _as_json(schema.field(name).type, values[0]) for name, values in part.ranges.items()}
    greatest = {name: _as_json(schema.field(name).type, values[1]) for name, values in part.ranges.items()}
    return json.dumps({"numRecords": part.rows, "minValues": least, "maxValues": greatest, "nullCount": {}})


def _as_json(kind: pa.DataType, value: int) -> object:
    if pa.types.is_timestamp(kind):
        return (_EPOCH + timedelta(microseconds=value)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if pa.types.is_date(kind):
        return (_EPOCH.date() + timedelta(days=value)).isoformat()
    return value
