"""Workspaces that are built on the cluster, and what a build in this process makes of the same."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from percorso.services.build import build_log
from percorso.services.engine import choose_engine
from percorso.services.workspace import Workspace, open_workspace
from percorso.settings import EngineSettings
from percorso.store.journey_log import JourneyLog, open_log
from tests.journeys.random_events import NOBODY, START, Row, of_others, one
from tests.journeys.worlds import digests
from tests.workspaces import add_events, change_settings, make_workspace

__all__ = [
    "copy_of",
    "differences",
    "event_of_the_heavy",
    "files_in_use",
    "later_events",
    "log_folder",
    "log_of",
    "make_shop",
]

#: More events than this make a person heavy: the fewest that settings allow.
HEAVY = 100

#: Rules under which little data has hubs, heavy persons, and eight buckets, one of them empty.
SETTINGS = {
    "bucket_bits = 2": "bucket_bits = 3",
    "heavy_person_events = 100000": f"heavy_person_events = {HEAVY}",
    "hub_partners = 20": "hub_partners = 2",
    "shared_sources = []": 'shared_sources = ["kiosk"]',
    "own_types = []": 'own_types = ["club"]',
}


def make_shop(folder: Path) -> Workspace:
    """A workspace with events in its lake, and no log; its persons always stand in the same buckets."""
    workspace = make_workspace(folder)
    (folder / "secret.key").write_bytes(bytes([12]) * 32)
    for before, after in SETTINGS.items():
        workspace = change_settings(workspace, before, after)
    add_events(workspace, _first_events())
    return workspace


def _first_events() -> list[Row]:
    """Some people who share much, many who share little, and one who does too much."""
    rng = random.Random(12)
    rows = [one(rng) for _ in range(30)] + [of_others(rng) for _ in range(20)]
    for user in ("U1", "U2", "U3", "U4"):  # too many for one number: it is shared, and joins nobody
        rows.append(one(rng, source="shop", **{**NOBODY, "user_id": user, "phone": "+393479999999"}))
    return rows + [event_of_the_heavy(minute) for minute in range(0, 3 * (HEAVY + 20), 3)]


def event_of_the_heavy(minute: int = 0) -> Row:
    """Of the one who does too much."""
    same = {**NOBODY, "user_id": "busy", "anonymous_id": "busy"}
    return one(random.Random(minute), at=START + timedelta(minutes=minute), source="web", **same)


def later_events(seed: int, n: int = 6) -> list[Row]:
    """What comes later: of few people."""
    rng = random.Random(1000 + seed)
    return [of_others(rng) for _ in range(n)]


def copy_of(workspace: Workspace, folder: Path, engine: EngineSettings | None = None) -> Workspace:
    """The same workspace elsewhere, asked by an engine."""
    shutil.copytree(workspace.folder, folder)
    return replace(open_workspace(folder), engine=engine)


def log_folder(workspace: Workspace) -> Path:
    assert isinstance(workspace.log, Path)
    return workspace.log


def log_of(workspace: Workspace) -> JourneyLog:
    log = open_log(workspace.log)
    assert log is not None
    return log


def files_in_use(workspace: Workspace) -> Mapping[str, Any]:
    """Digests of all that the manifest names, by what it is, and of what it says itself."""
    log = log_of(workspace)
    return digests(replace(log, manifest={key: value for key, value in log.manifest.items() if key != "traces"}))


def differences(workspace: Workspace) -> list[str]:
    """Files and words of the workspace's log that differ from those of a full build in this process."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(
            workspace.folder, Path(folder) / "twin", ignore=lambda at, names: {"log", "state", "tmp"} & set(names)
        )
        twin = choose_engine(open_workspace(Path(folder) / "twin"), "local")
        build_log(twin)
        mine, theirs = files_in_use(workspace), files_in_use(twin)
    return [key for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]
