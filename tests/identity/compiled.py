"""The compiled placing of rows, for tests: from event dicts to persons, at once or in steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from percorso.identity.decisions import Folded, pair_of
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier
from percorso.identity.placement import PLACING_RULES, Placement, person_id, place_rows
from percorso.identity.rules import coupon_test, placement_rules
from percorso.identity.scan import RowScanner
from percorso.identity.state import IdentityState, LakeRange, new_state, open_state
from percorso.identity.tables import strong_types
from percorso.identity.units import unit_ids
from percorso.settings import IdentitySettings, Settings
from percorso.store.lake import LakeFile
from tests.lake_builder import lake_files

__all__ = ["SECRET", "Placed", "Steps", "folded", "persons_in", "persons_of"]

SECRET = bytes(range(32))

#: (source, message id) -> (id of the person or b"", rule, time in µs UTC), of rows that count.
Placed = dict[tuple[str, str], tuple[bytes, str, int]]
Pairs = Sequence[tuple[Identifier, Identifier]]


def folded(forced: Pairs = (), forbidden: Pairs = ()) -> Folded:
    """Decisions about identifiers, as a build takes them."""

    def hashes(pairs: Pairs) -> tuple[tuple[bytes, bytes], ...]:
        return tuple(sorted({pair_of(*(person_id(SECRET, end.text()) for end in pair)) for pair in pairs}))

    return Folded(hashes(forced), hashes(forbidden))


class Steps:
    """A lake that grows and loses files, placed after each step upon what the step before left."""

    def __init__(self, folder: Path, settings: IdentitySettings, *, memory_bytes: int = 1 << 30) -> None:
        self._folder = folder
        self._settings = Settings(identity=settings)
        self._memory = memory_bytes
        self._rules = IdentifierRules(settings, "IT")
        self.state: IdentityState = new_state(folder / "state", self._rules, strong_types(settings.own_types))
        self._lakes = 0
        self._gone = np.zeros(0, dtype=np.uint8)

    def add(self, rows: Sequence[Mapping[str, Any]], **options: Any) -> None:
        """New files of the lake."""
        self._lakes += 1
        self.add_files(lake_files(self._folder / f"lake{self._lakes}", rows, **options))

    def add_files(self, files: Sequence[LakeFile]) -> None:
        """New files of the lake that are written."""
        identity, state = self._settings.identity, self.state
        pairs: list[tuple[int, int, int]] = []
        scanner = RowScanner(
            strong_types(identity.own_types),
            {},
            coupon_test(identity.single_use_coupons),
            state.strong,
            state.weak,
            state.sets,
            state.references,
            pairs,
        )
        start = state.rows.n_rows
        state.rows = scanner.scan(state.rows, files)
        state.pairs = np.concatenate([state.pairs, np.array(pairs, dtype=np.int64).reshape(-1, 3)])
        for file in files:
            state.ranges.append(LakeRange(str(file.path), file.source, start, file.rows))
            start += file.rows

    def remove(self, number: int) -> None:
        """A file leaves the lake."""
        self.state.ranges.pop(number)

    def place(self, decisions: Folded | None = None) -> Placement:
        """Place, and keep what the next step stands upon: as a build, which forgets what is gone and opens it anew."""
        state = self.state
        gone = np.ones(state.rows.n_rows, dtype=np.uint8)
        for found in state.ranges:
            gone[found.start : found.start + found.rows] = 0
        rules = placement_rules(self._settings)
        placement = place_rows(state, gone, rules, decisions or Folded(), secret=SECRET, memory_bytes=self._memory)
        state.forget(gone)
        state.save(placement.arrays(), log="")
        opened = open_state(
            self._folder / "state", self._rules, strong_types(self._settings.identity.own_types), log=""
        )
        assert opened is not None
        self.state = opened
        return placement

    def placed(self, placement: Placement) -> Placed:
        """By message."""
        state = self.state
        rows = np.flatnonzero(placement.keep)
        units = placement.unit[rows]
        people = [b""] * len(rows)
        known = np.flatnonzero(units >= 0)
        ids = unit_ids(state, (placement.pair_w, placement.pair_row), units[known], secret=SECRET)
        for at, person in zip(known.tolist(), ids, strict=True):
            people[at] = person.tobytes()
        sources = [state.rows.sources[code] for code in state.rows.column("source")[rows].tolist()]
        messages = [text.decode() for text in state.rows.message_ids(rows)]
        rules = [PLACING_RULES[rule] for rule in placement.rule[rows].tolist()]
        told = zip(people, rules, placement.time[rows].tolist(), strict=True)
        return dict(zip(zip(sources, messages, strict=True), told, strict=True))


def persons_of(
    rows: Sequence[Mapping[str, Any]],
    settings: IdentitySettings,
    folder: Path,
    decisions: Folded | None = None,
    **options: Any,
) -> Placed:
    """Everything at once."""
    steps = Steps(folder, settings)
    steps.add(rows, **options)
    return steps.placed(steps.place(decisions))


def persons_in(rows: pa.Table, settings: IdentitySettings, folder: Path) -> Placed:
    """As `persons_of`, of many rows: a file of the lake for each source."""
    files: list[LakeFile] = []
    for source in sorted(rows["source"].unique().to_pylist()):
        inside = rows.filter(pc.equal(rows["source"], source)).drop_columns(["source"])
        path = folder / f"{len(files):03d}.parquet"
        pq.write_table(inside, path)
        ends = pc.min_max(inside["timestamp"].cast(pa.int64())).as_py()
        files.append(LakeFile(path, len(inside), source, ends["min"], ends["max"], 1, 1))
    steps = Steps(folder, settings)
    steps.add_files(files)
    return steps.placed(steps.place())
