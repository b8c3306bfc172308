"""Histories of a whole workspace: Delta lake, decisions, erasures, and builds that die between log and state."""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from percorso.errors import UserError
from percorso.services import build as service
from percorso.services.build import build_log
from percorso.services.decide import link, unlink
from percorso.services.erasure import erase_person
from percorso.services.workspace import Workspace, open_workspace
from percorso.store.journey_log import open_log, swap_manifest
from tests.journeys.histories import STEPS
from tests.journeys.merging import counted_builds
from tests.journeys.random_events import USERS, one
from tests.journeys.worlds import World, digests
from tests.workspaces import add_events, change_settings, make_workspace

#: The rules of tests.journeys.random_events, as a workspace says them.
RULES = (
    ("bucket_bits = 2", "bucket_bits = 1"),
    ("shared_sources = []", 'shared_sources = ["kiosk"]'),
    ("own_types = []", 'own_types = ["club"]'),
    ("single_use_coupons = []", 'single_use_coupons = ["gift-[0-9]+"]'),
    ("hub_partners = 20", "hub_partners = 2"),
    ("largest_group = 10000", "largest_group = 5"),
    ("# email = 5", "email = 2"),
    ("# phone = 5", "phone = 1"),
)
_BACKFILL = ('backfill = "90d"', 'backfill = "1h"')

#: Steps that only bring events, and what else happens to a workspace.
ARRIVALS = sorted(STEPS.keys() - {"link", "unlink", "erase", "withdraw", "change_rules"})
OTHERS = ("link", "unlink", "erase", "change_rules")


class Died(BaseException):
    """Nothing catches it, as nothing catches the end of a process."""


@dataclass
class Shop(World):
    """A world in a workspace."""

    number: int = field(default=0)

    @property
    def workspace(self) -> Workspace:
        return open_workspace(self.folder)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.number += 1
        add_events(self.workspace, rows)
        self.rows[str(self.number)] = list(rows)

    def happen(self, name: str, rng: random.Random) -> None:
        """Take a step; decisions and erasures that cannot be are none."""
        if name == "change_rules":
            old, new = _BACKFILL if _BACKFILL[0] in self._toml() else _BACKFILL[::-1]
            change_settings(self.workspace, old, new)
        elif name == "erase":
            with contextlib.suppress(UserError):
                erase_person(self.workspace, f"user_id:shop:{rng.choice(USERS)}", author="dpo", reason="asked for")
        else:
            STEPS[name](self, rng)
            while self.decided:
                kind, a, b = self.decided.pop()
                texts = (":".join(filter(None, (end.kind, end.space, end.value))) for end in (a, b))
                with contextlib.suppress(UserError):
                    (link if kind == "link" else unlink)(self.workspace, *texts, reason="it was said")

    def _toml(self) -> str:
        return (self.folder / "percorso.toml").read_text(encoding="utf-8")

    def digests(self) -> dict[str, str]:
        log = open_log(self.workspace.log)
        assert log is not None
        return digests(log)

    def digests_anew(self) -> dict[str, str]:
        """Digests of a build in a copy that has neither log nor state."""
        copy = self.folder.with_name("copy")
        shutil.copytree(self.folder, copy, ignore=lambda folder, names: {"log", "state", "tmp"} & set(names))
        try:
            build_log(open_workspace(copy))
            log = open_log(open_workspace(copy).log)
            assert log is not None
            return digests(log)
        finally:
            shutil.rmtree(copy)


def make_shop(folder: Path, rng: random.Random) -> Shop:
    workspace = make_workspace(folder)
    for old, new in RULES:
        change_settings(workspace, old, new)
    shop = Shop(folder)
    shop.add([one(rng) for _ in range(8)])
    build_log(shop.workspace)
    return shop


def dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a build dies once its log is the current one, before its state is kept."""

    def swap_and_die(*arguments: Any) -> None:
        swap_manifest(*arguments)
        raise Died

    monkeypatch.setattr(service, "swap_manifest", swap_and_die)


@pytest.mark.parametrize("seed", range(12))
def test_a_workspace_has_the_bytes_of_one_built_at_once(memory: Path, seed: int) -> None:
    """In every second history builds die now and then; the next one goes on from what they left."""
    rng = random.Random(seed)
    folder, deaths = memory / f"histories-{seed}" / "shop", 0
    with counted_builds(always_merge=True) as count:
        shop = make_shop(folder, rng)
        for number in range(6):
            with pytest.MonkeyPatch.context() as patch:
                if seed % 2 and number != seed // 2 % 4:  # some steps bring nothing to build
                    dying(patch)
                try:
                    shop.happen(rng.choice(OTHERS) if rng.random() < 0.4 else rng.choice(ARRIVALS), rng)
                    build_log(shop.workspace)
                except Died:
                    deaths += 1
            build_log(shop.workspace)
            assert shop.digests() == shop.digests_anew()
    shutil.rmtree(folder.parent)
    assert count.merged >= 1
    assert bool(deaths) == bool(seed % 2)


DIES = """
import os, sys
from pathlib import Path
from percorso.journeys import build as builder
from percorso.services import build
from percorso.services.workspace import open_workspace

def swap_and_die(*arguments, swap=build.swap_manifest):
    swap(*arguments)
    os._exit(9)

builder._MOST_TOUCHED, builder._MOST_DEAD = 2.0, 5.0
build.swap_manifest = swap_and_die
build.build_log(open_workspace(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("seed", [100, 101])
def test_a_workspace_goes_on_after_the_end_of_a_process(memory: Path, seed: int) -> None:
    """The log is of the last build, the state of the one before it: what comes then must not stand upon that."""
    rng = random.Random(seed)
    folder = memory / f"histories-{seed}" / "shop"
    with counted_builds(always_merge=True) as count:
        shop = make_shop(folder, rng)
        shop.happen(rng.choice(ARRIVALS), rng)
        build_log(shop.workspace)
        shop.happen("merge", rng)
        process = subprocess.run([sys.executable, "-c", DIES, str(folder)], check=False)
        assert process.returncode == 9
        assert not build_log(shop.workspace).built
        assert shop.digests() == shop.digests_anew()
        merged = count.merged
        for name in ("append", "unlink", "share"):
            shop.happen(name, rng)
            build_log(shop.workspace)
            assert shop.digests() == shop.digests_anew()
        assert count.merged > merged  # all but the first after it build upon the last one again
    shutil.rmtree(folder.parent)
