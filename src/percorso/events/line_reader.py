"""NDJSON files, and JSON arrays, in blocks of whole values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.errors import FileError
from percorso.events.conversion import LineChunk
from percorso.events.streams import TextStream, as_utf8
from percorso.kernels.json_values import scan_elements

__all__ = ["LineBlock", "array_blocks", "line_blocks"]

CHUNK_ROWS = 16_384

#: A value that goes on after so much is taken for a damaged file.
_LONGEST_VALUE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class LineBlock:
    """JSON values, one after the other, not parsed yet."""

    texts: list[bytes]
    lines: npt.NDArray[np.int64]
    member: str = ""
    position_ratio: float = 0.0

    @property
    def rows(self) -> int:
        return len(self.texts)

    def read(self) -> LineChunk:
        """The values as UTF-8."""
        joined = b"".join(self.texts)
        clean = self.texts if joined.isascii() or _is_utf8(joined) else [as_utf8(text) for text in self.texts]
        return LineChunk(clean, self.lines)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def line_blocks(text: TextStream, *, member: str = "") -> Iterator[LineBlock]:
    """The lines that are not blank, up to `CHUNK_ROWS` at a time."""
    held, line = b"", 1
    for block in text.blocks():
        whole, cut, rest = (held + block).rpartition(b"\n")
        if cut:
            found = whole.split(b"\n")
            yield from _pieces(found, line, text, member)
            line += len(found)
        held = rest
    if held:
        yield from _pieces([held], line, text, member)


def _pieces(found: list[bytes], first_line: int, text: TextStream, member: str) -> Iterator[LineBlock]:
    for at in range(0, len(found), CHUNK_ROWS):
        stripped = [line.strip() for line in found[at : at + CHUNK_ROWS]]
        kept = [i for i, line in enumerate(stripped) if line]
        if kept:
            lines = np.array(kept, np.int64) + (first_line + at)
            yield LineBlock([stripped[i] for i in kept], lines, member, text.position_ratio())


def array_blocks(text: TextStream, *, member: str = "") -> Iterator[LineBlock]:
    """The elements of a JSON array, up to `CHUNK_ROWS` at a time.

    Raises
    ------
    FileError
        The array does not end.
    """
    blocks = text.blocks()
    held = next(blocks, b"")
    opening = held.index(b"[") + 1
    line = 1 + held.count(b"\n", 0, opening)
    held = held[opening:]
    while True:
        starts, ends, lines, size, used, ended = _scan(held)
        if len(starts):
            texts = [held[s:e] for s, e in zip(starts.tolist(), ends.tolist(), strict=True)]
            yield LineBlock(texts, lines + line, member, text.position_ratio())
        held, line = held[size:], line + used
        if ended:
            return
        if len(starts) < CHUNK_ROWS:
            more = next(blocks, b"")
            if not more or len(held) > _LONGEST_VALUE_BYTES:
                raise FileError(f"The JSON list in {text.path.name} does not end; nothing of it was imported.")
            held += more


def _scan(
    data: bytes,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], int, int, bool]:
    starts, ends, lines = (np.empty(CHUNK_ROWS, np.int64) for _ in range(3))
    state = np.zeros(3, np.int64)
    n = scan_elements(np.frombuffer(data, np.uint8), starts, ends, lines, state)
    return starts[:n], ends[:n], lines[:n], int(state[0]), int(state[1]), bool(state[2])
