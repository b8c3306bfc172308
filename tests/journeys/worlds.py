"""A lake, rules and decisions that change step by step, and the journey log after each step, for tests."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from percorso.identity.decisions import Folded, pair_of
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier
from percorso.identity.placement import NO_COPY, PLACING_RULES, person_id
from percorso.identity.state import open_state
from percorso.identity.tables import strong_types
from percorso.identity.units import unit_ids
from percorso.journeys.build import BuildInput, build_tables
from percorso.settings import BuildSettings, IdentitySettings, Settings
from percorso.store.journey_log import JourneyLog, open_log, swap_manifest
from percorso.store.lake import LakeFile
from tests.lake_builder import lake_files

__all__ = ["SECRET", "Known", "World", "build_files", "digests"]

SECRET = bytes(range(32))


def build_files(
    folder: Path,
    files: Sequence[LakeFile],
    settings: Settings,
    *,
    decisions: Folded | None = None,
    before: JourneyLog | None = None,
) -> tuple[JourneyLog, int]:
    """Build the log of some files of the lake in a folder; the log, and how many events were built anew."""
    work = BuildInput(
        files=files,
        settings=settings,
        decisions=decisions or Folded(),
        secret=SECRET,
        log=folder / "log",
        state=folder / "state",
        scratch=folder / "tmp",
        memory_bytes=1 << 30,
        before=before,
    )
    built = build_tables(work, lambda phase, done, total: None)
    swap_manifest(folder / "log", built.manifest)
    built.keep_state()
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    log = open_log(folder / "log")
    assert log is not None
    return log, built.events_built


@dataclass(frozen=True)
class Known:
    """What the last build says of each message, by the key of its row that counts, and of identifiers by text.

    `person` is empty for nobody; `shared` holds identifiers of no one person.
    """

    person: dict[bytes, bytes]
    rule: dict[bytes, str]
    time: dict[bytes, int]
    same_order: frozenset[bytes]
    group: dict[bytes, bytes]
    shared: frozenset[bytes]


@dataclass
class World:
    """What a log is made of. `settings` may be replaced; then the next build is a full one."""

    folder: Path
    settings: Settings = field(default_factory=lambda: Settings(build=BuildSettings(bucket_bits=1)))
    rows: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)  # by file of the lake
    files: list[LakeFile] = field(default_factory=list)
    decided: list[tuple[str, Identifier, Identifier]] = field(default_factory=list)
    builds: int = 0
    _built_with: Settings | None = None
    _numbers: int = 0

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """An import: one file a source."""
        self._numbers += 1
        for file in lake_files(self.folder / "lake" / str(self._numbers), rows):
            self.files.append(file)
            self.rows[str(file.path)] = [row for row in rows if row["source"] == file.source]

    def drop(self, test: Any) -> None:
        """Rows leave the lake: their files are written anew without them."""
        for file in list(self.files):
            inside = self.rows[str(file.path)]
            kept = [row for row in inside if not test(row)]
            if len(kept) < len(inside):
                self.take_back(file)
                if kept:
                    self.add(kept)

    def take_back(self, file: LakeFile) -> None:
        """Its rows leave the lake with it; copies of them in other files stay."""
        self.files.remove(file)
        del self.rows[str(file.path)]

    def copied(self, folder: Path) -> World:
        """The same world, which goes on in a folder of its own; files of its lake stay where they are."""
        for name in ("log", "state"):
            shutil.copytree(self.folder / name, folder / name)
        return replace(self, folder=folder, rows=dict(self.rows), files=list(self.files), decided=list(self.decided))

    def every_row(self) -> list[Mapping[str, Any]]:
        return [row for rows in self.rows.values() for row in rows]

    def change_identity(self, **changes: Any) -> None:
        self.settings = Settings(build=self.settings.build, identity=IdentitySettings(**changes))

    def folded(self) -> Folded:
        """As percorso.identity.decisions.fold, on identifiers in the clear."""
        state: dict[tuple[bytes, bytes], str] = {}
        for kind, a, b in self.decided:
            pair = pair_of(person_id(SECRET, a.text()), person_id(SECRET, b.text()))
            if state.get(pair, kind) == kind:
                state[pair] = kind
            else:
                del state[pair]
        return Folded(
            tuple(sorted(pair for pair, kind in state.items() if kind == "link")),
            tuple(sorted(pair for pair, kind in state.items() if kind == "unlink")),
        )

    def build(self) -> tuple[JourneyLog, int]:
        """Build upon what the step before left; the log, and how many events were built anew."""
        before = open_log(self.folder / "log") if self._built_with == self.settings else None
        self._built_with = self.settings
        self.builds += 1
        return self._build(self.folder, before)

    def known(self) -> Known:
        """Asks the identity state of the last build."""
        log, kinds = open_log(self.folder / "log"), strong_types(self.settings.identity.own_types)
        rules = IdentifierRules(self.settings.identity, self.settings.workspace.country)
        state = open_state(self.folder / "state", rules, kinds, log=log.state if log else "")
        assert state is not None
        arrays = state.arrays
        rows = np.flatnonzero(arrays["unit"] != NO_COPY)
        unit = arrays["unit"][rows]
        ids = unit_ids(state, (arrays["pair_w"], arrays["pair_row"]), np.maximum(unit, 0), secret=SECRET)
        keys = [key.tobytes() for key in state.rows.column("row_key")[rows]]
        texts = state.strong.texts(np.arange(len(state.strong)))
        named = np.flatnonzero((arrays["live"] == 1) & (arrays["group"] >= 0)).tolist()
        return Known(
            person={key: ids[at].tobytes() if unit[at] >= 0 else b"" for at, key in enumerate(keys)},
            rule=dict(zip(keys, [PLACING_RULES[code] for code in arrays["rule"][rows]], strict=True)),
            time=dict(zip(keys, arrays["time"][rows].tolist(), strict=True)),
            same_order=frozenset(keys[at] for at in np.flatnonzero(arrays["copy"][rows])),
            group={texts[code]: texts[arrays["group"][code]] for code in named},
            shared=frozenset(texts[code] for code in np.flatnonzero((arrays["live"] == 1) & (arrays["shared"] > 0))),
        )

    def digests_anew(self) -> dict[str, str]:
        """Digests of a full build in a new folder."""
        folder = self.folder / "anew"
        log, _ = self._build(folder, None)
        found = digests(log)
        shutil.rmtree(folder)
        return found

    def _build(self, folder: Path, before: JourneyLog | None) -> tuple[JourneyLog, int]:
        files = sorted(self.files, key=lambda file: (file.source, str(file.path)))
        return build_files(folder, files, self.settings, decisions=self.folded(), before=before)


def digests(log: JourneyLog) -> dict[str, str]:
    """SHA-256 of every file of the log, by bucket and table, and of what the manifest says but of when it was made."""
    names = {f"{bucket.index}.{table}": name for bucket in log.buckets for table, name in bucket.meta["files"].items()}
    names |= {f"nobody.{table}": name for table, name in log.unidentified.meta["files"].items()}
    names |= {
        f"cold.{month}.{part}": name
        for month, parts in log.manifest["cold"].items()
        for part, name in enumerate(parts)
        if name
    }
    names["alias"] = str(log.manifest["alias"])
    said = {key: value for key, value in log.manifest.items() if key not in ("state", "built_at")}
    contents = {key: (log.folder / name).read_bytes() for key, name in names.items()}
    contents["manifest"] = json.dumps(said, sort_keys=True).encode()
    return {key: hashlib.sha256(content).hexdigest() for key, content in contents.items()}
