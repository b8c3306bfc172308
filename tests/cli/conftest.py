"""The shop that commands are asked about, made once for each file of tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from percorso.cli.main import run
from percorso.services.workspace import Workspace
from tests.services.identity_world import make_world
from tests.services.shop_workspace import make_shop


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its workspace, built."""
    folder = tmp_path_factory.mktemp("shop")
    make_shop(folder)
    assert run(["-w", str(folder), "build"]) == 0
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its workspace as a command names it, not built yet."""
    folder = tmp_path_factory.mktemp("shop")
    make_shop(folder)
    return str(folder)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """People whose identity is told in every way; nobody changes it."""
    return make_world(tmp_path_factory.mktemp("world") / "shop")
