"""A file cut into pieces that can be converted one by one: as read, prepared by SQL, or with groups kept whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from percorso.engines.prepare import PrepareLimits, prepared_tables
from percorso.events.conversion import LineChunk, Reject, TableChunk
from percorso.events.formats.table_items import whole_groups
from percorso.events.json_tables import lines_as_table
from percorso.events.line_reader import LineBlock
from percorso.events.mapping import check_columns
from percorso.events.prepared_rows import from_prepared, number_cells, to_prepare
from percorso.events.readers import Block, blocks_of, open_input
from percorso.services.import_plan import FilePlan

__all__ = ["Piece", "pieces_of"]

#: A row of aggregated paths may stand for thousands of events.
_PATH_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a file, and the rejects of reading them.

    `rows` counts rows of the file, which [prepare] and groups hand on earlier or later than they were read.
    """

    chunk: TableChunk | LineChunk
    rows: int
    position_ratio: float
    member: str = ""
    rejected: list[Reject] = field(default_factory=list)


def pieces_of(plan: FilePlan, limits: PrepareLimits, *, sort: bool) -> Iterator[Callable[[], Piece]]:
    """The file's pieces in order, each read when it is called, which may be in another thread.

    Parameters
    ----------
    plan : FilePlan
    limits : PrepareLimits
    sort : bool
        Bring rows of a group together first.

    Raises
    ------
    ScatteredGroupsError
        Rows of one group do not stand together, and `sort` is not set.
    """
    sql = plan.mapping.prepare_sql if plan.mapping else ""
    if not sql and not plan.group_by:
        blocks = blocks_of(plan.file)
        return _small(plan, blocks) if plan.format == "paths" else (_reading(plan, block) for block in blocks)
    pieces: Iterator[Piece] = (_read(plan, block) for block in blocks_of(plan.file))
    if sql or sort:
        pieces = _prepared(plan, pieces, sql, plan.group_by if sort else (), limits)
    return (_given(piece) for piece in (_grouped(pieces, plan.group_by) if plan.group_by else pieces))


def _reading(plan: FilePlan, block: Block) -> Callable[[], Piece]:
    return lambda: _read(plan, block)


def _given(piece: Piece) -> Callable[[], Piece]:
    return lambda: piece


def _read(plan: FilePlan, block: Block) -> Piece:
    if not isinstance(block, LineBlock):
        chunk, rejected = block.read()
        return Piece(chunk, block.rows, block.position_ratio, block.member, rejected)
    lines = block.read()
    if plan.lines is not None:
        return Piece(lines, block.rows, block.position_ratio, block.member)
    table, rejected = lines_as_table(lines)
    return Piece(table, block.rows, block.position_ratio, block.member, rejected)


def _small(plan: FilePlan, blocks: Iterable[Block]) -> Iterator[Callable[[], Piece]]:
    """Pieces of few rows; what was read is told with the first."""
    for block in blocks:
        piece = _read(plan, block)
        assert isinstance(piece.chunk, TableChunk)
        for start in range(0, max(1, piece.chunk.table.num_rows), _PATH_ROWS):
            part = _slice(piece.chunk, start, _PATH_ROWS)
            first = start == 0
            yield _given(
                replace(piece, chunk=part, rows=piece.rows if first else 0, rejected=piece.rejected if first else [])
            )


def _slice(chunk: TableChunk, start: int, rows: int) -> TableChunk:
    return TableChunk(chunk.table.slice(start, rows), chunk.lines[start : start + rows], lambda i: chunk.raw(i + start))


class _Told:
    """What was read but not yet told to anybody: row counts, rejects, place in the file."""

    def __init__(self) -> None:
        self._waiting: deque[Piece] = deque()

    def add(self, piece: Piece) -> TableChunk:
        assert isinstance(piece.chunk, TableChunk)
        self._waiting.append(piece)
        return piece.chunk

    def take(self, chunk: TableChunk) -> Piece:
        """A piece of these rows that tells everything not told so far."""
        pieces = [self._waiting.popleft() for _ in range(len(self._waiting))]
        return Piece(
            chunk,
            sum(piece.rows for piece in pieces),
            pieces[-1].position_ratio if pieces else 1.0,
            pieces[-1].member if pieces else "",
            [reject for piece in pieces for reject in piece.rejected],
        )

    def rest(self) -> Iterator[Piece]:
        """What remains when there are no more rows."""
        if self._waiting:
            chunk = self._waiting[0].chunk
            assert isinstance(chunk, TableChunk)
            yield self.take(_slice(chunk, 0, 0))


def _grouped(pieces: Iterable[Piece], group_by: Sequence[str]) -> Iterator[Piece]:
    told = _Told()
    for chunk in whole_groups((told.add(piece) for piece in pieces), group_by):
        yield told.take(chunk)
    yield from told.rest()


def _prepared(
    plan: FilePlan, pieces: Iterable[Piece], sql: str, group_by: Sequence[str], limits: PrepareLimits
) -> Iterator[Piece]:
    told = _Told()
    numbers = number_cells(plan.mapping) if plan.mapping and sql else {}

    def rows() -> Iterator[pa.Table]:
        for piece in pieces:
            assert isinstance(piece.chunk, TableChunk)
            table, rejected = to_prepare(piece.chunk, numbers)
            told.add(replace(piece, rejected=sorted([*piece.rejected, *rejected], key=lambda reject: reject.line)))
            yield table

    first_row = 1
    tables = {"file": rows()} | {name: _rows_of(path) for name, path in plan.joined.items()}
    for table in prepared_tables(tables, sql=sql, group_by=group_by, limits=limits):
        if first_row == 1 and plan.mapping is not None:
            check_columns(plan.mapping, table.column_names, where="What prepare.sql makes")
        yield told.take(from_prepared(table, first_row))
        first_row += table.num_rows
    yield from told.rest()


def _rows_of(path: Path) -> Iterator[pa.Table]:
    """Rows of a file that prepare.sql joins; those that cannot be read are left out."""
    for block in blocks_of(open_input(path)):
        chunk = lines_as_table(block.read()) if isinstance(block, LineBlock) else block.read()
        yield chunk[0].table
