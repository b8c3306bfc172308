"""A file's pieces converted in several threads, handed on in file order."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from percorso.engines.prepare import PrepareLimits
from percorso.events.conversion import LineChunk, Reject
from percorso.events.formats.late import without_future
from percorso.events.formats.returns import returns_as_refunds
from percorso.events.side_rows import SideRows
from percorso.identity.identifiers import IdentifierRules
from percorso.services.import_pieces import Piece, pieces_of
from percorso.services.import_plan import FilePlan
from percorso.services.import_rows import PreparedRows, prepare_rows

__all__ = ["ConvertedChunk", "converted_chunks"]

T = TypeVar("T")
R = TypeVar("R")

_TABLE_THREADS = 2
#: Lines are parsed under Python's lock: two threads would take a third longer, in turns.
_LINE_THREADS = 1
_AHEAD = 4  # chunks being converted or waiting; bounds memory


@dataclass(frozen=True, slots=True)
class ConvertedChunk:
    """What became of one piece of a file: events or rows beside them, and rejects.

    `rows` counts what was read, `position_ratio` says how far in the file that was.
    """

    rows: int
    position_ratio: float
    rejected: list[Reject]
    member: str = ""
    events: PreparedRows | None = None
    side: SideRows | None = None


def converted_chunks(
    plan: FilePlan, rules: IdentifierRules, limits: PrepareLimits, *, sort: bool = False
) -> Iterator[ConvertedChunk]:
    """Read and convert a file, piece by piece.

    Parameters
    ----------
    plan : FilePlan
    rules : IdentifierRules
    limits : PrepareLimits
    sort : bool
        Bring rows of a group together first.

    Raises
    ------
    FileError
        The file is damaged; everything before it must be forgotten.
    ScatteredGroupsError
        Rows of one group do not stand together: begin anew, with `sort`.
    """
    threads = _LINE_THREADS if plan.lines is not None else _TABLE_THREADS
    return _in_order(lambda read: _convert(plan, read(), rules), pieces_of(plan, limits, sort=sort), threads)


def _convert(plan: FilePlan, piece: Piece, rules: IdentifierRules) -> ConvertedChunk:
    if isinstance(piece.chunk, LineChunk):
        assert plan.lines is not None
        made = plan.lines.convert(piece.chunk)
    else:
        assert plan.table is not None
        found = plan.table.convert(piece.chunk)
        if isinstance(found, SideRows):
            return _chunk(piece, found.rejected, side=found)
        made = found
    converted = without_future(returns_as_refunds(made, plan.aliases), piece.chunk, plan.latest_us)
    return _chunk(piece, converted.rejected, events=prepare_rows(converted, piece.chunk, rules=rules))


def _chunk(
    piece: Piece, rejected: Iterable[Reject], *, events: PreparedRows | None = None, side: SideRows | None = None
) -> ConvertedChunk:
    in_order = sorted([*piece.rejected, *rejected], key=lambda reject: reject.line)
    return ConvertedChunk(piece.rows, piece.position_ratio, in_order, piece.member, events, side)


def _in_order(convert: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """`convert` of each item, in their order, some of them at the same time.

    The first one is finished before others begin: formats may learn from it how the file is written.
    """
    waiting: deque[Future[R]] = deque()
    source = _generated(items)
    with ThreadPoolExecutor(threads, thread_name_prefix="import") as pool, closing(source):
        yield from (convert(item) for item in itertools.islice(source, 1))
        for item in source:
            waiting.append(pool.submit(convert, item))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _generated(items: Iterable[T]) -> Generator[T, None, None]:
    """The items as a generator, which can be closed: files must not stay open when an import fails."""
    yield from items
