"""The lake as rows that say all of themselves: the first step of a build on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.exchange import Piece, split_rows
from percorso.events.event import WEAK_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.rows import OWNING_REFERENCES
from percorso.identity.rules import coupon_test
from percorso.identity.scan import BATCH_ROWS, CODED_SCAN, RowScanner
from percorso.identity.spread.rows import ROW_SCHEMA, hash_array, key_words, part_of_keys
from percorso.identity.tables import IdentifierTable, ReferenceTable, SetTable, strong_types
from percorso.settings import Settings
from percorso.store.columns import as_strings, hash_column, strings_from_buffers
from percorso.store.lake import LakeFile
from percorso.store.mapped import group_rows, open_parquet

__all__ = ["LakePart", "lake_parts", "read_part", "scan_parts"]

ROWS = "rows"


@dataclass(frozen=True, slots=True)
class LakePart:
    """Rows of a file of the lake that one task reads.

    Attributes
    ----------
    file : LakeFile
    groups : tuple of int
        Row groups of the file, following each other.
    start : int
        Number of the first row, as the build counts the rows of the lake.
    rows : int
    """

    file: LakeFile
    groups: tuple[int, ...]
    start: int
    rows: int


def lake_parts(files: Sequence[LakeFile], most_rows: int) -> list[list[LakePart]]:
    """The lake dealt out to tasks: neighbouring parts of at most `most_rows` rows, if no row group has more."""
    tasks: list[list[LakePart]] = []
    filled, start = 0, 0
    for file in files:
        for groups, rows in _cuts(file, most_rows):
            if not tasks or filled + rows > most_rows:
                tasks.append([])
                filled = 0
            tasks[-1].append(LakePart(file, groups, start, rows))
            filled, start = filled + rows, start + rows
    return tasks


def _cuts(file: LakeFile, most_rows: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """Runs of row groups of a file, and their rows."""
    sizes = group_rows(file.path)
    run: list[int] = []
    for group, size in enumerate(sizes):
        if run and sum(sizes[one] for one in run) + size > most_rows:
            yield tuple(run), sum(sizes[one] for one in run)
            run = []
        run.append(group)
    if run:
        yield tuple(run), sum(sizes[one] for one in run)


def read_part(
    part: LakePart, columns: Sequence[str], *, coded: Sequence[str], wanted: npt.NDArray[np.int64] | None = None
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches of a part of the lake, each with the number of its first row.

    Parameters
    ----------
    part : LakePart
    columns, coded : sequence of str
        What is read, and what of it as dictionaries.
    wanted : int64, shape (n,), optional
        Numbers of rows, ascending: row groups without any of them are passed over.
    """
    at = part.start
    with open_parquet(part.file.path, coded=coded) as parquet:
        for group in part.groups:
            end = at + parquet.metadata.row_group(group).num_rows
            if wanted is None or np.diff(np.searchsorted(wanted, (at, end)))[0]:
                first = at
                for batch in parquet.iter_batches(BATCH_ROWS, row_groups=[group], columns=list(columns)):
                    yield first, batch
                    first += batch.num_rows
            at = end


def scan_parts(
    tasks: Sequence[Sequence[LakePart]], settings: Settings, sources: Sequence[str], n_parts: int
) -> Callable[[int], Iterator[Piece]]:
    """What a task makes of its parts of the lake: their rows, by message key."""

    def scan(task: int) -> Iterator[Piece]:
        for part in tasks[task]:
            rows = _scanned(part, settings, sources.index(part.file.source))
            yield from split_rows(ROWS, rows, part_of_keys(key_words(rows.column("key"))[0], n_parts), n_parts)

    return scan


def _scanned(part: LakePart, settings: Settings, source: int) -> pa.Table:
    identity = settings.identity
    rules, kinds = IdentifierRules(identity, settings.workspace.country), strong_types(identity.own_types)
    scanner = RowScanner(
        kinds=kinds,
        aliases=settings.aliases,
        coupons=coupon_test(identity.single_use_coupons),
        strong=IdentifierTable(rules, kinds),
        weak=IdentifierTable(rules, WEAK_COLUMNS),
        sets=SetTable(),
        references=ReferenceTable(rules),
        pairs=[],
    )
    found = [
        _table(scanner, scanner.arrays(part.file, batch, source, 0), batch, first)
        for first, batch in read_part(part, scanner.columns(), coded=CODED_SCAN)
    ]
    return pa.concat_tables(found) if found else ROW_SCHEMA.empty_table()


