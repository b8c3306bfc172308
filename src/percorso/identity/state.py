"""The identity state: what a build learned of the rows, kept so that the next build reads new files alone.

::

    state/current.json       which generation and version count; swapped atomically, after the journey log
    state/<generation>/      one full build and the increments upon it
        <name>               arrays that only grow; what stands beyond their length in current.json does not count
        <name>.<version>.npy arrays that a build replaces
        forgotten            parts of versions before this one may have been overwritten in place

It is derived: without it, or when it does not belong to the journey log that is there, the next build is a full
one. Like the lake it holds identifiers, so it is personal data throughout.

One process builds at a time (the build's lock); others read meanwhile, without a lock:

- Who opens a state maps all of it at once, and reads `current.json` again afterwards: another one stands there if files
  were missing or other ones, and that one is opened. From then on names may go, since a mapped file stays.
- No file becomes shorter than what a reader may have mapped.
- What rows of the lake that have gone leave behind is overwritten in place: nobody may keep it. A reader sees from
  `forgotten`, which is written first, that it holds a version of which parts are missing (`IdentityState.whole`).
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from percorso.engines.ranges import in_parallel
from percorso.events.event import WEAK_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.rows import OWNING_REFERENCES, PLAIN_REFERENCES, ROW_COLUMNS, SPARSE_COLUMNS, RowFiles
from percorso.identity.tables import (
    IdentifierTable,
    ReferenceTable,
    SetTable,
    append_array,
    blank_ranges,
    overwrite_rows,
    read_array,
)
from percorso.kernels.sets import members_of
from percorso.store.files import sync_folder
from percorso.store.lake import LakeFile

__all__ = ["STATE_FORMAT", "IdentityState", "LakeRange", "lake_name", "new_state", "open_state"]

STATE_FORMAT = 2
_CURRENT = "current.json"
_FORGOTTEN = "forgotten"
#: Bytes of nothing behind an array, and an eighth of it: the next build maps it, and has room for new rows.
_ROOM = 1 << 16


@dataclass(frozen=True, slots=True)
class LakeRange:
    """Where the rows of a file of the lake stand in the row files."""

    path: str
    source: str
    start: int
    rows: int


def lake_name(file: LakeFile) -> str:
    """What the state knows a file of the lake by: its place within the table, wherever the workspace is."""
    return "/".join(file.path.parts[-2:])


@dataclass(slots=True)
class IdentityState:
    """Row files, tables, and the arrays of the last build.

    Attributes
    ----------
    folder : Path
        Of the generation.
    arrays : dict
        Name to array, memory-mapped: what the last build left. Empty before the first one.
    alias : uint8, shape (n_strong, 16)
        Keyed hash of each strong identifier.
    pairs : int64, shape (n, 3)
        Row and two strong codes of alias messages from trusted sources.
    ranges : list of LakeRange
        Files of the lake whose rows are in and count.
    """

    folder: Path
    rows: RowFiles
    strong: IdentifierTable
    weak: IdentifierTable
    sets: SetTable
    references: ReferenceTable
    alias: npt.NDArray[np.uint8]
    pairs: npt.NDArray[np.int64]
    ranges: list[LakeRange]
    arrays: dict[str, npt.NDArray[Any]]
    version: int = 0
    _saved: dict[str, Any] = field(default_factory=dict)
    _forgotten: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    @property
    def whole(self) -> bool:
        """False from the moment on at which a build begins to forget parts of this version."""
        return int(self._forgotten[0]) <= self.version

    def code_of(self, alias: bytes) -> int:
        """Strong code of a keyed hash, -1 where there is none.

        An identifier that left the lake and came again has a code of each time: the last one is its own.
        """
        found = np.flatnonzero((self.alias == np.frombuffer(alias, np.uint8)).all(axis=1))
        return int(found[-1]) if len(found) else -1

    def save(self, arrays: Mapping[str, npt.NDArray[Any]], *, log: str) -> None:
        """Make this the state, with new arrays in place of those of the last build.

        Parameters
        ----------
        arrays : mapping
        log : str
            What the manifest of the journey log that was built with it calls its state.
        """
        before = self._saved
        version = self.version + 1
        tables = {
            "strong": self.strong.save(self.folder, "strong", before.get("strong", {})),
            "weak": self.weak.save(self.folder, "weak", before.get("weak", {})),
            "sets": self.sets.save(self.folder, before.get("sets", {})),
            "references": self.references.save(self.folder, before.get("references", {})),
        }
        n_alias, n_pairs = int(before.get("alias", 0)), int(before.get("pairs", 0))
        append_array(self.folder / "alias", self.alias[n_alias:], n_alias)
        append_array(self.folder / "pairs", self.pairs[n_pairs:], n_pairs)
        for name, array in arrays.items():
            path = self.folder / f"{name}.{version}.npy"
            np.save(path, array)
            os.truncate(path, path.stat().st_size + array.nbytes // 8 + _ROOM)
        saved = tables | {
            "format": STATE_FORMAT,
            "generation": self.folder.name,
            "version": version,
            "log": log,
            "n_rows": self.rows.n_rows,
            "sources": list(self.rows.sources),
            "sparse": sorted(self.rows.sparse),
            "alias": len(self.alias),
            "pairs": len(self.pairs),
            "ranges": [[r.path, r.source, r.start, r.rows] for r in self.ranges],
            "arrays": sorted(arrays),
        }
        _sync_files(self.folder)
        _swap(self.folder.parent, saved)
        self._saved, self.version = saved, version
        _remove_others(self.folder, version)

    def forget(self, gone: npt.NDArray[np.uint8]) -> None:
        """Overwrite what is known of rows that have left the lake, and of all that no other row carries.

        No build compares the keys of such rows again, so that their hashes go with the texts: hashes without a key
        would tell anybody who guesses well that he is right. To be called when a build no longer needs it, before
        `save`.

        Parameters
        ----------
        gone : uint8, shape (n_rows,)
        """
        known = self.arrays.get("gone", np.zeros(0, dtype=np.uint8))
        before = np.zeros(len(gone), dtype=np.uint8)
        before[: len(known)] = known
        rows = np.flatnonzero((gone == 1) & (before == 0))
        if not len(rows):
            return
        overwrite_rows(self.folder / _FORGOTTEN, np.zeros(1, np.int64), np.array([self.version + 1], np.int64))
        self._forget_rows(rows)
        saved, was, now = self._saved, self._carried(before), self._carried(gone)
        self.strong.forget(self.folder, "strong", saved["strong"], now.strong)
        self.weak.forget(self.folder, "weak", saved["weak"], now.weak)
        # What was carried by nothing before has been overwritten before.
        self.sets.forget(self.folder, np.flatnonzero(was.sets & ~now.sets))
        self.references.forget(self.folder, np.flatnonzero(was.references & ~now.references))

    def _forget_rows(self, rows: npt.NDArray[np.int64]) -> None:
        """Message ids, and hashes of what a row holds."""
        offsets, _ = self.rows.text()
        blank_ranges(self.folder / "text", offsets[rows], offsets[rows + 1])
        for name in ("key", "row_key"):
            dtype, width = ROW_COLUMNS[name]
            overwrite_rows(self.folder / name, rows, np.zeros((len(rows), width), dtype))
        for name in self.rows.sparse.intersection(PLAIN_REFERENCES):
            overwrite_rows(self.folder / name, rows, np.zeros(len(rows), SPARSE_COLUMNS[name]))

    def _carried(self, gone: npt.NDArray[np.uint8]) -> _Carried:
        there = gone == 0
        n_sets = len(self.sets)
        sets = np.zeros(n_sets + 1, dtype=np.uint8)  # no set, -1, marks the last entry
        sets[self.rows.column("sset")[there]] = 1
        strong = np.zeros(len(self.strong), dtype=np.uint8)
        members_of(*self.sets.sets(), sets[:n_sets], strong)
        strong[self.pairs[there[self.pairs[:, 0]], 1:].reshape(-1)] = 1
        weak = np.zeros(len(self.weak) + 1, dtype=np.bool_)
        for name in ("anonymous", "device"):
            weak[self.rows.column(name)[there]] = True
        references = np.zeros(len(self.references) + 1, dtype=np.bool_)  # code + 1: no reference marks the first entry
        for name in self.rows.sparse.intersection(OWNING_REFERENCES):
            references[self._reference(name)[there]] = True
        return _Carried(strong == 1, weak[:-1], sets[:n_sets] == 1, references[1:])

    def _reference(self, name: str) -> npt.NDArray[Any]:
        found = self.rows.reference(name)
        assert found is not None  # it is one of the sparse columns that are there
        return found


@dataclass(frozen=True, slots=True)
class _Carried:
    """What stands on a row that is not gone, copies included; bool by code."""

    strong: npt.NDArray[np.bool_]
    weak: npt.NDArray[np.bool_]
    sets: npt.NDArray[np.bool_]
    references: npt.NDArray[np.bool_]


def new_state(folder: Path, rules: IdentifierRules, kinds: tuple[str, ...]) -> IdentityState:
    """An empty state in a generation of its own; the current one stays until it is saved."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_strangers(folder)
    generation = folder / uuid.uuid4().hex  # no name comes twice: who has mapped a file may map it again by its name
    generation.mkdir()
    append_array(generation / _FORGOTTEN, np.zeros(1, dtype=np.int64), 0)
    return IdentityState(
        folder=generation,
        rows=RowFiles(generation, 0, (), frozenset()),
        strong=IdentifierTable(rules, kinds),
        weak=IdentifierTable(rules, WEAK_COLUMNS),
        sets=SetTable(),
        references=ReferenceTable(rules),
        alias=np.zeros((0, 16), dtype=np.uint8),
        pairs=np.zeros((0, 3), dtype=np.int64),
        ranges=[],
        arrays={},
    )


