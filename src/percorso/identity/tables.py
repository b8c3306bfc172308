"""What the first pass of a build gives numbers to: identifiers, sets of them on one row, reference keys.

Tables only grow: a code once given keeps its meaning for as long as the identity state lives, so that the rows
of an earlier build need not be read again.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.event import STRONG_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.resolution import Identifiers
from percorso.kernels.interning import KeyTable, TupleTable
from percorso.store.columns import hash_column, null_mask, string_buffers, whole
from percorso.store.row_keys import column_tag

__all__ = [
    "IdentifierTable",
    "ReferenceTable",
    "SetTable",
    "append_array",
    "blank_ranges",
    "overwrite_rows",
    "read_array",
    "strong_types",
]


def strong_types(own_types: Sequence[str]) -> tuple[str, ...]:
    """Types of strong identifiers by falling priority; a type's rank is its place."""
    return (*STRONG_COLUMNS, *(kind for kind in own_types if kind not in STRONG_COLUMNS))


def append_array(path: Path, array: npt.NDArray[Any], before: int) -> None:
    """Add rows to a file of plain numbers that has `before` rows that count; what stands behind them goes."""
    width = array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=np.int64))
    with open(path, "r+b" if path.exists() else "w+b") as stream:
        stream.truncate(before * width)
        stream.seek(before * width)
        stream.write(np.ascontiguousarray(array).data)


def overwrite_rows(path: Path, rows: npt.NDArray[np.int64], values: npt.NDArray[Any]) -> None:
    """Put values in the place of some rows of a file of plain numbers, for good and in the very same bytes.

    The file keeps its length: who has it mapped reads on, and no copy of what was there stays anywhere.

    Parameters
    ----------
    rows : int64, shape (n,)
        All of them in the file.
    values : shape (n,) or (n, width)
    """
    if not len(rows):
        return
    shape = (int(rows.max()) + 1, *values.shape[1:])
    stored = np.memmap(path, dtype=values.dtype, mode="r+", shape=shape)
    stored[rows] = values
    stored.flush()


