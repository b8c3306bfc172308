"""From the rows of many blocks to files in order of time, without holding more than a week of them in memory.

Each block leaves one spool file: for each exported file and week the rows' times, lengths and texts. Since lengths are
known, weeks can be merged in any process and written to their places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np

from percorso.demo.days import DAY
from percorso.demo.files import FILES
from percorso.demo.scene import Rows
from percorso.demo.store import NUMBER

__all__ = ["Piece", "Spooled", "merge_week", "number_receipts", "spool"]

WEEK = 7 * DAY

_BY_TIME = itemgetter(0)
_NUMBER = NUMBER.encode()


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a week of a file lies in a block's spool: `n_rows` times (int64), lengths (int64), then the texts."""

    offset: int
    n_rows: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Spooled:
    """A block's spool file, and its pieces by (file, week)."""

    path: Path
    pieces: dict[tuple[str, int], Piece]


def spool(path: Path, rows: dict[str, Rows], end: int) -> Spooled:
    """Write a block's rows, those of the period, to its spool file."""
    pieces: dict[tuple[str, int], Piece] = {}
    with open(path, "wb") as out:
        for name, every in rows.items():
            every.sort(key=_BY_TIME)
            for week, some in _weeks(every, end):
                lengths, body = _encoded([text for _, text in some], FILES[name].encoding)
                pieces[name, week] = Piece(out.tell(), len(some), len(body))
                out.write(np.array([t for t, _ in some], np.int64).tobytes())
                out.write(np.array(lengths, np.int64).tobytes())
                out.write(body)
    return Spooled(path, pieces)


def _encoded(texts: list[str], encoding: str) -> tuple[list[int], bytes]:
    """Bytes of each text, and all of them."""
    joined = "".join(texts)
    if joined.isascii() or encoding == "cp1252":
        return list(map(len, texts)), joined.encode(encoding)
    parts = [text.encode(encoding) for text in texts]
    return list(map(len, parts)), b"".join(parts)


def _weeks(rows: Rows, end: int) -> Iterator[tuple[int, Rows]]:
    """Sorted rows by week; those before and after the period are left out."""
    times = np.array([t for t, _ in rows], np.int64)
    last = int(np.searchsorted(times, end))
    for week in range(-(-end // WEEK)):
        low, high = np.searchsorted(times[:last], (week * WEEK, (week + 1) * WEEK))
        if high > low:
            yield week, rows[int(low) : int(high)]


def _gather(name: str, week: int, spooled: Iterable[Spooled]) -> list[memoryview]:
    """The rows of a week of all blocks, in order of time, block and place; the texts lie in memory once."""
    found = [(block.path, piece) for block in spooled if (piece := block.pieces.get((name, week))) is not None]
    n_rows, n_bytes = sum(piece.n_rows for _, piece in found), sum(piece.n_bytes for _, piece in found)
    times, lengths, body = np.empty(n_rows, np.int64), np.empty(n_rows, np.int64), memoryview(bytearray(n_bytes))
    row = byte = 0
    for path, piece in found:
        with open(path, "rb") as source:
            source.seek(piece.offset)
            times[row : row + piece.n_rows] = np.frombuffer(source.read(8 * piece.n_rows), np.int64)
            lengths[row : row + piece.n_rows] = np.frombuffer(source.read(8 * piece.n_rows), np.int64)
            source.readinto(body[byte : byte + piece.n_bytes])
        row, byte = row + piece.n_rows, byte + piece.n_bytes
    order = np.argsort(times, kind="stable")
    ends = np.cumsum(lengths)
    starts = (ends - lengths)[order].tolist()
    return [body[low:high] for low, high in zip(starts, ends[order].tolist(), strict=True)]


def merge_week(path: Path, name: str, week: int, offset: int, spooled: Sequence[Spooled]) -> int:
    """Write a week of a file to its place; returns the number of rows."""
    rows = _gather(name, week, spooled)
    if rows:
        with open(path, "r+b", buffering=1 << 20) as out:
            out.seek(offset)
            out.writelines(rows)
    return len(rows)


def number_receipts(path: Path, weeks: int, spooled: Sequence[Spooled]) -> int:
    """Write the tills' file: the receipts of each till are numbered from 1 each morning; returns the receipts."""
    receipts = 0
    with open(path, "ab") as out:
        for week in range(weeks):
            numbers: dict[bytes, int] = {}
            for view in _gather("till", week, spooled):
                row = bytes(view)
                till = row[: row.index(_NUMBER)] if _NUMBER in row else row
                key = till.rsplit(b";", 2)[0]  # store, till, day
                numbers[key] = numbers.get(key, 0) + 1
                out.write(row.replace(_NUMBER, str(numbers[key]).encode()))
                receipts += 1
    return receipts
