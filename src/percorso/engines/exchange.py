"""Rows on their way between tasks: the one thing that a build on a cluster asks of its engine.

An engine moves *pieces*: tables, each with a kind and the number of the part that it belongs to. A step brings the
pieces of each part together, cut smaller and in whatever order they come, and hands on others. What a step makes of its
pieces is a pure function of their rows, so that it may be worked out again elsewhere. Nothing else is left to the
engine: no expression, no order, no sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.kernels.sorting import group_rows

__all__ = [
    "Exchange",
    "Flow",
    "Piece",
    "Step",
    "by_kind",
    "decode_table",
    "encode_table",
    "joined",
    "sliced",
    "split_rows",
]


#: What an engine copies several times costs more than compressing it once.
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)


class Piece(NamedTuple):
    """Some rows on their way to a part."""

    kind: str
    part: int
    rows: pa.Table


#: What a part becomes: its number and its pieces in any order in, other pieces out.
Step: TypeAlias = Callable[[int, Iterable[Piece]], Iterator[Piece]]


class Flow(Protocol):
    """Pieces that tasks have made, or will make when somebody asks for them."""

    def only(self, *kinds: str) -> Flow:
        """The pieces of these kinds."""
        ...

    def beside(self, *others: Flow) -> Flow:
        """These pieces and those of others."""
        ...

    def step(self, work: Step, *, n_parts: int | None = None) -> Flow:
        """Bring the pieces of each part together; a part without a piece is not worked on.

        `n_parts` says up to where the parts of the pieces count, where that is another number than the engine's.
        """
        ...

    def kept(self) -> Flow:
        """The same pieces, worked out once for several readers; to be given up with `release`."""
        ...

    def release(self) -> None:
        """Nobody reads it any more."""
        ...

    def read(self) -> list[Piece]:
        """All pieces, here: for answers, never for rows of events."""
        ...


class Exchange(Protocol):
    """Where steps run.

    Attributes
    ----------
    n_parts : int
        As many parts has a flow: piece numbers count up to it.
    """

    @property
    def n_parts(self) -> int: ...

    def start(self, n_tasks: int, work: Callable[[int], Iterator[Piece]]) -> Flow:
        """The pieces that ``work(0)`` to ``work(n_tasks - 1)`` make, each in a task of its own."""
        ...


def split_rows(kind: str, rows: pa.Table, part: npt.NDArray[np.integer], n_parts: int) -> Iterator[Piece]:
    """Rows to their parts, int of shape (n_rows,); a negative part drops a row."""
    if not rows.num_rows:
        return
    order, offsets = group_rows(np.ascontiguousarray(part, dtype=np.int32), n_parts)
    together = rows.take(pa.array(order)) if len(order) else rows.slice(0, 0)
    for number in np.flatnonzero(np.diff(offsets)).tolist():
        start, end = int(offsets[number]), int(offsets[number + 1])
        yield Piece(kind, number, together.slice(start, end - start))


def sliced(piece: Piece, most_bytes: int) -> Iterator[Piece]:
    """The rows of a piece in pieces of about so many bytes: an engine holds some of them at a time."""
    n = piece.rows.num_rows
    most_rows = max(1, n * most_bytes // max(piece.rows.nbytes, 1))
    for start in range(0, max(n, 1), most_rows):
        yield Piece(piece.kind, piece.part, piece.rows.slice(start, most_rows))


def joined(pieces: Iterable[Piece], kind: str, schema: pa.Schema) -> pa.Table:
    """All rows of one kind as one table; an empty one where there are none."""
    tables = [piece.rows for piece in pieces if piece.kind == kind]
    return pa.concat_tables(tables).combine_chunks() if tables else schema.empty_table()


def encode_table(table: pa.Table) -> bytes:
    """A table as bytes of an Arrow stream, its metadata with it."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def decode_table(data: bytes | memoryview | pa.Buffer) -> pa.Table:
    """What `encode_table` was given."""
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()


def by_kind(pieces: Iterable[Piece], kinds: Sequence[str]) -> dict[str, list[pa.Table]]:
    """The tables of each kind."""
    found: dict[str, list[pa.Table]] = {kind: [] for kind in kinds}
    for piece in pieces:
        found[piece.kind].append(piece.rows)
    return found
