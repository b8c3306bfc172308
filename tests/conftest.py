"""Fixtures of all tests."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.engines.partitions import in_partitions
from tests.real_data import Real, RealSet, make_set

# The first example of a test may compile a kernel; how long an example takes is no property of the code.
settings.register_profile("percorso", deadline=None)
settings.load_profile("percorso")

_BESIDE_THE_CLONE = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The cluster's tests come first: who shares tests out by stealing takes them from the end, so one process has all
    of these, and no second cluster is started."""
    items.sort(key=lambda item: "tests/cluster/" not in item.nodeid)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests have measured and want to be seen: ``record_property("told", ...)``."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "told":
                terminalreporter.write_line(value)


@pytest.fixture(scope="session")
def data() -> Callable[[str], Path]:
    """The folder of a real data set by name, such as ``data("receipt")``.

    The sets lie in $PERCORSO_TEST_DATA, else beside the clone. A test whose set is missing is skipped on a
    developer's machine and fails where CI=true, so that no check is left out unseen.
    """

    def folder_of(name: str) -> Path:
        folder = Path(os.environ.get("PERCORSO_TEST_DATA") or _BESIDE_THE_CLONE) / name
        if not folder.is_dir():
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"data set {name} is not there")
        return folder

    return folder_of


@pytest.fixture(scope="session")
def real(data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Real:
    """A real data set, imported and built once for all tests and all workers: ``real("receipt").workspace``."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "real-data"
    made: dict[str, RealSet] = {}

    def set_of(name: str) -> RealSet:
        if name not in made:
            made[name] = make_set(name, data(name), folder)
        return made[name]

    return set_of


@pytest.fixture(scope="module", params=["local", "partitions"])
def both_engines(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is asked is worked out in this process, and again in an engine that takes a cluster's liberties."""
    with contextlib.nullcontext() if request.param == "local" else in_partitions():
        yield


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of small builds would wait for the disk otherwise."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session", autouse=True)
def _nothing_waits_for_the_disk() -> Iterator[None]:
    """No power fails while tests run: what they make durable must be open, and need not reach the disk."""

    def is_open(file: int) -> None:
        os.fstat(file)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", is_open)
        yield


@pytest.fixture(autouse=True)
def _no_workspace_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERCORSO_HOME", raising=False)
    monkeypatch.delenv("PERCORSO_LANGUAGE", raising=False)
    monkeypatch.delenv("PERCORSO_DEBUG", raising=False)
    monkeypatch.delenv("PERCORSO_ENGINE", raising=False)
    monkeypatch.delenv("PERCORSO_MASTER", raising=False)