def open_state(folder: Path, rules: IdentifierRules, kinds: tuple[str, ...], *, log: str) -> IdentityState | None:
    """The state that belongs to a journey log; None where there is none, or it belongs to another one.

    Nothing of what others do meanwhile is seen in it but what they overwrite for good, see `IdentityState.whole`.
    """
    saved = _read(folder)
    while saved is not None and saved["format"] == STATE_FORMAT and saved["log"] == log:
        state = _opened(folder, rules, kinds, saved)
        again = _read(folder)
        if again == saved:
            return state if state is not None and state.whole else None
        saved = again  # each turn needs somebody who has saved another one
    return None


def _opened(
    folder: Path, rules: IdentifierRules, kinds: tuple[str, ...], saved: dict[str, Any]
) -> IdentityState | None:
    """A state with all its files mapped; None where one is gone or too short: it is derived, and made again."""
    generation, version = folder / str(saved["generation"]), int(saved["version"])
    strong, weak = IdentifierTable(rules, kinds), IdentifierTable(rules, WEAK_COLUMNS)
    sets, references = SetTable(), ReferenceTable(rules)
    rows = RowFiles(generation, int(saved["n_rows"]), tuple(saved["sources"]), frozenset(saved["sparse"]))
    try:
        rows.map_all()
        loads: list[Callable[[], None]] = [
            lambda: strong.load(generation, "strong", saved["strong"]),
            lambda: weak.load(generation, "weak", saved["weak"]),
            lambda: sets.load(generation, saved["sets"]),
            lambda: references.load(generation, saved["references"]),
        ]
        in_parallel(loads, lambda load: load())
        return IdentityState(
            folder=generation,
            rows=rows,
            strong=strong,
            weak=weak,
            sets=sets,
            references=references,
            alias=read_array(generation / "alias", np.uint8, int(saved["alias"]), 16),
            pairs=read_array(generation / "pairs", np.int64, int(saved["pairs"]), 3),
            ranges=[LakeRange(*found) for found in saved["ranges"]],
            arrays={name: np.load(generation / f"{name}.{version}.npy", mmap_mode="r") for name in saved["arrays"]},
            version=version,
            _saved=saved,
            _forgotten=read_array(generation / _FORGOTTEN, np.int64, 1),
        )
    except (OSError, ValueError):
        return None


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        saved = json.loads((folder / _CURRENT).read_bytes())
    except (OSError, ValueError):
        return None
    return saved if isinstance(saved, dict) else None


def _swap(folder: Path, saved: Mapping[str, Any]) -> None:
    partial = folder / f"{_CURRENT}.new"
    with open(partial, "w", encoding="utf-8") as stream:
        json.dump(saved, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(folder / _CURRENT)
    sync_folder(folder)


def _sync_files(folder: Path) -> None:
    """Everything on disk before it counts: a state that lies after a power cut would be worse than none."""
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_others(generation: Path, version: int) -> None:
    """Arrays of earlier versions and other generations; who has one mapped keeps it."""
    for path in generation.glob("*.npy"):
        if not path.name.endswith(f".{version}.npy"):
            path.unlink(missing_ok=True)
    _remove_strangers(generation.parent)


def _remove_strangers(folder: Path) -> None:
    """What is neither the current generation nor its pointer."""
    saved = _read(folder)
    kept = {_CURRENT, str(saved["generation"])} if saved else set()
    for path in folder.iterdir():
        if path.name in kept:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
