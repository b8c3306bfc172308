"""A small shop, simulated once, and a workspace built from it once."""

from __future__ import annotations

from pathlib import Path

import pytest

import percorso
from percorso.demo.simulate import Simulated, simulate
from percorso.facade import Percorso
from percorso.services.demo import demo_workspace, take_in
from percorso.services.workspace import Workspace

CUSTOMERS = 260  # two blocks, the second a short one


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return simulate(tmp_path_factory.mktemp("legnocorda") / "files", customers=CUSTOMERS, seed=7, processes=1)


@pytest.fixture(scope="session")
def files(simulated: Simulated) -> Path:
    return simulated.truth.parent


@pytest.fixture(scope="session")
def workspace(files: Path) -> Workspace:
    made = demo_workspace(files.parent / "workspace", files, "en")
    take_in(made, files, lambda phase, done, total: None)
    return made


@pytest.fixture(scope="session")
def shop(workspace: Workspace) -> Percorso:
    opened = percorso.open(workspace.folder)
    opened.build()
    return opened