def blank_ranges(path: Path, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> None:
    """Overwrite ranges of bytes of a file with zeros, as `overwrite_rows`; what the file does not have yet is left."""
    if not len(starts) or not path.exists():
        return
    touching = starts[1:] != ends[:-1]
    first, last = starts[np.r_[True, touching]], ends[np.r_[touching, True]]
    with open(path, "r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        for start, end in zip(first.tolist(), np.minimum(last, size).tolist(), strict=True):
            stream.seek(start)
            stream.write(bytes(max(end - start, 0)))
        stream.flush()
        os.fsync(stream.fileno())


def read_array(path: Path, dtype: Any, rows: int, width: int = 1) -> npt.NDArray[Any]:
    """The first rows of a file of plain numbers, memory-mapped; shape (rows,) or (rows, width)."""
    shape = (rows,) if width == 1 else (rows, width)
    if rows == 0:
        return np.zeros(shape, dtype)
    with open(path, "rb") as stream:
        mapped = mmap.mmap(stream.fileno(), rows * width * np.dtype(dtype).itemsize, access=mmap.ACCESS_READ)
    # A tenth of what numpy's own takes: a build opens some hundred of them, and cuts each a few times.
    return np.frombuffer(mapped, dtype=dtype).reshape(shape)


def _nothing_s_keys(n: int) -> npt.NDArray[np.uint64]:
    """Keys that no value hashes to, all different; uint64, shape (n, 2)."""
    return np.frombuffer(os.urandom(16 * n), dtype=np.uint64).reshape(-1, 2)


class IdentifierTable:
    """Identifiers to codes; knows the text that makes each one's keyed hash.

    Raw values that normalise to the same identifier have the same code; blocked and malformed ones have
    code -1.

    Parameters
    ----------
    rules : IdentifierRules
    kinds : sequence of str
        Types by falling priority.
    """

    def __init__(self, rules: IdentifierRules, kinds: Sequence[str]) -> None:
        self._rules = rules
        self._kinds = {kind: rank for rank, kind in enumerate(kinds)}
        self._raw = KeyTable()
        self._code_of_raw = np.empty(0, dtype=np.int32)
        self._identifiers = KeyTable()
        self._spaces: dict[str, int] = {}
        self._rank: list[npt.NDArray[np.int16]] = []
        self._space: list[npt.NDArray[np.int32]] = []
        self._ends: list[npt.NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
        self._text: list[npt.NDArray[np.uint8]] = []
        self._text_end = 0

    def __len__(self) -> int:
        return len(self._identifiers)

    @property
    def spaces(self) -> tuple[str, ...]:
        """Id spaces in order of first sight; "" is that of e-mail and phone."""
        return tuple(self._spaces)

    def codes(
        self, kind: str, space: str, values: pa.StringArray, wanted: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int32]:
        """Codes of raw values, int32, shape (n,): -1 where null, not wanted, blocked or malformed."""
        skip = null_mask(values) | ~wanted
        if skip.all():
            return np.full(len(values), -1, dtype=np.int32)
        tag = column_tag(f"{kind}\0{space}")
        raw, firsts = self._raw.codes(hash_column(values, tag=tag), skip.astype(np.uint8))
        if len(firsts):
            self._add(kind, space, tag, values.take(pa.array(firsts)))
        return np.where(raw >= 0, self._code_of_raw[raw], np.int32(-1))

    def _add(self, kind: str, space: str, tag: int, raw: pa.StringArray) -> None:
        normal = self._rules.normalise_many(kind, raw)
        codes, firsts = self._identifiers.codes(hash_column(normal, tag=tag), null_mask(normal))
        before = len(self._code_of_raw)
        grown = np.empty(len(self._raw), dtype=np.int32)
        grown[:before] = self._code_of_raw
        grown[before:] = codes
        self._code_of_raw = grown
        if len(firsts):
            fresh = normal.take(pa.array(firsts))
            texts = whole(pc.binary_join_element_wise(pa.scalar(f"{kind}\0{space}\0"), fresh, ""))
            offsets, data = string_buffers(texts)
            self._ends.append(offsets[1:].astype(np.int64) - int(offsets[0]) + self._text_end)
            self._text_end = int(self._ends[-1][-1])
            self._text.append(data[offsets[0] : offsets[-1]])
            self._rank.append(np.full(len(firsts), self._kinds[kind], dtype=np.int16))
            number = self._spaces.setdefault(space, len(self._spaces))
            self._space.append(np.full(len(firsts), number, dtype=np.int32))

    def identifiers(self) -> Identifiers:
        """All identifiers by code, as the resolution takes them."""
        for name, empty in (("_rank", np.int16), ("_space", np.int32), ("_text", np.uint8)):
            setattr(self, name, [_joined(getattr(self, name), empty)])
        self._ends = [_joined(self._ends, np.int64)]
        return Identifiers(self._rank[0], self._space[0], self._ends[0], self._text[0])

    def find(self, kind: str, space: str, value: str) -> int:
        """Code of an identifier in its normal form, -1 where there is none."""
        key = hash_column(pa.array([value], pa.string()), tag=column_tag(f"{kind}\0{space}"))
        found = np.flatnonzero((self._identifiers.keys() == key).all(axis=1))
        return int(found[0]) if len(found) else -1

    def dropped_keys(self) -> npt.NDArray[np.uint64]:
        """Hashes of the raw values that are blocked or malformed, with their type and space; uint64, shape (n, 2)."""
        return self._raw.keys()[self._code_of_raw < 0]

    def texts(self, codes: npt.NDArray[np.integer[Any]]) -> list[bytes]:
        """``type\\0space\\0value`` of each code, as the keyed hash takes it."""
        every = self.identifiers()
        starts, ends = every.offsets[codes], every.offsets[np.asarray(codes) + 1]
        return [every.text[a:b].tobytes() for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]

    def save(self, folder: Path, name: str, before: dict[str, Any]) -> dict[str, Any]:
        """Append what is new since `before`, an earlier answer of this method; what to load by."""
        every = self.identifiers()
        known, raw_known = int(before.get("identifiers", 0)), int(before.get("raw", 0))
        text_known = int(before.get("text", 0))
        append_array(folder / f"{name}.raw", self._raw.keys(raw_known), raw_known)
        append_array(folder / f"{name}.code", self._code_of_raw[raw_known:], raw_known)
        append_array(folder / f"{name}.key", self._identifiers.keys(known), known)
        append_array(folder / f"{name}.rank", every.rank[known:], known)
        append_array(folder / f"{name}.space", every.space[known:], known)
        append_array(folder / f"{name}.end", every.offsets[known + 1 :], known)
        append_array(folder / f"{name}.text", every.text[text_known:], text_known)
        return {
            "identifiers": len(self),
            "raw": len(self._raw),
            "text": int(every.offsets[-1]),
            "spaces": list(self._spaces),
        }

    def forget(self, folder: Path, name: str, saved: dict[str, Any], carried: npt.NDArray[np.bool_]) -> None:
        """Overwrite on disk what no row carries any more. Its codes stay and mean nobody ever again.

        To be called before `save`; the table is not to be used otherwise afterwards.

        Parameters
        ----------
        saved : dict
            What `save` answered last: what lies on disk.
        carried : bool, shape (n_identifiers,)
        """
        every = self.identifiers()
        codes = np.flatnonzero(~carried[: int(saved["identifiers"])])
        codes = codes[every.text[every.offsets[codes]] != 0]  # the others were forgotten before
        blank_ranges(folder / f"{name}.text", every.offsets[codes], every.offsets[codes + 1])
        gone = np.zeros(len(self) + 1, dtype=np.bool_)  # blocked values, -1, read the last entry
        gone[codes] = True
        raw = np.flatnonzero(gone[self._code_of_raw[: int(saved["raw"])]])
        # What comes again is somebody new.
        overwrite_rows(folder / f"{name}.key", codes, _nothing_s_keys(len(codes)))
        overwrite_rows(folder / f"{name}.raw", raw, _nothing_s_keys(len(raw)))

    def load(self, folder: Path, name: str, saved: dict[str, Any]) -> None:
        """Read back what `save` wrote."""
        n, n_raw = int(saved["identifiers"]), int(saved["raw"])
        self._raw = KeyTable.of_keys(read_array(folder / f"{name}.raw", np.uint64, n_raw, 2))
        self._code_of_raw = read_array(folder / f"{name}.code", np.int32, n_raw)
        self._identifiers = KeyTable.of_keys(read_array(folder / f"{name}.key", np.uint64, n, 2))
        self._spaces = {space: number for number, space in enumerate(saved["spaces"])}
        self._rank = [read_array(folder / f"{name}.rank", np.int16, n)]
        self._space = [read_array(folder / f"{name}.space", np.int32, n)]
        self._ends = [np.zeros(1, np.int64), read_array(folder / f"{name}.end", np.int64, n)]
        self._text_end = int(saved["text"])
        self._text = [read_array(folder / f"{name}.text", np.uint8, self._text_end)]


def _joined(parts: Sequence[npt.NDArray[Any]], empty: Any) -> npt.NDArray[Any]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=empty)


class SetTable:
    """Distinct sets of strong identifiers that stand together on a row, as codes."""

    def __init__(self) -> None:
        self._table = TupleTable()
        self._sizes: list[npt.NDArray[np.int64]] = []
        self._members: list[npt.NDArray[np.int32]] = []

    def __len__(self) -> int:
        return len(self._table)

    def codes(self, columns: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Codes of the sets of rows.

        Parameters
        ----------
        columns : int32, shape (n_kinds, n_rows)
            Strong code of each kind by falling priority, -1 none. The number of kinds is always the same.

        Returns
        -------
        int32, shape (n_rows,)
            -1: no identifier.
        """
        out = np.full(columns.shape[1], -1, dtype=np.int32)
        rows = np.flatnonzero((columns >= 0).any(axis=0))
        if not len(rows):
            return out
        inside = np.ascontiguousarray(columns[:, rows])
        codes, firsts = self._table.codes(inside)
        out[rows] = codes
        if len(firsts):
            fresh = inside[:, firsts].T
            present = fresh >= 0
            for later in range(1, fresh.shape[1]):  # a former user id may be the present one
                present[:, later] &= ~(fresh[:, :later] == fresh[:, later : later + 1]).any(axis=1)
            self._sizes.append(present.sum(axis=1).astype(np.int64))
            self._members.append(fresh[present])
        return out

    def sets(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Offsets (n_sets + 1,) and members, by falling priority inside a set."""
        self._sizes = [_joined(self._sizes, np.int64)]
        self._members = [_joined(self._members, np.int32)]
        offsets = np.zeros(len(self._sizes[0]) + 1, dtype=np.int64)
        np.cumsum(self._sizes[0], out=offsets[1:])
        return offsets, self._members[0]

    def save(self, folder: Path, before: dict[str, Any]) -> dict[str, Any]:
        """As `IdentifierTable.save`."""
        known, members_known = int(before.get("sets", 0)), int(before.get("members", 0))
        _, members = self.sets()
        append_array(folder / "set.key", self._table.table.keys(known), known)
        append_array(folder / "set.size", self._sizes[0][known:], known)
        append_array(folder / "set.member", members[members_known:], members_known)
        return {"sets": len(self), "members": len(members)}

    def forget(self, folder: Path, codes: npt.NDArray[np.int64]) -> None:
        """Overwrite the hashes of sets on disk; what was in them stays, as numbers of identifiers."""
        overwrite_rows(folder / "set.key", codes, _nothing_s_keys(len(codes)))

    def load(self, folder: Path, saved: dict[str, Any]) -> None:
        """Read back what `save` wrote."""
        n = int(saved["sets"])
        self._table = TupleTable(KeyTable.of_keys(read_array(folder / "set.key", np.uint64, n, 2)))
        self._sizes = [read_array(folder / "set.size", np.int64, n)]
        self._members = [read_array(folder / "set.member", np.int32, int(saved["members"]))]


class ReferenceTable:
    """Order, return, ticket, conversation and coupon numbers to codes of one series."""

    def __init__(self, rules: IdentifierRules) -> None:
        self._rules = rules
        self._table = KeyTable()

    def __len__(self) -> int:
        return len(self._table)

    @property
    def keys(self) -> npt.NDArray[np.uint64]:
        """What stands for each code wherever it is given: uint64, shape (n, 2)."""
        return self._table.keys()

    def codes(self, kind: str, spaces: pa.StringArray, values: pa.StringArray) -> npt.NDArray[np.int32]:
        """Codes, int32, shape (n,): -1 where null, empty or blocked ("null" is nobody's order)."""
        trimmed = self._rules.normalise_many(kind, values)
        state = hash_column(spaces, tag=column_tag("ref_space"))
        keys = hash_column(trimmed, tag=column_tag(kind), state=state)
        return self._table.codes(keys, null_mask(trimmed))[0]

    def save(self, folder: Path, before: dict[str, Any]) -> dict[str, Any]:
        """As `IdentifierTable.save`."""
        known = int(before.get("references", 0))
        append_array(folder / "reference.key", self._table.keys(known), known)
        return {"references": len(self)}

    def forget(self, folder: Path, codes: npt.NDArray[np.int64]) -> None:
        """Overwrite the hashes of references on disk: short numbers are soon guessed."""
        overwrite_rows(folder / "reference.key", codes, _nothing_s_keys(len(codes)))

    def load(self, folder: Path, saved: dict[str, Any]) -> None:
        """Read back what `save` wrote."""
        self._table = KeyTable.of_keys(read_array(folder / "reference.key", np.uint64, int(saved["references"]), 2))
