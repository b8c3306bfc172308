"""Which rows of some files stand in other files: a join of keys in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.store.files import AnyPath
from percorso.store.mapped import open_parquet
from percorso.store.row_keys import KeyCounter, keys_from_binary, row_keys

__all__ = ["matching_rows"]

#: Keys held at once, about 22 bytes each; with more, the searched files are read again for every slab.
SLAB_KEYS = 16_000_000


def matching_rows(
    known: Sequence[AnyPath], searched: Sequence[AnyPath], column: str
) -> dict[AnyPath, npt.NDArray[np.bool_]]:
    """Mark the rows of `searched` whose value of a column stands somewhere in `known`.

    Parameters
    ----------
    known, searched : sequence of AnyPath
        Parquet files.
    column : str
        ``row_key`` (a key by itself) or a text column.

    Returns
    -------
    dict of AnyPath to ndarray of bool, shape (n_rows of the file,)
        Files of `searched` with at least one such row.
    """
    marks: dict[AnyPath, npt.NDArray[np.bool_]] = {}
    if not searched:
        return marks
    for slab in _slabs(known, column):
        for path in searched:
            found = np.concatenate([slab.contains(keys) for keys in _keys(path, column)] or [np.zeros(0, np.bool_)])
            if found.any():
                marks[path] = found | marks[path] if path in marks else found
    return marks


def _slabs(paths: Sequence[AnyPath], column: str) -> Iterator[KeyCounter]:
    slab = KeyCounter()
    for path in paths:
        for keys in _keys(path, column):
            slab.add(keys)
            if len(slab) >= SLAB_KEYS:
                yield slab
                slab = KeyCounter()
    if len(slab):
        yield slab


def _keys(path: AnyPath, column: str) -> Iterator[npt.NDArray[np.uint64]]:
    with open_parquet(path, in_memory=False) as file:
        for batch in file.iter_batches(batch_size=131_072, columns=[column]):
            table = pa.Table.from_batches([batch])
            yield keys_from_binary(table.column(column)) if column == "row_key" else row_keys(table)
