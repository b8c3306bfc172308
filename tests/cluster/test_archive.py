"""The archive of `percorso spark pack`: whole in any folder, and without anything around it."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import percorso
from percorso.cli.main import run
from percorso.engines.session import spark_of, stop_spark
from percorso.engines.spark_choice import SparkChoice
from percorso.errors import FileError, OperationError
from percorso.services.installed import files_of, installed_with
from percorso.services.spark_pack import EFFORT, Entry, Packed, pack_environment, write_archive
from percorso.store.journey_log import JourneyLog
from tests.cluster.conftest import SETTINGS
from tests.cluster.questions import QUESTIONS, check_equal
from tests.cluster.standalone import Standalone

_ROOT = Path(__file__).resolve().parents[2]

_ASK = """
import sys
from pathlib import Path
from percorso.analyses.basis import Basis
from percorso.analyses.funnel import run_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.kernels.funnel import *
from percorso.store.journey_log import open_log
log = open_log(Path(sys.argv[1]))
print(run_funnel(FunnelSpec(steps=("Product Viewed", "Order Completed")), log, Basis()).table.to_pylist())
"""
_EVERY_MODULE = """
import importlib, pkgutil, percorso, percorso.kernels
for module in pkgutil.walk_packages(percorso.__path__, "percorso."):
    importlib.import_module(module.name)
from numba.core.dispatcher import Dispatcher
found = {}
for module in pkgutil.iter_modules(percorso.kernels.__path__):
    for value in vars(importlib.import_module("percorso.kernels." + module.name)).values():
        if isinstance(value, Dispatcher) and value.signatures:
            found[id(value)] = value.stats
print(len(found), sum(sum(one.cache_misses.values()) for one in found.values()))
"""


def python_of(environment: Path, *words: str, folder: Path, **surroundings: str) -> subprocess.CompletedProcess[str]:
    """The environment's Python, with nothing of ours around it."""
    machine = {"PATH": f"{Path(sys._base_executable).parent}:/usr/bin:/bin"} | surroundings  # type: ignore[attr-defined]
    command = [str(environment / "bin" / "python"), *words]
    return subprocess.run(command, env=machine, cwd=folder, capture_output=True, text=True, check=False)


def test_it_answers_in_another_folder_and_without_anything_around_it(
    unpacked: Path, shop: JourneyLog, tmp_path: Path
) -> None:
    done = python_of(unpacked, "-c", _ASK, str(shop.folder), folder=tmp_path)
    assert done.stdout.strip() == str(QUESTIONS["funnel"](shop).table.to_pylist()), done.stderr


def test_spark_ships_it(cluster: Standalone, packed: Packed, shop: JourneyLog, folder: Path) -> None:
    """Each executor unpacks it where it works."""
    stop_spark()  # its executors have the cores
    choice = SparkChoice(
        master=cluster.master, archive=packed.file, settings=(*SETTINGS, ("spark.local.dir", str(folder / "driver")))
    )

    def seen(buckets: object) -> tuple[str, str]:
        import percorso  # here: that of the worker

        return str(Path.cwd()), percorso.__path__[0]

    try:
        engine = spark_of(choice)
        check_equal(QUESTIONS["funnel"](replace(shop, engine=engine)), QUESTIONS["funnel"](shop))
        found = list(engine.run(shop.buckets, seen))
    finally:
        stop_spark()
    assert {Path(place).relative_to(cluster.folder.resolve()).parts[0] for place, _ in found} == {"one", "two"}
    assert all(Path(place) / "environment" in Path(package).parents for place, package in found), found


def test_every_module_is_there_and_no_kernel_is_compiled_anew(unpacked: Path, tmp_path: Path) -> None:
    done = python_of(unpacked, "-c", _EVERY_MODULE, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    kernels, compiled = map(int, done.stdout.split())
    assert kernels > 100
    assert compiled == 0


def test_nothing_of_the_worker_is_mixed_in(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "numpy.py").write_text("raise SystemExit('the wrong one')")
    done = python_of(
        unpacked,
        "-c",
        "import numpy, sys; print(numpy.__version__); print(sys.path)",
        folder=tmp_path,
        PYTHONPATH=str(tmp_path / "site"),
    )
    version, path = done.stdout.splitlines()
    assert version == importlib.metadata.version("numpy")
    assert "site-packages" not in path
    assert "dist-packages" not in path


def test_no_place_of_this_machine_stands_in_it(unpacked: Path) -> None:
    places = {str(_ROOT), str(Path(percorso.__path__[0]).parent), sysconfig.get_path("purelib")}
    for path in unpacked.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [place for place in places if place.encode() in content], path


def test_what_it_is_and_how_large(
    packed: Packed, unpacked: Path, record_property: Callable[[str, object], None]
) -> None:
    about = json.loads((unpacked / "environment.json").read_text(encoding="utf-8"))
    assert about["percorso"] == percorso.__version__
    assert about["packages"] == packed.packages
    assert all(importlib.metadata.version(name) == version for name, version in packed.packages.items())
    assert {"percorso", "numpy", "numba", "pyarrow", "deltalake"} <= packed.packages.keys()
    assert "pyspark" not in packed.packages  # Spark brings its own
    assert packed.size_bytes < 400_000_000
    seconds, size = f"{packed.seconds:.0f}", f"{packed.size_bytes / 1e6:.0f}"
    record_property("told", f"Archive for Spark's workers: {len(packed.packages)} packages, {size} MB, {seconds} s.")


def test_a_machine_without_the_python_says_so(unpacked: Path, tmp_path: Path) -> None:
    """The launcher looks for programs by name, and asks each which Python it is."""
    launcher = tmp_path / "python"
    text = (unpacked / "bin" / "python").read_text(encoding="utf-8")
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    launcher.write_text(text.replace(here, "3.99"), encoding="utf-8")
    launcher.chmod(0o755)
    done = subprocess.run(
        [str(launcher)], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "needs Python 3.99" in done.stderr
    assert "PERCORSO_PYTHON" in done.stderr


def test_equal_entries_are_equal_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    entries = [Entry("b", b"two", is_program=True), Entry("a", tmp_path / "a")]
    found = []
    for order in (entries, entries[::-1]):
        stream = io.BytesIO()
        write_archive(order, stream, EFFORT)
        found.append(stream.getvalue())
        os.utime(tmp_path / "a", (1, 1))
    assert found[0] == found[1]
    with tarfile.open(fileobj=io.BytesIO(found[0])) as tar:
        assert [(one.name, one.mode) for one in tar] == [("a", 0o644), ("b", 0o755)]


def test_other_endings_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Spark would unpack a zip without making its launcher a program."""
    with pytest.raises(FileError, match=r"\.tar\.gz"):
        pack_environment(tmp_path / "environment.zip")
    assert run(["spark", "pack", "--output", str(tmp_path / "environment.zip")]) == 2
    assert "environment.zip" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_requirements_of_requirements_are_packed_and_what_is_not_needed_is_not() -> None:
    names = {one.name for one in installed_with("percorso")}
    assert {"llvmlite", "arro3-core", "markupsafe", "ua-parser-rs"} <= names
    assert not {"pytest", "mypy", "ruff", "pyspark", "py4j", "pip"} & names
    with pytest.raises(OperationError, match="no-such-package"):
        installed_with("no-such-package")


def test_a_package_installed_in_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = tmp_path / "theirs-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n", encoding="utf-8")
    (about / "RECORD").write_text("__editable__.theirs-1.0.pth,,\ntheirs-1.0.dist-info/METADATA,,\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(OperationError, match="theirs"):
        list(files_of(installed_with("theirs")[0]))