def _table(
    scanner: RowScanner, arrays: dict[str, npt.NDArray[Any] | None], batch: pa.RecordBatch, first: int
) -> pa.Table:
    """Rows of a batch, their codes replaced by what they stand for."""
    n, sset = batch.num_rows, arrays["sset"]
    assert sset is not None
    there = sset >= 0
    used = np.unique(sset[there])
    members = _members(scanner, used)
    at = np.where(there, np.searchsorted(used, sset), 0)
    columns: dict[str, Any] = {
        "row": np.arange(first, first + n),
        "message_id": as_strings(batch.column("message_id")),
        "set": hash_array(_set_keys(members)[at] if len(used) else np.zeros((n, 2), np.uint64), there),
        "members": members.take(pa.array(at, mask=~there)),
        "stated": _stated(scanner, n),
    }
    for name in ("anonymous", "device"):
        columns[name] = _texts_of(scanner.weak, arrays[name])
    keys = scanner.references.keys
    for name in OWNING_REFERENCES:
        codes = arrays[name]
        codes = np.zeros(n, dtype=np.int32) if codes is None else codes
        columns[name] = hash_array(keys[codes - 1] if len(keys) else np.zeros((n, 2), np.uint64), codes > 0)
    for field in ROW_SCHEMA:
        if field.name not in columns:
            values = arrays[field.name]
            values = np.zeros(n, dtype=np.int64) if values is None else values
            columns[field.name] = (
                hash_array(values)
                if values.ndim == 2
                else pa.array(values.astype(field.type.to_pandas_dtype(), copy=False))
            )
    return pa.table([columns[field.name] for field in ROW_SCHEMA], schema=ROW_SCHEMA)


def _texts_of(table: IdentifierTable, codes: npt.NDArray[Any] | None) -> pa.StringArray:
    """Type, space and value of each identifier."""
    assert codes is not None
    every = table.identifiers()
    texts = strings_from_buffers(every.offsets.astype(np.int32), every.text)
    return texts.take(pa.array(np.maximum(codes, 0), mask=codes < 0))


def _members(scanner: RowScanner, used: npt.NDArray[np.int32]) -> pa.ListArray:
    """The identifiers of some sets, in the order of their priority."""
    starts, members = scanner.sets.sets()
    sizes = np.diff(starts)[used]
    offsets = np.append(0, np.cumsum(sizes)).astype(np.int32)
    inside = np.repeat(starts[used] - offsets[:-1], sizes) + np.arange(int(offsets[-1]))
    return pa.ListArray.from_arrays(pa.array(offsets), _texts_of(scanner.strong, members[inside]))


def _set_keys(members: pa.ListArray) -> npt.NDArray[np.uint64]:
    """A key of each set: of its members' texts in their order; uint64, shape (n_sets, 2)."""
    hashes = hash_column(members.values, tag=1)
    offsets = members.offsets.to_numpy()
    keys = np.zeros((len(members), 2), dtype=np.uint64)
    for place in range(int(np.diff(offsets).max(initial=0))):
        some = np.flatnonzero(np.diff(offsets) > place)
        mixed = hashes[offsets[some] + place]
        keys[some] = (keys[some] ^ mixed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xC2B2AE3D27D4EB4F)
        keys[some] ^= keys[some] >> np.uint64(29)
    return keys


def _stated(scanner: RowScanner, n: int) -> pa.ListArray:
    """The present and the former user id of alias messages of trusted sources; null on other rows."""
    pairs = np.array(scanner.pairs, dtype=np.int64).reshape(-1, 3)
    scanner.pairs.clear()
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    counts = np.bincount(pairs[:, 0], minlength=n) * 2
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    texts = _texts_of(scanner.strong, pairs[:, 1:].reshape(-1).astype(np.int32))
    return pa.ListArray.from_arrays(pa.array(offsets), texts, mask=pa.array(counts == 0))
