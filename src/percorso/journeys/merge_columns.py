"""Columns of a merged table: runs of rows of the old one and of the new one, with equal bytes for equal content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.kernels.segments import copy_runs, mark_codes, recode_runs, shift_runs
from percorso.store.columns import string_buffers
from percorso.store.log_files import fixed_column, index_type, packed_codes, settled, text_column

__all__ = ["Moves", "Numbers", "Pieces", "merge_column", "merge_reference"]

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moves:
    """Runs of rows: first row in the source, first row in the merged table, rows. int64, shape (n_runs,)."""

    start: Numbers
    to: Numbers
    length: Numbers

    @staticmethod
    def one_after_another(start: Numbers, length: Numbers) -> Moves:
        return Moves(start, np.cumsum(length) - length, length)

    @property
    def end(self) -> Numbers:
        return self.start + self.length

    def rows(self) -> Numbers:
        """All rows of the runs in the source, shape (n_rows,)."""
        packed = np.cumsum(self.length) - self.length
        rows: Numbers = np.arange(int(self.length.sum())) + np.repeat(self.start - packed, self.length)
        return rows

    def times(self, factor: int) -> Moves:
        """The same runs, of rows that are made of `factor` words."""
        return Moves(self.start * factor, self.to * factor, self.length * factor)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Of what a merged table is made: old rows, new rows, and the old rows that are left out (in their own order)."""

    old: Moves
    new: Moves
    gone: Moves
    n_rows: int

    @staticmethod
    def in_order(start: Numbers, length: Numbers, is_new: npt.NDArray[np.bool_], gone: Moves) -> Pieces:
        """Pieces of runs that are given in the order of the merged table."""
        to = np.cumsum(length) - length
        old, new = (Moves(start[side], to[side], length[side]) for side in (~is_new, is_new))
        return Pieces(old, new, gone, int(length.sum()))


def merge_reference(old: pa.Array, new: pa.Array, pieces: Pieces, target: Pieces) -> pa.Array:
    """A column of row numbers of another table, whose pieces are `target`."""
    kind = old.type.to_pandas_dtype()
    out = np.empty(pieces.n_rows, dtype=kind)
    for column, moves, aim in ((old, pieces.old, target.old), (new, pieces.new, target.new)):
        shift_runs(column.to_numpy(), out, moves.start, moves.to, moves.length, aim.to - aim.start)
    return pa.array(out)


