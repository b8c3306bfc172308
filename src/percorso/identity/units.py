"""Ids of persons: keyed hashes of what a unit stands for.

A person is a *unit*, ``4 * code + kind``:

====  =========================================================================================
kind  code
====  =========================================================================================
0     strong code of the canonical identifier of a group
1     weak code: the anonymous person of a weak identifier
2     of a pair (w, row): the anonymous person after a sign-out, or of a session on a shared device
3     strong code: the anonymous person of a shared strong identifier
====  =========================================================================================

-1 is nobody, -2 a copy that does not count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.identity.keyed_hashes import keyed_hashes
from percorso.identity.state import IdentityState

__all__ = ["KIND_PAIR", "KIND_SHARED", "unit_ids"]

_KIND_GROUP, _KIND_WEAK, KIND_PAIR, KIND_SHARED = range(4)


def unit_ids(
    state: IdentityState,
    pairs: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    units: npt.NDArray[Any],
    *,
    secret: bytes,
) -> npt.NDArray[np.uint8]:
    """Ids of persons, uint8, shape (n_units, 16).

    Parameters
    ----------
    state : IdentityState
    pairs : tuple of arrays
        `pair_w` and `pair_row` of the placement that the units are of.
    units : int32, shape (n_units,)
        All >= 0.
    """
    units = np.asarray(units, dtype=np.int64)
    kind, code = units & 3, units >> 2
    ids = np.empty((len(units), 16), dtype=np.uint8)
    by_alias = (kind == _KIND_GROUP) | (kind == KIND_SHARED)
    ids[by_alias] = state.alias[code[by_alias]]
    weak = np.flatnonzero(kind == _KIND_WEAK)
    if len(weak):
        ids_of = state.weak.identifiers()
        ids[weak] = keyed_hashes(secret, *_buffers(_texts(ids_of.offsets, ids_of.text, code[weak])))
    paired = np.flatnonzero(kind == KIND_PAIR)
    if len(paired):
        w, row = (np.asarray(part)[code[paired]] for part in pairs)
        ids[paired] = keyed_hashes(secret, *_buffers(_pair_texts(state, w, row)))
    return ids


def _texts(
    offsets: npt.NDArray[np.int64], text: npt.NDArray[np.uint8], some: npt.NDArray[np.int64]
) -> pa.LargeBinaryArray:
    """Some of the texts that lie one after another."""
    buffers = [None, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(np.ascontiguousarray(text))]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(offsets) - 1, buffers).take(pa.array(some))


def _buffers(texts: pa.LargeBinaryArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Offsets and bytes of texts."""
    _, offsets, text = texts.buffers()
    return np.frombuffer(offsets, np.int64)[: len(texts) + 1], np.frombuffer(text or b"", np.uint8)


def _pair_texts(state: IdentityState, w: npt.NDArray[Any], row: npt.NDArray[Any]) -> pa.LargeBinaryArray:
    """What keys an anonymous person of a stretch of a timeline: the w, and the source and id of a message.

    The source belongs to it: message ids are unique within their source only.
    """
    weak, strong = (table.identifiers() for table in (state.weak, state.strong))
    of_weak, of_strong = (
        _texts(ids.offsets, ids.text, np.unique(w[(w & 1) == odd] >> 1).astype(np.int64))
        for odd, ids in ((0, weak), (1, strong))
    )
    every = pa.concat_arrays([of_weak, of_strong])
    place = np.empty(len(w), dtype=np.int64)
    for odd, first in ((0, 0), (1, len(of_weak))):
        at = np.flatnonzero((w & 1) == odd)
        place[at] = first + np.unique(w[at] >> 1, return_inverse=True)[1]
    names = pa.array([name.encode() for name in state.rows.sources], pa.large_binary())
    sources = names.take(pa.array(state.rows.column("source")[row].astype(np.int64)))
    messages = _texts(*state.rows.text(), np.asarray(row, dtype=np.int64))
    return pc.binary_join_element_wise(
        every.take(pa.array(place)), sources, messages, pa.scalar(b"\0", pa.large_binary())
    )
