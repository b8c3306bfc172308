"""A lake, rules and decisions that change step by step, and the journey log after each step, for tests."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from percorso.identity.decisions import Folded, pair_of
from percorso.identity.lookup import Identifier
from percorso.identity.placement import person_id
from percorso.journeys.build import BuildInput, build_tables
from percorso.settings import BuildSettings, IdentitySettings, Settings
from percorso.store.journey_log import JourneyLog, open_log, swap_manifest
from percorso.store.lake import LakeFile
from tests.lake_builder import lake_files

__all__ = ["SECRET", "World", "build_files", "digests"]

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


@dataclass
class World:
    """What a log is made of. `settings` may be replaced; then the next build is a full one."""

    folder: Path
    settings: Settings = field(default_factory=lambda: Settings(build=BuildSettings(bucket_bits=1)))
    rows: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)  # by file of the lake
    files: list[LakeFile] = field(default_factory=list)
    decided: list[tuple[str, Identifier, Identifier]] = field(default_factory=list)
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
                self.files.remove(file)
                del self.rows[str(file.path)]
                if kept:
                    self.add(kept)

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
        return self._build(self.folder, before)

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
    """SHA-256 of every file of the log, by bucket and table."""
    names = {f"{bucket.index}.{table}": name for bucket in log.buckets for table, name in bucket.meta["files"].items()}
    names |= {f"nobody.{table}": name for table, name in log.unidentified.meta["files"].items()}
    names["alias"] = str(log.manifest["alias"])
    return {key: hashlib.sha256((log.folder / name).read_bytes()).hexdigest() for key, name in names.items()}