def merge_column(old: pa.Array, new: pa.Array, pieces: Pieces) -> pa.Array:
    """A column of values: coded ones, texts, numbers, or fixed bytes."""
    if pa.types.is_dictionary(old.type):
        return _merge_coded(old, new, pieces)
    valid = _merge_valid(old, new, pieces)
    if pa.types.is_string(old.type) or pa.types.is_large_string(old.type):
        return _merge_texts(old, new, pieces, valid)
    width = old.type.byte_width
    word = min(width, 8)
    out = np.empty(pieces.n_rows * (width // word), dtype=f"u{word}")
    for column, moves in ((old, pieces.old), (new, pieces.new)):
        moves = moves.times(width // word)
        copy_runs(_words(column, width, word), out, moves.start, moves.to, moves.length)
    return fixed_column(old.type, out if width == word else out.reshape(-1, width // word), valid)


def _words(column: pa.Array, width: int, word: int) -> npt.NDArray[Any]:
    content = np.frombuffer(column.buffers()[1] or b"", dtype=f"u{word}")
    factor = width // word
    return content[column.offset * factor : (column.offset + len(column)) * factor]


def _merge_valid(old: pa.Array, new: pa.Array, pieces: Pieces) -> npt.NDArray[np.bool_] | None:
    if not (old.null_count or new.null_count):
        return None
    out = np.empty(pieces.n_rows, dtype=np.uint8)
    for column, moves in ((old, pieces.old), (new, pieces.new)):
        valid = column.is_valid().to_numpy(zero_copy_only=False).view(np.uint8)
        copy_runs(valid, out, moves.start, moves.to, moves.length)
    return out.view(np.bool_)


def _merge_texts(old: pa.Array, new: pa.Array, pieces: Pieces, valid: npt.NDArray[np.bool_] | None) -> pa.Array:
    sources = [string_buffers(column) for column in (old, new)]
    moves = (pieces.old, pieces.new)
    starts = [offsets[move.start].astype(np.int64) for (offsets, _), move in zip(sources, moves, strict=True)]
    sizes = [
        offsets[move.end].astype(np.int64) - start
        for (offsets, _), move, start in zip(sources, moves, starts, strict=True)
    ]
    places = _places([move.to for move in moves], sizes)
    offsets_out = np.empty(pieces.n_rows + 1, dtype=np.int64)
    offsets_out[-1] = n_bytes = sum(int(size.sum()) for size in sizes)
    data_out = np.empty(n_bytes, dtype=np.uint8)
    for (offsets, data), move, start, size, place in zip(sources, moves, starts, sizes, places, strict=True):
        shift_runs(offsets, offsets_out, move.start, move.to, move.length, place - start)
        copy_runs(data, data_out, start, place, size)
    return text_column(offsets_out, data_out, valid)


def _places(to: list[Numbers], sizes: list[Numbers]) -> tuple[Numbers, Numbers]:
    """Where the bytes of runs go whose rows go to `to`."""
    # Of runs that go to the same row all but one are empty, and so are their bytes.
    order = np.lexsort((np.concatenate(sizes), np.concatenate(to)))
    every = np.concatenate(sizes)[order]
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(every) - every
    return place[: len(to[0])], place[len(to[0]) :]


def _merge_coded(old: pa.DictionaryArray, new: pa.DictionaryArray, pieces: Pieces) -> pa.DictionaryArray:
    old_codes, new_codes = old.indices.to_numpy(), new.indices.to_numpy()
    new_values = new.dictionary if len(new) else new.dictionary.slice(0, 0)
    # Position of each new value among the old ones; -1: not there.
    known = pc.index_in(new_values, old.dictionary).fill_null(-1).to_numpy().astype(np.int64)
    lost = _lost(old_codes, len(old.dictionary), known, pieces)
    if lost.any() or (known < 0).any():
        values, old_lookup, new_lookup = _united(old.dictionary, new_values, known, ~lost)
    else:
        values, old_lookup, new_lookup = old.dictionary, None, known
    kind = index_type(len(values))
    out = np.empty(pieces.n_rows, dtype=kind)
    here, there = pieces.old, pieces.new
    if old_lookup is None:
        copy_runs(old_codes, out, here.start, here.to, here.length)
    else:
        recode_runs(old_codes, out, here.start, here.to, here.length, old_lookup.astype(kind))
    recode_runs(new_codes, out, there.start, there.to, there.length, new_lookup.astype(kind))
    return packed_codes(out, values if old_lookup is None else settled(values))


def _lost(codes: npt.NDArray[Any], n_values: int, known: Numbers, pieces: Pieces) -> npt.NDArray[np.bool_]:
    """Which old values no row has any more, shape (n_values,).

    The rows that stay are looked at only if those that go have a value that the new ones do not have.
    """
    gone = np.zeros(n_values, dtype=np.uint8)
    mark_codes(codes, pieces.gone.start, pieces.gone.length, gone)
    gone[known[known >= 0]] = 0
    if gone.any():
        stays = np.zeros(n_values, dtype=np.uint8)
        mark_codes(codes, pieces.old.start, pieces.old.length, stays)
        gone[stays == 1] = 0
    return gone.view(np.bool_)


def _united(
    old: pa.StringArray, new: pa.StringArray, known: Numbers, stays: npt.NDArray[np.bool_]
) -> tuple[pa.StringArray, Numbers, Numbers]:
    """All values by bytes, and the place of each old and each new one among them."""
    every = pa.concat_arrays([old.filter(pa.array(stays)), new.filter(pa.array(known < 0))])
    order = pc.sort_indices(every.cast(pa.binary()))
    rank = np.empty(len(every), dtype=np.int64)
    rank[order.to_numpy()] = np.arange(len(every))
    n_old = int(stays.sum())
    old_lookup = np.zeros(len(old), dtype=np.int64)
    old_lookup[stays] = rank[:n_old]
    new_lookup = np.zeros(len(new), dtype=np.int64)
    new_lookup[known >= 0] = old_lookup[known[known >= 0]]
    new_lookup[known < 0] = rank[n_old:]
    return every.take(order), old_lookup, new_lookup
