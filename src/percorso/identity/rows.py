"""What deciding about rows needs of each row of the lake: one array a column, on disk.

Deduplication, clock correction and identity work on memory-mapped numbers: memory grows with the distinct
identifiers, not with the events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from percorso.identity.tables import read_array

__all__ = [
    "MISSING",
    "OWNING_REFERENCES",
    "PLAIN_REFERENCES",
    "ROW_COLUMNS",
    "SKEWED",
    "SKEW_LIMIT_US",
    "SPARSE_COLUMNS",
    "RowFiles",
]

MISSING = np.iinfo(np.int64).max

#: Column -> dtype and width of the row files.
ROW_COLUMNS: dict[str, tuple[Any, int]] = {
    "key": (np.uint64, 2),  # hash of (source, message id)
    "row_key": (np.uint64, 2),
    "stamp": (np.int64, 1),  # µs UTC as the event says
    "received": (np.int64, 1),
    "skew": (np.int64, 1),  # received_at - sent_at, MISSING where one is
    "sequence": (np.int64, 1),
    "source": (np.int16, 1),  # code of the source's name
    "sset": (np.int32, 1),  # code of the set of its strong identifiers, -1 none
    "anonymous": (np.int32, 1),
    "device": (np.int32, 1),
    "signed_out": (np.uint8, 1),
    "is_order": (np.uint8, 1),
    "trust": (np.int8, 1),  # whose record of an order counts; lower is better
    "client": (np.uint8, 1),  # 1: sent by a browser or an app
}

#: References that place events, in the order in which they are asked: code + 1, 0 none.
OWNING_REFERENCES = ("order_id", "return_id", "ticket_id", "conversation_id", "coupon")
#: References that only tell a person's own events apart: 64-bit hash, 0 none.
PLAIN_REFERENCES = ("cart_id", "checkout_id", "session_id")

#: Column that tells rows whose device's clock seems wrong.
SKEWED = "skewed"
#: By how much a clock may be off, µs.
SKEW_LIMIT_US = 5 * 60_000_000

#: Columns that are there only if some row has a value.
SPARSE_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(OWNING_REFERENCES, np.int32),
    **dict.fromkeys(PLAIN_REFERENCES, np.int64),
    SKEWED: np.uint8,
}

_CHUNK_ROWS = 1 << 22


@dataclass(frozen=True, slots=True)
class RowFiles:
    """Row-aligned arrays in a folder, in the order in which the lake's files were read."""

    folder: Path
    n_rows: int
    sources: tuple[str, ...]  # by code
    sparse: frozenset[str]  # those of SPARSE_COLUMNS that are there
    _mapped: dict[str, npt.NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)

    def map_all(self) -> None:
        """Map every array now and keep it so: from here on the files may go.

        A build does not: what it is done with need not stay in memory.
        """
        found = {name: self.column(name) for name in ROW_COLUMNS}
        found |= {name: self._array(name, SPARSE_COLUMNS[name], self.n_rows) for name in self.sparse}
        self._mapped.update(found | dict(zip(("text_end", "text"), self.text(), strict=True)))

    def _array(self, name: str, dtype: Any, rows: int, width: int = 1) -> npt.NDArray[Any]:
        found = self._mapped.get(name)
        return read_array(self.folder / name, dtype, rows, width) if found is None else found

    def column(self, name: str) -> npt.NDArray[Any]:
        """A column, memory-mapped; shape (n_rows,) or (n_rows, 2)."""
        dtype, width = ROW_COLUMNS[name]
        return self._array(name, dtype, self.n_rows, width)

    def reference(self, name: str) -> npt.NDArray[Any] | None:
        """One of SPARSE_COLUMNS as stored, 0 for none; None where no row has a value."""
        if name not in self.sparse:
            return None
        return self._array(name, SPARSE_COLUMNS[name], self.n_rows)

    def source_rank(self) -> npt.NDArray[np.int16]:
        """Rank of each row's source by the bytes of its name, shape (n_rows,)."""
        order = sorted(range(len(self.sources)), key=lambda code: self.sources[code].encode())
        rank = np.empty(len(order), dtype=np.int16)
        rank[order] = np.arange(len(order), dtype=np.int16)
        codes = self.column("source")
        return codes if (rank == np.arange(len(rank))).all() else rank[codes]

    def text(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """Offsets (n_rows + 1,) and bytes of the message ids."""
        offsets = self._array("text_end", np.int64, self.n_rows + 1)
        return offsets, self._array("text", np.uint8, int(offsets[-1]))

    def message_ids(self, rows: npt.NDArray[np.int64]) -> list[bytes]:
        """Message ids of some rows."""
        offsets, text = self.text()
        return [text[offsets[row] : offsets[row + 1]].tobytes() for row in rows.tolist()]

    def chunks(self) -> Iterator[slice]:
        """Slices that cover all rows, so that work on whole columns stays small."""
        for start in range(0, self.n_rows, _CHUNK_ROWS):
            yield slice(start, min(start + _CHUNK_ROWS, self.n_rows))
